"""What sessions take out of mailboxes goes with them, also when their process is killed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vm_ari.adapters.audio import write_wav
from vm_ari.adapters.session_files import SessionFiles, sweep_up

ASTERISKS = 54_321
"""A group that is none of ours."""
OTHER = """
import sys, time
from pathlib import Path
from vm_ari.adapters.session_files import SessionFiles
files = SessionFiles(Path(sys.argv[1]))
files.write(files.place("mail"), [b"a secret"])
print("written", flush=True)
time.sleep(600)
"""


def test_what_a_killed_process_left_is_removed_and_what_others_use_stays(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, str(tmp_path)], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"written\n"
        ours = SessionFiles(tmp_path)
        mail = ours.place("mail")
        ours.write(mail, [b"another secret"])
        assert sweep_up(tmp_path) == 0
        assert len(list(tmp_path.glob("*/*/mail"))) + len(list(tmp_path.glob("*/mail"))) == 2
        other.kill()
        other.wait()
        assert sweep_up(tmp_path) == 1
    assert mail.read_bytes() == b"another secret"
    ours.clean_up()
    assert list(tmp_path.iterdir()) == []


def test_only_directories_of_sessions_are_swept_up(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mail").touch()
    (tmp_path / "vm-ari-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "others").mkdir()
    assert sweep_up(tmp_path) == 0
    assert (tmp_path / "elsewhere" / "mail").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"elsewhere", "others", "vm-ari-link"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to a strange group")
def test_audio_belongs_to_the_group_of_the_directory_so_that_asterisk_can_play_it(
    tmp_path: Path,
) -> None:
    os.chown(tmp_path, -1, ASTERISKS)
    tmp_path.chmod(0o2750)
    files, tone = SessionFiles(tmp_path), tmp_path / "tone.wav"
    write_wav(tone, np.sin(np.arange(8000) / 5) / 3, 8000)
    audio = files.add(tone.read_bytes(), "a message")
    assert audio.stat().st_gid == ASTERISKS
    assert audio.stat().st_mode & 0o040
    for directory in (audio.parent, audio.parent.parent):
        assert directory.stat().st_gid == ASTERISKS
        assert directory.stat().st_mode & 0o050 == 0o050
