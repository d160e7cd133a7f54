"""A listener at the keyboard, or a file of keys: one sound after another, one key each. Nothing shown tells the arm."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from corpus.cli.app import App
from corpus.errors import CorpusError
from corpus.model import Label
from engine.cli.hearing import Hearing
from engine.cli.keys import STOP, Keys, keys_from, unknown

if TYPE_CHECKING:
    from corpus.library import Corpus
    from corpus.model import Sound
    from corpus.store.trials import Trial
    from engine.playback.player import Player

_LABELS: dict[str, Label] = {"g": "good", "b": "bad"}
_AGAIN, _BACK, _KEYS = ("a", " "), "u", "?"
_HELP = "g good, b bad, a or space again, u back to the one before, q stop; every answer is kept at once"
_ABOUT = {"target": "a sound", "result": "what was found near it"}
_WAIT_SECONDS = 0.5


def listen(app: App, corpus: Corpus, trial: Trial, who: str, player: Player | None) -> None:
    """Ask what was not answered yet, until the listener stops; sounds are named where nothing plays them."""
    from engine.trial.listening import questions

    answers = corpus.trials.answers(trial)
    asked = questions(corpus, trial)
    place = next(place for place, one in enumerate(asked) if (one.number, one.part) not in answers)
    app.say(_HELP)
    hearing = Hearing(corpus, player, None, app.warn)
    with contextlib.closing(hearing), keys_from(sys.stdin) as keys:
        while place < len(asked):
            question = asked[place]
            sound, *upcoming = corpus.sounds.many(one.sound_id for one in asked[place : place + 2])
            hearing.keep(sound, *upcoming)
            title = f"{place // 2 + 1} of {len(asked) // 2}: {_ABOUT[question.part]}"
            key = _key(app, keys, hearing, sound, title)
            if key in STOP:
                return
            if key == _BACK:
                place = max(place - 1, 0)
                continue
            corpus.trials.answer(trial, question.number, question.part, _LABELS[key], who=who)
            app.say(f"  {_LABELS[key]}")
            place += 1


def _key(app: App, keys: Keys, hearing: Hearing, sound: Sound, title: str) -> str:
    """Play a sound until there is a key that answers, goes back or stops."""
    while True:
        try:
            hearing.play(None)
            hearing.play(hearing.clip(sound))
        except CorpusError as error:
            app.warn(str(error))
        keys.drop()  # pressed before this sound
        words = title if hearing.plays else f"{title}: {sound.name}"
        app.say(words)
        key = _next(app, keys, words)
        if key not in _AGAIN:
            return key


def _next(app: App, keys: Keys, words: str) -> str:
    """The next key that means something here."""
    while True:
        key = keys.key(_WAIT_SECONDS)
        if keys.resumed:
            keys.resumed = False
            app.say(words)
        if key in (*_LABELS, *_AGAIN, _BACK, *STOP):
            return key
        if key:
            app.say(_HELP if key == _KEYS else unknown(key))
