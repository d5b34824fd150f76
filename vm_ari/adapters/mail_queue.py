"""Mails of the system on their way to users, on the disk (STORE-03).

    prepared/<id>   written, but not yet decided that it goes out
    new/<id>        to be sent
    attempts/<id>   the history of one that could not be sent yet
    hold/<id>       refused for good
    sent/<id>       empty: so that the same occasion is not told twice

Every step is one rename, so a command may queue mails while the controller sends them. A welcome
mail holds a PIN: what lies here is sealed with our keys.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import structlog

from vm_ari.adapters import durable
from vm_ari.adapters.sealing import KeyRing, KeysUnusable, SealBroken
from vm_ari.adapters.spool_records import BadRecord, attempts_from_json, attempts_to_json
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.system_mails import Letter, Recipient, SystemMail
from vm_ari.ports import MailNotQueued

T = TypeVar("T")

PREPARED, NEW, ATTEMPTS, HOLD, SENT = "prepared", "new", "attempts", "hold", "sent"
CORRUPT = "corrupt"
DIRECTORY_MODE = 0o700
REMEMBERED = timedelta(days=30)
"""So long it is known that a mail was sent."""
HALF_WRITTEN = timedelta(hours=1)
"""A file that old, which a crash has left half written, is nobody's any more."""
_PURPOSE = "mail queue"
_SAFE_ID = re.compile("[a-z0-9]{1,64}")

log = structlog.get_logger("vm_ari.mail")


