"""A listener at the keyboard, or a file of keys: one sound after another, one key each. Nothing shown tells the arm."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from corpus.cli.app import App
from corpus.errors import AudioError
from corpus.model import Label
from engine.cli.agent.labelling import user
from engine.cli.keys import END, Keys, keys_from
from engine.errors import DeviceError

if TYPE_CHECKING:
    from corpus.library import Corpus
    from corpus.store.trials import Trial
    from engine.playback.player import Player

_LABELS: dict[str, Label] = {"g": "good", "b": "bad"}
_AGAIN, _BACK, _STOP = "a", "u", "q"
_HELP = "g good, b bad, a again, u back to the one before, q stop; every answer is kept at once"
_ABOUT = {"target": "a sound", "result": "what was found near it"}
_WAIT_SECONDS = 0.5


def listen(app: App, corpus: Corpus, trial: Trial, who: str | None, device: str | None) -> None:
    """Ask what was not answered yet, until all is answered or the listener stops."""
    from engine.trial.listening import questions

    answers = corpus.trials.answers(trial)
    asked = questions(corpus, trial)
    place = next((p for p, one in enumerate(asked) if (one.number, one.part) not in answers), len(asked))
    if place == len(asked):
        return
    app.say(_HELP)
    with _player(app, corpus, device) as player, keys_from(sys.stdin) as keys:
        while place < len(asked):
            question = asked[place]
            title = f"{place // 2 + 1} of {len(asked) // 2}: {_ABOUT[question.part]}"
            key = _key(app, keys, corpus, question.sound_id, title, player)
            if key == _STOP:
                return
            if key == _BACK:
                place = max(place - 1, 0)
                continue
            corpus.trials.answer(trial, question.number, question.part, _LABELS[key], who=who or user())
            place += 1


def _key(app: App, keys: Keys, corpus: Corpus, sound_id: int, title: str, player: Player | None) -> str:
    """Play a sound, or name it, until there is a key that means something; the end of the keys means to stop."""
    while True:
        with _heard(corpus, sound_id, player) as name:
            app.say(f"{title}{name}")
            key = None
            while key not in (*_LABELS, _AGAIN, _BACK, _STOP, END):
                key = keys.key(_WAIT_SECONDS)
                if keys.resumed:
                    keys.resumed = False
                    app.say(f"{title}{name}")
        if key != _AGAIN:
            return _STOP if key in (END, None) else key


@contextlib.contextmanager
def _player(app: App, corpus: Corpus, device: str | None) -> Iterator[Player | None]:
    """The device; None where there is none and none was asked for."""
    from engine.playback.player import Player

    with contextlib.ExitStack() as stack:
        player = None
        try:
            player = stack.enter_context(Player(device or corpus.settings.device))
        except DeviceError as error:
            if device:
                raise
            app.say(f"{error}; names are shown instead")
        yield player


@contextlib.contextmanager
def _heard(corpus: Corpus, sound_id: int, player: Player | None) -> Iterator[str]:
    """Play a sound as long as this lasts; yields what to show of it: nothing if it can be heard, else its name."""
    from engine.clips import load

    if player is None:
        yield f": {corpus.sounds.get(sound_id).name}"
        return
    try:
        [clip] = load(corpus, [sound_id], player.rate)
    except AudioError as error:
        yield f": {corpus.sounds.get(sound_id).name} ({error})"
        return
    voice = player.start(clip)
    try:
        yield ""
    finally:
        player.stop(voice)
        player.unload(clip)
