"""How commands that look for faults write what they have found, and end."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vm_ari.cli.opening import FAILED, UNREACHABLE

if TYPE_CHECKING:
    from vm_ari.adapters.ldap.diagnosis import Finding


def tell(findings: "Sequence[Finding]", form: str) -> None:
    """A line for each; the program ends with 1 if something is wrong, 4 if nothing answers."""
    from vm_ari.cli.output import write

    rows = [
        {"result": "ok" if one.good else "problem", "what": one.text, "what to do": one.advice}
        for one in findings
    ]
    write(rows, ("result", "what", "what to do"), form)
    if any(one.unreachable for one in findings):
        raise SystemExit(UNREACHABLE)
    if not all(one.good for one in findings):
        raise SystemExit(FAILED)
