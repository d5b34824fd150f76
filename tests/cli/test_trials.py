"""``vm-ari test smtp``: a real mail to a real server, or everything but the mail."""

from collections.abc import Iterator

import pytest

from tests.adapters.smtp_server import Postbox
from tests.cli.site import CliSite
from tests.cli.test_check_parts import sending
from tests.private_ca import PrivateCa


@pytest.fixture
def authority(tmp_path_factory: pytest.TempPathFactory) -> PrivateCa:
    return PrivateCa(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def box() -> Postbox:
    return Postbox()


@pytest.fixture
def port(box: Postbox, authority: PrivateCa) -> Iterator[int]:
    with sending(box, authority.identity()) as port:
        yield port


def configure(site: CliSite, authority: PrivateCa, port: int) -> None:
    site.configure(
        '[mail]\nsender = "voicemail@example.org"\n[mail.smtp]\nhost = "localhost"\n'
        f'port = {port}\nca_file = "{authority.file}"\ncalled = "pbx.example.org"\n'
    )


@pytest.mark.feature_part("MAIL-07", "a test mail")
def test_a_test_mail_arrives(site: CliSite, authority: PrivateCa, port: int, box: Postbox) -> None:
    configure(site, authority, port)
    [facts] = site.ask("test", "smtp", "admin@example.org")
    assert facts["result"].startswith("taken after ")
    [(sender, recipients, mail)] = box.mails
    assert (sender, recipients) == ("voicemail@example.org", ["admin@example.org"])
    assert b"Auto-Submitted: auto-generated" in mail
    assert box.tls == [True]
    shown = site.run("test", "smtp").stdout
    assert "would be taken" in shown
    assert len(box.mails) == 1, "without an address nothing is sent"


def test_what_is_wrong_is_said_with_what_to_do(
    site: CliSite, authority: PrivateCa, port: int, box: Postbox
) -> None:
    configure(site, authority, port)
    box.to_mail = "554 no thanks"
    assert "554 no thanks" in site.run("test", "smtp", "admin@example.org", code=1).stdout
    box.to_recipient = "550 nobody"
    shown = site.run("test", "smtp", "admin@example.org", code=1).stdout
    assert "550 nobody" in shown
    assert "Let the server take mails of ours" in shown
    configure(site, authority, 9)
    assert "Is it running" in site.run("test", "smtp", code=4).stdout
    site.configure()
    assert "mail.smtp" in site.run("test", "smtp", code=3).stderr
