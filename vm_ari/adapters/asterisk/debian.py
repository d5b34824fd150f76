"""Unpack the Asterisk of Debian testing below a directory, without root rights.

Debian's stable releases carry no Asterisk. apt resolves and downloads the packages with a
private state (nothing of the machine's package database is read or written), ``dpkg-deb -x``
unpacks them, and the result is started through its own dynamic loader (see ``install``).
"""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vm_ari.adapters.asterisk.unavailable import AsteriskUnavailable

SUITE = "testing"
PACKAGES = ("asterisk", "asterisk-modules")

# Dependencies of modules that voicemail never loads (calendars, databases, SNMP, jabber, sound
# cards, rare codecs) and Asterisk's own prompts: apt is told that they are there already. A name
# that Debian has changed since is simply downloaded. Saves three quarters of the download.
_NOT_NEEDED = (
    *("adduser", "libcodec2-1.2", "libglib2.0-0t64", "libgmime-3.0-0t64", "libical3t64"),
    *("libiksemel3", "libjack-jackd2-0", "liblua5.1-0", "libneon27t64", "libodbc2"),
    *("libopencore-amrnb0", "libopencore-amrwb0", "libopus0", "libopusenc0", "libopusfile0"),
    *("libportaudio2", "libpq5", "libradcli4", "libsnmp45", "libsybdb5", "libvo-amrwbenc0"),
    *("libvorbis0a", "libvorbisenc2", "libvorbisfile3"),
)
_STATUS = (
    "Package: {name}\nStatus: install ok installed\nArchitecture: all\nMulti-Arch: foreign\n"
    "Version: 999:0\nMaintainer: none <none@localhost>\n{more}Description: not needed\n\n"
)
_APT_CONF = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
Dir::State "{state}";
Dir::State::status "{state}/status";
Dir::Cache "{state}";
Dir::Etc::sourcelist "{state}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "{state}/preferences.d";
APT::Sandbox::User "";
APT::Install-Recommends "false";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Retries "1";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
// A mirror that is a snapshot has an expired Release file; its signature is still checked.
Acquire::Check-Valid-Until "false";
"""


def fetch(workplace: Path, report: Callable[[str], None]) -> tuple[Path, str]:
    """Download and unpack; return the root directory and its package version.

    Everything happens below *workplace*, an empty directory of the caller's, who also removes it.
    Raises AsteriskUnavailable where apt is missing or the mirror cannot be used.
    """
    _require_tools()
    apt = _private_apt(workplace / "apt", _mirror())
    report("fetching the package list of Debian testing (10 MB)")
    _run([*apt, "update"], "the package list of Debian testing could not be read")
    report("fetching Asterisk and the libraries it needs (25 MB)")
    _run([*apt, "install", "-y", "--download-only", *PACKAGES], "Asterisk could not be downloaded")
    packages = sorted((workplace / "apt" / "archives").glob("*.deb"))
    report(f"unpacking {len(packages)} packages")
    root = workplace / "root"
    _unpack(packages, root)
    return root, _version(packages)


def _require_tools() -> None:
    missing = [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]
    if missing:
        raise AsteriskUnavailable(
            f"this machine has no {' and no '.join(missing)} to fetch Asterisk with"
        )


def _mirror() -> str:
    """The Debian mirror this machine uses itself, or the one named by DEBIAN_MIRROR."""
    if named := os.environ.get("DEBIAN_MIRROR"):
        return named
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    if release.get("ID") != "debian":
        raise AsteriskUnavailable(
            f"this is {release.get('PRETTY_NAME', 'not Debian')}, and only Debian's packages "
            "can be unpacked privately (DEBIAN_MIRROR may name a Debian mirror)"
        )
    targets = _run(
        [
            *("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"),
            *("Component: main", f"Codename: {release.get('VERSION_CODENAME', '')}"),
        ],
        "the machine's Debian mirror could not be found out",
    )
    if not targets.split():
        raise AsteriskUnavailable("apt knows no Debian mirror on this machine (set DEBIAN_MIRROR)")
    return targets.split()[0]


def _private_apt(state: Path, mirror: str) -> list[str]:
    """Write a private apt state and return the command that uses nothing but it."""
    for directory in ("lists/partial", "archives/partial", "preferences.d"):
        (state / directory).mkdir(parents=True)
    (state / "status").write_text(_status(_NOT_NEEDED))
    (state / "sources.list").write_text(f"deb [signed-by={_keyring()}] {mirror} {SUITE} main\n")
    conf = state / "apt.conf"
    conf.write_text(_APT_CONF.format(state=state))
    # -c is read after the machine's own configuration: proxies stay, hooks are cleared
    return ["apt-get", "-q", "-o", "Debug::NoLocking=true", "-c", str(conf)]


def _status(names: Iterable[str]) -> str:
    """A dpkg status file that says: these packages, any sounds and any configuration are there."""
    entries = [_STATUS.format(name=name, more="") for name in names]
    entries.append(_STATUS.format(name="asterisk-config-custom", more=""))
    entries.append(
        _STATUS.format(name="no-prompts", more="Provides: asterisk-core-sounds-en\n"),
    )
    return "".join(entries)


def _keyring() -> Path:
    for suffix in ("pgp", "gpg"):
        keyring = Path(f"/usr/share/keyrings/debian-archive-keyring.{suffix}")
        if keyring.exists():
            return keyring
    raise AsteriskUnavailable(
        "the keys that sign Debian's packages are missing (package debian-archive-keyring)"
    )


def _unpack(packages: Iterable[Path], root: Path) -> None:
    root.mkdir()
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        list(pool.map(lambda package: _unpack_one(package, root), packages))


def _unpack_one(package: Path, root: Path) -> None:
    _run(["dpkg-deb", "-x", str(package), str(root)], f"{package.name} could not be unpacked")


def _version(packages: Iterable[Path]) -> str:
    """``22.10.1+dfsg-1-amd64`` out of ``asterisk_1%3a22.10.1+dfsg-1_amd64.deb``."""
    for package in packages:
        if found := re.fullmatch(r"asterisk_(?:\d+%3a)?(.+)_(\w+)\.deb", package.name):
            return f"{found[1]}-{found[2]}"
    raise AsteriskUnavailable("Debian testing has no package asterisk at this moment")


def _run(command: list[str], failure: str) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
    )
    if done.returncode == 0:
        return done.stdout
    lines = [line for line in done.stderr.splitlines() if line.startswith(("E:", "W:", "dpkg"))]
    raise AsteriskUnavailable(f"{failure}: {' '.join(lines[:3]) or done.stderr.strip()[-300:]}")
