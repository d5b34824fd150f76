"""What an administrator copies for several nodes is understood by Kamailio as it is shipped."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.system.node_house import samples
from tests.system.node_kamailio import kamailio_program
from vm_ari.adapters.asterisk.configuration import shipped_configuration

SHIPPED = shipped_configuration() / "kamailio"


@pytest.mark.parametrize("everything", [False, True])
def test_kamailio_understands_the_sample(tmp_path: Path, everything: bool) -> None:
    """As it is, and with what stands in its comments."""
    program = kamailio_program()
    if program is None:
        pytest.skip("Kamailio is not installed: apt-get install kamailio")
    shutil.copy(SHIPPED / "kamailio.cfg", tmp_path)
    local = (SHIPPED / "vm_ari_local.cfg.sample").read_text()
    if everything:
        assert local.count("# #!define") == 3
        local = local.replace("# #!define", "#!define")
    (tmp_path / "vm_ari_local.cfg").write_text(local)
    command = [program, "-c", "-f", str(tmp_path / "kamailio.cfg")]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert told.returncode == 0, told.stderr[-1000:]


def test_the_samples_of_pjsip_are_those_that_the_house_uses() -> None:
    """Both that need addresses, and a phone of each kind."""
    blocks = samples(SHIPPED / "pjsip_vm_ari_nodes.conf")
    assert [block.splitlines()[0] for block in blocks] == [
        "[global](+)",
        "[OTHER](vm-ari-node)",
        "[101]",
        "[102](vm-ari-phone)",
    ]
