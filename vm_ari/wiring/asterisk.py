"""Asterisk and the lamps of phones, as configured."""

from vm_ari.adapters.ami import ManagerAccount
from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.lamps import LampSettings, MethodName, SipAccount
from vm_ari.adapters.lamps.accounts import MessageAccounts
from vm_ari.config import Config


def asterisk_address(config: Config) -> Address:
    """Where Asterisk's REST interface is, and who we are there."""
    asterisk = config.asterisk
    return Address(asterisk.url, asterisk.user, asterisk.password.get_secret_value())


def manager_account(config: Config) -> ManagerAccount | None:
    """Who we are at the manager interface; None: nobody."""
    table = config.manager
    if not table.user:
        return None
    return ManagerAccount(table.user, table.account_secret(), table.host, table.port)


def lamp_settings(config: Config) -> LampSettings:
    """How phones are told about their lamps."""
    lamps = config.lamps
    publish = None
    if lamps.sip_user:
        password = lamps.sip_password.get_secret_value()
        publish = SipAccount((lamps.sip_host, lamps.sip_port), lamps.sip_user, password)
    method = None if lamps.method == "auto" else MethodName(lamps.method)
    accounts = MessageAccounts(lamps.account_host)
    return LampSettings(method, publish, manager_account(config), accounts)
