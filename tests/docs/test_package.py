"""What is installed is what is in the source tree: setuptools itself is asked."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = (
    *("sounds", "templates", "asterisk-conf", "mail-conf", "schema"),
    *("packaging/systemd", "packaging/monitoring"),
)


def installed(project: Path, target: Path) -> set[Path]:
    """What an installation of this source tree would write, as paths below *target*."""
    setup = [sys.executable, "setup.py", "--quiet"]
    commands = (
        [*setup, "install_data", "--install-dir", str(target)],
        [*setup, "build_py", "--build-lib", str(target)],
    )
    for command in commands:
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return {path.relative_to(target) for path in target.rglob("*") if path.is_file()}


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_every_sound_template_and_include_file_is_installed(tmp_path: Path) -> None:
    wanted = {
        Path("share/vm-ari") / file.relative_to(ROOT)
        for folder in DATA
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and not file.name.startswith(".")
    }
    missing = sorted(str(file) for file in wanted - installed(ROOT, tmp_path))
    assert not missing, f"setup.py does not install {missing[:5]}"


def test_every_module_and_key_map_is_installed(tmp_path: Path) -> None:
    wanted = {
        file.relative_to(ROOT)
        for pattern in ("*.py", "py.typed", "*.toml")
        for file in (ROOT / "vm_ari").rglob(pattern)
    }
    missing = sorted(str(file) for file in wanted - installed(ROOT, tmp_path))
    assert not missing, f"setup.cfg does not install {missing[:5]}: is there an __init__.py?"


def test_a_language_that_somebody_adds_is_installed_without_a_line_in_any_list(
    tmp_path: Path,
) -> None:
    project = tmp_path / "project"
    for name in ("setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        (project / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, project / name)
    write(project / "vm_ari/__init__.py", "")
    write(project / "vm_ari/speech/__init__.py", "")
    added = [
        *("vm_ari/speech/example.py", "sounds/xs/texts.csv", "sounds/xs/digits/new/1.wav"),
        "templates/voice-message/xs/subject.txt",
    ]
    for name in added:
        write(project / name, "example")
    there = installed(project, tmp_path / "installed")
    assert {Path(added[0]), *(Path("share/vm-ari") / name for name in added[1:])} <= there
