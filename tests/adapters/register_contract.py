"""What an admin can rely on with every register of users: inherit and give the *register*."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

import pytest

from vm_ari.domain.entries import PIN, Entry
from vm_ari.domain.pin import PinCheck
from vm_ari.ports import Directory, MailTaken, NumberTaken, Taken, UnknownUser, UserRegister

ANNA = Entry(
    "anna", "Anna Berg", "101", ("+498142479101",), "anna@example.org", "Anna", "Berg", "Sales",
    settings={"language": "de", "folder": "INBOX/A"},
)  # fmt: skip
BERT = Entry(
    "bert", "Bert Tal", "102", ("+498142479102",), "bert@example.org", surname="Tal"
)  # fmt: skip
CARL = Entry("carl", "Carl See", "103", ("+498142479103",), surname="See")


class Register(Directory, UserRegister, Protocol):
    """Both ports, as adapters have them."""


Story = Callable[[Register], Awaitable[None]]


async def one(register: UserRegister, user_id: str) -> Entry:
    """That user, without the secrets."""
    entry = await register.entry_by_id(user_id)
    assert entry
    return replace(entry, sealed={})


class RegisterContract:
    """The promises of `UserRegister` beyond those of `Directory`; stories on an empty one."""

    def on_register(self, story: Story, *, allowed_failures: int = 5) -> None:
        raise NotImplementedError

    def test_some_are_added_and_others_changed(self) -> None:
        async def story(register: Register) -> None:
            await register.add_entries([ANNA, BERT])
            anna = replace(
                ANNA, name="Änne Berg", numbers=("+498142479101", "+498142479111"), mailbox="111",
                mail="", organisation="", settings={"language": "fr", "time_zone": "Asia/Tokyo"},
                sealed={PIN: register.seal_pin("anna", "135792")},
            )  # fmt: skip
            done: list[int] = []
            await register.merge_entries([CARL], [(ANNA, anna), (BERT, BERT)], done.append)
            assert sum(done) == 3
            assert await one(register, "anna") == replace(anna, sealed={})
            assert await one(register, "bert") == BERT
            assert await one(register, "carl") == CARL
            assert await register.check_pin("anna", "135792") is PinCheck.RIGHT
            found = await register.entry_by_number("+498142479111")
            assert found
            assert found.id == "anna"

        self.on_register(story)

    def test_numbers_and_addresses_can_be_exchanged(self) -> None:
        async def story(register: Register) -> None:
            await register.add_entries([ANNA, BERT])
            anna = replace(ANNA, numbers=BERT.numbers, mailbox="102", mail=BERT.mail)
            bert = replace(BERT, numbers=ANNA.numbers, mailbox="101", mail=ANNA.mail)
            await register.merge_entries([], [(ANNA, anna), (BERT, bert)])
            assert await one(register, "anna") == anna
            assert await one(register, "bert") == bert

        self.on_register(story)

    @pytest.mark.parametrize(
        ("new", "changed", "error", "says"),
        [
            ([replace(CARL, numbers=("+498142479102",))], {}, NumberTaken, "belongs to user bert"),
            ([replace(CARL, id="bert")], {}, Taken, "user bert already"),
            ([CARL], {"numbers": ("+498142479102",)}, NumberTaken, "belongs to user bert"),
            ([CARL], {"mail": "BERT@example.org"}, MailTaken, "address of user bert"),
        ],
    )
    def test_all_is_done_or_nothing(
        self, new: list[Entry], changed: dict[str, object], error: type[Exception], says: str
    ) -> None:
        async def story(register: Register) -> None:
            await register.add_entries([ANNA, BERT])
            first = replace(ANNA, name="Änne", settings={"language": "fr"}, mailbox="199")
            anna = replace(first, **changed)  # type: ignore[arg-type]
            with pytest.raises(error, match=says):
                await register.merge_entries(new, [(ANNA, anna)])
            assert [entry.id for entry in await register.all_entries()] == ["anna", "bert"]
            assert await one(register, "anna") == ANNA
            assert await one(register, "bert") == BERT
            assert await register.entry_by_number("+498142479103") is None

        self.on_register(story)

    def test_what_others_change_meanwhile_is_kept(self) -> None:
        async def story(register: Register) -> None:
            await register.add_entries([ANNA])
            await register.set_pin("anna", "135792")
            await register.change_settings("anna", {"folder": None, "time_zone": "Asia/Tokyo"})
            await register.check_pin("anna", "0")
            anna = replace(ANNA, settings={**ANNA.settings, "language": "fr"})
            await register.merge_entries([], [(ANNA, anna)])
            found = await one(register, "anna")
            assert found.settings == {"language": "fr", "time_zone": "Asia/Tokyo"}
            assert found.pin_failures == 1
            assert await register.check_pin("anna", "135792") is PinCheck.RIGHT

        self.on_register(story)

    def test_changes_at_the_same_time_are_all_kept(self) -> None:
        crowd = [Entry(f"u{n:02}", f"U {n}", surname="U") for n in range(40)]
        pairs = [(one, replace(one, settings={"language": "fr"})) for one in crowd]

        async def story(register: Register) -> None:
            await register.add_entries(crowd)
            others = [register.change_settings(one.id, {"folder": "A"}) for one in crowd]
            await asyncio.gather(*others[:20], register.merge_entries([], pairs), *others[20:])
            found = await register.all_entries()
            assert [entry.settings for entry in found] == [{"language": "fr", "folder": "A"}] * 40

        self.on_register(story)

    def test_somebody_who_is_gone_is_named(self) -> None:
        async def story(register: Register) -> None:
            await register.add_entries([ANNA])
            changed = [(ANNA, replace(ANNA, name="Ä")), (BERT, replace(BERT, name="B"))]
            with pytest.raises(UnknownUser, match="no user bert"):
                await register.merge_entries([CARL], changed)
            assert [entry.id for entry in await register.all_entries()] == ["anna"]
            assert await one(register, "anna") == ANNA

        self.on_register(story)

    def test_unlocking_forgets_the_wrong_pins_of_one_user(self) -> None:
        async def story(register: Register) -> None:
            await register.add_entries([ANNA, BERT])
            for user_id in ("anna", "bert"):
                await register.set_pin(user_id, "135792")
                for _ in range(2):
                    await register.check_pin(user_id, "0")
            assert (await one(register, "anna")).pin_failures == 2
            await register.unlock("anna")
            assert (await one(register, "anna")).pin_failures == 0
            assert await register.check_pin("anna", "135792") is PinCheck.RIGHT
            assert await register.check_pin("bert", "135792") is PinCheck.LOCKED
            with pytest.raises(UnknownUser):
                await register.unlock("nobody")

        self.on_register(story, allowed_failures=2)
