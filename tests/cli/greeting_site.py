"""A site with greetings for the command line."""

from tests.cli.site import CliSite


def with_greetings(site: CliSite, more: str = "") -> CliSite:
    """The greetings, the voice and the spool of that site lie below its directory."""
    base = site.base
    site.configure(
        f'{more}\n[greetings]\ndirectory = "{base}/greetings"\nlargest_megabytes = 1\n'
        f'[speech]\ncache = "{base}/speech"\nengine = "espeak"\n'
    )
    return site
