"""What of a mail is its writer's own: history, signatures, tables, lists."""

import pytest

from vm_ari.domain.mail_speech.letter import MOST_ROWS, letter


def said(text: str) -> list[str]:
    return [paragraph.text for paragraph in letter(text).paragraphs]


HISTORIES = [
    "Am Mo., 1. Dez. 2025 um 10:00 Uhr schrieb Anna Berg <anna@example.org>:\n> Alt\n> Text",
    "On Mon, 1 Dec 2025 at 10:00, Anna Berg\n<anna@example.org> wrote:\n\n> Old\n> text",
    "Le lun. 1 déc. 2025 à 10:00, Anna Berg <anna@example.org> a écrit :\n> Vieux",
    "-----Ursprüngliche Nachricht-----\nVon: Anna\nGesendet: gestern\n\nAlt",
    "-----Original Message-----\nFrom: Anna\nOld",
    "___________________\nVon: Anna <a@example.org>\nGesendet: Montag\nAn: Bert\nBetreff: x\n\nAlt",
    "From: Anna <a@example.org>\nSent: Monday\nTo: Bert\nSubject: x\n\nOld text",
    "De : Anna\nEnvoyé : lundi\nÀ : Bert\nObjet : x\n\nVieux texte",
    "*From:* Anna\n*Date:* Monday\n*To:* Bert\n\nOld text",
    "> Old text\n> > older",
]


@pytest.mark.parametrize("history", HISTORIES)
def test_the_history_of_a_mail_is_cut(history: str) -> None:
    found = letter(f"This is new.\n\n{history}\n")
    assert [paragraph.text for paragraph in found.paragraphs] == ["This is new."]
    assert found.rest_quoted


def test_an_answer_below_a_quote_is_kept_with_the_quote() -> None:
    found = letter("On Monday Anna wrote:\n> When do you come?\n\nTomorrow.\n")
    assert [(p.text, p.quoted) for p in found.paragraphs] == [
        ("On Monday Anna wrote:", False),
        ("When do you come?", True),
        ("Tomorrow.", False),
    ]
    assert not found.rest_quoted


def test_a_mail_of_nothing_but_a_quote_is_read() -> None:
    found = letter("-----Original Message-----\nFrom: Anna\nSubject: x\n\nThe old text.")
    assert found.only_quoted
    assert "The old text." in found.paragraphs[-1].text


def test_of_a_forwarded_mail_nothing_is_cut_but_its_header() -> None:
    text = "Hi.\n\n------- Forwarded message -------\nFrom: A\nDate: B\nSubject: C\nTo: D\n\nNews!"
    assert said(text) == ["Hi.", "News!"]
    assert not letter(text).rest_quoted


@pytest.mark.parametrize(
    "below",
    [
        "-- \nAnna Berg\nACME",
        "Sent from my iPhone",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone",
        "Get Outlook for iOS",
    ],
)
def test_a_signature_is_cut(below: str) -> None:
    assert said(f"See you.\n\n{below}\n") == ["See you."]


@pytest.mark.parametrize(
    "below",
    [
        "This e-mail is confidential and intended only for\nthe addressee.\nDelete it.",
        "Diese E-Mail enthält vertrauliche Informationen. Wenn Sie nicht der Adressat sind ...",
        "Ce message est confidentiel.",
    ],
)
def test_what_a_company_puts_below_all_its_mails_is_cut(below: str) -> None:
    assert said(f"See you.\n\n{below}\n") == ["See you."]
    assert said(below)[0].startswith(below[:20])


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        (
            "Ja.\n\nMit freundlichen Grüßen\nAnna Berg\n\nACME GmbH\nTel. +49 711 1\nHRB 123",
            "Anna Berg.",
        ),
        ("Yes.\n\nKind regards,\nAnna\n\nPhone: +1 555 1234\nwww.example.org", "Anna."),
        ("Oui.\n\nCordialement,\nAnna\n\nTél. : 01 23 45", "Anna."),
        ("Yes.\n\nBest regards\nAnna\n\nPS: Bring your mother.", "PS: Bring your mother."),
    ],
)
def test_below_the_name_only_contact_data_are_cut(written: str, heard: str) -> None:
    assert said(written)[-1].endswith(heard)


def test_lines_that_a_program_has_wrapped_are_one_sentence() -> None:
    wrapped = (
        "This is a sentence that was wrapped by a program because it was\ntoo long for a line."
    )
    assert said(wrapped) == [wrapped.replace("\n", " ")]


def test_a_paragraph_on_one_endless_line_is_whole() -> None:
    words = [f"word{n}" for n in range(5000)]
    assert said(" ".join(words))[0].split() == [*words[:-1], "word4999."]


def test_what_its_writer_has_put_on_lines_is_heard_as_lines() -> None:
    assert said("Please buy\n- bread\n- milk,\n* 2 apples\n1. first") == [
        "Please buy. bread. milk, 2 apples. 1. first."
    ]


@pytest.mark.parametrize(
    "table",
    [
        "| Name | Price |\n|------|-------|\n| Bread | 3,20 |",
        "Name\tPrice\nBread\t3,20",
        "Name     Price\nBread    3,20",
    ],
)
def test_a_table_is_read_row_by_row(table: str) -> None:
    assert " ".join(said(table)) == "Name, Price. Bread, 3,20."


def test_of_a_long_table_some_rows_are_read_and_the_others_counted() -> None:
    (rows,) = letter("\n".join(f"row {n} | {n}" for n in range(100))).paragraphs
    assert rows.text.count("row") == MOST_ROWS
    assert rows.more_rows == 100 - MOST_ROWS


def test_keys_and_signatures_are_silent_and_the_signed_text_is_not() -> None:
    text = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nSigned words.\n"
        "-----BEGIN PGP SIGNATURE-----\n\niQEzBAEBCAAd\n=abcd\n-----END PGP SIGNATURE-----\n"
    )
    assert said(text) == ["Signed words."]
    assert not letter(text).encrypted
    assert letter("-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----").encrypted


def test_data_in_letters_are_silent() -> None:
    assert said("Look:\n" + ("QUJD" * 19 + "\n") * 30 + "Bye.") == ["Look: Bye."]


@pytest.mark.parametrize("text", ["", "\n\n", "> \n>", "---", "!!!", "| | |"])
def test_a_mail_without_words_has_no_paragraphs_to_say(text: str) -> None:
    assert not any(sign.isalnum() for paragraph in said(text) for sign in paragraph)
