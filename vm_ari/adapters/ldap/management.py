"""Entries that come and go, and what an admin changes in them: work for one session.

LDAP knows no transaction over several entries. Two who give the same number away at the same
moment both succeed; then nobody has it until an admin has read the log.
"""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as Texts

import structlog

from vm_ari.adapters.ldap import names
from vm_ari.adapters.ldap.errors import EntryExists, LdapError, Refused, ServerLost, WriteRefused
from vm_ari.adapters.ldap.mapping import Mapping
from vm_ari.adapters.ldap.people import People
from vm_ari.adapters.ldap.records import (
    known_numbers,
    new_attributes,
    numbers_in,
    user_id,
    written_numbers,
)
from vm_ari.adapters.ldap.session import Change, Session
from vm_ari.adapters.ldap.settings_store import class_needed
from vm_ari.adapters.ldap.wire import Found
from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import Entry, address_key
from vm_ari.ports import MailTaken, NumberTaken, UnknownUser, UserExists

log = structlog.get_logger("vm_ari.ldap")


def add_entries(
    session: Session, people: People, entries: Sequence[Entry], progress: Callable[[int], None]
) -> None:
    """New ones below the first base. After an error those that were added are removed again."""
    mapping = people.queries.mapping
    if not mapping.new_classes:
        raise WriteRefused("Users are not created in this directory, only by its own programs.")
    new = [(names.below(people.bases[0], mapping.id, entry.id), entry) for entry in entries]
    attributes = [new_attributes(entry, mapping) for entry in entries]
    _check_all(session, people, entries)
    added: list[str] = []
    try:
        for (dn, entry), values in zip(new, attributes, strict=True):
            _add(session, dn, entry, values)
            added.append(dn)
            progress(1)
    except ServerLost as error:  # not to be tried again on another server
        raise Refused(f"{error}; before that, {len(added)} users were added.") from error
    except BaseException:
        _take_back(session, added)
        raise


def remove_user(session: Session, people: People, asked: str) -> None:
    """Delete the entry."""
    session.delete(_existing(session, people, asked).dn)


def change_details(session: Session, people: People, asked: str, new: Texts[str, str]) -> None:
    """Set fields of `Entry` that are one text.

    Of two who take the same address at the same moment, at most one keeps it.
    """
    mapping = people.queries.mapping
    found = _existing(session, people, asked)
    mail = new.get("mail")
    if mail:
        _check_mail_free(session, people, mail, found)
    wanted = {_attribute(mapping, field): [text] if text else [] for field, text in new.items()}
    _modify(session, mapping, found, wanted)
    if mail:
        try:
            _check_mail_free(session, people, mail, found)
        except MailTaken:
            now = _existing(session, people, asked)
            _modify(session, mapping, now, {name: found.texts(name) for name in wanted})
            raise


def set_numbers(
    session: Session, people: People, asked: str, numbers: Sequence[str], mailbox: str
) -> None:
    """Give a user these numbers, in the first of the number attributes, and the mailbox.

    The other attributes are not ours to change; what stands in them need not be written again.
    """
    mapping = people.queries.mapping
    found = _existing(session, people, asked)
    for number in filter(None, (*numbers, mailbox)):
        if other := _owner(session, people, number, but=found):
            raise NumberTaken(f"{number} belongs to user {other}.", asked)
    elsewhere = _numbers_elsewhere(found, people)
    for number in elsewhere.keys() - set(numbers):
        raise Unstorable(f"{number} stays: it stands in {elsewhere[number]}, which is not ours.")
    own = [number for number in numbers if number not in elsewhere]
    wanted = {mapping.numbers[0].attribute: written_numbers(own, mapping)}
    if mapping.mailbox:
        wanted[mapping.mailbox] = [mailbox] if mailbox else []
    _modify(session, mapping, found, wanted)


def _numbers_elsewhere(found: Found, people: People) -> dict[str, str]:
    """Numbers in attributes that we only read, and in which."""
    first, *others = people.queries.mapping.numbers
    return {
        number: source.attribute
        for source in others
        if source.attribute != first.attribute
        for number in numbers_in(found, source, people.queries.site)
    }


def _modify(
    session: Session, mapping: Mapping, found: Found, wanted: Texts[str, Sequence[str]]
) -> None:
    each = {name: _change(found, name, new) for name, new in wanted.items()}
    if changes := {name: change for name, change in each.items() if change}:
        session.modify(found.dn, {**class_needed(found, mapping.own_class), **changes})


