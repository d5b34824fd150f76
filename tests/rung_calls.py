"""The calls that each story of tests/system/ringing_stories.py makes, in short words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from vm_ari.domain.numbers import Site, readable
from vm_ari.domain.ringing import Ring, RungCall

BERLIN = Site("DE", "+49305550", 3, 3, outside_prefix="0")
ODD_NAME = r"""O'Neil status will follow\" Event: DialEnd --END COMMAND--"""
"""The backslash is Asterisk's: it does not undo SIP's quoting."""
CARLA = "+49 30 123456 Carla Caller"


TOGETHER = timedelta(seconds=0.5)


@dataclass(frozen=True)
class Told:
    """A call that is over, as a person would tell it; numbers of the house are extensions."""

    caller: str
    called: str
    rings: tuple[str, ...] = ()
    answered_by: str = ""


def told(calls: Iterable[RungCall]) -> list[Told]:
    """In short, in the order in which they began; phones that rang together by their number."""
    return [
        Told(
            f"{readable(call.caller.number, BERLIN)} {call.caller.name}".strip(),
            readable(call.called, BERLIN),
            tuple(readable(ring.number, BERLIN) + "!" * ring.answered for ring in _rings(call)),
            readable(call.answered_by, BERLIN),
        )
        for call in sorted(calls, key=lambda call: call.began)
    ]


def _rings(call: RungCall) -> list[Ring]:
    return sorted(call.rings, key=lambda ring: (_moment(ring.began - call.began), ring.number))


def _moment(time: timedelta) -> int:
    return round(time / TOGETHER)


AT_ONCE = ("gives_up_at_once", "is_busy")
"""Callers who are gone before it is known whether their number may be shown: it is not."""
BOTH, SECOND = ("101", "102"), ("101", "102!")
CALLS: dict[str, tuple[Told, ...]] = {
    "nobody_answers": (Told(CARLA, "101", ("101",)),),
    "gives_up_at_once": (Told("", "101", ("101",)),),
    "is_busy": (Told("", "101"),),
    "is_declined": (Told(CARLA, "101", ("101",)),),
    "is_not_there": (),
    "answers": (Told(CARLA, "101", ("101!",), "101"),),
    "withheld_number": (Told("", "101", ("101",)),),
    "hostile_number": (),
    "hostile_name": (Told(f"+49 30 123456 {ODD_NAME}", "101", ("101",)),),
    "colleague_calls": (Told("102", "101", ("101",)),),
    "parallel_one_answers": (Told(CARLA, "200", SECOND, "102"),),
    "parallel_nobody_answers": (Told(CARLA, "200", BOTH),),
    "group_of_local_channels": (Told(CARLA, "201", SECOND, "102"),),
    "hunting": (Told(CARLA, "210", SECOND, "102"),),
    "queue_nobody_answers": (Told(CARLA, "220", BOTH * 2),),
    "queue_one_answers": (Told(CARLA, "220", SECOND, "102"),),
    "phone_forwards": (Told(CARLA, "101", SECOND, "102"),),
    "phone_forwards_in_vain": (Told(CARLA, "101", BOTH),),
    "dialplan_forwards": (Told(CARLA, "231", BOTH),),
    "picked_up": (Told(CARLA, "101", ("101",), "103"),),
    "picked_up_in_the_group": (Told(CARLA, "101", ("101",), "103"),),
    "voicemail_takes_it": (Told(CARLA, "191", ("101",)),),
    "given_away": (
        Told(CARLA, "101", ("101!",), "101"),
        Told(CARLA, "102", ("102",)),
    ),
    "given_away_to_a_group": (
        Told(CARLA, "101", ("101!",), "101"),
        Told(CARLA, "230", ("102",)),
    ),
    "joined": (
        Told(CARLA, "101", ("101!",), "101"),
        Told("101", "102", ("102!",), "102"),
    ),
    "controller_connects": (Told(CARLA, "191", BOTH),),
    "controller_calls_a_user": (),
    "forwarded_outside": (Told(CARLA, "232", ("101", "+49 30 559999!"), "+49 30 559999"),),
    "calls_outside": (Told("101", "+49 30 559999", ("+49 30 559999",)),),
}
