"""Settings of the manager interface: who we are there, and how the phones are called."""

import asyncio
from pathlib import Path

import pytest

from tests.docs.test_config_listening import configured
from vm_ari.adapters.asterisk.configuration import shipped_configuration
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.config import BadConfig
from vm_ari.config.manager import ManagerSettings
from vm_ari.domain.ringing import RungCall
from vm_ari.wiring.asterisk import lamp_settings, manager_account
from vm_ari.wiring.ringing import open_ringing, phone_numbers

PAGE = Path(__file__).parents[2] / "docs" / "asterisk.md"


async def nobody(_: RungCall) -> None:
    """Is told of nothing."""


def test_without_an_account_no_calls_are_followed(tmp_path: Path) -> None:
    config = configured(tmp_path, "")
    assert manager_account(config) is None
    ringing = open_ringing(config, SystemClock(), nobody)
    asyncio.run(ringing.run())
    assert ringing.follower is None


def test_lamps_and_calls_share_the_account(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("deep\nand not this\n")
    secret.chmod(0o600)
    text = f'[manager]\nhost = "pbx"\nport = 5039\nuser = "vm-ari"\nsecret_file = "{secret}"'
    config = configured(tmp_path, text)
    account = manager_account(config)
    assert account == lamp_settings(config).manager
    assert account is not None
    assert (account.host, account.port, account.user, account.secret) == (
        *("pbx", 5039, "vm-ari", "deep"),
    )
    assert "deep" not in repr(account) + repr(config)


def test_phones_that_are_called_differently(tmp_path: Path) -> None:
    text = (
        '[manager]\nphone_pattern = "SIP/p(?P<number>[0-9]+)"\nphones = {desk = "030 999888"}\n'
        '[site]\nregion = "DE"\nbase_number = "+4930555"'
    )
    numbers = phone_numbers(configured(tmp_path, text))
    assert numbers.of("SIP/p101-0001") == "+4930555101"
    assert numbers.of("PJSIP/desk-0001") == "+4930999888"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('user = "vm-ari"', "secret_file: is missing"),
        ('user = "vm-ari"\nsecret_file = "/nowhere"', "secret_file: /nowhere"),
        ('secret = "a"\nsecret_file = "/nowhere"\nuser = "b"', "there is a secret_file, too"),
        ('phone_pattern = "("', "is no regular expression"),
        ('phone_pattern = "PJSIP/(.*)"', r"put \(\?P<number>"),
        ("port = 0", "port"),
    ],
)
def test_what_cannot_be_is_refused(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=told):
        configured(tmp_path, f"[manager]\n{text}")


def test_a_phone_needs_a_number(tmp_path: Path) -> None:
    config = configured(tmp_path, '[manager]\nphones = {desk = "anna"}')
    with pytest.raises(BadConfig, match=r"manager\.phones\.desk: “anna” is no number"):
        phone_numbers(config)


def test_the_page_names_every_key() -> None:
    page = PAGE.read_text(encoding="utf-8")
    section = page.partition("## Following calls")[2].partition("\n## ")[0]
    assert all(f"`{key}`" in section for key in ManagerSettings.model_fields)
    default = ManagerSettings.model_fields["phone_pattern"].default
    assert f"`{default}`" in section


def test_the_shipped_account_is_the_one_of_the_page() -> None:
    shipped = (shipped_configuration() / "manager_vm_ari.conf").read_text(encoding="utf-8")
    rights = [line for line in shipped.splitlines() if line.startswith(("read", "write "))]
    assert rights == ["read = call", "write = reporting"]
