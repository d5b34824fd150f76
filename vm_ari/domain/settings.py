"""Rules of the site that dialogues follow; a user's own values come with the `User`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from vm_ari.domain.language import COUNTRY_LANGUAGES
from vm_ari.domain.messages import ListOrder
from vm_ari.domain.numbers import Site, extension_of, site_of
from vm_ari.domain.profiles import CHOOSABLE, ProfileName
from vm_ari.domain.recording import Limits


class NumberStyle(Enum):
    """How the default greeting speaks the mailbox's number (GREET-06)."""

    EXTENSION = "extension"
    INTERNATIONAL = "international"


class InformationOrder(StrEnum):
    """In which order a user hears what there is of a message (INBOX-03)."""

    DATE_SENDER_CONTENT = "date-sender-content"
    CONTENT_DATE_SENDER = "content-date-sender"
    DATE_CONTENT_SENDER = "date-content-sender"


class Deletion(StrEnum):
    """What becomes of a message that a user deletes by telephone (INBOX-06)."""

    FOLDER = "folder"
    """It moves to the folder of deleted messages."""
    FOR_GOOD = "for good"
    """It is removed at the end of the call; until then it can be brought back."""


class Hideable(StrEnum):
    """What a site can leave out of the telephone menus (MENU-01); the value is its name."""

    GREETING_TYPE = "greeting-type"
    DELETE_ALL_GREETINGS = "delete-all-greetings"
    DELETE_GREETING = "delete-greeting"
    TRANSFER = "transfer"
    """Setting it up."""
    REPLY = "reply"
    FORWARD_VOICE = "forward-voice"
    FORWARD_OTHER = "forward-other"
    """Faxes and e-mails."""
    CALL_BACK = "call-back"


@dataclass(frozen=True)
class Rules:
    """What the site has decided for everybody."""

    site: Site = field(default_factory=Site)
    further_sites: tuple[Site, ...] = ()
    """Their numbers are internal, too (SITE-01)."""
    limits: Limits = field(default_factory=Limits)
    language: str = "en"
    """For callers of a mailbox that nobody owns, and where the directory cannot be asked."""
    number_style: NumberStyle = NumberStyle.EXTENSION
    default_recipient: str = ""
    """Mail address of who gets messages to numbers that nobody owns; empty: they are not taken."""
    caller_may_review: bool = True
    options_after_message: bool = True
    """Speak the keys after each message; they work without, too."""
    information_order: InformationOrder = InformationOrder.DATE_SENDER_CONTENT
    list_order: ListOrder = ListOrder.NEWEST_FIRST
    read_mails: bool = True
    """For users who have decided nothing, as is the next one."""
    read_faxes: bool = True
    deletion: Deletion = Deletion.FOLDER
    voice_mail_enabled: bool = True
    """If not, every mailbox is disabled (CALL-04)."""
    profiles: tuple[ProfileName, ...] = CHOOSABLE
    """Those that users can activate (GREET-01), at least one."""
    internal_profile: bool = True
    """Has the profile for internal callers a say (GREET-02)?"""
    country_languages: Mapping[str, str] = field(
        default_factory=lambda: COUNTRY_LANGUAGES, hash=False
    )
    """By the beginning of numbers, without ``+`` (LANG-02)."""
    operator_key: bool = False
    """Does a key lead callers from the greeting to the operator (CALL-12)?"""
    operator: str = ""
    """Number of the site's operator, for users who have none of their own."""
    hidden: frozenset[Hideable] = frozenset()
    """What the telephone menus leave out."""

    @property
    def sites(self) -> tuple[Site, ...]:
        """The main one, and then the others."""
        return (self.site, *self.further_sites)

    def site_for(self, number: str) -> Site:
        """The site that a number belongs to; the main one for all others."""
        return site_of(number, self.sites) or self.site

    def offers(self, profile: ProfileName) -> bool:
        """Can a user activate it, or switch to it by office hours?"""
        return profile in self.profiles

    def shows(self, item: Hideable) -> bool:
        """Is it in the menus?"""
        return item not in self.hidden


def spoken_number(number: str, site: Site, style: NumberStyle) -> str:
    """What the default greeting says, digit by digit."""
    if style is NumberStyle.EXTENSION and (extension := extension_of(number, site)) is not None:
        return extension
    return number
