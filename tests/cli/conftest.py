"""A site for each test."""

from pathlib import Path

import pytest

from tests.cli.site import CliSite


@pytest.fixture
def site(tmp_path: Path) -> CliSite:
    """Configured, without users."""
    one = CliSite(tmp_path)
    one.configure()
    return one


@pytest.fixture
def people(site: CliSite) -> CliSite:
    """Anna and Bert have mailboxes."""
    site.run("users", "add", "anna", "given=Anna", "surname=Größe", "--number", "101",
             "mail=anna@example.org", "organisation=sales")  # fmt: skip
    site.run("users", "add", "bert", "name=Bert", "--number", "030/555-102")
    return site
