"""Settings of texts that are spoken on the telephone: ``[spoken_messages]`` (SPEECH-04)."""

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network

from pydantic import Field, field_validator

from vm_ari.config.directory import Table
from vm_ari.config.orders import (
    AddressTemplate,
    Minutes,
    Networks,
    dialling_by,
    network_of,
    pauses_of,
)
from vm_ari.domain.dialling import DiallingRules
from vm_ari.domain.number_addresses import NumberAddress, NumberForm, parse
from vm_ari.domain.numbers import Site
from vm_ari.domain.office_hours import OfficeHours, parse_hours
from vm_ari.domain.retries import Retries
from vm_ari.domain.spoken_orders import Cause

ALWAYS = "always"


class SpokenMessageSettings(Table):
    """Texts that the system reads to somebody whom it calls."""

    enabled: bool = False
    """Do users send such messages?"""
    hours: str = "mon-sun 08:00-20:00"
    """When telephones may ring, in the sender's time: ``mon-fri 08:00-18:00``, or ``always``."""
    rules: tuple[str, ...] | None = None
    """Which numbers may be called so; none: as ``[dialling]`` says."""
    most_letters: int = Field(default=2000, ge=100, le=10_000)
    """Of one text; 2000 are about two minutes."""
    confirm: bool = False
    """Has everybody who is called to press a key? Else each sender decides. Answering machines are
    not recognised: without a key, what they have recorded counts as heard."""
    connect: bool = True
    """May who is called be connected with the sender's own telephone, inside the house?"""
    lines: int = Field(default=2, ge=1, le=100)
    """Calls at the same time."""
    ring_seconds: int = Field(default=40, ge=10, le=300)
    after_busy: Minutes = (2, 5, 15)
    """Minutes until the next call, after each that met a busy line; as many as there are calls."""
    after_no_answer: Minutes = (10, 30, 60)
    after_hung_up: Minutes = ()
    """Somebody did not listen to the end."""
    after_unconfirmed: Minutes = (15, 60)
    """Nobody pressed the key that was asked for."""
    after_trouble: Minutes = (1, 5, 15, 30, 60)
    """No line was free, or something was out of order."""
    give_up_hours: int = Field(default=24, ge=1, le=168)
    keep_days: int = Field(default=30, ge=1, le=3650)
    """So long messages that are over are listed."""
    mail_address: AddressTemplate = ""
    """Mails to such addresses are spoken: ``$(phonenumber)@voice.example.org``; empty: none."""
    mail_number_form: NumberForm = NumberForm.E164
    """Of numbers in these addresses: ``e164``, ``digits`` or ``national``."""
    mail_host: str = Field(default="127.0.0.1", min_length=1)
    """Where the site's mail server hands these mails over, by SMTP."""
    mail_port: int = Field(default=10127, gt=0, le=65535)
    mail_trusted: Networks = Field(default=("127.0.0.1", "::1"), min_length=1)
    """Hosts and networks that may bring mails: the site's own mail servers, and nobody else."""
    mail_authentication: str = Field(default="", pattern=r"^[A-Za-z0-9._-]*$")
    """As ``fax_sending.mail_authentication``."""

    @field_validator("hours")
    @classmethod
    def _readable(cls, text: str) -> str:
        try:
            parse_hours(text)
        except ValueError as error:
            raise ValueError(f"“{text}”: {error}; write mon-fri 08:00-18:00") from None
        return text

    def retries(self) -> Retries[Cause]:
        """When a call is made once more."""
        minutes = {
            Cause.BUSY: self.after_busy,
            Cause.NO_ANSWER: self.after_no_answer,
            Cause.DECLINED: (),
            Cause.HUNG_UP: self.after_hung_up,
            Cause.UNCONFIRMED: self.after_unconfirmed,
            Cause.TROUBLE: self.after_trouble,
        }
        return Retries(pauses_of(minutes), timedelta(hours=self.give_up_hours))

    def ringing_hours(self) -> OfficeHours:
        """When telephones may ring."""
        return parse_hours(self.hours)

    def dialling(self, otherwise: DiallingRules, site: Site) -> DiallingRules:
        """Which numbers may be called. Raises ValueError for a rule that is none."""
        return dialling_by(self.rules, otherwise, site, "spoken_messages.rules")

    def address(self) -> NumberAddress | None:
        """Which mails are spoken; None: none are."""
        return parse(self.mail_address, self.mail_number_form) if self.mail_address else None

    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Who may bring mails."""
        return tuple(network_of(text) for text in self.mail_trusted)
