"""A real headless Chromium, without a network: what it asks for, says and throws is kept, and is to be nothing."""

import contextlib
import shutil
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import sync_playwright

PATH = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_ARGUMENTS = [
    "--no-sandbox",  # for root, as in a container
    "--enable-unsafe-swiftshader",  # WebGL without a graphics card
    "--host-resolver-rules=MAP * ~NOTFOUND",
]
_PLAYING = "() => { const a = document.querySelector('audio'); return !a.paused && !a.error && a.currentTime > 0 }"


@dataclass
class Opened:
    """A page in the browser; `wrong` is what it should not have done: requests, errors, dialogs."""

    page: Any
    wrong: list[str] = field(default_factory=list)

    def find(self, selector):
        return self.page.locator(selector)

    def wait_until_it_plays(self):
        """Wait until sound comes: time goes on, not paused, no error."""
        self.page.wait_for_function(_PLAYING, timeout=5000)

    def sound(self):
        """The address of what plays now; None where nothing does."""
        return self.page.evaluate("() => { const a = document.querySelector('audio'); return a.paused ? null : a.src }")

    def hover(self, sound_id):
        """Put the mouse on the dot of a sound; returns what is said then, without white space."""
        label = self.find(".hoverlayer .hovertext")
        self.page.mouse.move(1, 1, steps=5)
        label.wait_for(state="detached")
        self.page.mouse.move(*self._point(sound_id))
        label.wait_for()
        assert label.locator("a, b, i").count() == 0
        return "".join(label.text_content().split())

    def click(self, sound_id):
        """Click the dot of a sound, as one does who sees what it is."""
        self.hover(sound_id)
        self.page.mouse.click(*self._point(sound_id))

    def _point(self, sound_id):
        return self.page.evaluate(
            """(id) => {
                const figure = document.querySelector('.figure'), place = figure.places.get(String(id));
                const { xaxis, yaxis } = figure._fullLayout, box = figure.getBoundingClientRect();
                return [box.x + xaxis._offset + xaxis.d2p(place.x), box.y + yaxis._offset + yaxis.d2p(place.y)];
            }""",
            sound_id,
        )


@contextlib.contextmanager
def chromium():
    """A browser, as a function that opens a file in a page of its own."""
    assert PATH, "the tests want Debian's chromium: apt-get install chromium"
    with (
        sync_playwright() as playwright,
        contextlib.closing(playwright.chromium.launch(executable_path=PATH, args=_ARGUMENTS)) as browser,
    ):
        yield lambda path, **options: opened(browser, path, **options)


@contextlib.contextmanager
def opened(browser, path, **options):
    """Open a file; fails at the end if the page did anything wrong."""
    with contextlib.closing(
        browser.new_context(offline=True, viewport={"width": 1280, "height": 1200}, **options)
    ) as own:
        page = own.new_page()
        it = Opened(page)
        page.on(
            "request", lambda request: _local(request.url, path) or it.wrong.append(f"asked for {request.url[:200]}")
        )
        page.on("console", lambda message: _bad(message) and it.wrong.append(message.text[:500]))
        page.on("pageerror", lambda error: it.wrong.append(f"threw {error}"))
        page.on("dialog", lambda dialog: (it.wrong.append(f"said {dialog.message}"), dialog.dismiss()))
        page.goto(path.absolute().as_uri())
        page.wait_for_function("() => [...document.querySelectorAll('.figure')].every(f => f.dataset.ready)")
        yield it
        assert it.wrong == []


def _local(url, path):
    return url == path.absolute().as_uri() or url.startswith(("data:", "blob:"))


def _bad(message):
    """Whether a line in the console is the page's fault, not WebGL's for want of a graphics card."""
    return message.type in ("error", "warning") and "GL Driver Message" not in message.text
