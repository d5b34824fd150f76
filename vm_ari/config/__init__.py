"""Settings: TOML files, then the environment (``VM_ARI__ASTERISK__PASSWORD``); typed and checked.

An unknown key is an error, as is a missing one; the message names it, and where it stands.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from vm_ari.config.asterisk import AsteriskSettings, LampSettings, SpoolSettings
from vm_ari.config.call_back import CallBackSettings
from vm_ari.config.calls import (
    CallSettings,
    DiallingSettings,
    MenuSettings,
    TransferSettings,
)
from vm_ari.config.channels import NoticeCallSettings, SmsSettings, WebhookSettings
from vm_ari.config.directory import DirectorySettings
from vm_ari.config.directory import Table as _Table
from vm_ari.config.fax_reception import FaxReceptionSettings
from vm_ari.config.fax_sending import FaxSendingSettings
from vm_ari.config.greetings import GreetingSettings, SpeechSettings
from vm_ari.config.inbox import InboxSettings
from vm_ari.config.journal import JournalSettings
from vm_ari.config.logins import LoginSettings
from vm_ari.config.logs import LogSettings
from vm_ari.config.mail import MailSettings, WelcomeSettings
from vm_ari.config.manager import ManagerSettings
from vm_ari.config.metrics import MetricsSettings
from vm_ari.config.missed_calls import MissedCallSettings
from vm_ari.config.notifications import NotificationSettings
from vm_ari.config.organisations import (
    OrganisationSettings,
    UserSettings,
    checked_settings,
    record_of,
)
from vm_ari.config.problems import explained
from vm_ari.config.rights import RightsSettings
from vm_ari.config.sending import SendingSettings
from vm_ari.config.site import FurtherSite, SiteSettings
from vm_ari.config.site_mails import SiteMailSettings
from vm_ari.config.sources import BadSource, Given, gather
from vm_ari.config.speech import TranscriptionSettings
from vm_ari.config.spoken import SpokenMessageSettings
from vm_ari.config.store import ImapSettings, StoreSettings
from vm_ari.config.watching import WatchingSettings
from vm_ari.config.web import WebSettings
from vm_ari.domain.access import LoginRules
from vm_ari.domain.dialling import BadRule, DiallingRules, parse_rule
from vm_ari.domain.entries import Organisation, site_texts
from vm_ari.domain.numbers import Site, problems_of
from vm_ari.domain.organisations import OrganisationRecord
from vm_ari.domain.preferences import NAMING_PROFILES
from vm_ari.domain.recording import Limits
from vm_ari.domain.setting_forms import NONE
from vm_ari.domain.settings import Rules
from vm_ari.domain.transfer import TransferRules
from vm_ari.domain.welcome import WelcomeRules


class BadConfig(Exception):
    """The configuration cannot be used; the text says what, where and what to do."""


def shared_files() -> Path:
    """Where sounds/, templates/ and asterisk-conf/ lie: beside the source, or installed."""
    beside = Path(__file__).resolve().parents[2]
    return beside if (beside / "sounds").is_dir() else Path(sys.prefix) / "share" / "vm-ari"


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
                stream=self.calls.transmit_silence,
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
