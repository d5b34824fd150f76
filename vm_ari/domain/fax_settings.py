"""What a user can decide about the faxes that leave in his name (UM-04)."""

from enum import StrEnum


class FaxReport(StrEnum):
    """Which of his faxes a user gets a mail about."""

    ALWAYS = "always"
    FAILED = "failed"
    """Only those that did not arrive."""
    NEVER = "never"


class FaxCover(StrEnum):
    """Which faxes begin with a cover page."""

    WITH_TEXT = "with-text"
    """Those for which a text was written."""
    ALWAYS = "always"
    NEVER = "never"
