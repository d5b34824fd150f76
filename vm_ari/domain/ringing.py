"""A call that rang phones: who called, which phones rang for how long, and which person answered.

`Follower` makes it of what the telephone system tells (MISSED-01): groups, queues, hunting,
forwarding, pick-up and transfers are one call each. Voicemail and other machines are nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from vm_ari.domain.callers import Caller, caller_from, printable
from vm_ari.domain.numbers import extension_of, normalise
from vm_ari.domain.phone_numbers import LOCAL, PhoneNumbers, endpoint_of
from vm_ari.domain.ring_events import (
    Appeared,
    CallerChanged,
    CallerShown,
    DialBegan,
    DialEnded,
    HungUp,
    Lost,
    Rang,
    RingEvent,
)


@dataclass(frozen=True)
class Ring:
    """One phone that rang, once."""

    number: str
    """E.164 or the extension of the phone."""
    began: datetime
    ended: datetime
    answered: bool = False

    @property
    def length(self) -> timedelta:
        """How long it rang."""
        return self.ended - self.began


@dataclass(frozen=True)
class RungCall:
    """A call that is over, and the phones that rang, in the order in which they were called (UTC).

    Of phones that are called together the network decides which rings a little earlier.
    """

    id: str
    """Asterisk's Linkedid: unique for the call, also after a restart."""
    caller: Caller
    called: str
    """The number that was dialled first."""
    began: datetime
    ended: datetime
    rings: tuple[Ring, ...]
    answered_by: str = ""
    """The phone of the person who answered, which need not have rung; empty: nobody did."""
    answered_at: datetime | None = None
    silent_for: str = ""
    """The user in whose mailbox the caller has said nothing; such a call is told of by itself,
    without rings. Empty: it is a call that rang phones."""


MOST_RINGS = 500
"""Of one call: who waits in a queue for hours lets phones ring again and again."""


@dataclass
class _Phone:
    """A phone that a call has reached, so far."""

    number: str
    began: datetime | None = None
    ended: datetime | None = None
    answered: bool = False


@dataclass
class _Call:
    """A call that is not over."""

    first: Appeared
    number: str
    name: str
    called: str
    began: datetime
    shown: bool = False
    part: int = 1
    channels: set[str] = field(default_factory=set)
    phones: dict[str, _Phone] = field(default_factory=dict)
    """By channel, in the order in which they were called."""
    early: dict[str, datetime] = field(default_factory=dict)
    """Channels that ring, and of which we have not been told who dials them."""
    answered_by: str = ""
    answered_at: datetime | None = None


