"""Calls that the system makes, as configured."""

from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.outgoing_call import OutgoingCalls
from vm_ari.config import Config
from vm_ari.ports import Clock, UserRegister
from vm_ari.services.play_on_phone import PlayOnPhone
from vm_ari.wiring.locations import open_locations


def open_telephones(config: Config) -> OutgoingCalls:
    """Who calls people, from any process; nothing is connected yet."""
    asterisk = config.asterisk
    address = Address(asterisk.url, asterisk.user, asterisk.password.get_secret_value())
    return OutgoingCalls(address, asterisk.app, config.dialling.endpoint)


def open_play_on_phone(config: Config, register: UserRegister, clock: Clock) -> PlayOnPhone:
    """Who has messages played on telephones; the running controller serves the calls.

    Raises `BadConfig`.
    """
    return PlayOnPhone(
        open_telephones(config),
        config.dialling_rules(),
        config.rules().sites,
        open_locations(config, register, clock).endpoint,
    )
