"""Calls that bring a fax: they go to the dialplan, which receives the pages by itself (UM-04).

So a controller that is restarted, or dies, disturbs no fax (``extensions_vm_ari_fax.conf``).
"""

import structlog

from vm_ari.dialogues.desk import Desk, Visit
from vm_ari.domain.number_services import own_number, service_of, takes_fax
from vm_ari.domain.packages import Service
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable
from vm_ari.telephony.call import Call

log = structlog.get_logger("vm_ari.calls")

PURPOSE = "fax"
"""First argument of a call in which the dialplan has heard a fax machine."""


async def is_for_fax(call: Call, visit: Visit, desk: Desk, user: User | None) -> bool:
    """Is the number dialled one of the user's for faxes?

    If it is a voice number whose owner takes faxes, a fax machine is listened for from now on.
    """
    if user is None:
        return False
    number = own_number(user, visit.dialled, desk.accounts.sites)
    if takes_fax(user, number):  # of a redirected call the dialplan knows another number
        await call.listen_for_fax(number)
    if service_of(user, number) is not Service.FAX:
        return False
    log.info("fax", call=call.id, user=user.id)
    return True


async def takes_heard_fax(call: Call, visit: Visit, desk: Desk) -> bool:
    """A fax machine has called a voice number: does its owner want the fax?

    What nobody can answer now is no reason to lose a fax: the outbox finds its owner later.
    """
    try:
        user = await desk.accounts.owner_of(visit.dialled)
    except DirectoryUnavailable as error:
        log.warning("owner of a fax not known yet", call=call.id, reason=str(error))
        return True
    wanted = user is not None and takes_fax(
        user, own_number(user, visit.dialled, desk.accounts.sites)
    )
    log.info("fax heard", call=call.id, user=user.id if user else "", wanted=wanted)
    return wanted
