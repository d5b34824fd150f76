"""Whole mails, as people and programs write them, become utterances."""

import asyncio
from collections.abc import Sequence
from email.message import EmailMessage, MIMEPart
from pathlib import Path

import pytest

from tests.corpus.hostile_mails import html, mail, multipart
from tests.patience import AT_MOST
from vm_ari.adapters.mail_reader import MailReader
from vm_ari.domain.mail_speech.utterances import About, Utterance

ALL = ("en", "de", "fr")
PATIENCE = AT_MOST
"""Others may use this machine, too."""
GERMAN = "Hallo Anna, ich habe die Unterlagen gesehen. Bitte ruf mich morgen an, wenn du Zeit hast."
ENGLISH = "Hello Anna, I have seen the papers. Please call me tomorrow when you have some time."
FRENCH = "Bonjour Anna, j'ai vu les documents. Merci de me rappeler demain si vous avez le temps."


def read(content: bytes | Path, languages: Sequence[str] = ALL) -> list[Utterance]:
    async def collected() -> list[Utterance]:
        return [one async for one in MailReader(patience=PATIENCE).read(content, languages)]

    return asyncio.run(collected())


def said(content: bytes, about: About, languages: Sequence[str] = ALL) -> list[tuple[str, str]]:
    """Language and words of what is said about one thing."""
    return [(one.language, one.text) for one in read(content, languages) if one.about is about]


def texts(content: bytes) -> str:
    """What the writer says, in one line."""
    return " ".join(words for _, words in said(content, About.TEXT))


def notices(content: bytes) -> list[str]:
    return [words for _, words in said(content, About.NOTICE)]


def written(text: str, subject: str = "Rückruf", **fields: str) -> EmailMessage:
    """An ordinary mail."""
    message = EmailMessage()
    message["From"] = "Jürgen Müller <juergen@example.org>"
    message["Subject"] = subject
    message.set_content(text)
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    return message


@pytest.mark.feature_part("INBOX-10", "in the language a mail is written in")
@pytest.mark.parametrize(("language", "text"), [("de", GERMAN), ("en", ENGLISH), ("fr", FRENCH)])
def test_a_mail_is_read_in_its_own_language(language: str, text: str) -> None:
    heard = read(written(text, "12.03.2026").as_bytes())
    assert [one.about for one in heard[:3]] == [About.SENDER, About.SUBJECT, About.TEXT]
    assert heard[0] == Utterance("Jürgen Müller", "en", About.SENDER)
    assert {one.language for one in heard[1:]} == {language}
    assert "".join(one.text for one in heard[2:]).startswith(text[:20])


@pytest.mark.parametrize(
    ("text", "hint", "language"),
    [
        ("Treffen Montag Nachmittag Konferenzraum", "", "de"),
        ("Réunion lundi salle conférence", "", "fr"),
        ("OK, super", "fr", "fr"),
        ("OK, super", "de-CH", "de"),
        (GERMAN, "en", "de"),
    ],
)
def test_where_the_small_words_are_missing_a_model_and_the_header_help(
    text: str, hint: str, language: str
) -> None:
    fields = {"Content_Language": hint} if hint else {}
    assert said(written(text, **fields).as_bytes(), About.TEXT)[0][0] == language


def test_only_languages_that_somebody_speaks_are_found() -> None:
    assert said(written(FRENCH).as_bytes(), About.TEXT, ("de", "en"))[0][0] in {"de", "en"}
    assert said(written(FRENCH).as_bytes(), About.TEXT, ("de",))[0][0] == "de"
    dutch = "Beste Anna, ik heb de stukken gezien en ik vind ze goed. Bel je mij morgen terug?"
    assert said(written(dutch).as_bytes(), About.TEXT, (*ALL, "nl"))[0][0] == "nl"


def test_a_mail_in_two_languages_is_read_in_both() -> None:
    heard = said(written(f"{GERMAN}\n\n{ENGLISH}\n").as_bytes(), About.TEXT)
    assert [language for language, _ in heard] == ["de", "en"]


def test_a_mail_in_a_script_that_nobody_reads_says_so() -> None:
    heard = read(written("Привет, как дела?\n\nДо завтра!", "Привет").as_bytes())
    assert [one.text for one in heard if one.about is About.TEXT] == []
    assert [one.text for one in heard if one.about is About.NOTICE] == [
        "A part is in a script that cannot be read aloud."
    ]


