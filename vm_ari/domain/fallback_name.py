"""The facts of a call that the dialplan wrote into the name of a recording.

Without a controller the dialplan takes the message by itself (``[vm-ari-record]`` in
``asterisk-conf/extensions_vm_ari.conf``), and a file name is all it can write beside the audio::

    <epoch>_<unique id>_<called>_<caller>_<redirecting>_<name>.wav

Seconds since 1970 when the call came; Asterisk's channel id, letters, digits and dots only, its
last 32; the numbers, digits and ``+`` only, at most 24, empty where unknown or withheld; the
caller's name as UTF-8 in Base64 with ``-`` for ``/``, at most 72 bytes of it.

At the common number (CALL-08) nobody is the called one: ``<called>`` is empty then, and
``<redirecting>`` is the first number the call was redirected from, perhaps with ``-`` and the last.
"""

import base64
import binascii
import codecs
import re
from dataclasses import dataclass

_NAME = re.compile(
    r"(?P<epoch>[0-9]{1,12})_(?P<unique_id>[0-9A-Za-z.]{1,32})_(?P<called>[0-9+]{0,24})"
    r"_(?P<caller>[0-9+]{0,24})_(?P<redirecting>[0-9+]{0,24})(?:-(?P<last>[0-9+]{1,24}))?"
    r"_(?P<name>[0-9A-Za-z+=-]{0,96})\.wav"
)


@dataclass(frozen=True)
class FallbackFacts:
    """What is known of a call that was taken without the controller.

    Numbers are as the telephone system gave them. The name is the caller's own: any characters,
    also line breaks; it must be cleaned like that of a live call.
    """

    epoch: int
    unique_id: str
    called: str
    """Empty at the common number: then `redirecting` is not."""
    caller_number: str
    caller_name: str
    redirecting: str
    last_redirecting: str = ""
    """Where the call was redirected more than once, and the dialplan has noted it."""


def parse(filename: str) -> FallbackFacts:
    """The facts in a file name (without directory); raises ValueError where it is not of ours."""
    found = _NAME.fullmatch(filename)
    if found is None or not (found["called"] or found["redirecting"]):
        raise ValueError(f"not a recording made by the dialplan: {filename[:255]!r}")
    return FallbackFacts(
        epoch=int(found["epoch"]),
        unique_id=found["unique_id"],
        called=found["called"],
        caller_number=found["caller"],
        caller_name=_caller_name(found["name"]),
        redirecting=found["redirecting"],
        last_redirecting=found["last"] or "",
    )


def file_name(epoch: int, unique_id: str, called: str, caller: str) -> str:
    """The name of a recording of ours that is to be taken as one of the dialplan."""
    name = f"{epoch}_{id_in_name(unique_id)}_{called}_{caller}__.wav"
    parse(name)
    return name


def id_in_name(channel_id: str) -> str:
    """How the dialplan spells a channel's id in a file name."""
    return re.sub("[^0-9A-Za-z.]", "", channel_id)[-32:]


def _caller_name(encoded: str) -> str:
    """A name that a hostile caller made undecodable is no name; the message is delivered."""
    try:
        name = base64.b64decode(encoded, altchars=b"+-", validate=True)
    except binascii.Error:
        return ""
    # the dialplan cuts at a byte: half a character at the end is dropped, not replaced
    return codecs.getincrementaldecoder("utf-8")(errors="replace").decode(name)
