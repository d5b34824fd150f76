"""The directory that the configuration names, on real databases and servers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.adapters.directory_contract import PIN
from tests.adapters.ldap_people import PEOPLE, person, unit
from tests.cli.ldap_site import on_servers
from tests.cli.site import CliSite
from tests.slapd import ADMIN, READER, SUFFIX, Slapd, slapd
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.config import load
from vm_ari.domain.entries import Entry
from vm_ari.domain.pin import PinCheck
from vm_ari.ports import DirectoryUnavailable
from vm_ari.wiring.directories import Directories, open_directories, open_register

Story = Callable[[Directories], Awaitable[None]]

SALES, PARIS = f"ou=sales,{SUFFIX}", f"ou=paris,ou=branches,{SUFFIX}"
ENTRIES = (
    unit("people")
    + unit("sales")
    + unit("branches")
    + unit("paris", f"ou=branches,{SUFFIX}")
    + person("anna", telephoneNumber="+49 30 555-101", o="sales")
    + person("carl", SALES, description="phone: +49 30 555103", telephoneNumber="030/555-103")
    + person("dora", PARIS, description="phone: +49 30 555 104")
    + person("emil", f"ou=branches,{SUFFIX}", description="phone: +49 30 555105")
)
HOSTILE = (
    "*",
    "103*",
    ")(uid=*",
    "*)(objectClass=*",
    "\\2a",
    "1\0",
    "\r\n103",
    "1" * 2000,
    "",
    "٣",
)


@pytest.fixture
def server() -> Iterator[Slapd]:
    with slapd(ENTRIES) as running:
        yield running


def on_directories(site: CliSite, story: Story) -> None:
    """Run a story on what a controller with that configuration uses."""

    async def run() -> None:
        config = load(site.config)
        opened = open_directories(config, KeyRing(config.directory.keys), SystemClock())
        fresh = asyncio.create_task(opened.keep_fresh())
        try:
            await story(opened)
        finally:
            fresh.cancel()
            await asyncio.gather(fresh, return_exceptions=True)
            await opened.close()

    asyncio.run(run())


def embedded(base: Path, more: str = "") -> CliSite:
    site = CliSite(base)
    site.configure(more)
    return site


LOCK_AT_2 = "[logins]\nfailures_before_lock = 2\n"
SALES_SETTINGS = '[organisations.sales]\nsettings = { time_zone = "Asia/Tokyo" }\n'


@pytest.mark.feature_part("LOGIN-03", "the number of failures is a setting")
@pytest.mark.parametrize("kind", ["embedded", "ldap"])
def test_locking_and_organisations_are_as_configured(
    tmp_path: Path, server: Slapd, kind: str
) -> None:
    more = LOCK_AT_2 + SALES_SETTINGS
    site = on_servers(tmp_path, server, more=more) if kind == "ldap" else embedded(tmp_path, more)

    async def story(opened: Directories) -> None:
        if kind == "embedded":
            await opened.register.add_entries([Entry("anna", "Anna", "101", organisation="sales")])
        await opened.register.set_pin("anna", PIN)
        checks = [await opened.for_calls.check_pin("anna", p) for p in (PIN, "1", "2", PIN)]
        wrong = PinCheck.WRONG
        assert checks == [PinCheck.RIGHT, wrong, wrong, PinCheck.LOCKED]
        user = await opened.for_calls.user_by_id("anna")
        assert user
        assert user.time_zone == "Asia/Tokyo"
        assert [one.id for one in await opened.register.organisations()] == ["sales"]

    on_directories(site, story)


@pytest.mark.feature_part("DIR-08", "chosen by the configuration, for calls only")
def test_calls_have_the_cache_and_admins_have_not(tmp_path: Path, server: Slapd) -> None:
    site = on_servers(tmp_path, server)

    async def learn(opened: Directories) -> None:
        assert len(await opened.for_calls.all_users()) == 1

    async def look_up(opened: Directories) -> None:
        user = await opened.for_calls.user_by_number("+4930555101")
        assert user
        assert user.id == "anna"
        with pytest.raises(DirectoryUnavailable):
            await opened.register.entry_by_number("+4930555101")
        with pytest.raises(DirectoryUnavailable):
            await opened.for_calls.check_pin("anna", PIN)

    on_directories(site, learn)
    server.stop()
    on_directories(site, look_up)
    assert b"anna" not in (tmp_path / "cache.db").read_bytes()
    assert (tmp_path / "cache.db").stat().st_mode & 0o077 == 0


@pytest.mark.feature("DIR-02")
def test_several_units_and_a_filter_of_ones_own_are_searched(tmp_path: Path, server: Slapd) -> None:
    text = (
        'number_filter = "(|(telephoneNumber=${UMS})(description=phone: ${UMS_WHTSPC}))"\n'
        "blanks_matter = true\n"
    )
    site = on_servers(tmp_path, server, people=f'{SALES}", "{PARIS}', more=text)

    async def units(opened: Directories) -> None:
        owners = {}
        for number in ("101", "103", "104", "105"):
            user = await opened.for_calls.user_by_number(f"+4930555{number}")
            owners[number] = user.id if user else None
        assert owners == {"101": None, "103": "carl", "104": "dora", "105": None}
        for number in HOSTILE:
            assert await opened.for_calls.user_by_number(number) is None, number
            assert await opened.for_calls.user_by_id(number) is None, number

    async def whole_domain(opened: Directories) -> None:
        assert len(await opened.register.all_entries()) == 4
        for number in HOSTILE:
            assert await opened.for_calls.user_by_number(number) is None, number

    on_directories(site, units)
    on_directories(on_servers(tmp_path, server, people=SUFFIX, more=text), whole_domain)


@pytest.mark.feature("DIR-03")
@pytest.mark.parametrize(
    "attributes",
    ["", '[directory.ldap.attributes]\nsettings = "description"\nform = "one-string"\n'],
    ids=["many values", "one string"],
)
def test_changes_by_several_programs_at_once_are_all_kept_in_one_attribute(
    tmp_path: Path, server: Slapd, attributes: str
) -> None:
    site = on_servers(tmp_path, server, account=ADMIN, more=attributes)
    attribute = "description" if attributes else "vmAriSetting"
    server.modify(
        f"dn: uid=anna,{PEOPLE}\nchangetype: modify\nreplace: {attribute}\n"
        f"{attribute}: theirs=kept\n"
    )
    wanted = {
        "language": "de",
        "time_zone": "Asia/Tokyo",
        "takes_messages": "no",
        "number_style": "international",
        "access": "full",
        "notifications": "no",
    }
    with ThreadPoolExecutor(3) as programs:
        list(programs.map(lambda pair: one_change(site, *pair), wanted.items()))
    stored = ";".join(server.read(f"uid=anna,{PEOPLE}", attribute)).split(";")
    assert {"theirs=kept", *(f"{key}={text}" for key, text in wanted.items())} <= set(stored)


def one_change(site: CliSite, key: str, text: str) -> None:
    done = site.start("users", "set", "anna", f"{key}={text}")
    assert done.returncode == 0, done.stderr


@pytest.mark.feature("DIR-04")
def test_settings_of_a_directory_that_takes_no_changes_are_kept_here(
    tmp_path: Path, server: Slapd
) -> None:
    dn = f"uid=anna,{PEOPLE}"
    server.modify(f"dn: {dn}\nchangetype: modify\nadd: vmAriSetting\nvmAriSetting: language=de\n")
    before = server.read(dn, "entryCSN")
    local = f'local_settings = "sqlite:///{tmp_path}/local.db"\n'
    site = on_servers(tmp_path, server, account=READER, more=local)
    assert "problem" not in site.run("schema", "test").stdout
    site.run("users", "set", "anna", "time_zone=Asia/Tokyo")

    async def story(opened: Directories) -> None:
        await opened.register.set_pin("anna", PIN)
        user = await opened.for_calls.user_by_number("+4930555101")
        assert user
        assert (user.language, user.time_zone) == ("de", "Asia/Tokyo")
        assert await opened.for_calls.check_pin("anna", "111111") is PinCheck.WRONG
        assert await opened.for_calls.check_pin("anna", PIN) is PinCheck.RIGHT

    on_directories(site, story)
    assert server.read(dn, "entryCSN") == before, "nothing was written to the server"
    assert PIN.encode() not in (tmp_path / "local.db").read_bytes()


@pytest.mark.feature("LOGIN-07")
def test_a_default_pin_counts_without_welcome_mails_for_users_who_have_none(
    tmp_path: Path,
) -> None:
    site, default = CliSite(tmp_path), "80808"

    async def checks(more: str) -> list[PinCheck]:
        site.configure(f'[logins]\ndefault_pin = "{default}"\n{more}')
        register = open_register(load(site.config), KeyRing(tmp_path / "keys"))
        try:
            if await register.user_by_id("anna") is None:
                await register.add_entries([Entry("anna", "Anna"), Entry("bert", "Bert")])
                await register.set_pin("bert", PIN)
            return [await register.check_pin(who, default) for who in ("anna", "bert", "carl")]
        finally:
            await register.close()

    wrong = PinCheck.WRONG
    assert asyncio.run(checks("")) == [PinCheck.RIGHT, wrong, wrong]
    assert asyncio.run(checks("[welcome]\nenabled = true\n")) == [wrong] * 3
