"""What every directory keeps, whatever it is made of: inherit and give the *directory*."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields, replace
from typing import Protocol

import pytest

from vm_ari.adapters.database import NumberTaken, UnknownUser, UserExists
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.users import User

ANNA = User(
    id="anna",
    name="Anna Größe",
    mailbox="101",
    numbers=("+4930555101", "+4915112345678", "900"),
    mail="anna@example.org",
    language="de",
    time_zone="Pacific/Auckland",
    voice_mail_enabled=False,
    takes_messages=False,
    may_log_in=False,
)
BERT = User("bert", "Bert", "102", (), "bert@example.org")
PIN = "246813"
R, W, L = PinCheck.RIGHT, PinCheck.WRONG, PinCheck.LOCKED


class ManagedDirectory(Protocol):
    """The port `Directory`, and what an admin does."""

    async def user_by_number(self, number: str) -> User | None: ...
    async def user_by_id(self, user_id: str) -> User | None: ...
    async def all_users(self) -> Sequence[User]: ...
    async def check_pin(self, user_id: str, pin: str) -> PinCheck: ...
    async def add_user(self, user: User, pin: str | None = None) -> None: ...
    async def remove_user(self, user_id: str) -> None: ...
    async def set_pin(self, user_id: str, pin: str | None) -> None: ...
    async def unlock(self, user_id: str) -> None: ...


Story = Callable[[ManagedDirectory], Awaitable[None]]


class DirectoryContract:
    """The promises of `Directory`; each test is a story on an empty one."""

    def on_directory(self, story: Story, *, allowed_failures: int = 5) -> None:
        raise NotImplementedError

    def test_a_user_is_found_by_each_number_by_mailbox_and_by_id(self) -> None:
        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(BERT)
            await directory.add_user(ANNA)
            for number in (*ANNA.numbers, ANNA.mailbox):
                assert await directory.user_by_number(number) == ANNA
            assert await directory.user_by_id("anna") == ANNA
            assert await directory.user_by_number("102") == BERT
            assert await directory.all_users() == [ANNA, BERT]

        self.on_directory(story)

    def test_every_setting_is_kept(self) -> None:
        assert all(getattr(ANNA, f.name) != f.default for f in fields(User)), "extend ANNA"

    @pytest.mark.parametrize(
        "number", ["", "+49305551", "0", "*", "%", "10_", "101 OR 1=1", "\0", "\udcff", "١٠١"]
    )
    def test_nobody_has_another_number(self, number: str) -> None:
        async def story(directory: ManagedDirectory) -> None:
            assert await directory.user_by_number(number) is None
            await directory.add_user(ANNA)
            assert await directory.user_by_number(number) is None

        self.on_directory(story)

    def test_nobody_else_is_there(self) -> None:
        async def story(directory: ManagedDirectory) -> None:
            assert await directory.all_users() == []
            await directory.add_user(ANNA)
            assert await directory.user_by_id("bert") is None

        self.on_directory(story)

    def test_a_number_has_one_owner_and_nothing_is_half_added(self) -> None:
        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(ANNA)
            for mailbox, numbers in (("103", ("+4930555103", "+4930555101")), ("101", ())):
                with pytest.raises(NumberTaken):
                    await directory.add_user(replace(BERT, mailbox=mailbox, numbers=numbers))
            assert await directory.user_by_id("bert") is None
            assert await directory.user_by_number("+4930555103") is None
            assert await directory.user_by_number("+4930555101") == ANNA

        self.on_directory(story)

    def test_an_id_is_given_once(self) -> None:
        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(ANNA)
            with pytest.raises(UserExists):
                await directory.add_user(replace(BERT, id="anna"))
            assert await directory.all_users() == [ANNA]

        self.on_directory(story)

    def test_the_numbers_of_a_removed_user_are_free(self) -> None:
        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(ANNA, PIN)
            await directory.remove_user("anna")
            assert await directory.user_by_number("101") is None
            assert await directory.check_pin("anna", PIN) is W
            await directory.add_user(replace(BERT, numbers=ANNA.numbers))

        self.on_directory(story)

    def test_only_the_right_pin_is_right(self) -> None:
        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(ANNA, PIN)
            await directory.add_user(BERT, "999999")
            assert await directory.check_pin("anna", PIN) is R
            for wrong in ("", "246812", PIN + "0", "24681", "999999"):
                assert await directory.check_pin("anna", wrong) is W
                assert await directory.check_pin("anna", PIN) is R

        self.on_directory(story)

    def test_five_failures_lock_and_only_an_admin_unlocks(self) -> None:
        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(ANNA, PIN)
            assert [await directory.check_pin("anna", "0") for _ in range(7)] == [W] * 5 + [L] * 2
            assert await directory.check_pin("anna", PIN) is L
            await directory.set_pin("anna", "135792")
            assert await directory.check_pin("anna", "135792") is L
            await directory.unlock("anna")
            assert await directory.check_pin("anna", "135792") is R

        self.on_directory(story)

    def test_success_forgets_the_failures(self) -> None:
        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(ANNA, PIN)
            for _ in range(3):
                assert [await directory.check_pin("anna", "0") for _ in range(4)] == [W] * 4
                assert await directory.check_pin("anna", PIN) is R

        self.on_directory(story)

    def test_a_lock_is_one_users(self) -> None:
        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(ANNA, PIN)
            await directory.add_user(BERT, PIN)
            for _ in range(6):
                await directory.check_pin("anna", "0")
            assert await directory.check_pin("bert", PIN) is R

        self.on_directory(story)

    def test_locking_can_be_switched_off_or_set(self) -> None:
        def allowing(allowed: int, expected: list[PinCheck]) -> None:
            async def story(directory: ManagedDirectory) -> None:
                await directory.add_user(ANNA, PIN)
                assert [await directory.check_pin("anna", "0") for _ in range(8)] == expected

            self.on_directory(story, allowed_failures=allowed)

        allowing(0, [W] * 8)
        allowing(2, [W] * 2 + [L] * 6)

    def test_without_a_pin_every_pin_is_wrong(self) -> None:
        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(ANNA)
            await directory.add_user(BERT, PIN)
            await directory.set_pin("bert", None)
            for user_id in ("anna", "bert", "nobody", ""):
                for pin in ("", "0", PIN, "000000", "None"):
                    assert await directory.check_pin(user_id, pin) is W
                assert [await directory.check_pin(user_id, "0") for _ in range(7)] == [W] * 7

        self.on_directory(story)

    def test_guesses_at_the_same_time_are_not_judged_more_often(self) -> None:
        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(ANNA, PIN)
            guesses = [directory.check_pin("anna", f"{n:06}") for n in range(100)]
            results = await asyncio.gather(*guesses)
            assert (results.count(W), results.count(L)) == (5, 95)

        self.on_directory(story)

    def test_changes_need_a_user(self) -> None:
        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(ANNA)
            for change in (
                directory.set_pin("bert", PIN),
                directory.unlock("bert"),
                directory.remove_user("bert"),
            ):
                with pytest.raises(UnknownUser):
                    await change

        self.on_directory(story)
