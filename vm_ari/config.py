"""Settings: a TOML file, then the environment (``VM_ARI__ASTERISK__PASSWORD``); typed and checked.

An unknown key is an error, as is a missing one; the message names it.
"""

import sys
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from vm_ari.domain.dialling import BadRule, DiallingRules, parse_rule
from vm_ari.domain.entries import site_texts
from vm_ari.domain.name_templates import parse as parse_template
from vm_ari.domain.numbers import Site
from vm_ari.domain.preferences import checked
from vm_ari.domain.recording import Limits
from vm_ari.domain.settings import NumberStyle, Rules


class BadConfig(Exception):
    """The configuration cannot be used; the text says what, where and what to do."""


def shared_files() -> Path:
    """Where sounds/, templates/ and asterisk-conf/ lie: beside the source, or installed."""
    beside = Path(__file__).resolve().parent.parent
    return beside if (beside / "sounds").is_dir() else Path(sys.prefix) / "share" / "vm-ari"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AsteriskSettings(_Table):
    """How to reach Asterisk's REST interface."""

    url: str = "http://127.0.0.1:8088"
    user: str = "vm-ari"
    password: SecretStr
    app: str = "vm-ari"
    way: Literal["auto", "http", "websocket"] = "auto"
    most_calls: int = Field(default=300, gt=0)
    """Above so many calls at once the dialplan takes the message by itself."""


class LampSettings(_Table):
    """How phones are told about their lamps (message-waiting indication)."""

    method: Literal["auto", "ari", "minivm", "publish", "ami"] = "auto"
    """The first of these that this Asterisk offers, or the one that is named."""
    sip_host: str = "127.0.0.1"
    sip_port: int = Field(default=5060, gt=0, le=65535)
    sip_user: str = ""
    """Account for SIP PUBLISH; empty: that way is not tried."""
    sip_password: SecretStr = SecretStr("")
    manager_host: str = "127.0.0.1"
    manager_port: int = Field(default=5038, gt=0, le=65535)
    manager_user: str = ""
    """Account of manager.conf; empty: that way is not tried."""
    manager_secret: SecretStr = SecretStr("")


class SpoolSettings(_Table):
    """The disk between caller and mailbox."""

    directory: Path = Path("/var/spool/asterisk/recording/vm-ari")
    """Must lie below Asterisk's recording directory, and be called ``vm-ari``."""


class DirectorySettings(_Table):
    """The embedded directory."""

    url: str = "sqlite:////var/lib/vm-ari/directory.db"
    keys: Path = Path("/var/lib/vm-ari/keys")
    """Keys that seal PINs; keep them apart from the database."""


class StoreSettings(_Table):
    """The local message store."""

    maildir: Path = Path("/var/lib/vm-ari/mail")
    deleted_folder: str = "Deleted voice messages"


class MailSettings(_Table):
    """What the message mails look like."""

    sender: str = "voicemail@localhost"
    audio_format: Literal["wav", "wav49", "mp3", "opus"] = "wav"


class SiteSettings(_Table):
    """The location and its numbers."""

    region: str = Field(default="DE", pattern="^[A-Z]{2}$")
    base_number: str = Field(default="", pattern=r"^(\+[0-9]{2,14})?$")
    longest_extension: int = Field(default=5, ge=1, le=10)
    shortest_extension: int = Field(default=1, ge=1, le=10)
    area: str = Field(default="", pattern="^([1-9][0-9]{0,5})?$")
    """Area code without the first 0; completes numbers that are written without one."""
    outside_prefix: str = Field(default="", pattern="^[0-9]{0,3}$")
    """What is dialled before an outside number, such as ``0``."""
    number_style: NumberStyle = NumberStyle.EXTENSION
    language: str = "en"
    default_recipient: str = ""
    """Mail address of who gets messages to numbers without an owner; empty: such calls end."""


class CallSettings(_Table):
    """Recording and menus."""

    longest_seconds: int = Field(default=180, ge=5, le=3600)
    silence_seconds: int = Field(default=8, ge=2, le=60)
    shortest_seconds: float = Field(default=2.0, ge=0, le=60)
    warning_seconds: int = Field(default=10, ge=0, le=60)
    review: bool = True
    options_after_message: bool = True
    key_map: str = "default"


