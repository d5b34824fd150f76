"""The tables of the configuration that say what the site is, and what it offers to everybody."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from pydantic import Field, field_validator

from vm_ari.config.directory import Table
from vm_ari.domain.language import COUNTRY_LANGUAGES
from vm_ari.domain.numbers import Site
from vm_ari.domain.preferences import LANGUAGE
from vm_ari.domain.profiles import CHOOSABLE, ProfileName
from vm_ari.domain.settings import NumberStyle


class SiteNumbers(Table):
    """How numbers are written and dialled at a location."""

    region: str = Field(default="DE", pattern="^[A-Z]{2}$")
    base_number: str = Field(default="", pattern=r"^(\+[0-9]{2,14})?$")
    longest_extension: int = Field(default=5, ge=1, le=10)
    shortest_extension: int = Field(default=1, ge=1, le=10)
    area: str = Field(default="", pattern="^([1-9][0-9]{0,5})?$")
    """Area code without the first 0; completes numbers that are written without one."""
    outside_prefix: str = Field(default="", pattern="^[0-9]{0,3}$")
    """What is dialled before an outside number, such as ``0``."""

    def as_site(self, name: str = "") -> Site:
        """As the rest of the program sees it."""
        return Site(
            region=self.region,
            base_number=self.base_number,
            longest_extension=self.longest_extension,
            shortest_extension=self.shortest_extension,
            area=self.area,
            outside_prefix=self.outside_prefix,
            name=name,
        )


class FurtherSite(SiteNumbers):
    """Another location, whose numbers are internal, too (SITE-01)."""

    name: str = Field(min_length=1, max_length=60)


class SiteSettings(SiteNumbers):
    """The location and its numbers."""

    number_style: NumberStyle = NumberStyle.EXTENSION
    language: str = "en"
    default_recipient: str = ""
    """Mail address of who gets messages to numbers without an owner; empty: such calls end."""
    voice_mail: bool = True
    """If not, every mailbox is disabled, and callers are told so."""
    profiles: tuple[ProfileName, ...] = Field(default=CHOOSABLE, min_length=1)
    """What users can activate; a default must not use one that is left out."""
    internal_profile: bool = True
    """Has the greeting for internal callers a say?"""
    country_languages: dict[str, str] = Field(default_factory=dict)
    """For greetings in the caller's language: ``"41" = "de"``, by the longest beginning of the
    number that fits; added to the table that comes with the program, and ``""`` removes."""

    @field_validator("default_recipient")
    @classmethod
    def _an_address(cls, given: str) -> str:
        local, _, domain = given.rpartition("@")
        odd = not (local and domain) or not given.isprintable() or set(given) & set(' <>,;"')
        if given and odd:
            raise ValueError(f"“{given}”: write a mail address, such as office@example.com")
        return given

    @field_validator("profiles")
    @classmethod
    def _choosable(cls, given: tuple[ProfileName, ...]) -> tuple[ProfileName, ...]:
        if ProfileName.INTERNAL in given:
            raise ValueError("nobody activates internal; there is internal_profile for it")
        return given

    @field_validator("country_languages")
    @classmethod
    def _prefixes(cls, given: dict[str, str]) -> dict[str, str]:
        for prefix, language in given.items():
            if not re.fullmatch("[1-9][0-9]{0,14}", prefix):
                raise ValueError(f"“{prefix}”: write how numbers begin, without +, such as 41")
            if language:
                LANGUAGE.parse(language)
        return given

    def language_table(self) -> Mapping[str, str]:
        """Languages by the beginning of numbers: the program's table with the site's changes."""
        table = {**COUNTRY_LANGUAGES, **self.country_languages}
        return MappingProxyType({prefix: code for prefix, code in table.items() if code})
