"""Which attribute of a directory holds what, and how a user is found in it (DIR-01, DIR-02)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from vm_ari.adapters.ldap import filters
from vm_ari.adapters.ldap.filters import AllOf, AnyOf, BadFilter, Filter
from vm_ari.domain.directory_text import ManyValues, OneString, SettingsText
from vm_ari.domain.numbers import Site, international
from vm_ari.domain.spellings import spellings

MAILBOX = "mailbox"
"""Key of the mailbox among the settings, where it has no attribute of its own."""
_PLACES = {"UMS", "UMS_WHTSPC", "NUMBER"}
_PROBE = "+4930555101"
_NUMBER = re.compile(r"\+?[0-9]{1,20}")


class Preset(Enum):
    """Kinds of directories whose attributes are known."""

    OPENLDAP = "openldap"
    ACTIVE_DIRECTORY = "active-directory"
    DOMINO = "domino"
    FREE = "free"


@dataclass(frozen=True)
class Numbers:
    """An attribute that holds telephone numbers, each perhaps after a prefix."""

    attribute: str
    prefix: str = ""


@dataclass(frozen=True)
class Mapping:
    """The names of a directory's attributes; empty ones are not used."""

    id: str = "uid"
    """Names a user; sealed values belong to it, so it should never change."""
    name: str = "cn"
    given: str = "givenName"
    surname: str = "sn"
    mail: str = "mail"
    organisation: str = ""
    numbers: tuple[Numbers, ...] = (Numbers("telephoneNumber"),)
    """The first one takes numbers that are given to a user here."""
    mailbox: str = ""
    """Empty: a value ``mailbox=101`` among the settings, or else the first number."""
    settings: str = "description"
    form: SettingsText = field(default_factory=ManyValues)
    user_filter: str = "(objectClass=inetOrgPerson)"
    """Who may have a mailbox."""
    number_filter: str = "(|(telephoneNumber=${UMS})(description=mailbox=${NUMBER}))"
    """Who has a number: ``${UMS}`` stands for each of its usual spellings, ``${UMS_WHTSPC}`` for
    those with blanks, ``${NUMBER}`` for the number as it is (E.164 or an extension). Empty: whoever
    has it in one of the attributes above."""
    blanks_matter: bool = True
    """The server tells ``+49 30 5`` from ``+49305``."""
    own_class: str = ""
    """Object class that allows the attribute of the settings; added to an entry when needed."""
    new_classes: tuple[str, ...] = ()
    """Object classes of a new entry; empty: users are not created here."""

    def attributes(self) -> tuple[str, ...]:
        """Everything that is read of a user."""
        single = (self.id, self.name, self.given, self.surname, self.mail, self.organisation)
        own = (self.mailbox, self.settings, "objectClass" if self.own_class else "")
        names = (*single, *own, *(each.attribute for each in self.numbers))
        return tuple(dict.fromkeys(name for name in names if name))


@dataclass(frozen=True)
class Queries:
    """The searches of a mapping, checked and parsed."""

    mapping: Mapping
    site: Site
    everybody: Filter
    _number: Filter

    def by_number(self, number: str) -> Filter:
        """Whose is that number?"""

        def values(name: str) -> Sequence[str]:
            if name == "NUMBER" or not _NUMBER.fullmatch(number):
                return (number,)
            written = spellings(number, self.site, blanks_matter=self.mapping.blanks_matter)
            if name == "UMS":
                return written
            with_blanks = [text for text in written if " " in text]
            return with_blanks or (international(number),)

        return AllOf((self.everybody, filters.filled(self._number, values)))

    def by_id(self, user_id: str) -> Filter:
        """Who is that?"""
        return AllOf((self.everybody, filters.equal(self.mapping.id, user_id)))

    def by_mail(self, mail: str) -> Filter:
        """Whose address is that?"""
        return AllOf((self.everybody, filters.equal(self.mapping.mail, mail)))

    def compared(self) -> set[str]:
        """The attributes of which the server must be able to compare values."""
        return filters.attributes_compared(self.by_number(_PROBE)) | {self.mapping.id}


def _by_its_attributes(mapping: Mapping) -> Filter:
    """Who has a number, judged by the attributes that the mapping says hold one."""
    parts = [filters.equal(each.attribute, each.prefix + "${UMS}") for each in mapping.numbers]
    if mapping.mailbox:
        parts.append(filters.equal(mapping.mailbox, "${NUMBER}"))
    elif isinstance(mapping.form, ManyValues):
        value = mapping.form.prefix + MAILBOX + "=${NUMBER}"
        parts.append(filters.equal(mapping.settings, value))
    return AnyOf(tuple(parts))


def queries(mapping: Mapping, site: Site) -> Queries:
    """Raises `BadFilter`."""
    everybody = filters.parse(mapping.user_filter)
    text = mapping.number_filter
    number = filters.parse(text) if text else _by_its_attributes(mapping)
    if filters.places(everybody):
        raise BadFilter(f"The filter for users cannot hold a number: {mapping.user_filter}")
    if not filters.places(number) or filters.places(number) - _PLACES:
        allowed = ", ".join(f"${{{name}}}" for name in sorted(_PLACES))
        raise BadFilter(f"The filter for numbers needs one of {allowed}: {mapping.number_filter}")
    return Queries(mapping, site, everybody, number)


_OPENLDAP = Mapping(
    name="cn",
    organisation="o",
    # facsimileTelephoneNumber has no rule of comparison in OpenLDAP's schema: nobody would be found
    numbers=(Numbers("vmAriNumber"), Numbers("telephoneNumber")),
    mailbox="vmAriMailbox",
    settings="vmAriSetting",
    number_filter="(|(vmAriNumber=${NUMBER})(vmAriMailbox=${NUMBER})(telephoneNumber=${UMS}))",
    blanks_matter=False,
    own_class="vmAriUser",
    new_classes=("inetOrgPerson", "vmAriUser"),
)
_ACTIVE_DIRECTORY = Mapping(
    id="sAMAccountName",
    name="displayName",
    organisation="company",
    numbers=(
        Numbers("facsimileTelephoneNumber"),
        Numbers("telephoneNumber"),
        Numbers("proxyAddresses", "IXI:"),
    ),
    settings="extensionAttribute10",
    form=OneString(),
    user_filter=(
        "(&(objectCategory=person)(objectClass=user)"
        "(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"  # not the disabled ones
    ),
    number_filter=(
        "(|(facsimileTelephoneNumber=${UMS})(telephoneNumber=${UMS})(proxyAddresses=IXI:${UMS}))"
    ),
)
_DOMINO = Mapping(
    name="cn",
    organisation="companyName",
    numbers=(Numbers("facsimileTelephoneNumber"), Numbers("telephoneNumber")),
    settings="vmAriSetting",
    user_filter="(objectClass=person)",
    number_filter="(|(facsimileTelephoneNumber=${UMS})(telephoneNumber=${UMS}))",
)
PRESETS = {
    Preset.OPENLDAP: _OPENLDAP,
    Preset.ACTIVE_DIRECTORY: _ACTIVE_DIRECTORY,
    Preset.DOMINO: _DOMINO,
    Preset.FREE: Mapping(),
}
"""What is assumed of each kind; change single names with `dataclasses.replace`."""
