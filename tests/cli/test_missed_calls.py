"""``vm-ari missed-calls``: who was told of what, why not, and a mail to look at."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.site import CliSite
from vm_ari.adapters.missed_call_log import DatabaseCallLog
from vm_ari.domain.callers import Caller
from vm_ari.domain.missed_call_records import Fate
from vm_ari.domain.missed_calls import Outcome
from vm_ari.domain.ringing import Ring, RungCall

BEGAN = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
CARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Jörg\nEMAIL:joerg@example.com\nTEL:+49 89 123456\nEND:VCARD\n"
SETTINGS = """
[store]
maildir = "{base}/mail"
[spool]
directory = "{base}/vm-ari"
[mail]
system_sender = "vm@example.org"
[missed_calls]
{rules}
[missed_calls.contacts]
vcard = "{base}/book.vcf"
"""


def rung(name: str, minutes: int, *numbers: str, by: str = "") -> RungCall:
    began = BEGAN + timedelta(minutes=minutes)
    rings = tuple(
        Ring(number, began, began + timedelta(seconds=12), number == by) for number in numbers
    )
    caller = Caller("+4989123456", "Jörg")
    return RungCall(name, caller, "100", began, began + timedelta(seconds=20), rings, by)


@pytest.fixture
def house(people: CliSite) -> CliSite:
    """A site that has had some calls; the third of them is not decided."""
    (people.base / "book.vcf").write_text(CARD)
    people.configure(SETTINGS.format(base=people.base, rules=""))

    async def fill() -> None:
        log = DatabaseCallLog(f"sqlite:///{people.base}/directory.db")
        fates = (
            [Fate("anna", Outcome.TOLD), Fate("bert", Outcome.SHORT)],
            [Fate("bert", Outcome.ANSWERED), Fate("anna", Outcome.ANSWERED_ELSEWHERE)],
        )
        calls = (rung("1.1", 0, "101", "102"), rung("1.2", 5, "101", "102", by="102"))
        for call, outcome in zip(calls, fates, strict=True):
            await log.remember(call, BEGAN)
            [case] = await log.take(BEGAN, BEGAN + timedelta(hours=1))
            await log.finish(case, outcome)
        await log.remember(rung("1.3", 9, "109"), BEGAN)
        await log.close()

    asyncio.run(fill())
    return people


def test_the_list_tells_who_was_told(house: CliSite) -> None:
    rows = house.ask("missed-calls", "list")
    assert [(row["call"], row["user"], row["outcome"]) for row in rows] == [
        ("1.3", "", "open"),
        ("1.2", "anna", "answered-elsewhere"),
        ("1.2", "bert", "answered"),
        ("1.1", "anna", "told"),
        ("1.1", "bert", "short"),
    ]
    assert rows[-1]["caller"] == "+4989123456"
    his = house.ask("missed-calls", "list", "--user", "bert", "--since", "2026-11-22T09:03")
    assert [(row["call"], row["user"]) for row in his] == [("1.2", "bert")]
    house.run("missed-calls", "list", "--since", "yesterday", code=2)
    house.run("missed-calls", "list", "--user", "nobody", code=1)


def test_a_call_is_explained(house: CliSite) -> None:
    told = house.run("missed-calls", "explain", "1.2").stdout
    assert "+4989123456 Jörg dialled 100" in told
    assert "102 rang 12.0 s, answered" in told
    assert "answered by 102" in told
    assert "Somebody else has answered (answered_elsewhere)." in told
    assert "not decided yet" in house.run("missed-calls", "explain", "1.3").stdout
    house.run("missed-calls", "explain", "9.9", code=1)


def test_a_mail_can_be_looked_at_and_sent(house: CliSite) -> None:
    page = house.base / "mail.html"
    result = house.run("missed-calls", "test", "anna", "--from", "089 123456", "--html", page)
    assert "Subject: Missed call: Jörg (+49 89 123456)" in result.stdout
    assert "Reply-To: Jörg <joerg@example.com>" in result.stdout
    assert "Attached: contact.vcf" in result.stdout
    assert "The site tells nobody (tell)." in result.stderr
    assert 'href="tel:+4989123456"' in page.read_text()
    queue = house.base / "vm-ari" / "system-mails" / "new"
    assert not queue.exists()
    sent = house.run("missed-calls", "test", "anna", "--eml", "--send")
    assert "Content-Class: missedcall" in sent.stdout
    assert len(list(queue.iterdir())) == 1
    house.run("missed-calls", "test", "anna", "--from", "door", code=1)
    house.run("missed-calls", "test", "nobody", code=1)


def test_a_log_that_is_away_is_named(house: CliSite) -> None:
    rules = f'url = "sqlite:///{house.base}/book.vcf/x.db"'
    house.configure(SETTINGS.format(base=house.base, rules=rules))
    result = house.run("missed-calls", "list", code=4)
    assert "the log of calls cannot be used" in result.stderr
