"""Asterisk's app_voicemail with IMAP storage, built for the Asterisk that the benchmarks use.

Debian has had no package of it since 2021, as the library that it needs (c-client) is without a
maintainer; Debian 12 still has that library. So the module is compiled from Debian's source of the
very Asterisk that runs here, in some seconds and once, and laid beside the other modules in the
place of the one that stores files: one program registers ``VoiceMail`` only once.
"""

import dataclasses
import fcntl
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from vm_ari.adapters.asterisk import debian
from vm_ari.adapters.asterisk.install import AsteriskInstall, default_cache
from vm_ari.adapters.asterisk.unavailable import AsteriskUnavailable

MODULE = "app_voicemail"
LIBRARY = ("libc-client2007e", "libc-client2007e-dev")
_SOURCE = f"apps/{MODULE}.c"
_FLAGS = (
    *("-shared", "-fPIC", "-O2", "-g0", "-w", "-D_GNU_SOURCE", "-D_REENTRANT"),
    *("-DIMAP_STORAGE", "-DHAVE_IMAP_TK2007", "-DUSE_SYSTEM_CCLIENT"),
    f'-DAST_MODULE="{MODULE}"',
    f"-DAST_MODULE_SELF_SYM=__internal_{MODULE}_self",
)


def with_imap_storage(install: AsteriskInstall) -> AsteriskInstall:
    """That Asterisk, with the other app_voicemail. Blocks. Raises AsteriskUnavailable."""
    if len(install.command) == 1:
        raise AsteriskUnavailable("IMAP storage is built for an unpacked Asterisk only")
    if shutil.which("gcc") is None:
        raise AsteriskUnavailable("IMAP storage is compiled: apt-get install gcc libc6-dev")
    unpacked = Path(install.command[-1]).parents[2]
    root = _built(install, unpacked.name)
    libraries = str(install.modules.parent.parent)
    command = tuple(
        f"{part}:{root / 'usr/lib'}" if part == libraries else part for part in install.command
    )
    return dataclasses.replace(install, command=command, modules=root / "modules")


def _built(install: AsteriskInstall, name: str) -> Path:
    final = default_cache() / f"imap-voicemail-{name}"
    final.parent.mkdir(parents=True, exist_ok=True)
    with (default_cache() / "imap-voicemail.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not final.is_dir():
            print("building app_voicemail with IMAP storage, once", file=sys.stderr)
            with tempfile.TemporaryDirectory(prefix="imap-incoming-", dir=final.parent) as place:
                _build(install, name, Path(place)).rename(final)
    return final


def _build(install: AsteriskInstall, name: str, place: Path) -> Path:
    """Fetch, unpack aside and compile; the directory that holds everything."""
    found = re.fullmatch(r"asterisk-(.+)-\w+", name)
    if found is None:
        raise AsteriskUnavailable("which package Asterisk comes from is unknown")
    archives, root = place / "archives", place / "root"
    archives.mkdir()
    apt = debian._private_apt(place / "apt", debian._mirror())
    sources = place / "apt" / "sources.list"
    sources.write_text(sources.read_text() + sources.read_text().replace("deb ", "deb-src ", 1))
    debian._run([*apt, "update"], "the package lists of Debian testing could not be read")
    for command in (
        [*apt, "source", "--download-only", f"asterisk=1:{found[1]}"],
        [*apt, "download", f"asterisk-dev=1:{found[1]}"],
        ["apt-get", "-q", "download", *LIBRARY],
    ):
        debian._run(["env", "-C", str(archives), *command], "parts of IMAP storage are missing")
    debian._unpack(sorted(archives.glob("*.deb")), root)
    _compile(_source(archives, place), root)
    for module in install.modules.glob("*.so"):
        if module.stem != MODULE:
            (root / "modules" / module.name).symlink_to(module)
    return root


def _source(archives: Path, place: Path) -> Path:
    [archive] = archives.glob("asterisk_*.orig.tar.*")
    with tarfile.open(archive) as packed:
        [member] = [one for one in packed.getmembers() if one.name.endswith(f"/{_SOURCE}")]
        member.name = f"{MODULE}.c"
        packed.extract(member, place)
    return place / f"{MODULE}.c"


def _compile(source: Path, root: Path) -> None:
    """Into ``modules`` below *root*."""
    (root / "modules").mkdir()
    [library] = root.glob("usr/lib/libc-client.so.*.0")
    headers = root / "usr/include"
    done = subprocess.run(
        [
            *("gcc", *_FLAGS, f"-I{headers}", f"-I{headers / 'c-client'}"),
            *("-o", root / "modules" / f"{MODULE}.so", source, library),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AsteriskUnavailable(f"IMAP storage does not compile: {done.stderr.strip()[-500:]}")
