"""A message is heard, or its sender called back, on a telephone that the system calls (INBOX-14).

Whoever asks (the command line, the portal) does so in a process of his own; the running controller
serves the call, opens the mailbox and decides whether the PIN is needed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from vm_ari.domain.dialling import Denied, DiallingRules, may_dial
from vm_ari.domain.messages import MessageKind, StoredMessage
from vm_ari.domain.numbers import Site
from vm_ari.domain.playing_call import CALL_BACK, PURPOSE, PlayingCall, Report, arguments_for
from vm_ari.domain.transfer import Chain, own_numbers
from vm_ari.domain.users import User
from vm_ari.ports import Mailbox, NoCall, Telephones
from vm_ari.services.locations import Endpoint, usual_endpoint

log = structlog.get_logger("vm_ari.calls")

_IN_VAIN = {
    Report.CLOSED: "This user's messages cannot be heard on that telephone: look at the settings "
    "access and login_from, and whether the login is locked.",
    Report.NO_PIN: "The call was answered, but the PIN was not typed.",
    Report.GONE: "There is no such message, or it is no longer there.",
    Report.UNAVAILABLE: "The message store does not answer; the controller's log says more.",
    Report.REFUSED: "The sender may not be called back: look at [call_back] and [dialling].",
}
_NOBODY = "The call was answered, but nobody pressed the key to hear the message."


@dataclass(frozen=True)
class PlayOnPhone:
    """Has messages played on telephones."""

    telephones: Telephones
    dialling: DiallingRules
    sites: tuple[Site, ...]
    endpoint: Endpoint = usual_endpoint

    async def play(self, user: User, uid: str, phone: str = "") -> None:
        """Call *phone* (else the user's own) and let the user hear that message.

        Back when the call is over and at least its beginning was heard. The number may have any
        spelling; the dialling rules apply. Raises `NoCall`; when this is cancelled the call ends.
        """
        await self._call(user, uid, phone, PURPOSE, Report.PLAYED)

    async def call_back(self, user: User, uid: str, phone: str = "") -> None:
        """The same, and who answers is connected with whoever has left that message.

        Whoever asks has made sure that it is the user (STORE-05); the controller decides, as for
        the key of the telephone menu, whether the sender may be called.
        """
        await self._call(user, uid, phone, CALL_BACK, Report.CALLED)

    async def _call(self, user: User, uid: str, phone: str, purpose: str, good: Report) -> None:
        called = phone or (*user.numbers, "")[0]
        if not called:
            raise NoCall(f"{user.id} has no telephone number; name one.")
        judged = may_dial(called, self.dialling, self.sites)
        if isinstance(judged, Denied):
            raise NoCall(judged.reason)
        wanted = PlayingCall(user.id, uid, judged.number)
        chain = Chain(tuple(sorted(own_numbers((*user.numbers, user.mailbox), self.sites[0]))))
        way = await self.endpoint(user.id)
        arguments = arguments_for(wanted, purpose)
        report = await self.telephones.call(judged, arguments, chain=chain, endpoint=way)
        destination = judged.number[-3:]
        log.info("called", purpose=purpose, user=user.id, destination=destination, report=report)
        if report != good:
            raise NoCall(_why(report))


async def message_named(
    mailbox: Mailbox, uid: str, kinds: Iterable[MessageKind]
) -> StoredMessage | None:
    """The message of that name, looked for in that order. Raises `MailboxUnavailable`."""
    for kind in kinds:
        for new in (True, False):
            for message in await mailbox.messages(kind, new=new):
                if message.uid == uid:
                    return message
    return None


def _why(report: str) -> str:
    return _IN_VAIN[Report(report)] if report in set(_IN_VAIN) else _NOBODY
