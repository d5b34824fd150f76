"""The portal's pages of messages, journal and greetings, as configured."""

from dataclasses import dataclass
from functools import partial

from vm_ari.adapters.greeting_sound import GreetingSounds
from vm_ari.adapters.imap.password_trial import DirectoryTrial, MailServerTrial
from vm_ari.adapters.journal_database import DatabaseJournal
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.ldap.portal_passwords import LdapPasswords
from vm_ari.adapters.mail_plain_text import plain_text
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import BadConfig, Config
from vm_ari.domain.settings import Deletion, Hideable
from vm_ari.ports import Clock, Greetings, Mailboxes
from vm_ari.services.call_backs import CallBacks
from vm_ari.services.greetings import GreetingBook
from vm_ari.services.journal import Journals
from vm_ari.services.lamps import LampKeeper
from vm_ari.services.logins import Attempts
from vm_ari.services.mail_passwords import MailPasswords, PasswordTrial
from vm_ari.services.own_messages import OwnMessages
from vm_ari.services.recording_calls import RecordingCalls
from vm_ari.services.user_calls import UserCalls
from vm_ari.web.user_parts import UserParts
from vm_ari.wiring.calls import open_play_on_phone, open_telephones
from vm_ari.wiring.directories import Directories, open_voice
from vm_ari.wiring.journal import open_journal_store, open_journals
from vm_ari.wiring.locations import open_locations
from vm_ari.wiring.store import open_doorman


@dataclass(frozen=True)
class UserPages:
    """What these pages have opened."""

    parts: UserParts
    journal: DatabaseJournal

    async def close(self) -> None:
        """End their calls, and let go of the database and of mailboxes."""
        await self.parts.calls.close()
        if self.parts.messages:
            await self.parts.messages.close()
        await self.journal.close()


def open_user_pages(
    config: Config,
    keys: KeyRing,
    directories: Directories,
    clock: Clock,
    *,
    mailboxes: Mailboxes | None,
    greetings: Greetings | None,
    lamps: LampKeeper | None = None,
) -> UserPages:
    """Nothing is connected yet. Without *lamps*, others see what is changed. Raises `BadConfig`."""
    store = open_journal_store(config)
    parts = UserParts(
        calls=UserCalls(),
        messages=_messages(config, mailboxes, lamps) if mailboxes else None,
        journals=_journals(config, store, directories, mailboxes) if mailboxes else None,
        play=open_play_on_phone(config, directories.register, clock),
        call_backs=_call_backs(config, directories, clock),
        greetings=GreetingBook(greetings, open_voice(config)) if greetings else None,
        recording=_recording(config, directories, clock, greetings) if greetings else None,
        sounds=GreetingSounds(config.sounds),
        mail_passwords=_mail_passwords(config, keys, directories, clock),
        longest_greeting=config.greetings.longest_seconds,
        largest_upload=config.greetings.largest_megabytes * 1_000_000,
        journal_days=config.journal.days,
        numbers_days=config.journal.shorten_numbers_after_days,
    )
    return UserPages(parts, store)


def _messages(config: Config, mailboxes: Mailboxes, lamps: LampKeeper | None) -> OwnMessages:
    return OwnMessages(
        mailboxes,
        lamps,
        reader=plain_text,
        folders=config.store.folders,
        for_good=config.rules().deletion is Deletion.FOR_GOOD,
    )


def _call_backs(config: Config, directories: Directories, clock: Clock) -> CallBacks | None:
    """None where the site hides it, on the telephone as here. Raises `BadConfig`."""
    rules = config.rules()
    if not rules.shows(Hideable.CALL_BACK):
        return None
    judged = config.call_back.rules(config.dialling_rules(), config.rights.caps())
    return CallBacks(directories.for_calls, clock, judged, rules.sites)


def _mail_passwords(
    config: Config, keys: KeyRing, directories: Directories, clock: Clock
) -> MailPasswords | None:
    """None where mailboxes are opened without them. Raises `BadConfig`."""
    table = config.imap
    if config.store.kind != "imap" or table is None or table.access == "administrative":
        return None
    if table.token_file or table.token_command:
        return None
    register = directories.register
    budget = config.web.budget(config.web.failures_per_account)
    return MailPasswords(
        _password_trial(config, keys, directories), register, clock, Attempts(budget)
    )


def _password_trial(config: Config, keys: KeyRing, directories: Directories) -> PasswordTrial:
    register = directories.register
    if config.imap is None or config.imap.judge == "mail-server":
        return MailServerTrial(partial(open_doorman, config, keys, register), keys)
    if isinstance(register, LdapDirectory):
        return DirectoryTrial(LdapPasswords(register), keys)
    raise BadConfig(
        "imap.judge: only directory servers know passwords; write “mail-server”, or a "
        "table [directory.ldap]"
    )


def _recording(
    config: Config, directories: Directories, clock: Clock, greetings: Greetings
) -> RecordingCalls:
    return RecordingCalls(
        open_telephones(config),
        greetings,
        config.dialling_rules(),
        config.rules().sites,
        open_locations(config, directories.register, clock).endpoint,
    )


def _journals(
    config: Config, store: DatabaseJournal, directories: Directories, mailboxes: Mailboxes
) -> Journals:
    return open_journals(config, store, directories.for_calls, mailboxes)
