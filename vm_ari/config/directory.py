"""The tables of the configuration that say where users are: embedded, or on LDAP servers."""

import re
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

_OTHERS = 0o007
_ATTRIBUTE = re.compile("[A-Za-z0-9][A-Za-z0-9.;-]*")


class Table(BaseModel):
    """A table of the file: what it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LdapAttributes(Table):
    """Names of attributes where they differ from the preset's; an empty one is not used."""

    id: str | None = Field(default=None, min_length=1)
    name: str | None = Field(default=None, min_length=1)
    given: str | None = None
    surname: str | None = None
    mail: str | None = Field(default=None, min_length=1)
    organisation: str | None = None
    numbers: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Such as ``telephoneNumber``, or ``proxyAddresses IXI:`` for numbers after a prefix."""
    mailbox: str | None = None
    settings: str | None = Field(default=None, min_length=1)
    form: Literal["many-values", "one-string"] | None = None
    """Each setting a value of its own, or all of them in one string."""
    prefix: str | None = None
    """Before each key of ours, to tell it from others' in a shared attribute."""
    limit: int | None = Field(default=None, ge=100)
    """Characters that one value of the attribute takes."""
    own_class: str | None = None
    """Object class that allows the attribute of the settings; added to an entry when needed."""
    new_classes: tuple[str, ...] | None = None
    """Object classes of new entries; none: users are not created from here."""

    @field_validator("numbers")
    @classmethod
    def _one_attribute_each(cls, given: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for text in given or ():
            words = text.split()
            if not 1 <= len(words) <= 2 or not _ATTRIBUTE.fullmatch(words[0]):
                raise ValueError(
                    f"“{text}”: write an attribute, or one and a prefix: proxyAddresses IXI:"
                )
        return given

    @field_validator(
        "id", "name", "given", "surname", "mail", "organisation", "mailbox", "settings", "own_class"
    )
    @classmethod
    def _a_name(cls, given: str | None) -> str | None:
        if given and not _ATTRIBUTE.fullmatch(given):
            raise ValueError(f"“{given}”: names have letters, digits, - and . only")
        return given


class LdapRolesTable(Table):
    """Who is operator or administrator by what the directory says (UM-02)."""

    attribute: str = ""
    """Of users' entries, such as ``employeeType`` or ``memberOf``: users must not be able to write
    it themselves."""
    operators: tuple[str, ...] = ()
    """Values of the attribute that make operators."""
    administrators: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Values that make administrators, by organisation: ``north = ["voicemail-north"]``."""
    operator_groups: tuple[str, ...] = ()
    """Distinguished names of groups whose members are operators."""
    administrator_groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Of groups whose members are administrators, by organisation."""

    @field_validator("attribute")
    @classmethod
    def _a_name(cls, given: str) -> str:
        if given and not _ATTRIBUTE.fullmatch(given):
            raise ValueError(f"“{given}”: names have letters, digits, - and . only")
        return given

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        lists = (self.operators, *self.administrators.values())
        groups = (self.operator_groups, *self.administrator_groups.values())
        if any(lists) and not self.attribute:
            raise ValueError("attribute: is missing; write the one that holds these values")
        for value in (text for one in (*lists, *groups) for text in one):
            if not value.strip():
                raise ValueError("an empty value would give everybody the role; remove it")
        for name in (text for one in groups for text in one):
            if "=" not in name:
                raise ValueError(f"“{name}”: write a distinguished name: cn=operators,ou=groups,…")
        return self


class LdapTable(Table):
    """The directory servers, and what is in them."""

    servers: tuple[str, ...] = Field(min_length=1)
    """In order of preference: ``ldaps://host`` is TLS, ``ldap://host`` StartTLS."""
    plaintext: bool = False
    """Talk to ``ldap://`` without any protection: everybody on the way reads along."""
    bases: tuple[str, ...] = Field(min_length=1)
    """The whole domain, or several organisational units."""
    account: str = ""
    """Distinguished name of the account as which we read and write."""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    """Its first line is the password; only our own account may read the file."""
    ca_file: Path | None = None
    """Authority (PEM) that signed the servers' certificates; else the system's ones count."""
    preset: Literal["openldap", "active-directory", "domino", "free"] = "openldap"
    attributes: LdapAttributes = LdapAttributes()
    user_filter: str = ""
    """Who may have a mailbox; empty: as the preset says."""
    number_filter: str = ""
    """Who has a number: ``(telephoneNumber=${UMS})``; empty: as the preset says."""
    blanks_matter: bool | None = None
    """Does the server tell ``+49 30 5`` from ``+49305``? Else: as the preset says."""
    local_settings: str = ""
    """URL of the database that keeps settings where the directory takes no changes."""
    connections: int = Field(default=4, ge=1, le=50)
    """To each server, at most."""
    connect_seconds: float = Field(default=2.0, gt=0, le=30)
    receive_seconds: int = Field(default=3, ge=1, le=60)
    second_server_after: float = Field(default=0.7, gt=0, le=10)
    """Seconds; a look-up without an answer for so long is asked of the next server, too."""
    longest_seconds: float = Field(default=4.0, gt=0, le=60)
    """For one look-up or change in all."""
    roles: LdapRolesTable = LdapRolesTable()
    cache: Path = Path("/var/lib/vm-ari/directory-cache.db")
    """What is known of users while no server answers; sealed."""
    cache_hours: float = Field(default=24.0, gt=0, le=24 * 31)

    @field_validator("servers")
    @classmethod
    def _addresses(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for url in given:
            parts = urlsplit(url)
            if parts.scheme not in {"ldap", "ldaps"} or not parts.hostname:
                raise ValueError(f"“{url}”: write ldaps://host, or ldap://host for StartTLS")
        return given

    @field_validator("bases")
    @classmethod
    def _distinguished_names(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for base in given:
            if "=" not in base:
                raise ValueError(f"“{base}”: write a distinguished name, such as dc=example,dc=org")
        return given

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        """What makes no sense together."""
        plain = [url for url in self.servers if url.startswith("ldap://")]
        if self.plaintext and not plain:
            raise ValueError("plaintext: all servers are ldaps://, which is TLS; remove the key")
        if self.ca_file and self.plaintext and len(plain) == len(self.servers):
            raise ValueError("ca_file: plaintext needs no certificate; remove one of both")
        if self.ca_file and not self.ca_file.is_file():
            raise ValueError(f"ca_file: there is no file {self.ca_file}; correct the path")
        if self.second_server_after >= self.longest_seconds:
            raise ValueError("second_server_after: must be shorter than longest_seconds")
        go_together("account", self.account, self.account_password())
        return self

    def account_password(self) -> str:
        """From the file or the table; empty for none. Raises ValueError."""
        return secret_of(self.password, self.password_file)


class DirectorySettings(Table):
    """Who has a mailbox: the embedded directory, or LDAP servers."""

    kind: Literal["embedded", "ldap"] = "embedded"
    url: str = "sqlite:////var/lib/vm-ari/directory.db"
    """The embedded directory's database."""
    keys: Path = Path("/var/lib/vm-ari/keys")
    """Keys that seal PINs; keep them apart from the database."""
    ldap: LdapTable | None = None

    @model_validator(mode="after")
    def _chosen(self) -> Self:
        match self.kind, self.ldap:
            case "ldap", None:
                raise ValueError(
                    "kind is “ldap”, but there is no table [directory.ldap]; "
                    "write one with servers, bases, account and password_file"
                )
            case "embedded", LdapTable():
                raise ValueError(
                    "ldap: this table counts only with kind = “ldap” in [directory]; "
                    "write that, or remove the table"
                )
        return self


def secret_of(written: SecretStr, file: Path | None, key: str = "password") -> str:
    """From the *file* or the table; empty for none. *key* is its setting. Raises ValueError."""
    if file is None:
        return written.get_secret_value()
    if written.get_secret_value():
        raise ValueError(f"{key}: there is a {key}_file, too; remove one of both")
    return first_line(file, f"{key}_file")


def go_together(key: str, account: str, password: str) -> None:
    """Raises ValueError where there is only one of both; *key* is the setting of the account."""
    if bool(account) != bool(password):
        missing = "password_file or password" if account else key
        raise ValueError(f"{missing}: is missing; {key} and password go together")


def first_line(file: Path, key: str = "password_file") -> str:
    """The password in a file that only our own account may read. Raises ValueError.

    *key* is the setting that names it.
    """
    try:
        mode, text = file.stat().st_mode, file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        advice = "make it, private to the controller's account, or correct the path"
        raise ValueError(f"{key}: {file}: {reason}; {advice}") from None
    if mode & _OTHERS:
        raise ValueError(f"{key}: everybody may read {file}; chmod 600 it")
    line = next(iter(text.splitlines()), "")
    if not line:
        raise ValueError(f"{key}: the first line of {file} is empty; write the password")
    return line
