"""``vm-ari welcome``: look at the mail, send it again, see who has got it."""

import email
import email.policy
from pathlib import Path

import pytest

from tests.cli.site import CliSite
from vm_ari.config import BadConfig, load

ON = "[welcome]\nenabled = true\n"


def configure(site: CliSite, welcome: str = ON, mail: str = "") -> None:
    base, kind = site.base, "imap" if "[imap]" in mail else "local"
    site.configure(
        f'[spool]\ndirectory = "{base}/spool/vm-ari"\n'
        f'[store]\nkind = "{kind}"\nmaildir = "{base}/mail"\n'
        f'[mail]\nsender = "voicemail@example.org"\n{mail}\n{welcome}'
    )


@pytest.fixture
def ready(people: CliSite) -> CliSite:
    configure(people)
    return people


def queued(site: CliSite) -> list[Path]:
    directory = site.base / "spool" / "vm-ari" / "system-mails" / "new"
    return list(directory.iterdir()) if directory.is_dir() else []


def row(site: CliSite, user: str) -> dict[str, object]:
    [found] = site.ask("welcome", "status", user)
    assert isinstance(found, dict)
    return found


def test_the_preview_shows_the_mail_without_the_pin(ready: CliSite) -> None:
    ready.run("users", "set", "anna", "language=de", "--new-pin")
    shown = ready.run("welcome", "preview", "anna").stdout
    assert "From: Voicemail <voicemail@example.org>" in shown
    assert "To: Anna Größe <anna@example.org>" in shown
    assert "Subject: Ihre Mailbox +49 30 555101" in shown
    assert "Attached: voicemail-de.pdf" in shown
    assert "PIN: ••••••" in shown
    assert "How to log in".upper() in ready.run("welcome", "preview", "101", "--lang", "en").stdout
    assert row(ready, "anna")["welcome"] == "never sent"
    assert queued(ready) == []


def test_the_preview_writes_html_pdf_and_the_whole_mail(ready: CliSite, tmp_path: Path) -> None:
    html, pdf = tmp_path / "mail.html", tmp_path / "guide.pdf"
    ready.run("welcome", "preview", "bert", "--html", html, "--pdf", pdf)
    assert "Hello, Bert" in html.read_text(encoding="utf-8")
    assert pdf.read_bytes().startswith(b"%PDF-")
    whole = ready.run("welcome", "preview", "bert", "--eml").stdout
    mail = email.message_from_string(whole, policy=email.policy.default)
    assert mail["Subject"] == "Your mailbox +49 30 555102"
    assert mail.get_content_type() == "multipart/mixed"
    told = ready.run("welcome", "preview", "bert", "--html", tmp_path / "no" / "x", code=1)
    assert "No such file or directory" in told.stderr


def test_the_site_says_what_is_in_it(people: CliSite) -> None:
    configure(
        people,
        f'{ON}number = "030 555-199"\nlogin_number = "555 198"\nlink = "imap-password"\n'
        'address = "https://vm.example.org/password"\nguide = false\n'
        'closing = { en = "Have fun!\\nYour office" }\n',
        'system_sender = "office@example.org"\nsystem_sender_name = "The Office"',
    )
    shown = people.run("welcome", "preview", "bert").stdout
    assert "From: The Office <office@example.org>" in shown
    assert "Attached: nothing" in shown
    for part in ("+49 30 555199", "Dial 555 198.", "https://vm.example.org/password", "Have fun!"):
        assert part in shown
    assert shown.index("https://") < shown.index("Have fun!") < shown.index("Your office")


