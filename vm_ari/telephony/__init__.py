"""The call as an object: say, ask, collect, record; policy of keys and timers lives here."""
