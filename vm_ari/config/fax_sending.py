"""Settings of faxes that users send: ``[fax_sending]`` (UM-04)."""

import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Literal, Self

from pydantic import Field, model_validator

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
from vm_ari.domain.fax_orders import Cause, FaxLimits
from vm_ari.domain.number_addresses import NumberAddress, NumberForm, parse
from vm_ari.domain.numbers import Site
from vm_ari.domain.retries import Retries


class FaxSendingSettings(Table):
    """What users send by fax, and how it is dialled."""

    enabled: bool = False
    """Are faxes sent by this Asterisk? It needs ``extensions_vm_ari_fax_out.conf``."""
    endpoint: str = Field(default="", pattern=r"^([^{}]*\{number\}[^{}]*)?$")
    """How Asterisk dials a fax number; empty: as ``dialling.endpoint``. T.38 is possible only with
    an endpoint of the trunk itself, such as ``PJSIP/{number}@trunk``."""
    t38: Literal["accept", "ask", "off"] = "accept"
    """``accept``: where the other side asks for it, as it should; ``ask`` for it ourselves; or
    ``off``: all faxes go as audio."""
    rate: Literal[2400, 4800, 7200, 9600, 12000, 14400] = 14400
    """Most bits per second."""
    ring_seconds: int = Field(default=60, ge=10, le=300)
    lines: int = Field(default=2, ge=1, le=100)
    """Faxes at the same time."""
    rules: tuple[str, ...] | None = None
    """Which numbers may be faxed to; none: as ``[dialling]`` says."""
    paper: Literal["a4", "letter"] = "a4"
    most_pages: int = Field(default=100, ge=1, le=1000)
    largest_megabytes: int = Field(default=20, ge=1, le=30)
    """All documents of one fax together."""
    after_busy: Minutes = (2, 5, 10, 20, 40)
    """Minutes until the next call, after each that met a busy line; as many as there are calls."""
    after_no_answer: Minutes = (5, 15, 30, 60)
    after_dropped: Minutes = (1, 3, 10, 30)
    """The line was lost in the middle: the next call goes on with the first missing page."""
    after_no_fax: Minutes = (10,)
    """Somebody answered, but no fax machine."""
    after_trouble: Minutes = (1, 5, 15, 30, 60, 120)
    """No line was free, or Asterisk could not dial."""
    give_up_hours: int = Field(default=24, ge=1, le=168)
    keep_days: int = Field(default=30, ge=1, le=3650)
    """So long faxes that are over are listed, and can be sent again."""
    mail_address: AddressTemplate = ""
    """Mails to such addresses become faxes: ``$(phonenumber)@fax.example.org``; empty: none."""
    mail_number_form: NumberForm = NumberForm.E164
    """Of numbers in these addresses: ``e164``, ``digits`` or ``national``."""
    mail_host: str = Field(default="127.0.0.1", min_length=1)
    """Where the site's mail server hands these mails over, by SMTP."""
    mail_port: int = Field(default=10126, gt=0, le=65535)
    mail_trusted: Networks = Field(default=("127.0.0.1", "::1"), min_length=1)
    """Hosts and networks that may bring mails: the site's own mail servers, and nobody else."""
    mail_authentication: str = Field(default="", pattern=r"^[A-Za-z0-9._-]*$")
    """Name by which the mail server signs its ``Authentication-Results``; then only mails count
    whose sender it has proved by DKIM, SPF, DMARC or login. Empty: that is not asked for."""

    @model_validator(mode="after")
    def _stays(self) -> Self:
        """Asterisk would put another channel in place of the one that we know."""
        if re.match("(?i)local/", self.endpoint) and not self.endpoint.endswith("/n"):
            raise ValueError(
                f"endpoint: “{self.endpoint}”: a Local channel needs /n at its end: "
                f"{self.endpoint}/n"
            )
        return self

    def limits(self) -> FaxLimits:
        """What one fax may be."""
        return FaxLimits(pages=self.most_pages, octets=self.largest_megabytes * 1_000_000)

    def retries(self) -> Retries[Cause]:
        """When a fax is tried again."""
        minutes = {
            Cause.BUSY: self.after_busy,
            Cause.NO_ANSWER: self.after_no_answer,
            Cause.DROPPED: self.after_dropped,
            Cause.NO_FAX: self.after_no_fax,
            Cause.TROUBLE: self.after_trouble,
        }
        return Retries(pauses_of(minutes), timedelta(hours=self.give_up_hours))

    def dialling(self, otherwise: DiallingRules, site: Site) -> DiallingRules:
        """Which numbers may be faxed to. Raises ValueError for a rule that is none."""
        return dialling_by(self.rules, otherwise, site, "fax_sending.rules")

    def address(self) -> NumberAddress | None:
        """Which mails become faxes; None: none do."""
        return parse(self.mail_address, self.mail_number_form) if self.mail_address else None

    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Who may bring mails."""
        return tuple(network_of(text) for text in self.mail_trusted)

    @property
    def how(self) -> str:
        """Options of Asterisk's SendFAX."""
        return {"accept": "f", "ask": "fz", "off": "F"}[self.t38]
