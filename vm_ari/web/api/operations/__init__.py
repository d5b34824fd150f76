"""Every operation of the API: each module of this package has a tuple ``OPERATIONS``."""

import importlib
import pkgutil
from functools import cache

from vm_ari.web.api.operation import Operation


@cache
def all_operations() -> tuple[Operation, ...]:
    """Of all modules, by address. Raises ValueError where two have the same name or address."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    found: list[Operation] = [one for module in modules for one in module.OPERATIONS]
    keys = [(one.method, address) for one in found for address, _ in one.addresses]
    keys += [("name", one.name) for one in found]
    if twice := {each for each in keys if keys.count(each) > 1}:
        raise ValueError(f"two operations have the same name or address: {twice}")
    return tuple(sorted(found, key=lambda one: (one.scope.value, one.path, one.method)))
