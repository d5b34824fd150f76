"""Settings and PINs in a real OpenLDAP: changed by several at once, sealed, kept locally."""

import asyncio
import json
import logging
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.adapters.ldap_people import (
    OPENLDAP,
    PEOPLE,
    UserDirectory,
    on_ldap,
    person,
    settings_of,
    unit,
)
from tests.patience import AT_MOST
from tests.slapd import ADMIN, PASSWORD, READER, SERVICE, Slapd, slapd
from vm_ari.adapters.ldap.directory import LdapSettings
from vm_ari.adapters.ldap.mapping import Mapping
from vm_ari.domain.directory_text import OneString, Unstorable
from vm_ari.domain.pin import PinCheck
from vm_ari.ports import DirectoryReadOnly, DirectoryUnavailable, UnknownUser

ROOT = Path(__file__).parents[2]
LIKE_AD = Path(__file__).parents[1] / "active_directory_like.schema"
PIN = "246813"
ANNA, BERT = f"uid=anna,{PEOPLE}", f"uid=bert,{PEOPLE}"
DESCRIPTION = replace(OPENLDAP, settings="description", form=OneString(limit=None))
SINGLE = replace(DESCRIPTION, settings="extensionAttribute10", own_class="user")
MAPPINGS = {mapping.settings: mapping for mapping in (OPENLDAP, DESCRIPTION, SINGLE)}
FORMS = pytest.mark.parametrize("mapping", MAPPINGS.values(), ids=MAPPINGS.keys())


@pytest.fixture
def server() -> Iterator[Slapd]:
    people = [
        unit("people"),
        person("anna", telephoneNumber="+498142479101"),
        person("bert", telephoneNumber="+498142479102", objectClass="inetOrgPerson"),
    ]
    with slapd("".join(people), schema=[LIKE_AD]) as running:
        yield running


def settings_for(server: Slapd, mapping: Mapping = OPENLDAP, dn: str = SERVICE) -> LdapSettings:
    """Our rules let the service account write our own attributes only."""
    return settings_of(server, mapping=mapping, dn=dn if mapping is OPENLDAP else ADMIN)


# --- Several processes

WORKER = """
import asyncio, json, sys
from pathlib import Path
from tests.adapters.ldap_people import UserDirectory
from tests.adapters.test_ldap_settings import MAPPINGS, settings_for
from tests.slapd import Slapd
from vm_ari.adapters.sealing import KeyRing

async def work(what, each, port, keys, mapping, allowed):
    settings = settings_for(Slapd(Path("."), port=port), MAPPINGS[mapping])
    directory = UserDirectory(settings, KeyRing(Path(keys)), allowed_failures=allowed)
    await directory.user_by_id("anna")
    print("ready", flush=True)
    sys.stdin.readline()
    match what:
        case "different":
            works = [directory.change_settings("anna", {f"key_{n}": "x"}) for n in each]
        case "same":
            works = [directory._store.change("anna", lambda _, texts, n=n: {
                "notes": texts.get("notes", "") + f"/{n}"}) for n in each]
        case "guess":
            works = [directory.check_pin("anna", f"{n:06}") for n in each]
        case "login":
            works = [directory.check_pin("anna", "246813") for n in each]
    results = await asyncio.gather(*works)
    print(*(getattr(result, "value", "done") for result in results), flush=True)
    await directory.close()

for order in sys.stdin:
    asyncio.run(work(*json.loads(order)))
"""


