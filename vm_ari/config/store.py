"""The tables of the configuration that say where messages lie: here, or on mail servers."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from vm_ari.config.directory import Table, secret_of
from vm_ari.domain.folders import folder_named


class StoreSettings(Table):
    """Where messages lie."""

    kind: Literal["local", "imap"] = "local"
    """``local``: Maildirs of our own; ``imap``: the users' mailboxes (table ``[imap]``)."""
    maildir: Path = Path("/var/lib/vm-ari/mail")
    overdue_hours: int = Field(default=24, ge=0, le=1000)
    """The default recipient is told of what is not delivered for so long; 0: never."""
    deleted_folder: str = "Deleted voice messages"
    """Made when it is needed. On mail servers also a special use, such as ``\\Trash``."""
    folders: tuple[str, ...] = Field(default=("Archive",), max_length=20)
    """Into which users put messages away in the portal; the first is the archive."""
    moving: bool = False
    """Messages move from one store to the other: with ``local`` there may be ``[imap]``, too."""

    @field_validator("deleted_folder")
    @classmethod
    def _a_name(cls, name: str) -> str:
        if not name.strip() or not name.isprintable() or name.startswith("/") or name.endswith("/"):
            raise ValueError(f"“{name}” cannot be the name of a folder")
        return name

    @field_validator("folders")
    @classmethod
    def _names(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        names = [folder_named(one) for one in given]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"“{name}” is there twice; remove one")
        return tuple(names)

    @model_validator(mode="after")
    def _different(self) -> Self:
        if self.deleted_folder in self.folders:
            raise ValueError(
                f"folders: “{self.deleted_folder}” is that of deleted messages; remove it"
            )
        return self


class ImapSettings(Table):
    """The users' mailboxes on mail servers."""

    server: str
    """``imaps://host`` is TLS, ``imap://host`` STARTTLS."""
    plaintext: bool = False
    """Talk to ``imap://`` without any protection: everybody on the way reads along."""
    ca_file: Path | None = None
    """Authority (PEM) that signed the servers' certificates; else the system's ones count."""
    access: Literal["administrative", "individual", "both"] = "administrative"
    """``both``: individual where the user has stored a password."""
    way: Literal["acting-as", "alias", "other-users", "path"] = "acting-as"
    """How the administrator opens mailboxes."""
    account: str = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    """Its first line is the administrator's password; only our own account may read the file."""
    alias: str = "${LOGIN}*${ADMIN}"
    """Of ``way = "alias"``: the login name, also ``${ADMIN}/${LOGIN}``."""
    path: str = "user/${MAILBOX}/INBOX"
    """Of ``way = "path"``: where a user's INBOX is, seen by the administrator."""
    login: str = "${LOGIN}"
    """A user's own login name, also ``example\\\\${LOGIN}`` or ``${LOGIN}@example.org``."""
    judge: Literal["mail-server", "directory"] = "mail-server"
    """Of a password that a user stores: a login there, or a bind at the directory server."""
    token_file: str = ""
    """Access by token (XOAUTH2): a file that holds a valid one; ``{login}`` is the name."""
    token_command: tuple[str, ...] = ()
    """The same: a program that prints one; ``{login}`` in an argument is the name."""
    server_attribute: str = ""
    """Attribute of the directory that says which server has a user's mailbox."""
    server_search: str = "^(.*)$"
    server_replace: str = "\\1"
    server_hosts: tuple[str, ...] = ()
    """Servers that may come out of it, that users' settings may name, and that servers may refer us
    to: ``["*.example.org"]``."""
    delivery: Literal["append", "smtp"] = "append"
    """Put messages into the mailbox, or send them there (table ``[mail.smtp]``)."""
    quota_warning_percent: int = Field(default=90, ge=0, le=100)
    """From so much on users hear, and read once a day, that their mailbox is nearly full; 0: no."""
    heard_among: int = Field(default=2000, ge=1, le=100_000)
    """So many messages back heard voice messages are looked for that nobody recognised before."""
    connections: int = Field(default=8, ge=1, le=100)
    """To each server, at work at the same time."""
    connect_seconds: float = Field(default=3.0, gt=0, le=30)
    answer_seconds: float = Field(default=6.0, gt=0, le=60)
    longest_seconds: float = Field(default=10.0, gt=0, le=60)
    """For one step of a caller in all."""

    @field_validator("server")
    @classmethod
    def _an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"imap", "imaps"} or not parts.hostname:
            raise ValueError(f"“{url}”: write imaps://host, or imap://host for STARTTLS")
        return url

    @model_validator(mode="after")
    def _protected(self) -> Self:
        """What makes no sense together, of connections."""
        if self.plaintext and self.server.startswith("imaps:"):
            raise ValueError("plaintext: the server is imaps://, which is TLS; remove the key")
        if self.ca_file and self.plaintext:
            raise ValueError("ca_file: plaintext needs no certificate; remove one of both")
        if self.ca_file and not self.ca_file.is_file():
            raise ValueError(f"ca_file: there is no file {self.ca_file}; correct the path")
        if self.server_attribute and not self.server_hosts:
            raise ValueError("server_hosts: is missing; name the hosts that may come out of it")
        return self

    @model_validator(mode="after")
    def _allowed_in(self) -> Self:
        """What makes no sense together, of logins."""
        if self.token_file and self.token_command:
            raise ValueError("token_file: there is a token_command, too; remove one of both")
        if self.access == "individual":
            if self.account:
                raise ValueError("account: individual access needs no administrator; remove it")
            return self
        if self.access == "both" and (self.token_file or self.token_command):
            raise ValueError("access: with tokens everybody has one; write “individual”")
        if not self.account or not self.account_password():
            missing = "password_file or password" if self.account else "account"
            raise ValueError(f"{missing}: is missing; the administrator needs both")
        return self

    def account_password(self) -> str:
        """From the file or the table; empty for none. Raises ValueError."""
        return secret_of(self.password, self.password_file)
