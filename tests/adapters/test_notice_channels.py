"""SMS and webhooks as configured, with real servers: what they are sent, and what else happens."""

import asyncio
import email.policy
import hmac
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.adapters.smtp_server import Postbox, mail_server
from tests.adapters.web_server import Request, WebSite, web_site
from tests.docs.test_config import configured
from tests.fakes import FakeDirectory, FakeMailboxes
from tests.patience import AT_MOST, STORY
from tests.private_ca import PrivateCa
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.messages import Counts
from vm_ari.domain.notice_jobs import NoticeJob
from vm_ari.domain.notifications import Channel, Notice, Topic
from vm_ari.domain.users import User
from vm_ari.ports import NoticeNotKept, NoticeRefused
from vm_ari.services.locations import Locations
from vm_ari.services.user_attributes import UserAttribute
from vm_ari.wiring.channels import Outlets, open_notice_queue, open_outlets

ANNA = User("anna", "Anna", "101", ("+4930555101",), "anna@site.example", mobile="0170 1234567")
NOTICE = Notice(
    "ab12",
    "anna",
    {Topic.VOICE: 2, Topic.FAX: 1},
    Counts(new_voice=2, new_other=1, new_fax=1),
    datetime(2026, 3, 4, 12, 0, tzinfo=UTC),
)
TEXT = "Voicemail +49 30 555101: 2 new voice messages, 1 new fax."
SECRET = "correct horse battery"


@dataclass
class SetClock:
    """Time that a test moves."""

    at: datetime = field(default_factory=lambda: datetime(2026, 3, 4, 12, 1, tzinfo=UTC))

    def now(self) -> datetime:
        """See `Clock`."""
        return self.at


class Places:
    """A directory that knows where people work."""

    async def attributes(self, _user_id: str, names: Sequence[str]) -> dict[str, Sequence[str]]:
        """See `RawAttributes`."""
        return {name: ["Munich"] for name in names if name == "l"}


@dataclass
class Site:
    """What is configured, opened as the controller does it."""

    base: Path
    text: str
    clock: SetClock = field(default_factory=SetClock)

    def __post_init__(self) -> None:
        secret = self.base / "secret"
        secret.write_text(f"{SECRET}\n")
        secret.chmod(0o600)
        spool = self.base / "spool" / "vm-ari"
        text = self.text.replace("SECRET", str(secret))
        self.config = configured(self.base, f'[spool]\ndirectory = "{spool}"\n{text}')
        self.keys = KeyRing(self.base / "keys")

    def open(self) -> Outlets:
        """Another start."""
        places = UserAttribute(Places(), "l", self.clock)
        return open_outlets(
            self.config,
            self.keys,
            FakeDirectory(ANNA),
            FakeMailboxes(),
            self.clock,
            locations=Locations(places, self.config.dialling.endpoint),
            location_header=self.config.notifications.header,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Outlets]:
        """As long as the controller lives."""
        outlets = self.open()
        task = asyncio.create_task(outlets.run())
        try:
            yield outlets
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await outlets.close()

    async def tell(self, outlets: Outlets, channel: Channel, notice: Notice = NOTICE) -> None:
        """Announce it there."""
        [outlet] = [one for one in outlets if one.channel is channel]
        await outlet.announce(ANNA, notice)

    async def kept(self) -> list[tuple[NoticeJob, Attempts]]:
        """What waits."""
        queue = open_notice_queue(self.config, self.keys)
        return list(await queue.all_waiting())

    async def why_waiting(self) -> str:
        """The last reason, when there is one."""
        async with asyncio.timeout(AT_MOST):
            while True:
                for _, history in await self.kept():
                    if history.last_error:
                        return history.last_error
                await asyncio.sleep(0.02)

    async def why_held(self) -> str:
        """The reason, when something is held."""
        queue = open_notice_queue(self.config, self.keys)
        async with asyncio.timeout(AT_MOST):
            while not (held := await queue.held()):
                await asyncio.sleep(0.02)
        return held[0][1].last_error

    async def nothing_waits(self) -> None:
        """Everything is sent."""
        async with asyncio.timeout(AT_MOST):
            while await self.kept():
                await asyncio.sleep(0.02)


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, STORY))


