"""What a backup is made of, and the list of contents that it begins its life with."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

FORMAT = 1
MANIFEST = "manifest.json"
SEALED = "sealed"
"""The member with everything that is secret, itself an archive."""
_NAME = re.compile(r"[a-z0-9-]{1,40}")


class BadBackup(Exception):
    """The file is no backup of ours, or not whole. The text says why, and what to do."""


class Kind(StrEnum):
    """How something is copied while controllers work on it."""

    FILE = "file"
    TREE = "tree"
    SQLITE = "sqlite"
    SPOOL = "spool"
    """A tree whose items move from one directory to the next."""


@dataclass(frozen=True)
class Root:
    """A file or directory of the installation."""

    name: str
    """Before the first slash of its members."""
    path: Path
    """Absolute: where it is, and where it comes back to."""
    kind: Kind
    secret: bool = False
    """Goes into the sealed part, or is left out."""


@dataclass(frozen=True)
class Manifest:
    """What is in the file."""

    version: str
    """Of vm_ari."""
    made: str
    """ISO 8601, UTC."""
    roots: Sequence[Root]
    digests: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each member, in hexadecimal."""
    left_out: Sequence[str] = ()
    """What has to be saved by other means: one sentence each."""

    def to_json(self) -> bytes:
        """As it stands in the file."""
        roots = [
            {"name": one.name, "path": str(one.path), "kind": one.kind, "secret": one.secret}
            for one in self.roots
        ]
        record = {
            "format": FORMAT,
            "version": self.version,
            "made": self.made,
            "roots": roots,
            "digests": dict(self.digests),
            "left_out": list(self.left_out),
        }
        return json.dumps(record, indent=1).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Manifest":
        """Raises `BadBackup`."""
        try:
            record = json.loads(content)
            if record["format"] != FORMAT:
                raise BadBackup(f"it has format {record['format']!r}; use the vm_ari that made it")
            return cls(
                version=str(record["version"]),
                made=str(record["made"]),
                roots=[_root(one) for one in record["roots"]],
                digests={str(k): str(v) for k, v in record["digests"].items()},
                left_out=[str(one) for one in record["left_out"]],
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadBackup(f"its list of contents cannot be read ({error})") from None


def _root(record: Any) -> Root:
    name, path = str(record["name"]), Path(str(record["path"]))
    if not _NAME.fullmatch(name) or not path.is_absolute() or ".." in path.parts:
        raise BadBackup(f"it names a place that cannot be: {str(path)[:200]!r}")
    return Root(name, path, Kind(record["kind"]), bool(record["secret"]))


def place(member: str, roots: Mapping[str, Root]) -> Path:
    """Where a member comes back to. Raises `BadBackup` for a name that leads anywhere else."""
    name, _, below = member.partition("/")
    root = roots.get(name)
    parts = Path(below).parts
    if root is None or ".." in parts or below.startswith("/") or "\0" in below:
        raise BadBackup(f"it holds a file that belongs nowhere: {member[:200]!r}")
    return root.path / below if below else root.path
