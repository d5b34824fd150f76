"""Settings of mails: how they look, how they are sent, and the welcome mail."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from vm_ari.config.directory import Table, go_together, secret_of
from vm_ari.domain.callers import printable
from vm_ari.domain.welcome import BadNumberSource, Link, NumberSource, WelcomeRules

_LONGEST_CLOSING = 2000


class SmtpSettings(Table):
    """The mail server that takes the mails of the system."""

    host: str = Field(min_length=1)
    port: int = Field(default=0, ge=0, le=65535)
    """0: 465 with ``tls``, else 587 with an account and 25 without."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """``none``: everybody on the way reads PINs along."""
    user: str = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    """Its first line is the password; only our own account may read the file."""
    ca_file: Path | None = None
    """Authority (PEM) that signed the server's certificate; else the system's ones count."""
    timeout_seconds: float = Field(default=20.0, gt=0, le=300)
    """For each answer of the server."""
    called: str = ""
    """Our own name in the greeting; empty: the machine's."""

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        """What makes no sense together."""
        go_together("user", self.user, self.account_password())
        if self.ca_file and self.security == "none":
            raise ValueError("ca_file: without security there is no certificate; remove one")
        if self.ca_file and not self.ca_file.is_file():
            raise ValueError(f"ca_file: there is no file {self.ca_file}; correct the path")
        return self

    def account_password(self) -> str:
        """From the file or the table; empty for none. Raises ValueError."""
        return secret_of(self.password, self.password_file)


class MailSettings(Table):
    """What mails look like, and how those of the system are sent."""

    sender: str = "voicemail@localhost"
    audio_format: Literal["wav", "wav49", "mp3", "opus"] = "wav"
    system_sender: str = ""
    """Address that mails of the system come from (welcome, lock, reminder); empty: *sender*."""
    system_sender_name: str = "Voicemail"
    information: bool = True
    """No welcome mail, receipt, PIN reminder, notice of a lock or of a new PIN or password, and no
    mail about the functions, if not: admins read out what users need."""
    queue: Path | None = None
    """Where mails of the system wait, sealed; none: ``system-mails`` in the spool."""
    smtp: SmtpSettings | None = None
    """Mails of the system go to this server; else into the users' own mailboxes."""


class WelcomeSettings(Table):
    """The mail that a user gets after the first call to the mailbox."""

    enabled: bool = False
    number: str = "fax-or-proxy"
    """Which number it names: ``fax``, ``proxy``, ``attribute NAME`` or a number."""
    one_time_pin: bool = False
    """A PIN that it brings must be changed at the first login."""
    login_number: str = ""
    """Where users dial in, as they dial it; empty: they call their own mailbox."""
    link: Link = Link.NONE
    """``portal``, ``imap-password`` or ``none``."""
    address: str = ""
    """Of the page behind the link, such as ``https://voicemail.example.com/``."""
    guide: bool = True
    """Attach the guide of the telephone menus as PDF."""
    closing: dict[str, str] = Field(default_factory=dict)
    """The site's own words at the end, by language: ``de = "…"``."""

    @field_validator("number")
    @classmethod
    def _a_source(cls, text: str) -> str:
        try:
            NumberSource.parse(text)
        except BadNumberSource as error:
            raise ValueError(str(error)) from None
        return text

    @field_validator("login_number")
    @classmethod
    def _one_line(cls, text: str) -> str:
        if text != printable(text, 40):
            raise ValueError("write a number of up to 40 characters")
        return text

    @field_validator("closing")
    @classmethod
    def _short_enough(cls, texts: dict[str, str]) -> dict[str, str]:
        for language, text in texts.items():
            if len(text) > _LONGEST_CLOSING:
                raise ValueError(f"{language}: {_LONGEST_CLOSING} characters are possible")
        return texts

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if self.link is Link.NONE:
            return self
        parts = urlsplit(self.address)
        if parts.scheme not in {"https", "http"} or not parts.hostname:
            raise ValueError(f"address: “{self.address}”: write https://host/path for the link")
        return self

    def rules(self, login_key: str) -> WelcomeRules:
        """What the mail follows; *login_key* leads from the greeting to the login."""
        return WelcomeRules(
            enabled=self.enabled,
            number=NumberSource.parse(self.number),
            one_time_pin=self.one_time_pin,
            login_number=self.login_number,
            login_key=login_key,
            link=self.link,
            address=self.address,
            guide=self.guide,
            closing=self.closing,
        )
