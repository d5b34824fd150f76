"""The wizard's rules: what is found out, what is asked, and that nothing half is ever written."""

import os
import stat
import threading
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import dns.message
import dns.resolver
import dns.rrset
import pytest
from click.testing import CliRunner, Result

from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.cli import main
from vm_ari.setup_wizard import network
from vm_ari.setup_wizard.answers import FromFile, write_answers
from vm_ari.setup_wizard.asterisk import Account, find
from vm_ari.setup_wizard.draft import Draft
from vm_ari.setup_wizard.site import base_number
from vm_ari.setup_wizard.surroundings import language_for, look_around, region_of_number
from vm_ari.setup_wizard.talk import Question, Stopped, Talk
from vm_ari.setup_wizard.users import FirstUser

SMALL = """\
[asterisk]
url = "http://127.0.0.1:{port}"
password = "s3cret"
anyway = "keep"
[site]
base_number = "+49 30 5550"
[first]
name = "Änne Berg"
extension = "101"
mail = "anne@example.com"
"""


@pytest.fixture(autouse=True)
def _no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody on the way is asked for names that this machine may have."""
    monkeypatch.delenv("VM_ARI__LOG_LEVEL", raising=False)
    resolver = dns.resolver.Resolver(configure=False)
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)


def init(base: Path, *words: str | Path, typed: str = "") -> Result:
    """Run the wizard; there is no Asterisk."""
    command = ["init", "-c", base / "vm-ari.toml", "--asterisk-directory", base / "asterisk"]
    return CliRunner().invoke(main, [str(word) for word in (*command, *words)], input=typed)


def answers(base: Path, text: str = SMALL) -> Path:
    file = base / "answers.toml"
    file.write_text(text.replace("{port}", str(free_port())))
    return file


# --- an installation by a file of answers


def test_few_answers_make_a_whole_small_installation(tmp_path: Path) -> None:
    done = init(tmp_path, "--answers", answers(tmp_path))
    assert done.exit_code == 0, done.output
    file = tmp_path / "vm-ari.toml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    tables = tomllib.loads(text)
    assert tables["site"] == {"base_number": "+49305550", "language": "de"}
    assert tables["asterisk"]["password"] == "s3cret"
    assert tables["store"]["maildir"] == f"{tmp_path}/data/mail"
    assert "# Maildirs of our own" not in text
    assert "# How to reach Asterisk's REST interface.\n[asterisk]" in text
    assert "✗ Asterisk does not answer at http://127.0.0.1:" in done.output
    assert "s3cret" not in done.output
    pin = done.output.partition("PIN ")[2][:6]
    config = ["-c", str(file)]
    told = CliRunner().invoke(main, ["users", "list", "-o", "json", *config]).output
    assert '"aenne.berg"' in told
    assert '"+49305550101"' in told
    assert pin.isdecimal()
    assert CliRunner().invoke(main, ["config", "validate", *config]).output == f"{file}: ok\n"


def test_the_same_answers_again_change_nothing(tmp_path: Path) -> None:
    file = answers(tmp_path)
    assert init(tmp_path, "--answers", file).exit_code == 0
    path = tmp_path / "vm-ari.toml"
    path.write_text(path.read_text().replace("[site]", "[site]  # in Berlin"))
    before = path.read_text()
    again = init(tmp_path, "--answers", file)
    assert again.exit_code == 0, again.output
    assert "stays as it is" in again.output
    assert "first.name: nobody asked for that" in again.output, "somebody is there already"
    assert path.read_text() == before


def test_an_old_configuration_is_kept_and_only_what_was_answered_changes(tmp_path: Path) -> None:
    path = tmp_path / "vm-ari.toml"
    path.write_text(
        '# our own words\n[asterisk]\npassword = "old"  # from 2024\n'
        "[calls]\nlongest_seconds = 60\n"
    )
    done = init(tmp_path, "--answers", answers(tmp_path))
    assert done.exit_code == 0, done.output
    text = path.read_text()
    assert text.startswith("# our own words\n")
    assert "longest_seconds = 60" in text
    assert 'base_number = "+49305550"' in text
    [kept] = tmp_path.glob("vm-ari.toml.*.bak")
    assert 'password = "old"  # from 2024' in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({'"+49 30 5550"': '"030 5550"'}, "answers.toml:6: site.base_number: Write + and the cou"),
        ({'"101"': '"hall"'}, "answers.toml:9: first.extension: Write digits, as telephones dial"),
        ({'"anne@example.com"': '"anne"'}, "first.mail: Write a mail address, such as"),
        ({'name = "Änne Berg"\n': ""}, "first.name is missing (Name of the first user); add it"),
        ({'anyway = "keep"': ""}, "Nothing is written."),
        ({'anyway = "keep"': 'anyway = "so"'}, "“so” is none of change, again, keep, stop"),
        ({"[first]": "[first"}, "answers.toml:7: expected ']' at the end of a table"),
    ],
)
def test_what_an_answer_must_be_is_told_and_nothing_is_written(
    tmp_path: Path, wrong: Mapping[str, str], told: str
) -> None:
    text = SMALL
    for right, instead in wrong.items():
        text = text.replace(right, instead)
    done = init(tmp_path, "--answers", answers(tmp_path, text))
    assert done.exit_code == 1
    assert told in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["answers.toml"]


def test_an_answer_that_nobody_asked_for_is_told(tmp_path: Path) -> None:
    done = init(tmp_path, "--answers", answers(tmp_path, SMALL + "[frist]\nname = 1\n"))
    assert "answers.toml:12: frist.name: nobody asked for that" in done.stderr
    assert "there are passwords in it: chmod 600" in done.stderr


# --- questions at a terminal

TYPED = ("", "", "s3cret", "keep", "", "+49305550", "de", "small", "Anna Berg", "101", "", "", "n")


def test_who_types_gets_the_same(tmp_path: Path) -> None:
    done = init(tmp_path, typed="\n".join((*TYPED, "")))
    assert done.exit_code == 0, done.output
    assert "s3cret" not in done.output
    assert "Mail address of Anna Berg [anna.berg@" in done.output
    assert (tmp_path / "vm-ari.toml").exists()


@pytest.mark.parametrize("answered", range(len(TYPED) - 1))
def test_who_stops_at_any_question_finds_nothing_half_written(
    tmp_path: Path, answered: int
) -> None:
    done = init(tmp_path, typed="".join(f"{line}\n" for line in TYPED[:answered]))
    assert done.exit_code == 1
    assert "Stopped: vm-ari init may be run again." in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_answer_is_asked_for_again(tmp_path: Path) -> None:
    typed = list(TYPED)
    typed[5:6] = ["030", "nothing", "+49305550"]
    typed[typed.index("small") : typed.index("small")] = ["7", "big"]
    done = init(tmp_path, typed="\n".join((*typed, "")))
    assert done.exit_code == 0, done.output
    assert done.output.count("Write + and the country's code first") == 2
    assert done.output.count("Write a number from 1 to 2.") == 2


# --- what is found out


def test_asterisk_is_found_by_its_own_files(tmp_path: Path) -> None:
    assert find(tmp_path).url == ""
    (tmp_path / "http.conf").write_text("[general]\nenabled=yes\nbindaddr=0.0.0.0\nbindport=8089\n")
    (tmp_path / "ari.conf").write_text(
        '[general]\nenabled = yes\n#include "more/*.conf"\n[looker]\ntype=user\nread_only=yes\n'
        "password=x\n[hashed]\ntype=user\npassword_format=crypt\npassword=$6$x\n"
    )
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.conf").write_text("[robot]\ntype = user\npassword = s3 ; cret\n")
    (tmp_path / "asterisk.conf").write_text("[directories]\nastspooldir => /data/spool\n")
    found = find(tmp_path)
    assert found.url == "http://127.0.0.1:8089"
    assert found.account == Account("robot", "s3")
    assert found.recordings == Path("/data/spool/recording/vm-ari")
    assert found.problems == ()
    (tmp_path / "more" / "b.conf").write_text("[other]\npassword = x\n[vm-ari]\npassword = y\n")
    assert find(tmp_path).account == Account("vm-ari", "y"), "of several, ours"
    assert find(tmp_path, "other").account == Account("other", "x")
    (tmp_path / "http.conf").write_text("[general]\n")
    assert find(tmp_path).problems == ("http.conf does not say “enabled = yes”",)


def test_country_and_language_follow_from_number_and_machine(tmp_path: Path) -> None:
    assert region_of_number("+49305550", "") == "DE"
    assert region_of_number("+15145550", "CA") == "CA", "many countries share +1"
    assert region_of_number("+15145550", "DE") == "US"
    assert region_of_number("+3545550", "") == "IS"
    assert region_of_number("+999", "DE") == ""
    assert language_for("FR", {}) == "fr"
    assert language_for("FR", {"LANG": "de_AT.UTF-8"}) == "de"
    assert language_for("JP", {"LANG": "C.UTF-8"}) == "en"
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/timezone").write_text("Europe/Vienna\n")
    zones = tmp_path / "usr/share/zoneinfo"
    zones.mkdir(parents=True)
    (zones / "zone.tab").write_text("# a comment\nAT\t+4813+01620\tEurope/Vienna\n")
    around = look_around({}, tmp_path)
    assert (around.zone, around.region) == ("Europe/Vienna", "AT")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("+49 (30) 555-0", "+49305550"), ("0049 30 5550", "+49305550"), ("", "")],
)
def test_a_base_number_may_be_written_as_people_do(typed: str, kept: str) -> None:
    assert base_number(typed) == kept


def test_the_first_user_gets_an_id_from_the_name() -> None:
    entry = FirstUser("Zoë von Groß", "007", "z@example.com").entry("+4930")
    assert (entry.id, entry.given, entry.surname) == ("zoe.von.gross", "Zoë von", "Groß")
    assert (entry.mailbox, entry.numbers) == ("007", ("+4930007",))
    assert FirstUser("李", "5", "").entry("").id == "u5"


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real one, for example.org."""
    import socket

    records = {
        "example.org. MX": ["20 second.example.org.", "10 first.example.org."],
        "_ldap._tcp.example.org. SRV": ["0 0 389 ldap.example.org."],
        "_imaps._tcp.example.org. SRV": ["0 0 0 ."],
    }
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                packet, who = server.recvfrom(4096)
            except OSError:
                return
            if packet == b"end":
                return
            asked = dns.message.from_wire(packet)
            answer = dns.message.make_response(asked)
            [question] = asked.question
            kind = dns.rdatatype.to_text(question.rdtype)
            if found := records.get(f"{question.name} {kind}"):
                answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
            server.sendto(answer.to_wire(), who)

    thread = threading.Thread(target=serve)
    thread.start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.getsockname()[1]
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
    yield
    server.sendto(b"end", server.getsockname())
    thread.join()
    server.close()