@pytest.mark.feature_part("INBOX-10", "HTML is spoken sensibly")
def test_html_is_read_as_it_is_seen() -> None:
    page = html(
        "<html><head><title>T</title><style>p{color:red}</style><script>alert(1)</script></head>"
        "<body><div style='display:none;max-height:0'>Preview</div><!-- note -->"
        "<p style='font-size:0px'>unseen</p><span hidden>unseen</span>"
        "<h1>Offer</h1><p>We have <b>bold</b> bread&nbsp;&amp; but<i>ter</i>.<br>Come "
        "<a href='http://evil.example/x'>here</a> or "
        "<a href='http://evil.example/y'>https://shop.example.org/very/long?x=1</a>.</p>"
        "<img src='http://track.example/p.gif' width=1 height=1 alt='pixel'>"
        "<ul><li>one</li><li>two</li></ul><ol><li>three</li></ol>"
        "<div class='gmail_signature'>ACME</div></body></html>"
    )
    assert texts(page) == (
        "Offer. We have bold bread and butter. Come here or link to shop dot example dot org. "
        "one. two. 1. three."
    )


@pytest.mark.parametrize(
    ("style", "seen"),
    [
        ("DISPLAY : none !important", False),
        ("color:red;visibility:hidden", False),
        ("max-height:0px; overflow:hidden", False),
        ("mso-hide:all", False),
        ("opacity: 0.0", False),
        ("border-width:0; line-height:0; min-height:0", True),
        ("max-height:0", True),
        ("opacity:0.5;font-size:0.9em", True),
    ],
)
def test_what_a_reader_does_not_see_a_listener_does_not_hear(style: str, seen: bool) -> None:
    page = html(f"<p>{ENGLISH}</p><div style='{style}'>A <b>secret</b>.</div>")
    assert ("secret" in texts(page)) is seen


def test_text_without_size_is_silent_but_not_what_has_a_size_in_it() -> None:
    page = "<div style='font-size:0'><span style='font-size:14px'>Seen.</span></div>"
    assert texts(html(f"{page}<p style='font-size:0px'>Unseen.</p>")) == "Seen."


@pytest.mark.feature_part("INBOX-10", "tables are read row by row")
def test_a_table_of_data_is_read_by_rows_and_a_layout_by_cells() -> None:
    data = "<table><tr><th>Name<th>Price<tr><td>Bread<td>3.20<tr><td>Milk<td>1.10</table>"
    layout = f"<table><tr><td><p>{ENGLISH}</p><td>{data}</td></tr></table>"
    assert texts(html(layout)).endswith("Name, Price. Bread, 3.20. Milk, 1.10.")


def test_of_a_long_table_the_rest_is_counted() -> None:
    rows = "".join(f"<tr><td>row<td>{n}" for n in range(30))
    assert notices(html(f"<p>{ENGLISH}</p><table>{rows}</table>")) == ["And 10 more rows."]


@pytest.mark.feature_part("INBOX-10", "quotes are left out")
@pytest.mark.parametrize(
    "quote",
    [
        "<div class='gmail_quote'>On Monday, Bert wrote:<br><blockquote class='gmail_quote'>Old "
        "words</blockquote></div>",
        "<blockquote type='cite'>Old words</blockquote>",
        "<hr><div id='divRplyFwdMsg'><b>From:</b> Bert<br><b>Sent:</b> Monday<br><b>To:</b> A<br>"
        "<b>Subject:</b> x</div><div>Old words</div>",
    ],
)
def test_the_history_in_html_is_left_out(quote: str) -> None:
    page = html(f"<p>{ENGLISH}</p>{quote}")
    assert "Old words" not in texts(page)
    assert notices(page) == ["The rest quotes an earlier message."]


def test_a_short_quote_between_answers_is_read_and_a_long_one_is_not() -> None:
    short = written(f"{ENGLISH}\n\n> Do you come?\n\nYes, I do.\n").as_bytes()
    assert "Quote: Do you come? End of quote. Yes, I do." in texts(short)
    long = written(f"{ENGLISH}\n\n> {'old words ' * 40}\n\nYes, I do.\n").as_bytes()
    assert notices(long) == ["A quote is left out."]
    assert "old words" not in texts(long)


