"""Contacts: one contract over the users, a real LDAP server and a file of vCards."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from tests.adapters.ldap_people import settings_of, unit
from tests.clock import run_virtually
from tests.fakes import FakeDirectory
from tests.slapd import SUFFIX, Slapd, ldif, slapd
from vm_ari.adapters.contacts_ldap import ContactAttributes, ContactSearch, LdapContacts
from vm_ari.adapters.contacts_users import PAUSE, ContactSources, UserContacts
from vm_ari.adapters.contacts_vcard import VcardContacts
from vm_ari.adapters.ldap.address import Patience
from vm_ari.adapters.ldap.directory import servers_of
from vm_ari.adapters.ldap.filters import BadFilter
from vm_ari.adapters.vcards import card_of, contacts_in
from vm_ari.domain.contacts import Contact
from vm_ari.domain.numbers import Site
from vm_ari.domain.users import User
from vm_ari.ports import Contacts, ContactsUnavailable

T = TypeVar("T")
SITE = Site(base_number="+4930555", area="30")
JOERG = "+4989123456"
BOOK = f"ou=contacts,{SUFFIX}"
HOSTILE = ["*", "(", ")", "*)(uid=*", "\\2a", "\x00", "${UMS}", "+49" * 40, "", "Jörg", "\ud800"]


class ContactsContract:
    """Everybody here knows Jörg Größe under two numbers, and nobody else."""

    ask: Callable[[str], Contact | None]

    @pytest.mark.parametrize("number", [JOERG, "+491711234567"])
    def test_who_is_known_is_found_by_each_number(self, number: str) -> None:
        found = self.ask(number)
        assert found is not None
        assert (found.name, found.mail) == ("Jörg Größe", "joerg@example.com")
        assert {JOERG, "+491711234567"} <= set(found.numbers)

    @pytest.mark.parametrize("number", ["+4989123457", "+49891234567", "101"])
    def test_others_are_not(self, number: str) -> None:
        assert self.ask(number) is None

    @pytest.mark.parametrize("number", HOSTILE)
    def test_a_hostile_number_finds_nobody(self, number: str) -> None:
        assert self.ask(number) is None


class TestUsers(ContactsContract):
    """The users of the directory."""

    @pytest.fixture(autouse=True)
    def source(self) -> None:
        numbers = (JOERG, "+491711234567")
        book = FakeDirectory(User("joerg", "Jörg Größe", "104", numbers, "joerg@example.com"))
        self.ask = lambda number: asyncio.run(UserContacts(book, SITE).contact_of(number))

    def test_a_directory_that_is_away_says_so(self) -> None:
        directory = FakeDirectory()
        directory.unavailable = True
        with pytest.raises(ContactsUnavailable):
            asyncio.run(UserContacts(directory, SITE).contact_of(JOERG))


CARD = """BEGIN:VCARD\r
VERSION:3.0\r
FN:Jörg Größe\r
N:Größe;Jörg;;;\r
ORG:Größe\\, Söhne & Co;Einkauf\r
item1.EMAIL;TYPE=INTERNET:joerg@example.com\r
TEL;TYPE=WORK:+49 (89) 123-456\r
TEL;TYPE="cell,voice":0171/1234\r
 567\r
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD\r
 AAAAAAAAAAAAA\r
