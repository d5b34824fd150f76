"""What TAB offers for a USER: ids, where they can be had at once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

MOST = 100
"""A longer list helps nobody; one more letter shortens it."""


def user_ids(
    context: click.Context, _parameter: click.Parameter, begun: str
) -> "Sequence[CompletionItem | str]":
    """Ids that begin so: from an embedded directory in SQLite; from others, none."""
    from vm_ari.adapters.database_ids import ids_beginning

    url = _directory_url(context.params)
    return ids_beginning(url, begun, MOST) if url else []


def _directory_url(params: dict[str, Any]) -> str:
    """As `config` finds it, without the time that a check of everything takes."""
    import os
    import tomllib
    from pathlib import Path

    from vm_ari.cli.opening import DEFAULT_CONFIG

    # an option that was not typed yet is not among the parameters
    file = Path(params.get("path") or os.environ.get("VM_ARI_CONFIG") or DEFAULT_CONFIG)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("directory", {})
    except (OSError, ValueError):
        return ""
    if not isinstance(table, dict):
        return ""
    kind = os.environ.get("VM_ARI__DIRECTORY__KIND") or table.get("kind", "embedded")
    if kind != "embedded":
        return ""
    url = os.environ.get("VM_ARI__DIRECTORY__URL") or table.get("url", "")
    return url if isinstance(url, str) else ""