class UserSettings(_Table):
    """What new users get by themselves."""

    display_name: str = "${given} ${surname}"
    """Template of the name; ``vm-ari test template`` shows what one makes."""
    mail_address: str = ""
    """Template of the address, such as ``${given|first}.${surname}@example.com``; empty: none."""

    @field_validator("display_name", "mail_address")
    @classmethod
    def _readable(cls, text: str) -> str:
        parse_template(text)
        return text


class DiallingSettings(_Table):
    """Which numbers transfers, callbacks and recording calls may reach."""

    rules: tuple[str, ...] = ()
    """Such as ``deny +49900`` or ``allow AT``; the first that matches decides."""


class Config(BaseSettings):
    """Everything that is configured."""

    model_config = SettingsConfigDict(
        extra="forbid", env_prefix="VM_ARI__", env_nested_delimiter="__", frozen=True
    )

    asterisk: AsteriskSettings
    lamps: LampSettings = LampSettings()
    spool: SpoolSettings = SpoolSettings()
    directory: DirectorySettings = DirectorySettings()
    store: StoreSettings = StoreSettings()
    mail: MailSettings = MailSettings()
    site: SiteSettings = SiteSettings()
    calls: CallSettings = CallSettings()
    users: UserSettings = UserSettings()
    dialling: DiallingSettings = DiallingSettings()
    defaults: dict[str, str] = Field(default_factory=dict)
    """Settings of users, for all who have none of their own: ``language = "de"``."""
    sounds: Path = Field(default_factory=lambda: shared_files() / "sounds")
    templates: Path = Field(default_factory=lambda: shared_files() / "templates")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return env_settings, init_settings

    @field_validator("defaults", mode="before")
    @classmethod
    def _known_settings(cls, given: object) -> object:
        """Each checked like a user's own; yes and no may be TOML's true and false."""
        if not isinstance(given, dict):
            return given
        plain = {True: "yes", False: "no"}
        texts = {key: plain[v] if isinstance(v, bool) else str(v) for key, v in given.items()}
        return {key: checked(key, text) for key, text in texts.items()}

    @model_validator(mode="after")
    def _readable_rules(self) -> Self:
        for position, text in enumerate(self.dialling.rules, start=1):
            try:
                parse_rule(text, self._site())
            except BadRule as error:
                raise ValueError(f"dialling.rules, rule {position}: {error}") from None
        return self

    def dialling_rules(self) -> DiallingRules:
        """Which numbers may be dialled."""
        return DiallingRules(tuple(parse_rule(text, self._site()) for text in self.dialling.rules))

    def user_defaults(self) -> dict[str, str]:
        """The site's layer of every user's settings, as texts by key."""
        return {**site_texts(self.rules()), **self.defaults}

    def _site(self) -> Site:
        return Site(
            region=self.site.region,
            base_number=self.site.base_number,
            longest_extension=self.site.longest_extension,
            shortest_extension=self.site.shortest_extension,
            area=self.site.area,
            outside_prefix=self.site.outside_prefix,
        )

    def rules(self) -> Rules:
        """What dialogues follow."""
        return Rules(
            site=self._site(),
            limits=Limits(
                longest=self.calls.longest_seconds,
                silence=self.calls.silence_seconds,
                shortest=self.calls.shortest_seconds,
                warning=self.calls.warning_seconds,
            ),
            language=self.site.language,
            default_recipient=self.site.default_recipient,
            number_style=self.site.number_style,
            caller_may_review=self.calls.review,
            options_after_message=self.calls.options_after_message,
        )


def load(path: Path) -> Config:
    """Read and check the configuration. Raises `BadConfig`."""
    if not path.is_file():
        raise BadConfig(f"{path}: there is no such configuration file; name one with --config")
    try:
        return Config(**_toml(path))
    except ValidationError as error:
        lines = [f"{path}: {_explain(problem)}" for problem in error.errors()]
        raise BadConfig("\n".join(lines)) from None
    except ValueError as error:
        raise BadConfig(f"{path}: {error}") from None


def _toml(path: Path) -> dict[str, Any]:
    return TomlConfigSettingsSource(Config, path)()


def _explain(problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{key}: unknown key; remove it or correct its spelling"
    told = problem["msg"].removeprefix("Value error, ")
    return f"{key}: {told}" if key else str(told)
