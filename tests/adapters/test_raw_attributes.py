"""Which number the welcome mail names, out of a real directory server (WELCOME-04)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.adapters.ldap_people import PEOPLE, SITE, UserDirectory, on_ldap, settings_of, unit
from tests.adapters.ldap_people import person as somebody
from tests.slapd import Slapd, slapd
from vm_ari.adapters.ldap.raw_attributes import LdapAttributes
from vm_ari.domain.welcome import NumberSource, named_number
from vm_ari.ports import DirectoryUnavailable

LIKE_AD = Path(__file__).parents[1] / "active_directory_like.schema"
AD_CLASSES = ("inetOrgPerson", "vmAriUser", "user")
DIALLED = "+498142479999"


def ad_person(user_id: str, **attributes: str | Iterable[str]) -> str:
    there: dict[str, str | Iterable[str]] = {"objectClass": AD_CLASSES, "sAMAccountName": user_id}
    return somebody(user_id, PEOPLE, **there, **attributes)


@pytest.fixture(scope="module")
def server() -> Iterator[Slapd]:
    proxies = ("SMTP:both@example.org", "smtp:other@example.org", "ixi:08142/479-302")
    people = (
        ad_person("both", facsimileTelephoneNumber="08142 479301", proxyAddresses=proxies),
        ad_person("proxy", proxyAddresses=proxies, telephoneNumber="479303"),
        ad_person("neither", proxyAddresses=("SMTP:neither@example.org",), mobile="0171 1234567"),
    )
    with slapd(unit("people") + "".join(people), schema=[LIKE_AD]) as running:
        yield running


def attributes(
    server: Slapd, base: Path, user_id: str, names: Sequence[str]
) -> Mapping[str, Sequence[str]]:
    async def story(directory: UserDirectory) -> Mapping[str, Sequence[str]]:
        return await LdapAttributes(directory).attributes(user_id, names)

    return on_ldap(settings_of(server, bases=(PEOPLE,)), base / "keys", story)


@pytest.mark.feature("WELCOME-04")
@pytest.mark.parametrize(
    ("user", "source", "number"),
    [
        ("both", "fax-or-proxy", "+498142479301"),
        ("proxy", "fax-or-proxy", "+498142479302"),
        ("neither", "fax-or-proxy", DIALLED),
        ("both", "fax", "+498142479301"),
        ("proxy", "fax", DIALLED),
        ("both", "proxy", "+498142479302"),
        ("neither", "attribute mobile", "+491711234567"),
        ("both", "attribute mobile", DIALLED),
        ("neither", "+49 8142 479-1", "+4981424791"),
    ],
)
def test_the_mail_names_the_number_that_the_site_wants(
    server: Slapd, tmp_path: Path, user: str, source: str, number: str
) -> None:
    wanted = NumberSource.parse(source)
    there = attributes(server, tmp_path, user, wanted.attributes) if wanted.attributes else {}
    assert named_number(wanted, there, SITE, DIALLED) == number


def test_names_are_found_in_any_spelling_and_nobody_has_nothing(
    server: Slapd, tmp_path: Path
) -> None:
    found = attributes(server, tmp_path, "both", ["FACSIMILEtelephonenumber", "mail", "nonsense"])
    assert found == {
        "FACSIMILEtelephonenumber": ["08142 479301"],
        "mail": ["both@example.org"],
        "nonsense": [],
    }
    assert attributes(server, tmp_path, "nobody", ["mail"]) == {}


def test_a_server_that_is_away_is_told(tmp_path: Path) -> None:
    with slapd(unit("people")) as gone:
        pass
    with pytest.raises(DirectoryUnavailable):
        attributes(gone, tmp_path, "both", ["mail"])
