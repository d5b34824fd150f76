"""The site's defaults, written into users as values of their own, or left to the site (DIR-07)."""

from collections.abc import Sequence

from vm_ari.domain.entries import Entry
from vm_ari.domain.preferences import Layers, effective, setting_named
from vm_ari.services.users import Change, House, plan


def site_values(house: House, keys: Sequence[str] = ()) -> dict[str, str]:
    """What counts for users without values of their own: texts of *keys*, or of all the site sets.

    Raises `BadSetting` for a key that is none.
    """
    layers = Layers(site=house.defaults)
    settings = [setting_named(key) for key in keys or house.defaults]
    return {one.key: one.form.write(effective(one, layers).value) for one in settings}


def distributed(entry: Entry, values: dict[str, str]) -> tuple[Change, ...]:
    """What writing those values into a user would change."""
    return plan(entry, values)


def inheriting(entry: Entry, values: dict[str, str]) -> tuple[Change, ...]:
    """What taking the user's own values away would change: the site's count, now and later."""
    return plan(entry, dict.fromkeys(values, ""))
