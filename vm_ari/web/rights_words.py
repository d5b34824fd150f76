"""Why something may not leave, in the words of a page (UM-05)."""

from vm_ari.domain.rights import Refused, Why
from vm_ari.web.texts import Words


def refused_words(words: Words, refused: Refused) -> str:
    """One sentence."""
    kind = words(f"rights.what.{refused.what}")
    if refused.why is Why.SCOPE and refused.scope is not None:
        return words(f"rights.scope.{refused.scope}", what=kind, number=refused.number)
    return words(f"rights.{refused.why.value}", what=kind, most=refused.most, left=refused.left)
