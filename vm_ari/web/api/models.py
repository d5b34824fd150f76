"""What bodies, parameters and answers of the API have in common."""

from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

T = TypeVar("T")

LONGEST_LINE = 200
LONGEST_CURSOR = 2000


def _visible(text: str) -> str:
    """Raises ValueError."""
    if not text.isprintable():
        raise ValueError("write visible characters only")
    return text


Line = Annotated[str, Field(max_length=LONGEST_LINE), AfterValidator(_visible)]
"""A text from outside, of one line."""
Cursor = Annotated[str, Field(max_length=LONGEST_CURSOR), AfterValidator(_visible)]
"""The *next* of the page before."""
Moment = AwareDatetime
"""RFC 3339, with its offset."""


class Given(BaseModel):
    """A body: nothing in it is guessed, and nothing that nobody knows is passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Asked(BaseModel):
    """The parameters of an address."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Told(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True)


class Listed(Told, Generic[T]):
    """A page of a list."""

    items: list[T]
    next: str | None = Field(
        default=None, description="Put it into *after* for the next page; null: this was the last."
    )


class Paged(Asked):
    """The parameter of every list."""

    after: Cursor = Field(default="", description="The *next* of the page before.")


def following(place: str) -> str | None:
    """A cursor as answers have it."""
    return place or None
