"""Settings of calling back: what counts by itself, what can be chosen, what is refused."""

import tomllib
from pathlib import Path

import pytest

from vm_ari.config import BadConfig, Config, load
from vm_ari.domain.call_back import CallBackRules, Shown

PAGE = Path(__file__).parents[2] / "docs" / "listening.md"


def configured(base: Path, text: str) -> Config:
    file = base / "vm-ari.toml"
    file.write_text(f'[asterisk]\npassword = "x"\n{text}')
    return load(file)


def rules(base: Path, text: str) -> CallBackRules:
    config = configured(base, text)
    return config.call_back.rules(config.dialling_rules())


@pytest.mark.feature_part("INBOX-09", "off by default for outside destinations")
def test_the_page_shows_what_counts_by_itself(tmp_path: Path) -> None:
    blocks = PAGE.read_text(encoding="utf-8").split("```toml\n")[1:]
    [example] = [text for block in blocks if "[call_back]" in (text := block.partition("```")[0])]
    assert rules(tmp_path, example) == rules(tmp_path, "") == CallBackRules()
    assert tomllib.loads(example)["call_back"].keys() == {"outside", "per_day", "shown"}


def test_everything_can_be_chosen(tmp_path: Path) -> None:
    found = rules(tmp_path, '[call_back]\noutside = true\nper_day = 0\nshown = "nobody"\n'
                            '[dialling]\nrules = ["deny mobile"]')  # fmt: skip
    assert (found.outside, found.per_day, found.shown) == (True, 0, Shown.NOBODY)
    assert [str(rule) for rule in found.dialling.rules] == ["deny mobile"]


@pytest.mark.parametrize("line", ["per_day = -1", 'shown = "everybody"', "inside = true"])
def test_anything_else_is_refused_by_name(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadConfig, match=rf"call_back\.{line.partition(' ')[0]}"):
        configured(tmp_path, f"[call_back]\n{line}")
