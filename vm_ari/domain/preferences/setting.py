"""One thing that can be set: how it is read, written and explained."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from vm_ari.domain.callers import printable
from vm_ari.domain.setting_forms import Form

T = TypeVar("T")

LONGEST_VALUE = 200


class BadSetting(ValueError):
    """A setting does not exist or cannot have that value. The text says what is possible."""


@dataclass(frozen=True)
class Setting(Generic[T]):
    """One thing that can be set."""

    key: str
    form: Form[T]
    default: T
    doc: str

    def parse(self, text: str) -> T:
        """The value; raises `BadSetting`."""
        try:
            if len(text) > LONGEST_VALUE or not text.isprintable():
                raise ValueError
            return self.form.read(text.strip())
        except (ValueError, KeyError, OSError):  # a zone may be a directory
            raise BadSetting(
                f"{self.key}: “{printable(text)}” is not possible; write {self.form.expects}."
            ) from None

    def format(self, value: T) -> str:
        """How the value is stored; raises `BadSetting` where it could not be read again."""
        text = self.form.write(value)
        self.parse(text)
        return text
