"""Mails about missed calls, as configured: where contacts are is decided here only."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from vm_ari.adapters.contacts_ldap import ContactAttributes, ContactSearch, LdapContacts
from vm_ari.adapters.contacts_users import ContactSources, UserContacts
from vm_ari.adapters.contacts_vcard import VcardContacts
from vm_ari.adapters.ldap.address import LDAP, Account
from vm_ari.adapters.ldap.directory import LdapSettings, servers_of
from vm_ari.adapters.ldap.filters import BadFilter
from vm_ari.adapters.missed_call_log import DatabaseCallLog
from vm_ari.adapters.trust import BadAddress
from vm_ari.adapters.vcards import card_of
from vm_ari.config import BadConfig, Config
from vm_ari.config.missed_calls import ContactSettings
from vm_ari.domain.journal import JournalEntry, Kind, Result
from vm_ari.domain.missed_call_records import key_of
from vm_ari.domain.missed_calls import Decision, Tell
from vm_ari.domain.number_links import parse_prefix
from vm_ari.domain.ringing import RungCall
from vm_ari.domain.users import User
from vm_ari.ports import Clock, Contacts, Courier, Directory, Notices
from vm_ari.services.call_records import CallRecords
from vm_ari.services.left_messages import NotedMessages, silent_call
from vm_ari.services.missed_call_mails import CallerAs, MailStyle, MailWriting
from vm_ari.services.missed_calls import MissedCalls, Timing, no_journal
from vm_ari.wiring.directories import blamed, ldap_settings
from vm_ari.wiring.journal import OpenJournal


@dataclass(frozen=True)
class MissedCallParts:
    """Everything about them."""

    calls: MissedCalls
    log: DatabaseCallLog
    contacts: Contacts
    address_book: LdapContacts | None
    on: bool
    """Does anybody follow calls from their ring events? Else nothing here is ever used."""

    async def over(self, call: RungCall) -> None:
        """A call that rang phones is over."""
        await self.calls.over(call)

    def signed_in(self, user: User) -> None:
        """A user has logged in; returns at once."""
        if self.on:
            self.calls.signed_in(user)

    def noting(self, courier: Courier) -> Courier:
        """The courier, with an eye on what callers leave."""
        return NotedMessages(courier, self.calls.message_left) if self.on else courier

    def listening(self, records: CallRecords) -> CallRecords:
        """The records of calls, with an eye on callers who say nothing."""
        if not self.on:
            return records

        def ended(channel_id: str, entry: JournalEntry) -> None:
            if call := silent_call(channel_id, entry):
                self.calls.nothing_said(call)

        return replace(records, on_end=ended)

    async def run(self) -> None:
        """Until cancelled; at once over where nobody follows calls."""
        if self.on:
            await self.calls.run()

    async def close(self) -> None:
        """What is under way goes on after the next start."""
        await self.calls.settle()
        await self.log.close()
        if self.address_book:
            await self.address_book.close()


def open_missed_calls(
    config: Config,
    directory: Directory,
    notices: Notices,
    clock: Clock,
    journal: OpenJournal | None = None,
) -> MissedCallParts:
    """To be closed by the caller; nothing is connected yet. Raises `BadConfig`."""
    table, sites = config.missed_calls, config.all_sites()
    if table.tell is not Tell.NOBODY and not config.manager.user:
        raise BadConfig(
            "missed_calls.tell: calls are not followed; write user and secret in [manager], "
            "or tell = “nobody”"
        )
    try:
        rules = table.rules(sites)
    except ValueError as error:
        raise BadConfig(str(error)) from None
    address_book = _address_book(config)
    contacts = _contacts(config, directory, address_book)
    with blamed("missed_calls.url"):
        log = DatabaseCallLog(table.url or config.directory.url)
    style = MailStyle(
        caller_as=CallerAs(table.caller_as),
        vcard=table.vcard,
        prefix=parse_prefix(table.link_prefix),
        language=table.mail_language(config.site.language),
        site=sites[0],
    )
    calls = MissedCalls(
        log=log,
        directory=directory,
        contacts=contacts,
        notices=notices,
        clock=clock,
        rules=rules,
        writing=MailWriting(style, card_of),
        timing=Timing(timedelta(seconds=table.wait_seconds), timedelta(days=table.days)),
        needs_address=config.mail.smtp is not None,
        journal=_noted_in(journal) if journal else no_journal,
    )
    return MissedCallParts(calls, log, contacts, address_book, on=bool(config.manager.user))


def _contacts(config: Config, directory: Directory, book: LdapContacts | None) -> Contacts:
    """The users first, for nobody can claim their names."""
    table, site = config.missed_calls.contacts, config.rules().site
    sources: list[Contacts] = [UserContacts(directory, site)]
    sources += [book] if book else []
    sources += [VcardContacts(table.vcard, site)] if table.vcard else []
    return ContactSources(sources, table.seconds)


def _address_book(config: Config) -> LdapContacts | None:
    table, site = config.missed_calls.contacts, config.rules().site
    if not table.bases:
        return None
    attributes = ContactAttributes(**table.attributes.model_dump())
    try:
        search = ContactSearch.below(table.bases, table.filter, attributes, site)
        return LdapContacts(servers_of(_servers(table, config)), search)
    except BadFilter as error:
        raise BadConfig(f"missed_calls.contacts.filter: {error}") from None
    except BadAddress as error:
        raise BadConfig(f"missed_calls.contacts: {error}") from None


def _servers(table: ContactSettings, config: Config) -> LdapSettings:
    """The users' servers, or others."""
    if table.servers:
        return LdapSettings(
            servers=tuple(LDAP.server_at(url, plaintext=table.plaintext) for url in table.servers),
            bases=table.bases,
            account=Account(table.account, table.account_password()),
            ca_file=table.ca_file,
        )
    if config.directory.ldap is None:
        raise BadConfig("missed_calls.contacts.servers: is missing; the users are not on LDAP")
    return ldap_settings(config.directory.ldap, config)


def _noted_in(journal: OpenJournal) -> Callable[[RungCall, Decision, str], Awaitable[None]]:
    """One entry for each user, whether there was a mail or not."""

    async def note(call: RungCall, decision: Decision, _answered_by: str) -> None:
        user = decision.rung.user
        entry = JournalEntry(
            id=f"missed/{key_of(call)}/{user.id}",
            kind=Kind.MISSED_CALL,
            started=call.began,
            ended=call.ended,
            result=Result.MISSED,
            user_id=user.id,
            mailbox=user.mailbox,
            caller=call.caller,
            withheld=not call.caller.number,
            called=call.called,
            connected_with=call.answered_by,
            node=journal.node,
        )
        await journal.notes.note(entry)

    return note
