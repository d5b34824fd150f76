"""Mails of the system on their way to users, on the disk (STORE-03).

    prepared/<id>   written, but not yet decided that it goes out
    new/<id>        to be sent
    attempts/<id>   the history of one that could not be sent yet
    hold/<id>       refused for good
    sent/<id>       empty: so that the same occasion is not told twice

Every step is one rename, so a command may queue mails while the controller sends them. A welcome
mail holds a PIN: what lies here is sealed with our keys.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from vm_ari.adapters import durable
from vm_ari.adapters.sealed_files import SealedFiles
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.spool_records import BadRecord, attempts_from_json, attempts_to_json
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.system_mails import Letter, Recipient, SystemMail
from vm_ari.ports import MailNotQueued

PREPARED, NEW, ATTEMPTS, HOLD, SENT = "prepared", "new", "attempts", "hold", "sent"
REMEMBERED = timedelta(days=30)
"""So long it is known that a mail was sent."""


class MailQueue:
    """`ports.Letters` on files below *root*."""

    def __init__(self, root: Path, keys: KeyRing) -> None:
        states = (PREPARED, NEW, ATTEMPTS, HOLD, SENT)
        self._files = SealedFiles(
            root, keys, states, "mail queue", MailNotQueued, moving=True, threads=2
        )

    async def prepare(self, letter: Letter) -> None:
        """See `Letters`."""

        def work() -> None:
            self._files.create()
            self._files.write(PREPARED, letter.id, _record(letter))

        await self._files.run(work)

    async def release(self, letter_id: str) -> None:
        """See `Letters`."""

        def work() -> None:
            if self._files.is_there(letter_id, NEW, HOLD, SENT):
                self._files.remove(PREPARED, letter_id)
            else:
                self._files.move(PREPARED, NEW, letter_id)

        await self._files.run(work)

    async def drop(self, letter_id: str) -> None:
        """See `Letters`."""
        await self._files.run(lambda: self._files.remove(PREPARED, letter_id))

    async def prepared(self) -> Sequence[Letter]:
        """See `Letters`."""
        return await self._files.run(lambda: self._all_in(PREPARED))

    async def waiting(self) -> Sequence[tuple[str, Attempts]]:
        """See `Letters`."""

        def work() -> Sequence[tuple[str, Attempts]]:
            return [(name, self._history(name)) for name in self._files.oldest_first(NEW)]

        return await self._files.run(work)

    async def letter(self, letter_id: str) -> Letter | None:
        """See `Letters`."""
        return await self._files.run(lambda: self._files.read_as(NEW, letter_id, _letter))

    async def postpone(self, letter_id: str, attempts: Attempts) -> None:
        """See `Letters`."""
        await self._files.run(lambda: self._note(letter_id, attempts))

    async def hold(self, letter_id: str, attempts: Attempts) -> None:
        """See `Letters`."""

        def work() -> None:
            self._note(letter_id, attempts)
            self._files.move(NEW, HOLD, letter_id)

        await self._files.run(work)

    async def held(self) -> Sequence[tuple[Letter, Attempts]]:
        """What was refused for good, with what was answered last."""
        return await self._files.run(
            lambda: [(one, self._history(one.id)) for one in self._all_in(HOLD)],
        )

    async def retry(self, letter_id: str) -> None:
        """Send one that was refused for good once more, now."""

        def work() -> None:
            self._note(letter_id, replace(self._history(letter_id), not_before=None))
            self._files.move(HOLD, NEW, letter_id)

        await self._files.run(work)

    async def sent(self, letter_id: str) -> None:
        """See `Letters`. The mark first: a crash between sends a second copy rather than none."""

        def work() -> None:
            self._files.mark(SENT, letter_id)
            self._files.remove(NEW, letter_id)
            self._files.remove(ATTEMPTS, letter_id)

        await self._files.run(work)

    async def was_sent(self, letter_id: str) -> bool:
        """See `Letters`."""
        return await self._files.run(lambda: self._files.is_there(letter_id, NEW, HOLD, SENT))

    async def sweep(self) -> None:
        """Forget what was sent long ago."""

        def work() -> None:
            self._files.forget(SENT, REMEMBERED)
            self._files.sweep()

        await self._files.run(work)

    def close(self) -> None:
        """Let running work end."""
        self._files.close()

    # --- blocking

    def _all_in(self, state: str) -> list[Letter]:
        names = self._files.oldest_first(state)
        letters = (self._files.read_as(state, name, _letter) for name in names)
        return [letter for letter in letters if letter is not None]

    def _note(self, letter_id: str, attempts: Attempts) -> None:
        durable.replace_file(self._files.place(ATTEMPTS, letter_id), attempts_to_json(attempts))

    def _history(self, letter_id: str) -> Attempts:
        try:
            return attempts_from_json(self._files.place(ATTEMPTS, letter_id).read_bytes())
        except FileNotFoundError:
            return Attempts()
        except BadRecord as error:
            return Attempts(failed=1, last_error=str(error))


def _record(letter: Letter) -> dict[str, Any]:
    """What is known of the person is as secret as the mail."""
    return {
        "message_id": letter.message_id,
        "kind": letter.kind.value,
        "recipient": asdict(letter.recipient),
        "written": letter.written.isoformat(),
        "dialled": letter.dialled,
        "content": letter.content.decode("ascii"),
    }


def _letter(letter_id: str, stored: Any) -> Letter:
    return Letter(
        id=letter_id,
        message_id=stored["message_id"],
        kind=SystemMail(stored["kind"]),
        recipient=Recipient(**stored["recipient"]),
        written=datetime.fromisoformat(stored["written"]).astimezone(UTC),
        content=stored["content"].encode("ascii"),
        dialled=stored["dialled"],
    )
