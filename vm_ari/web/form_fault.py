"""Why a form is shown once more."""


class Fault(Exception):
    """What was sent cannot be done; the text is for the user, *where* names the field or form."""

    def __init__(self, where: str, text: str) -> None:
        super().__init__(text)
        self.where = where
