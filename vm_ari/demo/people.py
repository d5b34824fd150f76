"""Who lives in the demo."""

import dataclasses
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vm_ari.domain.users import User

BASE_NUMBER = "+49305550"
DOMAIN = "demo.example"


@dataclass(frozen=True)
class Person:
    """A user of the demo, with everything needed to be him."""

    name: str
    extension: str
    language: str
    pin: str = field(default_factory=lambda: f"{secrets.randbelow(900_000) + 100_000}")
    phone_password: str = field(default_factory=lambda: secrets.token_hex(8))
    mail_password: str = field(default_factory=lambda: secrets.token_hex(8))
    """For the mail server, where there is one."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Of the directory's `User`, where they are not the usual ones."""

    @property
    def number(self) -> str:
        """E.164."""
        return BASE_NUMBER + self.extension

    @property
    def user(self) -> User:
        """The directory's view."""
        name = self.name.lower()
        user = User(name, self.name, self.extension, (self.number,), f"{name}@{DOMAIN}")
        return dataclasses.replace(user, language=self.language, **self.settings)
