"""Settings of receiving faxes."""

from pydantic import Field

from vm_ari.config.directory import Table


class FaxReceptionSettings(Table):
    """Faxes that come in; who receives them is a setting of each user (*fax_numbers*)."""

    text: bool = False
    """What is written on the pages is recognised, and stands in the mail: it takes seconds of
    computing for each page, and the fax is delivered afterwards."""
    text_pages: int = Field(default=10, ge=1, le=100)
    """So many pages at most."""
    text_seconds: int = Field(default=120, ge=1, le=1800)
    """So long at most for one fax; what is recognised by then counts."""
