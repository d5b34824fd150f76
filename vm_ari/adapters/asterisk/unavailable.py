"""The error of a machine on which no Asterisk can be had."""

_REMEDY = (
    "Install Asterisk 18 or later (for example `apt install asterisk` where the distribution has "
    "it), or set VM_ARI_ASTERISK_ROOT to the directory of an unpacked one."
)


class AsteriskUnavailable(Exception):
    """No Asterisk was found and none could be fetched; says why and what to do."""

    def __init__(self, why: str) -> None:
        super().__init__(f"No usable Asterisk: {why}. {_REMEDY}")
        self.why = why
