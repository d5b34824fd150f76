"""The schema files for OpenLDAP: both kinds say the same, and a server takes them."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.slapd import ROOT, SCHEMA_FILES, need_slapd, program

SCHEMA = ROOT / "schema"
CONFIG = """\
dn: cn=config
objectClass: olcGlobal
cn: config

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

"""


def definitions(text: str, start: str) -> list[str]:
    """Each one on a line of its own, without what only the kind of the file needs."""
    unfolded = re.sub(r"\n[ \t]\s*", " ", text)
    lines = (line for line in unfolded.splitlines() if re.match(start, line))
    return [re.sub(r"^\S+\s+", "", re.sub(r"\s+", " ", line)) for line in lines]


def test_both_files_say_the_same() -> None:
    old = definitions((SCHEMA / "vm-ari.schema").read_text(), "(objectIdentifier|attrib|objectcl)")
    new = definitions((SCHEMA / "vm-ari.ldif").read_text(), "olc(ObjectIdent|Attrib|ObjectCl)")
    assert len(old) == 7
    assert old == new


@pytest.mark.feature_part("DIR-01", "a schema of our own for OpenLDAP's cn=config")
def test_a_server_with_cn_config_takes_the_schema(tmp_path: Path) -> None:
    need_slapd()
    includes = [f"include: file://{file.with_suffix('.ldif')}" for file in SCHEMA_FILES]
    includes.append(f"include: file://{SCHEMA / 'vm-ari.ldif'}")
    (tmp_path / "config.ldif").write_text(CONFIG + "\n".join(includes) + "\n")
    (tmp_path / "slapd.d").mkdir()
    where = ["-n", "0", "-F", str(tmp_path / "slapd.d")]
    load = [program("slapadd"), *where, "-l", str(tmp_path / "config.ldif")]
    subprocess.run(load, check=True, capture_output=True)
    shown = subprocess.run([program("slapcat"), *where], check=True, capture_output=True).stdout
    for name in (b"vmAriSetting", b"vmAriNumber", b"vmAriMailbox", b"vmAriUser"):
        assert b"NAME '%s'" % name in shown.replace(b"\n ", b"")
