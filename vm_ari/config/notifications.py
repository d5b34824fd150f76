"""Settings of notices: where is remembered what users were told, and through which location."""

import re

from pydantic import Field, field_validator

from vm_ari.config.directory import Table

_FIELD = re.compile(r"X-[A-Za-z0-9-]{1,60}")
_ATTRIBUTE = r"^([A-Za-z][A-Za-z0-9-]{0,60})?$"


class NotificationSettings(Table):
    """Telling users of new messages; what each of them wants is a setting (``[defaults]``)."""

    url: str = ""
    """Database that remembers what was told, for all controllers; empty: ``directory.url``."""
    lamp_attribute: str = Field(default="", pattern=_ATTRIBUTE)
    """Attribute of the directory with the name of the lamp's mailbox; empty: the user's mailbox."""
    location_attribute: str = Field(default="", pattern=_ATTRIBUTE)
    """Attribute of the directory that says through which location notices and calls go."""
    header: str = ""
    """Field of mails that tells the location to a gateway, such as ``X-Location``."""

    @field_validator("header")
    @classmethod
    def _own_field(cls, name: str) -> str:
        if name and not _FIELD.fullmatch(name):
            raise ValueError(f"“{name}”: write a field of your own, such as X-Location")
        return name
