"""Every prompt by its id: the value is the file name below ``sounds/<language>/``."""

from enum import Enum, StrEnum


class P(StrEnum):
    """A fixed sentence or half-sentence of the system."""

    # tones are the same in every language and lie in sounds/tones/
    BEEP = "tones/beep"
    WARNING_BEEP = "tones/warning-beep"

    # a caller reaches a mailbox
    YOU_HAVE_REACHED = "you-have-reached"
    LEAVE_A_MESSAGE = "leave-a-message"
    MAILBOX_DISABLED = "mailbox-disabled"
    NO_MESSAGES_TAKEN = "no-messages-taken"
    UNKNOWN_MAILBOX = "unknown-mailbox"
    FALLBACK_GREETING = "fallback-greeting"
    NOTHING_RECORDED = "nothing-recorded"
    TO_SEND = "to-send"
    TO_HEAR = "to-hear"
    TO_REDO = "to-redo"
    TO_MARK_URGENT = "to-mark-urgent"
    TO_MARK_NORMAL = "to-mark-normal"
    MARKED_URGENT = "marked-urgent"
    MARKED_NORMAL = "marked-normal"
    THANK_YOU = "thank-you"
    THANK_YOU_GOODBYE = "thank-you-goodbye"
    CANNOT_STORE = "cannot-store"
    TECHNICAL_PROBLEM = "technical-problem"
    GOODBYE = "goodbye"

    # menus
    PRESS = "press"
    KEY_NOT_USED = "key-not-used"
    PLEASE_CHOOSE = "please-choose"

    # login
    ENTER_MAILBOX = "enter-mailbox"
    ENTER_PIN = "enter-pin"
    LOGIN_FAILED = "login-failed"
    LOGIN_LOCKED = "login-locked"
    LOGIN_NOT_POSSIBLE = "login-not-possible"
    MAILBOX_UNAVAILABLE = "mailbox-unavailable"

    # main menu
    YOU_HAVE = "you-have"
    AND = "and"
    FOR_NEW_VOICE_MESSAGES = "for-new-voice-messages"
    FOR_HEARD_VOICE_MESSAGES = "for-heard-voice-messages"
    TO_REPEAT_THE_MENU = "to-repeat-the-menu"
    TO_END = "to-end"

    # one message
    MESSAGE_NUMBER = "message-number"
    URGENT = "urgent"
    FROM = "from"
    FROM_UNKNOWN = "from-unknown"
    LENGTH = "length"
    RECEIVED = "received"
    NO_NEW_MESSAGES = "no-new-messages"
    NO_HEARD_MESSAGES = "no-heard-messages"
    NO_MORE_MESSAGES = "no-more-messages"
    NO_EARLIER_MESSAGE = "no-earlier-message"
    MESSAGE_DELETED = "message-deleted"
    MESSAGE_RESTORED = "message-restored"
    MESSAGE_KEPT_NEW = "message-kept-new"
    MESSAGE_GONE = "message-gone"
    NOT_DONE = "not-done"
    TO_REPEAT = "to-repeat"
    TO_KEEP_NEW = "to-keep-new"
    FOR_PREVIOUS = "for-previous"
    FOR_NEXT = "for-next"
    TO_DELETE = "to-delete"
    TO_UNDELETE = "to-undelete"
    FOR_DETAILS = "for-details"
    FOR_OPTIONS = "for-options"
    TO_GO_BACK = "to-go-back"


class Noun(Enum):
    """What can be counted; a language has one clip for none, one for exactly one, one for many."""

    NEW_VOICE_MESSAGE = "new-voice-message"
    NEW_OTHER_MESSAGE = "new-other-message"
    HEARD_VOICE_MESSAGE = "heard-voice-message"
