"""What ``vm-ari check`` says of the portal: certificate, names, database, single sign-on."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

from vm_ari.adapters.findings import Finding
from vm_ari.adapters.openid import OpenIdProvider
from vm_ari.adapters.portal_database import PortalDatabase
from vm_ari.adapters.self_signed import ends
from vm_ari.config import Config
from vm_ari.config.web import WebSettings
from vm_ari.domain.openid import OpenIdRefused
from vm_ari.ports import PortalUnavailable
from vm_ari.wiring.check_house import examine_portal_from_outside
from vm_ari.wiring.openid import open_openid

SOON = timedelta(days=21)
_LOCAL = {"localhost", "127.0.0.1", "[::1]"}


async def examine_portal(config: Config) -> Sequence[Finding]:
    """Nothing is changed, and no certificate is made."""
    found = [finding async for finding in _findings(config)]
    return [*found, *await examine_portal_from_outside(config)]


async def _findings(config: Config) -> AsyncIterator[Finding]:
    table = config.web
    yield await asyncio.to_thread(_certificate, table)
    if table.address in {"0.0.0.0", "::"} and set(table.hosts) <= _LOCAL:  # noqa: S104
        text = "The portal listens on all networks, and answers to no name but localhost."
        yield Finding(False, text, "Write its names: web.hosts")
    if not table.operators:
        yield Finding(True, "The portal has no operator: web.operators names them.")
    yield await _database(config)
    if provider := open_openid(table):
        yield await _provider(provider, table)


def _certificate(table: WebSettings) -> Finding:
    if table.tls == "off":
        return Finding(True, "The portal speaks HTTP; a reverse proxy does TLS.")
    certificate = table.certificate or table.directory / "portal.pem"
    if table.tls == "self-signed" and not certificate.exists():
        return Finding(True, "The first start of the portal makes its certificate.")
    try:
        end = ends(certificate)
        if table.certificate and table.key:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                table.certificate, table.key
            )
    except (OSError, ValueError) as error:
        why = str(error)
        if isinstance(error, OSError):
            why = f"{error.strerror}: {error.filename}"
        if isinstance(error, ssl.SSLError):
            why = "the key is that of another one, or is no key"
        text = f"The portal's certificate {certificate} cannot be used: {why}."
        return Finding(False, text, "Name certificate and key that fit: web.certificate, web.key")
    good = end - datetime.now(UTC) > SOON or table.tls == "self-signed"
    over = end < datetime.now(UTC)
    ends_or_ended = "has ended on" if over else "ends on"
    text = f"The portal's certificate {ends_or_ended} {end:%Y-%m-%d}."
    advice = "" if good else f"Renew it ({certificate}), and start the portal anew."
    return Finding(good, text, advice, minor=not over)


async def _database(config: Config) -> Finding:
    database = PortalDatabase(config.web.url or config.directory.url)
    try:
        await database.session("")
    except PortalUnavailable as error:
        text = f"Sessions cannot be kept: {error}."
        return Finding(False, text, "Mend the database: web.url", unreachable=True)
    finally:
        await database.close()
    return Finding(True, "Sessions of the portal can be kept.")


async def _provider(provider: OpenIdProvider, table: WebSettings) -> Finding:
    try:
        await provider.begin(f"{table.base_url()}/sign-in/openid/back")
    except OpenIdRefused as error:
        text = f"Single sign-on is not possible: {error}."
        return Finding(False, text, "Look at web.openid.issuer", unreachable=True)
    return Finding(True, f"Single sign-on by {provider.name} can be used.")
