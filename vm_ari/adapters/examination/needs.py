"""What single services need of a running Asterisk: modules, our dialplan, ports (UM-04)."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.errors import AriError, AriUnavailable
from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.asterisk_conf.reading import NotConfigurable, Site
from vm_ari.adapters.asterisk_conf.texts import is_yes
from vm_ari.adapters.examination.asterisk import client_of, has_label, lacks_modules, reloading
from vm_ari.adapters.findings import Finding

FIRST_PORT, LAST_PORT = 4000, 4999
"""Of T.38, where udptl.conf says nothing else."""
PORTS_OF_A_FAX = 2
"""Asterisk looks for a free one at random: half of them should be free."""


@dataclass(frozen=True)
class Needs:
    """What one service needs; *context*, with a label of one extension, is in *file*."""

    what: str
    modules: tuple[str, ...]
    context: str = ""
    extension: str = "s"
    label: str = ""
    file: str = ""
    useful: tuple[str, ...] = ()
    """Modules without which it works, but not as well."""
    loss: str = ""
    """What is missed without those."""


FAXES_IN = Needs(
    "Received faxes",
    ("res_fax", "res_fax_spandsp", "app_originate"),
    "vm-ari-fax-receive",
    label="caller",
    file="extensions_vm_ari_fax.conf",
    useful=("res_pjsip_t38",),
    loss="they come as audio, which a lossy line damages",
)
FAXES_OUT = Needs(
    "Sent faxes",
    ("res_fax", "res_fax_spandsp"),
    "vm-ari-fax-out",
    "send",
    "begin",
    "extensions_vm_ari_fax_out.conf",
    useful=("res_pjsip_t38",),
    loss="they go as audio, which a lossy line damages",
)
CONFERENCES = Needs(
    "Conferences",
    ("bridge_softmix", "res_stasis_recording", "res_ari_bridges"),
    useful=("res_musiconhold",),
    loss="who is alone hears silence",
)


async def examine_needs(address: Address, needs: Needs) -> list[Finding]:
    """Everything that Asterisk must have for it; one line where that is all there."""
    try:
        async with client_of(address) as client:
            running = await client.asterisk.running_modules()
            found = _modules(address, needs, running)
            if needs.context and not await _has_context(client, needs):
                found.append(_no_context(address, needs))
    except (AriError, AriUnavailable):
        text = f"{needs.what}: nobody knows whether Asterisk has what they need."
        return [Finding(False, text, "vm-ari check --only asterisk", follows="asterisk")]
    return found or [Finding(True, f"{needs.what}: Asterisk has what they need.")]


def _modules(address: Address, needs: Needs, running: Collection[str]) -> list[Finding]:
    found = []
    if lacking := [name for name in needs.modules if f"{name}.so" not in running]:
        found.append(lacks_modules(address, lacking, f"{needs.what}: "))
    if lacking := [name for name in needs.useful if f"{name}.so" not in running]:
        one = lacks_modules(address, lacking, f"{needs.what}: ")
        text = f"{one.text.rstrip('.')}: {needs.loss}."
        found.append(replace(one, text=text, minor=True))
    return found


async def _has_context(client: AriClient, needs: Needs) -> bool:
    return await has_label(client, needs.context, needs.extension, needs.label)


def _no_context(address: Address, needs: Needs) -> Finding:
    text = f"{needs.what}: the dialplan has no [{needs.context}]."
    advice = f"Include asterisk-conf/{needs.file} behind the other one, and reload the dialplan."
    return Finding(False, text, advice, mending=reloading(address))


async def examine_udptl(address: Address, lines: int) -> list[Finding]:
    """The ports of T.38, where Asterisk's files can be read; *lines*: faxes at the same time."""
    try:
        async with client_of(address) as client:
            directory = await client.asterisk.get_global_variable("ASTETCDIR")
    except (AriError, AriUnavailable):
        return []
    try:
        return [_udptl(Site(Path(directory), with_ours=True), lines)] if directory else []
    except NotConfigurable:  # no file of this machine, or not for this account
        return []


def _udptl(site: Site, lines: int) -> Finding:
    """Raises NotConfigurable."""
    first = _port(site, "udptlstart", FIRST_PORT)
    last = _port(site, "udptlend", LAST_PORT)
    if first >= last:
        text = f"udptl.conf: {first} to {last} is no range, so T.38 takes the ports 4000 to 4999."
        return Finding(False, text, "Correct udptlstart and udptlend; let the firewall know.")
    even = is_yes(site.value("udptl.conf", "general", "use_even_ports"))
    ports = (last - first + 1) // (2 if even else 1)
    if ports < lines * PORTS_OF_A_FAX:
        text = f"udptl.conf: T.38 has {ports} ports, too few for {lines} faxes at the same time."
        advice = f"Give it {lines * PORTS_OF_A_FAX} at least: udptlstart and udptlend."
        return Finding(False, text, advice, minor=True)
    text = f"T.38 uses the UDP ports {first} to {last}, which a firewall has to let through."
    return Finding(True, text)


def _port(site: Site, key: str, otherwise: int) -> int:
    """What is no number is not taken by Asterisk either."""
    text = site.value("udptl.conf", "general", key) or ""
    return int(text) if text.isdecimal() else otherwise
