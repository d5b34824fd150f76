"""How commands that look for faults write what they have found, and end."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vm_ari.cli.opening import FAILED, UNREACHABLE

if TYPE_CHECKING:
    from vm_ari.adapters.findings import Finding


def tell(findings: "Sequence[Finding]", form: str) -> None:
    """A line for each; the program ends with 1 if something is wrong, 4 if nothing answers."""
    from vm_ari.cli.output import write

    parts = ("part",) if any(one.part for one in findings) else ()
    write([_row(one) for one in findings], (*parts, "result", "what", "what to do"), form)
    if any(one.unreachable for one in findings):
        raise SystemExit(UNREACHABLE)
    if not all(one.good for one in findings):
        raise SystemExit(FAILED)


def _row(one: "Finding") -> dict[str, object]:
    part = {"part": one.part} if one.part else {}
    result = "ok" if one.good else "problem"
    return {**part, "result": result, "what": one.text, "what to do": one.advice}
