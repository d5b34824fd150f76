"""One connection to a mail server, logged in: the commands that we need, used by one thread."""

import re
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from vm_ari.adapters.imap.address import Patience
from vm_ari.adapters.imap.connection import Wire, connected, hang_up, translated
from vm_ari.adapters.imap.errors import (
    AppendUnsure,
    ConnectionLost,
    LoginRefused,
    NoSuchFolder,
    Referred,
    Refused,
    ServerBusy,
)
from vm_ari.adapters.imap.logins import Login, log_in
from vm_ari.adapters.server_address import Server
from vm_ari.adapters.trust import certificate_end
from vm_ari.domain.quota import Measure, Quota

Criteria = Sequence[Any]
Fetched = Mapping[bytes, Any]
_MEASURES = {"STORAGE": Measure.SIZE, "MESSAGE": Measure.MESSAGES}
_COPY_UID = re.compile(rb"([0-9]+) [0-9]+ ([0-9]+)\Z")
_COUNT = re.compile(rb"\bCOUNT ([0-9]+)")


@dataclass(frozen=True)
class Opened:
    """A folder as it was when it was opened."""

    name: str
    validity: int
    """UIDs mean something only together with it (RFC 3501 §2.3.1.1)."""
    next_uid: int
    exists: int
    modseq: int | None
    """Grows with every change (RFC 7162); None where the server does not count."""
    keeps_keywords: bool


@dataclass(frozen=True)
class Namespace:
    """Where folders are, in the server's own writing (RFC 2342)."""

    separator: str = "/"
    personal: str = ""
    others: str | None = None


