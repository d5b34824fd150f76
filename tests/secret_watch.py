"""No PIN in any log (LOGIN-08): a plugin that reads along with the whole suite, at debug level.

Every secret that a test process seals is remembered, but what Hypothesis makes up: it takes words
from our own source. None of them may stand in what the test has logged or written to standard
error, nor in the log of any controller that was started; and no token of the API, which are known
by their form.
"""

import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import currently_in_test_context

from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.entries import PIN
from vm_ari.services.api_tokens import FORM

SHORTEST = 6
"""Shorter ones stand in logs by accident, as parts of times and ports."""

MOMENT = re.compile(r"\d\d:\d\d:\d\d[.,]\d+|\b\d{9,11}\.\d+")
"""A time of day, or seconds since 1970: their fractions look like PINs."""

MAIL = ("cur", "new")
"""Of a Maildir."""

_secrets: set[str] = set()


class SecretLogged(AssertionError):
    """A sealed secret was written to a log."""


def pytest_configure(config: pytest.Config) -> None:
    """Let everything be logged, and remember what is sealed."""
    os.environ["VM_ARI__LOG_LEVEL"] = "debug"
    config.option.log_level = config.option.log_level or "DEBUG"
    seal = KeyRing.seal

    def remembering(self: KeyRing, text: str, *, owner: str, attribute: str) -> str:
        nobodys = attribute == PIN and not owner  # what is judged where there is no PIN
        if len(text) >= SHORTEST and not nobodys and not currently_in_test_context():
            _secrets.add(text)
        return seal(self, text, owner=owner, attribute=attribute)

    KeyRing.seal = remembering  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that has logged a secret ends with an error."""
    report = yield
    for title, text in report.sections if report.when == "teardown" else ():
        if title.startswith(("Captured log", "Captured stderr")) and (found := secret_in(text)):
            report.outcome = "failed"
            report.longrepr = f"{title}: the secret {found} was logged"
    return report


@pytest.fixture(scope="session", autouse=True)
def controllers_log_no_secret(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Read the logs of all controllers, at the very end."""
    yield
    for log in logs_below(tmp_path_factory.getbasetemp()):
        check_log(log)


def logs_below(root: Path) -> Iterator[Path]:
    """All files named *.log, but not in Maildirs: those hold many thousand mails, and no logs."""
    for directory, below, files in os.walk(root):
        below[:] = set(below).difference(MAIL)
        yield from (Path(directory, name) for name in files if name.endswith(".log"))


def check_log(log: Path) -> None:
    """Raises `SecretLogged`."""
    text = log.read_text(errors="replace")
    if found := secret_in(text):
        line = next((line for line in text.splitlines() if found in line), "")
        raise SecretLogged(f"{log}: the secret {found} was logged: {line[:200]}")


def secret_in(text: str) -> str | None:
    """One of the secrets, if it stands there as a word or number of its own."""
    numbers = set(re.findall(r"\d+", MOMENT.sub("", text)))
    words = (secret for secret in _secrets if not secret.isdigit() and secret in text)
    token = FORM.search(text)
    return next(iter(numbers & _secrets), None) or next(words, token[0] if token else None)
