"""The table of the configuration that says how changes in mailboxes are noticed."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from vm_ari.config.directory import Table, secret_of

SHORTEST_TOKEN = 16


class WatchingSettings(Table):
    """How changes in mailboxes are noticed, so that lamps are right."""

    round_minutes: float = Field(default=15.0, ge=1, le=24 * 60)
    """So often every mailbox is counted, whether anything was heard of it or not."""
    inotify: bool = True
    """Of our own Maildirs; ``false`` where other machines write them too (NFS)."""
    poll_seconds: float = Field(default=2.0, ge=0.2, le=60)
    """So often Maildirs are looked at that inotify does not watch."""
    idle: bool = True
    """Mail servers tell by IDLE what happens in the mailboxes whose lamp is on."""
    most_idle: int = Field(default=200, ge=0, le=20_000)
    """On each mail server; the others are counted in rounds."""
    idle_minutes: float = Field(default=9.0, ge=0.02, le=29)
    """After so long IDLE is said anew: servers hang up after 30 minutes, some after 10."""
    push_address: str = "127.0.0.1"
    push_port: int = Field(default=0, ge=0, le=65535)
    """Where mail servers say by HTTP whose mailbox has changed; 0: nowhere."""
    push_token: SecretStr = SecretStr("")
    """What they have to say with it; at least 16 characters."""
    push_token_file: Path | None = None
    """Its first line is the token; only our own account may read the file."""

    @model_validator(mode="after")
    def _token_where_needed(self) -> Self:
        token = self.token()
        if self.push_port and len(token) < SHORTEST_TOKEN:
            raise ValueError(
                f"push_token: with a push_port it is needed, and has at least {SHORTEST_TOKEN} "
                "characters; write one, or name a push_token_file"
            )
        if token and not (token.isascii() and token.isprintable() and " " not in token):
            raise ValueError("push_token: write letters and digits only")
        return self

    def token(self) -> str:
        """From the file or the table; empty for none. Raises ValueError."""
        return secret_of(self.push_token, self.push_token_file, "push_token")
