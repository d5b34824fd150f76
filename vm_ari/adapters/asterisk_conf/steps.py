"""What is left to a person after `install-config`: clicks, and lines in the own dialplan."""

from collections.abc import Iterator, Sequence

from vm_ari.adapters.asterisk_conf.reading import Flavour, Site
from vm_ari.adapters.asterisk_conf.wishes import Wishes


def steps(site: Site, flavour: Flavour, wishes: Wishes) -> Sequence[str]:
    """One after the other, each a sentence or a few lines."""
    match flavour:
        case Flavour.FREEPBX:
            return [*_freepbx(site), *_codes(wishes, "every telephone"), *_controller()]
        case Flavour.WAZO:
            return [*_wazo(wishes), *_codes(wishes, "every telephone"), *_controller()]
        case Flavour.PLAIN:
            return [*_plain(site, wishes), *_codes(wishes, wishes.chosen.phones), *_controller()]


def _plain(site: Site, wishes: Wishes) -> Iterator[str]:
    yield (
        "In your dialplan, behind the Dial() of a telephone:\n"
        "    same => n,Gosub(vm-ari,${EXTEN},1)\n"
        "    same => n,Hangup()"
    )
    if wishes.codes and not wishes.chosen.phones:
        codes = wishes.codes
        yield (
            "In the context of your own telephones (or name it: --phones CONTEXT):\n"
            f"    exten => {codes.own},1,Set(VM_ARI_PHONE=${{CHANNEL(endpoint)}})\n"
            "     same => n,Goto(vm-ari-login,s,1)\n"
            f"    exten => {codes.other},1,Goto(vm-ari-login,s,1)"
        )
    if not wishes.chosen.out:
        yield (
            "Callers and users are connected by your context “default”; name the one that dials "
            "for telephones of the house: --out CONTEXT"
        )
    if site.content("pjsip.conf") is not None:
        yield "In pjsip.conf, for the lamp of a telephone: mailboxes = 101@vm-ari"


def _freepbx(site: Site) -> Iterator[str]:
    if (site.value("http.conf", "general", "enabled") or "").lower() not in ("yes", "true", "1"):
        yield "Settings > Advanced Settings > Enable the mini-HTTP Server: Yes"
    bind = site.value("http.conf", "general", "bindaddr")
    if bind not in ("127.0.0.1", "::1", "localhost"):
        yield (
            f"Settings > Advanced Settings > HTTP Bind Address is “{bind}”: 127.0.0.1, or let the "
            "firewall keep its port closed"
        )
    if not (site.value("http.conf", "general", "sessionlimit") or "").isdecimal():
        yield "Settings > Advanced Settings > Session Limit: 500"
    yield (
        "Admin > Custom Destinations > Add: Target “vm-ari-freepbx,s,1”, "
        "Description “Voicemail (vm_ari)”, Return: No"
    )
    yield (
        "Applications > Extensions > (each) > Voicemail > Enabled: No; Advanced > Optional "
        "Destinations > No Answer, Busy, Not Reachable: Custom Destinations, Voicemail (vm_ari)"
    )
    yield "There, too: Advanced > Mailbox: 101@vm-ari (with its own number), for the lamp"
    yield "Submit, and Apply Config"


def _wazo(wishes: Wishes) -> Iterator[str]:
    yield (
        "For the destination of a user's unanswered calls choose “Application: Custom”, with "
        "the command Gosub(vm-ari,101,1) and the user's number"
    )
    yield "Give each endpoint the option mailboxes = 101@vm-ari, for the lamp"
    if not wishes.chosen.out:
        yield "Name the internal context of your tenant, which dials for telephones: --out CONTEXT"


def _codes(wishes: Wishes, who: str) -> Iterator[str]:
    if wishes.codes and who:
        codes = wishes.codes
        yield f"Own mailbox: {codes.own} from {who}; any mailbox: {codes.other}"


def _controller() -> Iterator[str]:
    yield "vm-ari asterisk check says whether everything is as it should be"
