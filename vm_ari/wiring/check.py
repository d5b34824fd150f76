"""Everything that `vm-ari check` looks at, side by side, with a time limit each (MAIL-07)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import structlog

from vm_ari.adapters.examination.asterisk import examine_asterisk, examine_lamps
from vm_ari.adapters.examination.imap import examine_imap
from vm_ari.adapters.examination.ringing import examine_ringing
from vm_ari.adapters.examination.sending import examine_smtp
from vm_ari.adapters.examination.watching import examine_idle, examine_inotify, examine_push
from vm_ari.adapters.findings import Finding, sentence
from vm_ari.adapters.imap.address import IMAP
from vm_ari.adapters.ldap.diagnosis import examine as examine_ldap
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.sealing import KeyRing, KeysUnusable
from vm_ari.config import BadConfig, Config
from vm_ari.domain.dialling import never_reached
from vm_ari.domain.store_moving import StoreAway
from vm_ari.ports import DirectoryUnavailable
from vm_ari.wiring import notifications
from vm_ari.wiring.asterisk import asterisk_address, lamp_settings, manager_account
from vm_ari.wiring.channels import examine_sms, examine_webhook
from vm_ari.wiring.check_ground import (
    advice_on_directory,
    examine_default_recipient,
    examine_files,
    examine_key_ring,
    examine_lock,
    examine_mails,
    examine_spool_of,
    examine_store_of,
    examine_time,
    people_of,
    register_of,
    untouched,
)
from vm_ari.wiring.check_house import examine_journal, examine_log
from vm_ari.wiring.check_services import (
    examine_conferences_of,
    examine_faxes_of,
    examine_spoken_messages,
)
from vm_ari.wiring.check_speech import examine_recognition, examine_sounds_of, examine_voices
from vm_ari.wiring.moving import leftovers
from vm_ari.wiring.organisations import examine_roles
from vm_ari.wiring.ringing import phone_numbers
from vm_ari.wiring.site_mails import examine_site_mails
from vm_ari.wiring.smtp import open_smtp
from vm_ari.wiring.store import open_doorman
from vm_ari.wiring.watching import most_idle
from vm_ari.wiring.web_check import examine_portal

log = structlog.get_logger("vm_ari.check")

LONGEST = 60.0
"""Seconds that one part may take."""
Look = Callable[[Config], Awaitable[Sequence[Finding]]]


class Part(StrEnum):
    """What can be looked at by itself."""

    CONFIGURATION = "configuration"
    """Who may read its files."""
    KEYS = "keys"
    CLOCK = "clock"
    DIRECTORY = "directory"
    LDAP = "ldap"
    """The directory, which must be one of servers."""
    IMAP = "imap"
    SMTP = "smtp"
    ASTERISK = "asterisk"
    LAMPS = "lamps"
    WATCHING = "watching"
    """How changes in mailboxes are noticed."""
    RINGING = "ringing"
    """Calls that are followed, for missed ones."""
    SPOOL = "spool"
    STORE = "store"
    SOUNDS = "sounds"
    VOICE = "voice"
    """Which engine speaks texts, tried in each language."""
    RECOGNITION = "recognition"
    """Faxes that are read aloud, and voice messages that are written down."""
    DIALLING = "dialling"
    MAIL_TEXTS = "mail-texts"
    """What mails are made of, which a site may edit."""
    NOTICES = "notices"
    """Telling users of new messages."""
    SMS = "sms"
    WEBHOOK = "webhook"
    SITE_MAILS = "site-mails"
    """Where mails to the system itself are taken."""
    FAXES = "faxes"
    CONFERENCES = "conferences"
    SPOKEN_MESSAGES = "spoken-messages"
    PORTAL = "portal"
    JOURNAL = "journal"
    """What is remembered of calls, and which controllers run."""
    LOG = "log"


_DIRECTORY = {Part.DIRECTORY, Part.LDAP}
_ASK_US = {
    *(Part.DIRECTORY, Part.IMAP, Part.WATCHING, Part.NOTICES, Part.PORTAL),
    *(Part.FAXES, Part.CONFERENCES),
}
"""They look into our own database."""
_LATER = {Part.VOICE, Part.RECOGNITION, Part.DIALLING, Part.JOURNAL, Part.LOG}
"""Whatever is wrong there, calls are served and messages delivered."""


def parts_of(config: Config) -> Sequence[Part]:
    """Those that this configuration has."""
    absent = {Part.LDAP}
    if config.store.kind == "local":
        absent.add(Part.IMAP)
    if config.mail.smtp is None:
        absent.add(Part.SMTP)
    if not config.manager.user:
        absent.add(Part.RINGING)
    if config.sms.way == "none":
        absent.add(Part.SMS)
    if config.webhook is None:
        absent.add(Part.WEBHOOK)
    if not config.site_mails.addresses:
        absent.add(Part.SITE_MAILS)
    if not config.spoken_messages.enabled:
        absent.add(Part.SPOKEN_MESSAGES)
    if not config.web.enabled:
        absent.add(Part.PORTAL)
    return [part for part in Part if part not in absent]


async def examine(config: Config, parts: Sequence[Part], file: Path | None = None) -> list[Finding]:
    """All findings, in the order of the *parts*; nothing is made or changed. Raises `BadConfig`.

    *file*: where the configuration stands, where its part is asked for.
    """
    with untouched(config) as seen:
        held = await examine_lock(seen)
        looks = (_examined(part, _look(part, config, seen, file, held)) for part in parts)
        found = await asyncio.gather(*looks)
    return _without_echoes([finding for each in found for finding in each])


def _without_echoes(found: Sequence[Finding]) -> list[Finding]:
    """One problem, one line: not those that go away with another part's."""
    bad = {one.part for one in found if not one.good}
    return [one for one in found if one.follows in {"", one.part} or one.follows not in bad]