class MailQueue:
    """`ports.Letters` on files below *root*."""

    def __init__(self, root: Path, keys: KeyRing) -> None:
        self._root = root
        self._keys = keys
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="mail-queue")

    async def prepare(self, letter: Letter) -> None:
        """See `Letters`."""
        await self._run(lambda: self._write(letter))

    async def release(self, letter_id: str) -> None:
        """See `Letters`."""
        await self._run(lambda: self._release(letter_id))

    async def drop(self, letter_id: str) -> None:
        """See `Letters`."""
        await self._run(lambda: self._place(PREPARED, letter_id).unlink(missing_ok=True))

    async def prepared(self) -> Sequence[Letter]:
        """See `Letters`."""
        return await self._run(lambda: self._all_in(PREPARED))

    async def waiting(self) -> Sequence[tuple[str, Attempts]]:
        """See `Letters`."""
        return await self._run(lambda: [(name, self._history(name)) for name in self._names(NEW)])

    async def letter(self, letter_id: str) -> Letter | None:
        """See `Letters`."""
        return await self._run(lambda: self._read(NEW, letter_id))

    async def postpone(self, letter_id: str, attempts: Attempts) -> None:
        """See `Letters`."""
        await self._run(lambda: self._note(letter_id, attempts))

    async def hold(self, letter_id: str, attempts: Attempts) -> None:
        """See `Letters`."""

        def work() -> None:
            self._note(letter_id, attempts)
            self._move(NEW, HOLD, letter_id)

        await self._run(work)

    async def held(self) -> Sequence[tuple[Letter, Attempts]]:
        """What was refused for good, with what was answered last."""
        return await self._run(
            lambda: [(one, self._history(one.id)) for one in self._all_in(HOLD)],
        )

    async def retry(self, letter_id: str) -> None:
        """Send one that was refused for good once more, now."""

        def work() -> None:
            self._note(letter_id, replace(self._history(letter_id), not_before=None))
            self._move(HOLD, NEW, letter_id)

        await self._run(work)

    async def sent(self, letter_id: str) -> None:
        """See `Letters`."""
        await self._run(lambda: self._sent(letter_id))

    async def was_sent(self, letter_id: str) -> bool:
        """See `Letters`."""
        return await self._run(lambda: self._is_there(letter_id, NEW, HOLD, SENT))

    async def sweep(self) -> None:
        """Forget what was sent long ago."""
        await self._run(self._sweep)

    def close(self) -> None:
        """Let running work end."""
        self._threads.shutdown()

    # --- blocking

    async def _run(self, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, work)
        except OSError as error:
            where = error.filename or self._root
            raise MailNotQueued(f"{error.strerror or error}: {where}") from error
        except KeysUnusable as error:
            raise MailNotQueued(str(error)) from error

    def _place(self, state: str, letter_id: str) -> Path:
        if not _SAFE_ID.fullmatch(letter_id):
            raise ValueError("not the id of a mail")
        return self._root / state / letter_id

    def _create(self) -> None:
        self._root.parent.mkdir(parents=True, exist_ok=True)
        for directory in (self._root, *(self._root / n for n in _STATES)):
            with suppress(FileExistsError):  # another process is as fast
                durable.ensure_directory(directory, DIRECTORY_MODE)
        durable.sync(self._root)

    def _write(self, letter: Letter) -> None:
        self._create()
        durable.replace_file(self._place(PREPARED, letter.id), _sealed(letter, self._keys))

    def _release(self, letter_id: str) -> None:
        if self._is_there(letter_id, NEW, HOLD, SENT):
            self._place(PREPARED, letter_id).unlink(missing_ok=True)
            return
        self._move(PREPARED, NEW, letter_id)

    def _sent(self, letter_id: str) -> None:
        """The mark first: a crash between sends a second copy rather than none."""
        durable.write_file(self._place(SENT, letter_id), b"")
        durable.sync(self._root / SENT)
        self._place(NEW, letter_id).unlink(missing_ok=True)
        self._place(ATTEMPTS, letter_id).unlink(missing_ok=True)

    def _move(self, source: str, target: str, letter_id: str) -> None:
        durable.move(self._place(source, letter_id), self._place(target, letter_id))

    def _note(self, letter_id: str, attempts: Attempts) -> None:
        durable.replace_file(self._place(ATTEMPTS, letter_id), attempts_to_json(attempts))

    def _is_there(self, letter_id: str, *states: str) -> bool:
        return any(self._place(state, letter_id).exists() for state in states)

    def _names(self, state: str) -> list[str]:
        """Oldest first."""
        directory = self._root / state
        if not directory.is_dir():
            return []
        found = []
        for path in directory.iterdir():
            if _SAFE_ID.fullmatch(path.name):
                with suppress(FileNotFoundError):
                    found.append((path.stat().st_mtime_ns, path.name))
        return [name for _time, name in sorted(found)]

    def _all_in(self, state: str) -> list[Letter]:
        letters = (self._read(state, name) for name in self._names(state))
        return [letter for letter in letters if letter is not None]

    def _read(self, state: str, letter_id: str) -> Letter | None:
        """None for one that is gone, and for one that cannot be read, which goes out of the way."""
        try:
            return _opened(self._place(state, letter_id).read_bytes(), letter_id, self._keys)
        except FileNotFoundError:
            return None
        except PermissionError as error:  # queued by a command that another account has run
            log.error("a mail cannot be read", mail=letter_id, why=error.strerror)
            return None
        except (SealBroken, ValueError, KeyError, TypeError, AttributeError) as error:
            log.error("a mail cannot be read", mail=letter_id, why=type(error).__name__)
            self._move(state, CORRUPT, letter_id)
            return None

    def _history(self, letter_id: str) -> Attempts:
        try:
            return attempts_from_json(self._place(ATTEMPTS, letter_id).read_bytes())
        except FileNotFoundError:
            return Attempts()
        except BadRecord as error:
            return Attempts(failed=1, last_error=str(error))

    def _sweep(self) -> None:
        for name in self._names(SENT):
            _unlink_if_older(self._place(SENT, name), REMEMBERED)
        for state in _STATES:
            for half_written in (self._root / state).glob(f"*{durable.UNFINISHED}"):
                _unlink_if_older(half_written, HALF_WRITTEN)


_STATES = (PREPARED, NEW, ATTEMPTS, HOLD, SENT, CORRUPT)


def _unlink_if_older(path: Path, age: timedelta) -> None:
    with suppress(FileNotFoundError):
        if path.stat().st_mtime < time.time() - age.total_seconds():
            path.unlink()


def _sealed(letter: Letter, keys: KeyRing) -> bytes:
    """What is known of the person is as secret as the mail; the seal is bound to the name."""
    plain = {
        "message_id": letter.message_id,
        "kind": letter.kind.value,
        "recipient": asdict(letter.recipient),
        "written": letter.written.isoformat(),
        "dialled": letter.dialled,
        "content": letter.content.decode("ascii"),
    }
    return keys.seal(json.dumps(plain), owner=letter.id, attribute=_PURPOSE).encode()


def _opened(raw: bytes, letter_id: str, keys: KeyRing) -> Letter:
    text = keys.open(raw.decode("ascii"), owner=letter_id, attribute=_PURPOSE)
    stored = json.loads(text)
    return Letter(
        id=letter_id,
        message_id=stored["message_id"],
        kind=SystemMail(stored["kind"]),
        recipient=Recipient(**stored["recipient"]),
        written=datetime.fromisoformat(stored["written"]).astimezone(UTC),
        content=stored["content"].encode("ascii"),
        dialled=stored["dialled"],
    )
