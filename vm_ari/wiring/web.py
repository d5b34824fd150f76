"""The portal, as configured: which adapters its parts are is decided here only."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog

from vm_ari.adapters.holiday_calendar import public_holiday
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.ldap.portal_passwords import LdapPasswords
from vm_ari.adapters.portal_database import PortalDatabase
from vm_ari.adapters.portal_passwords import PortalPasswords
from vm_ari.adapters.self_signed import CertificateFiles, self_signed
from vm_ari.adapters.web_server import Listening, WebServer
from vm_ari.config import BadConfig, Config
from vm_ari.config.web import WebSettings
from vm_ari.domain.entries import Entry
from vm_ari.domain.portal_rights import Rights
from vm_ari.ports import Clock, PasswordJudge, PortalUnavailable
from vm_ari.services.logins import Attempts, Logins
from vm_ari.services.own_settings import OwnSettings
from vm_ari.services.portal_sessions import PortalSessions
from vm_ari.services.portal_sign_in import PortalSignIn
from vm_ari.services.users import House, Users
from vm_ari.speech.language import languages
from vm_ari.web.parts import Parts
from vm_ari.web.portal import application
from vm_ari.web.rendering import Rendering
from vm_ari.web.texts import Texts
from vm_ari.wiring.api import open_api
from vm_ari.wiring.conferences import open_conference_pages
from vm_ari.wiring.directories import ConfiguredDirectory
from vm_ari.wiring.faxes import open_fax_pages
from vm_ari.wiring.invitations import OpenInvitations, open_invitations
from vm_ari.wiring.openid import open_openid
from vm_ari.wiring.organisations import OpenOrganisations, limited, open_organisations
from vm_ari.wiring.overviews import open_overviews
from vm_ari.wiring.people import open_people
from vm_ari.wiring.spoken import open_spoken_pages
from vm_ari.wiring.surroundings import Surroundings
from vm_ari.wiring.user_pages import UserPages, open_user_pages
from vm_ari.wiring.web_admin import open_admin_pages

log = structlog.get_logger("vm_ari.portal")

SWEEP_EVERY = timedelta(hours=1)
Close = Callable[[], Coroutine[Any, Any, None]]


class Portal:
    """The portal of this process, on or off."""

    def __init__(
        self, parts: Parts, server: Callable[[], WebServer], keep_up: Close, close: Close
    ) -> None:
        self.parts = parts
        self._open_server = server
        self._keep_up = keep_up
        self._close = close
        self.server: WebServer | None = None

    async def run(self) -> None:
        """Serve until cancelled; calls do not suffer from whatever happens here."""
        while self.server is None:
            try:
                self.server = await asyncio.to_thread(self._open_server)
            except OSError as error:
                log.error("the portal has no certificate", reason=str(error))
                await asyncio.sleep(SWEEP_EVERY.total_seconds() / 60)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.server.run(), name="portal")
            tasks.create_task(self._sweep(), name="portal sessions")
            tasks.create_task(self._keep_up(), name="portal people")

    async def close(self) -> None:
        """Let go of the database."""
        await self._close()

    async def _sweep(self) -> None:
        while True:
            try:
                await self.parts.sessions.sweep()
            except PortalUnavailable as error:
                log.warning("old sessions stay", reason=str(error))
            await asyncio.sleep(SWEEP_EVERY.total_seconds())


class NoPortal:
    """The portal is switched off; what another one changes of organisations counts for calls."""

    def __init__(self, organisations: OpenOrganisations) -> None:
        self._organisations = organisations

    async def run(self) -> None:
        """Follow the changes until cancelled."""
        await self._organisations.service.run()

    async def close(self) -> None:
        """Let go of the database."""
        await self._organisations.close()


def open_portal(config: Config, around: Surroundings) -> Portal | NoPortal:
    """As configured; nothing is connected yet. Raises `BadConfig`."""
    if config.web.enabled:
        return the_portal(config, around)
    register = around.directories.register
    assert isinstance(register, ConfiguredDirectory)
    return NoPortal(open_organisations(config, register, around.clock))


def the_portal(config: Config, around: Surroundings) -> Portal:
    """Even where it is switched off in the controller. Raises `BadConfig`."""
    database = PortalDatabase(config.web.url or config.directory.url)
    passwords = PortalPasswords(database)
    pages = _own_pages(config, around)
    admin = open_admin_pages(config, around.keys, around.clock, around.directories, around.notices)
    people = open_people(
        config, around.keys, around.clock, around.directories.register, around.notices
    )
    overviews = open_overviews(config, around)
    conferences = open_conference_pages(config, around.directories.for_calls, around.clock)
    faxes = open_fax_pages(config, around.keys, around.clock)
    spoken = open_spoken_pages(config, around.keys, around.clock)
    api = open_api(config, around.directories.register, around.clock)
    invitations = _invitations(config, around)
    sent = (invitations.service,) if invitations else ()
    sent = (*sent, api.parts) if api else sent
    sent = (*sent, *faxes.parts, *spoken.parts)
    more = (*around.more, pages.parts, admin.parts, people.parts, overviews.parts, *sent)
    more = (*more, conferences.parts)
    parts = _parts(config, replace(around, more=more), database, passwords)
    register = limited(around.directories.register, people.parts.limits, admin.users.counts)
    parts = replace(
        parts,
        rights=people.rights,
        keep_known=people.roles.keep_known,
        users=replace(parts.users, register=register),
    )

    async def keep_up() -> None:
        await asyncio.gather(people.run(), *([api.run()] if api else []))

    async def close() -> None:
        if invitations:
            await invitations.close()
        if api:
            await api.close()
        faxes.close()
        spoken.close()
        await conferences.close()
        await overviews.close()
        await people.close()
        await admin.close()
        await pages.close()
        await asyncio.to_thread(passwords.close)
        await database.close()

    return Portal(
        parts, lambda: WebServer(application(parts), listening(config.web)), keep_up, close
    )


def _own_pages(config: Config, around: Surroundings) -> UserPages:
    return open_user_pages(
        config,
        around.keys,
        around.directories,
        around.clock,
        mailboxes=around.mailboxes,
        greetings=around.greetings,
        lamps=around.lamps,
    )


def _invitations(config: Config, around: Surroundings) -> OpenInvitations | None:
    """None where no mails leave."""
    register = around.directories.register
    assert isinstance(register, ConfiguredDirectory)
    if around.notices is None:
        return None
    return open_invitations(
        config, register, around.directories.for_calls, around.notices, around.clock
    )


def listening(table: WebSettings) -> Listening:
    """Where the portal is; makes a certificate where none is configured. Raises OSError."""
    match table.tls:
        case "off":
            files = None
        case "files":
            assert table.certificate
            assert table.key
            files = CertificateFiles(table.certificate, table.key)
        case "self-signed":
            files = self_signed(table.directory, table.hosts)
    place = Listening(table.address, table.port, trusted_proxies=table.trusted_proxies)
    return replace(place, certificate=files.certificate, key=files.key) if files else place


def password_judge(directory: object, passwords: PortalPasswords) -> PasswordJudge:
    """The directory servers where users are there, else the portal's own passwords."""
    return LdapPasswords(directory) if isinstance(directory, LdapDirectory) else passwords