def webhook(url: str, more: str = "") -> str:
    return f'[webhook]\nurl = "{url}/hook"\nsecret_file = "SECRET"\n{more}'


def by_http(url: str, more: str) -> str:
    return f'[sms]\nway = "http"\nsecret_file = "SECRET"\n{more.replace("URL", url)}'


def signed(request: Request) -> bool:
    """As the receiver of docs/sms-and-webhooks.md checks it."""
    parts = dict(part.split("=") for part in request.headers["X-VM-Ari-Signature"].split(","))
    text = parts["t"].encode() + b"." + request.body
    return hmac.compare_digest(parts["v1"], hmac.new(SECRET.encode(), text, sha256).hexdigest())


# --- webhooks


@pytest.mark.feature("NOTIFY-03")
def test_a_webhook_is_told_once_it_answers_and_always_with_the_same_id(tmp_path: Path) -> None:
    """Whatever it says first; also after a restart of ours, and one of its own."""

    async def story() -> None:
        receiver = WebSite([(500, "down"), (302, ""), (429, "slow")])
        receiver.headers = {"Location": "http://127.0.0.1:1/elsewhere"}
        async with web_site(receiver) as url:
            site = Site(tmp_path, webhook(url))
            for said in ("500 down", "302", "429 slow"):
                async with site.running() as outlets:
                    await site.tell(outlets, Channel.WEBHOOK)
                    while said not in await site.why_waiting():
                        await asyncio.sleep(0.02)
                site.clock.at += timedelta(minutes=20)
        async with site.running():
            while "127.0.0.1" not in await site.why_waiting():
                await asyncio.sleep(0.02)
        site.clock.at += timedelta(minutes=40)
        receiver.answers = [(204, "")]
        async with web_site(receiver), site.running() as outlets:
            await site.nothing_waits()
            await site.tell(outlets, Channel.WEBHOOK)
            assert await site.kept() == []
        assert len(receiver.requests) == 4
        assert {one.headers["X-VM-Ari-Id"] for one in receiver.requests} == {
            json.loads(receiver.requests[0].body)["id"]
        }
        assert len({one.body for one in receiver.requests}) == 1
        assert all(signed(one) for one in receiver.requests)
        assert len({one.headers["X-VM-Ari-Signature"] for one in receiver.requests}) == 4
        assert (receiver.requests[0].method, receiver.requests[0].path) == ("POST", "/hook")
        assert json.loads(receiver.requests[0].body)["topics"] == {"voice": 2, "fax": 1}

    run(story())


def test_events_of_one_user_stay_in_their_order(tmp_path: Path) -> None:
    async def story() -> None:
        receiver = WebSite([(503, "")])
        async with web_site(receiver) as url:
            site = Site(tmp_path, webhook(url))
            async with site.running() as outlets:
                for number in range(4):
                    await site.tell(outlets, Channel.WEBHOOK, replace(NOTICE, id=f"{number}"))
                await site.why_waiting()
            site.clock.at += timedelta(minutes=5)
            receiver.answer((200, ""))
            async with site.running():
                await site.nothing_waits()
        ids = [json.loads(one.body)["id"] for one in receiver.requests]
        assert len(ids) == 5
        assert ids[0] == ids[1]
        assert len(set(ids)) == 4

    run(story())


def test_a_receiver_that_wants_no_more_is_not_asked_again(tmp_path: Path) -> None:
    async def story() -> None:
        receiver = WebSite([(410, "gone")])
        async with web_site(receiver) as url:
            site = Site(tmp_path, webhook(url))
            async with site.running() as outlets:
                await site.tell(outlets, Channel.WEBHOOK)
                await site.nothing_waits()
        assert len(receiver.requests) == 1

    run(story())


