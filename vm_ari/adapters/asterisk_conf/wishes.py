"""What an administrator wants of `install-config`, and what comes of it."""

import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from vm_ari.domain.feature_codes import Codes

_CHOSEN = "; chosen: "
_SECRET = re.compile(r"(?m)^(?P<key>[ +-]*(?:password|secret) *=).*$")


@dataclass(frozen=True)
class Account:
    """A name and a password, for ari.conf or manager.conf and for the controller."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Chosen:
    """What an administrator has said, and the next run shall know; empty: nothing."""

    codes: Codes | None = None
    no_codes: bool = False
    """None shall be put into the dialplan."""
    phones: str = ""
    """Context of the own telephones, where the codes are dialled."""
    out: str = ""
    """Context that dials for callers."""
    manager: bool | None = None
    """Shall calls be followed?"""
    sounds: str = ""
    language: str = ""
    flavour: str = ""

    def line(self) -> str:
        """For a comment in our own file."""
        said = {key: value for key, value in asdict(self).items() if value not in (None, "", False)}
        if self.manager is False:
            said["manager"] = False
        return f"{_CHOSEN}{json.dumps(said)}\n"

    def over(self, earlier: "Chosen") -> "Chosen":
        """What is said now, else what was said before."""
        codes = self if self.codes or self.no_codes else earlier
        return Chosen(
            codes.codes,
            codes.no_codes,
            self.phones or earlier.phones,
            self.out or earlier.out,
            earlier.manager if self.manager is None else self.manager,
            self.sounds or earlier.sounds,
            self.language or earlier.language,
            self.flavour or earlier.flavour,
        )


def chosen_before(text: str) -> Chosen:
    """Out of our own file; one that somebody has changed says nothing."""
    lines = [line for line in text.splitlines() if line.startswith(_CHOSEN)]
    try:
        said = json.loads(lines[0].removeprefix(_CHOSEN)) if lines else {}
        codes = said.pop("codes", None)
        return Chosen(codes=Codes(**codes) if codes else None, **said)
    except (ValueError, TypeError, AttributeError):
        return Chosen()


@dataclass(frozen=True)
class Wishes:
    """What our files say that differs from site to site."""

    shipped: Path
    """Where ``asterisk-conf/`` lies."""
    sounds: Path
    ari: Account
    manager: Account | None
    """None: calls are not followed."""
    app: str = "vm-ari"
    language: str = "en"
    codes: Codes | None = None
    """None: none is put into the dialplan."""
    chosen: Chosen = Chosen()


@dataclass(frozen=True)
class Change:
    """One file as it is and as it is to be; None: it is not there."""

    path: Path
    before: bytes | None = field(repr=False)
    after: bytes | None = field(repr=False)
    secret: bool = False
    """It is for Asterisk only: 0640."""
    backup: Path | None = None
    """Where a copy of the original is kept; None: it is our own file."""
    like: Path | None = None
    """Whose owner a new file gets; None: that of Asterisk's other files."""

    @property
    def does_something(self) -> bool:
        """Or is all as it should be?"""
        return self.before != self.after

    @property
    def deed(self) -> str:
        """In one word."""
        if not self.does_something:
            return "unchanged"
        if self.before is None:
            return "make"
        return "remove" if self.after is None else "change"

    def diff(self) -> str:
        """As ``diff -u`` shows it, without passwords."""
        old, new = (_lines(one) for one in (self.before, self.after))
        name = str(self.path)
        text = "".join(difflib.unified_diff(old, new, name, name))
        return _SECRET.sub(r"\g<key> (not shown)", text)


@dataclass(frozen=True)
class Plan:
    """What is to be changed, in that order, and what a person should know."""

    changes: Sequence[Change]
    notes: Sequence[str] = ()
    reload: Sequence[str] = ()
    """Commands of Asterisk's console that make it read its files again."""


def _lines(content: bytes | None) -> list[str]:
    text = (content or b"").decode(errors="replace")
    return [f"{line}\n" for line in text.splitlines()]
