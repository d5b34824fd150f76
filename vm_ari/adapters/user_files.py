"""Users in files: LDIF (RFC 2849) and CSV with a line of column names (DIR-06).

Both are read as `UserRecord`, unchecked, with the line where each begins, and raise `BadRecord`
with the line of what is wrong with the form. LDIF is written for the schema in ``schema/``.
"""

import base64
import binascii
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from vm_ari.domain.callers import printable
from vm_ari.domain.directory_text import REVISION
from vm_ari.domain.entries import PIN_FAILURES, SEALED_KEYS, Entry, surname_or_guess
from vm_ari.domain.legacy_settings import is_legacy
from vm_ari.domain.preferences import SETTINGS
from vm_ari.ports import BadRecord, UserRecord

LARGEST = 200_000_000
"""Bytes; 100,000 users have some 40 million."""
_LINE = 76
_TEXTS = {
    "uid": "id",
    "samaccountname": "id",
    "cn": "name",
    "givenname": "given",
    "sn": "surname",
    "mail": "mail",
    "o": "organisation",
    "vmarimailbox": "mailbox",
}
"""What we understand of LDIF; attributes of other programs are passed over."""
_NUMBERS = ("vmarinumber", "telephonenumber", "facsimiletelephonenumber")
_SETTING = "vmarisetting"
_PERSONS = {"person", "organizationalperson", "inetorgperson", "user", "vmariuser"}
_COLUMNS = ("id", "name", "given", "surname", "mail", "organisation", "mailbox", "numbers")
_SAFE = re.compile(r"(?![ :<])[\x01-\x09\x0b\x0c\x0e-\x7f]*(?<! )")
_ATTRIBUTE = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9.-]*)(;[A-Za-z0-9-]+)*:(?P<mark>[:<]?) *(?P<value>.*)"
)


