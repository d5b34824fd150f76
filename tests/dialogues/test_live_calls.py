"""What is seen of a call while it goes on: what is being done, for whom, which greeting and why."""

from dataclasses import replace

from tests.dialogues.exchange import ANNA, CALLER, PIN, Exchange
from tests.fake_channel import FakeChannel
from tests.phone import Phone
from vm_ari.domain.live_calls import Doing, LiveCall
from vm_ari.domain.profiles import ProfileName
from vm_ari.services.live_calls import Board
from vm_ari.telephony.channel import Cause, Leg


class Watched(Exchange):
    """An exchange with a board."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.board = Board()
        self.desk = replace(self.desk, records=self.desk.records.shown_on(self.board.shows))
        self.seen: list[LiveCall] = []

    def looks(self) -> None:
        [call] = self.board.calls().values()
        self.seen.append(call)


def test_a_message_is_left() -> None:
    site = Watched()

    async def caller(phone: Phone) -> None:
        await phone.waits(0.5)
        site.looks()
        phone.presses("0")
        await phone.speaks(5)
        site.looks()
        phone.presses("#")
        await phone.waits(1)
        site.looks()
        phone.hangs_up()

    site.phone_call(caller)
    greeting, message, review = site.seen
    assert (greeting.doing, message.doing, review.doing) == (
        Doing.GREETING,
        Doing.MESSAGE,
        Doing.MESSAGE,
    )
    assert (greeting.caller, greeting.called, greeting.user_id) == (CALLER, "101", "anna")
    assert (greeting.greeting, greeting.profile) == ("default", "work")
    assert greeting.why == "It plays where no other greeting applies."
    assert (greeting.channel, greeting.id, greeting.node) == ("fake-1", "node/fake1", "node")
    assert not site.board.calls(), "it is over"


def test_the_owner_logs_in() -> None:
    site = Watched()

    async def caller(phone: Phone) -> None:
        await phone.waits(0.5)
        site.looks()
        phone.presses(f"{PIN}#")
        await phone.waits(3)
        site.looks()
        phone.hangs_up()

    site.phone_call(caller, purpose="login")
    assert [one.doing for one in site.seen] == [Doing.LOGIN, Doing.REMOTE_INQUIRY]
    assert PIN not in repr(site.seen)


def test_a_caller_is_being_connected_and_then_leaves_a_message() -> None:
    site = Watched(users=(replace(ANNA, transfers=((ProfileName.WORK, "102"),)),))
    line = site.line()

    def rings(_line: FakeChannel, _leg: Leg) -> None:
        site.looks()
        _line.is_not_answered(Cause.BUSY)

    line.on_dial = rings

    async def caller(phone: Phone) -> None:
        phone.presses("2")
        await phone.is_recorded()
        site.looks()
        phone.hangs_up()

    site.phone_call(caller, line=line)
    transfer, message = site.seen
    assert (transfer.doing, transfer.towards) == (Doing.TRANSFER, "102")
    assert (message.doing, message.towards) == (Doing.MESSAGE, "")
