"""What cannot be meant of SMS, webhooks and calls is refused, with the key and what to do."""

from pathlib import Path

import pytest

from tests.docs.test_config import configured
from tests.fakes import FakeDirectory, FakeMailboxes
from tests.services.test_notice_calls import SetClock
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import BadConfig, Config
from vm_ari.wiring.channels import open_outlets

PAGE = Path(__file__).parents[2] / "docs" / "sms-and-webhooks.md"
MAIL = '[sms]\nway = "mail"\nmail_address = "$(phonenumber)@sms.example.org"\n'
HTTP = '[sms]\nway = "http"\nurl = "https://sms.example.org/send"\n'
HOOK = '[webhook]\nurl = "https://crm.example.org/hook"\nsecret_file = "SECRET"\n'


def opened(base: Path, text: str) -> Config:
    """As the controller does it, as far as nothing is connected."""
    secret = base / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    config = configured(base, text.replace("SECRET", str(secret)))
    keys = KeyRing(base / "keys")
    open_outlets(config, keys, FakeDirectory(), FakeMailboxes(), SetClock())
    return config


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[sms]\nway = "fax"', "sms.way: “fax” does not fit; write none, mail or http"),
        ('[sms]\nway = "mail"', "sms: mail_address: is missing"),
        (MAIL, "sms.way: “mail” needs a mail server; write a table [mail.smtp]"),
        (MAIL.replace("$(phonenumber)", "$(number)"), "sms.mail_address: there is no $(number)"),
        ('[sms]\nway = "http"', "sms: url: “”: write https://host/path"),
        (HTTP.replace("https", "http"), "sms: url: write https://, or plaintext = true"),
        (HTTP.replace("sms.example", "{{ number }}.example"), "the host must be written out"),
        (HTTP.replace("//sms", "//user:secret@sms"), "the host must be written out, without an"),
        (HTTP + 'body = "{{ number }"', "sms.body: "),
        (HTTP + 'body = "{{ nobody }}"', "sms.body: 'nobody' is undefined"),
        (HTTP + 'headers = { "X Y" = "1" }', "sms.headers: “X Y”: a name has letters, digits"),
        (HTTP + 'success = "("', "sms.success: “(” is no pattern"),
        (HTTP + 'account = "x"', "sms: secret_file: is missing; account and secret_file"),
        (HTTP + 'secret_file = "/nowhere"', "secret_file: /nowhere: No such file or directory"),
        (HTTP + 'ca_file = "/nowhere"', "ca_file: there is no file /nowhere; correct the path"),
        (HTTP + 'rules = ["maybe"]', "sms.rules, rule 1: “maybe” must begin with"),
        ("[sms]\nnumber = 1", "sms.number: unknown key"),
        (HOOK.partition("secret")[0], "webhook: secret_file: is missing"),
        (HOOK.replace("https", "ftp"), "webhook: url: “ftp://crm.example.org/hook”: write https"),
        (HOOK.replace("https", "http"), "webhook: url: write https://, or plaintext"),
        ('[notice_call]\nhours = "mon"', "notice_call.hours: “mon”: one period and perhaps"),
        ("[notice_call]\ntries = 0", "notice_call.tries"),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(BadConfig) as caught:
        opened(tmp_path, text)
    assert complaint in str(caught.value), caught.value


def test_another_program_of_this_machine_needs_no_certificate(tmp_path: Path) -> None:
    opened(tmp_path, HOOK.replace("https://crm.example.org", "http://127.0.0.1:8000"))
    opened(tmp_path, HOOK.replace("https", "http") + "plaintext = true")


def test_a_secret_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    loose.write_text("s3cret\n")
    loose.chmod(0o644)
    with pytest.raises(BadConfig, match="secret_file: everybody may read"):
        opened(tmp_path, HOOK.replace("SECRET", str(loose)))


def test_the_tables_of_the_page_can_be_used(tmp_path: Path) -> None:
    """Each by itself, with a secret and a mail server that are there."""
    text = PAGE.read_text(encoding="utf-8")
    tables = [part.partition("```")[0] for part in text.split("```toml\n")[1:]]
    assert len(tables) >= 5
    smtp = '[mail.smtp]\nhost = "mail.example.org"\n'
    for table in tables:
        needed = smtp if 'way = "mail"' in table else ""
        opened(tmp_path, table.replace("/etc/vm-ari/secret", "SECRET") + needed)
