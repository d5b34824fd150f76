"""Settings: TOML files, then the environment (``VM_ARI__ASTERISK__PASSWORD``); typed and checked.

An unknown key is an error, as is a missing one; the message names it, and where it stands.
"""

import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator

from vm_ari.config_call_back import CallBackSettings
from vm_ari.config_channels import NoticeCallSettings, SmsSettings, WebhookSettings
from vm_ari.config_directory import DirectorySettings
from vm_ari.config_directory import Table as _Table
from vm_ari.config_fax_reception import FaxReceptionSettings
from vm_ari.config_fax_sending import FaxSendingSettings
from vm_ari.config_greetings import GreetingSettings, SpeechSettings
from vm_ari.config_inbox import InboxSettings
from vm_ari.config_journal import JournalSettings
from vm_ari.config_logins import LoginSettings
from vm_ari.config_logs import LogSettings
from vm_ari.config_mail import MailSettings, WelcomeSettings
from vm_ari.config_manager import ManagerSettings
from vm_ari.config_metrics import MetricsSettings
from vm_ari.config_missed_calls import MissedCallSettings
from vm_ari.config_notifications import NotificationSettings
from vm_ari.config_organisations import (
    OrganisationSettings,
    UserSettings,
    checked_settings,
    record_of,
)
from vm_ari.config_problems import explained
from vm_ari.config_rights import RightsSettings
from vm_ari.config_sending import SendingSettings
from vm_ari.config_site import FurtherSite, SiteSettings
from vm_ari.config_site_mails import SiteMailSettings
from vm_ari.config_sources import BadSource, Given, gather
from vm_ari.config_speech import TranscriptionSettings
from vm_ari.config_spoken import SpokenMessageSettings
from vm_ari.config_store import ImapSettings, StoreSettings
from vm_ari.config_watching import WatchingSettings
from vm_ari.config_web import WebSettings
from vm_ari.domain.access import LoginRules
from vm_ari.domain.dialling import BadRule, DiallingRules, parse_rule
from vm_ari.domain.entries import Organisation, site_texts
from vm_ari.domain.numbers import Site, problems_of
from vm_ari.domain.organisations import OrganisationRecord
from vm_ari.domain.preferences import NAMING_PROFILES, OPERATOR
from vm_ari.domain.recording import Limits
from vm_ari.domain.setting_forms import NONE
from vm_ari.domain.settings import Deletion, Hideable, InformationOrder, Rules
from vm_ari.domain.transfer import TransferRules, Waiting
from vm_ari.domain.welcome import WelcomeRules


class BadConfig(Exception):
    """The configuration cannot be used; the text says what, where and what to do."""


def shared_files() -> Path:
    """Where sounds/, templates/ and asterisk-conf/ lie: beside the source, or installed."""
    beside = Path(__file__).resolve().parent.parent
    return beside if (beside / "sounds").is_dir() else Path(sys.prefix) / "share" / "vm-ari"


class AsteriskSettings(_Table):
    """How to reach Asterisk's REST interface."""

    url: str = "http://127.0.0.1:8088"
    user: str = "vm-ari"
    password: SecretStr
    app: str = "vm-ari"
    way: Literal["auto", "http", "websocket"] = "auto"
    most_calls: int = Field(default=300, gt=0)
    """Above so many calls at once the dialplan takes the message by itself."""
    latest_answer: float = Field(default=1.0, gt=0, le=2.0)
    """Seconds; a call whose news waited longer, on an overloaded machine, goes to the dialplan."""


class LampSettings(_Table):
    """How phones are told about their lamps (message-waiting indication)."""

    method: Literal["auto", "ari", "minivm", "publish", "ami"] = "auto"
    """The first of these that this Asterisk offers, or the one that is named."""
    sip_host: str = "127.0.0.1"
    sip_port: int = Field(default=5060, gt=0, le=65535)
    sip_user: str = ""
    """Account for SIP PUBLISH; empty: that way is not tried."""
    sip_password: SecretStr = SecretStr("")
    account_host: str = Field(default="", pattern=r"^[A-Za-z0-9.:\[\]-]{0,100}$")
    """SIP server as telephones know it: with ``ami`` they are told the number to call back."""


