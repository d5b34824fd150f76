"""What attributes of the directory say of users beside their settings, as configured."""

from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import BadConfig, Config
from vm_ari.ports import Clock, UserRegister
from vm_ari.services.locations import Locations
from vm_ari.services.user_attributes import UserAttribute
from vm_ari.wiring.directories import open_register
from vm_ari.wiring.mail import open_attributes


def open_locations(config: Config, register: UserRegister, clock: Clock) -> Locations:
    """Through which location a user's notices and calls go. Raises `BadConfig`."""
    attribute = open_attribute(config, "location_attribute", register, clock)
    return Locations(attribute, config.dialling.endpoint, config.dialling.locations)


def open_attribute(config: Config, key: str, register: UserRegister, clock: Clock) -> UserAttribute:
    """The attribute that this key of ``[notifications]`` names. Raises `BadConfig`."""
    name: str = getattr(config.notifications, key)
    if name and config.directory.ldap is None:
        raise BadConfig(
            f"notifications.{key}: only directory servers have attributes; remove it, or write "
            "a table [directory.ldap]"
        )
    return UserAttribute(open_attributes(register), name, clock)


async def endpoint_of(config: Config, user_id: str, clock: Clock) -> str:
    """How calls to that user are dialled, for a command that needs the directory for nothing else.

    Raises `BadConfig`.
    """
    if not config.notifications.location_attribute:
        return config.dialling.endpoint
    register = open_register(config, KeyRing(config.directory.keys))
    try:
        return await open_locations(config, register, clock).endpoint(user_id)
    finally:
        await register.close()