@pytest.mark.parametrize(
    ("trusted", "name", "why"),
    [
        (True, "localhost", ""),
        (False, "localhost", "certificate is not good"),
        (True, "other.example", "certificate is not good"),
    ],
)
def test_only_a_server_with_a_good_certificate_is_told(
    tmp_path: Path, trusted: bool, name: str, why: str
) -> None:
    (tmp_path / "ca").mkdir()
    (tmp_path / "other").mkdir()
    ca, other = PrivateCa(tmp_path / "ca"), PrivateCa(tmp_path / "other", "Other CA")

    async def story() -> None:
        receiver = WebSite()
        async with web_site(receiver, ca.identity(name)) as url:
            file = (ca if trusted else other).file
            site = Site(tmp_path, webhook(url, f'ca_file = "{file}"'))
            async with site.running() as outlets:
                await site.tell(outlets, Channel.WEBHOOK)
                if why:
                    assert why in await site.why_waiting()
                else:
                    await site.nothing_waits()
        assert len(receiver.requests) == (0 if why else 1)

    run(story())


def test_a_server_that_hangs_is_given_up_in_time_and_asked_again(tmp_path: Path) -> None:
    async def story() -> None:
        receiver = WebSite(hangs=True)
        async with web_site(receiver) as url:
            site = Site(tmp_path, webhook(url, "timeout_seconds = 0.3"))
            async with site.running() as outlets:
                await site.tell(outlets, Channel.WEBHOOK)
                assert "no answer in time" in await site.why_waiting()
            receiver.hangs = False
            site.clock.at += timedelta(minutes=1)
            async with site.running():
                await site.nothing_waits()
        assert len({one.headers["X-VM-Ari-Id"] for one in receiver.requests}) == 1

    run(story())


def test_an_endless_answer_is_not_read_to_its_end(tmp_path: Path) -> None:
    async def story() -> None:
        receiver = WebSite([(500, f"{SECRET} " + "x" * 3_000_000)])
        async with web_site(receiver) as url:
            site = Site(tmp_path, webhook(url))
            async with site.running() as outlets:
                await site.tell(outlets, Channel.WEBHOOK)
                why = await site.why_waiting()
        assert SECRET not in why
        assert len(why) <= 200

    run(story())


# --- SMS through a gateway's web interface

JSON = """
url = "URL/v1/{{ id }}"
headers = { Authorization = "Bearer {{ secret }}", X-Key = "{{ id }}" }
body = '{"to": "{{ number }}", "text": "{{ text }}", "from": "{{ sender }}"}'
success = '"status": *"queued"'
sender = "49305550"
"""
FORM = """
url = "URL/send"
content_type = "application/x-www-form-urlencoded"
body = "to={{ digits }}&text={{ text }}&user={{ user }}"
account = "vm-ari"
"""
GET = """
url = "URL/send?to={{ number }}&text={{ text }}&key={{ secret }}"
method = "GET"
"""
XML = """
url = "URL/send"
content_type = "text/xml; charset=utf-8"
body = '<sms to="{{ number }}"><text>{{ text }}</text></sms>'
"""


def as_json(request: Request) -> None:
    told = json.loads(request.body)
    assert told == {"to": "+491701234567", "text": TEXT, "from": "49305550"}
    assert request.headers["Authorization"] == f"Bearer {SECRET}"
    assert request.path == f"/v1/{request.headers['X-Key']}"


def as_form(request: Request) -> None:
    told = parse_qs(request.body.decode())
    assert told == {"to": ["491701234567"], "text": [TEXT], "user": ["anna"]}
    assert request.headers["Authorization"].startswith("Basic ")


def as_query(request: Request) -> None:
    assert request.query == {"to": "+491701234567", "text": TEXT, "key": SECRET}
    assert request.body == b""


def as_xml(request: Request) -> None:
    assert request.body.decode() == f'<sms to="+491701234567"><text>{TEXT}</text></sms>'
    assert request.headers["Content-Type"] == "text/xml; charset=utf-8"


