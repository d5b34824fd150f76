"""Settings of what is read aloud: what can be chosen, and what is refused."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.test_config_listening import PAGE, configured
from vm_ari.config import BadConfig
from vm_ari.config.inbox import InboxSettings
from vm_ari.domain.kind_rules import KindRule
from vm_ari.domain.messages import ListOrder, MessageKind


def examples() -> list[dict[str, object]]:
    """What the page shows of this table."""
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [tomllib.loads(block) for block in blocks if "inbox" in block]


def test_the_page_shows_what_counts_by_itself_and_everything() -> None:
    table, rules = (example["inbox"] for example in examples())
    assert InboxSettings.model_validate(table) == InboxSettings()
    assert isinstance(table, dict)
    assert table.keys() == InboxSettings.model_fields.keys()
    [rule] = InboxSettings.model_validate(rules).kind_rules()
    assert rule == KindRule("Subject", "Fax from *", MessageKind.FAX)


@pytest.mark.feature_part("INBOX-10", "mails and faxes are switched off by the site, or a user")
def test_order_and_switches_reach_the_dialogues(tmp_path: Path) -> None:
    text = '[inbox]\norder = "oldest-first"\nread_faxes = false'
    config = configured(tmp_path, text)
    assert config.rules().list_order is ListOrder.OLDEST_FIRST
    assert config.user_defaults()["read_faxes"] == "no"
    assert "read_mails" not in config.user_defaults()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[inbox]\norder = "random"', r"inbox\.order"),
        ('[inbox]\nlanguages = ["German"]', r"inbox\.languages: “German” is no language"),
        ('[[inbox.rules]]\nheader = "Subject"\nkind = "fax"', r"inbox\.rules\.0\.pattern"),
        (
            '[[inbox.rules]]\nheader = "Subject"\npattern = "*"\nkind = "fax"',
            r"inbox\.rules\.0: “\*” says nothing",
        ),
        (
            '[[inbox.rules]]\nheader = "A B"\npattern = "x"\nkind = "fax"',
            r"inbox\.rules\.0: “A B” is no header field",
        ),
    ],
)
def test_anything_else_is_refused_by_name(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadConfig, match=words):
        configured(tmp_path, text)
