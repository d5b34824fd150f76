"""What cannot be meant of missed calls is refused, with the key and what to do."""

import asyncio
from pathlib import Path

import pytest

from tests.docs.test_config import configured
from tests.fakes import FakeDirectory
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.config import BadConfig, Config
from vm_ari.domain.missed_calls import ListedNumber, NotFor, Tell
from vm_ari.ports import Notices
from vm_ari.wiring.missed_calls import MissedCallParts, open_missed_calls

MANAGER = '[manager]\nuser = "vm-ari"\nsecret = "x"\n'
CONTACTS = "[missed_calls.contacts]\n"


def opened(config: Config, notices: Notices) -> MissedCallParts:
    async def run() -> MissedCallParts:
        parts = open_missed_calls(config, FakeDirectory(), notices, SystemClock())
        await parts.close()
        return parts

    return asyncio.run(run())


class NoNotices:
    """Nobody is told."""

    async def tell(self, *_: object, **__: object) -> None:
        raise AssertionError("nobody is told")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            'tell = "some"',
            "missed_calls.tell: “some” does not fit; write nobody, first, last or all",
        ),
        (
            'not_for = ["strangers"]',
            "missed_calls.not_for.0: “strangers” does not fit",
        ),
        ('link_prefix = "javascript:"', "missed_calls.link_prefix: “javascript:” cannot stand"),
        ('link_prefix = "longerthan9:"', "write tel:, phone:, callto:, an own one of at most 9"),
        ('caller_as = "sender"', "missed_calls.caller_as: “sender”: string should match"),
        ('language = "../de"', "missed_calls.language: “../de”: write user, site, or a language"),
        ('numbers = ["*"]', "“*” lists every number; write tell = “nobody” instead"),
        ("shortest_seconds = -1", "missed_calls.shortest_seconds"),
        ("template = 1", "missed_calls.template: unknown key"),
        (CONTACTS + 'servers = ["ldaps://x"]', "contacts: bases: is missing; name the subtrees"),
        (CONTACTS + 'account = "cn=a"', "contacts: servers: is missing; or remove account"),
        (
            CONTACTS + 'bases = ["ou=c"]\nservers = ["ldaps://x"]\naccount = "cn=a"',
            "contacts: password_file or password: is missing",
        ),
    ],
)
def test_what_cannot_be_meant_is_named_when_it_is_read(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(BadConfig) as caught:
        configured(tmp_path, "[missed_calls]\n" + text)
    assert complaint in str(caught.value), caught.value


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[missed_calls]\ntell = "all"', "missed_calls.tell: calls are not followed; write user"),
        ('[missed_calls]\nnumbers = ["door"]', "missed_calls.numbers: “door” is not a telephone"),
        ('[missed_calls]\nurl = "nosuch://x"', "missed_calls.url: "),
        (CONTACTS + 'bases = ["ou=c"]', "contacts.servers: is missing; the users are not on LDAP"),
        (
            CONTACTS + 'bases = ["ou=c"]\nservers = ["http://x"]',
            "missed_calls.contacts: http://x: write ldaps://host",
        ),
        (
            CONTACTS + 'bases = ["ou=c"]\nservers = ["ldaps://x"]\nfilter = "(cn=x)"',
            "missed_calls.contacts.filter: The filter for contacts needs ${UMS}",
        ),
    ],
)
def test_what_does_not_fit_together_is_named_at_the_start(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(BadConfig) as caught:
        opened(configured(tmp_path, text), NoNotices())
    assert complaint in str(caught.value), caught.value


def test_by_default_nobody_is_told_and_nothing_runs(tmp_path: Path) -> None:
    url = f'[missed_calls]\nurl = "sqlite:///{tmp_path}/none.db"\n'
    parts = opened(configured(tmp_path, url), NoNotices())
    assert parts.calls.rules.tell is Tell.NOBODY
    assert not parts.on
    asyncio.run(parts.run())
    assert not (tmp_path / "none.db").exists()


def test_everything_can_be_set(tmp_path: Path) -> None:
    text = MANAGER + (
        '[site]\nbase_number = "+4930555"\nlanguage = "de"\n'
        '[missed_calls]\ntell = "first"\nnot_for = ["internal", "until-login"]\n'
        'numbers = ["199", "+49 30 555 7*"]\nlanguage = "site"\nlink_prefix = "none"\n'
        'caller_as = "from"\n'
        + CONTACTS
        + f'vcard = "{tmp_path}/book.vcf"\nbases = ["ou=contacts,dc=x"]\n'
        'servers = ["ldaps://directory.example.org"]\nattributes = { name = "displayName" }\n'
    )
    parts = opened(configured(tmp_path, text), NoNotices())
    rules, style = parts.calls.rules, parts.calls.writing.style
    assert parts.on
    assert rules.not_for == {NotFor.INTERNAL, NotFor.UNTIL_LOGIN}
    assert rules.listed == (ListedNumber("+4930555199"), ListedNumber("+49305557", whole=False))
    assert (style.language, style.prefix, style.caller_as) == ("de", "", "from")
    assert parts.address_book is not None
