"""``vm-ari check`` for the voice: who speaks each language, tried by saying something."""

import json
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from tests.cli.site import CliSite

needs_espeak = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="no espeak-ng")


def checked(site: CliSite, speech: str, code: int = 0) -> dict[str, dict[str, str]]:
    """The lines by language, and that of the cache."""
    cache = f'cache = "{site.base}/cache"'
    site.configure(f'[inbox]\nlanguages = ["nl"]\n[speech]\n{cache}\n{speech}')
    lines = json.loads(site.run("check", "--only", "voice", "-o", "json", code=code).stdout)
    assert {line["part"] for line in lines} == {"voice"}
    return {_subject(line["what"]): line for line in lines}


def _subject(what: str) -> str:
    """A language, or the cache."""
    named = [code for code in ("de", "en", "fr", "nl") if f" speaks {code}:" in what]
    return named[0] if named else "cache"


@needs_espeak
def test_each_language_has_an_engine_that_has_really_spoken(people: CliSite) -> None:
    found = checked(people, 'engine = "espeak"')
    assert set(found) == {"de", "en", "fr", "nl", "cache"}
    for code in ("de", "en", "fr", "nl"):
        assert found[code]["what"].startswith(f"espeak-ng speaks {code}: the first words took ")
        assert found[code]["what"].endswith(" s.")
    cache = people.base / "cache"
    assert str(cache) in found["cache"]["what"]
    assert not cache.exists(), "what is only looked at is not made, or it would be root's"


def test_where_no_engine_is_there_the_command_to_type_is_named(
    people: CliSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    line = checked(people, "", code=1)["nl"]
    assert line["result"] == "problem"
    assert "install espeak-ng" in line["what"]
    assert line["what to do"].startswith("Type: apt-get install espeak-ng")
    assert "pip install 'vm-ari[speech]'" in line["what to do"]


SILENT = (
    "import sys, wave; o = wave.open(sys.argv[1], 'wb'); o.setparams((1, 2, 8000, 0, 'NONE', ''))"
)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (f"{SILENT}; o.writeframes(bytes(16000))", "what the engine made is silent"),
        (f"{SILENT}; o.close()", "what the engine made is silent"),
        ("import sys; open(sys.argv[1], 'w').write('hello')", "is no sound"),
        ("raise SystemExit('the licence has expired')", "the licence has expired"),
    ],
)
def test_a_better_voice_that_is_none_is_told(people: CliSite, program: str, reason: str) -> None:
    line = f"{shlex.join([sys.executable, '-c', program])} {{out}} {{text_file}}"
    found = checked(people, f'engine = "command"\ncommand = {json.dumps(line)}', code=1)
    assert reason in found["en"]["what"]
    assert "[speech]" in found["en"]["what to do"]


def test_a_cache_that_everybody_may_read_is_told(people: CliSite) -> None:
    cache = people.base / "cache"
    cache.mkdir()
    cache.chmod(0o755)
    (cache / "said.wav").write_bytes(bytes(1_500_000))
    hum = shlex.join([sys.executable, "-c", HUM]) + " {out} {text_file}"
    speech = f'engine = "command"\ncommand = {json.dumps(hum)}'
    line = checked(people, speech, code=1)["cache"]
    assert "Everybody on this machine may read" in line["what"]
    assert line["what to do"] == f"Type: chmod o= {cache}"
    cache.chmod(0o2750)
    line = checked(people, speech)["cache"]
    assert line["what"].startswith("1.5 MB of speech are kept in ")
    assert f"group {cache.group()}" in line["what"]


HUM = """
import array, math, sys, wave
with wave.open(sys.argv[1], "wb") as out:
    out.setnchannels(1); out.setsampwidth(2); out.setframerate(16000)
    loud = (int(9000 * math.sin(n / 9) * (n // 2000 % 2)) for n in range(16000))
    out.writeframes(array.array("h", loud).tobytes())
"""
