"""What a site has decided about sending by telephone: to whom, how many, and in what form."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from vm_ari.domain.dialling import Allowed, Denied, DiallingRules, may_dial
from vm_ari.domain.number_addresses import NumberAddress
from vm_ari.domain.numbers import Site
from vm_ari.domain.sending import DistributionList, Line, Telephone


class ForwardAs(StrEnum):
    """What becomes of a voice message and the comment that it is forwarded with (INBOX-08)."""

    ONE_AUDIO = "one-audio"
    """The comment, a tone, and the message in one file."""
    TWO_ATTACHMENTS = "two-attachments"


@dataclass(frozen=True)
class SendingRules:
    """All of it."""

    outside: bool = False
    """Can mails leave the house? Colleagues are always reached."""
    dialling: DiallingRules = field(default_factory=DiallingRules)
    """Which telephone numbers may be sent to."""
    forward_as: ForwardAs = ForwardAs.ONE_AUDIO
    voice_address: NumberAddress | None = None
    fax_address: NumberAddress | None = None
    search_address: NumberAddress | None = None
    """Which senders of mails are telephone numbers."""
    most_recipients: int = 20
    per_day: int = 50
    """Sendings of one user; 0: no limit."""
    largest_mail: int = 25 << 20
    """Octets of a mail that can be forwarded; in transfer encoding it grows by a third."""
    lists: tuple[DistributionList, ...] = ()
    own_faxes: bool = False
    """Does this house send faxes itself? Then no gateway is asked to."""

    def reaches(self, line: Line) -> bool:
        """Can anything be sent to a telephone number that way?"""
        return (self.own_faxes and line is Line.FAX) or self.template(line) is not None

    def template(self, line: Line) -> NumberAddress | None:
        """Of the addresses of gateways; None where there is none."""
        if not self.outside:
            return None
        return self.voice_address if line is Line.VOICE else self.fax_address


def telephone(
    number: str, line: Line, rules: SendingRules, sites: Sequence[Site], *, dialled: bool = False
) -> Telephone | Denied | None:
    """Somebody at a number in any spelling, if it may be sent to; None: there is no gateway.

    *dialled*: it was typed on a telephone, perhaps with the outside-line prefix.
    """
    if not rules.reaches(line):
        return None
    match may_dial(number, rules.dialling, sites, dialled=dialled):
        case Allowed(number=clean):
            return Telephone(clean, line)
        case denied:
            return denied


def address_of(
    recipient: Telephone, rules: SendingRules, sites: Sequence[Site]
) -> str | Denied | None:
    """The mail address of its gateway; the rules are asked again, for they may have changed."""
    template = rules.template(recipient.line)
    judged = telephone(recipient.number, recipient.line, rules, sites)
    if template is None or judged is None or isinstance(judged, Denied):
        return judged if isinstance(judged, Denied) else None
    return template.address(judged.number, recipient.line.value, sites[0])
