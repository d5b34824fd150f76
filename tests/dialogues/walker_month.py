"""A month of a site on the virtual clock: its rules and people, and what happens between calls."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.dialogues.exchange import ANNA, BERT, PIN, START, message
from tests.dialogues.reading_site import written
from tests.dialogues.sending_site import FAX_ADDRESS, GATEWAYS, SendingSite
from tests.fake_channel import FakeChannel
from tests.fake_voice import FakeFaxes, FakeVoice, StepsReader
from vm_ari.domain.access import AfterExpiry, LoginRules
from vm_ari.domain.call_back import CallBackRules
from vm_ari.domain.callers import Caller
from vm_ari.domain.greetings import SITE, GlobalMode, GreetingKey, Slot, Source
from vm_ari.domain.language import LanguageMode
from vm_ari.domain.login_state import LoginState
from vm_ari.domain.messages import MessageKind, StoredMessage
from vm_ari.domain.office_hours import parse_hours
from vm_ari.domain.pin import FAILURES_BEFORE_LOCK
from vm_ari.domain.playback import Speed
from vm_ari.domain.preferences import Access
from vm_ari.domain.profiles import ProfileName, TransferOffer
from vm_ari.domain.quota import Quota
from vm_ari.domain.settings import Deletion, Hideable, InformationOrder, Rules
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.services.quota import QuotaWarnings
from vm_ari.services.reading import Readings
from vm_ari.speech.language import languages
from vm_ari.telephony.channel import Cause, Leg

LONG_MESSAGE = 40.0
"""Seconds: time for every key while it plays."""
TO_BEN = ((ProfileName.WORK, "102"), (ProfileName.HOME, "102"))
LETTERS = (
    ("Lunch", "At noon?"),
    ("Papers", "The meeting is at three. Please bring the papers with you."),
    ("", "Guten Morgen, die Besprechung ist heute erst um drei. Viele Grüße"),
)


def someone(number: int, **settings: Any) -> User:
    """A user like Anna, but for that."""
    text = str(number)
    return replace(
        ANNA,
        **(
            {"id": f"user{text}", "mailbox": text, "numbers": (text, f"+493055{text}7"), "mail": ""}
            | settings
        ),
    )


PEOPLE: tuple[User, ...] = (
    ANNA,
    BERT,
    someone(103, name="Carla", access=Access.PROFILES),
    someone(
        104,
        name="Dora",
        transfers=TO_BEN,
        transfer_offer=TransferOffer.SYSTEM,
        transfer_screening=True,
    ),
    someone(105, name="Otto", voice_mail_enabled=False),
    someone(106, name="Anne", takes_messages=False),
    someone(107, name="Max", access=Access.NONE),
    someone(108, name="Eva", greeting_language=LanguageMode.MENU),
    someone(109, name="Paul", read_faxes=False),
    someone(110, name="Rosa", read_mails=False, language="fr"),
    someone(111, name="Tom", transfers=TO_BEN, transfer_offer=TransferOffer.SYSTEM),
    someone(
        112,
        name="Ute",
        office_hours=parse_hours("mon 1:00-2:00"),
        operator="102",
        off_hours_profile=ProfileName.HOME,
    ),
    someone(113, name="Fay", fax_numbers=("113",)),
    someone(114, name="Sam", fax_on_voice_number=True),
    *(someone(120 + n, name=f"Zoe {'ABCDEFGHIJ'[n]}") for n in range(10)),
)
BUSY = ("101", "101", "101", "101", "102", "104", "104", "106", "108", "109", "110", "111", "112")
"""Mailboxes that are called more often than others."""


class NoMails:
    """`ports.Notices` that keeps nothing: what is written is not what is walked through."""

    async def queue(self, mail: SystemMail) -> None:
        """See `ports.Notices`."""


@dataclass
class WalkedSite:
    """One site with rules of its own, all of whose people live on between the calls."""

    dice: random.Random
    rules: Rules = field(default_factory=Rules)
    logins: LoginRules = field(default_factory=LoginRules)
    sending: dict[str, Any] = field(default_factory=dict)
    letters: int = 0

    def __post_init__(self) -> None:
        back = CallBackRules(outside=True, per_day=0)
        self.site = SendingSite(PEOPLE, self.rules, login_rules=self.logins, call_back_rules=back)
        self.site.rule_sending(replace(GATEWAYS, fax_address=FAX_ADDRESS, **self.sending))
        quotas = QuotaWarnings(self.site.mailboxes, NoMails(), self.site.clock)  # type: ignore[arg-type]
        desk = self.site.desk
        voice, faxes = FakeVoice(fails_at="Papers"), FakeFaxes(("This is a fax.",))
        readings = Readings(StepsReader(), faxes, voice, ("en", "de", "fr"))
        self.site.desk = replace(
            desk, at_speed=_faster, sender_name=_named, quotas=quotas, readings=readings
        )

    @property
    def hidden(self) -> frozenset[Hideable]:
        """What its menus leave out."""
        return self.rules.hidden

    def user(self, mailbox: str) -> User:
        """As the directory knows him now."""
        users = self.site.directory.users.values()
        return next(user for user in users if user.mailbox == mailbox)

    def pin(self, user: User) -> str:
        """What the owner knows."""
        return self.site.directory.pins.get(user.id, PIN)

    async def prepare(self) -> None:
        """Some have greetings and names."""
        for user in PEOPLE[:9]:
            for slot in (Slot.NAME, Slot.WORK, Slot.HOME):
                if self.dice.random() < 0.4:
                    key = GreetingKey(user.id, slot, self.dice.choice(languages()))
                    await self.site.greetings.keep(key, Path("/take.wav"), Source.PHONE)
        for user in PEOPLE:
            long_ago = LoginState(
                pin=PIN, pin_set=START - timedelta(days=4), previous=("28461937",)
            )
            self.site.directory.logins[user.id] = long_ago
        key = GreetingKey(SITE, Slot.GLOBAL, "en")
        await self.site.greetings.keep(key, Path("/take.wav"), Source.PHONE)

    async def happens(self) -> None:
        """Between two calls: messages come, things break and are mended, somebody is locked."""
        site, dice = self.site, self.dice
        for user in dice.sample(PEOPLE[:11], 5):
            self.arrives(user)
        site.directory.unavailable = dice.random() < 0.03
        site.directory.read_only = dice.random() < 0.05
        site.mailboxes.unavailable = dice.random() < 0.03
        site.spool.refuses = {dice.choice(("begin", "keep"))} if dice.random() < 0.05 else set()
        site.greetings.mode = dice.choice((GlobalMode.OFF, GlobalMode.OFF, *GlobalMode))
        site.mailboxes.quotas = {ANNA.id: Quota(95, 100)} if dice.random() < 0.1 else {}
        for user in PEOPLE:
            site.directory.failures[user.id] = dice.choice((0,) * 20 + (FAILURES_BEFORE_LOCK,))

    def surprises(self, mailbox: str) -> None:
        """While somebody calls: mail programs and disks know nothing of that."""
        site, dice = self.site, self.dice
        inbox = site.mailboxes.of(self.user(mailbox))
        match dice.randrange(5):
            case 0 | 1 | 2:
                self.arrives(self.user(mailbox))
            case 2 if inbox:
                site.mailboxes.lose(self.user(mailbox), dice.choice(inbox).uid)
            case _:
                site.spool.refuses ^= {"begin"}

    def arrives(self, user: User) -> None:
        """One message, of any kind."""
        dice, uid = self.dice, self._uid()
        if dice.random() < 0.5:
            number = dice.choice(("", "102", "103", "+4989123", "+49900123456"))
            stored = message(uid, minutes_ago=0, urgent=dice.random() < 0.3, number=number)
            genuine = dice.random() < 0.9
            self.site.put(replace(self._now(stored), genuine=genuine), user=user)
            return
        kind = dice.choice((MessageKind.MAIL, MessageKind.MAIL, MessageKind.FAX, MessageKind.TEXT))
        stored = StoredMessage(uid, kind, self.site.clock.now(), Caller("", "Carla Weber"))
        subject, text = dice.choice(LETTERS)
        self.site.mailboxes.put(user, stored, mail=written(text, subject=subject))

    def _now(self, stored: StoredMessage) -> StoredMessage:
        ago = timedelta(minutes=self.dice.randint(0, 9999))
        return replace(stored, received=self.site.clock.now() - ago)

    def _uid(self) -> str:
        self.letters += 1
        return str(self.letters)

    def line(self) -> FakeChannel:
        """Whom it dials may answer or not; messages take their time."""
        line = self.site.line()
        line.lengths = {f"/listening/{n}": LONG_MESSAGE for n in range(self.letters + 20)}
        line.on_dial = self._rings
        line.carried_together = self.dice.random() < 0.2
        return line

    def _rings(self, leg: FakeChannel, _how: Leg) -> None:
        match self.dice.randrange(4):
            case 0:
                leg._later(1.0, lambda: leg.is_not_answered(Cause.BUSY))
            case 1:
                pass
            case _:
                leg._later(2.0, leg.picks_up)
                for seconds in (self.dice.uniform(3, 40), 45.0):
                    key = self.dice.choice("112")
                    leg._later(seconds, lambda key=key: leg.key(key))  # type: ignore[misc]
                leg._later(self.dice.uniform(46, 80), leg.caller_hangs_up)


def sites(dice: random.Random) -> Sequence[WalkedSite]:
    """As different as sites are; what one hides the others show."""
    some = dice.sample(list(Hideable), 3)
    return (
        WalkedSite(dice),
        WalkedSite(
            dice,
            Rules(operator_key=True, operator="102", deletion=Deletion.FOR_GOOD),
            sending={"largest_mail": 10},
        ),
        WalkedSite(
            dice,
            Rules(options_after_message=False, default_recipient="desk@site.example"),
            LoginRules(pin_days=5),
            {"per_day": 2, "most_recipients": 1, "largest_mail": 10},
        ),
        WalkedSite(
            dice,
            Rules(hidden=frozenset(some), information_order=dice.choice(list(InformationOrder))),
        ),
        WalkedSite(
            dice,
            Rules(hidden=frozenset(Hideable), caller_may_review=False),
            sending={"most_recipients": 1},
        ),
        WalkedSite(dice, logins=LoginRules(pin_days=1, after_expiry=AfterExpiry.PREVENT)),
    )


async def _faster(recording: Path, speed: Speed) -> Path | None:
    return recording.with_stem(f"{recording.stem}-{round(speed.value * 100)}")


async def _named(_listener: User, caller: Caller) -> Path | None:
    return Path(f"/sender/{caller.number}") if caller.number in {"102", "+4989123"} else None
