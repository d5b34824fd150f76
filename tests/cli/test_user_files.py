"""LDIF and CSV: what is written is read, and whatever is read, only `BadRecord` is raised."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vm_ari.adapters.user_files import decoded, read_csv, read_ldif, write_csv, write_ldif
from vm_ari.domain.entries import Entry
from vm_ari.ports import BadRecord, UserRecord

Reader = Callable[[str], Iterator[UserRecord]]

words = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters="|") | st.just(" "), min_size=1
).map(str.strip)
some = words.filter(bool)
entries = st.builds(
    Entry,
    id=some,
    name=some,
    mailbox=st.from_regex("[0-9]{1,5}", fullmatch=True),
    numbers=st.lists(st.from_regex(r"\+[1-9][0-9]{3,12}", fullmatch=True), max_size=3).map(tuple),
    mail=some,
    given=some,
    surname=some,
    organisation=some,
    settings=st.dictionaries(st.sampled_from(["language", "folder"]), some),
)


def read_again(entry: Entry, record: UserRecord) -> None:
    """Does the record say what the entry holds?"""
    fields = ("id", "name", "given", "surname", "mail", "organisation", "mailbox")
    assert record.texts == {name: getattr(entry, name) for name in fields}
    assert record.numbers == entry.numbers
    assert dict(record.settings) == entry.settings


@settings(max_examples=300)
@given(st.lists(entries, max_size=3))
def test_what_is_written_is_read(several: list[Entry]) -> None:
    ldif = "".join(write_ldif(several, "ou=people,dc=example,dc=com", sealed=False))
    assert all(len(line) <= 76 for line in ldif.split("\n"))
    table = "".join(write_csv(several, sealed=False))
    for records in (list(read_ldif(ldif)), list(read_csv(table))):
        assert len(records) == len(several)
        for entry, record in zip(several, records, strict=True):
            read_again(entry, record)


@settings(max_examples=500)
@given(
    st.binary()
    | st.text('udin:c<; \n#=,"|vmAriSetting').map(str.encode)
    | st.text('id,pnume\n";\t |').map(lambda text: f"id,name\n{text}".encode())
)
@pytest.mark.parametrize("read", [read_ldif, read_csv])
def test_whatever_is_read_a_bad_record_is_all_that_is_raised(read: Reader, raw: bytes) -> None:
    lines = []
    try:
        lines += [record.line for record in read(decoded(raw))]
    except BadRecord as error:
        lines.append(error.line)
    assert all(line >= 1 for line in lines)


def test_the_line_of_a_record_is_where_it_begins() -> None:
    two = 'id,name\n\na,"of two\nlines"\nb,x\n'
    assert [record.line for record in read_csv(two)] == [3, 5]


def test_windows_line_ends_are_understood() -> None:
    text = "dn: uid=a\r\nuid: a\r\ncn: An\r\n na\r\n\r\ndn: uid=b\r\nuid: b\r\n"
    assert [record.texts for record in read_ldif(text)] == [
        {"id": "a", "name": "Anna"},
        {"id": "b"},
    ]
    assert [record.texts["name"] for record in read_csv("id,name\r\na,Anna\r\n")] == ["Anna"]


def test_a_directory_server_takes_the_ldif(tmp_path: Path) -> None:
    """slapadd checks form, names, schema and syntax of every value."""
    slapadd, schema = Path("/usr/sbin/slapadd"), Path("/etc/ldap/schema")
    if not (slapadd.exists() and schema.is_dir()):
        pytest.skip("no OpenLDAP here")
    own = Path(__file__).parents[2] / "schema" / "vm-ari.schema"
    includes = [*(schema / f"{name}.schema" for name in ("core", "cosine", "inetorgperson")), own]
    (tmp_path / "data").mkdir()
    (tmp_path / "slapd.conf").write_text(
        "".join(f"include {file}\n" for file in includes)
        + "modulepath /usr/lib/ldap\nmoduleload back_mdb\ndatabase mdb\n"
        + f'suffix "dc=example,dc=com"\ndirectory {tmp_path}/data\n'
    )
    strange = Entry(
        id=' #a,b+"c"\\<d>;=é ',
        name="Größe, Anna",
        mailbox="101",
        numbers=("+4930555101",),
        mail="anna@example.com",
        given=":x",
        settings={"language": "de", "folder": "INBOX/Ä" + "b" * 100},
    )
    text = "".join(write_ldif([strange, Entry("bert", "")], "dc=example,dc=com", sealed=False))
    parent = "dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n\n"
    (tmp_path / "users.ldif").write_text(parent + text)
    command = [str(slapadd), "-f", f"{tmp_path}/slapd.conf", "-l", f"{tmp_path}/users.ldif"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
