"""Record and send: a new message to one or several people or lists (INBOX-13)."""

from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.recipients import Choice, brief, choose_recipients, recipients_of
from vm_ari.dialogues.send_review import send
from vm_ari.domain.sending import Errand, Sending
from vm_ari.domain.users import User
from vm_ari.telephony.call import Call


async def send_message(call: Call, desk: Desk, owner: User) -> None:
    """To whom, then what; back when it is sent, discarded, or the user goes back."""
    if desk.sendings is None:
        return
    choice = Choice(call, desk, desk.sendings, owner)
    if chosen := await choose_recipients(choice):
        sending = Sending(Errand.MESSAGE, owner.id, recipients_of(chosen))
        await send(choice, sending, names=brief(chosen))
