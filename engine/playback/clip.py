"""A sound held in memory, ready to be mixed.

Conventions: audio is float32 of shape (frames, 2), full scale at +-1.0; loudness is integrated loudness in
LUFS (ITU-R BS.1770); rates are in Hz. soundfile, soxr and pedalboard load only inside the functions that need them,
so that the audio process does not load what it never uses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.errors import EngineError

TARGET_LUFS = -23.0  # EBU R 128's programme loudness
MOST_BOOST_DB = 20.0  # past this one hears the noise floor of a quiet recording, not the sound
MOST_SEMITONES = 36.0  # three octaves: past that little is left of a sound
SHIFT_MARGIN = 4096  # frames of silence after what is shifted: it gives nothing for a sound shorter than its window

Key = int | tuple[int, float]
"""What tells clips apart in an instrument: a sound's id, or with it by how many semitones it was shifted."""


@dataclass(frozen=True, eq=False)
class Clip:
    """A sound in memory.

    Parameters
    ----------
    id : int
        The sound's id in the corpus.
    frames : ndarray of float32, shape (n, 2)
        Left and right, finite.
    rate : int
        Frames a second, in Hz.
    gain : float
        Linear factor that brings the sound to the common loudness. The mixer applies it: `frames` stay as
        they were decoded.
    name : str
        For messages and progress.
    semitones : float
        By how much the pitch of `frames` was shifted.
    """

    id: int
    frames: npt.NDArray[np.float32]
    rate: int
    gain: float
    name: str
    semitones: float = 0.0

    @property
    def key(self) -> Key:
        """What an instrument knows it by: the sound's id, with the shift where there is one."""
        return clip_key(self.id, self.semitones)

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return len(self.frames) / self.rate


def clip_key(id: int, semitones: float = 0.0) -> Key:
    """The key of a sound at a shift of its pitch."""
    return (id, semitones) if semitones else id


def load_clip(
    path: str | Path,
    *,
    id: int,
    name: str,
    loudness: float | None,
    rate: int,
    target: float = TARGET_LUFS,
) -> Clip:
    """Decode a file with libsndfile and make a clip of it.

    Parameters
    ----------
    path : str or Path
        A file that libsndfile decodes.
    id, name, loudness, rate, target
        As in `clip_from_array`.

    Raises
    ------
    EngineError
        If the file cannot be decoded. `clip_from_array` takes what another decoder made of it.
    """
    import soundfile

    try:
        frames, found = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, MemoryError, ValueError) as error:
        words = getattr(error, "error_string", str(error)).strip(" .") or type(error).__name__
        raise EngineError(f"cannot decode {path}: {words}; choose another sound") from error
    return clip_from_array(frames, found, id=id, name=name, loudness=loudness, rate=rate, target=target)


def clip_from_array(
    frames: npt.NDArray[np.floating],
    rate_in: int,
    *,
    id: int,
    name: str,
    loudness: float | None,
    rate: int,
    target: float = TARGET_LUFS,
) -> Clip:
    """Make a clip of decoded audio: to two channels, to the mixer's rate, with its gain.

    Parameters
    ----------
    frames : ndarray, shape (n,) or (n, channels)
        Decoded audio. One channel goes to both sides; more than two are averaged to both sides. NaN and
        infinity become silence.
    rate_in : int
        The rate of `frames`, in Hz.
    id, name : int, str
        Kept in the clip.
    loudness : float or None
        Integrated loudness in LUFS; None where it was not measured or the sound is silent.
    rate : int
        The mixer's rate, in Hz. Other rates are resampled with soxr's HQ recipe.
    target : float
        The common loudness, in LUFS.
    """
    stereo = _two_channels(np.asarray(frames, dtype=np.float32))
    stereo = np.nan_to_num(stereo, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    if rate_in != rate and len(stereo):
        import soxr

        stereo = soxr.resample(stereo, rate_in, rate, quality="HQ")
    gain = gain_towards(target, loudness)
    return Clip(id=id, frames=np.ascontiguousarray(stereo, dtype=np.float32), rate=rate, gain=gain, name=name)


def shift_pitch(clip: Clip, semitones: float) -> Clip:
    """Return a clip of another pitch and the same duration, aligned with it in time.

    Parameters
    ----------
    clip : Clip
        Not shifted yet.
    semitones : float
        From -36 to 36.

    Raises
    ------
    EngineError
        If `semitones` is not a number in that range.
    """
    if not (math.isfinite(semitones) and abs(semitones) <= MOST_SEMITONES):
        raise EngineError(
            f"cannot shift by {semitones} semitones: give a number from {-MOST_SEMITONES:g} to {MOST_SEMITONES:g}"
        )
    if not semitones or not len(clip.frames):
        return replace(clip, semitones=semitones)
    import pedalboard

    # its stretcher, not its effect PitchShift: of a tone at 500 Hz that makes -12.6 semitones of -12, 12 ms late;
    # formants are not kept, since that takes 20 dB off a tone
    shifted = pedalboard.time_stretch(
        np.pad(clip.frames, ((0, SHIFT_MARGIN), (0, 0))).T,
        clip.rate,
        pitch_shift_in_semitones=semitones,
        preserve_formants=False,
    )
    frames = np.ascontiguousarray(shifted.T[: len(clip.frames)], dtype=np.float32)
    return replace(clip, frames=frames, semitones=semitones)


def gain_towards(target: float, loudness: float | None) -> float:
    """Return the linear gain that brings `loudness` (LUFS) to `target` (LUFS), at most +20 dB; 1 without a loudness."""
    if loudness is None or not math.isfinite(loudness):
        return 1.0
    return float(10.0 ** (min(target - loudness, MOST_BOOST_DB) / 20.0))


def _two_channels(frames: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    if frames.ndim == 1:
        frames = frames[:, np.newaxis]
    if frames.shape[1] == 2:
        return np.array(frames)  # the caller keeps its own
    mono = frames.mean(axis=1, dtype=np.float32)
    return np.column_stack([mono, mono])
