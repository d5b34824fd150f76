"""A message whose every quarter of a second can be told by its tone, and where a listener was."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

import numpy as np
import soundfile

from vm_ari.adapters.ear import RATE, Audio
from vm_ari.demo.world import Person, World

MARK = 0.25
"""Seconds of each tone."""
LOWEST, STEP = 400, 35
"""Hz: of the first tone, and between two."""
WINDOW = 0.05
LONGEST_GAP = 0.3
"""Seconds without a tone that are no pause: a stalled machine."""


@dataclass
class Stretch:
    """Part of the message as it was heard without a jump or a pause."""

    begin: float
    """Second of the message at which it began."""
    end: float
    heard_from: float
    """Second of the call."""
    heard_to: float

    @property
    def speed(self) -> float:
        """Seconds of the message in one of the call."""
        return (self.end - self.begin) / (self.heard_to - self.heard_from)


def put(world: World, person: Person, seconds: float, rate: int, number: int = 1) -> None:
    """It lies in that person's mailbox, as if a mail server had brought it; one per *number*."""
    audio = io.BytesIO()
    soundfile.write(audio, _marks(seconds, rate), rate, format="WAV", subtype="PCM_16")
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "Carla <carla@demo.example>", "Voice message"
    mail["Date"], mail["Message-Context"] = format_datetime(datetime.now(UTC)), "voice-message"
    mail.add_attachment(audio.getvalue(), maintype="audio", subtype="x-wav", filename="voice.wav")
    folder, name = world.mail_directory(person), f"{1774745970 + number}.M{number}P1.host"
    for part in ("tmp", "new", "cur"):
        (folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "tmp" / name).write_bytes(mail.as_bytes())
    (folder / "tmp" / name).rename(folder / "new" / name)


def position(heard: Audio) -> float | None:
    """Which second of the message is heard just now; None if something else is."""
    tones = list(_tones(heard[-2 * round(WINDOW * RATE) :]))
    return tones[-1][1] if tones else None


def stretches(heard: Audio) -> list[Stretch]:
    """What was heard of the message during a call; less than three tones in a row do not count."""
    found: list[Stretch] = []
    for time, place in _tones(heard):
        last = found[-1] if found else None
        if last and time - last.heard_to < LONGEST_GAP and 0 <= place - last.end <= 2 * MARK:
            last.end, last.heard_to = place, time
        else:
            found.append(Stretch(place, place, time, time))
    return [one for one in found if one.end - one.begin >= 2 * MARK]


def _marks(seconds: float, rate: int) -> Audio:
    times = np.arange(round(MARK * rate)) / rate
    tones = [
        0.3 * np.sin(2 * np.pi * (LOWEST + STEP * mark) * times)
        for mark in range(round(seconds / MARK))
    ]
    return np.concatenate(tones).astype(np.float32)


def _tones(heard: Audio) -> Iterator[tuple[float, float]]:
    """Time in the call and second of the message of each window that holds one clear tone."""
    width = round(WINDOW * RATE)
    for begin in range(0, len(heard) - width + 1, width // 2):
        spectrum = np.abs(np.fft.rfft(heard[begin : begin + width] * np.hanning(width), RATE)) ** 2
        peak = int(spectrum.argmax())
        near = spectrum[max(peak - 60, 0) : peak + 61].sum()
        mark = (peak - LOWEST) / STEP
        clear = spectrum.sum() > 1.0 and near / spectrum.sum() > 0.9 and peak >= LOWEST - STEP / 2
        if clear and abs(mark - round(mark)) < 0.35:
            yield begin / RATE, round(mark) * MARK
