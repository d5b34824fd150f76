"""Every setting there is, by its key."""

from difflib import get_close_matches
from typing import Any

from vm_ari.domain.callers import printable
from vm_ari.domain.preferences import answering, conference, fax, mailbox, notices, rights
from vm_ari.domain.preferences.layers import Effective, Layers, effective
from vm_ari.domain.preferences.setting import BadSetting, Setting

TOPICS = (mailbox, fax, rights, conference, notices, answering)
TABLES = (
    notices.NOTIFY,
    notices.NOTIFY_FROM,
    answering.TRANSFERS,
    answering.TAKES_MESSAGES_IN,
)
"""Settings of which there is one for each topic or profile."""

SETTINGS: dict[str, Setting[Any]] = {
    one.key: one
    for one in (
        *(value for topic in TOPICS for value in vars(topic).values()),
        *(value for table in TABLES for value in table.values()),
    )
    if isinstance(one, Setting)
}
"""Every setting by its key."""


def all_effective(layers: Layers) -> dict[str, Effective[Any]]:
    """Every setting by key, as `users effective` and the portal show it."""
    return {key: effective(setting, layers) for key, setting in SETTINGS.items()}


def checked(key: str, text: str) -> str:
    """The text to store for a value that a person wrote; raises `BadSetting`."""
    setting = setting_named(key)
    return setting.format(setting.parse(text))


def setting_named(key: str) -> Setting[Any]:
    """Raises `BadSetting`, with the key that was perhaps meant."""
    if key in SETTINGS:
        return SETTINGS[key]
    near = get_close_matches(key[:40], SETTINGS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(SETTINGS)}."
    raise BadSetting(f"There is no setting “{printable(key, 40)}”; {hint}")
