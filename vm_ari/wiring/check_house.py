"""What ``vm-ari check`` says of the journal, the log, and whether the portal can be reached."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from pathlib import Path

import aiohttp
from sqlalchemy.engine import make_url

from vm_ari.adapters.findings import Finding, sentence
from vm_ari.adapters.journal_database import DatabaseJournal
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.portal_database import PortalDatabase
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.config import Config
from vm_ari.config.web import WebSettings
from vm_ari.domain.journal import Search, Viewer
from vm_ari.domain.log_lines import LogQuery
from vm_ari.ports import (
    JournalUnavailable,
    LiveCallsUnavailable,
    LogsUnavailable,
    PortalUnavailable,
)
from vm_ari.services.live_calls import LiveCallsView
from vm_ari.wiring.directories import open_register
from vm_ari.wiring.journal import open_journal_store
from vm_ari.wiring.live_calls import open_live_calls_store
from vm_ari.wiring.logs import open_logs

PATIENCE = 5.0
"""Seconds for the portal's answer."""
OVERDUE = timedelta(days=2)
"""Entries that are so much older than they may become were not swept."""
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


# --- the journal


async def examine_journal(config: Config) -> Sequence[Finding]:
    """Can it be read, is it swept, and do controllers write? Nothing is created."""
    if not await asyncio.to_thread(_is_there, config.journal.url or config.directory.url):
        return [Finding(True, "The journal is made by the first start of the controller.")]
    store = open_journal_store(config)
    try:
        found = await _journal(config, store)
    except JournalUnavailable as error:
        advice = "Mend the database: journal.url. Calls go on, and are noted later."
        return [Finding(False, sentence(error), advice, unreachable=True)]
    finally:
        await store.close()
    return [*found, await _controllers(config)]


def _is_there(url: str) -> bool:
    """A look shall not make a file that the controller may not write."""
    parsed = make_url(url)
    return not parsed.drivername.startswith("sqlite") or Path(parsed.database or "").exists()


async def _journal(config: Config, store: DatabaseJournal) -> list[Finding]:
    newest = await store.page(Viewer("", everybody=True), Search(), limit=1)
    last = f"its newest entry is of {newest[0].started:%Y-%m-%d %H:%M} UTC" if newest else "empty"
    found = [Finding(True, f"The journal can be read: {last}.")]
    table = config.journal
    if not table.enabled:
        found.append(Finding(True, "Nothing new is noted: journal.enabled is off."))
    if table.days:
        before = datetime.now(UTC) - timedelta(days=table.days) - OVERDUE
        if await store.oldest(before, 1):
            text = f"Entries older than {table.days} days are there: nobody sweeps the journal."
            found.append(Finding(False, text, "vm-ari journal sweep, and look at the log."))
    if table.archive and not table.archive.is_dir():
        text = f"The archive {table.archive} is not there: entries that are due stay."
        found.append(Finding(False, text, f"mkdir {table.archive}, for the controller's account."))
    return found


async def _controllers(config: Config) -> Finding:
    store = open_live_calls_store(config)
    try:
        nodes = await LiveCallsView(store, SystemClock()).nodes()
    except LiveCallsUnavailable as error:
        return Finding(False, sentence(error), "Mend the database: journal.url", unreachable=True)
    finally:
        await store.close()
    if not nodes:
        return Finding(True, "No controller is heard of; vm-ari run serves calls.")
    told = ", ".join(f"{one.name} ({one.telephony or 'without Asterisk'})" for one in nodes)
    good = all(one.telephony for one in nodes)
    return Finding(
        good, f"Controllers that run: {told}.", "" if good else "vm-ari check --only asterisk"
    )


# --- the log


async def examine_log(config: Config) -> Sequence[Finding]:
    """Can the portal and commands read it?"""
    try:
        page = await open_logs(config).newest(LogQuery(), limit=1)
    except LogsUnavailable as error:
        if config.logs.file is None:
            return [Finding(True, "The log goes to standard error, and cannot be shown here.")]
        missing = not config.logs.file.exists()
        if missing and config.logs.file.parent.is_dir():
            return [Finding(True, f"The first start makes the log {config.logs.file}.")]
        advice = "Make its directory, for the controller's account: logs.file"
        return [Finding(False, f"The log cannot be read: {error}.", advice)]
    told = f": {page.lines[0].event}" if page.lines else ", and is empty"
    return [Finding(True, f"The log can be read{told[:80]}.")]


# --- the portal


async def examine_portal_from_outside(config: Config) -> Sequence[Finding]:
    """As a browser on this machine reaches it, and who could sign in as an operator."""
    return [finding async for finding in _from_outside(config)]


async def _from_outside(config: Config) -> AsyncIterator[Finding]:
    if config.web.port:
        yield await _answer(config.web)
    for one in await _operators(config):
        yield one


async def _answer(table: WebSettings) -> Finding:
    """Is it ours that listens there?"""
    address = _EVERYWHERE.get(table.address, table.address)
    url = f"{'http' if table.tls == 'off' else 'https'}://{_in_url(address)}:{table.port}"
    headers = {"Host": f"{table.hosts[0]}:{table.port}"}
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.get(f"{url}/sign-in", ssl=False, allow_redirects=False) as response,
        ):
            ours = "content-security-policy" in response.headers
            status = response.status
    except (ssl.SSLError, aiohttp.ClientSSLError, aiohttp.ServerDisconnectedError):
        text = f"Something else than the portal answers at {url}."
        return Finding(False, text, f"ss -ltnp says what; give the portal another port: {_PORT}")
    except (TimeoutError, aiohttp.ServerTimeoutError):
        text = f"Somebody listens at {url}, and does not answer within {PATIENCE:.0f} s."
        return Finding(False, text, f"ss -ltnp says who; the controller hangs, or change {_PORT}.")
    except (aiohttp.ClientError, OSError):
        text = f"Nothing answers at {url}."
        return Finding(False, text, "vm-ari run serves it; its log says if it cannot listen.")
    if not ours:
        text = f"Something else than the portal answers at {url}."
        return Finding(False, text, f"ss -ltnp says what; give the portal another port: {_PORT}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        advice = "vm-ari log show --kind portal --level error"
        return Finding(False, f"The portal answers at {url} with the error {status}.", advice)
    return Finding(True, f"The portal answers at {url}.")


_PORT = "web.port"


def _in_url(address: str) -> str:
    with suppress(ValueError):
        if isinstance(ip_address(address), IPv6Address):
            return f"[{address}]"
    return address


async def _operators(config: Config) -> Sequence[Finding]:
    """Operators who are not there, or have nothing to sign in with. Nothing is tried."""
    register = open_register(config, KeyRing(config.directory.keys))
    own = not isinstance(register, LdapDirectory) and config.web.password_sign_in
    passwords = PortalDatabase(config.web.url or config.directory.url) if own else None
    found: list[Finding] = []
    try:
        for name in config.web.operators:
            if await register.entry_by_id(name) is None:
                text = f"The operator {name} is no user."
                advice = f"vm-ari users add {name}, or web.operators"
                found.append(Finding(False, text, advice, minor=True))
            elif passwords and not config.web.openid and not await passwords.password_hash(name):
                text = f"The operator {name} has no password for the portal."
                advice = f"vm-ari users set-password {name} --link"
                found.append(Finding(False, text, advice, minor=True))
    except PortalUnavailable:
        return found  # it has been told
    finally:
        await register.close()
        if passwords:
            await passwords.close()
    if config.web.operators and not found:
        found.append(Finding(True, "Every operator can sign in to the portal."))
    return found
