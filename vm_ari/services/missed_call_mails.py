"""What stands in the mail about a missed call (MISSED-02).

Its templates are given, besides what every mail of the system is:

    caller_name          as the contact or the network says it; may be empty
    caller_organisation  of the contact; may be empty
    caller_number        as a person writes it; empty where it is suppressed
    caller_mail          of the contact; may be empty
    numbers              to call back: number and link (empty for none) of each
    when                 the moment of the call
    rang                 how long at least one of the user's phones rang
    own_numbers          those of the user's phones that rang
    called               the number that was dialled, where it is none of them; else empty
    answered_by          who has answered instead; empty: nobody
    message_left         has the caller left the user a voice message?
    nothing_said         is it about a call that reached the user's mailbox, and no phone?
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from vm_ari.domain.callers import printable
from vm_ari.domain.contacts import Contact
from vm_ari.domain.missed_calls import RungUser
from vm_ari.domain.number_links import TEL, link
from vm_ari.domain.numbers import Site, readable
from vm_ari.domain.ringing import RungCall
from vm_ari.domain.system_mails import Attachment, Correspondent, Trimmings

CardOf = Callable[[Contact], bytes]
"""A contact as vCard."""
_CARD_TYPE = "text/vcard; charset=utf-8"
_CARD_NAME = "contact.vcf"


class CallerAs(StrEnum):
    """What becomes of the caller's mail address."""

    REPLY_TO = "reply-to"
    FROM = "from"
    NOTHING = "nothing"


@dataclass(frozen=True)
class MailStyle:
    """How the site wants these mails."""

    caller_as: CallerAs = CallerAs.REPLY_TO
    vcard: bool = True
    prefix: str = TEL
    """Before numbers in links; empty: they are no links."""
    language: str = ""
    """Empty: each user's own."""
    site: Site = field(default_factory=Site)


@dataclass(frozen=True)
class MailWriting:
    """Makes the values of one mail."""

    style: MailStyle
    card_of: CardOf

    def values(
        self,
        call: RungCall,
        rung: RungUser,
        contact: Contact | None,
        *,
        answered_by: str = "",
        message_left: bool = False,
    ) -> Mapping[str, object]:
        """For the templates. May take its time for a vCard."""
        site, number = self.style.site, call.caller.number
        own = _shown([ring.number for ring in rung.rings], site)
        return {
            "caller_name": (contact.name if contact else "") or printable(call.caller.name),
            "caller_organisation": contact.organisation if contact else "",
            "caller_number": readable(number, site) if number else "",
            "caller_mail": contact.mail if contact else "",
            "numbers": self._numbers(number, contact),
            "when": call.began,
            "rang": timedelta(seconds=round(rung.rang.total_seconds())),
            "own_numbers": own,
            "called": "".join(one for one in _shown([call.called], site) if one not in own),
            "answered_by": printable(answered_by),
            "message_left": message_left,
            "nothing_said": bool(call.silent_for),
            "trimmings": self._trimmings(call, contact),
        }

    def _numbers(self, number: str, contact: Contact | None) -> Sequence[Mapping[str, str]]:
        """The caller's own first."""
        known = contact.numbers if contact else ()
        each = dict.fromkeys(one for one in (number, *known) if one)
        site, prefix = self.style.site, self.style.prefix
        return [{"number": readable(one, site), "link": link(one, prefix)} for one in each]

    def _trimmings(self, call: RungCall, contact: Contact | None) -> Trimmings:
        """Outlook shows its own form by the content class (MS-OXCMAIL section 2.2.4.1)."""
        number = call.caller.number
        fields = (("Content-Class", "missedcall"), ("X-CallingTelephoneNumber", number))
        attached: tuple[Attachment, ...] = ()
        if contact and self.style.vcard:
            attached = (Attachment(_CARD_NAME, _CARD_TYPE, self.card_of(contact)),)
        if contact is None or not contact.mail:
            return Trimmings(fields=fields, attachments=attached)
        who, how = Correspondent(contact.shown, contact.mail), self.style.caller_as
        return Trimmings(
            author=who if how is CallerAs.FROM else None,
            reply_to=who if how is CallerAs.REPLY_TO else None,
            fields=fields,
            attachments=attached,
        )


def _shown(numbers: Sequence[str], site: Site) -> list[str]:
    """As a person writes them, each once."""
    return list(dict.fromkeys(printable(readable(one, site), 40) for one in numbers if one))
