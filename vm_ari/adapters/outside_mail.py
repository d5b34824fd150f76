"""What leaves the house is written, beside the calls: to a mail address, or as a fax."""

import asyncio
from pathlib import Path

from vm_ari.adapters.fax_documents import fax_documents
from vm_ari.adapters.mail_reading import HEADER_LIMIT, parse_headers
from vm_ari.adapters.mail_writing import ascii_address
from vm_ari.adapters.sent_mail import Document, SentMailWriter
from vm_ari.domain.automatic_mail import is_automatic, is_nobody
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.number_addresses import LONGEST_ADDRESS
from vm_ari.domain.sending import Line, Sending, Telephone
from vm_ari.domain.users import User
from vm_ari.ports import DeliveryRefused

FAXES_AT_ONCE = 1
"""So many mails are taken apart at the same time; others wait."""


class OutsideMail:
    """`services.dispatching.ComposeOutside`."""

    def __init__(self, writer: SentMailWriter) -> None:
        self._writer = writer
        self._turn = asyncio.Semaphore(FAXES_AT_ONCE)

    async def __call__(self, message: VoiceMessage, sender: User, address: str) -> bytes:
        """The whole mail. Raises `DeliveryRefused` for what cannot be faxed, OSError."""
        checked = ascii_address(address)
        if checked is None:
            raise DeliveryRefused("this is not a mail address")
        documents: list[Document] = []
        sending = message.facts.sending
        if sending is not None and _is_fax(sending):
            if sending.forwards_voice or not message.original:
                raise DeliveryRefused("what was said cannot be sent as a fax")
            async with self._turn:
                documents = list(await fax_documents(Path(message.original)))
        return await asyncio.to_thread(self._writer.outside, message, sender, checked, documents)


def reply_address(header: Path) -> str | None:
    """Who may be answered, from the header of a mail; None: nobody (RFC 3834). Blocking."""
    with header.open("rb") as file:
        headers = parse_headers(file.read(HEADER_LIMIT))
    if is_automatic(headers):
        return None
    field = headers.get("reply-to") or headers.get("from", "")
    address = ascii_address(_first_address(field))
    return None if address is None or is_nobody(address) else address


def _first_address(field: str) -> str:
    """Of ``Name <address>`` or a bare one; of several, the first."""
    before, bracket, after = field.partition("<")
    if bracket and '"' in before:  # a name in quotes may hold brackets of its own
        before, bracket, after = field.rpartition("<")
    found = after.partition(">")[0] if bracket else field.partition(",")[0]
    return found.strip()[: LONGEST_ADDRESS + 1]


def _is_fax(sending: Sending) -> bool:
    [recipient] = sending.recipients
    return isinstance(recipient, Telephone) and recipient.line is Line.FAX
