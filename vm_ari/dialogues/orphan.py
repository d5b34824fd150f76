"""A caller whose script died with an earlier controller: what he is saying is kept."""

from collections.abc import Awaitable, Callable

from vm_ari.dialogues.desk import Desk
from vm_ari.domain.messages import CallFacts
from vm_ari.ports import DirectoryUnavailable
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import language
from vm_ari.telephony.call import Call, CallerHungUp


async def finish(call: Call, desk: Desk, adopt: Callable[[], Awaitable[object]]) -> None:
    """Wait until he has said it, *adopt* it, thank him; with nothing begun, begin anew.

    *adopt* keeps what was recorded on this line; it runs before the thanks.
    """
    found = await desk.drafts.left_behind(call.id)
    if found is None:
        await call.leave("FALLBACK")
        return
    facts, recording = found
    try:
        await call.rejoin(recording, desk.rules.limits)
        await adopt()
        call.language = language(await _language(facts, desk))
        await call.say(P.THANK_YOU_GOODBYE)
    except CallerHungUp:
        await adopt()
        return
    await call.leave("SUCCESS")


async def _language(facts: CallFacts, desk: Desk) -> str:
    try:
        user = await desk.accounts.owner_of(facts.called)
    except DirectoryUnavailable:
        user = None
    return user.language if user else desk.rules.language
