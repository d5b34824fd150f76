"""What can go wrong with a directory server. No text here ever holds a password or a PIN."""

from enum import IntEnum


class Code(IntEnum):
    """Result codes that matter here (RFC 4511 appendix A)."""

    SUCCESS = 0
    SIZE_LIMIT_EXCEEDED = 4
    REFERRAL = 10
    ADMIN_LIMIT_EXCEEDED = 11
    NO_SUCH_ATTRIBUTE = 16
    CONSTRAINT_VIOLATION = 19
    ATTRIBUTE_OR_VALUE_EXISTS = 20
    NO_SUCH_OBJECT = 32
    INVALID_CREDENTIALS = 49
    INSUFFICIENT_ACCESS = 50
    BUSY = 51
    UNAVAILABLE = 52
    UNWILLING_TO_PERFORM = 53
    ENTRY_ALREADY_EXISTS = 68


class LdapError(Exception):
    """Any of the errors below, between the modules of this package."""


class ServerLost(LdapError):
    """The server does not answer, hung up or cannot work now: another one may."""


class CannotTrust(ServerLost):
    """The connection cannot be protected as it must be, or it is not the right server."""


class AccountRefused(ServerLost):
    """The server refuses our account's name or password: asking again could lock it."""


class NotServed(ServerLost):
    """The server does not serve an account, with that result code."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class Refused(LdapError):
    """The server understood, and said no."""


class WriteRefused(Refused):
    """Reading is allowed, this change is not."""


class Conflict(Refused):
    """Somebody else has changed the same values meanwhile: read again."""


class Unfit(Refused):
    """The attribute does not take such a value, or not so many of them."""


class NoSuchEntry(Refused):
    """There is no such entry, or we must not see it."""


class EntryExists(Refused):
    """There is an entry of that name already."""


_BY_CODE: dict[int, type[LdapError]] = {
    Code.BUSY: ServerLost,
    Code.UNAVAILABLE: ServerLost,
    Code.NO_SUCH_ATTRIBUTE: Conflict,
    Code.ATTRIBUTE_OR_VALUE_EXISTS: Conflict,
    Code.CONSTRAINT_VIOLATION: Unfit,
    Code.NO_SUCH_OBJECT: NoSuchEntry,
    Code.ENTRY_ALREADY_EXISTS: EntryExists,
    Code.REFERRAL: WriteRefused,
    Code.INSUFFICIENT_ACCESS: WriteRefused,
    Code.UNWILLING_TO_PERFORM: WriteRefused,
}


def refusal(text: str, code: int) -> LdapError:
    """The error for a result code other than success."""
    return _BY_CODE.get(code, Refused)(text)