@pytest.mark.parametrize(
    ("plain", "page", "heard"),
    [
        (ENGLISH, f"<p>{ENGLISH}</p>", ENGLISH),
        ("", f"<p>{ENGLISH}</p>", ENGLISH),
        ("Your mail program cannot show HTML mails.", f"<p>{ENGLISH} Bye.</p>", f"{ENGLISH} Bye."),
        (ENGLISH, "", ENGLISH),
        (ENGLISH, "<img src='cid:x'>", ENGLISH),
        (f"{ENGLISH} {ENGLISH} {ENGLISH}", "<p>Another</p>", f"{ENGLISH} {ENGLISH} {ENGLISH}"),
    ],
)
def test_of_two_alternatives_the_better_one_is_read(plain: str, page: str, heard: str) -> None:
    message = written(plain)
    message.add_alternative(page, subtype="html")
    assert texts(message.as_bytes()) == heard


@pytest.mark.feature_part("INBOX-10", "attachments are named")
def test_attachments_are_counted_and_named() -> None:
    message = written(ENGLISH)
    names = ("Bericht_März.pdf", "../../etc/pass\\wd.txt", "", "d.zip")
    for name in names:
        message.add_attachment(b"x", maintype="application", subtype="pdf", filename=name or None)
    message.add_attachment(written(GERMAN))
    heard = notices(message.as_bytes())
    assert heard == ["With 5 attachments: Bericht März.pdf, wd.txt, without a name, and 2 more."]
    one = written(ENGLISH)
    one.add_attachment(written(GERMAN))
    assert notices(one.as_bytes()) == ["With one attachment: an e-mail."]


def test_pictures_of_the_layout_and_signatures_are_silent() -> None:
    message = written(ENGLISH)
    message.add_alternative(f"<p>{ENGLISH}<img src='cid:logo'></p>", subtype="html")
    page = list(message.iter_parts())[1]
    assert isinstance(page, MIMEPart)
    page.add_related(b"GIF89a", maintype="image", subtype="gif", cid="<logo>")
    message.add_attachment(b"x", maintype="application", subtype="pgp-signature")
    assert notices(message.as_bytes()) == []


def test_an_encrypted_mail_says_so() -> None:
    part = b"Content-Type: application/octet-stream; name=encrypted.asc\r\n\r\nhQEMA"
    assert "This e-mail is encrypted." in notices(multipart(part, subtype="encrypted"))
    pgp = mail(b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n")
    assert notices(pgp) == ["This e-mail is encrypted."]


def test_a_mail_without_text_says_so_in_the_listeners_language() -> None:
    assert said(mail(b""), About.NOTICE, ("de", "en")) == [
        ("de", "Diese E-Mail enthält keinen Text.")
    ]


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        *(("utf-8", "8bit"), ("iso-8859-1", "quoted-printable"), ("utf-16", "base64")),
        *(("windows-1252", "base64"), ("unknown-8bit", "8bit"), ("", "8bit")),
    ],
)
def test_letters_survive_every_charset_and_encoding(charset: str, encoding: str) -> None:
    message = EmailMessage()
    real = charset if charset not in {"", "unknown-8bit"} else "utf-8"
    message.set_content(f"Grüße {GERMAN}", charset=real, cte=encoding)
    raw = message.as_bytes().replace(f'charset="{real}"'.encode(), f'charset="{charset}"'.encode())
    assert texts(raw).startswith("Grüße Hallo Anna")


def test_what_comes_first_is_said_first_and_the_first_piece_is_short() -> None:
    heard = [one for one in read(written(f"{GERMAN} " * 200).as_bytes()) if one.about is About.TEXT]
    assert len(heard[0].text) <= 120
    assert len(heard) > 40


def test_an_endless_mail_is_cut_with_a_word_about_it() -> None:
    heard = read(written((ENGLISH + "\n\n") * 1000).as_bytes())
    assert sum(len(one.text) for one in heard) < 40_000
    assert heard[-1].text == "The e-mail is longer; the rest is not read aloud."


def test_a_file_and_its_bytes_are_read_alike(tmp_path: Path) -> None:
    content = written(GERMAN).as_bytes()
    (tmp_path / "mail").write_bytes(content)
    assert read(tmp_path / "mail") == read(content)
