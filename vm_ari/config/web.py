"""Settings of the web portal: where it listens, who signs in, what users may change."""

from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from vm_ari.config.directory import Table, secret_of
from vm_ari.domain.login_budget import Budget
from vm_ari.domain.portal_rights import Feature
from vm_ari.domain.portal_sessions import SessionRules


class OpenIdSettings(Table):
    """Single sign-on by OpenID Connect (authorisation code flow with PKCE)."""

    issuer: str
    """Such as ``https://login.example.org/realms/house``; its discovery document is read."""
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = SecretStr("")
    client_secret_file: Path | None = None
    """Its first line is the secret; only our own account may read the file."""
    claim: str = Field(default="preferred_username", min_length=1)
    """What names the user: its value is an id or, of ``email``, a verified mail address."""
    name: str = ""
    """What the button says, such as ``Example Ltd``; empty: the issuer's host."""
    ca_file: Path | None = None
    """Authority (PEM) that signed the issuer's certificate; else the system's ones count."""

    @field_validator("issuer")
    @classmethod
    def _an_address(cls, given: str) -> str:
        parts = urlsplit(given)
        local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise ValueError(f"“{given}”: write https://…, for passwords depend on it")
        return given.rstrip("/")

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        self.secret()
        return self

    def secret(self) -> str:
        """From the file or the table; empty for a public client. Raises ValueError."""
        return secret_of(self.client_secret, self.client_secret_file, "client_secret")


class WebSettings(Table):
    """The portal."""

    enabled: bool = False
    """Serve it in ``vm-ari run``; ``vm-ari web`` serves it alone."""
    address: str = "127.0.0.1"
    """To listen on; ``0.0.0.0`` or ``::`` for all networks."""
    port: int = Field(default=8443, ge=0, le=65535)
    tls: Literal["self-signed", "files", "off"] = "self-signed"
    """``files`` takes certificate and key below; ``off`` is for a reverse proxy."""
    certificate: Path | None = None
    """PEM, with the intermediate certificates after it."""
    key: Path | None = None
    directory: Path = Path("/var/lib/vm-ari/web")
    """Where the self-signed certificate lies, which the first start makes."""
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1")
    """Names under which browsers reach the portal; others are refused."""
    public_url: str = ""
    """As users see it, for links; empty: the first of the hosts, with the port."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    url: str = ""
    """Database of sessions and portal passwords; empty: that of the directory."""
    password_sign_in: bool = True
    """With the directory's password, or that of the portal; off: OpenID Connect only."""
    idle_minutes: int = Field(default=15, ge=1, le=24 * 60)
    longest_hours: int = Field(default=12, ge=1, le=24 * 7)
    fresh_minutes: int = Field(default=10, ge=1, le=60)
    """So long after signing in, the PIN can be changed without the present one."""
    failures_per_address: int = Field(default=10, ge=0, le=10_000)
    """So many wrong passwords from one address within the time below, and it is refused."""
    failures_per_account: int = Field(default=20, ge=0, le=10_000)
    failure_minutes: int = Field(default=15, ge=1, le=1440)
    operators: tuple[str, ...] = ()
    """Ids of users who run the whole installation."""
    may_change: tuple[Feature, ...] = tuple(Feature)
    """What users change by themselves; administrators change everything."""
    api: bool = True
    """Serve the JSON API under ``/api/v1``, beside the portal."""
    api_requests_per_minute: int = Field(default=300, ge=1, le=100_000)
    """With one token, on one node."""
    openid: OpenIdSettings | None = None

    @field_validator("hosts")
    @classmethod
    def _names(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for host in given:
            if not host or (any(sign in host for sign in "/:* ") and not host.startswith("[")):
                raise ValueError(f"“{host}”: write a name such as mail.example.org, without port")
        if not given:
            raise ValueError("write at least one name, such as portal.example.org")
        return tuple(host.lower() for host in given)

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in given:
            ip_network(proxy)
        return given

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.tls == "files" and not (self.certificate and self.key):
            raise ValueError("tls = “files” needs certificate and key; write both paths")
        if self.tls != "files" and (self.certificate or self.key):
            raise ValueError("certificate and key count only with tls = “files”; write that")
        if self.tls == "off" and not (self.trusted_proxies or _is_loopback(self.address)):
            raise ValueError(
                "tls = “off” would send passwords readably through the network: listen on "
                "127.0.0.1, or name the reverse proxy in trusted_proxies"
            )
        if not self.password_sign_in and self.openid is None:
            raise ValueError("password_sign_in is off, and there is no table [web.openid]")
        return self

    def session_rules(self) -> SessionRules:
        """How long users stay signed in."""
        return SessionRules(
            idle=timedelta(minutes=self.idle_minutes),
            longest=timedelta(hours=self.longest_hours),
            fresh=timedelta(minutes=self.fresh_minutes),
        )

    def budget(self, failures: int) -> Budget:
        """For one address, or one account; nobody is refused for what others do."""
        return Budget(failures, 0, timedelta(minutes=self.failure_minutes))

    def base_url(self) -> str:
        """Where users find the portal, without a slash at the end."""
        if self.public_url:
            return self.public_url.rstrip("/")
        scheme = "http" if self.tls == "off" else "https"
        return f"{scheme}://{self.hosts[0]}:{self.port}"


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
