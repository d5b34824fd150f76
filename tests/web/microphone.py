"""A browser whose microphone hears a tone, and a user who records it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import Browser

from tests.web.browsers import Window, chromium

SECONDS = 1.6
RATE = 48_000


@contextmanager
def chromium_hearing(directory: Path, hz: int) -> Iterator[Browser]:
    """It may use that microphone without asking."""
    file = directory / "microphone.wav"
    times = np.arange(10 * RATE) / RATE
    soundfile.write(file, 0.3 * np.sin(2 * np.pi * hz * times), RATE)
    heard = f"--use-file-for-fake-audio-capture={file}"
    with chromium("--use-fake-ui-for-media-stream", heard) as browser:
        yield browser


def signs_in(opened: Window, user_id: str, password: str) -> None:
    """By the form."""
    opened.goes("/sign-in")
    opened.page.fill("#name", user_id)
    opened.page.fill("#password", password)
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_url("**/me/overview")


def records(opened: Window, path: str) -> None:
    """Some of the tone becomes the greeting of that page; keys are enough."""
    page, keys = opened.page, opened.page.keyboard
    opened.goes(path)
    page.focus("#record")
    keys.press("Enter")
    page.wait_for_selector("#stop:not([disabled])")
    opened.waits_until("document.getElementById('level').value > 0.1")
    time.sleep(SECONDS)
    keys.press("Enter")  # the key to stop has the focus
    page.wait_for_selector("#preview:not([hidden])")
    opened.waits_until("document.activeElement.id == 'keep'")
    opened.waits_until("document.getElementById('preview').duration > 1")
    keys.press("Enter")
    page.wait_for_selector(".said")
