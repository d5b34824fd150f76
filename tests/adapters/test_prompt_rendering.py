"""Rendering prompts with real engines, and rendering again only what changed."""

import importlib.util
import os
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from vm_ari.adapters import audio
from vm_ari.adapters.prompt_engines import EngineUnavailable, engine
from vm_ari.adapters.prompt_rendering import RATES, outdated, read_manifest, render
from vm_ari.adapters.prompt_texts import BadTexts, Prompt, read_texts
from vm_ari.cli.prompts import prompts as command

SOUNDS = Path(__file__).parents[2] / "sounds"
HEAD = "id,words,spoken\n"
HUM = """
import sys
from pathlib import Path
from vm_ari.adapters import audio
text = Path(sys.argv[1]).read_text(encoding="utf-8")
audio.write_wav(Path(sys.argv[2]), audio.tone(200 + len(text), 0.1 * len(text), 22050, -30), 22050)
"""
HUMMER = shlex.join([sys.executable, "-c", HUM]) + " {text_file} {out}"
"""A program that hums longer and higher the longer the text is: an engine like any other."""
needs_pico = pytest.mark.skipif(
    not (shutil.which("pico2wave") or importlib.util.find_spec("ttspico")),
    reason="neither pico2wave nor ttspico is installed",
)
needs_espeak = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="no espeak-ng")
KOKORO = os.environ.get("VM_ARI_KOKORO", "")
needs_kokoro = pytest.mark.skipif(not KOKORO, reason="VM_ARI_KOKORO is not the model's folder")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A language's folder with two texts and no sounds yet."""
    (tmp_path / "en").mkdir()
    texts = HEAD + "press,press,\nmenu/again,To hear this menu again,\n"
    (tmp_path / "en" / "texts.csv").write_text(texts, encoding="utf-8")
    return tmp_path / "en"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def hum(folder: Path, *more: str) -> list[str]:
    """The ids that were rendered."""
    sounds = ("--sounds", str(folder.parent), "--lang", folder.name)
    result = run("render", *sounds, "--engine", "command", "--from", HUMMER, *more)
    assert result.exit_code == 0, result.output
    return [line.partition(":")[0] for line in result.output.splitlines()]


def test_every_prompt_becomes_two_levelled_files(folder: Path) -> None:
    assert hum(folder) == ["press", "menu/again"]
    for suffix, rate in RATES.items():
        samples, found = audio.read(folder / f"menu/again{suffix}")
        assert found == rate
        assert audio.active_level(samples, rate) == pytest.approx(-19, abs=0.5)
        assert len(samples) / rate == pytest.approx(0.1 * len("To hear this menu again,"), abs=0.05)
    assert (folder.parent / "tones" / "beep.wav16").is_file()


def test_only_changed_prompts_are_rendered_again(folder: Path) -> None:
    hum(folder)
    assert hum(folder) == []
    texts = folder / "texts.csv"
    texts.write_text(texts.read_text().replace("this menu", "the menu"), encoding="utf-8")
    assert [prompt.id for prompt in outdated(folder)] == ["menu/again"]
    assert hum(folder) == ["menu/again"]
    assert outdated(folder) == []
    assert hum(folder, "--only", "press") == ["press"]
    assert hum(folder, "--voice", "other") == ["press", "menu/again"]


def test_a_lost_file_is_made_again(folder: Path) -> None:
    hum(folder)
    (folder / "press.wav16").unlink()
    assert hum(folder) == ["press"]


def test_files_of_a_prompt_that_is_gone_go_too(folder: Path) -> None:
    hum(folder)
    (folder / "texts.csv").write_text(HEAD + "press,press,\n", encoding="utf-8")
    assert hum(folder) == []
    assert not (folder / "menu" / "again.wav").exists()
    assert list(read_manifest(folder)) == ["press"]


def test_what_was_done_before_an_engine_failed_is_kept(folder: Path, tmp_path: Path) -> None:
    studio = tmp_path / "studio"
    studio.mkdir()
    audio.write_wav(studio / "press.wav", audio.tone(300, 1, 8000, -20), 8000)
    voice = engine("recordings", "en", None, str(studio))
    with pytest.raises(EngineUnavailable, match="menu/again"):
        list(render(folder, list(read_texts(folder).values()), voice))
    assert list(read_manifest(folder)) == ["press"]
    assert audio.wav_seconds(folder / "press.wav") > 0.9


@pytest.mark.feature("SPEECH-01")
def test_a_site_can_record_a_prompt_again_without_touching_the_code(
    folder: Path, tmp_path: Path
) -> None:
    hum(folder)
    studio = tmp_path / "studio"
    (studio / "menu").mkdir(parents=True)
    take = np.concatenate([np.zeros(48_000), audio.tone(700, 2, 48_000, -6), np.zeros(48_000)])
    audio.write_wav(studio / "menu" / "again.wav", take, 48_000)
    sounds = ("--sounds", str(folder.parent), "--lang", "en", "--only", "menu/again")
    result = run("render", *sounds, "--engine", "recordings", "--from", str(studio))
    assert result.exit_code == 0, result.output
    for suffix, rate in RATES.items():
        samples, _ = audio.read(folder / f"menu/again{suffix}")
        assert len(samples) / rate == pytest.approx(2.15, abs=0.05)
        assert audio.active_level(samples, rate) == pytest.approx(-19, abs=0.5)
    assert outdated(folder) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("false {text_file} {out}", "false failed"),
        ("no-such-program {text_file} {out}", "no-such-program is not installed"),
        ("true {text_file} {out}", "out.wav: cannot be read"),
        ("true {out}", "needs {text_file}"),
    ],
)
def test_a_program_that_does_not_work_is_named(folder: Path, line: str, reason: str) -> None:
    sounds = ("--sounds", str(folder.parent), "--lang", "en")
    result = run("render", *sounds, "--engine", "command", "--from", line)
    assert result.exit_code == 1
    assert reason in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("name", ["kokoro", "command", "recordings", "unheard-of"])
