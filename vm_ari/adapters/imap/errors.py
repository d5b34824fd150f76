"""What can go wrong with a mail server. No text here ever holds a password or a message's words."""

import re

from vm_ari.domain.callers import printable
from vm_ari.ports import MailboxFull, MailboxUnavailable

LONGEST_ANSWER = 200
"""Characters of a server's answer that are told to the admin."""
_REFERRAL = re.compile(
    r"\[REFERRAL imap://(?:[^\]@/\s]*@)?([A-Za-z0-9.-]{1,253})(?::([0-9]{1,5}))?[/\]]"
)
_CODE = re.compile(r"\[([A-Z][A-Z0-9-]*)\b")
_NO_FOLDER = re.compile(r"(doesn't|does not) exist|unknown mailbox|no such mailbox", re.IGNORECASE)


class ImapError(MailboxUnavailable):
    """Any of the errors below."""


class ConnectionLost(ImapError):
    """The server does not answer or hung up: try another time."""


class Unreadable(ConnectionLost):
    """The server's answer came whole, and cannot be understood: a stranger's mail may do that."""


class CannotTrust(ConnectionLost):
    """The connection cannot be protected as it must be, or it is not the right server."""


class AppendUnsure(ConnectionLost):
    """The connection broke while a message was handed over: nobody knows whether it is stored."""


class LoginRefused(ImapError):
    """The server refuses this name or password: asking again slows others down, or locks it."""


class PasswordMissing(ImapError):
    """The user has stored no password yet, and only that would open the mailbox."""


class BadName(ImapError):
    """A name or password cannot be sent at all. The text says which characters it has."""


class Refused(ImapError):
    """The server understood, and said no."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code
        """The response code of RFC 5530, such as ``NOPERM``; empty where the server gave none."""


class NoSuchFolder(Refused):
    """There is no such folder, or we must not see it."""


class ReadOnly(Refused):
    """The folder can be opened, but nothing in it can be changed."""


class OverQuota(Refused, MailboxFull):
    """The mailbox is full."""


class TooBig(Refused):
    """The server takes no message that large."""


class ServerBusy(Refused):
    """The server says itself that it works again later."""


class Referred(Refused):
    """The server says which other one has the mailbox (RFC 2221, RFC 2193)."""

    def __init__(self, text: str, host: str, port: int) -> None:
        super().__init__(text, "REFERRAL")
        self.host = host
        self.port = port
        """0: none was named."""


_BY_CODE: dict[str, type[Refused]] = {
    "OVERQUOTA": OverQuota,
    "TRYCREATE": NoSuchFolder,
    "NONEXISTENT": NoSuchFolder,
    "TOOBIG": TooBig,
    "UNAVAILABLE": ServerBusy,
    "INUSE": ServerBusy,
    "LIMIT": ServerBusy,
    "CONTACTADMIN": ServerBusy,
    "SERVERBUG": ServerBusy,
}


def refusal(server: object, error: Exception) -> Refused:
    """The error for a server's NO or BAD (RFC 5530 §3)."""
    answer = told(error)
    if referral := _REFERRAL.search(answer):
        return Referred(f"{server}: {answer}", referral[1], int(referral[2] or 0))
    found = _CODE.search(answer)
    code = found[1] if found else ""
    kind = _BY_CODE.get(code, Refused)
    if kind is Refused and _NO_FOLDER.search(answer):
        kind = NoSuchFolder
    return kind(f"{server}: {answer}", code)


def told(error: BaseException) -> str:
    """One line for the admin; the server's words may be anything."""
    argument = error.args[0] if error.args else ""
    text = argument.decode("utf-8", "replace") if isinstance(argument, bytes) else str(error)
    return printable(text or type(error).__name__, LONGEST_ANSWER)
