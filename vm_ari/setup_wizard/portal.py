"""The wizard's step about the web portal: who reaches it."""

from collections.abc import Mapping

from vm_ari.setup_wizard.draft import Draft
from vm_ari.setup_wizard.surroundings import Surroundings
from vm_ari.setup_wizard.talk import Question, Talk

REACH: Mapping[str, str] = {
    "network": "everybody in the network (HTTPS, with a certificate of its own at first)",
    "here": "this machine only, such as a reverse proxy on it",
    "off": "nobody: there is no portal",
}


def ask_portal(talk: Talk, draft: Draft, around: Surroundings) -> None:
    """Raises `Stopped`."""
    talk.heading("Portal")
    reach = talk.ask(Question("portal.reach", "Who reaches the web portal?", _now(draft), REACH))
    draft.put("web.enabled", reach != "off")
    if reach == "off":
        return
    everywhere = "0.0.0.0"  # noqa: S104  # that is what was asked for
    draft.put("web.address", everywhere if reach == "network" else "127.0.0.1")
    if not draft.values.get("web", {}).get("hosts") and "." in around.host:
        draft.put("web.hosts", [around.host, "localhost", "127.0.0.1"])
    port = draft.get("web.port", "8443")
    talk.found(f"its address: https://{around.host if reach == 'network' else 'localhost'}:{port}")


def _now(draft: Draft) -> str:
    """As it was before."""
    if not draft.before:
        return "network"
    if draft.get("web.enabled") != "True":
        return "off"
    return "here" if draft.get("web.address", "127.0.0.1") == "127.0.0.1" else "network"
