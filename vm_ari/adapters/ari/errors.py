"""What can go wrong when talking to Asterisk."""


class AriError(Exception):
    """Asterisk refused a request; *status* is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class NotFound(AriError):
    """404: what the request was about is gone. 409: it is no longer in our hands."""


class AriUnavailable(Exception):
    """Asterisk does not answer (not running, booting, hung, wrong address or password)."""
