"""Settings of the ways to tell users of new messages: SMS, webhook, and calls (NOTIFY-03)."""

import re
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from vm_ari.config.directory import Table, first_line
from vm_ari.config.orders import AddressTemplate, dialling_by
from vm_ari.domain.dialling import DiallingRules
from vm_ari.domain.notice_call import NoticeCallRules
from vm_ari.domain.number_addresses import NumberForm
from vm_ari.domain.numbers import Site
from vm_ari.domain.office_hours import OfficeHours, parse_hours

_HEADER = re.compile("[A-Za-z0-9][A-Za-z0-9-]*")


class _Server(Table):
    """A web server of somebody else."""

    secret_file: Path | None = None
    """Its first line is the secret; only our own account may read the file."""
    ca_file: Path | None = None
    """Authority (PEM) that signed the server's certificate; else the system's ones count."""
    timeout_seconds: float = Field(default=10.0, gt=0, le=120)
    """For a whole request."""
    plaintext: bool = False
    """Talk to ``http://`` of another machine: everybody on the way reads and changes it."""

    def secret(self) -> str:
        """From the file; empty for none. Raises ValueError."""
        return first_line(self.secret_file, "secret_file") if self.secret_file else ""

    def _check(self, url: str) -> None:
        """Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in {"https", "http"} or not parts.hostname:
            raise ValueError(f"url: “{url[:60]}”: write https://host/path")
        if "{" in parts.netloc or "@" in parts.netloc:
            raise ValueError("url: the host must be written out, without an account")
        if parts.scheme == "http" and not (self.plaintext or _is_here(parts.hostname)):
            raise ValueError("url: write https://, or plaintext = true if you must")
        if self.ca_file and parts.scheme == "http":
            raise ValueError("ca_file: http:// has no certificate; remove one of both")
        if self.ca_file and not self.ca_file.is_file():
            raise ValueError(f"ca_file: there is no file {self.ca_file}; correct the path")
        self.secret()


class SmsSettings(_Server):
    """Short messages about new messages, through a gateway."""

    way: Literal["none", "mail", "http"] = "none"
    """The gateway takes ``mail`` (by the server of ``[mail.smtp]``) or ``http`` requests."""
    sender: str = Field(default="", max_length=20)
    """Number or name that telephones show, for users who have chosen none."""
    rules: tuple[str, ...] | None = None
    """Which numbers may get one; none: as ``[dialling]`` says. Premium numbers never do."""
    give_up_hours: float = Field(default=4.0, gt=0, le=168)
    """So long a message that cannot be sent is tried again."""
    per_day: int = Field(default=20, ge=0, le=10_000)
    """To one user in a day (UTC); 0: no limit. Who leaves messages decides how many there are."""
    mail_address: AddressTemplate = ""
    """Where a mail for a number goes, such as ``$(phonenumber)@sms.example.org``."""
    mail_sender: str = ""
    """Mail address that these mails come from; empty: as mails of the system."""
    sender_address: AddressTemplate = ""
    """Template of that address where a message has a sender with a number."""
    number_form: NumberForm = NumberForm.E164
    """Of numbers in these addresses: ``e164`` (+4930…), ``digits`` (4930…) or ``national``
    (030…)."""
    mail_subject: str = Field(default="", max_length=100)
    """Of these mails: some gateways want a keyword there."""
    url: str = ""
    """Address of the gateway; a template, as are headers and body."""
    method: Literal["GET", "POST", "PUT"] = "POST"
    headers: dict[str, str] = Field(default_factory=dict)
    body: str = ""
    """Such as ``{"to": "{{ number }}", "text": "{{ text }}"}``; values are escaped for the
    *content_type*."""
    content_type: str = "application/json"
    account: str = ""
    """For basic authentication, with the secret as its password."""
    success: str = ""
    """Pattern that a good answer contains, such as ``"status": *"ok"``; empty: 2xx is enough."""

    @field_validator("headers")
    @classmethod
    def _names(cls, given: dict[str, str]) -> dict[str, str]:
        for name in given:
            if not _HEADER.fullmatch(name):
                raise ValueError(f"“{name}”: a name has letters, digits and - only")
        return given

    @field_validator("success")
    @classmethod
    def _a_pattern(cls, text: str) -> str:
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f"“{text}” is no pattern: {error}") from None
        return text

    @model_validator(mode="after")
    def _complete(self) -> Self:
        match self.way:
            case "mail" if not self.mail_address:
                raise ValueError("mail_address: is missing; way = “mail” needs it")
            case "http":
                self._check(self.url)
        if self.account and not self.secret_file:
            raise ValueError("secret_file: is missing; account and secret_file go together")
        return self

    def dialling(self, usual: DiallingRules, site: Site) -> DiallingRules:
        """Which numbers may get a message. Raises ValueError."""
        return dialling_by(self.rules, usual, site, "sms.rules")

    @property
    def give_up(self) -> timedelta:
        """After which time it is not tried any more."""
        return timedelta(hours=self.give_up_hours)


class WebhookSettings(_Server):
    """A program of the site that is told of new messages, by signed HTTP requests."""

    url: str
    """Such as ``https://crm.example.org/voicemail``."""
    give_up_hours: float = Field(default=72.0, gt=0, le=720)
    """So long an event that is not taken is sent again."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        self._check(self.url)
        if not self.secret_file:
            raise ValueError("secret_file: is missing; its first line signs what is sent")
        return self

    @property
    def give_up(self) -> timedelta:
        """After which time it is not tried any more."""
        return timedelta(hours=self.give_up_hours)


class NoticeCallSettings(Table):
    """Calls to users' telephones that offer the new messages."""

    enabled: bool = False
    tries: int = Field(default=3, ge=1, le=20)
    """So often nobody is reached before it is given up."""
    interval_minutes: int = Field(default=10, ge=1, le=24 * 60)
    """Between two tries."""
    hours: str = "mon-sun 08:00-20:00"
    """When telephones may ring, in the user's time: ``mon-fri 08:00-18:00``, or ``always``."""
    within_office_hours: bool = False
    """Only in the user's own office hours; *hours* are for users who have none."""
    at_once: int = Field(default=2, ge=1, le=50)
    """Calls side by side."""
    name: str = Field(default="Voicemail", max_length=40)
    """On the display, beside the number."""

    @field_validator("hours")
    @classmethod
    def _readable(cls, text: str) -> str:
        try:
            parse_hours(text)
        except ValueError as error:
            raise ValueError(f"“{text}”: {error}; write mon-fri 08:00-18:00") from None
        return text

    def rules(self, dialling: DiallingRules, common: str) -> NoticeCallRules | None:
        """As the rest of the program sees it; *common*: the number that everybody calls."""
        if not self.enabled:
            return None
        return NoticeCallRules(
            dialling=dialling,
            tries=self.tries,
            interval=timedelta(minutes=self.interval_minutes),
            hours=self._hours,
            within_office_hours=self.within_office_hours,
            name=self.name,
            common=common,
            at_once=self.at_once,
        )

    @property
    def _hours(self) -> OfficeHours:
        return parse_hours(self.hours)


def _is_here(host: str) -> bool:
    """Is it this machine?"""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
