"""The table ``[manager]``: Asterisk's manager interface, and how the phones are called there."""

import re
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from vm_ari.config.directory import Table, secret_of
from vm_ari.domain.phone_numbers import NAMED_BY_NUMBER


class ManagerSettings(Table):
    """Asterisk's manager interface: for missed calls, and for lamps by ``ami``."""

    host: str = "127.0.0.1"
    port: int = Field(default=5038, gt=0, le=65535)
    user: str = ""
    """Account of manager.conf; empty: no calls are followed, and lamps are lit by other ways."""
    secret: SecretStr = SecretStr("")
    secret_file: Path | None = None
    """Its first line is the secret; only our own account may read the file."""
    phone_pattern: str = NAMED_BY_NUMBER.pattern
    """Which number a phone has: fits its whole name in Asterisk, such as ``PJSIP/101``; the group
    ``number`` is the number. Where it does not fit, the number counts that Asterisk shows."""
    phones: dict[str, str] = Field(default_factory=dict)
    """Phones that are called differently: ``anna-desk = "101"``; these win."""

    @field_validator("phone_pattern")
    @classmethod
    def _usable(cls, text: str) -> str:
        try:
            pattern = re.compile(text)
        except re.error as error:
            raise ValueError(f"“{text}” is no regular expression: {error}") from None
        if "number" not in pattern.groupindex:
            raise ValueError(f"“{text}”: put (?P<number>...) around the number")
        return text

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.user and not self.account_secret():
            raise ValueError("secret_file: is missing; the account needs a secret")
        return self

    def account_secret(self) -> str:
        """From the file or the table; empty for none. Raises ValueError."""
        return secret_of(self.secret, self.secret_file, "secret")
