"""Whose name opens a user's mailbox, and under which path its folders lie then (MAIL-02, -03)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from vm_ari.adapters.imap.logins import Login, PasswordLogin, TokenLogin, TokenSource
from vm_ari.adapters.imap.session import Namespace
from vm_ari.domain.users import User

INBOX = "INBOX"
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z]+)\}|\(([A-Za-z]+)\))")
VARIABLES = ("LOGIN", "MAILBOX", "MAIL", "DOMAIN", "NUMBER", "ADMIN")
"""What templates may name, as ``${LOGIN}`` or ``$(LOGIN)``."""


class BadTemplate(ValueError):
    """A template of the configuration names something that does not exist."""


class NoAccess(Exception):
    """Nothing that is configured opens this user's mailbox. The text says what is missing."""


class NoPassword(NoAccess):
    """Only the user's own password would, and there is none yet."""


class Way(StrEnum):
    """How the administrator gets into other people's mailboxes."""

    ACTING_AS = "acting-as"
    """SASL PLAIN with the user as authorisation identity (RFC 4616): the cleanest."""
    ALIAS = "alias"
    """A login name made of both, such as ``anna*admin``."""
    OTHER_USERS = "other-users"
    """The server's namespace of other users (RFC 2342), with rights of our own there."""
    PATH = "path"
    """The same where the server does not say where that is: a template of the full path."""


@dataclass(frozen=True)
class Administrator:
    """An account that may open everybody's mailbox."""

    account: str
    password: str = field(repr=False)
    way: Way = Way.ACTING_AS
    alias: str = "${LOGIN}*${ADMIN}"
    path: str = "user/${MAILBOX}/INBOX"
    """Of the INBOX."""

    def __post_init__(self) -> None:
        check_template(self.alias)
        check_template(self.path)


@dataclass(frozen=True)
class OwnLogin:
    """Every user has a login of his own: with the password that he stored, or by a token."""

    name: str = "${LOGIN}"
    tokens: TokenSource | None = None

    def __post_init__(self) -> None:
        check_template(self.name)


@dataclass(frozen=True)
class Entrance:
    """One way into one mailbox."""

    login: Login
    home: "Home"


@dataclass(frozen=True)
class Home:
    """Where the folders of a user lie, seen by whoever is logged in."""

    other_user: str = ""
    """Below the namespace of other users."""
    inbox_path: str = ""
    """Or at this full path; without either, they are the login's own."""

    def folder(self, name: str, space: Namespace) -> Sequence[str]:
        """The names on the server under which a folder may be found, the likeliest first.

        *name* is written with ``/`` between levels, such as ``INBOX/Voice``.
        """
        first, _, rest = name.partition("/")
        below = [*([rest] if rest else [])] if first.upper() == INBOX else None
        if self.inbox_path:
            return self._by_path(name, below, space.separator)
        if self.other_user:
            return self._of_other(name, below, space)
        if below is None:
            return (space.personal + _levels(name, space.separator),)
        return (_levels("/".join([INBOX, *below]), space.separator),)

    def _of_other(self, name: str, below: list[str] | None, space: Namespace) -> Sequence[str]:
        """On Cyrus the user's branch is the INBOX itself; Dovecot has an INBOX in it, too."""
        if space.others is None:
            raise NoAccess("the mail server has no namespace of other users; use way = “path”")
        branch, sign = space.others + self.other_user, space.separator
        if below is None:
            return (branch + sign + _levels(name, sign),)
        inside = "/".join([INBOX, *below])
        short = branch + sign + _levels(below[0], sign) if below else branch
        return (short, branch + sign + _levels(inside, sign))

    def _by_path(self, name: str, below: list[str] | None, sign: str) -> Sequence[str]:
        if below is not None:
            return (sign.join([self.inbox_path, *(_levels(text, sign) for text in below)]),)
        branch = self.inbox_path.removesuffix(sign + INBOX)
        return (branch + sign + _levels(name, sign),)


@dataclass(frozen=True)
class Access:
    """The ways that the site allows: administrative, individual or both (individual wins)."""

    administrator: Administrator | None = None
    own: OwnLogin | None = None

    @property
    def wants_passwords(self) -> bool:
        """Do users' own passwords count?"""
        return self.own is not None and self.own.tokens is None

    def entrance(self, user: User, password: str | None) -> Entrance:
        """The way to take; *password* is the one that the user stored. Raises `NoAccess`."""
        if self.own and (self.own.tokens or password):
            return self._own_entrance(user, self.own, password or "")
        if self.administrator:
            return _administrative(user, self.administrator)
        raise NoPassword(f"user {user.id} has stored no password for the mail server")

    def _own_entrance(self, user: User, own: OwnLogin, password: str) -> Entrance:
        name = filled(own.name, variables(user))
        login = TokenLogin(name, own.tokens) if own.tokens else PasswordLogin(name, password)
        return Entrance(login, Home())


def _administrative(user: User, admin: Administrator) -> Entrance:
    values = variables(user) | {"ADMIN": admin.account}
    as_himself = PasswordLogin(admin.account, admin.password)
    match admin.way:
        case Way.ACTING_AS:
            login = PasswordLogin(admin.account, admin.password, acts_as=values["LOGIN"])
            return Entrance(login, Home())
        case Way.ALIAS:
            return Entrance(PasswordLogin(filled(admin.alias, values), admin.password), Home())
        case Way.OTHER_USERS:
            return Entrance(as_himself, Home(other_user=_one_level(values["MAILBOX"])))
        case Way.PATH:
            safe = {key: _one_level(value) for key, value in values.items()}
            return Entrance(as_himself, Home(inbox_path=filled(admin.path, safe)))


def variables(user: User) -> dict[str, str]:
    """What stands for what. Who has no mailbox by telephone is known by the mail address only."""
    local, _, domain = user.mail.rpartition("@")
    login = user.id if user.mailbox else local
    return {
        "LOGIN": login,
        "MAILBOX": local or login,
        "MAIL": user.mail,
        "DOMAIN": domain,
        "NUMBER": user.mailbox,
    }


def filled(template: str, values: Mapping[str, str]) -> str:
    """The text. Raises `NoAccess` where the directory lacks what is needed."""

    def value(found: re.Match[str]) -> str:
        name = (found[1] or found[2]).upper()
        if not values.get(name):
            raise NoAccess(f"the directory gives no ${{{name}}} for “{template}”")
        return values[name]

    return _VARIABLE.sub(value, template)


def check_template(template: str) -> None:
    """Raises `BadTemplate`."""
    for found in _VARIABLE.finditer(template):
        name = found[1] or found[2]
        if name.upper() not in VARIABLES:
            known = ", ".join(f"${{{each}}}" for each in VARIABLES)
            raise BadTemplate(f"“{template}”: there is no ${{{name}}}; there are {known}")
    if "$" in _VARIABLE.sub("", template):
        raise BadTemplate(f"“{template}”: a $ belongs to a name, such as ${{LOGIN}}")


def _levels(name: str, separator: str) -> str:
    return name.replace("/", separator)


def _one_level(name: str) -> str:
    """A name from the directory must not lead into somebody else's branch."""
    if not name.isprintable() or set(name) & set('/\\%*"') or name in {".", ".."}:
        raise NoAccess(f"“{name[:60]}” cannot be the name of a mailbox")
    return name
