"""What belongs to this installation, as configured, and is worth a backup. Blocking."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from pydantic import BaseModel
from sqlalchemy.engine import make_url

from vm_ari.adapters.backup.archive import contents, write
from vm_ari.adapters.backup.contents import BadBackup, Kind, Manifest, Root
from vm_ari.adapters.backup.restoring import in_the_way, restore
from vm_ari.config import Config, shared_files
from vm_ari.wiring.check_ground import sqlite_file

__all__ = ["BackupFailed", "BadBackup", "back_up", "bring_back", "look_into", "obstacles"]


class BackupFailed(Exception):
    """The text says why, and what to do."""


def back_up(
    config: Config, file: Path, target: Path, passphrase: str | None, *, messages: bool
) -> Manifest:
    """Everything into *target*; *file* is the configuration. Raises `BackupFailed`."""
    roots = [*_roots(config, file.absolute())]
    if messages and config.store.kind == "local":
        roots.append(Root("messages", config.store.maildir.absolute(), Kind.TREE))
    there = [one for one in roots if one.path.exists()]
    made = datetime.now(UTC).isoformat(timespec="seconds")
    left_out = list(_left_out(config, passphrase, messages=messages))
    manifest = Manifest(version("vm-ari"), made, there, left_out=left_out)
    try:
        return write(target, manifest, passphrase)
    except FileExistsError as error:
        raise BackupFailed(f"{error.filename2 or error.filename} is there already") from None
    except OSError as error:
        raise BackupFailed(f"{error.strerror}: {error.filename or target}") from None
    except sqlite3.Error as error:
        raise BackupFailed(f"a database cannot be read: {error}") from None


def _roots(config: Config, file: Path) -> Iterator[Root]:
    yield Root("configuration", file, Kind.FILE, secret=True)
    yield Root("configuration-more", file.parent / "conf.d", Kind.TREE, secret=True)
    yield Root("keys", config.directory.keys.absolute(), Kind.TREE, secret=True)
    yield Root("portal", config.web.directory.absolute(), Kind.TREE, secret=True)
    for number, secret in enumerate(dict.fromkeys(_files(config, "_file")), start=1):
        yield Root(f"secret-{number}", secret.absolute(), Kind.FILE, secret=True)
    yield Root("greetings", config.greetings.directory.absolute(), Kind.TREE)
    yield Root("spool", config.spool.directory.absolute(), Kind.SPOOL)
    yield Root("resets", config.directory.keys.absolute().parent / "journals", Kind.TREE)
    for name, path in _where_configured(config):
        yield Root(name, path.absolute(), Kind.TREE)
    pair = {"certificate": config.web.certificate, "certificate-key": config.web.key}
    for name, one in pair.items():
        if one:
            yield Root(name, one.absolute(), Kind.FILE, secret=True)
    databases = [found for url in _urls(config) if (found := sqlite_file(url))]
    for number, database in enumerate(dict.fromkeys(databases), start=1):
        yield Root(f"database-{number}", database.absolute(), Kind.SQLITE)


def _where_configured(config: Config) -> Iterator[tuple[str, Path]]:
    """Directories that a site may have of its own: not those that come with the program."""
    own = {"mails": config.mail.queue, "archive": config.journal.archive}
    for name, path in {"sounds": config.sounds, "texts": config.templates}.items():
        if not path.absolute().is_relative_to(shared_files().absolute()):
            own[name] = path
    for name, place in own.items():
        if place:
            yield name, place


def _values(table: BaseModel) -> Iterator[tuple[str, object]]:
    """Every setting, of all tables."""
    for name in type(table).model_fields:
        value = getattr(table, name)
        if isinstance(value, BaseModel):
            yield from _values(value)
        else:
            yield name, value


def _files(config: Config, suffix: str) -> Iterator[Path]:
    for name, value in _values(config):
        if name.endswith(suffix) and isinstance(value, Path) and value.is_file():
            yield value


def _urls(config: Config) -> Iterator[str]:
    """Of databases; others are of web servers."""
    for name, value in _values(config):
        if name == "url" and isinstance(value, str) and value.startswith(("sqlite", "postgresql")):
            yield value


def _left_out(config: Config, passphrase: str | None, *, messages: bool) -> Iterator[str]:
    if passphrase is None:
        yield "the configuration, the keys and other secrets (--without-secrets)"
    for url in sorted({one for one in _urls(config) if one.startswith("postgresql")}):
        yield f"{make_url(url).render_as_string(hide_password=True)}: pg_dump saves it"
    if config.directory.ldap:
        yield "the directory servers: slapcat, or what they bring with them"
    if config.store.kind == "imap":
        yield "the messages on the mail servers"
    elif not messages:
        yield f"the messages in {config.store.maildir} (--messages)"


def look_into(source: Path) -> Manifest:
    """What is in it, after all of it was read. Raises `BackupFailed`."""
    try:
        return contents(source)
    except BadBackup as error:
        raise BackupFailed(str(error)) from None
    except OSError as error:
        raise BackupFailed(f"{error.strerror}: {error.filename or source}") from None


def chosen(manifest: Manifest, only: Sequence[str], *, secrets: bool) -> list[Root]:
    """Those that are to come back. Raises `BackupFailed`."""
    known = {one.name for one in manifest.roots}
    if unknown := [one for one in only if one not in known]:
        raise BackupFailed(f"it holds no {', '.join(unknown)}; it holds {', '.join(sorted(known))}")
    there = [one for one in manifest.roots if secrets or not one.secret]
    return [one for one in there if not only or one.name in only]


def obstacles(roots: Sequence[Root], below: Path) -> list[Path]:
    """What would be overwritten, and therefore stops it."""
    return in_the_way(roots, below)


def bring_back(
    source: Path, manifest: Manifest, roots: Sequence[Root], below: Path, passphrase: str | None
) -> int:
    """How many files. Raises `BackupFailed`."""
    try:
        return restore(source, manifest, roots, below, passphrase)
    except BadBackup as error:
        raise BackupFailed(str(error)) from None
    except OSError as error:
        raise BackupFailed(f"{error.strerror}: {error.filename}") from None
