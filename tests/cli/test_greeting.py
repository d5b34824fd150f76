"""``vm-ari greeting`` and ``vm-ari global-greeting``, on real stores."""

import io
import json
import shutil
import socket
from pathlib import Path

import pytest
import soundfile

from tests.adapters.greeting_sounds import pitch, speech_like
from tests.cli.greeting_site import with_greetings
from tests.cli.site import CliSite
from vm_ari.adapters import audio

needs_espeak = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="no espeak-ng")


@pytest.fixture
def anna(people: CliSite) -> CliSite:
    """Anna speaks German and lives in Berlin."""
    with_greetings(people)
    people.run("users", "set", "anna", "language=de", "time_zone=Europe/Berlin")
    return people


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return speech_like(tmp_path / "greeting.wav", 2.0)


@pytest.mark.feature("GREET-09")
def test_import_list_show_export(anna: CliSite, file: Path, tmp_path: Path) -> None:
    anna.run("greeting", "import", "anna", "work", file)
    anna.run("greeting", "import", "030/555-101", "vacation", file, "--lang", "en")
    rows = anna.ask("greeting", "list", "anna")
    assert [(r["slot"], r["language"], r["source"]) for r in rows] == [
        ("work", "de", "upload"),
        ("vacation", "en", "upload"),
    ]
    [shown] = anna.ask("greeting", "show", "anna", "work")
    assert shown == rows[0]
    assert shown["seconds"] == pytest.approx(2.0, abs=0.2)
    copy = tmp_path / "copy.wav"
    anna.run("greeting", "export", "anna", "work", copy)
    assert audio.read(copy)[1] == 16_000
    assert pitch(copy) == pytest.approx(440, abs=5)
    piped = anna.run("greeting", "export", "anna", "work", "-")
    assert soundfile.read(io.BytesIO(piped.stdout_bytes))[1] == 16_000
    assert anna.run("greeting", "list", "bert", "-o", "tsv").stdout.splitlines() == [
        "slot\tlanguage\tseconds\trecorded\tsource\texpires"
    ]


def test_what_was_exported_can_be_imported_again(anna: CliSite, file: Path, tmp_path: Path) -> None:
    anna.run("greeting", "import", "anna", "work", file)
    anna.run("greeting", "export", "anna", "work", tmp_path / "copy.wav")
    anna.run("greeting", "import", "bert", "work", tmp_path / "copy.wav", "--lang", "de")
    [one], [other] = (anna.ask("greeting", "list", who) for who in ("anna", "bert"))
    assert one["seconds"] == pytest.approx(other["seconds"], abs=0.1)


@pytest.mark.feature("GREET-09")
@needs_espeak
def test_a_text_becomes_the_greeting(anna: CliSite) -> None:
    anna.run("greeting", "tts", "anna", "work", "Guten Tag. Hier ist Anna Größe.")
    anna.run("greeting", "tts", "anna", "home", "-", typed="Guten Tag, ich bin zu Hause.\n")
    rows = anna.ask("greeting", "list", "anna")
    assert [(r["slot"], r["source"]) for r in rows] == [("work", "speech"), ("home", "speech")]
    assert all(1 < r["seconds"] < 10 for r in rows)


@pytest.mark.feature_part("GREET-05", "delete one, delete all")
def test_delete_one_and_all(anna: CliSite, file: Path) -> None:
    for profile in ("work", "home", "name"):
        anna.run("greeting", "import", "anna", profile, file)
    anna.run("greeting", "delete", "anna", "work")
    assert [r["slot"] for r in anna.ask("greeting", "list", "anna")] == ["home", "name"]
    assert "2 greetings" in anna.run("greeting", "delete", "anna", "--all").stdout
    assert anna.ask("greeting", "list", "anna") == []
    assert "no greeting “work”" in anna.run("greeting", "delete", "anna", "work", code=1).stderr
    anna.run("greeting", "delete", "anna", code=2)
    anna.run("greeting", "delete", "anna", "work", "--all", code=2)


@pytest.mark.feature_part("GREET-10", "a greeting carries an end date")
def test_an_end_is_the_owners_midnight(anna: CliSite, file: Path) -> None:
    anna.run("greeting", "import", "anna", "work", file, "--until", "2031-06-30")
    [row] = anna.ask("greeting", "list", "anna")
    assert row["expires"] == "2031-07-01T00:00+02:00"
    [row] = anna.ask("greeting", "expire", "anna", "work", "2031-12-24T18:00")
    assert row["expires"] == "2031-12-24T18:00+01:00"
    [row] = anna.ask("greeting", "expire", "anna", "work", "never")
    assert row["expires"] is None
    wrong = anna.run("greeting", "expire", "anna", "work", "tomorrow", code=1)
    assert "“tomorrow” is no date; write" in wrong.stderr
    assert "no greeting" in anna.run("greeting", "expire", "anna", "home", "never", code=1).stderr


@pytest.mark.feature("GREET-07")
def test_the_global_greeting(anna: CliSite, file: Path, tmp_path: Path) -> None:
    assert anna.run("global-greeting", "mode").stdout == "off\n"
    assert anna.run("global-greeting", "mode", "if-none").stdout == "if-none\n"
    anna.run("global-greeting", "import", file, "--lang", "de")
    anna.run("global-greeting", "import", file)
    [told] = anna.ask("global-greeting", "show")
    assert told["mode"] == "if-none"
    assert [row["language"] for row in told["greetings"]] == ["de", "en"]
    assert "mode: if-none" in anna.run("global-greeting", "show").stdout
    anna.run("global-greeting", "export", tmp_path / "copy.wav", "--lang", "de")
    assert pitch(tmp_path / "copy.wav") == pytest.approx(440, abs=5)
    anna.run("global-greeting", "delete", "--lang", "de")
    assert anna.run("global-greeting", "delete", "--lang", "de", code=1).stderr
    assert anna.run("global-greeting", "mode").stdout == "if-none\n"
    anna.run("global-greeting", "mode", "sometimes", code=2)


