"""Mails become faxes: a real SMTP client brings them to the real listener (UM-04)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from ipaddress import ip_network
from pathlib import Path

import pytest
from aiosmtplib import SMTP, SMTPRecipientsRefused, SMTPResponseException

from tests import faxes
from tests.fakes import FakeDirectory
from tests.patience import AT_MOST
from vm_ari.adapters.fax_documents import fax_letter
from vm_ari.adapters.fax_orders import FaxOrderFiles
from vm_ari.adapters.fax_rendering import FaxRendering
from vm_ari.adapters.mail_listener import ListenerLimits, MailListener
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.fax_orders import FaxOrder
from vm_ari.domain.number_addresses import parse
from vm_ari.domain.numbers import Site
from vm_ari.domain.orders import Way
from vm_ari.domain.site_mails import Trust
from vm_ari.domain.users import User
from vm_ari.services.fax_by_mail import FaxByMail
from vm_ari.services.fax_ordering import FaxOrdering
from vm_ari.services.site_mails import Senders

SITE = Site(base_number="+4930555")
ANNA = User("anna", "Anna", "101", ("+4930555101",), "anna@example.org")
TWIN = User("twin", "Twin", "108", ("+4930555108",), "team@example.org")
OTHER = User("other", "Other", "109", ("+4930555109",), "team@example.org")
TO = "+49301234567@fax.example.org"
LIMITS = ListenerLimits(largest=200_000, idle=10.0, longest=60.0)


class Now:
    """See `Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Office:
    """Where mails are brought."""

    files: FaxOrderFiles
    port: int

    async def brings(self, mail: EmailMessage, *to: str, sender: str = "") -> tuple[int, str]:
        """What the site's mail server is answered."""
        async with SMTP(hostname="127.0.0.1", port=self.port, timeout=AT_MOST) as client:
            try:
                await client.send_message(
                    mail, sender=sender or str(mail["From"]), recipients=list(to or [TO])
                )
            except SMTPResponseException as error:
                return error.code, error.message
            except SMTPRecipientsRefused as error:
                return error.recipients[0].code, error.recipients[0].message
        return 250, ""

    async def orders(self) -> list[FaxOrder]:
        return list(await self.files.of_user(""))


@asynccontextmanager
async def office(base: Path, server: str = "") -> AsyncIterator[Office]:
    files = FaxOrderFiles(base / "faxes", KeyRing(base / "keys"))
    templates = Path(__file__).parents[2] / "templates"
    ordering = FaxOrdering(files, Now(), printer=FaxRendering(templates, SITE), sites=(SITE,))
    senders = Senders(FakeDirectory(ANNA, TWIN, OTHER), Now())
    address = parse("$(phonenumber)@$(addrtype).example.org")
    desk = FaxByMail(ordering, senders, address, SITE, fax_letter, Trust(server))
    listener = MailListener(desk, "127.0.0.1", 0, (ip_network("127.0.0.0/8"),), LIMITS)
    await listener.open()
    try:
        yield Office(files, listener.address[1])
    finally:
        listener.close()
        files.shut()


def at(base: Path, story: Callable[[Office], Awaitable[None]], server: str = "") -> None:
    async def run() -> None:
        async with office(base, server) as one:
            await story(one)

    asyncio.run(run())


def mail(text: str = "Dear Jörg,\n\nsee below.", sender: str = ANNA.mail) -> EmailMessage:
    one = EmailMessage()
    one["From"], one["To"], one["Subject"] = sender, TO, "Unser Angebot"
    one["Message-ID"] = "<first@example.org>"
    one.set_content(text)
    return one


@pytest.mark.feature_part("UM-04", "a mail with a PDF from the own address becomes a fax, once")
def test_documents_and_words_become_a_fax_once(tmp_path: Path) -> None:
    async def story(at_: Office) -> None:
        letter = mail()
        pdf = faxes.pdf([faxes.page(("x",))])
        letter.add_attachment(pdf, maintype="application", subtype="pdf", filename="a.pdf")
        assert await at_.brings(letter) == (250, "")
        assert await at_.brings(letter) == (250, ""), "it did not hear our answer"
        [order] = await at_.orders()
        assert (order.user_id, order.number, order.way) == ("anna", "+49301234567", Way.MAIL)
        assert order.cover.subject == "Unser Angebot"
        assert "Jörg" in order.cover.text
        [paper] = await at_.files.papers(order.id)
        assert (paper.media_type, paper.content) == ("application/pdf", pdf)

    at(tmp_path, story)


def test_a_mail_to_several_numbers_is_a_fax_to_each(tmp_path: Path) -> None:
    async def story(at_: Office) -> None:
        other = "+49307654321@fax.example.org"
        assert await at_.brings(mail(), TO, other) == (250, "")
        assert {one.number for one in await at_.orders()} == {"+49301234567", "+49307654321"}

    at(tmp_path, story)


def test_a_long_text_is_a_document_of_its_own(tmp_path: Path) -> None:
    async def story(at_: Office) -> None:
        await at_.brings(mail("a line\n" * 80))
        [order] = await at_.orders()
        assert (order.cover.text, order.cover.subject) == ("", "Unser Angebot")
        [paper] = await at_.files.papers(order.id)
        assert paper.content.count(b"a line") == 80

    at(tmp_path, story)


@pytest.mark.parametrize(
    ("sender", "envelope", "to", "code"),
    [
        ("stranger@example.org", "", TO, 550),
        (TWIN.mail, "", TO, 550),
        (ANNA.mail, "mallory@example.org", TO, 550),
        (ANNA.mail, "", "+49900123456@fax.example.org", 550),
        (ANNA.mail, "", "+49301234567@sms.example.org", 550),
        (ANNA.mail, "", "anna@fax.example.org", 550),
        (ANNA.mail, "", "+4930555101@fax.example.org", 550),
    ],
)
def test_what_may_not_leave_is_refused_at_once(
    tmp_path: Path, sender: str, envelope: str, to: str, code: int
) -> None:
    async def story(at_: Office) -> None:
        answer = await at_.brings(mail(sender=sender), to, sender=envelope)
        assert answer[0] == code, answer
        assert not await at_.orders()

    at(tmp_path, story)


def test_one_recipient_who_is_forbidden_keeps_the_others_from_getting_it(tmp_path: Path) -> None:
    async def story(at_: Office) -> None:
        code, said = await at_.brings(mail(), TO, "+49900123456@fax.example.org")
        assert code == 550
        assert "900" in said
        assert not await at_.orders()

    at(tmp_path, story)


def test_a_sender_who_is_not_proved_is_refused_where_that_is_asked_for(tmp_path: Path) -> None:
    async def story(at_: Office) -> None:
        assert (await at_.brings(mail()))[0] == 550
        proved = mail()
        proved["Authentication-Results"] = "mx.example.org; auth=pass smtp.auth=anna@example.org"
        assert (await at_.brings(proved))[0] == 250

    at(tmp_path, story, "mx.example.org")


@pytest.mark.parametrize("size", [150_000, 400_000])
def test_a_mail_that_is_too_large_is_not_even_read(tmp_path: Path, size: int) -> None:
    async def story(at_: Office) -> None:
        code, _ = await at_.brings(mail("x " * (size // 2)))
        assert (code == 250) is (size < LIMITS.largest)

    at(tmp_path, story)


def test_an_empty_mail_is_no_fax(tmp_path: Path) -> None:
    async def story(at_: Office) -> None:
        code, said = await at_.brings(mail("  "))
        assert code == 550
        assert "nothing" in said

    at(tmp_path, story)