@pytest.fixture(scope="module")
def workers() -> "Iterator[list[subprocess.Popen[str]]]":
    """Two other processes, which take orders."""
    command = [sys.executable, "-W", "ignore", "-c", WORKER]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    running = [subprocess.Popen(command, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    yield running
    for process in running:
        process.communicate(timeout=AT_MOST)


@dataclass(frozen=True)
class Both:
    """What two processes do at once to one directory."""

    workers: "list[subprocess.Popen[str]]"
    port: int
    keys: Path

    def do(self, what: str, mapping: Mapping = OPENLDAP, allowed: int = 5) -> "Counter[str]":
        """What each of 2 × 100 calls said, all begun at once."""
        for number, process in enumerate(self.workers):
            each = list(range(100 * number, 100 * number + 100))
            order = [what, each, self.port, str(self.keys), mapping.settings, allowed]
            self._write(process, json.dumps(order))
        for process in self.workers:
            assert self._read(process) == ["ready"]
        for process in self.workers:
            self._write(process, "go")
        return Counter(answer for process in self.workers for answer in self._read(process))

    def _write(self, process: "subprocess.Popen[str]", line: str) -> None:
        assert process.stdin
        process.stdin.write(line + "\n")
        process.stdin.flush()

    def _read(self, process: "subprocess.Popen[str]") -> list[str]:
        assert process.stdout
        return process.stdout.readline().split()


@pytest.fixture
def both(workers: "list[subprocess.Popen[str]]", server: Slapd, tmp_path: Path) -> Both:
    return Both(workers, server.port, tmp_path)


@FORMS
@pytest.mark.feature_part("DIR-03", "the adapter")
def test_different_settings_changed_at_once_are_all_kept(
    server: Slapd, tmp_path: Path, both: Both, mapping: Mapping
) -> None:
    async def story(directory: UserDirectory) -> None:
        entry = await directory.entry_by_id("anna")
        assert entry
        assert entry.settings == {f"key_{n}": "x" for n in range(200)}

    seen = both.do("different", mapping)
    assert seen == {"done": 200}
    on_ldap(settings_for(server, mapping), tmp_path, story)


@FORMS
@pytest.mark.feature_part("DIR-03", "the adapter")
def test_the_same_setting_changed_at_once_loses_nobodys_change(
    server: Slapd, tmp_path: Path, both: Both, mapping: Mapping
) -> None:
    async def story(directory: UserDirectory) -> None:
        entry = await directory.entry_by_id("anna")
        assert entry
        notes = entry.settings["notes"].removeprefix("/").split("/")
        assert sorted(notes, key=int) == [str(n) for n in range(200)]

    assert both.do("same", mapping) == {"done": 200}
    on_ldap(settings_for(server, mapping), tmp_path, story)


async def give_pin(directory: UserDirectory) -> None:
    await directory.set_pin("anna", PIN)


@pytest.mark.parametrize(
    ("allowed", "expected"), [(5, {"wrong": 5, "locked": 195}), (0, {"wrong": 200})]
)
@FORMS
def test_every_wrong_pin_is_counted_and_no_more_than_allowed_are_judged(
    server: Slapd,
    tmp_path: Path,
    both: Both,
    allowed: int,
    expected: dict[str, int],
    mapping: Mapping,
) -> None:
    async def story(directory: UserDirectory) -> None:
        entry = await directory.entry_by_id("anna")
        assert entry
        assert entry.pin_failures == expected["wrong"]

    on_ldap(settings_for(server, mapping), tmp_path, give_pin)
    assert both.do("guess", mapping, allowed) == expected
    on_ldap(settings_for(server, mapping), tmp_path, story)


def test_the_right_pin_is_right_however_many_log_in_at_once(
    server: Slapd, tmp_path: Path, both: Both
) -> None:
    async def story(directory: UserDirectory) -> None:
        entry = await directory.entry_by_id("anna")
        assert entry
        assert entry.pin_failures == 0

    on_ldap(settings_for(server), tmp_path, give_pin)
    assert both.do("login") == {"right": 200}
    on_ldap(settings_for(server), tmp_path, story)


# --- Secrets


@pytest.mark.feature("LOGIN-08")
def test_a_pin_copied_to_another_entry_does_not_open(server: Slapd, tmp_path: Path) -> None:
    async def prepare(directory: UserDirectory) -> None:
        await directory.set_pin("anna", PIN)
        await directory.set_pin("bert", "999999")

    async def login(directory: UserDirectory) -> None:
        for pin in (PIN, "999999", *["0"] * 6):
            with pytest.raises(DirectoryUnavailable, match="PIN of user bert cannot be read"):
                await directory.check_pin("bert", pin)
        entry = await directory.entry_by_id("bert")
        assert entry
        assert entry.pin_failures == 0, "nobody has tried a wrong PIN"
        assert await directory.check_pin("anna", PIN) is PinCheck.RIGHT

    on_ldap(settings_for(server), tmp_path, prepare)
    [sealed] = [text for text in server.read(ANNA, "vmAriSetting") if text.startswith("pin=")]
    [other] = [text for text in server.read(BERT, "vmAriSetting") if text.startswith("pin=")]
    server.modify(
        f"dn: {BERT}\nchangetype: modify\ndelete: vmAriSetting\nvmAriSetting: {other}\n-\n"
        f"add: vmAriSetting\nvmAriSetting: {sealed}\n"
    )
    on_ldap(settings_for(server), tmp_path, login)


@pytest.mark.feature("LOGIN-08")
def test_no_secret_is_stored_plainly_or_logged(
    server: Slapd, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(directory: UserDirectory) -> None:
        await directory.set_pin("anna", PIN)
        for pin in ("135791", PIN):
            await directory.check_pin("anna", pin)
            await directory.check_pin("nobody", pin)
        entry = await directory.entry_by_id("anna")
        texts.append(repr(entry) + repr(directory.settings))
        server.stop()
        with pytest.raises(DirectoryUnavailable) as error:
            await directory.check_pin("anna", PIN)
        texts.append(str(error.value))

    texts: list[str] = []
    caplog.set_level(logging.DEBUG)
    with capture_logs() as lines:
        on_ldap(settings_for(server), tmp_path, story)
    server.start()
    stored = server.read(ANNA, "vmAriSetting")
    everything = "\n".join([*texts, str(lines), caplog.text, *stored])
    for secret in (PIN, "135791", PASSWORD):
        assert secret not in everything
    assert "v1." not in "".join(texts)


# --- Beside the settings


def test_what_others_keep_in_the_attribute_is_left_alone(server: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        await directory.change_settings("anna", {"language": "de", "folder": "INBOX/Voice"})
        await directory.change_settings("anna", {"language": "en", "folder": None, "gone": None})

    foreign = ["Likes: tea", "IXI-UMSMobilePIN=MTIzNDU="]
    lines = "\n".join(f"vmAriSetting: {text}" for text in foreign)
    server.modify(f"dn: {ANNA}\nchangetype: modify\nadd: vmAriSetting\n{lines}\n")
    on_ldap(settings_for(server), tmp_path, story)
    assert sorted(server.read(ANNA, "vmAriSetting")) == sorted(
        [*foreign, "language=en", "revision=1"]
    )


def test_our_class_is_added_when_it_is_needed(server: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        await directory.change_settings("bert", {"language": "de"})

    assert "vmAriUser" not in server.read(BERT, "objectClass")
    on_ldap(settings_for(server), tmp_path, story)
    assert "vmAriUser" in server.read(BERT, "objectClass")
    assert "language=de" in server.read(BERT, "vmAriSetting")


def test_a_value_that_does_not_fit_is_refused_before_anything_is_changed(
    server: Slapd, tmp_path: Path
) -> None:
    async def story(directory: UserDirectory) -> None:
        await directory.change_settings("anna", {"language": "de"})
        with pytest.raises(Unstorable, match="takes 40"):
            await directory.change_settings("anna", {"language": "en", "folder": "x" * 40})

    mapping = replace(DESCRIPTION, form=OneString(limit=40))
    on_ldap(settings_of(server, dn=ADMIN, mapping=mapping), tmp_path, story)
    assert server.read(ANNA, "description") == ["language=de"]


# --- Directories that cannot be changed


@pytest.mark.feature_part("DIR-04", "a directory that takes no changes is noticed")
def test_a_directory_that_takes_no_changes_says_so(server: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        for change in (
            directory.change_settings("anna", {"language": "de"}),
            directory.set_pin("anna", PIN),
            directory.set_numbers("anna", ["+498142479101", "+498142479109"], "109"),
            directory.remove_user("anna"),
        ):
            with pytest.raises(DirectoryReadOnly):
                await change
        assert await directory.user_by_number("+498142479101")

    on_ldap(settings_for(server, dn=READER), tmp_path, story)
    with slapd(unit("people") + person("anna"), settings="readonly on") as locked:

        async def one(directory: UserDirectory) -> None:
            with pytest.raises(DirectoryReadOnly):
                await directory.change_settings("anna", {"language": "de"})

        on_ldap(settings_for(locked), tmp_path, one)


@pytest.mark.feature_part("DIR-04", "the adapter")
def test_settings_beside_a_directory_that_takes_no_changes(server: Slapd, tmp_path: Path) -> None:
    async def change(directory: UserDirectory) -> None:
        await directory.change_settings("anna", {"time_zone": "Europe/Lisbon", "language": None})
        await directory.set_pin("anna", PIN)
        seen.extend([await directory.check_pin("anna", "0") for _ in range(3)])

    async def again(directory: UserDirectory) -> None:
        users = [await directory.user_by_number("+498142479101")]
        users += [await directory.user_by_id("anna"), (await directory.all_users())[0]]
        for user in users:
            assert user
            assert (user.language, user.time_zone) == ("en", "Europe/Lisbon")
        seen.extend([await directory.check_pin("anna", "0") for _ in range(3)])
        assert await directory.check_pin("anna", PIN) is PinCheck.LOCKED
        await directory.unlock("anna")
        assert await directory.check_pin("anna", PIN) is PinCheck.RIGHT
        assert await directory.check_pin("bert", PIN) is PinCheck.WRONG
        with pytest.raises(UnknownUser):
            await directory.change_settings("nobody", {"language": "de"})

    server.modify(f"dn: {ANNA}\nchangetype: modify\nadd: vmAriSetting\nvmAriSetting: language=de\n")
    url = f"sqlite:///{tmp_path}/local.db"
    settings = settings_of(server, dn=READER, local_settings=url)
    seen: list[PinCheck] = []
    on_ldap(settings, tmp_path / "keys", change)
    on_ldap(settings, tmp_path / "keys", again)
    assert seen == [PinCheck.WRONG] * 5 + [PinCheck.LOCKED]
    assert server.read(ANNA, "vmAriSetting") == ["language=de"]
    assert PIN.encode() not in (tmp_path / "local.db").read_bytes()


def test_local_changes_at_once_are_all_kept(server: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        other = UserDirectory(settings, directory._keys)
        await directory.set_pin("anna", PIN)
        both = (directory, other)
        await asyncio.gather(
            *(both[n % 2].change_settings("anna", {f"key_{n}": "x"}) for n in range(40)),
            *(both[n % 2].check_pin("anna", "0") for n in range(20)),
        )
        await other.close()
        entry = await directory.entry_by_id("anna")
        assert entry
        assert entry.settings == {f"key_{n}": "x" for n in range(40)}
        assert entry.pin_failures == 5

    settings = settings_of(server, dn=READER, local_settings=f"sqlite:///{tmp_path}/local.db")
    on_ldap(settings, tmp_path / "keys", story)