class Follower:
    """Makes calls of events; holds no more than *most* calls, none longer than *longest*.

    Calls that nobody made are left out: those that the telephone system began by itself (a click
    in a browser, our own call to a user who wants to record), and those whose beginning we did not
    see. Better no call than a wrong one.

    A call that somebody has answered and given away (blind transfer) is over for who rang before;
    with the next phone that is called a new one begins.
    """

    def __init__(
        self,
        phones: PhoneNumbers,
        *,
        longest: timedelta = timedelta(hours=12),
        most: int = 10_000,
    ) -> None:
        self._phones = phones
        self._site = phones.site
        self._longest = longest
        self._most = most
        self._calls: dict[str, _Call] = {}
        self._call_of: dict[str, str] = {}
        self.forgotten = 0
        """So many calls that reached a phone were given up before their end was seen."""

    def __len__(self) -> int:
        """How many calls are followed."""
        return len(self._calls)

    def hear(self, event: RingEvent) -> RungCall | None:
        """Take the next event; back comes a call that is over with it."""
        match event:
            case Appeared():
                self._appeared(event)
            case DialBegan():
                return self._dial_began(event)
            case DialEnded():
                self._dial_ended(event)
            case HungUp():
                return self._hung_up(event)
            case Rang(at, channel):
                if call := self._of(channel):
                    _rings(call, channel, at)
            case CallerChanged() | CallerShown():
                self._told_of_caller(event)
            case Lost():
                self._forget(list(self._calls))
        return None

    def _of(self, *channels: str) -> _Call | None:
        known = (self._call_of.get(channel, "") for channel in channels)
        return next((self._calls[call] for call in known if call in self._calls), None)

    # --- channels

    def _appeared(self, event: Appeared) -> None:
        if event.channel == event.call and not event.phone.startswith(LOCAL):
            if event.call in self._calls:
                self._drop(event.call)
            self._make_room(event.at)
            inside = bool(extension_of(self._phones.of(event.phone), self._site))
            called = normalise(event.dialled, self._site, dialled=inside) or ""
            call = _Call(event, event.number, event.name, called, event.at)
            self._calls[event.call] = call
        if known := self._calls.get(event.call):
            self._join(known, event.channel)

    def _join(self, call: _Call, channel: str) -> None:
        self._call_of[channel] = call.first.call
        call.channels.add(channel)

    def _make_room(self, now: datetime) -> None:
        """The dictionary is in the order in which calls began."""
        late: list[str] = []
        for key, call in self._calls.items():
            if now - call.first.at < self._longest and len(self._calls) - len(late) < self._most:
                break
            late.append(key)
        self._forget(late)

    def _forget(self, calls: Iterable[str]) -> None:
        for key in calls:
            self.forgotten += bool(self._calls[key].phones)
            self._drop(key)

    def _drop(self, key: str) -> None:
        for channel in self._calls.pop(key).channels:
            self._call_of.pop(channel, None)

    def _told_of_caller(self, event: CallerChanged | CallerShown) -> None:
        call = self._calls.get(event.channel)
        match event:
            case CallerShown(shown=shown) if call:
                call.shown = shown
            case CallerChanged(number=number, name=name) if call and not call.phones:
                call.number, call.name = number, name

    def _hung_up(self, event: HungUp) -> RungCall | None:
        call = self._of(event.channel)
        if call is None:
            return None
        _stops(call, event.channel, event.at)
        del self._call_of[event.channel]
        call.channels.discard(event.channel)
        if call.channels:
            return None
        self._drop(call.first.call)
        return self._over(call, event.at)

    # --- phones

    def _dial_began(self, event: DialBegan) -> RungCall | None:
        if event.to == event.call and event.call in self._calls:
            self._drop(event.call)  # the telephone system has begun it
        call = self._of(event.by) or self._calls.get(event.call)
        if call is None:
            return None
        over = None
        if call.answered_by and event.by == call.first.channel:
            over = self._over(call, event.at)
            self._begin_again(call, event)
        call.called = call.called or normalise(event.extension, self._site) or ""
        if not event.phone.startswith(LOCAL):
            self._call_phone(call, event)
        return over

    def _call_phone(self, call: _Call, event: DialBegan) -> None:
        if event.to not in self._call_of:
            self._join(call, event.to)
        number = self._phones.of(event.phone, event.address, event.number)
        _add(call, event.to, _Phone(number))
        if began := call.early.pop(event.to, None):
            _rings(call, event.to, began)

    def _begin_again(self, call: _Call, event: DialBegan) -> None:
        call.part += 1
        call.began = event.at
        call.called = normalise(event.extension, self._site, dialled=True) or ""
        call.phones = {}
        call.answered_by, call.answered_at = "", None

    def _dial_ended(self, event: DialEnded) -> None:
        call = self._of(event.by, event.to)
        if call is None or event.phone.startswith(LOCAL):
            return
        _stops(call, event.to, event.at)
        if not event.answered:
            return
        phone = call.phones.get(event.to)
        if phone:
            phone.answered = True
        number = phone.number if phone else self._phones.of(event.phone, shown=event.number)
        if not call.answered_by:
            call.answered_by = number or printable(endpoint_of(event.phone))
            call.answered_at = event.at

    def _over(self, call: _Call, at: datetime) -> RungCall | None:
        """The call as it is told; None where it has not even tried to reach a phone."""
        if not call.phones:
            return None
        part = f"/{call.part}" if call.part > 1 else ""
        return RungCall(
            id=call.first.call + part,
            caller=caller_from(call.number, call.name, self._site, withheld=not call.shown),
            called=call.called,
            began=call.began,
            ended=at,
            rings=_told(call.phones.values(), at),
            answered_by=call.answered_by,
            answered_at=call.answered_at,
        )


def _add(call: _Call, channel: str, phone: _Phone) -> None:
    """The first ones and the last ones are kept."""
    if len(call.phones) >= MOST_RINGS:
        del call.phones[list(call.phones)[MOST_RINGS // 2]]
    call.phones[channel] = phone


def _rings(call: _Call, channel: str, at: datetime) -> None:
    phone = call.phones.get(channel)
    if phone is None:
        call.early.setdefault(channel, at)
    elif phone.began is None and phone.ended is None:
        phone.began = at


def _stops(call: _Call, channel: str, at: datetime) -> None:
    call.early.pop(channel, None)
    phone = call.phones.get(channel)
    if phone and phone.ended is None:
        phone.ended = at


def _told(phones: Iterable[_Phone], at: datetime) -> tuple[Ring, ...]:
    return tuple(
        Ring(one.number, one.began, one.ended or at, one.answered)
        for one in phones
        if one.began and one.number
    )
