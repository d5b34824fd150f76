"""Settings of call-backs: a user has the sender of a message called."""

from pydantic import Field

from vm_ari.config.directory import Table
from vm_ari.domain.call_back import CallBackRules, Shown
from vm_ari.domain.dialling import DiallingRules
from vm_ari.domain.rights import Caps


class CallBackSettings(Table):
    """Calling back the sender of a message, by the rules of ``[dialling]`` (INBOX-09)."""

    outside: bool = False
    """Also numbers that are none of the house; without it only internal ones are called."""
    per_day: int = Field(default=20, ge=0, le=10_000)
    """Calls to the outside that one user can make so in a day (UTC); 0: no limit."""
    shown: Shown = Shown.USER
    """Whose number is shown to who is called: the ``user``'s, or ``nobody``'s (then the telephone
    system decides)."""

    def rules(self, dialling: DiallingRules, caps: Caps | None = None) -> CallBackRules:
        """As the rest of the program sees it."""
        return CallBackRules(dialling, self.outside, self.per_day, self.shown, caps or Caps())
