"""Who hears that a mailbox has changed: inotify and polling, IMAP IDLE, and what servers push.

All of them only say *whose* mailbox it was; `services.watching.Watch` has it counted.
"""
