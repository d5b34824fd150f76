"""The table of the configuration for whoever watches over the controller: metrics and health."""

from ipaddress import ip_address
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from vm_ari.config.directory import Table, secret_of

SHORTEST_TOKEN = 16


class MetricsSettings(Table):
    """Metrics for Prometheus and questions about health, on a port of their own (OPS-03)."""

    enabled: bool = False
    """Serve ``/metrics``, ``/healthz`` and ``/readyz`` in ``vm-ari run``, by plain HTTP."""
    address: str = "127.0.0.1"
    """To listen on; any but this machine's own needs a token."""
    port: int = Field(default=9871, ge=0, le=65535)
    token: SecretStr = SecretStr("")
    """Who asks for metrics, or what is missing, says ``Authorization: Bearer <token>``; at least
    16 characters. Empty: everybody may ask."""
    token_file: Path | None = None
    """Its first line is the token; only our own account may read the file."""

    @model_validator(mode="after")
    def _token_where_needed(self) -> Self:
        token = self.bearer()
        if not token:
            if self.enabled and not _is_own_machine(self.address):
                raise ValueError(
                    f"{self.address} can be reached by others: write a token of at least "
                    f"{SHORTEST_TOKEN} characters, name a token_file, or listen on 127.0.0.1"
                )
        elif len(token) < SHORTEST_TOKEN or not (token.isascii() and token.isalnum()):
            raise ValueError(
                f"token: write at least {SHORTEST_TOKEN} letters and digits, such as "
                "“openssl rand -hex 16” prints"
            )
        return self

    def bearer(self) -> str:
        """From the file or the table; empty for none. Raises ValueError."""
        return secret_of(self.token, self.token_file, "token")


def _is_own_machine(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
