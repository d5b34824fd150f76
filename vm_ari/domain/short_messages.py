"""Short messages (SMS): which characters they have, how long they are, whom they may go to."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from vm_ari.domain.dialling import Denied, DiallingRules, Kind, may_dial
from vm_ari.domain.numbers import Site

LONGEST = 160
"""Septets of one message (3GPP TS 23.040 §9.2.3.24)."""
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet (3GPP TS 23.038 §6.2.1): one septet each."""
_EXTENDED = frozenset("^{}\\[~]|€")
"""Two septets each."""
_INSTEAD = str.maketrans(
    {"„": '"', "“": '"', "”": '"', "«": '"', "»": '"', "’": "'", "‘": "'", "–": "-", "—": "-"}
    | {"…": "...", "œ": "oe", "Œ": "OE", "ç": "c", "\u00a0": " ", "\u202f": " ", "\t": " "}
)
REACHABLE = frozenset({Kind.LANDLINE, Kind.MOBILE, Kind.FOREIGN})
"""Kinds of numbers that get short messages: whatever the rules allow, no premium number does."""


@dataclass(frozen=True)
class ShortMessage:
    """One message for one telephone."""

    id: str
    """Hexadecimal; the same in every attempt, so a gateway can tell a second one."""
    user_id: str
    number: str
    """E.164."""
    text: str = field(repr=False)
    """At most `LONGEST` septets."""
    sender: str = ""
    """Number or name that the telephone shows; empty: as the gateway decides."""
    location: str = ""
    """Through which location it goes (NOTIFY-07); empty: nobody has said so."""


def fitted(text: str) -> str:
    """What fits into one message: the alphabet's characters, at most 160 septets."""
    one_line = " ".join(text.split())
    written = "".join(_letter(character) for character in one_line[: 2 * LONGEST])
    length, end = 0, 0
    while end < len(written) and length + _septets(written[end]) <= LONGEST:
        length += _septets(written[end])
        end += 1
    return written[:end].rstrip()


def obstacle(number: str, rules: DiallingRules, sites: Sequence[Site]) -> str:
    """Why no short message goes to that number; empty: one may."""
    if not number:
        return "no mobile number"
    judged = may_dial(number, rules, sites)
    if isinstance(judged, Denied):
        return judged.reason
    if judged.kind not in REACHABLE:
        return f"{judged.number} gets no SMS: it is no mobile or landline number"
    return ""


def _letter(character: str) -> str:
    """The character, or what is nearest to it."""
    found = character.translate(_INSTEAD)
    if all(one in _BASIC or one in _EXTENDED for one in found):
        return found
    plain = unicodedata.normalize("NFKD", character)
    return "".join(one for one in plain if one in _BASIC and not one.isspace()) or "?"


def _septets(character: str) -> int:
    return 2 if character in _EXTENDED else 1
