"""Finding an Asterisk, fetching one where there is none, and saying why neither is possible."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from vm_ari.adapters.asterisk.install import (
    AsteriskInstall,
    find_or_fetch,
    system_install,
    unpacked_install,
)
from vm_ari.adapters.asterisk.unavailable import AsteriskUnavailable

NOBODY = "http://127.0.0.1:9/debian"  # the discard port: refused at once
TWO_AT_ONCE = """
import sys
from pathlib import Path
from vm_ari.adapters.asterisk.install import find_or_fetch
install = find_or_fetch(Path(sys.argv[1]), lambda line: print("report:", line))
print("version:", install.version)
print("command:", *install.command)
"""


@pytest.fixture(scope="module")
def install() -> AsteriskInstall:
    try:
        return find_or_fetch()
    except AsteriskUnavailable as unavailable:
        pytest.skip(str(unavailable))


@pytest.fixture
def nothing_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """No root is named and no Asterisk is on the PATH (Debian's is in /usr/sbin)."""
    monkeypatch.delenv("VM_ARI_ASTERISK_ROOT", raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")


def prefix_of(tmp_path: Path, script: str, install: AsteriskInstall) -> Path:
    """A /usr of our own, whose sbin/asterisk is *script*, with the real modules and data."""
    (tmp_path / "sbin").mkdir()
    binary = tmp_path / "sbin/asterisk"
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(0o755)
    (tmp_path / "lib/asterisk").mkdir(parents=True)
    (tmp_path / "lib/asterisk/modules").symlink_to(install.modules)
    (tmp_path / "share").mkdir()
    (tmp_path / "share/asterisk").symlink_to(install.data)
    return binary


def running(install: AsteriskInstall) -> str:
    variables = " ".join(f"{name}='{value}'" for name, value in install.environment)
    return f'exec env {variables} {" ".join(install.command)} "$@"'


def test_an_installed_asterisk_is_used(
    install: AsteriskInstall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = prefix_of(tmp_path, running(install), install)
    monkeypatch.delenv("VM_ARI_ASTERISK_ROOT", raising=False)
    monkeypatch.setenv("PATH", f"{binary.parent}:/usr/bin:/bin")
    found = find_or_fetch(tmp_path / "cache")
    assert found.command == (str(binary),)
    assert (found.version, found.release) == (install.version, install.release)
    assert found.modules.samefile(install.modules)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo Asterisk 16.28.0", "older than 18"),
        ("echo 'liblua5.1.so.0: cannot open' >&2; exit 127", "liblua5.1.so.0"),
        ("exec /does/not/exist", "does not run"),
    ],
)
def test_an_unusable_asterisk_is_named_and_passed_over(
    script: str,
    why: str,
    install: AsteriskInstall,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    binary = prefix_of(tmp_path, script, install)
    with pytest.raises(AsteriskUnavailable, match=why):
        system_install(binary)
    monkeypatch.delenv("VM_ARI_ASTERISK_ROOT", raising=False)
    monkeypatch.setenv("PATH", f"{binary.parent}:/usr/bin:/bin")
    monkeypatch.setenv("DEBIAN_MIRROR", NOBODY)
    reports: list[str] = []
    with pytest.raises(AsteriskUnavailable):
        find_or_fetch(tmp_path / "cache", reports.append)
    assert reports[0].startswith(f"{binary} is not used: ")


def test_an_asterisk_without_ari_is_not_usable(install: AsteriskInstall, tmp_path: Path) -> None:
    binary = prefix_of(tmp_path, running(install), install)
    modules = tmp_path / "lib/asterisk/modules"
    modules.unlink()
    modules.mkdir()
    (modules / "chan_pjsip.so").touch()
    with pytest.raises(AsteriskUnavailable, match=r"lacks res_ari\.so"):
        system_install(binary)


def test_a_named_root_is_taken_or_refused_and_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VM_ARI_ASTERISK_ROOT", str(tmp_path))
    with pytest.raises(AsteriskUnavailable, match=r"VM_ARI_ASTERISK_ROOT: .*no complete unpacked"):
        find_or_fetch(tmp_path / "cache")


@pytest.mark.usefixtures("nothing_found")
def test_a_mirror_that_is_away_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBIAN_MIRROR", NOBODY)
    with pytest.raises(AsteriskUnavailable, match=r"package list .* could not be read.*127\.0"):
        find_or_fetch(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["asterisk.lock"]


def test_without_apt_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VM_ARI_ASTERISK_ROOT", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AsteriskUnavailable, match=r"no apt-get and no dpkg-deb.*Install Asterisk"):
        find_or_fetch(tmp_path)


@pytest.mark.usefixtures("nothing_found")
def test_another_distribution_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEBIAN_MIRROR", raising=False)
    other = {"ID": "ubuntu", "PRETTY_NAME": "Ubuntu 26.04 LTS"}
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: other)
    with pytest.raises(AsteriskUnavailable, match=r"Ubuntu 26\.04 LTS.*DEBIAN_MIRROR"):
        find_or_fetch(tmp_path)


@pytest.mark.usefixtures("nothing_found")
def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AsteriskUnavailable, match=r"the cache .* cannot be used"):
        find_or_fetch(tmp_path / "file" / "cache")


@pytest.mark.slow
def test_two_at_once_fetch_one_asterisk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEBIAN_MIRROR", raising=False)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "VM_ARI_ASTERISK_ROOT"},
        "PATH": "/usr/bin:/bin",
    }
    command = [sys.executable, "-c", TWO_AT_ONCE, str(tmp_path)]
    both = [
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(2)
    ]
    outputs, errors = zip(*(process.communicate() for process in both), strict=True)
    if any("could not be read" in error for error in errors):
        pytest.skip(f"no Debian mirror can be reached: {errors}")
    assert [process.returncode for process in both] == [0, 0], errors
    assert sorted("report: unpacking" in output for output in outputs) == [False, True]
    assert len({output[output.index("version:") :] for output in outputs}) == 1
    roots = sorted(path.name for path in tmp_path.iterdir())
    assert len(roots) == 2
    assert roots[1] == "asterisk.lock" or roots[0] == "asterisk.lock"
    monkeypatch.setenv("DEBIAN_MIRROR", NOBODY)  # from now on the cache must do
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("VM_ARI_ASTERISK_ROOT", raising=False)
    cached = find_or_fetch(tmp_path)
    assert cached == unpacked_install(next(tmp_path.glob("asterisk-*")))