def _change(found: Found, attribute: str, new: Sequence[str]) -> list[Change]:
    """From exactly the values that were read, so that a change in between makes it fail."""
    old = found.texts(attribute)
    gone, added = [v for v in old if v not in new], [v for v in new if v not in old]
    changes: list[Change] = [("MODIFY_DELETE", gone)] if gone else []
    return [*changes, ("MODIFY_ADD", added)] if added else changes


def _attribute(mapping: Mapping, field: str) -> str:
    names_of_fields = {
        "name": mapping.name,
        "given": mapping.given,
        "surname": mapping.surname,
        "mail": mapping.mail,
        "organisation": mapping.organisation,
    }
    if attribute := names_of_fields[field]:
        return attribute
    raise WriteRefused(f"No attribute of this directory is configured to hold the {field}.")


def _add(session: Session, dn: str, entry: Entry, attributes: Texts[str, list[str]]) -> None:
    try:
        session.add(dn, attributes)
    except EntryExists:
        raise UserExists(f"There is an entry {dn} already.", entry.id) from None


def _take_back(session: Session, added: Iterable[str]) -> None:
    for dn in added:
        try:
            session.delete(dn)
        except LdapError as error:
            log.error("an added entry is not removed again", entry=dn, reason=str(error))


def _existing(session: Session, people: People, asked: str) -> Found:
    found = people.by_id(session, asked)
    if found is None:
        raise UnknownUser(f"There is no user {asked}.")
    return found


# --- What belongs to somebody


def _check_all(session: Session, people: People, entries: Sequence[Entry]) -> None:
    """Against the directory, and each against those before it."""
    if len(entries) == 1:
        _check_one(session, people, entries[0])
        return
    ids, numbers, mails = _everything_taken(session, people)
    for entry in entries:
        if (known := entry.id.casefold()) in ids:
            raise UserExists(f"There is a user {entry.id} already.", entry.id)
        for number in filter(None, (*entry.numbers, entry.mailbox)):
            if (owner := numbers.setdefault(number, entry.id)) != entry.id:
                raise NumberTaken(f"{number} belongs to user {owner}.", entry.id)
        if entry.mail:
            owner = mails.setdefault(address_key(entry.mail), entry.id)
            if owner != entry.id:
                raise MailTaken(f"{entry.mail} is the address of user {owner}.", entry.id)
        ids.add(known)


def _check_one(session: Session, people: People, entry: Entry) -> None:
    if people.by_id(session, entry.id):
        raise UserExists(f"There is a user {entry.id} already.", entry.id)
    for number in filter(None, (*entry.numbers, entry.mailbox)):
        if owner := _owner(session, people, number):
            raise NumberTaken(f"{number} belongs to user {owner}.", entry.id)
    if entry.mail:
        _check_mail_free(session, people, entry.mail)


def _everything_taken(
    session: Session, people: People
) -> tuple[set[str], dict[str, str], dict[str, str]]:
    """Ids, and the owners of numbers and addresses."""
    mapping, site = people.queries.mapping, people.queries.site
    ids: set[str] = set()
    numbers: dict[str, str] = {}
    mails: dict[str, str] = {}
    everybody = people.everybody(session)
    if not everybody.complete:
        raise Refused("The directory does not tell all of its users, so nobody can be added.")
    for found in everybody.found:
        owner = user_id(found, mapping)
        ids.add(owner.casefold())
        numbers |= dict.fromkeys(known_numbers(found, mapping, site), owner)
        mails |= {address_key(mail): owner for mail in found.texts(mapping.mail)}
    return ids, numbers, mails


def _owner(session: Session, people: People, number: str, but: Found | None = None) -> str | None:
    return _other(people, people.with_number(session, number), but)


def _check_mail_free(session: Session, people: People, mail: str, but: Found | None = None) -> None:
    if owner := _other(people, people.with_mail(session, mail), but):
        name = "" if but is None else user_id(but, people.queries.mapping)
        raise MailTaken(f"{mail} is the address of user {owner}.", name)


def _other(people: People, found: Iterable[Found], but: Found | None) -> str | None:
    others = (each for each in found if but is None or not names.same(each.dn, but.dn))
    return next((user_id(each, people.queries.mapping) for each in others), None)
