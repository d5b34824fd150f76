"""The guide of the telephone menus: never stale, one or two pages, readable, in every language."""

import shutil
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from vm_ari.adapters.templates import MailTemplates
from vm_ari.adapters.user_guide import GuideUnwritable, read_words, user_guide
from vm_ari.config import shared_files
from vm_ari.dialogues.conference import MENU_KEY
from vm_ari.dialogues.guide import guide
from vm_ari.domain.guide import Guide
from vm_ari.domain.settings import Hideable
from vm_ari.speech.language import languages
from vm_ari.telephony.menu import Action, KeyMap, load_key_map

SHARED = shared_files()
TEMPLATES = MailTemplates(SHARED / "templates")
SOUNDS = SHARED / "sounds"
KEYS = load_key_map()
NOT_PRINTED = {
    Action.OPERATOR,  # only some sites have one, and the greeting says so
    Action.CONFIRM,  # a question that names its keys
    Action.CONFIRM_BACK,
    *(Action.AS_FAX, Action.AS_VOICE, Action.LINE_BACK),
    *(Action.MORE_LETTERS, Action.NAMES_BACK),
    Action.LANGUAGES_BACK,  # the languages themselves have no keys of their own
}
each_language = pytest.mark.parametrize("code", languages())


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def made(keys: KeyMap = KEYS, code: str = "en", **how: object) -> str:
    pages = guide(keys, **how)  # type: ignore[arg-type]
    return text_of(user_guide(pages, code, TEMPLATES, SOUNDS))


def words(text: str) -> str:
    return " ".join(text.split())


def test_every_key_of_every_menu_is_in_the_guide() -> None:
    printed = {line.action for chapter in guide(KEYS).chapters for line in chapter.lines}
    assert {action.value for action in set(Action) - NOT_PRINTED} == printed


@each_language
def test_every_language_has_words_for_all_of_it(code: str) -> None:
    pages = guide(KEYS)
    there = read_words(pages, code, TEMPLATES)
    assert there.chapters.keys() == {chapter.name for chapter in pages.chapters}
    lines = {line.action for chapter in pages.chapters for line in chapter.lines}
    assert lines <= there.lines.keys()


@each_language
def test_it_is_a_page_or_two_of_a4_in_that_language(code: str) -> None:
    pdf = user_guide(guide(KEYS), code, TEMPLATES, SOUNDS)
    reader = PdfReader(BytesIO(pdf))
    assert 1 <= len(reader.pages) <= 2
    assert [round(side) for side in reader.pages[0].mediabox[2:]] == [595, 842]
    assert str(reader.root_object["/Lang"]) == code
    there = read_words(guide(KEYS), code, TEMPLATES)
    assert reader.metadata is not None
    assert str(reader.metadata.title).startswith(there.title)
    text = words(text_of(pdf))
    for chapter in guide(KEYS).chapters:
        assert words(there.chapters[chapter.name]) in text


def test_it_is_the_same_as_long_as_nothing_changes() -> None:
    first, second = (user_guide(guide(KEYS), "de", TEMPLATES, SOUNDS) for _ in range(2))
    assert first == second


def test_other_keys_are_other_keys_in_the_guide() -> None:
    moved = KeyMap("moved", {**KEYS.keys, Action.NEW_VOICE: "9"})
    [main] = [c for c in guide(moved).chapters if c.name == "main"]
    assert main.lines[0].key == "9"
    lines = [line.strip() for line in made(moved).splitlines()]
    assert lines[lines.index("new voice messages") - 1] == "9"


def test_what_the_site_hides_is_not_printed() -> None:
    assert "set up the transfer" in made()
    hidden = made(KEYS.hiding({Hideable.TRANSFER, Hideable.DELETE_ALL_GREETINGS}))
    assert "set up the transfer" not in hidden
    assert "delete all greetings" not in hidden


