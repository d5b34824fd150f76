"""Who gets a mail about a call that he did not answer, and why others get none (MISSED-01, -03).

Every user gets at most one mail about a call, however many of his phones rang. A phone that belongs
to nobody is passed over. Where no phone rang, because calls are sent on to voicemail at once, a
recording in which nothing is said counts as a missed call of the mailbox's user (CALL-06).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo

import phonenumbers

from vm_ari.domain.callers import Caller, printable
from vm_ari.domain.numbers import Site, is_internal, normalise
from vm_ari.domain.ringing import Ring, RungCall
from vm_ari.domain.users import User

AROUND = timedelta(seconds=10)
"""Two things of one caller that are so near to each other belong to one call."""


class Tell(StrEnum):
    """Whose phones count."""

    NOBODY = "nobody"
    FIRST = "first"
    """The phone that rang first of those that did not answer."""
    LAST = "last"
    ALL = "all"


class NotFor(StrEnum):
    """Calls of which nobody is told."""

    INTERNAL = "internal"
    WITHHELD = "withheld"
    UNKNOWN = "unknown"
    """There is no contact data of the caller."""
    SAME_DAY = "same-day"
    """The user was told of this caller on the same day, as the user's clock counts it."""
    UNTIL_LOGIN = "until-login"
    """The user was told of this caller, and has not been signed in since."""


class Outcome(StrEnum):
    """What came of a call for one user; the values are stored."""

    TOLD = "told"
    ANSWERED = "answered"
    OWN_CALL = "own-call"
    ANSWERED_ELSEWHERE = "answered-elsewhere"
    SITE_TELLS_NOBODY = "site-tells-nobody"
    ANOTHER_PHONE = "another-phone"
    OPTED_OUT = "opted-out"
    NO_ADDRESS = "no-address"
    LISTED = "listed"
    INTERNAL = "internal"
    WITHHELD = "withheld"
    UNKNOWN = "unknown"
    SHORT = "short"
    MESSAGE_LEFT = "message-left"
    SAME_DAY = "same-day"
    UNTIL_LOGIN = "until-login"
    PHONES_RANG = "phones-rang"
    GIVEN_UP = "given-up"


REASONS = {
    Outcome.TOLD: "A mail was written.",
    Outcome.ANSWERED: "The user has answered.",
    Outcome.OWN_CALL: "The user has called from an own phone.",
    Outcome.ANSWERED_ELSEWHERE: "Somebody else has answered (answered_elsewhere).",
    Outcome.SITE_TELLS_NOBODY: "The site tells nobody (tell).",
    Outcome.ANOTHER_PHONE: "Only the owner of the first or last phone is told (tell).",
    Outcome.OPTED_OUT: "The user does not want these mails (setting missed_calls).",
    Outcome.NO_ADDRESS: "The user has no mail address.",
    Outcome.LISTED: "The caller's number is listed (numbers).",
    Outcome.INTERNAL: "The caller is internal (not_for).",
    Outcome.WITHHELD: "The caller's number is suppressed (not_for).",
    Outcome.UNKNOWN: "There is no contact data of the caller (not_for).",
    Outcome.SHORT: "The user's phones rang too briefly (shortest_seconds).",
    Outcome.MESSAGE_LEFT: "The caller has left the user a voice message (message_left).",
    Outcome.SAME_DAY: "The user was told of this caller on the same day (not_for).",
    Outcome.UNTIL_LOGIN: "The user was told of this caller since the last login (not_for).",
    Outcome.PHONES_RANG: "Nothing was said in the mailbox, but phones rang: see that call.",
    Outcome.GIVEN_UP: "No mail could be written for too long; the log says why.",
}
"""For a person who asks; the words in brackets are settings."""


class BadListedNumber(ValueError):
    """A text is no number to be listed. It is quoted, and says what can be written."""


@dataclass(frozen=True)
class ListedNumber:
    """A number of which nobody is told, or (*whole* False) all that begin so."""

    digits: str
    """E.164 or an extension."""
    whole: bool = True

    def covers(self, number: str) -> bool:
        """Is that number one of them?"""
        return number == self.digits if self.whole else number.startswith(self.digits)


@dataclass(frozen=True)
class MissedCallRules:
    """What the site has decided."""

    tell: Tell = Tell.NOBODY
    answered_elsewhere: bool = False
    """Is a mail sent, too, when somebody else has answered?"""
    message_left: bool = False
    """Is one sent, too, when the caller has left the user a voice message?"""
    not_for: frozenset[NotFor] = frozenset()
    shortest: timedelta = timedelta(seconds=2)
    """Phones that rang for less time are passed over."""
    listed: tuple[ListedNumber, ...] = ()
    sites: tuple[Site, ...] = field(default_factory=lambda: (Site(),))


