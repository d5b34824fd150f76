"""What an Asterisk's configuration directory says, with everything that is included."""

import os
import pwd
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from vm_ari.domain.asterisk_files import Statement, is_broken, statements, without_block
from vm_ari.domain.feature_codes import taken

OURS = "vm_ari"
"""Directory of our own files, below Asterisk's."""
_EVERYWHERE = ("", "0.0.0.0", "::", "[::]")  # noqa: S104
_DEEPEST = 10
_FILE_ENDS = "#end"
_LARGEST = 20_000_000  # bytes; generated dialplans are large, but not that large


class Flavour(StrEnum):
    """Who writes the configuration."""

    PLAIN = "plain"
    FREEPBX = "freepbx"
    WAZO = "wazo"


class NotConfigurable(Exception):
    """The directory cannot be used; says why and what to do."""


@dataclass(frozen=True)
class Site:
    """One configuration directory, usually ``/etc/asterisk``; blocking reads."""

    directory: Path
    with_ours: bool = False
    """Is it read as Asterisk reads it, or as it would be without us?"""

    def content(self, name: str) -> bytes | None:
        """A file's bytes; None where there is none. Raises NotConfigurable."""
        path = self.directory / name
        try:
            if path.exists() and path.stat().st_size > _LARGEST:
                raise NotConfigurable(f"{path} is larger than any configuration: look at it")
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            advice = "run this command as root (sudo)"
            raise NotConfigurable(f"{path} cannot be read ({error.strerror}): {advice}") from error

    def place(self, name: str) -> Path:
        """Where to write a file: a link is followed if root made it, or who owns its target.

        Else Asterisk's account could have root write to any file. Raises NotConfigurable.
        """
        path = self.directory / name
        for link in (path, *path.parents[: len(Path(name).parts) - 1]):
            if link.is_symlink():
                maker = link.lstat().st_uid
                if maker not in (0, link.stat().st_uid if link.exists() else -1):
                    raise NotConfigurable(
                        f"{link} is a link of one account to a file of another: "
                        "put the file itself there, and try again"
                    )
        return path.resolve()

    def before(self, name: str) -> bytes | None:
        """The same without our block. Raises NotConfigurable where that is damaged."""
        content = self.content(name)
        if content is None:
            return None
        if is_broken(content):
            raise NotConfigurable(
                f"{self.directory / name} holds a damaged block of ours: "
                "remove the lines from “; >>> vm_ari” to “; <<< vm_ari” yourself, and try again"
            )
        return without_block(content)

    def says(self, name: str) -> Sequence[Statement]:
        """A file and all it includes. Raises NotConfigurable."""
        return [one for one in self._follow(Path(name), "", 0) if one.key != _FILE_ENDS]

    def value(self, name: str, section: str, key: str) -> str | None:
        """The value that counts: the last one."""
        found = [one.value for one in self.says(name) if (one.section, one.key) == (section, key)]
        return found[-1] if found else None

    def sections_before(self, name: str, inner: str) -> Collection[str]:
        """Which sections are there when Asterisk, reading *name*, comes to the end of *inner*?

        Raises NotConfigurable where it never comes there.
        """
        end = Statement("", _FILE_ENDS, str(self.directory / inner))
        seen = set[str]()
        for one in self._follow(Path(name), "", 0, self.directory / inner):
            if (one.key, one.value) == (end.key, end.value):
                return seen
            seen.add(one.section)
        raise NotConfigurable(
            f"{self.directory / name} does not include {inner}: include it there, "
            "or name the right --flavour"
        )

    def flavour(self) -> Flavour:
        """Found out by how the dialplan is put together. Raises NotConfigurable."""
        content = self.content("extensions.conf")
        if content is None:
            raise NotConfigurable(
                f"there is no extensions.conf in {self.directory}: "
                "name Asterisk's configuration directory with --directory"
            )
        included = {one.included for one in statements(content.decode(errors="replace"))}
        if {"extensions_additional.conf", "extensions_custom.conf"} <= included:
            return Flavour.FREEPBX
        if included & {"extensions.d/*", "extensions.d/*.conf"}:
            return Flavour.WAZO
        return Flavour.PLAIN

    def http_url(self) -> str:
        """Where Asterisk's HTTP server is reached from this machine (http.conf)."""
        port = self.value("http.conf", "general", "bindport") or "8088"
        bind = self.value("http.conf", "general", "bindaddr") or ""
        host = "127.0.0.1" if bind in _EVERYWHERE else bind
        prefix = (self.value("http.conf", "general", "prefix") or "").strip("/")
        address = f"[{host}]" if ":" in host else host
        return f"http://{address}:{port}" + (f"/{prefix}" if prefix else "")

    def recordings(self) -> Path | None:
        """Our directory below Asterisk's spool; None: where it usually is."""
        spool = self.value("asterisk.conf", "directories", "astspooldir")
        if not spool or spool == "/var/spool/asterisk":
            return None
        return Path(spool) / "recording" / "vm-ari"

    @cached_property
    def dialled(self) -> Sequence[str]:
        """Extensions of the dialplan that a star code could be in conflict with."""
        return taken(self.says("extensions.conf"))

    @cached_property
    def account(self) -> pwd.struct_passwd:
        """Who Asterisk runs as: ``runuser``, the directory's owner, ``asterisk``, or root."""
        named = self.value("asterisk.conf", "options", "runuser")
        for name in (named, _owner(self.directory), "asterisk"):
            if name and name != "root":
                try:
                    return pwd.getpwnam(name)
                except KeyError:
                    continue
        return pwd.getpwuid(0)

    def _follow(
        self, path: Path, section: str, depth: int, new: Path | None = None
    ) -> Iterator[Statement]:
        """Sections stay open across an include; *new* is read as if it were there."""
        read = self.content if self.with_ours else self.before
        content = read(str(path)) if depth < _DEEPEST else None
        for one in statements((content or b"").decode(errors="replace"), section):
            if one.included is None:
                section = one.section
                yield one
                continue
            for inner in self._included(one.included, new):
                for other in self._follow(inner, section, depth + 1, new):
                    section = other.section
                    yield other
        yield Statement(section, _FILE_ENDS, str(self.directory / path))

    def _included(self, pattern: str, new: Path | None) -> Sequence[Path]:
        """Relative names are below the directory; patterns are as in a shell."""
        if not any(letter in pattern for letter in "*?["):
            own = Path(pattern).parent.name == OURS and not self.with_ours
            return [] if own else [self.directory / pattern]
        base = Path("/") if pattern.startswith("/") else self.directory
        try:
            found = {path for path in base.glob(pattern.lstrip("/")) if path.name[:1] != "."}
        except (ValueError, NotImplementedError, OSError):
            return []
        if new and new.match(str(base / pattern.lstrip("/"))):
            found.add(new)
        return sorted(found)


def may_read(path: Path, account: pwd.struct_passwd) -> bool:
    """May that account read the file, or the directory, and pass through all above it?

    By the permission bits alone: access lists and confinement are not looked at.
    """
    try:
        real = path.resolve(strict=True)
        wanted = stat.S_IROTH | (stat.S_IXOTH if real.is_dir() else 0)
        above = all(_allows(parent.stat(), account, stat.S_IXOTH) for parent in real.parents)
        return above and _allows(real.stat(), account, wanted)
    except OSError:
        return False


def _allows(about: os.stat_result, account: pwd.struct_passwd, bits: int) -> bool:
    """*bits* are those of others, moved to where the account stands."""
    if account.pw_uid == 0:
        return True
    if about.st_uid == account.pw_uid:
        bits <<= 6
    elif about.st_gid in os.getgrouplist(account.pw_name, account.pw_gid):
        bits <<= 3
    return about.st_mode & bits == bits


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (KeyError, OSError):
        return ""
