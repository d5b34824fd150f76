"""Settings of what may leave: ``[rights]`` (UM-05)."""

from pydantic import Field

from vm_ari.config.directory import Table
from vm_ari.domain.rights import Caps
from vm_ari.domain.rights_settings import Scope


class RightsSettings(Table):
    """The most that anybody may send, whatever users and organisations are given (UM-05).

    What users have who are given nothing else stands in ``[defaults]``, as all their settings.
    """

    fax_scope: Scope = Scope.INTERNATIONAL
    """How far faxes may go: ``nobody``, ``internal``, ``national`` or ``international``."""
    sms_scope: Scope = Scope.INTERNATIONAL
    """The same of short messages."""
    voice_scope: Scope = Scope.INTERNATIONAL
    """The same of calls that are made for users: forwards of callers and call-backs."""
    fax_per_day: int = Field(default=0, ge=0, le=100_000)
    """Faxes of one user in a day; 0: no limit."""
    fax_pages_per_day: int = Field(default=0, ge=0, le=100_000)
    """Fax pages of one user in a day; 0: no limit."""
    fax_most_pages: int = Field(default=0, ge=0, le=100_000)
    """Pages of one fax; 0: ``fax_sending.most_pages`` alone counts."""
    sms_per_day: int = Field(default=0, ge=0, le=100_000)
    """Short messages to one user in a day; 0: no limit."""
    voice_per_day: int = Field(default=0, ge=0, le=100_000)
    """Calls to the outside for one user in a day; 0: no limit."""
    url: str = ""
    """Database of what was sent today; nodes share it. Empty: that of the embedded directory."""

    def caps(self) -> Caps:
        """As the rest of the program sees it."""
        return Caps(**self.model_dump(exclude={"url"}))
