"""The message-waiting lamp on Asterisk: four ways behind one port, the best one chosen by itself.

`docs/decisions/0004-lamps.md` says why there are four, what each costs, and what was measured.
"""

from vm_ari.adapters.lamps.asterisk_lamps import AsteriskLamps
from vm_ari.adapters.lamps.choice import Choice, LampSettings, MethodName, probe
from vm_ari.adapters.lamps.publish import SipAccount

__all__ = ["AsteriskLamps", "Choice", "LampSettings", "MethodName", "SipAccount", "probe"]