@pytest.mark.feature("GREET-07")
def test_somebody_else_is_invited_to_record_the_global_greeting(people: CliSite) -> None:
    with_greetings(people)
    refused = people.run("global-greeting", "invite", "anna", code=1)
    assert "The portal is switched off" in refused.stderr
    web = f'[web]\nenabled = true\nurl = "sqlite:///{people.base}/portal.db"\n'
    with_greetings(people, f'{web}[spool]\ndirectory = "{people.base}/spool/vm-ari"\n')
    unknown = people.run("global-greeting", "invite", "eve@studio.example", code=1)
    assert "reached by [mail.smtp] only" in unknown.stderr
    done = people.run("global-greeting", "invite", "anna", "--lang", "en")
    assert "invited; the running controller sends the mail" in done.stdout
    assert "1 mail waits" in people.run("welcome", "status").stderr


@needs_espeak
def test_the_global_greeting_from_a_text(anna: CliSite) -> None:
    anna.run("global-greeting", "tts", "Guten Tag.", "--lang", "de", "--until", "2031-01-01")
    [told] = anna.ask("global-greeting", "show")
    assert told["greetings"][0]["source"] == "speech"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("list", "nobody"), 1, "nobody"),
        (("import", "anna", "work", "{base}/none.wav"), 1, "none.wav: No such file"),
        (("import", "anna", "work", "{base}/letter.txt"), 1, "save it as WAV, MP3, Ogg or FLAC"),
        (("import", "anna", "work", "{base}/large.wav"), 1, "larger than 1 MB"),
        (("import", "anna", "weekend", "{base}/a.wav"), 2, "weekend"),
        (("import", "anna", "global", "{base}/a.wav"), 2, "global"),
        (("import", "anna", "work", "{base}/a.wav", "--until", "x"), 1, "no date"),
        (("import", "anna", "work", "{base}/a.wav", "--until", "2020-01-01"), 1, "over already"),
        (("show", "anna", "work"), 1, "no greeting “work” in language de of anna"),
        (("show", "anna", "work", "--lang", "xx"), 2, "no language “xx”, only de, en"),
        (("export", "anna", "work", "{base}/x.wav"), 1, "no greeting"),
        (("tts", "anna", "work", "…"), 1, "no words in this text"),
        (("tts", "anna", "work", "a" * 3000), 1, "shorten it to 2000"),
        (("record", "anna", "work"), 2, "--phone"),
        (("record", "anna", "work", "--phone", "call me"), 1, "call me"),
        (("record", "anna", "work", "--phone", "+49900123456"), 1, "rules do not allow it"),
        (("record", "anna", "work", "--phone", "101"), 1, "Asterisk cannot be used"),
    ],
)
def test_what_is_wrong_is_named(
    anna: CliSite, tmp_path: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    speech_like(tmp_path / "a.wav", 1.0)
    (tmp_path / "letter.txt").write_text("Dear Anna")
    speech_like(tmp_path / "large.wav", 60.0)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = anna.config.read_text()
    anna.config.write_text(
        config.replace("[asterisk]", f'[asterisk]\nurl = "http://127.0.0.1:{port}"')
    )
    result = anna.run("greeting", *(w.replace("{base}", str(tmp_path)) for w in words), code=code)
    assert told in result.stderr
    assert anna.ask("greeting", "list", "anna") == []


def test_a_store_that_cannot_be_used_has_an_exit_code_of_its_own(
    anna: CliSite, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "greetings").write_text("no directory")
    told = anna.run("greeting", "import", "anna", "work", file, code=4)
    assert "greetings" in told.stderr


def test_a_voice_that_is_not_there_says_what_is_missing(anna: CliSite) -> None:
    config = anna.config.read_text()
    anna.config.write_text(
        config.replace('engine = "espeak"', 'engine = "command"\ncommand = "x {out} {text_file}"')
    )
    assert "x: No such file" in anna.run("greeting", "tts", "anna", "work", "Hi", code=4).stderr


def test_greetings_of_several_nodes_are_a_setting(people: CliSite, file: Path) -> None:
    with_greetings(people)
    shared = people.config.read_text().replace("[greetings]\n", '[greetings]\nstore = "database"\n')
    people.config.write_text(shared)
    people.run("greeting", "import", "anna", "work", file, "--lang", "de")
    shutil.rmtree(people.base / "greetings")
    [row] = people.ask("greeting", "list", "anna")
    assert Path(row["file"]).is_file()
    people.config.write_text(shared.replace("[greetings]\n", '[greetings]\nurl = "nonsense"\n'))
    assert "greetings.url" in people.run("greeting", "list", "anna", code=3).stderr


def test_nothing_steers_the_terminal(anna: CliSite, file: Path) -> None:
    told = anna.run("greeting", "show", "an\x1b[31mna", "work", code=1)
    assert "\x1b" not in told.output
    assert json.loads(anna.run("greeting", "list", "anna", "-o", "json").stdout) == []


def test_log_lines_do_not_stand_among_the_results(anna: CliSite, tmp_path: Path) -> None:
    """ffmpeg's complaint is for the log (and the tests want all of it)."""
    noise = tmp_path / "noise.wav"
    noise.write_bytes(bytes(range(256)) * 40)
    ended = anna.start("greeting", "import", "anna", "work", noise, "-o", "json")
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.splitlines()[-1].startswith("This is no sound file that can be read here")
