"""A directory's entry as an `Entry`, and the other way round."""

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Texts
from dataclasses import dataclass

import structlog

from vm_ari.adapters.ldap.mapping import MAILBOX, Mapping, Numbers
from vm_ari.adapters.ldap.names import units_above
from vm_ari.adapters.ldap.wire import Found
from vm_ari.domain.callers import printable
from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import PIN_FAILURES, Entry, sort_apart
from vm_ari.domain.numbers import Site, extension_of, normalise

log = structlog.get_logger("vm_ari.ldap")


@dataclass(frozen=True)
class Record:
    """An entry whose settings have been read, wherever they are kept."""

    found: Found
    texts: Texts[str, str]


def user_id(found: Found, mapping: Mapping) -> str:
    """The user's stable name; empty for an entry that has none."""
    return found.text(mapping.id)


def stored_texts(found: Found, mapping: Mapping) -> dict[str, str]:
    """The texts of the settings attribute; none, if it cannot be understood."""
    try:
        return mapping.form.read(found.texts(mapping.settings))
    except Unstorable as error:
        log.error("settings cannot be read", user=user_id(found, mapping), reason=str(error))
        return {}


def entry_of(record: Record, mapping: Mapping, site: Site) -> Entry:
    """What the directory knows of a person; numbers that are none are left out."""
    found, texts = record.found, dict(record.texts)
    numbers = tuple(dict.fromkeys(_numbers(found, mapping, site)))
    mailbox = texts.pop(MAILBOX, "")
    if mapping.mailbox:
        mailbox = found.text(mapping.mailbox) or mailbox
    stored = sort_apart(texts)
    return Entry(
        id=user_id(found, mapping),
        name=_line(found, mapping.name),
        mailbox=_clean_mailbox(mailbox, site) or _mailbox(numbers, site),
        numbers=numbers,
        mail=_line(found, mapping.mail, 254),
        given=_line(found, mapping.given),
        surname=_line(found, mapping.surname),
        organisation=_line(found, mapping.organisation),
        settings=stored.settings,
        sealed=stored.sealed,
        pin_failures=stored.pin_failures,
        bookkeeping=stored.bookkeeping,
        units=units_above(found.dn),
    )


def new_attributes(entry: Entry, mapping: Mapping) -> dict[str, list[str]]:
    """What a new entry of the directory holds. Raises `Unstorable`."""
    attributes: dict[str, list[str]] = {"objectClass": list(mapping.new_classes)}
    names = {
        mapping.id: entry.id,
        mapping.name: entry.name or entry.id,
        mapping.given: entry.given,
        # every class of persons demands a surname
        mapping.surname: entry.surname or entry.name.split(" ")[-1] or entry.id,
        mapping.mail: entry.mail,
        mapping.organisation: entry.organisation,
        mapping.mailbox: entry.mailbox,
    }
    attributes |= {name: [text] for name, text in names.items() if name and text}
    if entry.numbers and mapping.numbers:
        attributes[mapping.numbers[0].attribute] = written_numbers(entry.numbers, mapping)
    if values := mapping.form.change((), texts_of(entry, mapping)).add:
        attributes[mapping.settings] = sorted(values)
    return attributes


def texts_of(entry: Entry, mapping: Mapping) -> dict[str, str]:
    """What of an entry lies in the settings attribute."""
    texts = {**entry.settings, **entry.sealed, **entry.bookkeeping}
    if entry.pin_failures:
        texts[PIN_FAILURES] = str(entry.pin_failures)
    if entry.mailbox and not mapping.mailbox:
        texts[MAILBOX] = entry.mailbox
    return texts


def written_numbers(numbers: Iterable[str], mapping: Mapping) -> list[str]:
    """As the first number attribute takes them."""
    return [mapping.numbers[0].prefix + number for number in numbers]


def numbers_in(found: Found, source: Numbers, site: Site) -> Iterator[str]:
    """The numbers in an attribute; what is none is left out."""
    for text in found.texts(source.attribute):
        if text[: len(source.prefix)].casefold() != source.prefix.casefold():
            continue
        number = normalise(text[len(source.prefix) :], site)
        if number is not None:
            yield number


def known_numbers(found: Found, mapping: Mapping, site: Site) -> set[str]:
    """Everything by which an entry is found."""
    mailbox = found.text(mapping.mailbox) if mapping.mailbox else ""
    mailbox = mailbox or stored_texts(found, mapping).get(MAILBOX, "")
    return {*_numbers(found, mapping, site), _clean_mailbox(mailbox, site)} - {""}


def _clean_mailbox(mailbox: str, site: Site) -> str:
    """A mailbox as telephones know it: digits of an extension as they are."""
    if mailbox.isascii() and mailbox.isdigit():
        return mailbox
    return normalise(mailbox, site) or ""


def _numbers(found: Found, mapping: Mapping, site: Site) -> Iterable[str]:
    return (number for source in mapping.numbers for number in numbers_in(found, source, site))


def _mailbox(numbers: tuple[str, ...], site: Site) -> str:
    first = next(iter(numbers), "")
    return extension_of(first, site) or first


def _line(found: Found, attribute: str, limit: int = 120) -> str:
    return printable(found.text(attribute), limit) if attribute else ""
