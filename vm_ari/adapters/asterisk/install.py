"""Find an Asterisk that can be started, or fetch one.

In this order: the unpacked root named by ``VM_ARI_ASTERISK_ROOT``; an ``asterisk`` of at least
version 18 on the PATH; one that was unpacked into the cache before; Debian testing's packages,
unpacked into the cache now. Nothing needs root rights and nothing is installed on the machine.
"""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vm_ari.adapters.asterisk import debian
from vm_ari.adapters.asterisk.unavailable import AsteriskUnavailable

OLDEST_RELEASE = 18
REQUIRED_MODULES = ("chan_pjsip.so", "res_ari.so", "res_stasis.so", "app_stasis.so")
_ANSWER_SECONDS = 20


@dataclass(frozen=True)
class AsteriskInstall:
    """An Asterisk that runs: how it is started and where its parts lie."""

    command: tuple[str, ...]  # argv in front of Asterisk's own options
    environment: tuple[tuple[str, str], ...]  # to be added to the process environment
    modules: Path
    data: Path  # holds documentation/, rest-api/, perhaps sounds/
    version: str  # "22.10.1"

    @property
    def release(self) -> int:
        """The major version: 22 for 22.10.1."""
        return int(self.version.partition(".")[0])


def _silent(_line: str) -> None:
    """Report nothing."""


def default_cache() -> Path:
    """Where fetched software is kept: ``$XDG_CACHE_HOME/vm-ari`` or ``~/.cache/vm-ari``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vm-ari"


def find_or_fetch(
    cache: Path | None = None, report: Callable[[str], None] = _silent
) -> AsteriskInstall:
    """Return an Asterisk to start, fetching it into *cache* where the machine has none.

    Blocks: milliseconds where one is found, some ten seconds for the first fetch; call it in a
    thread. *report* gets a line per step, for a person to read. Safe to call from several
    processes at once: one fetches, the others wait. Raises AsteriskUnavailable.
    """
    if named := os.environ.get("VM_ARI_ASTERISK_ROOT"):
        return _named_root(Path(named))
    if (found := shutil.which("asterisk")) is not None:
        try:
            return system_install(Path(found))
        except AsteriskUnavailable as unusable:
            report(f"{found} is not used: {unusable.why}")
    cache = cache or default_cache()
    return _newest_cached(cache) or _fetch_once(cache, report)


def unpacked_install(root: Path) -> AsteriskInstall:
    """The Asterisk in a directory of unpacked packages, run by the C library it came with.

    Raises AsteriskUnavailable where it is incomplete or does not run.
    """
    loader = _first(root, "usr/lib64/ld-linux-*.so.*", "usr/lib/ld-linux-*.so.*")
    modules = _first(root, "usr/lib/*/asterisk/modules", "usr/lib/asterisk/modules")
    binary = root / "usr/sbin/asterisk"
    if loader is None or modules is None or not binary.exists():
        raise AsteriskUnavailable(f"{root} holds no complete unpacked Asterisk")
    libraries = modules.parent.parent
    environment = (
        ("OPENSSL_CONF", str(root / "usr/lib/ssl/openssl.cnf")),
        ("OPENSSL_MODULES", str(libraries / "ossl-modules")),
        ("GCONV_PATH", str(libraries / "gconv")),
    )
    command = (str(loader), "--library-path", str(libraries), str(binary))
    return _checked(command, environment, modules, root / "usr/share/asterisk")


def system_install(binary: Path) -> AsteriskInstall:
    """The Asterisk that the machine's administrator installed.

    Its modules and data are looked for beside it, as every packaging places them:
    ``/usr/sbin/asterisk``, ``/usr/lib/…/asterisk/modules``, ``/usr/share/asterisk``.
    Raises AsteriskUnavailable where it does not run, is too old or lacks modules.
    """
    prefix = binary.parent.parent
    modules = _first(
        prefix,
        *("lib/*/asterisk/modules", "lib64/asterisk/modules", "lib/asterisk/modules"),
    )
    data = _documented(prefix / "share/asterisk", Path("/var/lib/asterisk"))
    if modules is None or data is None:
        raise AsteriskUnavailable(f"the modules or the documentation of {binary} were not found")
    return _checked((str(binary),), (), modules, data)


def _named_root(root: Path) -> AsteriskInstall:
    try:
        return unpacked_install(root.absolute())
    except AsteriskUnavailable as unusable:
        raise AsteriskUnavailable(f"VM_ARI_ASTERISK_ROOT: {unusable.why}") from None


def _checked(
    command: tuple[str, ...],
    environment: tuple[tuple[str, str], ...],
    modules: Path,
    data: Path,
) -> AsteriskInstall:
    version = _running_version(command, environment)
    install = AsteriskInstall(command, environment, modules, data, version)
    if install.release < OLDEST_RELEASE:
        raise AsteriskUnavailable(f"Asterisk {version} is older than {OLDEST_RELEASE}")
    missing = [name for name in REQUIRED_MODULES if not (modules / name).exists()]
    if missing:
        raise AsteriskUnavailable(f"{modules} lacks {', '.join(missing)}")
    return install


def _running_version(command: tuple[str, ...], environment: tuple[tuple[str, str], ...]) -> str:
    """Start it with ``-V``: proves that binary, loader and libraries fit together."""
    try:
        done = subprocess.run(
            [*command, "-V"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_ANSWER_SECONDS,
            env={**os.environ, **dict(environment)},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AsteriskUnavailable(f"{command[-1]} does not run: {error}") from None
    found = re.search(r"Asterisk (?:certified/)?(\d+(?:\.\d+)*)", done.stdout)
    if found is None:
        raise AsteriskUnavailable(f"{command[-1]} does not run: {done.stderr.strip()[-300:]}")
    return found[1]


def _first(directory: Path, *patterns: str) -> Path | None:
    matches = (match for pattern in patterns for match in sorted(directory.glob(pattern)))
    return next(matches, None)


def _documented(*candidates: Path) -> Path | None:
    """Without its XML documentation Asterisk does not start."""
    return next((path for path in candidates if list(path.glob("documentation/core-*.xml"))), None)


def _newest_cached(cache: Path) -> AsteriskInstall | None:
    roots = sorted(cache.glob("asterisk-*"), key=lambda root: root.stat().st_mtime, reverse=True)
    for root in roots:
        try:
            return unpacked_install(root.absolute())
        except AsteriskUnavailable:
            continue
    return None


def _fetch_once(cache: Path, report: Callable[[str], None]) -> AsteriskInstall:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache / "asterisk.lock", report):
            return _newest_cached(cache) or _fetch(cache.absolute(), report)
    except OSError as error:
        raise AsteriskUnavailable(f"the cache {cache} cannot be used: {error}") from error


@contextmanager
def _locked(lock: Path, report: Callable[[str], None]) -> Iterator[None]:
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("another process is fetching Asterisk: waiting for it")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _fetch(cache: Path, report: Callable[[str], None]) -> AsteriskInstall:
    """Unpack aside and rename, so that an interrupted fetch never looks finished."""
    for leftover in cache.glob("incoming-*"):  # of a fetch that was killed; we hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="incoming-", dir=cache) as workplace:
        root, version = debian.fetch(Path(workplace), report)
        unpacked_install(root)
        final = cache / f"asterisk-{version}"
        shutil.rmtree(final, ignore_errors=True)  # there, but it did not run any more
        root.rename(final)
    install = unpacked_install(final)
    report(f"Asterisk {install.version} is ready in {final}")
    return install
