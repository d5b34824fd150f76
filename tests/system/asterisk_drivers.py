"""Asterisk's drivers for ISDN (DAHDI) and H.323: packages of their own, fetched once for the tests.

They are laid beside the Asterisk that all tests use; what they need of the kernel is not there.
"""

import dataclasses
import fcntl
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from vm_ari.adapters.asterisk import debian
from vm_ari.adapters.asterisk.install import AsteriskInstall, default_cache
from vm_ari.adapters.asterisk.unavailable import AsteriskUnavailable

OF_ASTERISK = ("asterisk-dahdi", "asterisk-ooh323")
"""They must be of the same version as Asterisk itself."""
OTHERS = ("libpri1.4", "libss7-2.0", "libopenr2-3", "libtonezone2.0", "dahdi")


def with_drivers(install: AsteriskInstall) -> AsteriskInstall:
    """That Asterisk with more modules. Blocks. Raises AsteriskUnavailable."""
    base = install.modules.parent.parent
    root = _fetched(install)
    own = root / base.relative_to(_root(install))
    libraries = f"{base}:{own}:{own.parent}"  # libpri is not in the directory of an architecture
    command = tuple(libraries if part == str(base) else part for part in install.command)
    return dataclasses.replace(install, command=command, modules=root / "modules")


def tool(install: AsteriskInstall, name: str) -> Sequence[str]:
    """A program of the package ``dahdi``, run by the libraries of that Asterisk."""
    program = install.modules.parent / "usr/sbin" / name
    return [*install.command[:-1], str(program)]


def _root(install: AsteriskInstall) -> Path:
    """Where its packages were unpacked."""
    if len(install.command) == 1:
        raise AsteriskUnavailable("the drivers are fetched beside an unpacked Asterisk only")
    return Path(install.command[-1]).parents[2]


def _fetched(install: AsteriskInstall) -> Path:
    final = default_cache() / f"drivers-{_root(install).name}"
    final.parent.mkdir(parents=True, exist_ok=True)
    with (default_cache() / "drivers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may be fetching
        if not final.is_dir():
            _fetch(install, final)
    return final


def _fetch(install: AsteriskInstall, final: Path) -> None:
    """Unpack aside and rename, so that an interrupted fetch never looks finished."""
    with tempfile.TemporaryDirectory(prefix="drivers-incoming-", dir=final.parent) as place:
        workplace = Path(place)
        archives = workplace / "archives"
        archives.mkdir()
        apt = debian._private_apt(workplace / "apt", debian._mirror())
        debian._run([*apt, "update"], "the package list of Debian testing could not be read")
        version = _package_version(install)
        names = [*(f"{name}=1:{version}" for name in OF_ASTERISK), *OTHERS]
        debian._run(
            ["env", "-C", str(archives), *apt, "download", *names],
            f"the drivers of Asterisk {version} could not be downloaded",
        )
        root = workplace / "root"
        debian._unpack(sorted(archives.glob("*.deb")), root)
        modules = root / "modules"
        modules.mkdir()
        for found in (install.modules, *root.glob("usr/lib/*/asterisk/modules")):
            for module in found.glob("*.so"):
                (modules / module.name).symlink_to(_lasting(module, root, final))
        shutil.rmtree(root / "usr/share", ignore_errors=True)
        root.rename(final)


def _lasting(module: Path, root: Path, final: Path) -> Path:
    return final / module.relative_to(root) if module.is_relative_to(root) else module


def _package_version(install: AsteriskInstall) -> str:
    """``22.10.1+dfsg-1`` out of the name of the directory."""
    found = re.fullmatch(r"asterisk-(.+)-\w+", _root(install).name)
    if found is None:
        raise AsteriskUnavailable("which package Asterisk comes from is unknown")
    return found[1]
