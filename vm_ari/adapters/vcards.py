"""Contacts as vCards (RFC 2426), written and read by vobject."""

import re
from collections.abc import Iterator

import vobject
from vobject.vcard import Name

from vm_ari.domain.contacts import Contact, contact_from
from vm_ari.domain.numbers import Site

LONGEST_CARD = 100_000
"""Characters, photographs and all; longer ones are passed over."""
_CARD = re.compile(
    r"^BEGIN:VCARD[ \t]*\r?\n(?P<inside>.*?)^END:VCARD[ \t]*\r?$",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_BEGIN = re.compile(r"^BEGIN:VCARD[ \t]*\r?\n", re.MULTILINE | re.IGNORECASE)
_WANTED = re.compile(r"(?:[A-Za-z0-9-]+\.)?(?:FN|N|ORG|EMAIL|TEL)[;:]", re.IGNORECASE)
_HEAD, _TAIL = "BEGIN:VCARD\r\nVERSION:3.0\r\n", "END:VCARD\r\n"


def card_of(contact: Contact) -> bytes:
    """One contact, as address books import it: version 3.0, UTF-8."""
    card = vobject.vCard()
    given, _, family = contact.name.rpartition(" ")
    card.add("n").value = Name(family=family, given=given)
    card.add("fn").value = contact.shown
    if contact.organisation:
        card.add("org").value = [contact.organisation]
    for number in contact.numbers:
        line = card.add("tel")
        line.value, line.type_param = number, "VOICE"
    if contact.mail:
        line = card.add("email")
        line.value, line.type_param = contact.mail, "INTERNET"
    text: str = card.serialize()
    return text.encode("utf-8")


def contacts_in(text: str, site: Site) -> Iterator[Contact]:
    """The contacts of an address book in one file; cards that cannot be read are passed over."""
    for found in _CARD.finditer(text):
        inside = _BEGIN.split(found["inside"])[-1]  # one before it may have no end
        if len(inside) <= LONGEST_CARD and (contact := _contact(inside, site)):
            yield contact


def _contact(inside: str, site: Site) -> Contact | None:
    try:
        card = vobject.readOne(_HEAD + _lines_of_use(inside) + _TAIL, allowQP=True)
        return contact_from(
            _first(card, "fn") or str(getattr(getattr(card, "n", None), "value", "")),
            _first(card, "org"),
            _first(card, "email"),
            _values(card, "tel"),
            site,
        )
    except Exception:  # vobject fails in many ways on what is no vCard
        return None


def _lines_of_use(inside: str) -> str:
    """Without photographs and what else takes long to read; every line unfolded.

    Quoted-printable, of vCard 2.1, breaks its lines with ``=`` at their end.
    """
    unfolded = re.sub(r"\r?\n[ \t]", "", inside)
    joined = re.sub(r"(?im)^([^:\n]*QUOTED-PRINTABLE[^\n]*)=\r?\n", r"\1", unfolded)
    lines = (line.rstrip("\r") for line in joined.split("\n"))
    return "".join(f"{line}\r\n" for line in lines if _WANTED.match(line))


def _values(card: object, name: str) -> list[str]:
    """Texts of all properties of that name."""
    contents: dict[str, list[object]] = getattr(card, "contents", {})
    return [_text(getattr(line, "value", "")) for line in contents.get(name, [])]


def _first(card: object, name: str) -> str:
    return next(iter(_values(card, name)), "")


def _text(value: object) -> str:
    """An organisation comes with its units."""
    return ", ".join(str(one) for one in value if one) if isinstance(value, list) else str(value)