class Session:
    """Raises `ConnectionLost` (it is of no use then), `Refused` and its kinds."""

    def __init__(
        self,
        server: Server,
        login: Login,
        context: ssl.SSLContext | None,
        patience: Patience,
        wire: Wire,
    ) -> None:
        """Connect and log in. Raises `LoginRefused`, too."""
        self.server = server
        self.used = time.monotonic()
        self.folders_opened = 0
        self.handed_over = False
        self.wire = wire
        began = time.monotonic()
        self._client = connected(server, context, patience, wire)
        try:
            self._log_in(login)
            self.seconds_to_log_in = time.monotonic() - began
            with translated(server):
                if self._client.has_capability("CONDSTORE") and self.has("ENABLE"):
                    self._client.enable("CONDSTORE")
            self._namespace: Namespace | None = None
            self._opened: Opened | None = None
        except BaseException:
            self.close()
            raise

    def _log_in(self, login: Login) -> None:
        try:
            with translated(self.server):
                log_in(self._client, login)
        except (ServerBusy, Referred):
            raise
        except Refused as error:
            raise LoginRefused(f"{error} (login {login.name})") from None

    def has(self, capability: str) -> bool:
        """Does the server offer it?"""
        with translated(self.server):
            return bool(self._client.has_capability(capability))

    @property
    def namespace(self) -> Namespace:
        """Asked for once."""
        if self._namespace is None:
            self._namespace = self._read_namespace()
        return self._namespace

    def _read_namespace(self) -> Namespace:
        if not self.has("NAMESPACE"):
            return Namespace()
        with translated(self.server):
            spaces = self._client.namespace()
            personal = next(iter(spaces.personal or ()), ("", "/"))
            others = next(iter(spaces.other or ()), None)
            separator = personal[1] or (others[1] if others else "") or "/"
            return Namespace(separator, personal[0], others[0] if others else None)

    def open(self, folder: str) -> Opened:
        """Select it, or look at it again, so that changes by others show."""
        before, self._opened = self._opened, None  # a SELECT that fails leaves nothing open
        if before and before.name == folder:
            self._opened = self._seen_again(before)
        else:
            self._opened = self._select(folder)
        return self._opened

    def _seen_again(self, opened: Opened) -> Opened:
        """Cheaper than SELECT, for which some servers read a whole directory."""
        with translated(self.server):
            self._client.noop()
            told = self._client._imap.untagged_responses
            before = b"%d" % opened.exists
            changed = "EXPUNGE" in told or told.get("EXISTS", [before])[-1] != before
            told.clear()
            if opened.modseq is None:
                return self._select(opened.name) if changed else opened
            items = ["UIDVALIDITY", "UIDNEXT", "MESSAGES", "HIGHESTMODSEQ"]
            now = self._client.folder_status(opened.name, items)
            return replace(
                opened,
                validity=now[b"UIDVALIDITY"],
                next_uid=now[b"UIDNEXT"],
                exists=now[b"MESSAGES"],
                modseq=now[b"HIGHESTMODSEQ"],
            )

    def _select(self, folder: str) -> Opened:
        self.folders_opened += 1
        with translated(self.server):
            answer = self._client.select_folder(folder)
            return Opened(
                name=folder,
                validity=answer[b"UIDVALIDITY"],
                next_uid=answer.get(b"UIDNEXT", 0),
                exists=answer[b"EXISTS"],
                modseq=answer.get(b"HIGHESTMODSEQ"),
                keeps_keywords=b"\\*" in answer.get(b"PERMANENTFLAGS", ()),
            )

    def search(self, criteria: Criteria) -> list[int]:
        """UIDs in the open folder."""
        with translated(self.server):
            return list(self._client.search(list(criteria)))

    def count(self, *words: str) -> int:
        """How many messages; the server counts them itself where it can (RFC 4731)."""
        if not self.has("ESEARCH"):
            return len(self.search(words))
        with translated(self.server):
            imap = self._client._imap
            kind, data = imap._simple_command("UID", "SEARCH", "RETURN (COUNT)", *words)
            self._client._checkok("search", kind, data)
            _, lines = imap._untagged_response(kind, data, "ESEARCH")
            found = _COUNT.search(lines[-1] or b"")
            if found is None:
                raise ConnectionLost(f"{self.server} gave no count")
            return int(found[1])

    def fetch(self, uids: Sequence[int], items: Sequence[str]) -> Mapping[int, Fetched]:
        """What is there of these messages; those that are gone are left out."""
        with translated(self.server):
            # what came unasked names messages by place, which could be taken for UIDs
            self._client._imap.untagged_responses.pop("FETCH", None)
            found: Mapping[int, Fetched] = self._client.fetch(uids, items)
            return found

    def flag(self, uids: Sequence[int], flag: str, *, on: bool) -> None:
        """Give or take a flag; without an answer for each message."""
        with translated(self.server):
            change = self._client.add_flags if on else self._client.remove_flags
            change(uids, [flag], silent=True)

    def move(self, uid: int, folder: str) -> tuple[int, int] | None:
        """To another folder; validity and UID there, or None where the server does not tell.

        Raises `NoSuchFolder`.
        """
        with translated(self.server):
            self._client._imap.untagged_responses.pop("COPYUID", None)
            if self._client.has_capability("MOVE"):
                self._client.move([uid], folder)
            else:
                self._client.copy([uid], folder)
            copied = self._copied()
        if not self.has("MOVE"):
            self.remove(uid)
        return copied

    def _copied(self) -> tuple[int, int] | None:
        lines = self._client._imap.untagged_responses.pop("COPYUID", [])
        found = _COPY_UID.search(lines[-1]) if lines else None
        return (int(found[1]), int(found[2])) if found else None

    def remove(self, uid: int) -> None:
        """For good; where only all deleted messages could be expunged, ours is just marked."""
        self.flag([uid], "\\Deleted", on=True)
        if self.has("UIDPLUS"):
            with translated(self.server):
                self._client.uid_expunge([uid])

    def create(self, folder: str) -> None:
        """A new folder, subscribed so that mail programs show it; one that is there is fine."""
        try:
            with translated(self.server):
                self._client.create_folder(folder)
        except NoSuchFolder:
            raise
        except Refused as error:
            if error.code != "ALREADYEXISTS" and "exists" not in str(error):
                raise
        with suppress(Refused), translated(self.server):  # it can be used without
            self._client.subscribe_folder(folder)

    def special_folder(self, use: str) -> str | None:
        """Which of the user's own folders serves that purpose, such as ``\\Trash`` (RFC 6154)."""
        wanted = use.lower().encode()
        with translated(self.server):
            for flags, _, name in self._client.list_folders():
                if wanted in {flag.lower() for flag in flags}:
                    return str(name)
        return None

    def append(self, folder: str, mail: bytes, flags: Sequence[str], when: datetime) -> None:
        """Store a message. Raises `AppendUnsure` where nobody can tell whether it is stored."""
        try:
            with translated(self.server):
                self._client.append(folder, mail, flags, when)
        except ConnectionLost as error:
            raise AppendUnsure(str(error)) from None

    def quota(self, folder: str) -> Quota | None:
        """The fullest limit that holds for that folder (RFC 9208); None where there is none."""
        if not self.has("QUOTA"):
            return None
        with translated(self.server):
            _, limits = self._client.get_quota_root(self._client._normalise_folder(folder))
            found = [
                Quota(int(one.usage), int(one.limit), _MEASURES[one.resource])
                for one in limits
                if one.resource in _MEASURES
            ]
            return max(found, key=lambda quota: quota.share, default=None)

    def rights(self, folder: str) -> str:
        """What we may do there, a letter each (RFC 4314 §2.1)."""
        with translated(self.server):
            imap = self._client._imap
            kind, data = imap.myrights(self._client._normalise_folder(folder))
            self._client._checkok("myrights", kind, data)
            return bytes(data[-1]).rpartition(b" ")[2].decode("ascii")

    def certificate_end(self) -> datetime | None:
        """Until when the server's certificate is good; None without TLS."""
        peer = self._client.socket()
        return certificate_end(peer.getpeercert()) if isinstance(peer, ssl.SSLSocket) else None

    def hand_over(self) -> socket.socket:
        """The connection itself, for somebody who only listens; this session is over then.

        Between two commands: what the server has said unasked since the last one may be lost.
        """
        self.handed_over = True
        self.wire.forget()
        connection: socket.socket = self._client.socket()
        self._client._imap.file.close()  # it would hold the connection open after its end
        return connection

    def close(self) -> None:
        """Hang up."""
        if not self.handed_over:
            hang_up(self._client, self.wire)
