"""The watch over secrets in logs does see them (LOGIN-08)."""

from pathlib import Path

import pytest

from tests.secret_watch import SecretLogged, check_log, logs_below, secret_in
from vm_ari.adapters.sealing import KeyRing


def test_a_sealed_secret_is_found_in_a_log(tmp_path: Path) -> None:
    KeyRing(tmp_path / "keys").seal("8203945", owner="anna", attribute="pin")
    log = tmp_path / "controller.txt"  # the watch reads *.log at the end
    for line in ("pin=8203945", "8203945", "digits='8203945#'"):
        log.write_text(f"call\n{line}\n")
        with pytest.raises(SecretLogged):
            check_log(log)
    for harmless in ("", "pin=820394", "port=18203945", "82039451", "at 06:01:10.8203945 pin=1"):
        assert secret_in(harmless) is None


def test_every_log_is_read_but_those_that_are_mails(tmp_path: Path) -> None:
    for place in ("", "world0", "world0/asterisk/log", "world0/mail/101/cur"):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / "controller.log").touch()
        (tmp_path / place / "other.txt").touch()
    found = {str(log.parent.relative_to(tmp_path)) for log in logs_below(tmp_path)}
    assert found == {".", "world0", "world0/asterisk/log"}


def test_a_token_of_the_api_is_found_by_its_form(tmp_path: Path) -> None:
    log = tmp_path / "controller.txt"
    log.write_text(f"authorization: Bearer vmari_0123456789ab_{'x-_7' * 10}abc\n")
    with pytest.raises(SecretLogged):
        check_log(log)
    assert secret_in("token=0123456789ab user=anna") is None


def test_a_test_that_logs_a_secret_fails(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    pytester.makeconftest('pytest_plugins = ["tests.secret_watch"]')
    pytester.makepyfile(
        """
        import logging, sys
        from vm_ari.adapters.sealing import KeyRing

        def seal(tmp_path):
            KeyRing(tmp_path / "keys").seal("5550817", owner="anna", attribute="pin")

        def test_logged(tmp_path):
            seal(tmp_path)
            logging.getLogger("any").debug("pin %s", "5550817")

        def test_on_standard_error(tmp_path):
            seal(tmp_path)
            print("pin 5550817", file=sys.stderr)

        def test_quiet(tmp_path):
            seal(tmp_path)
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=3, errors=2)
