"""Settings of hearing messages: what can be chosen, and what is refused."""

import tomllib
from itertools import dropwhile, takewhile
from pathlib import Path

import pytest

from vm_ari.config import BadConfig, Config, load
from vm_ari.domain.settings import Deletion, InformationOrder
from vm_ari.telephony.menu import Action, load_key_map

PAGE = Path(__file__).parents[2] / "docs" / "listening.md"


def configured(base: Path, text: str) -> Config:
    file = base / "vm-ari.toml"
    file.write_text(f'[asterisk]\npassword = "x"\n{text}')
    return load(file)


def test_the_page_shows_what_counts_by_itself(tmp_path: Path) -> None:
    example = PAGE.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    shown = configured(tmp_path, example).rules()
    assert shown == configured(tmp_path, "").rules()
    assert tomllib.loads(example)["calls"].keys() == {
        *("information_order", "options_after_message", "delete")
    }


@pytest.mark.feature_part("INBOX-03", "the order is a setting of the site")
@pytest.mark.parametrize("order", InformationOrder)
def test_the_order_can_be_chosen(tmp_path: Path, order: InformationOrder) -> None:
    config = configured(tmp_path, f'[calls]\ninformation_order = "{order}"')
    assert config.rules().information_order is order
    assert f"{order}" in PAGE.read_text(encoding="utf-8")


@pytest.mark.feature_part("INBOX-06", "what deleting means is a setting of the site")
@pytest.mark.parametrize("deletion", Deletion)
def test_what_deleting_means_can_be_chosen(tmp_path: Path, deletion: Deletion) -> None:
    config = configured(tmp_path, f'[calls]\ndelete = "{deletion}"')
    assert config.rules().deletion is deletion


@pytest.mark.parametrize("line", ['information_order = "sender"', 'delete = "forever"'])
def test_anything_else_is_refused_by_name(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadConfig, match=rf"calls\.{line.partition(' ')[0]}"):
        configured(tmp_path, f"[calls]\n{line}")


def test_the_page_tells_the_keys_of_the_default_map() -> None:
    keys, page = load_key_map(), PAGE.read_text(encoding="utf-8")
    rows = table(page, "## Keys")
    told = {
        Action.PAUSE: "pause",
        Action.REWIND: "back",
        Action.FORWARD: "ahead",
        Action.SLOWER: "slower",
        Action.FASTER: "faster",
        Action.REPLY: "reply",
        Action.FORWARD_MESSAGE: "forward",
        Action.REPEAT: "again",
        Action.KEEP_NEW: "as new",
        Action.DELETE: "delete",
        Action.OPTIONS: "all keys",
        Action.DETAILS: "from whom",
        Action.BACK: "main menu",
        Action.SKIP: "next part",
    }
    for action, words in told.items():
        assert words in rows[keys[action]], action
    assert f"{keys[Action.PREVIOUS]}, {keys[Action.NEXT]}" in rows


def test_the_page_tells_the_keys_behind_the_tone() -> None:
    keys, page = load_key_map(), PAGE.read_text(encoding="utf-8")
    told = {
        Action.DISPATCH: "send",
        Action.HEAR_SPOKEN: "listen",
        Action.SPEAK: "record",
        Action.SENDING_URGENT: "urgent",
        Action.DISCARD: "discard",
    }
    rows = table(page, "before a comment:")
    assert {keys[action] for action in told} == rows.keys() - {"key", "---"}
    for action, words in told.items():
        assert words in rows[keys[action]], action


def table(page: str, heading: str) -> dict[str, str]:
    """The rows of the first table behind it, by key."""
    _, _, rest = page.partition(heading)
    rows = dropwhile(lambda line: not line.startswith("| "), rest.splitlines())
    lines = takewhile(lambda line: line.startswith("| "), rows)
    return {line.split("|")[1].strip(" `"): line for line in lines}
