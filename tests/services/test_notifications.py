"""Users are told of new messages, once: rules, memory, queue and mail server together."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from tests.adapters.smtp_server import Postbox, mail_server
from tests.patience import AT_MOST
from tests.services.notified import MOMENTS, Notified, notified
from vm_ari.domain.notifications import Channel, Tally
from vm_ari.services import notifications

Story = Callable[[Notified, Postbox], Awaitable[None]]


def tell(base: Path, story: Story, more: str = "") -> None:
    """Run a story on a controller that counts and tells."""

    async def run() -> None:
        box = Postbox()
        async with mail_server(box) as port, notified(base, port, more) as one:
            await story(one, box)

    asyncio.run(run())


def subjects(box: Postbox) -> list[str]:
    return [str(parsed(content)["Subject"]) for _, _, content in box.mails]


def parsed(content: bytes) -> EmailMessage:
    mail = message_from_bytes(content, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


@pytest.mark.feature_part("NOTIFY-03", "by lamp and mail, from the first count on")
def test_each_delivery_leads_to_one_mail(tmp_path: Path) -> None:
    async def story(one: Notified, box: Postbox) -> None:
        one.arrive()
        await one.count()
        assert one.lamps.shown == {"101": (1, 0)}
        await one.send()
        assert subjects(box) == [], "what lay there at the first look is no news"
        await one.deliver()
        await one.count()
        await one.send()
        one.read()
        await one.deliver()
        await one.count()
        await one.send()
        assert subjects(box) == ["2 new messages"] * 2
        assert one.lamps.shown == {"101": (2, 1)}
        [(_, [to], content), _] = box.mails
        assert to == "anna@example.org"
        assert "2 new voice messages" in parsed(content).as_string()

    tell(tmp_path, story)


def test_a_user_who_polls_and_reads_is_told_of_each_delivery(tmp_path: Path) -> None:
    """One is read and one delivered between two counts: the sum stays the same."""

    async def story(one: Notified, box: Postbox) -> None:
        await one.count()
        await one.deliver()
        one.read()
        await one.deliver()
        await one.send()
        assert subjects(box) == ["1 new message"] * 2

    tell(tmp_path, story)


def test_keeping_a_message_as_new_by_telephone_is_no_news(tmp_path: Path) -> None:
    async def story(one: Notified, box: Postbox) -> None:
        await one.count()
        await one.deliver()
        one.read()
        await one.count()
        assert one.lamps.shown == {"101": (0, 1)}
        await one.keep_as_new()
        await one.count()
        assert one.lamps.shown == {"101": (1, 0)}
        await one.send()
        assert subjects(box) == ["1 new message"]
        await one.deliver()
        await one.send()
        assert subjects(box)[1:] == ["2 new messages"]

    tell(tmp_path, story)


def test_nothing_is_announced_after_a_restart(tmp_path: Path) -> None:
    async def first(one: Notified, _box: Postbox) -> None:
        await one.count()
        await one.deliver()
        await one.send()

    async def second(one: Notified, box: Postbox) -> None:
        await one.rules.tell_unfinished()
        await one.count()
        await one.send()
        assert subjects(box) == []

    tell(tmp_path, first)
    tell(tmp_path, second)


@pytest.mark.feature_part("NOTIFY-03", "kill -9 anywhere leads to exactly one mail")
@pytest.mark.parametrize("moment", MOMENTS)
def test_whoever_dies_while_telling_tells_once(tmp_path: Path, moment: str) -> None:
    async def story() -> None:
        box = Postbox()
        async with mail_server(box) as port:
            dying = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.services.notified", str(tmp_path), str(port)),
                moment,
            )
            assert await dying.wait() == -signal.SIGKILL
            async with notified(tmp_path, port) as one:
                await one.rules.tell_unfinished()
                await one.rules.settle()
                await one.count()
                await one.send()
                assert subjects(box) == ["1 new message"]
                await one.rules.tell_unfinished()
                await one.count()
                await one.send()
                assert len(box.mails) == 1

    asyncio.run(story())


@pytest.mark.feature_part("NOTIFY-06", "a reset of the counters announces nothing")
def test_a_reset_announces_nothing_and_counts_from_zero(tmp_path: Path) -> None:
    async def story(one: Notified, box: Postbox) -> None:
        await one.wants(notify_voice_from="2")
        await one.count()
        for _ in range(2):
            await one.deliver()
        await one.send()
        assert subjects(box) == ["2 new messages"]
        assert one.lamps.shown == {"101": (2, 0)}
        await one.told.book.change(Tally.reset)
        await one.count()
        await one.deliver()
        await one.send()
        assert len(box.mails) == 1
        assert one.lamps.shown == {"101": (0, 0)}
        await one.deliver()
        await one.send()
        assert subjects(box)[1:] == ["4 new messages"]
        assert one.lamps.shown == {"101": (4, 0)}

    tell(tmp_path, story)


def test_the_running_controller_follows_a_reset_by_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "LOOK_EVERY", 0.1)

    async def story(one: Notified, _box: Postbox) -> None:
        one.arrive()
        await one.count()
        running = asyncio.create_task(one.rules.run())
        async with notified(tmp_path, 1) as command:
            async with asyncio.timeout(AT_MOST):
                while one.lamps.shown != {"101": (0, 0)}:
                    await command.told.book.change(Tally.reset, ["anna"])
                    await asyncio.sleep(0.2)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    tell(tmp_path, story)


@pytest.mark.feature_part("NOTIFY-06", "one's own lamp is switched off")
def test_a_lamp_is_switched_off_until_something_comes(tmp_path: Path) -> None:
    async def story(one: Notified, box: Postbox) -> None:
        one.arrive()
        await one.rules.lamp_off(await one.user())
        assert one.lamps.shown == {"101": (0, 0)}
        await one.count()
        assert one.lamps.shown == {"101": (0, 0)}
        await one.deliver()
        assert one.lamps.shown == {"101": (2, 0)}
        await one.send()
        assert subjects(box) == ["2 new messages"]

    tell(tmp_path, story)


@pytest.mark.feature_part("NOTIFY-04", "the main switch, own channels and numbers")
def test_settings_decide_who_is_told_of_what(tmp_path: Path) -> None:
    async def story(one: Notified, box: Postbox) -> None:
        await one.wants(notify_voice="none", notify_fax="lamp, mail", notify_fax_from="2")
        await one.count()
        await one.deliver()
        one.arrive("fax-message")
        await one.count()
        assert one.lamps.shown == {"101": (0, 0)}
        one.arrive("fax-message")
        await one.count()
        assert one.lamps.shown == {"101": (2, 0)}
        one.arrive("pager-message")
        await one.count()
        await one.wants(notifications="no")
        one.arrive("fax-message")
        await one.count()
        assert one.lamps.shown == {"101": (0, 0)}
        await one.send()
        assert subjects(box) == ["2 new messages"]
        assert "2 new faxes" in parsed(box.mails[0][2]).as_string()

    tell(tmp_path, story)


@pytest.mark.feature_part("NOTIFY-05", "another mailbox of the lamp, another address")
def test_lamp_and_mail_go_where_the_user_wants_them(tmp_path: Path) -> None:
    async def story(one: Notified, box: Postbox) -> None:
        await one.wants(lamp_mailbox="4711", notify_mail="anna@elsewhere.example")
        await one.count()
        await one.deliver()
        await one.send()
        assert one.lamps.shown == {"4711": (1, 0)}
        assert [to for _, to, _ in box.mails] == [["anna@elsewhere.example"]]

    tell(tmp_path, story)


@pytest.mark.feature_part("NOTIFY-05", "mailbox number, common number, or the user's own one")
@pytest.mark.parametrize(
    ("chosen", "number"),
    [({}, "101"), ({"notice_caller": "common"}, "8000"), ({"notice_caller": "+49305"}, "+49305")],
)
def test_the_lamp_says_which_number_to_call(
    tmp_path: Path, chosen: dict[str, str], number: str
) -> None:
    async def story(one: Notified, _box: Postbox) -> None:
        await one.wants(lamp_mailbox="4711", **chosen)
        await one.count()
        assert one.accounts.of("4711") == f"sip:{number}@pbx.example.org"
        assert one.accounts.of("101") == ""

    tell(tmp_path, story, '[welcome]\nlogin_number = "8000"\n')


@pytest.mark.feature_part("NOTIFY-04", "a channel that cannot work is passed over, with the reason")
def test_a_channel_in_whose_way_something_is_does_not_hold_up_the_others(tmp_path: Path) -> None:
    async def story(one: Notified, box: Postbox) -> None:
        await one.wants(notify_voice="lamp, mail, sms, webhook")
        user = await one.user()
        reasons = {channel: one.rules.obstacle(user, channel) for channel in Channel}
        assert reasons[Channel.LAMP] == reasons[Channel.MAIL] == ""
        assert "gateway" in reasons[Channel.SMS]
        assert reasons[Channel.WEBHOOK]
        assert reasons[Channel.CALL]
        await one.count()
        await one.deliver()
        await one.send()
        assert subjects(box) == ["1 new message"]
        assert await one.told.book.unfinished(one.rules._node, one.rules._clock.now()) == []

    tell(tmp_path, story)


def test_while_the_database_is_away_the_lamp_follows_the_counts(tmp_path: Path) -> None:
    async def story(one: Notified, box: Postbox) -> None:
        await one.count()
        away = tmp_path / "away.db"
        database = tmp_path / "notices.db"
        database.rename(away)
        database.mkdir()
        one.told.book._work._database.engine.dispose()
        await one.deliver()
        assert one.lamps.shown == {"101": (1, 0)}
        database.rmdir()
        away.rename(database)
        one.rules._ask_again = 0.0
        await one.rules._recount_missed()
        await one.rules.settle()
        await one.send()
        assert subjects(box) == ["1 new message"]

    tell(tmp_path, story, f'[notifications]\nurl = "sqlite:///{tmp_path}/notices.db"\n')
