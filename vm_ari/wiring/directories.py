"""The configured directory, greetings and voice: which ones they are is decided here only."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from vm_ari.adapters.audio_intake import AudioIntake, IntakeLimits
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.directory_cache import CachedDirectory
from vm_ari.adapters.greeting_database import DatabaseGreetings
from vm_ari.adapters.greeting_files import FileGreetings
from vm_ari.adapters.ldap.address import LDAP, Account, Patience
from vm_ari.adapters.ldap.directory import LdapDirectory, LdapSettings
from vm_ari.adapters.ldap.filters import BadFilter
from vm_ari.adapters.ldap.mapping import (
    PRESETS,
    Mapping,
    Numbers,
    Preset,
    queries,
)
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.server_address import Server
from vm_ari.adapters.speech_synthesis import MEGABYTE, Synthesis, VoiceSettings
from vm_ari.adapters.trust import BadAddress
from vm_ari.config import BadConfig, Config
from vm_ari.config.directory import LdapAttributes, LdapTable
from vm_ari.domain.directory_text import ManyValues, OneString, SettingsText
from vm_ari.ports import CallDirectory, Clock, UserRegister

Action = Callable[[], Coroutine[Any, Any, None]]
ConfiguredDirectory = EmbeddedDirectory | LdapDirectory


@dataclass(frozen=True)
class Directories:
    """One directory, as calls and as admins use it."""

    for_calls: CallDirectory
    """Answers from the cache while no server does."""
    register: UserRegister
    """Only ever says what the directory itself says."""
    keep_fresh: Action
    """Runs as long as calls are served."""
    close: Action


def open_directories(config: Config, keys: KeyRing, clock: Clock) -> Directories:
    """For a controller; nothing is connected yet, so it starts while no server answers.

    Raises `BadConfig`.
    """
    directory = open_register(config, keys)
    if isinstance(directory, EmbeddedDirectory) or config.directory.ldap is None:
        return Directories(directory, directory, _nothing, directory.close)
    table = config.directory.ldap
    max_age = timedelta(hours=table.cache_hours)
    cached = CachedDirectory(directory, table.cache, keys, clock, max_age=max_age)

    async def close() -> None:
        await cached.close()
        await directory.close()

    return Directories(cached, directory, cached.keep_fresh, close)


def open_register(config: Config, keys: KeyRing) -> ConfiguredDirectory:
    """For administration; to be closed by the caller. Raises `BadConfig`."""
    logins = config.login_rules()
    match config.directory.ldap:
        case LdapTable() as table:
            with blamed("directory.ldap"):
                return LdapDirectory(
                    ldap_settings(table, config),
                    keys,
                    site=config.rules().site,
                    defaults=config.user_defaults(),
                    organisations=config.known_organisations(),
                    allowed_failures=logins.failures_before_lock,
                    default_pin=logins.default_pin,
                )
        case None:
            with blamed("directory.url"):
                return EmbeddedDirectory(
                    config.directory.url,
                    keys,
                    defaults=config.user_defaults(),
                    organisations=config.known_organisations(),
                    allowed_failures=logins.failures_before_lock,
                    default_pin=logins.default_pin,
                )


def ldap_settings(table: LdapTable, config: Config) -> LdapSettings:
    """What the adapter has to know. Raises `BadConfig`."""
    return LdapSettings(
        servers=tuple(_server(url, table) for url in table.servers),
        bases=table.bases,
        account=Account(table.account, table.account_password()),
        mapping=_mapping(table, config),
        ca_file=table.ca_file,
        local_settings=table.local_settings,
        patience=Patience(
            table.connect_seconds,
            table.receive_seconds,
            table.second_server_after,
            table.longest_seconds,
        ),
        connections=table.connections,
    )


def _server(url: str, table: LdapTable) -> Server:
    try:
        return LDAP.server_at(url, plaintext=table.plaintext)
    except BadAddress as error:
        raise BadConfig(f"directory.ldap.servers: {error}") from None


def _mapping(table: LdapTable, config: Config) -> Mapping:
    """The preset with what the configuration says otherwise."""
    changes: dict[str, Any] = {
        key: value
        for key, value in table.attributes.model_dump().items()
        if value is not None and key not in {"form", "prefix", "limit", "numbers"}
    }
    preset = PRESETS[Preset(table.preset)]
    if table.attributes.numbers is not None:
        changes["numbers"] = tuple(Numbers(*text.split()) for text in table.attributes.numbers)
    if table.blanks_matter is not None:
        changes["blanks_matter"] = table.blanks_matter
    form = _form(table.attributes, preset.form)
    mapping = replace(preset, **changes, form=form)
    if changes.keys() & {"numbers", "mailbox", "settings"}:
        mapping = replace(mapping, number_filter="")
    for key in ("user_filter", "number_filter"):
        if text := getattr(table, key):
            mapping = replace(mapping, **{key: text})
            with blamed(f"directory.ldap.{key}"):
                queries(mapping, config.rules().site)
    return mapping


def _form(attributes: LdapAttributes, preset: SettingsText) -> SettingsText:
    """Prefix and limit of the preset count only for its own form."""
    match attributes.form, preset:
        case ("one-string", ManyValues()):
            form: ManyValues | OneString = OneString()
        case ("many-values", OneString()):
            form = ManyValues()
        case (_, (ManyValues() | OneString()) as usual):
            form = usual
        case _:
            raise TypeError(f"a form of settings that nobody knows: {preset}")
    if attributes.prefix is not None:
        form = replace(form, prefix=attributes.prefix)
    return form if attributes.limit is None else replace(form, limit=attributes.limit)


@contextmanager
def blamed(key: str) -> Iterator[None]:
    """What an adapter cannot work with is a fault of that key."""
    try:
        yield
    except BadAddress as error:
        raise BadConfig(f"directory.ldap: {error}") from None
    except BadFilter as error:
        raise BadConfig(f"{key}: {error}") from None
    except (ArgumentError, NoSuchModuleError) as error:
        where = "directory.ldap.local_settings" if key == "directory.ldap" else key
        text = f"{error}; write sqlite:////path/to/file, or postgresql+psycopg://host/database"
        raise BadConfig(f"{where}: {text}") from None
    except ModuleNotFoundError as error:
        text = f"the driver {error.name} is not installed: pip install “vm-ari[postgres]”"
        raise BadConfig(f"{key}: {text}") from None


def open_greetings(config: Config) -> FileGreetings | DatabaseGreetings:
    """The recorded greetings; to be closed by the caller. Raises `BadConfig`."""
    table = config.greetings
    intake = AudioIntake(
        IntakeLimits(longest=table.longest_seconds, most_bytes=table.largest_megabytes * 1_000_000)
    )
    match table.store:
        case "files":
            return FileGreetings(table.directory, intake=intake)
        case "database":
            with blamed("greetings.url"):
                url = table.url or config.directory.url
                return DatabaseGreetings(url, table.directory, intake=intake)


def open_voice(config: Config) -> Synthesis:
    """What speaks texts. Nothing is started yet."""
    return Synthesis(config.speech.cache, voice_settings(config))


def voice_settings(config: Config) -> VoiceSettings:
    """Which voice it is."""
    table = config.speech
    return VoiceSettings(
        table.engine, table.command, table.longest_text, table.cache_megabytes * MEGABYTE
    )


async def _nothing() -> None:
    """The embedded directory needs no looking after."""