def _look(
    part: Part, config: Config, seen: Config, file: Path | None, held: Sequence[Finding]
) -> Awaitable[Sequence[Finding]]:
    """*held*: why nobody can look into our own database; each would wait for it a minute long."""
    match part:
        case _ if held and part in _ASK_US:
            return _known(held)
        case Part.CONFIGURATION:
            return examine_files(config, file)
        case Part.KEYS | Part.STORE | Part.JOURNAL:  # they make nothing, and say what is missing
            return _LOOKS[part](config)
    return _LOOKS[part](seen)


async def _known(found: Sequence[Finding]) -> Sequence[Finding]:
    return found


async def _examined(part: Part, looking: Awaitable[Sequence[Finding]]) -> list[Finding]:
    """Whatever happens there becomes words."""
    try:
        async with asyncio.timeout(LONGEST):
            found = await looking
    except TimeoutError:
        text = f"Nothing was found out within {LONGEST:.0f} s."
        found = [Finding(False, text, "Something hangs: look at that system.")]
    except BadConfig:
        raise
    except (DirectoryUnavailable, KeysUnusable) as error:
        text = f"The directory cannot be used: {sentence(error)}"
        advice = (
            "Mend the directory first." if part not in _DIRECTORY else advice_on_directory(error)
        )
        cause = Part.KEYS if isinstance(error, KeysUnusable) else Part.DIRECTORY
        found = [Finding(False, text, advice, unreachable=True, follows=cause)]
    except PermissionError as error:
        text = f"{error.filename}: {error.strerror}."
        advice = "Run this as root, or as the controller's account."
        found = [Finding(False, text, advice, follows=Part.KEYS)]
    except OSError as error:
        where = error.filename or part.value
        found = [Finding(False, f"{where}: {error.strerror or error}.", "Look at the disk.")]
    except Exception as error:  # one part that breaks must not hide the others
        log.exception("cannot be examined", part=part.value)
        text = f"This could not be examined: {type(error).__name__}."
        found = [Finding(False, text, "That is a fault of vm-ari: please report it.")]
    later = part in _LATER
    return [replace(one, part=part.value, minor=one.minor or later) for one in found]


# --- the parts


async def _directory(config: Config) -> Sequence[Finding]:
    async with register_of(config) as register:
        if isinstance(register, LdapDirectory):
            found = await examine_ldap(register)
            if any(one.unreachable for one in found):
                return found
            found += await examine_roles(config, register)
            return [*found, *await examine_default_recipient(config, register)]
        count = len(await register.all_entries())
        good = Finding(True, f"The embedded directory can be read: {count} users.")
        return [good, *await examine_default_recipient(config, register)]


async def _ldap(config: Config) -> Sequence[Finding]:
    if config.directory.ldap is None:
        raise BadConfig(
            "directory.kind: the embedded directory is configured; for servers write "
            "kind = “ldap” and a table [directory.ldap]"
        )
    return await _directory(config)


async def _imap(config: Config) -> Sequence[Finding]:
    async with register_of(config) as register:
        doorman = open_doorman(config, KeyRing(config.directory.keys), register)
        assert config.imap
        usual = IMAP.server_at(config.imap.server, plaintext=config.imap.plaintext)
        try:
            people = await people_of(config, register)
        except DirectoryUnavailable:
            people = []
        try:
            found = await examine_imap(doorman, usual, people, datetime.now(UTC))
        finally:
            await doorman.close()
    return [*found, *_waiting_mails(config)]


