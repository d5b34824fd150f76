"""Every page of the portal: each module of this package has a tuple ``PAGES``."""

import importlib
import pkgutil
from functools import cache

from vm_ari.web.page import Page


@cache
def all_pages() -> tuple[Page, ...]:
    """Of all modules, in the order of the menu. Raises ValueError for an address of two pages."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    found: list[Page] = [page for module in modules for page in module.PAGES]
    addresses = [(page.scope, page.path) for page in found]
    if twice := {each for each in addresses if addresses.count(each) > 1}:
        raise ValueError(f"two pages have the same address: {twice}")
    return tuple(sorted(found, key=lambda page: (page.menu or 10_000, page.path)))
