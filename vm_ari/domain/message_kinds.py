"""What a message can be."""

from enum import Enum


class MessageKind(Enum):
    """What a message in the store is."""

    VOICE = "voice"
    MAIL = "mail"
    FAX = "fax"
    TEXT = "text"
    """An SMS."""