def test_who_only_changes_settings_reads_nothing_of_messages() -> None:
    text = made(messages=False)
    assert "new voice messages" not in text
    assert "After a message" not in text
    assert "record and change greetings" in text


def test_the_keys_of_a_conference_are_told_with_the_one_that_opens_its_menu() -> None:
    text = words(made())
    assert f"In a conference, after the key {MENU_KEY} 1 mute yourself" in text
    assert "9 moderators: end it for everybody" in text
    assert "7 remove from the conference" in text


def test_where_nothing_can_be_sent_nothing_is_said_of_it() -> None:
    assert {"record and send a message", "reply", "spell a name"} <= {*made().splitlines()}
    without = made(sending=False)
    assert not {"record and send a message", "reply", "spell a name"} & {*without.splitlines()}
    assert "delete, or bring back" in without


def test_it_says_how_to_log_in() -> None:
    assert "press\u00a0* during the greeting" in words(made()).replace("press *", "press\u00a0*")
    assert "Dial 555 199." in words(made(login_number="555 199"))


def test_one_sentence_tells_of_the_key_that_leads_back_where_it_is_the_same() -> None:
    assert "leads one level back in every menu" in words(made())
    several = KeyMap("several", {**KEYS.keys, Action.TYPE_BACK: "#"})
    text = words(made(several))
    assert "leads one level back" not in text
    assert text.count(" back") > words(made()).count(" back")


def site(tmp_path: Path, text: str) -> MailTemplates:
    folder = tmp_path / "templates" / "guide" / "en"
    folder.mkdir(parents=True)
    (folder / "guide.toml").write_text(text, encoding="utf-8")
    return MailTemplates(tmp_path / "templates")


def shipped(code: str = "en") -> str:
    return (SHARED / "templates" / "guide" / code / "guide.toml").read_text(encoding="utf-8")


def test_a_menu_without_words_of_its_own_reads_as_it_is_spoken(tmp_path: Path) -> None:
    text = "\n".join(x for x in shipped().splitlines() if not x.startswith('"main.new_voice"'))
    pdf = user_guide(guide(KEYS), "en", site(tmp_path, text), SOUNDS)
    assert "For new voice messages" in words(text_of(pdf))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("title = ", "guide.toml: "),
        ("title = 'x'", "there is no subtitle; write one"),
        ("{% for %}", "guide.toml: "),
        ("{{ ''.__class__.__mro__ }}", "guide.toml: "),
    ],
)
def test_words_that_cannot_be_used_are_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(GuideUnwritable, match=complaint):
        user_guide(guide(KEYS), "en", site(tmp_path, text), SOUNDS)


def test_words_that_look_like_markup_are_words(tmp_path: Path) -> None:
    text = shipped().replace("Quick guide", "<b>Q & A</b> </para>")
    text = text.replace("new voice messages", "new <i>voice</i> & <img src='file:///etc/passwd'>")
    pdf = text_of(user_guide(guide(KEYS), "en", site(tmp_path, text), SOUNDS))
    assert "<b>Q & A</b> </para>" in pdf
    assert "new <i>voice</i> & <img" in words(pdf)


def test_letters_beyond_western_europe_are_printed(tmp_path: Path) -> None:
    if not shutil.which("fc-list") and not Path("/usr/share/fonts/truetype/dejavu").is_dir():
        pytest.skip("no DejaVu fonts here")
    text = shipped().replace("Your mailbox on the phone", "Skrzynka głosowa – ščř")
    assert "Skrzynka głosowa – ščř" in text_of(
        user_guide(guide(KEYS), "en", site(tmp_path, text), SOUNDS)
    )


def test_a_language_that_nobody_speaks_gets_english() -> None:
    assert made(code="xx") == made(code="en")


def test_a_guide_without_chapters_is_still_one() -> None:
    empty = Guide((), guide(KEYS).keys)
    assert "How to log in" in text_of(user_guide(empty, "en", TEMPLATES, SOUNDS))