@pytest.mark.feature("NOTIFY-03")
@pytest.mark.parametrize(
    ("table", "check"), [(JSON, as_json), (FORM, as_form), (GET, as_query), (XML, as_xml)]
)
def test_a_gateway_gets_what_it_wants(
    tmp_path: Path, table: str, check: Callable[[Request], None]
) -> None:
    async def story() -> None:
        gateway = WebSite([(200, '{"status": "queued"}')])
        async with web_site(gateway) as url:
            site = Site(tmp_path, by_http(url, table))
            async with site.running() as outlets:
                await site.tell(outlets, Channel.SMS)
                await site.nothing_waits()
        [request] = gateway.requests
        check(request)

    run(story())


@pytest.mark.parametrize(
    ("table", "check"), [(JSON, as_json), (FORM, as_form), (GET, as_query), (XML, as_xml)]
)
def test_no_text_becomes_more_than_a_text(
    tmp_path: Path, table: str, check: Callable[[Request], None]
) -> None:
    """Quotation marks, ampersands and line ends of a site's own template, or of a user's id."""
    hostile = "a\"b\\c&to=666<x>'%0d%0a{{ secret }} é €"
    templates = tmp_path / "templates"
    (templates / "new-messages-sms" / "en").mkdir(parents=True)
    (templates / "new-messages-sms" / "en" / "text.txt").write_text(
        "{% raw %}" + hostile + "{% endraw %}", encoding="utf-8"
    )
    received: dict[str, Callable[[Request], str]] = {
        JSON: lambda one: str(json.loads(one.body)["text"]),
        FORM: lambda one: parse_qs(one.body.decode())["text"][0],
        GET: lambda one: one.query["text"],
        XML: lambda one: one.body.decode(),
    }
    escaped = "a&quot;b\\c&amp;to=666&lt;x&gt;&apos;%0d%0a{{ secret }} é €"

    async def story() -> None:
        gateway = WebSite([(200, '{"status":"queued"}')])
        async with web_site(gateway) as url:
            site = Site(tmp_path, by_http(url, table))
            site.config = site.config.model_copy(update={"templates": templates})
            async with site.running() as outlets:
                await site.tell(outlets, Channel.SMS)
                await site.nothing_waits()
        [request] = gateway.requests
        text = received[table](request)
        assert text == hostile or (table == XML and f"<text>{escaped}</text>" in text)

    run(story())


