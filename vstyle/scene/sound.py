"""The sound of a film: slow chords, plucked notes, and the wind and the water under them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vstyle.scene.film import Scene
from vstyle.scene.noise import dice

Wave = NDArray[np.float64]

# Chords as semitones above the key, each held for BAR seconds: I, vi, IV, V with added tones.
CHORDS = ((0, 7, 12, 16, 19), (-3, 4, 9, 12, 16), (-7, 0, 5, 9, 16), (-5, 2, 7, 11, 14))
PENTATONIC = (12, 14, 16, 19, 21, 24, 26, 28)  # any of these sounds well over any of those
BAR = 3.2
BEAT = BAR / 8


def sound(scene: Scene, rate: int = 48000) -> NDArray[np.int16]:
    """Return the film's sound as (samples, 2) stereo at `rate` samples a second.

    It is as long as the film, to the sample, and the same every time.
    """
    count = round(scene.seconds * rate)
    random = dice(scene.seed, "sound")
    key = 146.83 * 2 ** (int(random.integers(-3, 4) if scene.seed else 0) / 12)  # Hz; about D
    time = np.arange(count) / rate
    mix = np.zeros((count, 2))
    _pad(mix, time, key, rate)
    _plucks(mix, key, rate, random)
    mix += _air(count, rate, random)
    # In and out softly, so that a film in a loop does not click.
    ends = np.minimum(time, time[::-1])
    mix *= np.clip(ends / 0.25, 0, 1)[:, None] ** 1.5
    loudest = max(float(np.abs(mix).max(initial=0.0)), 1e-9)
    return np.asarray(np.rint(mix / loudest * 0.55 * 32767), np.int16)


def _pad(mix: Wave, time: Wave, key: float, rate: int) -> None:
    """Add chords that swell and fade into one another, in place."""
    for number in range(int(np.ceil(len(time) / rate / BAR))):
        chord = CHORDS[number % len(CHORDS)]
        since = time - number * BAR
        swell = np.clip((since + 0.5) / 0.9, 0, 1) * np.clip((BAR + 0.6 - since) / 1.1, 0, 1)
        heard = swell > 0
        for voice, semitones in enumerate(chord):
            pitch = key * 2 ** (semitones / 12)
            side = 0.5 + 0.35 * np.sin(2.1 * voice)
            for detune, share in ((1.0015, side), (0.9985, 1 - side)):
                phase = 2 * np.pi * pitch * detune * time[heard] + voice
                tone = np.sin(phase) + 0.28 * np.sin(2 * phase) + 0.09 * np.sin(3 * phase)
                tone *= swell[heard] ** 2 * (0.085 / (1 + 0.12 * voice))
                mix[heard, 0] += tone * (1 - share)
                mix[heard, 1] += tone * share


def _plucks(mix: Wave, key: float, rate: int, random: np.random.Generator) -> None:
    """Add single notes as of a small harp, in place."""
    length = int(1.8 * rate)
    time = np.arange(length) / rate
    step = 3
    for beat in range(int(len(mix) / rate / BEAT)):
        step = int(np.clip(step + random.integers(-2, 3), 0, len(PENTATONIC) - 1))
        strength, side = float(random.uniform(0.5, 1.0)), float(random.uniform(0.25, 0.75))
        if random.random() < 0.30:
            continue
        pitch = key * 2 ** (PENTATONIC[step] / 12)
        tone = sum(
            np.sin(2 * np.pi * pitch * order * time)
            * np.exp(-time * (2.2 + 1.6 * order))
            / order**1.4
            for order in range(1, 6)
        )
        attack = np.clip(time / 0.004, 0, 1)
        note = 0.15 * strength * attack * tone
        start = int((beat * BEAT + 0.05) * rate)
        # The note, and two softer echoes of it across the bay.
        for delay, loud, turn in ((0.0, 1.0, side), (0.33, 0.32, 1 - side), (0.66, 0.12, side)):
            begin = start + int(delay * rate)
            part = mix[begin : begin + length]
            part += loud * note[: len(part), None] * (1 - turn, turn)


def _air(count: int, rate: int, random: np.random.Generator) -> Wave:
    """Return wind and small waves: noise shaped over frequency, breathing slowly."""
    time = np.arange(count)[:, None] / rate
    noise = np.fft.rfft(random.standard_normal((max(count, 1), 2)), axis=0)
    pitch = np.fft.rfftfreq(max(count, 1), 1 / rate)[:, None]
    wind = np.exp(-(((np.log(pitch + 1) - np.log(320)) / 0.75) ** 2))
    water = np.exp(-(((np.log(pitch + 1) - np.log(1500)) / 0.7) ** 2)) * 0.5
    side = np.array([0.0, 0.6])
    breath = 0.6 + 0.4 * np.sin(2 * np.pi * time / 5.3 + side)
    lap = np.clip(np.sin(2 * np.pi * time / 2.3 + side), 0, 1) ** 2 + 0.15
    loudness = 0.012
    parts = np.zeros((max(count, 1), 2))
    for shape, swell in ((wind, breath), (water, lap)):
        part = np.fft.irfft(noise * shape, n=max(count, 1), axis=0)
        parts += loudness * part / max(float(part.std()), 1e-9) * np.resize(swell, parts.shape)
    return parts[:count]
