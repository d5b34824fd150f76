"""The head of every table: a figure without machine, versions and seed says nothing."""

import os
import platform
from importlib.metadata import version

from tests.torture.figures import machine, versions
from vm_ari.adapters.asterisk.install import AsteriskInstall


def heading(install: AsteriskInstall | None = None, *, seed: int | str | None = None) -> str:
    """Lines to print first; *install*: where an Asterisk takes part. Blocks."""
    known = versions(install) if install else _own_versions()
    lines = [f"machine   {machine()}, {_memory()}, load {os.getloadavg()[0]:.1f}"]
    lines.append(f"versions  {known}")
    if seed is not None:
        lines.append(f"seed      {seed}")
    return "\n".join(lines)


def _own_versions() -> str:
    return f"vm_ari {version('vm_ari')}, Python {platform.python_version()}"


def _memory() -> str:
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{size / 2**30:.0f} GB"