@dataclass(frozen=True)
class RungUser:
    """A user whose phones rang."""

    user: User
    rings: tuple[Ring, ...]
    """Of own phones, in the order in which they began."""
    answered: bool = False
    """Has the user answered, on whatever own phone?"""

    @property
    def rang(self) -> timedelta:
        """How long at least one of the phones rang."""
        total, until = timedelta(), datetime.min.replace(tzinfo=UTC)
        for ring in sorted(self.rings, key=lambda ring: ring.began):
            total += max(ring.ended - max(ring.began, until), timedelta())
            until = max(until, ring.ended)
        return total


@dataclass(frozen=True)
class Around:
    """What counts beside the call itself; users by their ids."""

    known: bool = True
    """Is there contact data of the caller?"""
    message_for: frozenset[str] = frozenset()
    """For whom the caller has left a voice message in the same call."""
    last_told: Mapping[str, datetime] = field(default_factory=dict)
    """When those calls came of which they were told last, of this caller."""
    last_login: Mapping[str, datetime] = field(default_factory=dict)
    without_address: frozenset[str] = frozenset()
    """To whom no mail can be sent."""
    phones_rang: bool = False
    """Of a call in which nothing was said: is it known as one that rang phones, too?"""


@dataclass(frozen=True)
class Decision:
    """What comes of a call for one user."""

    rung: RungUser
    outcome: Outcome

    @property
    def told(self) -> bool:
        """Does the user get a mail?"""
        return self.outcome is Outcome.TOLD

    @property
    def missed(self) -> bool:
        """Has the user missed the call, whether there is a mail or not (MISSED-04)?"""
        return self.outcome not in {
            Outcome.ANSWERED,
            Outcome.OWN_CALL,
            Outcome.ANSWERED_ELSEWHERE,
            Outcome.PHONES_RANG,
        }


def rung_users(call: RungCall, owners: Mapping[str, User]) -> tuple[RungUser, ...]:
    """The users whose phones rang, each once, by their first ring; *owners* by phone number."""
    rings: dict[str, list[Ring]] = {}
    users = {user.id: user for user in owners.values()}
    for ring in call.rings:
        if ring.number in owners:
            rings.setdefault(owners[ring.number].id, []).append(ring)
    return tuple(
        RungUser(users[user_id], tuple(his), _has_answered(users[user_id], his, call, owners))
        for user_id, his in rings.items()
    )


def same_call(silent: RungCall, rung: RungCall) -> bool:
    """Has the caller, who then said nothing in a mailbox, rung phones in vain in that call before?

    What follows an answer is a new attempt. Somebody whom a phone sends on comes to the mailbox on
    another channel, and is known by the number: see `AROUND`.
    """
    if rung.silent_for or rung.answered_by or rung.began > silent.ended:
        return False
    if rung.id.partition("/")[0] == silent.id.partition("/")[0]:
        return True
    number = silent.caller.number
    return bool(number) and number == rung.caller.number and rung.ended > silent.began - AROUND


def _has_answered(
    user: User, rings: Iterable[Ring], call: RungCall, owners: Mapping[str, User]
) -> bool:
    """On a phone that rang, or on another own one."""
    other = owners.get(call.answered_by) if call.answered_by else None
    return any(ring.answered for ring in rings) or (other is not None and other.id == user.id)


def decide(
    call: RungCall, rung: Sequence[RungUser], rules: MissedCallRules, around: Around
) -> tuple[Decision, ...]:
    """What comes of the call for each of the users."""
    candidates = [one for one in rung if not one.answered and not _calls_himself(one.user, call)]
    chosen = _chosen(candidates, call, rules.tell)
    return tuple(
        Decision(one, _outcome(one, call, rules, around, is_chosen=one.user.id in chosen))
        for one in rung
    )


def _outcome(
    one: RungUser, call: RungCall, rules: MissedCallRules, around: Around, *, is_chosen: bool
) -> Outcome:
    """The first thing that keeps the mail back."""
    user = one.user
    obstacles = (
        (around.phones_rang, Outcome.PHONES_RANG),
        (one.answered, Outcome.ANSWERED),
        (_calls_himself(user, call), Outcome.OWN_CALL),
        (call.answered_by and not rules.answered_elsewhere, Outcome.ANSWERED_ELSEWHERE),
        (rules.tell is Tell.NOBODY, Outcome.SITE_TELLS_NOBODY),
        (not is_chosen, Outcome.ANOTHER_PHONE),
        (not user.missed_calls, Outcome.OPTED_OUT),
        (user.id in around.without_address, Outcome.NO_ADDRESS),
        *_about_the_caller(call.caller, rules, around),
        (not call.silent_for and one.rang < rules.shortest, Outcome.SHORT),
        (user.id in around.message_for and not rules.message_left, Outcome.MESSAGE_LEFT),
        *_repeats(user, call, rules, around),
    )
    return next((outcome for stands, outcome in obstacles if stands), Outcome.TOLD)


