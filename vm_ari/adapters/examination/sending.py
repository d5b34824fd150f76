"""The server that takes our mails: everything but sending one."""

from datetime import datetime

from vm_ari.adapters.examination.certificates import advice_on, ends_soon, protection
from vm_ari.adapters.findings import Finding, sentence
from vm_ari.adapters.smtp import SmtpMailer, SmtpStep, SmtpTrouble

_ADVICE = {
    SmtpStep.CONNECT: "Is it running, and are host, port and security of [mail.smtp] right?",
    SmtpStep.LOGIN: "Correct user and password of [mail.smtp].",
    SmtpStep.SENDER: "Correct mail.system_sender or mail.sender, or let the server take it.",
    SmtpStep.RECIPIENT: "Let the server take mails of ours for this address.",
}


def advice_for(trouble: SmtpTrouble) -> str:
    """What to do, in one sentence."""
    if "STARTTLS" in str(trouble):
        return "Let the server offer it, or write security = “tls” (port 465) in [mail.smtp]."
    return _ADVICE.get(trouble.step) or advice_on(str(trouble), "mail.smtp.ca_file")


async def examine_smtp(mailer: SmtpMailer, recipient: str, now: datetime) -> list[Finding]:
    """Connect, log in, and name sender and *recipient*; then take it back."""
    try:
        end = await mailer.rehearse(recipient)
    except SmtpTrouble as trouble:
        away = trouble.step is SmtpStep.CONNECT
        text = sentence(trouble)
        return [Finding(False, text, advice_for(trouble), unreachable=away)]
    good = f"{mailer.where} ({protection(end, now)}) takes mails for {recipient}."
    return [Finding(True, good), *ends_soon(mailer.where, end, now)]