NOTE:END:VCARD in a note\\nTEL:030 9999999\r
END:VCARD\r
"""
OLD_CARD = (
    "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;Eva\n"
    "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Eva M=C3=BC=\nller\n"
    "TEL;WORK:030 4711000\nEND:VCARD\n"
)
NEW_CARD = (
    "begin:vcard\nversion:4.0\nfn:Max\ntel;value=uri;type=home:tel:+49-30-4712000\nend:vcard\n"
)
BAD_CARDS = (
    "BEGIN:VCARD\nVERSION:3.0\nFN\nTEL:030 4713000\nEND:VCARD\n"
    "BEGIN:VCARD\nVERSION:3.0\nTEL:030 4713001\nEND:VCARD\n"
    "BEGIN:VCARD\nVERSION:3.0\nFN:No Number\nEND:VCARD\n"
    "BEGIN:VCARD\nVERSION:3.0\nFN:Long\nNOTE:" + "x" * 200_000 + "\nTEL:030 4713002\nEND:VCARD\n"
    "BEGIN:VCARD\nBEGIN:VCARD\nFN:Never ends\nTEL:030 4713003\n"
)


class TestVcardFile(ContactsContract):
    """A file of vCards."""

    @pytest.fixture(autouse=True)
    def source(self, tmp_path: Path) -> None:
        self.file = tmp_path / "contacts.vcf"
        self.file.write_text(BAD_CARDS + CARD + OLD_CARD + NEW_CARD + BAD_CARDS, newline="")
        self.book = VcardContacts(self.file, SITE)
        self.ask = lambda number: asyncio.run(VcardContacts(self.file, SITE).contact_of(number))

    def test_cards_of_all_versions_and_kinds_are_read(self) -> None:
        found = self.ask(JOERG)
        assert found is not None
        assert found.organisation == "Größe, Söhne & Co, Einkauf"
        for number, name in (("+49304711000", "Eva Müller"), ("+49304712000", "Max")):
            found = self.ask(number)
            assert found is not None
            assert found.name == name
        assert self.ask("+49309999999") is None, "what stands in a note is no number"
        assert self.ask("+49304713002") is None

    def test_a_changed_file_is_read_again_and_only_then(self) -> None:
        async def story() -> None:
            first = await self.book.contact_of(JOERG)
            assert first is not None
            assert await self.book.contact_of(JOERG) is first
            new = self.file.with_suffix(".new")
            new.write_text(CARD.replace("FN:Jörg Größe", "FN:Jörg Klein"))
            new.replace(self.file)
            changed = await self.book.contact_of(JOERG)
            assert changed is not None
            assert changed.name == "Jörg Klein"

        asyncio.run(story())

    def test_a_file_that_is_away_says_so(self) -> None:
        self.file.unlink()
        with pytest.raises(ContactsUnavailable, match=r"contacts\.vcf: No such file"):
            self.ask(JOERG)


@pytest.fixture(scope="module")
def server() -> Iterator[Slapd]:
    entry: dict[str, str | tuple[str, ...]] = {
        "objectClass": "inetOrgPerson",
        "cn": "Joerg Groesse",
        "displayName": "Jörg Größe",
        "sn": "Groesse",
        "o": "Groesse",
        "mail": "joerg@example.com",
        "telephoneNumber": "+49 89 123456",
        "mobile": "+49 171 1234567",
    }
    book = unit("contacts") + ldif(f"cn=joerg,{BOOK}", {**entry, "cn": ("joerg", "Joerg Groesse")})
    with slapd(book) as running:
        yield running


NAMES = ContactAttributes(name="displayName")


@asynccontextmanager
async def ldap_contacts(
    server: Slapd, text: str = "", base: str = BOOK, patience: Patience | None = None
) -> AsyncIterator[LdapContacts]:
    search = ContactSearch.below((base,), text, NAMES, SITE)
    book = LdapContacts(servers_of(settings_of(server, bases=(base,), patience=patience)), search)
    try:
        yield book
    finally:
        await book.close()


class TestLdap(ContactsContract):
    """A real server."""

    @pytest.fixture(autouse=True)
    def source(self, server: Slapd) -> None:
        self.server = server
        self.ask = self.asked

    def asked(self, number: str, text: str = "", base: str = BOOK) -> Contact | None:
        async def run() -> Contact | None:
            async with ldap_contacts(self.server, text, base) as book:
                return await book.contact_of(number)

        return asyncio.run(run())

    def test_an_own_filter_counts(self) -> None:
        assert self.asked(JOERG, "(&(o=groesse)(telephoneNumber=${UMS}))") is not None
        assert self.asked(JOERG, "(&(o=other)(telephoneNumber=${UMS}))") is None
        assert self.asked(JOERG, "(mobile=${NUMBER})") is None

    @pytest.mark.parametrize("text", ["(o=*)", "(mobile=${WHO})", "mobile=${UMS}"])
    def test_a_filter_that_finds_nobody_is_refused(self, text: str) -> None:
        with pytest.raises(BadFilter):
            ContactSearch.below((BOOK,), text, NAMES, SITE)

    def test_a_base_that_is_missing_is_named(self) -> None:
        with pytest.raises(ContactsUnavailable, match="has no ou=elsewhere"):
            self.asked(JOERG, base=f"ou=elsewhere,{SUFFIX}")

    def test_a_server_that_hangs_is_not_waited_for(self) -> None:
        async def story() -> None:
            async with ldap_contacts(self.server, patience=Patience(caller=30.0)) as book:
                sources = ContactSources([book], seconds=0.2)
                assert await sources.contact_of(JOERG) is not None
                self.server.freeze()
                try:
                    with pytest.raises(ContactsUnavailable, match=r"no answer within 0\.2 s"):
                        await sources.contact_of(JOERG)
                    with pytest.raises(ContactsUnavailable, match="was away just now"):
                        await sources.contact_of(JOERG)
                finally:
                    self.server.thaw()

        asyncio.run(story())


class Scripted:
    """A source that says what it is told, once asked that often."""

    def __init__(self, answer: Contact | Exception | None, seconds: float = 0) -> None:
        self.answer = answer
        self.seconds = seconds
        self.asked = 0

    async def contact_of(self, number: str) -> Contact | None:
        self.asked += 1
        await asyncio.sleep(self.seconds)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


AWAY = ContactsUnavailable("away")
KNOWN = Contact("Jörg")


def of_several(*sources: Contacts) -> Contact | None:
    return run_virtually(ContactSources(sources, seconds=3).contact_of(JOERG))


def test_the_first_who_knows_counts_whoever_is_away() -> None:
    assert of_several(Scripted(None), Scripted(KNOWN), Scripted(Contact("Other"))) is KNOWN
    assert of_several(Scripted(AWAY), Scripted(KNOWN)) is KNOWN
    assert of_several(Scripted(None), Scripted(None)) is None
    assert of_several() is None
    with pytest.raises(ContactsUnavailable):
        of_several(Scripted(AWAY), Scripted(None))


def test_a_slow_source_is_left_alone_for_a_while() -> None:
    slow = Scripted(KNOWN, seconds=60)

    async def story() -> None:
        sources, loop = ContactSources([slow], seconds=3), asyncio.get_running_loop()
        for _ in range(5):
            with pytest.raises(ContactsUnavailable):
                await sources.contact_of(JOERG)
        assert (slow.asked, loop.time()) == (1, 3.0)
        await asyncio.sleep(PAUSE)
        slow.seconds = 0
        assert await sources.contact_of(JOERG) is KNOWN

    run_virtually(story())


def properties(card: bytes) -> list[tuple[str, str]]:
    """A vCard as RFC 2426 and RFC 2425 say it is read, by hand."""
    lines = card.decode("utf-8").replace("\r\n ", "").split("\r\n")
    assert lines[-1] == ""
    assert (lines[0], lines[-2]) == ("BEGIN:VCARD", "END:VCARD")
    return [
        (name.upper(), value) for name, _, value in (line.partition(":") for line in lines[:-1])
    ]


def test_a_card_is_read_by_whoever_follows_the_standard() -> None:
    joerg = Contact("Jörg; Größe", "Größe, Söhne", "joerg@example.com", (JOERG, "101"))
    assert properties(card_of(joerg)) == [
        ("BEGIN", "VCARD"),
        ("VERSION", "3.0"),
        ("EMAIL;TYPE=INTERNET", "joerg@example.com"),
        ("FN", "Jörg\\; Größe"),
        ("N", "Größe;Jörg\\;;;;"),
        ("ORG", "Größe\\, Söhne"),
        ("TEL;TYPE=VOICE", JOERG),
        ("TEL;TYPE=VOICE", "101"),
        ("END", "VCARD"),
    ]


@pytest.mark.parametrize(
    "contact",
    [
        Contact("Jörg Größe", "Größe \\n Söhne", "j@x.org", (JOERG,)),
        Contact("", "Firma " + "ö" * 50, "", (JOERG, "+4930555101")),
        Contact("BEGIN:VCARD", ";;;,,,", "", ("+4930555101",)),
    ],
)
def test_what_we_write_we_read(contact: Contact) -> None:
    [read] = contacts_in(card_of(contact).decode(), SITE)
    shown = contact.name or contact.organisation
    assert (read.name, read.mail, read.numbers) == (shown[:60], contact.mail, contact.numbers)
