"""What cannot be meant of watching is refused, with the key and what to do."""

from pathlib import Path

import pytest

from tests.docs.test_config import configured
from vm_ari.config import BadConfig

TOKEN = "sixteen-letters-"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("push_port = 8766", "push_token: with a push_port it is needed"),
        ('push_port = 8766\npush_token = "short"', "at least 16 characters"),
        (f'push_port = 8766\npush_token = "{TOKEN} x"', "write letters and digits only"),
        (f'push_token = "{TOKEN}"\npush_token_file = "/x"', "there is a push_token_file, too"),
        ('push_token_file = "/nowhere"', "/nowhere: No such file"),
        ("most_idle = -1", "watching.most_idle"),
        ("idle_minutes = 30", "watching.idle_minutes"),
        ("round_minutes = 0", "watching.round_minutes"),
        ("push = true", "watching.push: unknown key"),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(BadConfig) as caught:
        configured(tmp_path, "[watching]\n" + text)
    assert complaint in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_the_token_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    text = f'[watching]\npush_port = 8766\npush_token_file = "{file}"\n'
    assert configured(tmp_path, text).watching.token() == TOKEN
