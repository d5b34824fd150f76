"""Settings of mails about missed calls (MISSED)."""

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from vm_ari.config.directory import Table, go_together, secret_of
from vm_ari.domain.missed_calls import (
    BadListedNumber,
    MissedCallRules,
    NotFor,
    Tell,
    parse_listed,
)
from vm_ari.domain.number_links import BadPrefix, parse_prefix
from vm_ari.domain.numbers import Site

USERS, SITES = "user", "site"


class ContactAttributeSettings(Table):
    """Names of attributes; an empty one is not used."""

    name: str = "cn"
    organisation: str = "o"
    mail: str = "mail"
    numbers: tuple[str, ...] = Field(default=("telephoneNumber", "mobile"), min_length=1)


class ContactSettings(Table):
    """Who is known beside the users: ``[missed_calls.contacts]``."""

    seconds: float = Field(default=3.0, gt=0, le=30)
    """So long each source is waited for; then the mail goes without contact."""
    vcard: Path | None = None
    """A file of vCards; read again when it has changed."""
    bases: tuple[str, ...] = ()
    """Subtrees of an LDAP server, such as ``ou=contacts,dc=example,dc=org``; none: none."""
    filter: str = ""
    """Such as ``(|(telephoneNumber=${UMS})(mobile=${UMS}))``; empty: whoever has the number in one
    of ``attributes.numbers``."""
    attributes: ContactAttributeSettings = ContactAttributeSettings()
    servers: tuple[str, ...] = ()
    """As in ``[directory.ldap]``, and the keys that follow; none: those of that table count."""
    plaintext: bool = False
    account: str = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.servers and not self.bases:
            raise ValueError("bases: is missing; name the subtrees of contacts on these servers")
        if (self.account or self.ca_file or self.plaintext) and not self.servers:
            raise ValueError("servers: is missing; or remove account, ca_file and plaintext")
        go_together("account", self.account, self.account_password())
        return self

    def account_password(self) -> str:
        """From the file or the table; empty for none. Raises ValueError."""
        return secret_of(self.password, self.password_file)


class MissedCallSettings(Table):
    """Who is told by mail of a call that nobody has answered; needs ``[manager]``."""

    tell: Tell = Tell.NOBODY
    """``nobody``, the ``first`` or the ``last`` phone that rang, or ``all`` that did not answer."""
    answered_elsewhere: bool = False
    """Also when somebody else has answered."""
    message_left: bool = False
    """Also when the caller has left a voice message, which is a mail itself."""
    not_for: frozenset[NotFor] = frozenset()
    """Calls of which nobody is told: ``internal``, ``withheld``, ``unknown``, ``same-day``,
    ``until-login``."""
    shortest_seconds: float = Field(default=2.0, ge=0, le=60)
    """What rang for less time is passed over."""
    numbers: tuple[str, ...] = ()
    """Callers of whom nobody is told, such as the door: ``"199"``, ``"+49 30 555 7*"``."""
    caller_as: str = Field(default="reply-to", pattern="^(reply-to|from|nothing)$")
    """The caller's mail address is where answers go, the sender, or unused."""
    vcard: bool = True
    """Is the caller's contact attached?"""
    link_prefix: str = "tel:"
    """Before numbers in links: ``tel:``, ``phone:``, ``callto:``, an own one, or ``none``."""
    language: str = USERS
    """Of the mail: ``user``, ``site`` (its language), or one such as ``de``."""
    wait_seconds: float = Field(default=10.0, ge=0, le=600)
    """So long after a call it is decided: until then a voice message may have come in."""
    url: str = ""
    """Database of what is remembered of calls; empty: ``directory.url``."""
    days: int = Field(default=30, ge=1, le=3650)
    """So long it is remembered."""
    contacts: ContactSettings = ContactSettings()

    @field_validator("link_prefix")
    @classmethod
    def _a_prefix(cls, text: str) -> str:
        try:
            parse_prefix(text)
        except BadPrefix as error:
            raise ValueError(str(error)) from None
        return text

    @field_validator("language")
    @classmethod
    def _a_language(cls, text: str) -> str:
        if not text or not text.replace("-", "").isalnum() or not text.isascii():
            raise ValueError(f"“{text}”: write user, site, or a language such as de")
        return text

    @field_validator("numbers")
    @classmethod
    def _numbers(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for text in given:
            if not text.strip(" *"):
                raise ValueError(f"“{text}” lists every number; write tell = “nobody” instead")
        return given

    def mail_language(self, site: str) -> str:
        """Empty: each user's own; *site* is the site's."""
        return {USERS: "", SITES: site}.get(self.language, self.language)

    def rules(self, sites: tuple[Site, ...]) -> MissedCallRules:
        """What the program follows. Raises ValueError for a number that is none."""
        try:
            listed = tuple(parse_listed(text, sites[0]) for text in self.numbers)
        except BadListedNumber as error:
            raise ValueError(f"missed_calls.numbers: {error}") from None
        return MissedCallRules(
            tell=self.tell,
            answered_elsewhere=self.answered_elsewhere,
            message_left=self.message_left,
            not_for=self.not_for,
            shortest=timedelta(seconds=self.shortest_seconds),
            listed=listed,
            sites=sites,
        )
