"""``python -m vm_ari`` is ``vm-ari``."""

from vm_ari.cli import main

main(prog_name="vm-ari")
