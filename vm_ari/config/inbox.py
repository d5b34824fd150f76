"""The table of the configuration about what users hear of their mailboxes by telephone."""

import re
from typing import Self

from pydantic import field_validator, model_validator

from vm_ari.config.directory import Table
from vm_ari.domain.kind_rules import KindRule
from vm_ari.domain.messages import ListOrder, MessageKind

_LANGUAGE = re.compile(r"[a-z]{2,3}")


class KindRuleSettings(Table):
    """One rule: mails whose header is like that are of that kind."""

    header: str
    """A header field, such as ``Subject`` or ``From``."""
    pattern: str
    """Its whole value, in capitals or not; ``*`` stands for anything, ``?`` for one character."""
    kind: MessageKind
    """``fax``, ``voice``, ``text`` (SMS) or ``mail``."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        self.rule()
        return self

    def rule(self) -> KindRule:
        """As mails are judged by. Raises ValueError."""
        return KindRule(self.header, self.pattern, self.kind)


class InboxSettings(Table):
    """Remote inquiry."""

    order: ListOrder = ListOrder.NEWEST_FIRST
    """Or ``oldest-first``; urgent messages come before all others."""
    read_mails: bool = True
    """E-mails and text messages are counted, offered and read aloud; users may decide it for
    themselves."""
    read_faxes: bool = True
    """The same of faxes, as far as their writing can be recognised."""
    languages: tuple[str, ...] = ("de", "en", "fr")
    """In which mails are read aloud; each needs a voice (table ``[speech]``)."""
    rules: tuple[KindRuleSettings, ...] = ()
    """What mails of gateways are that do not say it in a standard way; the first that matches."""

    @field_validator("languages")
    @classmethod
    def _codes(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        for code in languages:
            if not _LANGUAGE.fullmatch(code):
                raise ValueError(f"“{code}” is no language; write de, or en")
        return languages

    def kind_rules(self) -> tuple[KindRule, ...]:
        """As mails are judged by."""
        return tuple(one.rule() for one in self.rules)
