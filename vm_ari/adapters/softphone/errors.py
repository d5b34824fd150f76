"""What can go wrong on the softphone, named for whoever reads it."""


class SoftphoneError(Exception):
    """Base of everything the softphone raises on purpose."""


class Refused(SoftphoneError):
    """The server said no: *status* and *reason* are those of its SIP response."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason


class RegistrationRefused(Refused):
    """The registrar does not take this user or this password."""


class SubscriptionRefused(Refused):
    """The server does not tell this phone about its mailbox."""


class CallRefused(Refused):
    """The call was never answered: busy, unknown number, nobody there, cancelled."""


class ServerSilent(SoftphoneError):
    """No response within the time RFC 3261 allows (64 × T1, 32 s by default)."""


class CallEnded(SoftphoneError):
    """The call is over (or not answered yet), so nothing can be said or pressed."""


class KeysNotOffered(SoftphoneError):
    """The other side did not agree to RFC 4733 telephone events."""


class LampNotSeen(SoftphoneError, TimeoutError):
    """The message lamp did not show the expected counts in time."""


class PhoneSilent(SoftphoneError, TimeoutError):
    """Nobody called this phone in time."""
