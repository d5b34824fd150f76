"""How Asterisk and its telephones are reached, and the disk that we share with it."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from vm_ari.config.directory import Table as _Table


class AsteriskSettings(_Table):
    """How to reach Asterisk's REST interface."""

    url: str = "http://127.0.0.1:8088"
    user: str = "vm-ari"
    password: SecretStr
    app: str = "vm-ari"
    way: Literal["auto", "http", "websocket"] = "auto"
    most_calls: int = Field(default=500, gt=0)
    """Above so many calls at once the dialplan takes the message by itself."""
    latest_answer: float = Field(default=1.0, gt=0, le=2.0)
    """Seconds; a call whose news waited longer, on an overloaded machine, goes to the dialplan."""


class LampSettings(_Table):
    """How phones are told about their lamps (message-waiting indication)."""

    method: Literal["auto", "ari", "minivm", "publish", "ami"] = "auto"
    """The first of these that this Asterisk offers, or the one that is named."""
    sip_host: str = "127.0.0.1"
    sip_port: int = Field(default=5060, gt=0, le=65535)
    sip_user: str = ""
    """Account for SIP PUBLISH; empty: that way is not tried."""
    sip_password: SecretStr = SecretStr("")
    account_host: str = Field(default="", pattern=r"^[A-Za-z0-9.:\[\]-]{0,100}$")
    """SIP server as telephones know it: with ``ami`` they are told the number to call back."""


class SpoolSettings(_Table):
    """The disk between caller and mailbox."""

    directory: Path = Path("/var/spool/asterisk/recording/vm-ari")
    """Must lie below Asterisk's recording directory, and be called ``vm-ari``."""