@pytest.mark.parametrize(
    ("answer", "held"),
    [
        ((400, "no such number"), True),
        ((200, '{"status": "error", "key": "correct horse battery"}'), True),
        ((401, "wrong key correct horse battery"), False),
        ((503, "busy"), False),
    ],
)
def test_what_is_wrong_with_a_message_is_held_and_what_can_be_mended_waits(
    tmp_path: Path, answer: tuple[int, str], held: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story() -> None:
        gateway = WebSite([answer])
        async with web_site(gateway) as url:
            site = Site(tmp_path, by_http(url, JSON))
            async with site.running() as outlets:
                await site.tell(outlets, Channel.SMS)
                why = await (site.why_held() if held else site.why_waiting())
                logged = ""
                while str(answer[0]) not in logged:
                    await asyncio.sleep(0.01)
                    logged += "".join(capsys.readouterr())
        assert str(answer[0]) in why
        assert SECRET not in why + logged

    run(story())


def test_of_two_that_wait_the_newer_one_is_sent(tmp_path: Path) -> None:
    async def story() -> None:
        gateway = WebSite([(503, "busy")])
        async with web_site(gateway) as url:
            site = Site(tmp_path, by_http(url, GET))
            async with site.running() as outlets:
                await site.tell(outlets, Channel.SMS)
                await site.why_waiting()
                gateway.answer((200, ""))
                await site.tell(
                    outlets, Channel.SMS, replace(NOTICE, id="cd", topics={Topic.VOICE: 3})
                )
                await site.nothing_waits()
        assert [one.query["text"] for one in gateway.requests] == [
            TEXT,
            "Voicemail +49 30 555101: 3 new voice messages.",
        ]

    run(story())


def test_nobody_gets_more_in_a_day_than_the_site_allows(tmp_path: Path) -> None:
    """Also over restarts; tomorrow is another day."""

    async def story() -> None:
        gateway = WebSite()
        async with web_site(gateway) as url:
            site = Site(tmp_path, by_http(url, GET + "per_day = 2"))
            for number, day in ((1, 4), (1, 4), (2, 4), (3, 4), (4, 5)):
                at = datetime(2026, 3, day, 12, 0, tzinfo=UTC)
                async with site.running() as outlets:
                    topics = {Topic.VOICE: number}
                    notice = replace(NOTICE, id=f"n{number}", topics=topics, at=at)
                    refused = pytest.raises(NoticeRefused, match=r"sms\.per_day")
                    with refused if number == 3 else nullcontext():
                        await site.tell(outlets, Channel.SMS, notice)
                    await site.nothing_waits()
        sent = [one.query["text"].partition(": ")[2][0] for one in gateway.requests]
        assert sent == ["1", "2", "4"]

    run(story())


# --- SMS through a gateway that takes mails


@pytest.mark.feature("NOTIFY-03", "NOTIFY-05")
@pytest.mark.feature_part("NOTIFY-07", "a header field tells a gateway the location")
def test_a_mail_gateway_gets_a_short_mail(tmp_path: Path) -> None:
    table = """
[sms]
way = "mail"
mail_address = "$(phonenumber)@sms.example.org"
mail_sender = "alerts@example.org"
mail_subject = "SMS 4711"
sender_address = "$(phonenumber)@voice.example.org"
number_form = "digits"
[mail.smtp]
host = "127.0.0.1"
port = PORT
security = "none"
[notifications]
header = "X-Location"
"""
    box = Postbox()

    async def story() -> None:
        async with mail_server(box) as port:
            site = Site(tmp_path, table.replace("PORT", str(port)))
            async with site.running() as outlets:
                await site.tell(outlets, Channel.SMS)
                await site.nothing_waits()
                user = replace(ANNA, sms_number="+43 664 1234567", sms_sender="+4930555101")
                [outlet] = [one for one in outlets if one.channel is Channel.SMS]
                assert "dialling rules" in outlet.obstacle(user)
                german = replace(user, sms_number="", language="de")
                await outlet.announce(german, replace(NOTICE, id="cd"))
                await site.nothing_waits()
        (sender, to, content), (_, _, second) = box.mails
        assert (sender, to) == ("alerts@example.org", ["491701234567@sms.example.org"])
        mail = BytesParser(policy=email.policy.default).parsebytes(content)
        assert (mail["To"], mail["Subject"]) == ("491701234567@sms.example.org", "SMS 4711")
        assert (mail["From"], mail["X-Location"]) == ("alerts@example.org", "Munich")
        assert mail.get_content().strip() == TEXT
        assert mail["Message-ID"].endswith("@example.org>")
        other = BytesParser(policy=email.policy.default).parsebytes(second)
        assert other["From"] == "4930555101@voice.example.org"
        assert "neue Sprachnachrichten" in other.get_content()

    run(story())


# --- what cannot be used


def test_what_is_not_configured_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        site = Site(tmp_path, "")
        outlets = site.open()
        assert [(one.channel.value, one.obstacle(ANNA)) for one in outlets] == [
            ("sms", "no SMS gateway is configured"),
            ("call", "calls about new messages are switched off"),
            ("webhook", "no webhook is configured"),
        ]
        for channel in (Channel.SMS, Channel.CALL, Channel.WEBHOOK):
            with pytest.raises(NoticeNotKept):
                await site.tell(outlets, channel)
        await outlets.close()

    run(story())


def test_a_template_of_the_site_that_breaks_keeps_nothing(tmp_path: Path) -> None:
    templates = tmp_path / "templates"
    (templates / "new-messages-sms" / "en").mkdir(parents=True)
    (templates / "new-messages-sms" / "en" / "text.txt").write_text("{{ nobody }}")

    async def story() -> None:
        site = Site(tmp_path, by_http("http://127.0.0.1:1", GET))
        site.config = site.config.model_copy(update={"templates": templates})
        outlets = site.open()
        with pytest.raises(NoticeNotKept, match="UndefinedError"):
            await site.tell(outlets, Channel.SMS)
        await outlets.close()

    run(story())
