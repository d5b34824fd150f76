"""Settings of mails to the system itself: ``[site_mails]`` (NOTIFY-06)."""

from ipaddress import IPv4Network, IPv6Network

from pydantic import Field

from vm_ari.config.directory import Table
from vm_ari.config.orders import Networks, network_of


class SiteMailSettings(Table):
    """Addresses of the system, and where the site's mail server hands their mails over."""

    lamp_off: str = Field(default="", pattern=r"^([^\s@<>+]{1,64}@[A-Za-z0-9.-]{1,190})?$")
    """A mail to this address switches its sender's own lamp off; empty: there is none."""
    host: str = Field(default="127.0.0.1", min_length=1)
    """Where we listen by SMTP, if there is an address."""
    port: int = Field(default=10125, gt=0, le=65535)
    trusted: Networks = Field(default=("127.0.0.1", "::1"), min_length=1)
    """Hosts and networks that may bring mails: the site's own mail servers, and nobody else."""
    authentication: str = Field(default="", pattern=r"^[A-Za-z0-9._-]*$")
    """Name by which the mail server signs its ``Authentication-Results``; then only mails count
    whose sender it has proved by DKIM, SPF, DMARC or login. Empty: that is not asked for."""
    confirm: bool = False
    """Answer by a mail to the user's own address of the directory, once an hour at most."""
    largest_kilobytes: int = Field(default=256, ge=16, le=100_000)
    connections: int = Field(default=10, ge=1, le=1000)
    timeout_seconds: float = Field(default=30.0, gt=0, le=600)
    """Between two commands of the mail server, and for one whole mail."""

    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Who may bring mails."""
        return tuple(network_of(text) for text in self.trusted)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Those that there are."""
        return (self.lamp_off,) if self.lamp_off else ()
