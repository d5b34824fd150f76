"""Asterisk and the lamps of phones, as configured."""

from vm_ari.adapters.ami import ManagerAccount
from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.lamps import LampSettings, MethodName, SipAccount
from vm_ari.config import Config


def asterisk_address(config: Config) -> Address:
    """Where Asterisk's REST interface is, and who we are there."""
    asterisk = config.asterisk
    return Address(asterisk.url, asterisk.user, asterisk.password.get_secret_value())


def lamp_settings(config: Config) -> LampSettings:
    """How phones are told about their lamps."""
    lamps = config.lamps
    publish = manager = None
    if lamps.sip_user:
        password = lamps.sip_password.get_secret_value()
        publish = SipAccount((lamps.sip_host, lamps.sip_port), lamps.sip_user, password)
    if lamps.manager_user:
        secret = lamps.manager_secret.get_secret_value()
        manager = ManagerAccount(lamps.manager_user, secret, lamps.manager_host, lamps.manager_port)
    method = None if lamps.method == "auto" else MethodName(lamps.method)
    return LampSettings(method, publish, manager)
