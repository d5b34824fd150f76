"""Everything that `vm-ari asterisk check` looks at."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from vm_ari.adapters.ari.errors import AriError, AriUnavailable
from vm_ari.adapters.asterisk_conf import examination
from vm_ari.adapters.asterisk_conf.reading import NotConfigurable, Site
from vm_ari.adapters.examination.asterisk import client_of, examine_asterisk, examine_lamps
from vm_ari.adapters.findings import Finding, sentence
from vm_ari.config import Config
from vm_ari.wiring.asterisk import asterisk_address, lamp_settings
from vm_ari.wiring.asterisk_conf import prepare


async def examine_house(config: Config, path: Path, directory: Path) -> Sequence[Finding]:
    """Nothing is changed; *path* is where the configuration was read from."""
    address = asterisk_address(config)
    found = list(await examine_asterisk(address, config.asterisk.app))
    if any(one.unreachable for one in found):
        return found
    found += await examine_lamps(address, lamp_settings(config))
    try:
        async with client_of(address) as client:
            running = await examination.ask(client)
    except (AriError, AriUnavailable) as error:
        return [*found, Finding(False, sentence(error), "Mend what is told above first.")]
    return [*found, *await asyncio.to_thread(_here, config, path, Site(directory), running)]


def _here(
    config: Config, path: Path, site: Site, running: examination.Running
) -> Sequence[Finding]:
    found = [
        *examination.examine_codecs(running),
        *examination.examine_services(running),
        *examination.examine_recordings(running, config.spool.directory),
    ]
    try:
        found += examination.examine_prompts(running, Path(config.sounds), site)
        silence_sent = config.calls.transmit_silence
        found += examination.examine_files(site, silence_sent=silence_sent)
        if site.content("extensions.conf") is not None:
            found += examination.examine_plan(prepare(site, path).plan, site)
    except NotConfigurable as error:
        found.append(Finding(True, f"Asterisk's files are not looked at: {sentence(error)}"))
    return found