def test_an_engine_that_lacks_something_says_so(name: str) -> None:
    with pytest.raises(EngineUnavailable, match=name):
        engine(name, "en", None, None)


def test_other_weights_than_the_known_ones_are_refused(tmp_path: Path) -> None:
    (tmp_path / "kokoro-quantized.onnx").write_bytes(b"not the model")
    with pytest.raises(EngineUnavailable, match="not the model that this project knows"):
        engine("kokoro", "en", None, str(tmp_path))


@needs_pico
def test_pico_still_says_what_was_committed() -> None:
    texts = read_texts(SOUNDS / "de")
    voice = engine("pico", "de", None, None)
    for id_ in ("digits/21", "enter-pin", "moment/at-14"):
        samples, rate = voice.speak(texts[id_])
        committed, _ = audio.read(SOUNDS / "de" / f"{id_}.wav16")
        assert rate == 16_000
        fresh = audio.trim(audio.highpass(samples, rate), rate)
        assert np.corrcoef(fresh, committed)[0, 1] > 0.98


@needs_espeak
def test_espeak_speaks() -> None:
    samples, rate = engine("espeak", "de", None, None).speak(Prompt("x", "Guten Tag"))
    assert audio.speech_seconds(samples, rate) > 0.3


@needs_kokoro
def test_kokoro_still_says_what_was_committed() -> None:
    texts = read_texts(SOUNDS / "en")
    voice = engine("kokoro", "en", None, KOKORO)
    for id_ in ("digits/2", "goodbye"):
        samples, rate = voice.speak(texts[id_])
        committed, _ = audio.read(SOUNDS / "en" / f"{id_}.wav16")
        fresh = audio.highpass(audio.resample(samples, rate, 16_000), 16_000)
        fresh = audio.trim(fresh, 16_000)
        assert np.corrcoef(fresh, committed)[0, 1] > 0.98


@pytest.mark.parametrize(
    ("words", "spoken", "utterance", "plain"),
    [
        ("two", "", "Two.", "Two."),
        ("You have", "", "You have,", "You have,"),
        ("new voice messages", "", "New voice messages.", "New voice messages."),
        ("Goodbye.", "", "Goodbye.", "Goodbye."),
        ("your PIN", "your pin", "Your pin.", "Your pin."),
        ("two", "[tˌu].", "[tˌu].", "Two."),
    ],
)
def test_engines_get_what_they_speak_well(
    words: str, spoken: str, utterance: str, plain: str
) -> None:
    prompt = Prompt("id", words, spoken)
    assert (prompt.utterance, prompt.plain_utterance) == (utterance, plain)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("id;words\n", "first line"),
        (HEAD + "press,,\n", "texts.csv:2"),
        (HEAD + "press,press,\npress,press,\n", "texts.csv:3"),
        (HEAD + "press\n", "texts.csv:2"),
    ],
)
def test_bad_texts_are_shown_with_their_line(tmp_path: Path, content: str, place: str) -> None:
    (tmp_path / "texts.csv").write_text(content, encoding="utf-8")
    with pytest.raises(BadTexts, match=place):
        read_texts(tmp_path)


def test_missing_names_every_hole(folder: Path) -> None:
    (folder / "texts.csv").write_text(HEAD + "press,press,\nodd,odd,\n", encoding="utf-8")
    hum(folder, "--only", "odd")
    (folder.parent / "tones" / "beep.wav").unlink()
    result = run("missing", "--sounds", str(folder.parent), "--lang", "en")
    lines = result.output.splitlines()
    assert result.exit_code == 1
    assert "en/digits/7: no words in texts.csv" in lines
    assert "en/press: not rendered" in lines
    assert "en/odd: nobody says it" in lines
    assert "tones/beep: no file" in lines
    assert "en/odd: not rendered" not in lines


def test_missing_is_content_with_what_ships() -> None:
    result = run("missing")
    assert (result.exit_code, result.output) == (0, "Nothing is missing.\n")


def test_the_list_is_what_a_speaker_needs() -> None:
    lines = run("list", "--lang", "de").output.splitlines()
    assert "de/goodbye\tAuf Wiederhören." in lines
    assert len(lines) == len(read_texts(SOUNDS / "de"))


def test_a_prompt_that_does_not_exist_is_a_usage_error(folder: Path) -> None:
    sounds = ("--sounds", str(folder.parent), "--lang", "en", "--only", "prss")
    result = run("render", *sounds, "--engine", "command", "--from", HUMMER)
    assert result.exit_code == 2
    assert "no prompt prss" in result.output


def test_a_beep_of_the_site_is_kept(folder: Path) -> None:
    beep = folder.parent / "tones" / "beep.wav"
    beep.parent.mkdir()
    beep.write_bytes(b"the site's own")
    hum(folder)
    assert beep.read_bytes() == b"the site's own"
    assert audio.wav_seconds(beep.with_suffix(".wav16")) == 0.35


def test_an_unknown_language_is_a_usage_error() -> None:
    result = run("list", "--lang", "tlh")
    assert result.exit_code == 2
    assert "there are: de, en" in result.output
