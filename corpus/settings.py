"""Settings: flags before environment (`MIRLA_*`) before `<home>/mirla.toml` before defaults."""

from __future__ import annotations

import os
import shlex
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from corpus.errors import HomeError, SettingsError

FILE_NAME = "mirla.toml"
_KEYS = ("database", "device", "freesound_url", "freesound_per_minute", "freesound_per_day")
_TOKEN = "freesound_token"
_OTHERS = 0o077


@dataclass(frozen=True)
class Settings:
    """Where the corpus lives and how it is reached.

    Attributes
    ----------
    home : Path
        Folder with the database, the audio and the caches.
    database : str or Path
        SQLAlchemy URL of the store, or the path of its SQLite file.
    device : str or None
        Sound device to play on, by name or number; None is the system's default.
    freesound_url : str
        Base of the API.
    freesound_per_minute, freesound_per_day : int
        Requests that may be made in any minute and any day; Freesound itself allows 60 and 2000.
    freesound_token : str
        The API key, from `FREESOUND_TOKEN` or a settings file that only its owner can read; "" if there is none.
    """

    home: Path
    database: str | Path
    device: str | None = None
    freesound_url: str = "https://freesound.org/apiv2"
    freesound_per_minute: int = 55
    freesound_per_day: int = 1900
    freesound_token: str = field(default="", repr=False)

    @classmethod
    def load(cls, home: str | Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
        """Gather the settings for `home` (else `MIRLA_HOME`, else the platform's folder for user data).

        Raises
        ------
        HomeError
            The home is below `~user` and there is no such user.
        SettingsError
            `mirla.toml` is not TOML, or holds a key that is not a setting.
        """
        folder = Path(home or environ.get("MIRLA_HOME") or _default_home())
        try:
            folder = folder.expanduser().absolute()
        except RuntimeError as error:
            raise HomeError(f"{folder}: no such user; choose another home with --home or MIRLA_HOME") from error
        values = _read(folder / FILE_NAME)
        for key in _KEYS:
            if value := environ.get(f"MIRLA_{key.upper()}"):
                values[key] = value
        return cls(
            home=folder,
            database=values.get("database") or folder / "corpus.sqlite",
            device=values.get("device"),
            freesound_url=values.get("freesound_url", cls.freesound_url),
            freesound_per_minute=_count(values, "freesound_per_minute", cls.freesound_per_minute),
            freesound_per_day=_count(values, "freesound_per_day", cls.freesound_per_day),
            freesound_token=environ.get("FREESOUND_TOKEN", "").strip() or values.get(_TOKEN, ""),
        )


def _default_home() -> Path:
    import platformdirs

    return platformdirs.user_data_path("mirla", appauthor=False)


def _count(values: Mapping[str, str], key: str, default: int) -> int:
    text = values.get(key, str(default))
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise SettingsError(f"MIRLA_{key.upper()}: {text!r} is not a number of requests; give one from 1 up")
    return int(text)


def _read(file: Path) -> dict[str, str]:
    if not os.access(file.parent, os.R_OK | os.X_OK):  # no home yet, or one that the database will not open in
        return {}
    try:
        content = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from error
    try:
        values = tomllib.loads(content)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{file} is not TOML: {error}; mend that line or move the file away") from error
    for key, value in values.items():
        if key == _TOKEN:
            _check_private(file)
        elif key not in _KEYS:
            raise SettingsError(f"{file} has an unknown setting {key!r}; known are {', '.join(_KEYS)}")
        if not isinstance(value, str | int):
            shown = "…" if key == _TOKEN else repr(value)
            raise SettingsError(f"{file}: {key} = {shown} is not a text; put it in quotes")
    return {key: str(value) for key, value in values.items()}


def _check_private(file: Path) -> None:
    if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & _OTHERS:
        raise SettingsError(f"{file} holds {_TOKEN} and others may read it; `chmod 600 {shlex.quote(str(file))}`")
