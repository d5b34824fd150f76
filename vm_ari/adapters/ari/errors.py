"""What can go wrong when talking to Asterisk."""

from vm_ari.telephony.channel import LineFault, LineSilent


class AriError(Exception):
    """Asterisk refused a request; *status* is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class NotFound(AriError):
    """404: what the request was about is gone. 409: it is no longer in our hands."""


class AriUnavailable(Exception):
    """Asterisk does not answer (not running, booting, hung, wrong address or password)."""


def fault_of(error: AriError | AriUnavailable) -> LineFault:
    """What a script is told. A refusal is a decision; without an answer nobody knows."""
    kind = LineSilent if isinstance(error, AriUnavailable) else LineFault
    return kind(str(error))
