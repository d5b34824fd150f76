"""Single sign-on, as configured."""

from vm_ari.adapters.openid import OpenIdProvider, ProviderSettings
from vm_ari.config import BadConfig
from vm_ari.config.web import WebSettings


def open_openid(table: WebSettings) -> OpenIdProvider | None:
    """None where there is no single sign-on. Raises `BadConfig`."""
    if table.openid is None:
        return None
    one = table.openid
    settings = ProviderSettings(
        one.issuer, one.client_id, one.secret(), one.claim, one.name, one.ca_file
    )
    try:
        return OpenIdProvider(settings)
    except OSError as error:
        raise BadConfig(f"web.openid.ca_file: {one.ca_file}: {error.strerror or error}") from None
