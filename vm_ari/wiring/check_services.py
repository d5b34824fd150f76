"""What ``vm-ari check`` says of faxes, conferences and spoken messages: only of what is in use."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from vm_ari.adapters.examination.mail_ports import examine_mail_port
from vm_ari.adapters.examination.needs import (
    CONFERENCES,
    FAXES_IN,
    FAXES_OUT,
    examine_needs,
    examine_udptl,
)
from vm_ari.adapters.examination.number_lists import tell_number_faults
from vm_ari.adapters.fax_rendering import FaxRendering
from vm_ari.adapters.findings import Finding, sentence
from vm_ari.config import Config
from vm_ari.config.fax_sending import FaxSendingSettings
from vm_ari.config.spoken import SpokenMessageSettings
from vm_ari.domain.entries import Entry, effective_user
from vm_ari.domain.fax_orders import Cover, FaxOrder
from vm_ari.domain.fax_settings import FaxCover
from vm_ari.domain.number_lists import number_faults
from vm_ari.domain.orders import Way
from vm_ari.domain.packages import Service
from vm_ari.domain.users import User
from vm_ari.ports import LoginRecords
from vm_ari.ports.fax_sending import Paper, Unprintable
from vm_ari.ports.orders import OrdersUnavailable
from vm_ari.services.conference_pins import is_open
from vm_ari.wiring.asterisk import asterisk_address
from vm_ari.wiring.check_ground import people_of, register_of

MOST_ROOMS = 5
"""Rooms that nobody can enter are told one by one, up to so many."""

# --- faxes


async def examine_faxes_of(config: Config) -> Sequence[Finding]:
    """What users receive, and what they send."""
    people = await _people(config)
    receiving = [one for one in people if one.fax_numbers or one.fax_on_voice_number]
    if not receiving and not config.fax_sending.enabled:
        return [Finding(True, "Nobody receives faxes, and none are sent.")]
    address, found = asterisk_address(config), list[Finding]()
    if receiving:
        found += await examine_needs(address, FAXES_IN)
        found += tell_number_faults(list(number_faults(people, Service.FAX)))
    if config.fax_sending.enabled:
        found += await examine_needs(address, FAXES_OUT)
        found += [_endpoint(config), await _pages(config), *await _mails(config)]
    found += await examine_udptl(address, _lines(config))
    return _each_once(found)


async def _people(config: Config) -> Sequence[User]:
    async with register_of(config) as register:
        return await people_of(config, register)


def _lines(config: Config) -> int:
    return config.fax_sending.lines if config.fax_sending.enabled else 1


def _endpoint(config: Config) -> Finding:
    """No T.38 through a Local channel: that is no mistake, but few know it."""
    endpoint = config.fax_sending.endpoint or config.dialling.endpoint
    if config.fax_sending.t38 == "off" or not endpoint.lower().startswith("local/"):
        return Finding(True, f"Faxes are dialled by {endpoint}.")
    text = f"Faxes are dialled by {endpoint}, which passes no T.38: all go as audio."
    advice = "With T.38: fax_sending.endpoint = “PJSIP/{number}@trunk”"
    return Finding(True, text, advice)


async def _pages(config: Config) -> Finding:
    """One page with a cover is made, by the same confined process as those of users."""
    printer = FaxRendering(config.templates, config.rules().site, config.fax_sending.paper)
    nobody = effective_user(Entry("check", "Check"), None, config.user_defaults())
    sender = replace(nobody, fax_cover=FaxCover.ALWAYS)
    order = FaxOrder("check", "check", "100", datetime.now(UTC), Way.COMMAND, Cover(text="Check"))
    paper = Paper("text/plain", b"Check")
    try:
        printed = await printer.body([paper], order, sender, config.fax_sending.limits())
    except Unprintable as error:
        text = f"No page of a fax can be made: {sentence(error)}"
        return Finding(False, text, "Look at its template, below “templates”, and at the log.")
    except OrdersUnavailable as error:
        return Finding(False, sentence(error), "Make room where temporary files lie (TMPDIR).")
    return Finding(True, f"Pages of faxes can be made: {printed.pages} for a cover and a letter.")


async def _mails(config: Config) -> Sequence[Finding]:
    return await _mail_port(config, config.fax_sending, "fax_sending", "mails that become faxes")


# --- spoken messages


async def examine_spoken_messages(config: Config) -> Sequence[Finding]:
    """Which mails are read out; voices and Asterisk are other parts."""
    table = config.spoken_messages
    found = await _mail_port(config, table, "spoken_messages", "mails that are read out")
    return found or [Finding(True, "Messages are spoken; none come by mail.")]


async def _mail_port(
    config: Config, table: FaxSendingSettings | SpokenMessageSettings, name: str, what: str
) -> Sequence[Finding]:
    """Nothing where no mails are taken."""
    if not table.mail_address:
        return []
    if same := _also(config, name, table.mail_port):
        text = f"[{name}] and [{same}] take their mails at one port, {table.mail_port}."
        return [Finding(False, text, f"Give [{name}] another mail_port, and tell the mail server.")]
    good = f"Mails to {table.mail_address} are taken"
    return [await examine_mail_port(table.mail_host, table.mail_port, name, what, good)]


def _also(config: Config, name: str, port: int) -> str:
    """Which other table has that port; empty: none."""
    faxes, spoken, mails = config.fax_sending, config.spoken_messages, config.site_mails
    used = {
        "site_mails": mails.port if mails.addresses else 0,
        "fax_sending": faxes.mail_port if faxes.enabled and faxes.mail_address else 0,
        "spoken_messages": spoken.mail_port if spoken.enabled and spoken.mail_address else 0,
    }
    return next((other for other, taken in used.items() if taken == port and other != name), "")


# --- conferences


async def examine_conferences_of(config: Config) -> Sequence[Finding]:
    """Rooms of users, and whether anybody can come in."""
    async with register_of(config) as register:
        people = await people_of(config, register)
        hosts = [one for one in people if one.conference_numbers]
        if not hosts:
            return [Finding(True, "Nobody has a conference room.")]
        found = list(await examine_needs(asterisk_address(config), CONFERENCES))
        found += tell_number_faults(list(number_faults(people, Service.CONFERENCE)))
        return [*found, *await _closed_rooms(config, register, hosts)]


async def _closed_rooms(
    config: Config, register: LoginRecords, hosts: Sequence[User]
) -> Sequence[Finding]:
    """Those without a PIN, or locked by wrong ones."""
    found, allowed = list[Finding](), config.login_rules().failures_before_lock
    for host in hosts:
        pins = (await register.login_state(host.id)).room
        if is_open(pins, allowed):
            continue
        there = pins.participant or pins.moderator or pins.unopened
        why = "is locked after wrong PINs" if there else "has no PIN, so nobody comes in"
        text = f"The conference room of {host.id} {why}."
        found.append(Finding(False, text, f"vm-ari conferences pins {host.id}", minor=True))
        if len(found) == MOST_ROOMS:
            break
    return found


def _each_once(found: Sequence[Finding]) -> Sequence[Finding]:
    """What receiving and sending both lack is told once, by the first."""
    said = dict[str, Finding]()
    for one in found:
        said.setdefault(one.text.partition(": ")[2] or one.text, one)
    return list(said.values())
