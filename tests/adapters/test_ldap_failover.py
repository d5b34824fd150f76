"""Servers that hang, die, come back or are not who they claim to be: real ones, on loopback."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.adapters.ldap_people import PEOPLE, UserDirectory, on_ldap, person, settings_of, unit
from tests.private_ca import DAY, Identity, PrivateCa
from tests.slapd import PASSWORD, SERVICE, Slapd, slapd
from vm_ari.adapters.breaker import FIRST_REST, LONGEST_REST, REST_OF_REFUSED, Breaker
from vm_ari.adapters.ldap.address import LDAP, Account, Patience
from vm_ari.adapters.ldap.directory import LdapSettings
from vm_ari.adapters.ldap.errors import ServerLost
from vm_ari.adapters.ldap.health import Health
from vm_ari.adapters.ldap.server_pool import ServerPool
from vm_ari.adapters.ldap.session import Session
from vm_ari.adapters.server_address import Server
from vm_ari.adapters.trust import BadAddress, Security, trust
from vm_ari.ports import DirectoryUnavailable

NUMBER = "+498142479101"
QUICK = 0.5
"""Seconds: no caller has waited for a server that does not answer."""


def anna(where: str) -> str:
    """Her name tells which server was asked."""
    return unit("people") + person("anna", vmAriNumber=NUMBER, cn=f"Anna of the {where}")


@pytest.fixture
def pair() -> Iterator[tuple[Slapd, Slapd]]:
    with slapd(anna("first")) as first, slapd(anna("second")) as second:
        yield first, second


async def asked(directory: UserDirectory) -> tuple[str, float]:
    """Which server answered, and after how many seconds."""
    began = time.monotonic()
    user = await directory.user_by_number(NUMBER)
    assert user
    return user.name.removeprefix("Anna of the "), time.monotonic() - began


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < end, "has not happened"
        await asyncio.sleep(0.1)


# --- Hung and dead


@pytest.mark.feature("DIR-01")
def test_a_hung_server_costs_one_caller_a_second_and_is_returned_to(
    pair: tuple[Slapd, Slapd], tmp_path: Path
) -> None:
    first, second = pair

    async def story(directory: UserDirectory) -> None:
        assert (await asked(directory))[0] == "first"
        first.freeze()
        server, seconds = await asked(directory)
        assert (server, seconds < 2.0) == ("second", True)
        for _ in range(3):
            server, seconds = await asked(directory)
            assert (server, seconds < QUICK) == ("second", True)
        await directory.change_settings("anna", {"language": "de"})
        first.thaw()

        async def is_first_again() -> bool:
            server, seconds = await asked(directory)
            assert seconds < QUICK, "a caller has waited for a trial"
            return server == "first"

        await until(is_first_again)

    with capture_logs() as lines:
        on_ldap(settings_of(first, second), tmp_path, story)
    assert second.read(f"uid=anna,{PEOPLE}", "vmAriSetting") == ["language=de", "revision=1"]
    events = [line["event"] for line in lines]
    assert events[0] == "directory server fails"
    assert events[-1] == "directory server works again"
    assert PASSWORD not in str(lines)


def test_a_server_that_hangs_from_the_beginning_costs_no_more(
    pair: tuple[Slapd, Slapd], tmp_path: Path
) -> None:
    async def story(directory: UserDirectory) -> None:
        answers = await asyncio.gather(*(asked(directory) for _ in range(50)))
        assert {server for server, _ in answers} == {"second"}
        assert max(seconds for _, seconds in answers) < 2.0

    pair[0].freeze()
    on_ldap(settings_of(*pair), tmp_path, story)


def test_a_dead_server_costs_nothing_and_writing_goes_on(
    pair: tuple[Slapd, Slapd], tmp_path: Path
) -> None:
    first, second = pair

    async def story(directory: UserDirectory) -> None:
        assert (await asked(directory))[0] == "first"
        first.stop()
        await directory.change_settings("anna", {"language": "de"})
        server, seconds = await asked(directory)
        assert (server, seconds < QUICK) == ("second", True)

    on_ldap(settings_of(first, second), tmp_path, story)
    assert "language=de" in second.read(f"uid=anna,{PEOPLE}", "vmAriSetting")


def test_when_all_are_dead_nobody_waits_and_they_are_found_again(
    pair: tuple[Slapd, Slapd], tmp_path: Path
) -> None:
    async def story(directory: UserDirectory) -> None:
        assert (await asked(directory))[0] == "first"
        for server in pair:
            server.stop()
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(DirectoryUnavailable):
                await directory.user_by_number(NUMBER)
            with pytest.raises(DirectoryUnavailable):
                await directory.check_pin("anna", "246813")
            assert time.monotonic() - began < QUICK
        pair[1].start()

        async def is_served() -> bool:
            try:
                return (await asked(directory))[0] == "second"
            except DirectoryUnavailable:
                return False

        await until(is_served)

    on_ldap(settings_of(*pair), tmp_path, story)


def test_when_all_hang_the_first_caller_waits_no_longer_than_promised(
    pair: tuple[Slapd, Slapd], tmp_path: Path
) -> None:
    async def story(directory: UserDirectory) -> None:
        for longest in (patience.caller, QUICK):
            began = time.monotonic()
            with pytest.raises(DirectoryUnavailable):
                await directory.user_by_number(NUMBER)
            assert time.monotonic() - began < longest + 0.3

    for server in pair:
        server.freeze()
    patience = Patience(receive=1, hedge=0.2, caller=1.5)
    on_ldap(settings_of(*pair, patience=patience), tmp_path, story)


def test_a_connection_that_the_server_has_closed_is_not_noticed(tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        for _ in range(2):
            await asyncio.gather(*(asked(directory) for _ in range(4)))
            server.stop()
            server.start()
        assert (await asked(directory))[0] == "first"
        await directory.change_settings("anna", {"language": "de"})

    with slapd(anna("first")) as server, capture_logs() as lines:
        on_ldap(settings_of(server), tmp_path, story)
        assert lines == []


def test_a_refused_password_is_not_tried_again_and_again(tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        for _ in range(5):
            with pytest.raises(DirectoryUnavailable, match="refuses the password of cn=vm-ari"):
                await directory.user_by_number(NUMBER)
        assert directory.servers.pools[0].breaker.next_try > time.monotonic() + 200

    with slapd(anna("first")) as server, capture_logs() as lines:
        settings = settings_of(server)
        wrong = replace(settings, account=Account(SERVICE, "wrong-password"))
        on_ldap(wrong, tmp_path, story)
        assert len(lines) == 1
        assert "wrong-password" not in str(lines)


# --- Whom we talk to


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> PrivateCa:
    return PrivateCa(tmp_path_factory.mktemp("ca"))


def protected(url: str, ca_file: Path | None) -> LdapSettings:
    return LdapSettings(
        (LDAP.server_at(url),), (PEOPLE,), Account(SERVICE, PASSWORD), ca_file=ca_file
    )  # fmt: skip


@pytest.mark.feature("DIR-01")
def test_a_private_authority_is_trusted_over_both_kinds_of_tls(
    authority: PrivateCa, tmp_path: Path
) -> None:
    async def story(directory: UserDirectory) -> None:
        assert (await asked(directory))[0] == "first"

    with slapd(anna("first"), identity=authority.identity()) as server:
        for url in (server.tls_url, server.url, server.tls_url.replace("localhost", "127.0.0.1")):
            on_ldap(protected(url, authority.file), tmp_path, story)


def stranger(directory: Path) -> Identity:
    directory.mkdir()
    return PrivateCa(directory, "Test CA").identity()


def refused(settings: LdapSettings, base: Path) -> str:
    """Why a server is not talked to."""

    async def story(directory: UserDirectory) -> str:
        with pytest.raises(DirectoryUnavailable) as error:
            await directory.user_by_number(NUMBER)
        return str(error.value)

    with capture_logs() as lines:
        reason = on_ldap(settings, base / "keys", story)
    assert PASSWORD not in reason + str(lines)
    return reason


@pytest.mark.parametrize(
    ("name", "valid", "says"),
    [
        ("directory.example.org", DAY, "[Hh]ostname mismatch"),
        ("localhost", timedelta(days=-1), "expired"),
    ],
)
def test_a_certificate_must_name_the_server_and_be_valid(
    authority: PrivateCa, tmp_path: Path, name: str, valid: timedelta, says: str
) -> None:
    with slapd(anna("first"), identity=authority.identity(name, valid=valid)) as server:
        for url in (server.tls_url, server.url):
            with pytest.raises(DirectoryUnavailable, match=says):
                raise DirectoryUnavailable(refused(protected(url, authority.file), tmp_path))


def test_an_unknown_authority_is_not_trusted(authority: PrivateCa, tmp_path: Path) -> None:
    with slapd(anna("first"), identity=stranger(tmp_path / "other")) as server:
        for ca_file in (authority.file, None):
            for url in (server.tls_url, server.url):
                assert "cannot be trusted" in refused(protected(url, ca_file), tmp_path)


def test_a_server_without_starttls_is_not_talked_to(authority: PrivateCa, tmp_path: Path) -> None:
    with slapd(anna("first")) as server:
        assert "StartTLS" in refused(protected(server.url, authority.file), tmp_path)


REFUSES = bytes.fromhex("300c02010178070a010204000400")
AGREES = bytes.fromhex("300c02010178070a010004000400")
WELCOMES = bytes.fromhex("300c02010261070a010004000400")


@pytest.mark.parametrize(
    "answer", [REFUSES, AGREES, AGREES + WELCOMES, b"", b"\x30", b"nonsense" * 9]
)
def test_nobody_on_the_way_gets_the_password(
    authority: PrivateCa, tmp_path: Path, answer: bytes
) -> None:
    """Somebody who answers in the server's place that there is no TLS, or pretends to begin it."""
    heard = bytearray()

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            heard.extend(data)
            writer.write(answer if b"1.3.6.1.4.1.1466.20037" in data else WELCOMES)
            if not answer:
                break
        writer.close()

    async def run() -> None:
        listener = await asyncio.start_server(between, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        settings = protected(f"ldap://localhost:{port}", authority.file)
        settings = replace(settings, patience=Patience(receive=1))
        await asyncio.to_thread(refused, settings, tmp_path)
        listener.close()

    asyncio.run(run())
    assert b"1.3.6.1.4.1.1466.20037" in heard
    assert PASSWORD.encode() not in heard
    assert SERVICE.encode() not in heard


@pytest.mark.parametrize("url", ["http://x", "ldap://", "x", "ldaps://x/y", "ldaps://x:port"])
def test_an_address_must_be_one(url: str) -> None:
    with pytest.raises(BadAddress, match=r".+"):
        LDAP.server_at(url)


def test_addresses_are_protected_unless_that_is_switched_off() -> None:
    assert LDAP.server_at("ldaps://[::1]") == Server("::1", 636, Security.TLS)
    assert LDAP.server_at("ldap://dc1.example.org") == Server(
        "dc1.example.org", 389, Security.START_TLS
    )
    assert LDAP.server_at("ldap://dc1:1389", plaintext=True) == Server("dc1", 1389, Security.NONE)


def test_an_authority_must_be_readable(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for name in ("empty.pem", "missing.pem"):
        with pytest.raises(BadAddress, match=name):
            trust(tmp_path / name)


def test_an_account_without_a_password_would_be_nobody() -> None:
    with pytest.raises(BadAddress, match="needs a password"):
        Account(SERVICE)
    assert PASSWORD not in repr(Account(SERVICE, PASSWORD))


# --- Breakers


def test_who_waited_for_a_thread_does_not_wait_for_a_broken_server() -> None:
    async def story() -> None:
        pool = ServerPool(LDAP.server_at("ldap://localhost:9"), Account(), None, Patience())
        pool.breaker.fails(time.monotonic(), "hung")
        done: list[Session] = []
        with pytest.raises(ServerLost, match="hung"):
            await pool.run(done.append)
        assert done == []
        await pool.close()

    asyncio.run(story())


def test_a_broken_server_is_tried_more_and_more_rarely() -> None:
    breaker, now, rests = Breaker(), 0.0, []
    for _ in range(8):
        breaker.fails(now, "hung")
        rests.append(breaker.next_try - now)
        breaker.fails(now + rests[-1] / 2, "hung")  # a late answer of the same trouble
        now = breaker.next_try
    assert rests == [FIRST_REST, 2, 4, 8, 16, LONGEST_REST, LONGEST_REST, LONGEST_REST]
    breaker.works()
    breaker.fails(now, "hung")
    assert breaker.next_try == now + FIRST_REST
    breaker.fails(breaker.next_try, "password", refused=True)
    assert breaker.next_try == now + FIRST_REST + REST_OF_REFUSED


def test_callers_stay_with_who_answered_until_a_better_one_works() -> None:
    health = Health([Breaker() for _ in range(3)])
    assert list(health.order()) == [0, 1, 2]
    health.fails(0, 0.0, "hung")
    assert list(health.order()) == [1, 2]
    health.works(2)
    assert list(health.order()) == [2, 1]
    health.works(1)
    assert list(health.order()) == [1, 2]
    assert (list(health.due(0.5)), list(health.due(1.0))) == ([], [0])
    health.works(0)
    assert list(health.order()) == [0, 1, 2]
    assert health.next_trial() is None
