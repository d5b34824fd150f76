"""What the libraries do works where no memory may be made executable, as in the shipped unit.

A library that is called back by C makes such memory (libffi), and fails there: in the middle of a
call, or of somebody's fax. The kernel's own switch is used, prctl(2) PR_SET_MDWE.
"""

import ctypes
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from reportlab.pdfgen.canvas import Canvas

from tests.patience import AT_MOST
from vm_ari.adapters.audio import write_wav

SET, GET = 65, 66
STRICT = """
import ctypes, sys
from pathlib import Path
if ctypes.CDLL(None, use_errno=True).prctl({set}, 1, 0, 0, 0):
    sys.exit("this kernel cannot")
from vm_ari.adapters.attachments import decode
from vm_ari.adapters.audio import AudioFormat, encode
work = Path(sys.argv[1])
for kind in AudioFormat:
    again = decode(encode(work / "tone.wav", kind), work / kind.name)
    print(kind.name, again.stat().st_size > 8000)
from vm_ari.adapters.confinement import confine
confine()
from vm_ari.adapters.fax_pages import images
with (work / "fax.pdf").open("rb") as fax:
    print("PDF", [page is not None for page in images(fax)])
"""
"""The fax is read as its worker reads it, which may not write files either."""


def test_audio_and_faxes_are_read_and_written_without_executable_memory(tmp_path: Path) -> None:
    if ctypes.CDLL(None).prctl(GET, 0, 0, 0, 0) < 0:
        pytest.skip("this kernel knows no PR_SET_MDWE (Linux 6.3)")
    write_wav(tmp_path / "tone.wav", np.sin(np.arange(16_000) / 5) / 3, 8000)
    page = Canvas(str(tmp_path / "fax.pdf"))
    page.drawString(100, 700, "A fax")
    page.save()
    script = STRICT.format(set=SET)
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=AT_MOST,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *formats, fax = done.stdout.splitlines()
    assert len(formats) >= 4
    assert all(line.endswith("True") for line in formats), formats
    assert fax == "PDF [True]"
