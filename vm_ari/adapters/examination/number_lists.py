"""Numbers for faxes and conferences that do not lead there, one line for each."""

from collections.abc import Sequence

from vm_ari.adapters.findings import Finding
from vm_ari.domain.number_lists import NumberFault, Wrong
from vm_ari.domain.packages import Service

MOST = 5
"""So many are told one by one."""
_SETTING = {Service.FAX: "fax_numbers", Service.CONFERENCE: "conference_numbers"}


def tell_number_faults(faults: Sequence[NumberFault]) -> list[Finding]:
    """What is wrong with each, and the command that mends it."""
    found = [_told(one) for one in faults[:MOST]]
    if len(faults) > MOST:
        text = f"The same of {len(faults) - MOST} further numbers."
        advice = "Type: vm-ari users list --all --columns id,numbers,fax_numbers,conference_numbers"
        found.append(Finding(False, text, advice))
    return found


def _told(fault: NumberFault) -> Finding:
    setting, who, number = _SETTING[fault.service], fault.user_id, fault.number
    whose = " and ".join(fault.others)
    match fault.wrong:
        case Wrong.NOT_OWN:
            has = f"{whose} has it" if whose else "nobody has it"
            text = f"{setting} of {who} names {number}, which is no number of {who}: {has}."
            give = f"Take it out of {setting}" if whose else f"vm-ari users assign {who} {number}"
            return Finding(False, text, f"{give}, or name one of: vm-ari users show {who}")
        case Wrong.OF_SEVERAL:
            text = f"{number} ({setting} of {who}) is also {whose}'s: calls to it reach nobody."
            return Finding(False, text, f"vm-ari users unassign {fault.others[0]} {number}")
        case Wrong.FOR_BOTH:
            text = f"{number} of {who} is named for faxes and for conferences: it takes faxes."
            advice = f"Take it out of one of them: vm-ari users set {who} {setting}=…"
            return Finding(False, text, advice, minor=True)