def _waiting_mails(config: Config) -> list[Finding]:
    """A welcome mail cannot bring somebody to store the password that it needs itself."""
    assert config.imap
    tokens = config.imap.token_file or config.imap.token_command
    if config.mail.smtp or config.imap.access != "individual" or tokens:
        return []
    text = "Welcome and other mails wait for each user's own password."
    return [Finding(not config.welcomes, text, "Write a table [mail.smtp].")]


async def _smtp(config: Config) -> Sequence[Finding]:
    if config.mail.smtp is None:
        raise BadConfig("mail.smtp: there is no such table; write one with host and security")
    sender = config.mail.system_sender or config.mail.sender
    mailer = open_smtp(config.mail.smtp, sender, key="mail.system_sender")
    recipient = config.site.default_recipient or sender
    return await examine_smtp(mailer, recipient, datetime.now(UTC))


async def _asterisk(config: Config) -> Sequence[Finding]:
    return await examine_asterisk(asterisk_address(config), config.asterisk.app)


async def _lamps(config: Config) -> Sequence[Finding]:
    return await examine_lamps(asterisk_address(config), lamp_settings(config))


async def _notices(config: Config) -> Sequence[Finding]:
    async with register_of(config) as register:
        people = await people_of(config, register)
        return await notifications.examine(config, register, people)


async def _ringing(config: Config) -> Sequence[Finding]:
    account = manager_account(config)
    if account is None:
        raise BadConfig("manager.user: is missing; calls are followed with an account only")
    phone_numbers(config)
    return await examine_ringing(asterisk_address(config), account)


async def _watching(config: Config) -> Sequence[Finding]:
    table, found = config.watching, list[Finding]()
    async with register_of(config) as register:
        people = [user for user in await people_of(config, register) if user.mailbox]
        if config.store.kind == "imap" and table.idle:
            doorman = open_doorman(config, KeyRing(config.directory.keys), register)
            try:
                found += await examine_idle(doorman, people, most_idle(config, doorman))
            finally:
                await doorman.close()
        elif config.store.kind == "local" and table.inotify:
            found += await asyncio.to_thread(examine_inotify, len(people))
    if table.push_port:
        found += await examine_push(table.push_address, table.push_port, table.token())
    return found


async def _store(config: Config) -> Sequence[Finding]:
    found = await examine_store_of(config)
    if config.store.kind == "local":
        return found
    return [*found, *await asyncio.to_thread(_left_messages, config)]


def _left_messages(config: Config) -> list[Finding]:
    """That is no fault: they may have been copied, and kept."""
    try:
        left = leftovers(config)
    except StoreAway as error:
        return [Finding(False, str(error), "Mend it, or name the right directory: store.maildir")]
    if left is None:
        return []
    text = f"{left.messages} messages lie in {left.mailboxes} Maildirs, not on the mail servers."
    return [Finding(True, text, "vm-ari store status says whose; vm-ari store migrate moves them.")]


async def _dialling(config: Config) -> Sequence[Finding]:
    advice = "Put it before the wider one, or remove it."
    return [
        Finding(False, f"dialling.rules: “{rule}” is never reached.", advice)
        for rule in never_reached(config.dialling_rules())
    ]


_LOOKS: Mapping[Part, Look] = {
    Part.KEYS: examine_key_ring,
    Part.CLOCK: examine_time,
    Part.DIRECTORY: _directory,
    Part.LDAP: _ldap,
    Part.IMAP: _imap,
    Part.SMTP: _smtp,
    Part.ASTERISK: _asterisk,
    Part.LAMPS: _lamps,
    Part.WATCHING: _watching,
    Part.RINGING: _ringing,
    Part.SPOOL: examine_spool_of,
    Part.STORE: _store,
    Part.SOUNDS: examine_sounds_of,
    Part.VOICE: examine_voices,
    Part.RECOGNITION: examine_recognition,
    Part.DIALLING: _dialling,
    Part.MAIL_TEXTS: examine_mails,
    Part.NOTICES: _notices,
    Part.SMS: examine_sms,
    Part.WEBHOOK: examine_webhook,
    Part.SITE_MAILS: examine_site_mails,
    Part.FAXES: examine_faxes_of,
    Part.CONFERENCES: examine_conferences_of,
    Part.SPOKEN_MESSAGES: examine_spoken_messages,
    Part.PORTAL: examine_portal,
    Part.JOURNAL: examine_journal,
    Part.LOG: examine_log,
}
