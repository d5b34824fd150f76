"""A small SIP telephone of our own (UDP, RTP, G.711) for demonstrations, test calls and tests."""

from vm_ari.adapters.softphone.call import Call, Ending, IncomingCall, OutgoingCall
from vm_ari.adapters.softphone.errors import (
    CallEnded,
    CallRefused,
    KeysNotOffered,
    LampNotSeen,
    PhoneSilent,
    Refused,
    RegistrationRefused,
    ServerSilent,
    SoftphoneError,
    SubscriptionRefused,
)
from vm_ari.adapters.softphone.g711 import RATE, Audio, Codec
from vm_ari.adapters.softphone.message_summary import Lamp
from vm_ari.adapters.softphone.phone import Softphone

__all__ = [
    "RATE",
    "Audio",
    "Call",
    "CallEnded",
    "CallRefused",
    "Codec",
    "Ending",
    "IncomingCall",
    "KeysNotOffered",
    "Lamp",
    "LampNotSeen",
    "OutgoingCall",
    "PhoneSilent",
    "Refused",
    "RegistrationRefused",
    "ServerSilent",
    "Softphone",
    "SoftphoneError",
    "SubscriptionRefused",
]
