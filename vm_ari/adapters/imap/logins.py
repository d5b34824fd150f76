"""As whom we log in to a mail server, and how that is said without letting anything be injected."""

import hashlib
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vm_ari.adapters.imap.errors import BadName, LoginRefused

_LONGEST_TOKEN = 16 * 1024
_COMMAND_SECONDS = 10


@dataclass(frozen=True)
class PasswordLogin:
    """A name and its password; with *acts_as*, for another user's mailbox (RFC 4616)."""

    name: str
    password: str = field(repr=False)
    acts_as: str = ""

    @property
    def key(self) -> str:
        """Whose connections these are: equal keys may share them."""
        return f"{self.name}\0{self.acts_as}"

    def proof(self) -> str:
        """Changes when the secret does; cannot be turned back into it in practice."""
        return hashlib.sha256(f"{self.key}\0{self.password}".encode()).hexdigest()


@dataclass(frozen=True)
class TokenFile:
    """A program of the site keeps a valid token in a file; ``{login}`` stands for the name."""

    path: str

    def token(self, login: str) -> str:
        """Read it anew. Raises `LoginRefused`."""
        if "/" in login or login in {"", ".", ".."}:
            raise BadName(f"the login {login!r} cannot be part of a file's name")
        path = Path(self.path.replace("{login}", login))
        try:
            with path.open(encoding="ascii") as file:
                return _checked(file.read(_LONGEST_TOKEN))
        except (OSError, UnicodeDecodeError) as error:
            raise LoginRefused(f"token file {path}: {error}") from None


@dataclass(frozen=True)
class TokenCommand:
    """A program prints a valid token; ``{login}`` in an argument stands for the name."""

    command: tuple[str, ...]

    def token(self, login: str) -> str:
        """Run it, without a shell. Raises `LoginRefused`."""
        command = [part.replace("{login}", login) for part in self.command]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_COMMAND_SECONDS,
                check=True,
            )
            return _checked(done.stdout[:_LONGEST_TOKEN].decode("ascii"))
        except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
            reason = type(error).__name__  # its text would hold what was printed
            raise LoginRefused(f"the command {command[0]} gave no token: {reason}") from None


TokenSource = TokenFile | TokenCommand


@dataclass(frozen=True)
class TokenLogin:
    """A name and where a token for it comes from (XOAUTH2)."""

    name: str
    source: TokenSource

    @property
    def key(self) -> str:
        """See `PasswordLogin`."""
        return f"{self.name}\0token"

    def proof(self) -> str:
        """Tokens change by themselves: a refused one says nothing of the next."""
        return ""


Login = PasswordLogin | TokenLogin


def log_in(client: Any, login: Login) -> None:
    """Authenticate an IMAPClient. Raises what it raises, `BadName` and `LoginRefused`."""
    match login:
        case TokenLogin(name, source):
            _check(name)
            client.oauth2_login(name, source.token(name))
        case PasswordLogin(name, password, acts_as):
            for text in (name, password, acts_as):
                _check(text)
            if acts_as or client.has_capability("AUTH=PLAIN"):
                client.plain_login(name, password, authorization_identity=acts_as)
            else:
                _old_login(client, name, password)


def _check(text: str) -> None:
    """A line break in a name from the directory would be a command of its own."""
    if any(character < " " or character == "\x7f" for character in text):
        raise BadName("a login name or password has control characters; nothing was sent")


def _old_login(client: Any, name: str, password: str) -> None:
    """LOGIN of RFC 3501 for servers without AUTH=PLAIN: ASCII only, and quoted by ourselves."""
    if client.has_capability("LOGINDISABLED"):
        raise LoginRefused("the server takes no passwords on this connection")
    if not (name + password).isascii():
        raise BadName("this server (no AUTH=PLAIN) takes ASCII names and passwords only")
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    client.login(f'"{quoted}"', password)  # the library quotes the password, and not the name


def _checked(text: str) -> str:
    token = text.strip()
    if not token or not token.isprintable() or " " in token:
        raise LoginRefused("what was given as a token is none")
    return token
