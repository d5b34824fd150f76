"""What every directory keeps, whatever it is made of: inherit and give the *directory*."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from vm_ari.adapters.database import NumberTaken, UnknownUser, UserExists
from vm_ari.domain.conference_settings import Alone, Announcement, Begin, Recorded
from vm_ari.domain.fax_settings import FaxCover, FaxReport
from vm_ari.domain.faxes import FaxFormat
from vm_ari.domain.greetings import GreetingType
from vm_ari.domain.holidays import OwnHoliday
from vm_ari.domain.language import LanguageMode
from vm_ari.domain.login_phones import ListedPhone, LoginFrom, PhoneLogin
from vm_ari.domain.login_state import (
    PREVIOUS_PINS,
    Decide,
    LoginChange,
    LoginState,
    RoomPins,
    to_be_changed,
    unlocked,
    with_pin,
    with_welcome_due,
)
from vm_ari.domain.notifications import Channel
from vm_ari.domain.office_hours import parse_hours
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.preferences import Access
from vm_ari.domain.profiles import ProfileName, TransferOffer
from vm_ari.domain.rights_settings import Priority, Scope
from vm_ari.domain.settings import NumberStyle
from vm_ari.domain.users import User

ANNA = User(
    id="anna",
    name="Anna Größe",
    mailbox="101",
    numbers=("+4930555101", "+4915112345678", "900"),
    mail="anna@example.org",
    language="de",
    time_zone="Pacific/Auckland",
    folder="INBOX/Voice",
    imap_server="mail2.example.org",
    listed=False,
    voice_mail_enabled=False,
    takes_messages=False,
    access=Access.NONE,
    login_from=LoginFrom.NOWHERE,
    login_office=PhoneLogin.NO_PIN,
    login_mobile=PhoneLogin.PIN,
    login_numbers=(ListedPhone("+4930111222", PhoneLogin.NO_PIN), ListedPhone("107")),
    mobile="+4915112345678",
    number_style=NumberStyle.INTERNATIONAL,
    profile=ProfileName.VACATION,
    profile_until=datetime(2026, 3, 14, 12, 30),
    profile_after=ProfileName.MOBILE,
    office_hours=parse_hours("mon-thu 09:00-17:00 12:00-13:00; fri 22:00-06:00"),
    off_hours_profile=ProfileName.HOME,
    break_profile=ProfileName.CUSTOM_1,
    holiday_region="DE-BY",
    holidays=(OwnHoliday(12, 24), OwnHoliday(12, 28, 2026)),
    greeting_type=GreetingType.PERSONALISED,
    greeting_language=LanguageMode.MENU,
    transfer_offer=TransferOffer.SYSTEM,
    transfer_seconds=40,
    transfer_screening=True,
    operator="+49 30 555-0",
    transcribe=False,
    missed_calls=False,
    missed_calls_journal=False,
    read_mails=False,
    read_faxes=False,
    fax_numbers=("+4930555102", "102"),
    fax_on_voice_number=True,
    fax_sender="+4930555102",
    fax_headline="Berg & Co.",
    fax_report=FaxReport.FAILED,
    fax_cover=FaxCover.ALWAYS,
    fax_cover_template="sales",
    fax_format=FaxFormat.TIFF,
    fax_scope=Scope.NATIONAL,
    fax_per_day=9,
    fax_pages_per_day=90,
    fax_most_pages=30,
    fax_priority=Priority.HIGH,
    sms_scope=Scope.NATIONAL,
    sms_per_day=5,
    voice_scope=Scope.INTERNAL,
    voice_per_day=3,
    sender_numbers=("+4930555100", "+4930555101"),
    cost_centre="4711-B",
    conference_numbers=("+4930555103",),
    conference_announcement=Announcement.TONE,
    conference_alone=Alone.SENTENCE,
    conference_begin=Begin.WITH_MODERATOR,
    conference_recorded=Recorded.NEVER,
    conference_recording_announced=False,
    conference_parties=5,
    conference_minutes=90,
    notifications=False,
    notify_voice=(Channel.LAMP, Channel.MAIL),
    notify_voice_from=2,
    notify_fax=(Channel.LAMP,),
    notify_fax_from=3,
    notify_text=(Channel.WEBHOOK,),
    notify_text_from=4,
    notify_mail="anna@elsewhere.example",
    lamp_mailbox="1101",
    sms_number="+4915112345679",
    sms_sender="+4930555199",
    notice_phone="102",
    notice_caller="common",
    transfers=((ProfileName.WORK, "102"), (ProfileName.HOME, "")),
    takes_messages_in=((ProfileName.VACATION, False), (ProfileName.INTERNAL, True)),
)
FIRST_ANNA = User(
    ANNA.id,
    *(ANNA.name, ANNA.mailbox, ANNA.numbers, ANNA.mail, ANNA.language, ANNA.time_zone),
    *(ANNA.voice_mail_enabled, ANNA.takes_messages, ANNA.access),
)
"""What the first version knew of her."""
BERT = User("bert", "Bert", "102", (), "bert@example.org")
PIN = "246813"
NOW = datetime(2026, 3, 4, 13, 35, tzinfo=UTC)
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
    async def login_state(self, user_id: str) -> LoginState: ...
    async def change_login(self, user_id: str, decide: Decide) -> LoginChange: ...


Story = Callable[[ManagedDirectory], Awaitable[None]]


class DirectoryContract:
    """The promises of `Directory`; each test is a story on an empty one."""

    def on_directory(self, story: Story, **options: Any) -> None:
        """*options*: of the directory, such as ``allowed_failures``."""
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

    def test_everything_about_a_login_is_remembered(self) -> None:
        whole = LoginState(
            pin="135792",
            failures=2,
            pin_set=NOW,
            must_change=True,
            previous=("246813", "112233"),
            pin_told=NOW + timedelta(days=1),
            lock_told=NOW + timedelta(days=2),
            welcome="2026-03-04T13:35:00Z",
            welcome_wish="new-pin",
            called_back="2026-03-04 3",
            sent="2026-03-04 2",
            room=RoomPins("4829", "739164", failures=3),
        )
        assert all(
            getattr(whole, f.name) != f.default
            for f in fields(LoginState)
            if f.name != "unopened"  # of a key that is gone
        ), "extend it"

        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(ANNA)
            await directory.add_user(BERT)
            assert await directory.login_state("bert") == LoginState()
            changed = await directory.change_login("bert", lambda _: whole)
            assert changed == LoginChange(LoginState(), whole)
            assert await directory.login_state("bert") == whole
            assert await directory.login_state("anna") == LoginState()
            assert await directory.user_by_id("bert") == BERT
            await directory.change_login("bert", lambda _: LoginState())
            assert await directory.login_state("bert") == LoginState()
            assert await directory.check_pin("bert", "135792") is W

        self.on_directory(story)

    def test_a_pin_that_was_set_counts_at_once_and_a_lock_stays(self) -> None:
        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(ANNA, PIN)
            for _ in range(5):
                await directory.check_pin("anna", "0")
            changed = await directory.change_login("anna", lambda s: with_pin(s, "135792", NOW))
            assert (changed.before.pin, changed.before.failures) == (PIN, 5)
            assert await directory.check_pin("anna", "135792") is L
            await directory.change_login("anna", unlocked)
            assert await directory.check_pin("anna", PIN) is W
            assert await directory.check_pin("anna", "135792") is R
            state = await directory.login_state("anna")
            assert state == LoginState(pin="135792", pin_set=NOW, previous=(PIN,))

        self.on_directory(story)

    def test_the_latest_pins_are_remembered(self) -> None:
        pins = [f"99887{n}" for n in range(8)]

        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(ANNA)
            for pin in pins:
                await directory.change_login("anna", lambda s, new=pin: with_pin(s, new, NOW))  # type: ignore[misc]
            state = await directory.login_state("anna")
            assert (state.pin, state.previous) == (pins[-1], tuple(pins[-2:-7:-1]))
            assert len(state.previous) == PREVIOUS_PINS

        self.on_directory(story)

    def test_changes_of_a_login_at_the_same_time_are_all_made(self) -> None:
        def noting(n: int) -> Decide:
            return lambda state: replace(state, welcome_wish=f"{state.welcome_wish}/{n}")

        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(ANNA, PIN)
            changes = [directory.change_login("anna", noting(n)) for n in range(20)]
            guesses = [directory.check_pin("anna", "0") for _ in range(4)]
            await asyncio.gather(*changes, *guesses)
            state = await directory.login_state("anna")
            assert sorted(state.welcome_wish.split("/")[1:], key=int) == [str(n) for n in range(20)]
            assert (state.failures, state.pin) == (4, PIN)

        self.on_directory(story)

    def test_only_one_of_many_finds_the_welcome_mail_due(self) -> None:
        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(ANNA)
            await directory.change_login("anna", with_welcome_due)
            taken = [
                directory.change_login("anna", lambda s: replace(s, welcome="2026-03-04T13:35:00Z"))
                for _ in range(10)
            ]
            changes = await asyncio.gather(*taken)
            assert [change.before.welcome for change in changes].count("due") == 1

        self.on_directory(story)

    def test_a_login_of_nobody_is_not_remembered(self) -> None:
        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(ANNA)
            with pytest.raises(UnknownUser):
                await directory.login_state("bert")
            with pytest.raises(UnknownUser):
                await directory.change_login("bert", to_be_changed)

        self.on_directory(story)

    @pytest.mark.feature_part("LOGIN-07", "a default PIN is that of users who have none")
    def test_a_default_pin_is_that_of_users_who_have_none(self) -> None:
        async def story(directory: ManagedDirectory) -> None:
            await directory.add_user(ANNA)
            await directory.add_user(BERT, PIN)
            assert await directory.check_pin("anna", "80808") is R
            assert await directory.check_pin("bert", "80808") is W
            assert await directory.check_pin("nobody", "80808") is W
            assert [await directory.check_pin("anna", "0") for _ in range(6)] == [W] * 5 + [L]
            assert await directory.check_pin("anna", "80808") is L
            await directory.change_login("anna", unlocked)
            await directory.set_pin("anna", "135792")
            assert await directory.check_pin("anna", "80808") is W
            assert await directory.check_pin("anna", "135792") is R

        self.on_directory(story, default_pin="80808")
