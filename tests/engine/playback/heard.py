"""What a mixer plays, as numbers."""

from __future__ import annotations

import numpy as np

RATE = 44100
FADE = 441


def play(mixer, count, size=256):
    """The next frames as they were mixed: without the limiter's delay. Uses up `latency` frames more."""
    total = count + mixer.latency
    blocks = [mixer.render(min(size, total - i)) for i in range(0, total, size)]
    return np.concatenate(blocks)[mixer.latency :]


def sine(freq, count, level=0.5):
    return level * np.sin(2 * np.pi * freq * np.arange(count) / RATE)


def noise(seed, length, level=0.1):
    return level * np.random.default_rng(seed).uniform(-1, 1, (length, 2))


def spectrum(audio):
    """Frequencies in Hz and levels in dB of full scale, Hann window, one channel."""
    window = np.hanning(len(audio))
    levels = 2 * np.abs(np.fft.rfft(audio * window)) / window.sum()
    return np.fft.rfftfreq(len(audio), 1 / RATE), 20 * np.log10(levels + 1e-12)


def strongest(audio):
    freqs, levels = spectrum(audio)
    return freqs[levels.argmax()], levels.max()


def level_at(audio, freq):
    """The level in dB of full scale within 10 Hz."""
    freqs, levels = spectrum(audio)
    return levels[np.abs(freqs - freq) < 10].max()


def largest_step(audio):
    return np.abs(np.diff(audio, axis=0)).max()


def rms_db(audio):
    return 10 * np.log10(np.mean(np.square(audio)) + 1e-20)
