"""One page through the recogniser; runs in the confined worker, whose limits it inherits."""

import io
import os
import subprocess

from PIL import Image

PAGE_SECONDS = 40.0
"""A page of a letter takes less than one."""
DPI = "204"


def recognised(page: Image.Image, languages: str) -> str | None:
    """Its text; None where the recogniser failed. *languages*: such as ``deu+eng``."""
    pixels = io.BytesIO()
    page.save(pixels, "PPM")
    command = ["tesseract", "stdin", "stdout", "-l", languages, "--dpi", DPI]
    try:
        done = subprocess.run(
            [*command, "-c", "page_separator="],
            input=pixels.getvalue(),
            capture_output=True,
            check=True,
            timeout=PAGE_SECONDS,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )
    except (subprocess.SubprocessError, OSError):
        return None
    return done.stdout.decode(errors="replace")
