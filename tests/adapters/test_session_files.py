"""What sessions take out of mailboxes goes with them, also when their process is killed."""

import subprocess
import sys
from pathlib import Path

from vm_ari.adapters.session_files import SessionFiles, sweep_up

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
