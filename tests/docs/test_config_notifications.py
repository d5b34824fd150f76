"""Settings of notices: what counts by itself, what can be chosen, what is refused."""

import tomllib
from pathlib import Path

import pytest

from vm_ari.config import BadConfig, Config, load
from vm_ari.domain.preferences import ABOUT_NOTICES, SETTINGS

PAGE = Path(__file__).parents[2] / "docs" / "notifications.md"


def configured(base: Path, text: str) -> Config:
    file = base / "vm-ari.toml"
    file.write_text(f'[asterisk]\npassword = "x"\n{text}')
    return load(file)


def blocks() -> list[str]:
    parts = PAGE.read_text(encoding="utf-8").split("```toml\n")[1:]
    return [part.partition("```")[0] for part in parts]


@pytest.mark.feature_part("NOTIFY-05", "sender and recipient numbers are settings")
def test_the_page_shows_what_counts_by_itself(tmp_path: Path) -> None:
    [shown] = [block for block in blocks() if "[defaults]" in block]
    texts = configured(tmp_path, shown).defaults
    assert texts.keys() == {setting.key for setting in ABOUT_NOTICES}
    for key, text in texts.items():
        assert SETTINGS[key].parse(text) == SETTINGS[key].default, key


def test_the_locations_of_the_page_can_be_configured(tmp_path: Path) -> None:
    [shown] = [block for block in blocks() if "[dialling.locations]" in block]
    config = configured(tmp_path, shown)
    assert config.dialling.locations == {"berlin": "PJSIP/{number}@berlin"}
    table = config.notifications
    assert (table.location_attribute, table.header) == ("l", "X-Location")
    assert tomllib.loads(shown)["notifications"].keys() == type(table).model_fields.keys()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[notifications]\nheader = "Subject"', "header"),
        ('[notifications]\nheader = "X-A: b"', "header"),
        ('[notifications]\nlocation_attribute = "l)(uid=*"', "location_attribute"),
        ('[dialling.locations]\nulm = "PJSIP/ulm"', "locations"),
        ('[dialling.locations]\nulm = "Local/{number}@ulm"', "locations"),
        ('[defaults]\nnotify_voice = "telegram"', "notify_voice"),
        ('[defaults]\nnotify_voice_from = "0"', "notify_voice_from"),
        ('[defaults]\nsms_sender = "far too long a name"', "sms_sender"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(BadConfig, match=key):
        configured(tmp_path, text)
