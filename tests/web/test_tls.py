"""The certificate of the portal: its own, or one that is imported (WEB-03)."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.private_ca import PrivateCa
from tests.web.browsers import served
from tests.web.portal_house import config_of
from vm_ari.adapters.self_signed import VALID, ends, self_signed
from vm_ari.config.web import WebSettings


def test_the_first_start_makes_a_certificate_and_the_next_ones_keep_it(tmp_path: Path) -> None:
    files = self_signed(tmp_path, ["portal.example.org", "127.0.0.1"])
    first = files.certificate.read_bytes()
    assert files.key.stat().st_mode & 0o077 == 0
    again = self_signed(tmp_path, ["127.0.0.1", "portal.example.org"])
    assert again.certificate == files.certificate
    assert files.certificate.read_bytes() == first
    assert ends(files.certificate) - datetime.now(UTC) <= VALID


@pytest.mark.parametrize("harm", ["other hosts", "no key", "another key", "nonsense"])
def test_one_that_is_no_good_any_more_is_made_anew(tmp_path: Path, harm: str) -> None:
    files = self_signed(tmp_path, ["localhost"])
    first = files.certificate.read_bytes()
    hosts = ["localhost"]
    match harm:
        case "other hosts":
            hosts = ["portal.example.org"]
        case "no key":
            files.key.unlink()
        case "another key":
            files.key.write_bytes(self_signed(tmp_path / "other", ["localhost"]).key.read_bytes())
        case "nonsense":
            files.certificate.write_text("nonsense")
    self_signed(tmp_path, hosts)
    assert files.certificate.read_bytes() != first


def test_browsers_reach_it_by_its_own_certificate_and_by_an_imported_one(tmp_path: Path) -> None:
    ca = PrivateCa(tmp_path)
    identity = ca.identity()
    own = config_of(tmp_path).web
    files = {"tls": "files", "certificate": identity.certificate, "key": identity.key}
    for table, trusted in (({}, own.directory / "portal.pem"), (files, ca.file)):
        with served(tmp_path, web=table) as portal:
            context = ssl.create_default_context(cafile=trusted)
            answer = httpx.get(f"{portal.address}/sign-in", verify=context)
            assert answer.status_code == 200
            assert "server" not in answer.headers


def test_passwords_go_through_no_network_readably() -> None:
    with pytest.raises(ValueError, match="trusted_proxies"):
        WebSettings(tls="off", address="0.0.0.0")
    assert WebSettings(tls="off").base_url() == "http://localhost:8443"
    assert WebSettings(tls="off", address="0.0.0.0", trusted_proxies=("192.0.2.0/24",))
    for wrong in ({"hosts": ("https://x",)}, {"trusted_proxies": ("x",)}, {"tls": "files"}):
        with pytest.raises(ValueError):
            WebSettings(**wrong)
