"""Properties hold however busy the machine is: no example has a deadline."""

from hypothesis import settings

settings.register_profile("busy machine", deadline=None)
settings.load_profile("busy machine")
