"""Attributes of a real directory server say through which location people are told (NOTIFY-07)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.adapters.ldap_people import PEOPLE, UserDirectory, on_ldap, person, settings_of, unit
from tests.adapters.smtp_server import Postbox, mail_server
from tests.adapters.test_outgoing_call import ANNA, Asterisk, calls_by
from tests.cli.ldap_site import ldap_table
from tests.services.notified import notified
from tests.slapd import Slapd, slapd
from vm_ari.adapters.ldap.raw_attributes import LdapAttributes
from vm_ari.config import BadConfig
from vm_ari.domain.playing_call import Report
from vm_ari.services.locations import Locations
from vm_ari.services.user_attributes import UserAttribute

USUAL = "Local/{number}@out/n"
ENDPOINTS = {"Berlin": "PJSIP/{number}@berlin", "Ulm": "PJSIP/{number}@ulm"}


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """See `Clock`."""
        return self.time


@pytest.fixture(scope="module")
def people() -> Iterator[Slapd]:
    told = ("notify_voice=lamp, mail", "notify_mail=anna@gateway.example")
    crowd = (
        person(
            "anna", l="BERLIN", telephoneNumber="+498142479101", pager="4711", vmAriSetting=told
        ),
        person("bert", telephoneNumber="+498142479102"),
        person("carl", l="Nowhere", telephoneNumber="+498142479103"),
    )
    with slapd(unit("people") + "".join(crowd)) as running:
        yield running


def at_locations(
    server: Slapd, base: Path, story: Callable[[Locations, Clock], Awaitable[None]]
) -> None:
    """Run a story on what that server says."""

    async def whole(directory: UserDirectory) -> None:
        clock = Clock()
        attribute = UserAttribute(LdapAttributes(directory), "l", clock)
        await story(Locations(attribute, USUAL, ENDPOINTS), clock)

    on_ldap(settings_of(server, bases=(PEOPLE,)), base / "keys", whole)


@pytest.mark.feature("NOTIFY-07")
def test_the_location_chooses_the_endpoint_of_calls(people: Slapd, tmp_path: Path) -> None:
    asterisk = Asterisk(reports=(Report.PLAYED,))

    async def story(locations: Locations, _clock: Clock) -> None:
        assert await locations.endpoint("bert") == USUAL
        assert await locations.endpoint("carl") == USUAL
        assert await locations.endpoint("nobody") == USUAL
        async with calls_by(asterisk) as calls:
            await replace(calls, endpoint=locations.endpoint).play(ANNA, "uid/1")
        assert asterisk.asked["endpoint"] == "PJSIP/101@berlin"

    at_locations(people, tmp_path, story)


def test_what_was_known_counts_while_no_server_answers(tmp_path: Path) -> None:
    with slapd(unit("people") + person("anna", l="Ulm")) as server:

        async def story(locations: Locations, clock: Clock) -> None:
            assert await locations.of("anna") == "Ulm"
            server.modify(f"dn: uid=anna,{PEOPLE}\nchangetype: modify\nreplace: l\nl: Berlin\n")
            assert await locations.of("anna") == "Ulm", "remembered"
            clock.time += timedelta(minutes=11)
            assert await locations.of("anna") == "Berlin"
            server.stop()
            clock.time += timedelta(minutes=11)
            assert await locations.of("anna") == "Berlin"
            assert await locations.of("bert") == ""

        at_locations(server, tmp_path, story)


@pytest.mark.feature("NOTIFY-05", "NOTIFY-07")
def test_attributes_route_mails_and_lamps(people: Slapd, tmp_path: Path) -> None:
    more = (
        '[notifications]\nlocation_attribute = "l"\nheader = "X-Location"\n'
        f'lamp_attribute = "pager"\nurl = "sqlite:///{tmp_path}/notices.db"\n'
        '[site]\nbase_number = "+498142479"\n'
    )
    table = f'keys = "{tmp_path}/keys"\n' + ldap_table(tmp_path, people.url)

    async def story() -> None:
        box = Postbox()
        async with mail_server(box) as port, notified(tmp_path, port, more, table) as one:
            await one.count()
            await one.deliver()
            await one.send()
            assert one.lamps.shown == {"4711": (1, 0)}
        [(_, [to], content)] = box.mails
        assert to == "anna@gateway.example"
        assert message_from_bytes(content)["X-Location"] == "BERLIN"

    asyncio.run(story())


def test_attributes_need_a_directory_server(tmp_path: Path) -> None:
    async def story() -> None:
        async with notified(tmp_path, 1, '[notifications]\nlamp_attribute = "pager"'):
            pass

    with pytest.raises(BadConfig, match=r"notifications\.lamp_attribute: only directory servers"):
        asyncio.run(story())
