"""E-mails, faxes and text messages on a mail server: listed and fetched without walking."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest

from tests.adapters.imap_store import ImapStore, imap_store, in_box
from tests.adapters.mailbox_contract import ANNA
from tests.dovecot import Dovecot, dovecot
from tests.imap_proxy import imap_proxy
from vm_ari.adapters.imap import mailbox
from vm_ari.adapters.imap.mailbox import ImapMailbox, ImapMailboxes
from vm_ari.domain.kind_rules import KindRule
from vm_ari.domain.messages import Counts, MessageKind

RULES = (
    KindRule("Subject", "Fax from *", MessageKind.FAX),
    KindRule("X-Gateway", "sms", MessageKind.TEXT),
    KindRule("Subject", "Voice? from *", MessageKind.VOICE),
)
FEW = 20
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def running() -> Iterator[Dovecot]:
    with dovecot("anna") as server:
        yield server


@pytest.fixture
def server(running: Dovecot) -> Dovecot:
    running.empty("anna")
    return running


def mail(subject: str, *fields: tuple[str, str], minute: int = 0) -> bytes:
    whole = EmailMessage()
    whole["From"], whole["Subject"] = "Eve <eve@example.org>", subject
    whole["Date"] = BEGIN + timedelta(minutes=minute)
    for name, value in fields:
        whole[name] = value
    whole.set_content("Hello.")
    return whole.as_bytes()


def append(server: Dovecot, *mails: bytes, seen: bool = False) -> None:
    with server.mail_program("anna") as client:
        for one in mails:
            client.append("INBOX", one, ["\\Seen"] if seen else [])


def with_rules(store: ImapStore, rules: tuple[KindRule, ...] = RULES) -> ImapStore:
    store.mailboxes = ImapMailboxes(store.doorman, signing_keys=[b"key"], kind_rules=rules)
    return store


@pytest.mark.feature_part("INBOX-03", "the type, by rules of the site, on a mail server")
@pytest.mark.parametrize("poor", [False, True], ids=["rich", "poor"])
def test_kinds_by_rule_are_counted_listed_and_marked(server: Dovecot, poor: bool) -> None:
    append(
        server,
        mail("Lunch"),
        mail("Fax from +49 89 1"),
        mail("fax FROM J\u00f6rg"),
        mail("Reminder: Fax from somebody"),
        mail("Hello", ("X-Gateway", "SMS")),
        mail("Hello", ("Message-Context", "pager-message")),
        mail("Voice1 from +49 89 2"),
    )

    async def story(box: ImapMailbox) -> None:
        assert await box.counts() == Counts(new_voice=1, new_other=6, new_fax=2, new_text=2)
        for new in (True, False):
            many = {kind: await box.messages(kind, new=new) for kind in MessageKind}
            assert {kind.value: len(listed) for kind, listed in many.items()} == {
                **{"voice": 1, "fax": 2, "text": 2, "mail": 2},
            }
            for listed in many.values():
                for one in listed:
                    await box.mark(one.uid, new=False)
        assert await box.counts() == Counts(heard_voice=1)

    with imap_proxy(server.port) as proxy:
        proxy.plan.poor = poor
        in_box(with_rules(imap_store(server, url=proxy.url)), story)


def test_a_rule_that_no_server_can_search_for_is_obeyed_nevertheless(server: Dovecot) -> None:
    append(server, mail("\u4f20\u771f"), mail("Lunch"))
    rules = (KindRule("Subject", "\u4f20\u771f*", MessageKind.FAX),)

    async def story(box: ImapMailbox) -> None:
        assert await box.counts() == Counts(new_other=2, new_fax=1)
        assert len(await box.messages(MessageKind.FAX, new=True)) == 1
        assert len(await box.messages(MessageKind.MAIL, new=True)) == 1

    in_box(with_rules(imap_store(server), rules), story)


@pytest.mark.feature_part("INBOX-12", "mails are listed without walking the mailbox")
def test_of_very_many_mails_the_newest_are_looked_at(
    server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MOST_MAILS", FEW)
    with server.mail_program("anna") as client:
        many = [mail(f"Number {n}", minute=n) for n in range(FEW + 10)]
        for one in many:
            client.append("INBOX", one, ["\\Seen"])
        client.append("INBOX", mail("new", minute=9999))

    with imap_proxy(server.port) as proxy:

        async def story(box: ImapMailbox) -> None:
            [new] = await box.messages(MessageKind.MAIL, new=True)
            assert new.received == BEGIN + timedelta(minutes=9999)
            asked = [c for c in proxy.plan.commands if b"HEADER.FIELDS" in c]
            assert len(asked) == 1, "of one message"
            old = await box.messages(MessageKind.MAIL, new=False)
            assert len(old) == FEW
            assert min(one.received for one in old) == BEGIN + timedelta(minutes=10)

        in_box(imap_store(server, url=proxy.url), story)


@pytest.mark.feature_part("INBOX-10", "of a large mail no more is fetched than is read")
def test_no_more_of_a_mail_is_fetched_than_was_asked_for(server: Dovecot) -> None:
    whole = EmailMessage()
    whole["Subject"] = "Pictures"
    whole.set_content("Hello.")
    whole.add_attachment(bytes(2_000_000), maintype="image", subtype="jpeg", filename="a.jpg")
    append(server, whole.as_bytes())

    with imap_proxy(server.port) as proxy:

        async def story(box: ImapMailbox) -> None:
            [got] = await box.messages(MessageKind.MAIL, new=True)
            path = await box.mail(got.uid, most=100_000)
            assert path.stat().st_size == 100_000
            asked = [c for c in proxy.plan.commands if b"BODY.PEEK[]" in c]
            assert asked
            assert all(b"<0.100000>" in command for command in asked)

        in_box(imap_store(server, url=proxy.url), story, ANNA)
