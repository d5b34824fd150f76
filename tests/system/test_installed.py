"""What is installed runs by itself: away from the source tree, for a user who has nothing yet.

The installation is setuptools' own, as a wheel holds it; ``scripts/try_wheel.sh`` tries the wheel
with pipx and uv.
"""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pytest

from vm_ari.adapters.asterisk.install import AsteriskInstall, default_cache

ROOT = Path(__file__).parents[2]
AT_MOST = 300.0


def run(*command: str | Path, cwd: Path, **more: str) -> str:
    """What it says; a command that fails, fails the test."""
    surroundings: Mapping[str, str] = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **more}
    done = subprocess.run(
        [str(one) for one in command],
        cwd=cwd,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=AT_MOST,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    return done.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the program, and with the libraries of this one."""
    place = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", place / "venv", cwd=place)
    tag = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    packages = place / "venv" / "lib" / tag / "site-packages"
    setup = (sys.executable, "setup.py", "--quiet")
    run(*setup, "build_py", "--build-lib", packages, cwd=ROOT)
    run(*setup, "install_data", "--install-dir", place / "venv", cwd=ROOT)
    run(*setup, "install_egg_info", "--install-dir", packages, cwd=ROOT)
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return place


@pytest.mark.usefixtures("asterisk_install")
def test_it_starts_and_serves_in_a_home_that_is_empty(
    home: Path, asterisk_install: AsteriskInstall
) -> None:
    assert asterisk_install.version
    python, cache = home / "venv" / "bin" / "python", default_cache().parent
    nobody = {"HOME": str(home / "nobody"), "XDG_CACHE_HOME": str(cache)}
    where = run(python, "-c", "import vm_ari; print(vm_ari.__file__)", cwd=home, **nobody)
    assert Path(where.strip()).is_relative_to(home)
    told = run(python, "-m", "vm_ari", "--version", cwd=home, **nobody)
    assert version("vm-ari") in told
    said = run(python, "-m", "vm_ari", "demo", "--no-story", cwd=home, **nobody)
    assert "the controller are up" in said
    for name in ("share/man/man1/vm-ari.1", "share/vm-ari/packaging/systemd/vm-ari.service"):
        assert (home / "venv" / name).is_file()
