"""What stands in mails about missed calls, as the site wants them."""

import email.policy
import re
from dataclasses import replace
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.missed_call_house import (
    ANNA,
    CALLER,
    RULES,
    SITE,
    START,
    House,
    body,
    call,
    on,
    ring,
    the_mail,
)
from vm_ari.adapters.system_mail import Sender, SystemMailWriter
from vm_ari.adapters.templates import MailTemplates
from vm_ari.adapters.vcards import card_of
from vm_ari.config import shared_files
from vm_ari.domain.callers import caller_from
from vm_ari.domain.contacts import contact_from
from vm_ari.domain.missed_calls import Outcome, RungUser
from vm_ari.domain.system_mails import SystemMail
from vm_ari.services.missed_call_mails import CallerAs, MailStyle, MailWriting


def test_the_mail_says_everything(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        mail = await the_mail(house)
        assert mail["Subject"] == "Entgangener Anruf: Jörg Größe (+49 89 123456)"
        assert mail["From"] == "Voicemail <vm@example.org>"
        assert mail["Reply-To"] == "Jörg Größe <joerg@example.com>"
        assert mail["Sender"] is None
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["Content-Class"] == "missedcall"
        assert mail["X-CallingTelephoneNumber"] == CALLER
        for kind in ("plain", "html"):
            for text in ("Anna Berg", "Jörg Größe", "12 Sekunden", "101", "22. November 2026"):
                assert text in body(mail, kind)
        assert "Größe &amp; Söhne" in body(mail, "html")
        assert body(mail, "html").count('href="tel:+') == 2
        [card] = mail.iter_attachments()
        assert (card.get_content_type(), card.get_filename()) == ("text/vcard", "contact.vcf")
        assert "FN:Jörg Größe\r\n" in card.get_content().replace("\r\n", "\n").replace("\n", "\r\n")

    on(House(tmp_path), story)


@pytest.mark.parametrize(
    ("style", "headers", "links", "attached"),
    [
        (
            MailStyle(caller_as=CallerAs.FROM, prefix="callto:", site=SITE),
            ("Jörg Größe <joerg@example.com>", "Voicemail <vm@example.org>", "None"),
            'href="callto:+',
            1,
        ),
        (
            MailStyle(caller_as=CallerAs.NOTHING, prefix="", vcard=False, site=SITE),
            ("Voicemail <vm@example.org>", "None", "None"),
            "href",
            0,
        ),
    ],
)
def test_the_site_says_how_the_mail_is(
    tmp_path: Path, style: MailStyle, headers: tuple[str, ...], links: str, attached: int
) -> None:
    async def story(house: House) -> None:
        mail = await the_mail(house)
        assert tuple(str(mail[name]) for name in ("From", "Sender", "Reply-To")) == headers
        found = body(mail, "html").replace('href="mailto:', "").count(links)
        assert found == (2 if style.prefix else 0)
        assert len(list(mail.iter_attachments())) == attached

    on(House(tmp_path, style=style), story)


@pytest.mark.parametrize(("language", "subject"), [("", "Missed call"), ("fr", "Appel manqué ")])
def test_the_language_is_the_users_or_the_sites(
    tmp_path: Path, language: str, subject: str
) -> None:
    async def story(house: House) -> None:
        mail = await the_mail(house, call("c1", ring("102"), caller=""))
        assert str(mail["Subject"]).startswith(f"{subject}: ")

    on(House(tmp_path, style=MailStyle(language=language, site=SITE)), story)


def test_the_mail_names_who_has_answered_instead(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        mail = await the_mail(house, call("c1", ring("101"), ring("102", answered=True), by="102"))
        assert "Angenommen von: Ben Baker (102)" in body(mail, "plain")
        assert await house.fates("c1") == {"anna": "told", "ben": "answered"}
        assert house.noted == [("anna", Outcome.TOLD, "Ben Baker (102)")]

    on(House(tmp_path, replace(RULES, answered_elsewhere=True)), story)


HOSTILE = st.text(max_size=200) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "{{ 7 * 7 }}",
        "Jörg\r\nBcc: eve@example.org",
        '"Jörg" <eve@example.org>, ',
        "END:VCARD\r\nBEGIN:VCARD",
        "\u202e\u0000",
    ]
)
WRITER = SystemMailWriter(
    MailTemplates(shared_files() / "templates"), Sender("vm@example.org", "Voicemail"), SITE
)


@settings(max_examples=40, deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_whoever_calls_and_whatever_he_is_called_the_mail_is_one(
    name: str, organisation: str, mail: str, shown: str
) -> None:
    contact = contact_from(name, organisation, mail, [CALLER], SITE)
    one = replace(call(), caller=caller_from(CALLER, shown, SITE))
    style = MailStyle(caller_as=CallerAs.FROM, site=SITE)
    values = MailWriting(style, card_of).values(one, RungUser(ANNA, one.rings), contact)
    content = WRITER(SystemMail.MISSED_CALL, ANNA, values, message_id="<1@x>", written=START)
    message = BytesParser(policy=email.policy.default).parsebytes(content)
    assert isinstance(message, EmailMessage)
    assert message["Bcc"] is None
    assert len(message["From"].addresses) == 1
    assert not re.search(r"<script|<img|49</h1>", body(message, "html"))
    if contact:
        [card] = message.iter_attachments()
        assert card.get_content().splitlines().count("END:VCARD") == 1
