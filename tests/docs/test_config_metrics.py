"""Metrics reach another machine with a token only, and the token is told to nobody."""

from pathlib import Path

import pytest

from tests.docs.test_config import configured
from vm_ari.config import BadConfig

TOKEN = "0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('enabled = true\naddress = "0.0.0.0"', "0.0.0.0 can be reached by others"),
        ('enabled = true\naddress = "monitor.example.org"', "name a token_file"),
        ('token = "short"', "at least 16 letters and digits"),
        (f'token = "{TOKEN} x"', "at least 16 letters and digits"),
        (f'token = "{TOKEN}"\ntoken_file = "/x"', "there is a token_file, too"),
        ('token_file = "/nowhere"', "/nowhere: No such file"),
        ("port = 70000", "metrics.port"),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(BadConfig) as caught:
        configured(tmp_path, "[metrics]\n" + text)
    assert complaint in str(caught.value)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
def test_on_this_machine_everybody_may_ask(tmp_path: Path, address: str) -> None:
    table = configured(tmp_path, f'[metrics]\nenabled = true\naddress = "{address}"\n').metrics
    assert (table.enabled, table.bearer()) == (True, "")


def test_the_token_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    text = f'[metrics]\nenabled = true\naddress = "0.0.0.0"\ntoken_file = "{file}"\n'
    assert configured(tmp_path, text).metrics.bearer() == TOKEN