class SpoolSettings(_Table):
    """The disk between caller and mailbox."""

    directory: Path = Path("/var/spool/asterisk/recording/vm-ari")
    """Must lie below Asterisk's recording directory, and be called ``vm-ari``."""


class CallSettings(_Table):
    """Recording and menus."""

    longest_seconds: int = Field(default=180, ge=5, le=3600)
    silence_seconds: int = Field(default=8, ge=2, le=60)
    shortest_seconds: float = Field(default=2.0, ge=0, le=60)
    warning_seconds: int = Field(default=10, ge=0, le=60)
    review: bool = True
    options_after_message: bool = True
    information_order: InformationOrder = InformationOrder.DATE_SENDER_CONTENT
    """What is heard of a message first: ``date-sender-content``, ``content-date-sender`` or
    ``date-content-sender``."""
    delete: Deletion = Deletion.FOLDER
    """A message that is deleted by telephone goes into the ``folder`` of deleted ones, or is
    removed ``for good`` at the end of the call."""
    key_map: str = "default"
    """Name of a shipped one (``vm-ari keymap list``), or path of your own file."""
    operator_key: bool = False
    """Does a key lead from the greeting to the operator?"""
    operator: str = ""
    """Number of the operator; users may have their own."""

    @field_validator("operator")
    @classmethod
    def _dialable(cls, number: str) -> str:
        return OPERATOR.format(OPERATOR.parse(number)) if number else ""


class MenuSettings(_Table):
    """What users are offered by telephone."""

    hidden: tuple[Hideable, ...] = ()
    """Neither spoken nor accepted: ``hidden = ["transfer", "delete-all-greetings"]``."""


class DiallingSettings(_Table):
    """Which numbers transfers, callbacks and recording calls may reach."""

    rules: tuple[str, ...] = ()
    """Such as ``deny +49900`` or ``allow AT``; the first that matches decides."""
    endpoint: str = Field(
        default="Local/{number}@vm-ari-out/n", pattern=r"^[^{}]*\{number\}[^{}]*$"
    )
    """How Asterisk dials a number: by the context of our dialplan, or ``PJSIP/{number}@trunk``."""

    locations: dict[str, str] = Field(default_factory=dict)
    """Other endpoints, by location: ``berlin = "PJSIP/{number}@berlin"``; which one a user is at
    says ``notifications.location_attribute``."""

    @field_validator("locations")
    @classmethod
    def _ways(cls, given: dict[str, str]) -> dict[str, str]:
        for name, endpoint in given.items():
            if not re.fullmatch(r"[^{}]*\{number\}[^{}]*", endpoint):
                raise ValueError(f"“{name}”: write an endpoint such as PJSIP/{{number}}@trunk")
            cls._stays(endpoint)
        return given

    @field_validator("endpoint")
    @classmethod
    def _stays(cls, text: str) -> str:
        """Asterisk would put another channel in place of the one that we know."""
        if text.lower().startswith("local/") and not text.endswith("/n"):
            raise ValueError(f"“{text}”: a Local channel needs /n at its end: {text}/n")
        return text


class TransferSettings(_Table):
    """How callers are connected with somebody else."""

    hears: Waiting = Waiting.RINGING
    """Until somebody answers: ``ringing`` or ``music`` (Asterisk's class of music on hold)."""
    may_give_up: bool = True
    """The key ``*`` brings a waiting caller back."""
    leaves_server: bool = False
    """Hand a finished transfer over to the caller's telephone system (SIP REFER)."""


