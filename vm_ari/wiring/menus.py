"""The keys of the telephone menus as the configuration wants them."""

from vm_ari.config import BadConfig, Config
from vm_ari.telephony.menu import BadKeyMap, KeyMap, load_key_map


def open_keys(config: Config) -> KeyMap:
    """Raises `BadConfig`."""
    try:
        return load_key_map(config.calls.key_map)
    except BadKeyMap as error:
        raise BadConfig(f"calls.key_map: {error}") from None