@pytest.mark.feature_part("WELCOME-05", "by the command line")
def test_sending_again_waits_for_the_next_call_or_not(ready: CliSite) -> None:
    ready.run("users", "set", "anna", "--new-pin")
    assert "leaves with the next call" in ready.run("welcome", "send", "anna").stdout
    assert row(ready, "anna")["welcome"] == "due"
    assert queued(ready) == []
    assert "queued" in ready.run("welcome", "send", "anna", "--now").stdout
    there = row(ready, "anna")
    assert (there["welcome"], there["wish"]) == ("sent", "")
    assert len(queued(ready)) == 1
    ready.run("welcome", "send", "anna", "--new-pin", "--unlock")
    there = row(ready, "anna")
    assert (there["welcome"], there["wish"], there["locked"]) == ("due", "new-pin", False)
    told = ready.run("welcome", "status")
    assert "1 mail waits to be sent" in told.stderr
    assert [line.split()[0] for line in told.stdout.splitlines()] == ["user", "anna", "bert"]


def test_a_mail_at_once_makes_a_pin_where_there_is_none(ready: CliSite) -> None:
    assert row(ready, "bert")["pin"] is False
    ready.run("welcome", "send", "bert", "--now")
    assert row(ready, "bert")["pin"] is True


@pytest.mark.feature_part("WELCOME-07", "the command line")
def test_nothing_is_sent_where_the_mails_are_switched_off(people: CliSite) -> None:
    configure(people, "")
    told = people.run("welcome", "send", "anna", "--now", code=1)
    assert "switched off; write enabled = true" in told.stderr
    assert row(people, "anna")["welcome"] == "never sent"


def test_what_keeps_a_mail_back_is_told(people: CliSite) -> None:
    configure(people, ON, '[mail.smtp]\nhost = "127.0.0.1"\nsecurity = "none"')
    told = people.run("welcome", "send", "bert", "--now", code=1)
    assert "bert: not sent: the user has no mail address" in told.stderr
    assert people.run("welcome", "send", "nobody", code=1).stderr.startswith("There is no user")
    (people.base / "spool").write_text("in the way")
    told = people.run("welcome", "send", "anna", "--now", code=1)
    assert "The mail cannot be queued" in told.stderr


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[welcome]\nnumber = "nine"', "welcome.number: “nine” is not possible; write fax-or-"),
        ('[welcome]\nlink = "portal"', "welcome: address: “”: write https://host/path for the"),
        (
            '[welcome]\nlink = "portal"\naddress = "javascript:x"',
            "welcome: address: “javascript:x”",
        ),
        ('[welcome]\nlink = "web"', "welcome.link"),
        ('[welcome]\nlogin_number = "1\\n2"', "welcome.login_number: write a number"),
        (f'[welcome]\nclosing = {{ de = "{"x" * 2001}" }}', "de: 2000 characters are possible"),
        ("[welcome]\nenable = true", "welcome.enable: unknown key"),
        ("[mail.smtp]\nport = 25", "mail.smtp.host"),
        ('[mail.smtp]\nhost = "x"\nuser = "me"', "password_file or password: is missing"),
        ('[mail.smtp]\nhost = "x"\npassword = "geheim"', "user: is missing; user and password go"),
        ('[mail.smtp]\nhost = "x"\nsecurity = "ssl"', "mail.smtp.security"),
        ('[mail.smtp]\nhost = "x"\nca_file = "/none"', "ca_file: there is no file /none"),
        (
            '[mail.smtp]\nhost = "x"\nsecurity = "none"\nca_file = "/etc/hostname"',
            "without security there is no certificate",
        ),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "vm-ari.toml"
    file.write_text(f'[asterisk]\npassword = "x"\n{text}')
    with pytest.raises(BadConfig) as caught:
        load(file)
    assert complaint in str(caught.value), caught.value
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("mail", "complaint"),
    [
        ('system_sender = "office"', "mail.system_sender: “office” is not a mail address"),
        (
            '[mail.smtp]\nhost = "x"\nca_file = "{base}/vm-ari.toml"',
            "mail.smtp: CA file",
        ),
    ],
)
def test_what_an_adapter_cannot_use_is_named(people: CliSite, mail: str, complaint: str) -> None:
    configure(people, ON, mail.replace("{base}", str(people.base)))
    assert complaint in people.run("welcome", "preview", "anna", code=3).stderr