def _parts(
    config: Config, around: Surroundings, database: PortalDatabase, passwords: PortalPasswords
) -> Parts:
    table, register = config.web, around.directories.register
    judge = password_judge(register, passwords)
    find = _finder(register)
    return Parts(
        settings=table,
        rights=Rights(),
        users=Users(register, _house(config)),
        directory=around.directories.for_calls,
        own_settings=OwnSettings(
            around.directories.for_calls,
            config.rules(),
            config.dialling_rules(),
            config.rights.caps(),
        ),
        logins=around.logins
        or Logins(around.directories.for_calls, around.clock, config.login_rules()),
        clock=around.clock,
        sessions=PortalSessions(database, around.clock, table.session_rules()),
        texts=_texts(config),
        rendering=Rendering(config.templates / "web"),
        find=find,
        signing_keys=around.keys.signing_keys("portal"),
        languages=languages(),
        sign_in=_sign_in(table, find, judge, around.clock) if table.password_sign_in else None,
        openid=open_openid(table),
        passwords=passwords if judge is passwords else None,
        greetings=around.greetings,
        mailboxes=around.mailboxes,
        notices=around.notices,
        calendar=public_holiday,
        more=around.more,
    )


def _sign_in(
    table: WebSettings, find: Callable[[str], Any], judge: PasswordJudge, clock: Clock
) -> PortalSignIn:
    return PortalSignIn(
        find,
        judge,
        clock,
        Attempts(table.budget(table.failures_per_address)),
        Attempts(table.budget(table.failures_per_account)),
    )


def _finder(register: object) -> Callable[[str], Coroutine[Any, Any, Entry | None]]:
    """By id or mail address."""
    assert isinstance(register, ConfiguredDirectory)

    async def find(name: str) -> Entry | None:
        found = await register.entry_by_id(name)
        if found is None and "@" in name:
            found = await register.entry_by_mail(name)
        return found

    return find


def _texts(config: Config) -> Texts:
    where = config.templates / "web" / "texts"
    try:
        return Texts(where)
    except (OSError, ValueError) as error:
        raise BadConfig(f"templates: the words of the portal in {where}: {error}") from None


def _house(config: Config) -> House:
    return House(
        site=config.rules().site,
        defaults=config.user_defaults(),
        name_template=config.users.display_name,
        address_template=config.users.mail_address,
        allowed_failures=config.logins.failures_before_lock,
        logins=config.login_rules(),
    )
