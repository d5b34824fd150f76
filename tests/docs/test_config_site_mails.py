"""What cannot be meant of mails to the system is refused, with the key and what to do."""

from pathlib import Path

import pytest

from tests.docs.test_config import configured
from vm_ari.config import BadConfig


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('lamp_off = "lamp-off"', "site_mails.lamp_off"),
        ('lamp_off = "a b@example.org"', "site_mails.lamp_off"),
        ('lamp_off = "lamp+off@example.org"', "site_mails.lamp_off"),
        ('trusted = ["mail.example.org"]', "“mail.example.org”: 'mail.example.org' does not"),
        ('trusted = ["192.0.2.1/24"]', "write 192.0.2.25 or 192.0.2.0/24"),
        ("trusted = []", "site_mails.trusted"),
        ('authentication = "mx example"', "site_mails.authentication"),
        ("port = 0", "site_mails.port"),
        ("lampoff = 1", "site_mails.lampoff: unknown key"),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(BadConfig) as caught:
        configured(tmp_path, "[site_mails]\n" + text)
    assert complaint in str(caught.value), caught.value


def test_without_an_address_nothing_listens(tmp_path: Path) -> None:
    table = configured(tmp_path, "").site_mails
    assert (table.addresses, table.host) == ((), "127.0.0.1")
    assert [str(network) for network in table.networks()] == ["127.0.0.1/32", "::1/128"]