def decoded(raw: bytes) -> str:
    """A file's text. Raises `BadRecord` with the line that is not UTF-8."""
    if len(raw) > LARGEST:
        raise BadRecord(1, f"the file is larger than {LARGEST // 1_000_000} MB; divide it.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadRecord(line, "not UTF-8; save the file as UTF-8.") from None


# --- LDIF


@dataclass
class _Ldif:
    """The lines of one record, unfolded and decoded."""

    line: int
    values: list[tuple[str, str]] = field(default_factory=list)
    """Attribute in lower case, and value."""

    def all(self, *names: str) -> tuple[str, ...]:
        return tuple(value for name, value in self.values if name in names)


def read_ldif(text: str) -> Iterator[UserRecord]:
    """The persons of an LDIF file; units and other objects are passed over."""
    for record in _ldif_records(text):
        if not record.all("dn"):
            raise BadRecord(record.line, "a record begins with “dn:”.")
        if record.all("changetype") not in ((), ("add",)):
            raise BadRecord(record.line, "only records that add something can be imported.")
        classes = {name.lower() for name in record.all("objectclass")}
        if record.all("uid", "samaccountname") or classes & _PERSONS or not classes:
            yield _from_ldif(record)


def write_ldif(entries: Iterable[Entry], base: str, *, sealed: bool) -> Iterator[str]:
    """Lines with their ends; *base* is the DN below which the users shall be."""
    # without a version, which slapadd takes for an attribute
    for entry in entries:
        for name, value in _to_ldif(entry, base, sealed=sealed):
            yield from _folded(name, value)
        yield "\n"


def _ldif_records(text: str) -> Iterator[_Ldif]:
    record: _Ldif | None = None
    for number, line in _unfolded(text):
        if not line:
            if record:
                yield record
            record = None
        elif not line.startswith("#") and not (record is None and line.startswith("version:")):
            record = record or _Ldif(number)
            record.values.append(_attribute(number, line))
    if record:
        yield record


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Whole lines with the number of their first one; an empty one at the end of each record."""
    held: tuple[int, list[str]] | None = None
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.removesuffix("\r")
        if line.startswith(" "):
            if held is None or not held[1][0]:
                raise BadRecord(number, "a continued line has nothing that it continues.")
            held[1].append(line[1:])
            continue
        if held:
            yield held[0], "".join(held[1])
        held = (number, [line])
    if held:
        yield held[0], "".join(held[1])


def _attribute(line: int, text: str) -> tuple[str, str]:
    found = _ATTRIBUTE.fullmatch(text)
    if found is None:
        raise BadRecord(line, f"“{printable(text, 40)}” is not “attribute: value”.")
    name, value = found["name"].lower(), found["value"]
    match found["mark"]:
        case "<":
            raise BadRecord(line, f"{found['name']}: values in other files are not read.")
        case ":":
            try:
                value = base64.b64decode(value.strip(), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                if name in (*_TEXTS, *_NUMBERS, _SETTING, "dn"):
                    reason = f"{found['name']}: the value is not Base64 of UTF-8."
                    raise BadRecord(line, reason) from None
                value = ""  # a picture of another program
    return name, value


def _from_ldif(record: _Ldif) -> UserRecord:
    texts: dict[str, str] = {}
    for name, value in record.values:
        if name in _TEXTS:
            texts.setdefault(_TEXTS[name], value.strip())
    settings = [_setting(record.line, value) for value in record.all(_SETTING)]
    legacy = tuple(value for _name, value in record.values if is_legacy(value))
    return UserRecord(
        line=record.line,
        texts=texts,
        numbers=tuple(filter(None, record.all(*_NUMBERS))),
        settings=tuple(pair for pair in settings if pair[0] != REVISION),
        legacy=legacy,
    )


def _setting(line: int, value: str) -> tuple[str, str]:
    key, equals, text = value.partition("=")
    if not equals:
        raise BadRecord(line, f"vmAriSetting: “{printable(key, 20)}” is not “key=value”.")
    return key.strip(), text.strip()


def _to_ldif(entry: Entry, base: str, *, sealed: bool) -> Iterator[tuple[str, str]]:
    yield "dn", f"uid={_in_dn(entry.id)},{base}"
    yield "objectClass", "inetOrgPerson"
    yield "objectClass", "vmAriUser"
    yield "uid", entry.id
    yield "cn", entry.name or entry.id
    # the class demands a surname
    yield "sn", surname_or_guess(entry)
    optional = {
        "givenName": entry.given,
        "mail": entry.mail,
        "o": entry.organisation,
        "vmAriMailbox": entry.mailbox,
    }
    yield from ((name, text) for name, text in optional.items() if text)
    yield from (("vmAriNumber", number) for number in entry.numbers)
    settings = {**entry.settings, **(entry.sealed if sealed else {})}
    yield from (("vmAriSetting", f"{key}={text}") for key, text in sorted(settings.items()))


def _folded(name: str, value: str) -> Iterator[str]:
    line = f"{name}: {value}"
    if not _SAFE.fullmatch(value):
        line = f"{name}:: {base64.b64encode(value.encode()).decode()}"
    yield line[:_LINE] + "\n"
    for start in range(_LINE, len(line), _LINE - 1):
        yield f" {line[start : start + _LINE - 1]}\n"


def _in_dn(text: str) -> str:
    """Escaped by RFC 4514 section 2.4."""
    escaped = re.sub(r'([\\",+;<>=])', r"\\\1", text)
    escaped = re.sub("^([ #])", r"\\\1", escaped)
    return re.sub("(?<!\\\\) $", r"\\ ", escaped)


# --- CSV


def read_csv(text: str) -> Iterator[UserRecord]:
    """Records of a file whose first line names the columns: fields, ``pin``, and settings.

    Columns are divided by comma, semicolon or tab; numbers by blanks around a comma or semicolon
    (`` , ``), a bar or a line break, as they may hold blanks themselves.
    """
    head = text.split("\n", 1)[0]
    divider = max(";,\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=divider, strict=True)
    columns: list[str] = []
    begins = 1
    try:
        for row in rows:
            if not columns:
                columns = _checked_columns(row)
            elif any(cell.strip() for cell in row):
                yield _from_csv(begins, columns, row)
            begins = rows.line_num + 1
    except csv.Error as error:
        raise BadRecord(begins, f"not CSV: {error}.") from None
    if not columns:
        raise BadRecord(1, "the file is empty; its first line names the columns.")


def write_csv(entries: Sequence[Entry], *, sealed: bool) -> Iterator[str]:
    """Lines with their ends."""
    keys = sorted({key for entry in entries for key in entry.settings} & SETTINGS.keys())
    secrets = sorted({key for entry in entries for key in entry.sealed}) if sealed else []
    yield _csv_line((*_COLUMNS, *keys, *secrets))
    for entry in entries:
        texts = {**entry.settings, **entry.sealed}
        fields = [str(getattr(entry, name)) for name in _COLUMNS[:-1]]
        numbers = " | ".join(entry.numbers)
        yield _csv_line((*fields, numbers, *(texts.get(key, "") for key in (*keys, *secrets))))


def _checked_columns(row: Sequence[str]) -> list[str]:
    columns = [name.strip().lower() for name in row]
    known = (*_COLUMNS, *SETTINGS, *sorted(SEALED_KEYS), PIN_FAILURES)
    for name in columns:
        if name not in known:
            near = get_close_matches(name[:40], known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
            raise BadRecord(1, f"there is no column “{printable(name, 40)}”; {hint}")
    if doubled := {name for name in columns if columns.count(name) > 1}:
        raise BadRecord(1, f"the column {min(doubled)} is there twice.")
    return columns


def _from_csv(line: int, columns: Sequence[str], row: Sequence[str]) -> UserRecord:
    if len(row) != len(columns):
        raise BadRecord(line, f"{len(row)} columns where the first line has {len(columns)}.")
    cells: Mapping[str, str] = {
        name: cell.strip() for name, cell in zip(columns, row, strict=True) if cell.strip()
    }
    numbers = re.split(r"\||\n| , | ; ", cells.get("numbers", ""))
    return UserRecord(
        line=line,
        texts={name: cells[name] for name in _COLUMNS[:-1] if name in cells},
        numbers=tuple(number.strip() for number in numbers if number.strip()),
        settings=tuple((key, text) for key, text in cells.items() if key not in _COLUMNS),
    )


def _csv_line(cells: Iterable[str]) -> str:
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()