@pytest.mark.usefixtures("name_server")
def test_servers_are_found_by_the_names_that_a_domain_publishes() -> None:
    assert network.mail_servers("example.org") == ["first.example.org.", "second.example.org."]
    assert network.offered("_ldap._tcp", "example.org") == [("ldap.example.org", 389)]
    assert network.offered("_imaps._tcp", "example.org") == [], "the domain says: there is none"
    assert network.mail_servers("example.net") == []
    assert network.mail_servers("") == []


# --- parts


def test_a_draft_keeps_what_nobody_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "vm-ari.toml"
    path.write_text('[directory]\nkind = "ldap"\n[directory.ldap]\nservers = ["ldaps://a"]\n')
    draft = Draft(path)
    draft.put("directory.kind", "embedded")
    draft.put("directory.ldap", None)
    draft.put("calls.longest_seconds", 180)
    assert tomllib.loads(draft.text()) == {}, "what is the default needs no line"
    draft.put("calls.longest_seconds", 60)
    assert tomllib.loads(draft.text()) == {"calls": {"longest_seconds": 60}}


def test_answers_are_written_for_us_only_and_can_be_read_again(tmp_path: Path) -> None:
    file = tmp_path / "answers.toml"
    file.write_text("old")
    file.chmod(0o644)
    write_answers(file, {"style": "small", "first.name": 'A "B" \\ ä', "ldap.base": "dc=x"})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    asker = FromFile(file)
    assert asker.ask(Question("first.name", "")) == 'A "B" \\ ä'
    assert asker.ask(Question("other.key", "", "by itself", unattended="so")) == "so"
    told = [text.split(": ")[1] for text in asker.complaints()]
    assert told == ["style", "ldap.base"]
    with pytest.raises(Stopped, match=r"x\.y is missing \(Which\?\); add it, such as y = "):
        asker.ask(Question("x.y", "Which?", None))


def test_what_was_answered_before_a_change_is_forgotten() -> None:
    said = iter(["one", "change", "two"])
    works = iter([False, True])

    class Person:
        talks = True

        def ask(self, question: Question) -> str:
            return next(said)

    def ask() -> None:
        talk.ask(Question("part.key", ""))

    talk = Talk(Person(), lambda _line: None)
    talk.until_good("part", ask, lambda: next(works))
    assert talk.answers == {"part.key": "two"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_where_nothing_may_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = init(tmp_path / "below", "--answers", answers(Path("/tmp")))
    assert "cannot be written" in done.stderr