class Config(_Table):
    """Everything that is configured."""

    asterisk: AsteriskSettings
    manager: ManagerSettings = ManagerSettings()
    lamps: LampSettings = LampSettings()
    spool: SpoolSettings = SpoolSettings()
    directory: DirectorySettings = DirectorySettings()
    store: StoreSettings = StoreSettings()
    imap: ImapSettings | None = None
    watching: WatchingSettings = WatchingSettings()
    inbox: InboxSettings = InboxSettings()
    fax_reception: FaxReceptionSettings = FaxReceptionSettings()
    mail: MailSettings = MailSettings()
    site_mails: SiteMailSettings = SiteMailSettings()
    welcome: WelcomeSettings = WelcomeSettings()
    site: SiteSettings = SiteSettings()
    sites: tuple[FurtherSite, ...] = ()
    """Further locations: ``[[sites]]``."""
    organisations: dict[str, OrganisationSettings] = Field(default_factory=dict)
    """By id: ``[organisations.sales]``."""
    calls: CallSettings = CallSettings()
    menus: MenuSettings = MenuSettings()
    greetings: GreetingSettings = GreetingSettings()
    speech: SpeechSettings = SpeechSettings()
    transcription: TranscriptionSettings = TranscriptionSettings()
    logins: LoginSettings = LoginSettings()
    users: UserSettings = UserSettings()
    dialling: DiallingSettings = DiallingSettings()
    transfers: TransferSettings = TransferSettings()
    call_back: CallBackSettings = CallBackSettings()
    sending: SendingSettings = SendingSettings()
    fax_sending: FaxSendingSettings = FaxSendingSettings()
    spoken_messages: SpokenMessageSettings = SpokenMessageSettings()
    rights: RightsSettings = RightsSettings()
    missed_calls: MissedCallSettings = MissedCallSettings()
    notifications: NotificationSettings = NotificationSettings()
    sms: SmsSettings = SmsSettings()
    webhook: WebhookSettings | None = None
    notice_call: NoticeCallSettings = NoticeCallSettings()
    journal: JournalSettings = JournalSettings()
    web: WebSettings = WebSettings()
    defaults: dict[str, str] = Field(default_factory=dict)
    """Settings of users, for all who have none of their own: ``language = "de"``."""
    sounds: Path = Field(default_factory=lambda: shared_files() / "sounds")
    templates: Path = Field(default_factory=lambda: shared_files() / "templates")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    logs: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()

    @field_validator("defaults", mode="before")
    @classmethod
    def _known_settings(cls, given: object) -> object:
        """Each checked like a user's own."""
        return checked_settings(given)

    @model_validator(mode="after")
    def _one_store(self) -> Self:
        """The table of mail servers counts only where they are the store."""
        if self.store.kind == "imap" and self.imap is None:
            raise ValueError(
                "store.kind is “imap”, but there is no table [imap]; "
                "write one with server, access, account and password_file"
            )
        if self.store.kind == "local" and self.imap and not self.store.moving:
            raise ValueError(
                "imap: this table counts only with kind = “imap” in [store], "
                "or with moving = true there while messages move"
            )
        return self

    @model_validator(mode="after")
    def _possible_sites(self) -> Self:
        """Every number belongs to one site at most."""
        sites = self.all_sites()
        for site in sites:
            for problem in problems_of(site):
                raise ValueError(problem)
        for place, site in enumerate(sites):
            for other in sites[:place]:
                if site.base_number == other.base_number:
                    raise ValueError(
                        f"sites, {site.name}: another site has the base number "
                        f"“{site.base_number}”, too; each needs its own"
                    )
                if site.name == other.name:
                    raise ValueError(f"sites: two are called {site.name}; give one another name")
        return self

    @model_validator(mode="after")
    def _offered_profiles(self) -> Self:
        """What office hours use cannot be withdrawn (GREET-01)."""
        organisations = self.organisations.items()
        layers = {"defaults": self.defaults} | {
            f"organisations.{key}.settings": one.settings for key, one in organisations
        }
        for place, settings in layers.items():
            for key in (setting.key for setting in NAMING_PROFILES):
                if settings.get(key, NONE) not in {NONE, *self.site.profiles}:
                    raise ValueError(
                        f"site.profiles: {settings[key]} cannot be left out, for "
                        f"{place}.{key} uses it; offer it, or change that first"
                    )
        return self

    @model_validator(mode="after")
    def _readable_rules(self) -> Self:
        for position, text in enumerate(self.dialling.rules, start=1):
            try:
                parse_rule(text, self._site())
            except BadRule as error:
                told = str(error).rstrip(".")
                raise ValueError(
                    f"dialling.rules, rule {position}: {told}; correct or remove it"
                ) from None
        return self

    def dialling_rules(self) -> DiallingRules:
        """Which numbers may be dialled."""
        return DiallingRules(tuple(parse_rule(text, self._site()) for text in self.dialling.rules))

    def transfer_rules(self) -> TransferRules:
        """How callers are connected with somebody else."""
        return TransferRules(
            dialling=self.dialling_rules(),
            hears=self.transfers.hears,
            may_give_up=self.transfers.may_give_up,
            leaves_server=self.transfers.leaves_server,
        )

    def user_defaults(self) -> dict[str, str]:
        """The site's layer of every user's settings, as texts by key."""
        return {**site_texts(self.rules()), **self.defaults}

    def all_sites(self) -> tuple[Site, ...]:
        """The main one, and then the others."""
        return (self._site(), *(site.as_site(site.name) for site in self.sites))

    def known_organisations(self) -> dict[str, Organisation]:
        """By id."""
        return {
            key: Organisation(key, one.name, one.settings)
            for key, one in self.organisations.items()
        }

    def organisation_records(self) -> dict[str, OrganisationRecord]:
        """By id, with administrators, agreement and packages."""
        return {key: record_of(key, one) for key, one in self.organisations.items()}

    def login_rules(self) -> LoginRules:
        """What logins by telephone follow; a default PIN counts only without welcome mails."""
        table = self.logins
        default = "" if self.welcomes else table.default_pin.get_secret_value()
        return LoginRules(
            failures_before_lock=table.failures_before_lock,
            shortest_pin=table.shortest_pin,
            pin_days=table.pin_days,
            reminder_days=table.reminder_days,
            after_expiry=table.after_expiry,
            default_pin=default,
            lock_notice=table.lock_notice,
            outside_numbers_verified=table.outside_numbers_verified,
            pinless_from_outside=table.pinless_from_outside,
            sites=self.all_sites(),
        )

    def _site(self) -> Site:
        return self.site.as_site()

    @property
    def welcomes(self) -> bool:
        """Do welcome mails leave?"""
        return self.welcome.enabled and self.mail.information

    def welcome_rules(self, login_key: str) -> WelcomeRules:
        """What the welcome mail follows; *login_key* leads from the greeting to the login."""
        return replace(self.welcome.rules(login_key), enabled=self.welcomes)

    def rules(self) -> Rules:
        """What dialogues follow."""
        return Rules(
            site=self._site(),
            further_sites=self.all_sites()[1:],
            limits=Limits(
                longest=self.calls.longest_seconds,
                silence=self.calls.silence_seconds,
                shortest=self.calls.shortest_seconds,
                warning=self.calls.warning_seconds,
            ),
            language=self.site.language,
            default_recipient=self.site.default_recipient,
            voice_mail_enabled=self.site.voice_mail,
            profiles=self.site.profiles,
            internal_profile=self.site.internal_profile,
            country_languages=self.site.language_table(),
            operator_key=self.calls.operator_key,
            operator=self.calls.operator,
            number_style=self.site.number_style,
            caller_may_review=self.calls.review,
            options_after_message=self.calls.options_after_message,
            information_order=self.calls.information_order,
            list_order=self.inbox.order,
            read_mails=self.inbox.read_mails,
            read_faxes=self.inbox.read_faxes,
            deletion=self.calls.delete,
            hidden=frozenset(self.menus.hidden),
        )


def load(path: Path) -> Config:
    """Read and check the configuration. Raises `BadConfig`."""
    return judged(sources(path))


def sources(path: Path, text: str | None = None) -> Given:
    """What file (or *text* in its place), ``conf.d/``, credentials and environment say.

    Raises `BadConfig`.
    """
    try:
        return gather(path, Config, os.environ, text)
    except BadSource as error:
        raise BadConfig(str(error)) from None


def judged(given: Given) -> Config:
    """Can it be used? Raises `BadConfig`."""
    try:
        return Config(**given.values)
    except ValidationError as error:
        raise BadConfig(explained(error, Config, given)) from None
    except ValueError as error:
        raise BadConfig(f"{given.main}: {error}") from None
