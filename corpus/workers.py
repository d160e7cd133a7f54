"""Supervised processes for foreign files: a crash, a hang or a bomb costs one file, never the pool.

Work is asked for as futures, so that another executor (a cluster, say) can take this one's place. A worker has a memory
limit, each task a deadline; a worker that dies or overruns is replaced, and its task alone fails.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, TypeVar

from corpus.errors import AudioError, CorpusError

MEMORY_LIMIT = 4 << 30
"""Bytes of address space a worker may take."""
_AHEAD = 16
"""Tasks asked for ahead of time, per worker: enough to last while the parent writes to the store."""
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
"""For the workers' numeric libraries: there is a worker for each core."""

Task = TypeVar("Task")


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers:
    """A pool of supervised processes.

    Parameters
    ----------
    jobs : int, optional
        Processes; all cores if None.
    memory : int
        Bytes of address space for each.
    """

    def __init__(self, jobs: int | None = None, memory: int = MEMORY_LIMIT) -> None:
        from pebble import ProcessPool

        self.jobs = jobs or cores()
        self._context = _Spawning()
        self._pool: Any = ProcessPool(
            max_workers=self.jobs,
            context=self._context,
            initializer=_settle_in,
            initargs=(memory, os.getpid()),
        )

    def __enter__(self) -> Workers:
        # for the pool's whole life, since a worker that died is replaced at any time
        self._before = {name: os.environ.get(name) for name in _ONE_THREAD}
        os.environ.update(_ONE_THREAD)
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.stop()
        self._context.end()
        self._pool.join()
        for name, value in self._before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

    def submit(self, function: Callable[..., Any], *arguments: Any, deadline: float) -> Future[Any]:
        """Ask for `function(*arguments)`; `deadline` in seconds counts from when a worker takes it up."""
        with _without_interrupts():
            future: Future[Any] = self._pool.schedule(function, args=arguments, timeout=deadline)
        return future

    def over(
        self, tasks: Iterable[Task], function: Callable[[Task], Any], deadline: Callable[[Task], float]
    ) -> Iterator[tuple[Task, Any]]:
        """Yield `(task, result)` as they come; a result is an AudioError where the task failed."""
        waiting: dict[Future[Any], Task] = {}
        remaining = iter(tasks)
        while True:
            for task in remaining:
                waiting[self.submit(function, task, deadline=deadline(task))] = task
                if len(waiting) >= self.jobs * _AHEAD:
                    break
            if not waiting:
                return
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                task = waiting.pop(future)
                yield task, _outcome(future, deadline(task))


class _Spawning(SpawnContext):
    """Spawns processes, and can end all of them before the pool takes away what those just starting will ask for."""

    def __init__(self) -> None:
        super().__init__()
        self._started: list[SpawnProcess] = []

    def Process(self, *arguments: Any, **named: Any) -> SpawnProcess:  # type: ignore[override]  # a class there, used alike
        """Make a process, to be started."""
        process = SpawnProcess(*arguments, **named)
        self._started.append(process)
        return process

    def end(self) -> None:
        """End all that run."""
        for process in self._started:
            if process.is_alive():
                process.kill()
                process.join()


def _outcome(future: Future[Any], deadline: float) -> Any:
    from pebble import ProcessExpired

    try:
        return future.result()
    except TimeoutError:
        return AudioError(f"took longer than {deadline:.0f} s and was given up; is it what it says it is?")
    except ProcessExpired as error:
        return AudioError(f"crashed its decoder (exit code {error.exitcode}); re-export it with another program")
    except MemoryError:
        return AudioError("needs more memory than a worker may take; cut it into shorter files")
    except CorpusError as error:
        return error
    except (Exception, SystemExit) as error:  # one bad file must not stop the rest, whatever a decoder throws
        return AudioError(f"{type(error).__name__}: {error}")


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """While workers may be started: they inherit it, since a Ctrl-C is for the parent to decide on."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _settle_in(memory: int, parent: int) -> None:
    """Run in a new worker: leave Ctrl-C to the parent, die with it, keep decoders quiet, bound the memory."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with(parent)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    if sys.platform != "win32":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (memory, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _die_with(parent: int) -> None:
    """End this process when its parent was killed: by the kernel on Linux, else by a watching thread."""
    if sys.platform == "linux":
        import ctypes

        set_death_signal = 1
        ctypes.CDLL(None, use_errno=True).prctl(set_death_signal, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        return
    import threading
    import time

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
