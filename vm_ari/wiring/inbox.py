"""Remote inquiry, as configured: how messages are read aloud is decided here only."""

from vm_ari.adapters.fax_mails import FaxMails
from vm_ari.adapters.fax_text import FaxText
from vm_ari.adapters.mail_reader import MailReader
from vm_ari.adapters.telephone_voice import TelephoneVoice
from vm_ari.config import Config
from vm_ari.ports import Voice
from vm_ari.services.reading import Readings
from vm_ari.wiring.directories import open_voice


def open_telephone_voice(config: Config) -> Voice:
    """What speaks texts to callers; nothing is started yet."""
    return TelephoneVoice(open_voice(config))


def open_readings(config: Config, voice: Voice) -> Readings:
    """Nothing is started yet; what is missing on this machine shows when it is needed."""
    languages = config.inbox.languages
    return Readings(MailReader(), FaxMails(FaxText(languages)), voice, languages)
