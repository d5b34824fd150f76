"""Settings of organisations, and of new users: who they are, and how many there may be."""

from datetime import date

from pydantic import Field, field_validator

from vm_ari.config.directory import Table
from vm_ari.domain.name_templates import parse as parse_template
from vm_ari.domain.organisations import (
    CONFIGURATION,
    MOST_PACKAGES,
    Agreement,
    OrganisationRecord,
)
from vm_ari.domain.preferences import checked


class OrganisationSettings(Table):
    """People who share settings; users name its id."""

    name: str = ""
    settings: dict[str, str] = Field(default_factory=dict)
    """For all of its users who have none of their own: ``language = "de"``."""
    administrators: tuple[str, ...] = ()
    """Ids of users who see and change all users of the organisation in the portal."""
    data_processing_agreement: date | None = None
    """Since when it is recorded; without it operators do not act inside the organisation."""
    packages: int = Field(default=0, ge=0, le=MOST_PACKAGES)
    """So many users it may have; 0: no limit. Used and total ones are shown."""

    @field_validator("settings", mode="before")
    @classmethod
    def _known_settings(cls, given: object) -> object:
        return checked_settings(given)


class UserSettings(Table):
    """What new users get by themselves."""

    display_name: str = "${given} ${surname}"
    """Template of the name; ``vm-ari test template`` shows what one makes."""
    mail_address: str = ""
    """Template of the address, such as ``${given|first}.${surname}@example.com``; empty: none."""
    packages: int = Field(default=0, ge=0, le=MOST_PACKAGES)
    """So many users there may be in the whole installation; 0: no limit."""

    @field_validator("display_name", "mail_address")
    @classmethod
    def _readable(cls, text: str) -> str:
        parse_template(text)
        return text


def record_of(key: str, one: OrganisationSettings) -> OrganisationRecord:
    """As operators change it later."""
    since = one.data_processing_agreement
    agreement = Agreement(since, CONFIGURATION) if since else None
    return OrganisationRecord(
        key, one.name, one.settings, one.administrators, agreement, one.packages
    )


def checked_settings(given: object) -> object:
    """Texts as they are stored; yes and no may be TOML's true and false. Raises `BadSetting`."""
    if not isinstance(given, dict):
        return given
    plain = {True: "yes", False: "no"}
    texts = {key: plain[v] if isinstance(v, bool) else str(v) for key, v in given.items()}
    return {key: checked(key, text) for key, text in texts.items()}