def _about_the_caller(
    caller: Caller, rules: MissedCallRules, around: Around
) -> tuple[tuple[bool, Outcome], ...]:
    number, not_for = caller.number, rules.not_for
    withheld, internal = not number, is_internal(number, rules.sites)
    listed = bool(number) and any(one.covers(number) for one in rules.listed)
    return (
        (listed, Outcome.LISTED),
        (NotFor.INTERNAL in not_for and internal, Outcome.INTERNAL),
        (NotFor.WITHHELD in not_for and withheld, Outcome.WITHHELD),
        (NotFor.UNKNOWN in not_for and (withheld or not around.known), Outcome.UNKNOWN),
    )


def _repeats(
    user: User, call: RungCall, rules: MissedCallRules, around: Around
) -> tuple[tuple[bool, Outcome], ...]:
    """Nobody knows whether two callers without a number are the same."""
    told = around.last_told.get(user.id)
    if told is None or not call.caller.number:
        return ()
    zone, login = zone_of(user), around.last_login.get(user.id)
    same_day = _day(told, zone) == _day(call.began, zone)
    return (
        (NotFor.SAME_DAY in rules.not_for and same_day, Outcome.SAME_DAY),
        (
            NotFor.UNTIL_LOGIN in rules.not_for and (login is None or login <= told),
            Outcome.UNTIL_LOGIN,
        ),
    )


def _chosen(candidates: Sequence[RungUser], call: RungCall, tell: Tell) -> frozenset[str]:
    """Whose phones count; a mailbox that nothing was said in counts like one."""
    unanswered = [(ring.began, one.user.id) for one in candidates for ring in one.rings]
    if call.silent_for:
        unanswered = [(call.began, one.user.id) for one in candidates]
    match tell:
        case Tell.NOBODY:
            return frozenset()
        case Tell.ALL:
            return frozenset(user_id for _, user_id in unanswered)
        case Tell.FIRST:
            first = min(unanswered, key=lambda ring: ring[0], default=None)
            return frozenset({first[1]} if first else ())
        case Tell.LAST:
            # of phones that began together the one that is named last
            last = max(reversed(unanswered), key=lambda ring: ring[0], default=None)
            return frozenset({last[1]} if last else ())


def _calls_himself(user: User, call: RungCall) -> bool:
    number = call.caller.number
    return bool(number) and number in {*user.numbers, user.mailbox, user.mobile}


def zone_of(user: User) -> tzinfo:
    """The user's time zone; UTC where the directory names none that exists."""
    try:
        return ZoneInfo(user.time_zone)
    except (KeyError, ValueError, OSError):
        return UTC


def _day(when: datetime, zone: tzinfo) -> date:
    return when.astimezone(zone).date()


def parse_listed(text: str, site: Site) -> ListedNumber:
    """A number in any spelling; with ``*`` at its end all that begin so. Raises `BadListedNumber`.

    A short one is an extension of the site.
    """
    if not text.rstrip().endswith("*"):
        number = normalise(text, site)
        if number is None:
            raise _no_number(text)
        return ListedNumber(number)
    digits = re.sub(r"[-()/. ]", "", text.rstrip().removesuffix("*"))
    if not re.fullmatch(r"\+?[0-9]{1,18}", digits):
        raise _no_number(text)
    return ListedNumber(_beginning(digits, site), whole=False)


def _beginning(digits: str, site: Site) -> str:
    """The first digits of numbers, as they begin in E.164."""
    trunk = phonenumbers.ndd_prefix_for_region(site.region, True) or ""
    if digits.startswith("+"):
        return digits
    if digits.startswith("00"):
        return f"+{digits.removeprefix('00')}"
    if trunk and digits.startswith(trunk):
        return f"+{site.country_code}{digits.removeprefix(trunk)}"
    return site.base_number + digits


def _no_number(text: str) -> BadListedNumber:
    return BadListedNumber(
        f"“{printable(text, 40)}” is not a telephone number; write one, or its beginning and *, "
        "such as +49 30 555*"
    )
