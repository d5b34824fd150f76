"""Who has sent a mail to the system: what is believed, and what is not (NOTIFY-06)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.site_mails import Doubtful, SiteMail, Trust, sender_of, without_detail

ANNA = "anna@example.org"
PROVED = Trust("mx.example.org")


def mail(*fields: tuple[str, str], envelope: str = ANNA, sender: str = ANNA) -> SiteMail:
    return SiteMail(("lamp-off@example.org",), envelope, (*fields, ("from", sender)))


def result(text: str, server: str = "mx.example.org") -> tuple[str, str]:
    return "authentication-results", f"{server}; {text}"


@pytest.mark.parametrize(
    "sender",
    [
        ANNA,
        "ANNA@Example.org",
        f"Anna <{ANNA}>",
        f'"Ärger, Anna" <{ANNA}>',
        f'"Mallory <m@evil.example>" <{ANNA}>',
        f"=?utf-8?q?Anna_=C3=84rger?= <{ANNA}>",
        f"<{ANNA}>",
    ],
)
def test_a_sender_is_read(sender: str) -> None:
    assert sender_of(mail(sender=sender), Trust()).lower() == ANNA


@pytest.mark.parametrize(
    ("doubtful", "why"),
    [
        (mail(envelope=""), "no sender"),
        (mail(envelope="<>"), "no sender"),
        (mail(envelope="mallory@evil.example"), "different senders"),
        (mail(sender="mallory@evil.example"), "different senders"),
        (mail(("from", ANNA)), "2 From fields"),
        (SiteMail((), ANNA, ()), "0 From fields"),
        (mail(sender=f"{ANNA}, mallory@evil.example"), "not one address"),
        (mail(sender=f"<{ANNA}> <mallory@evil.example>"), "not one address"),
        (mail(sender=f"mallory@evil.example <{ANNA}>"), "not one address"),
        (mail(sender="anna"), "not one address"),
        (mail(sender=f"team: {ANNA};"), "not one address"),
        (mail(sender='"anna@example.org'), "not one address"),
        (mail(sender="a" * 300 + "@example.org"), "not one address"),
        (mail(("auto-submitted", "auto-replied")), "machine or a list"),
        (mail(("list-id", "<all.example.org>")), "machine or a list"),
        (mail(("precedence", "bulk")), "machine or a list"),
    ],
)
def test_what_is_doubtful_has_no_sender(doubtful: SiteMail, why: str) -> None:
    with pytest.raises(Doubtful, match=why):
        sender_of(doubtful, Trust())


@pytest.mark.parametrize(
    "text",
    [
        "dkim=pass header.d=example.org",
        "dkim=pass (2048-bit key) header.d=example.org header.i=@example.org header.b=abc",
        "dkim=pass header.i=@example.org",
        "spf=pass smtp.mailfrom=anna@example.org; dkim=none",
        "spf=pass smtp.mailfrom=example.org",
        "spf=fail smtp.mailfrom=example.org; dmarc=pass (p=reject) header.from=example.org",
        "auth=pass (plain) smtp.auth=anna@example.org",
        'dkim=pass reason="good; very (good" header.d=example.org',
    ],
)
def test_what_the_mail_server_has_proved_counts(text: str) -> None:
    assert sender_of(mail(result(text)), PROVED) == ANNA


def test_a_subdomain_is_signed_by_its_domain() -> None:
    sender = "anna@mail.example.org"
    signed = result("dkim=pass header.d=example.org")
    assert sender_of(mail(signed, envelope=sender, sender=sender), PROVED) == sender


@pytest.mark.parametrize(
    "field",
    [
        result("dkim=fail header.d=example.org"),
        result("dkim=pass header.d=evil.example"),
        result("dkim=pass header.d=org"),
        result("dkim=pass header.d=notexample.org"),
        result("spf=pass smtp.mailfrom=m@evil.example"),
        result("auth=pass smtp.auth=mallory@example.org"),
        result("none"),
        result("dkim=pass header.d=example.org", server="mx.evil.example"),
        result('spf=fail smtp.mailfrom="x; dkim=pass header.d=example.org"@evil.example'),
        result("spf=fail (x; dkim=pass header.d=example.org) smtp.mailfrom=evil.example"),
        result("spf=fail (never ends; dkim=pass header.d=example.org"),
        result('spf=fail "never ends; dkim=pass header.d=example.org'),
        result("xdkim=pass header.d=example.org"),
        result("dkim=passed header.d=example.org"),
        ("authentication-results", "mx.example.org"),
        ("x-authentication-results", "mx.example.org; dkim=pass header.d=example.org"),
    ],
)
def test_what_it_has_not_proved_does_not(field: tuple[str, str]) -> None:
    with pytest.raises(Doubtful, match="not proved"):
        sender_of(mail(field), PROVED)


def test_a_result_below_the_servers_own_is_the_senders() -> None:
    forged = result("dkim=pass header.d=example.org")
    with pytest.raises(Doubtful, match="not proved"):
        sender_of(mail(result("dkim=none"), forged), PROVED)
    others = result("dkim=fail", server="elsewhere.example")
    assert sender_of(mail(others, forged), PROVED) == ANNA


@given(st.text(max_size=200), st.text(max_size=200))
def test_nothing_that_is_written_breaks_it(sender: str, results: str) -> None:
    hostile = mail(("authentication-results", f"mx.example.org; {results}"), sender=sender)
    try:
        found = sender_of(hostile, PROVED)
    except Doubtful:
        return
    assert found.lower() == ANNA


def test_details_of_an_address_do_not_matter() -> None:
    assert without_detail(" Lamp-Off+today@Example.org") == "lamp-off@example.org"
