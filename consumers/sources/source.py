"""One place surveys come from, as its file describes it."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from jmespath.exceptions import JMESPathError
from pydantic import Field, model_validator

from alerts.document import Section, read_document
from consumers.cloudevents import Event
from consumers.reason import CannotRead, Reason
from consumers.sources.expression import Expression, compiled
from consumers.sources.mapping import Mapping, take_event_id, take_time

Bound = Annotated[int, Field(ge=-(2**31) + 1, le=2**31 - 1)]


class ScaleOf(Section):
    """The worst and the best rating; worst above best is an inverted scale."""

    worst: Bound = 1
    best: Bound = 5

    @model_validator(mode="after")
    def _differs(self) -> Self:
        if self.worst == self.best:
            raise ValueError("worst and best are equal; write the scale's two ends")
        return self


class Join(Section):
    """A second CSV file beside the first: its row with the same `on` stands in the event as member `as`."""

    file: str = Field(pattern=r"^[^/\\]+$")
    on: str
    as_: str = Field(alias="as")


class Rows(Section):
    """How a CSV file of this source becomes events, one per row, with the columns as members.

    `identity: row_hash` adds a member of that name: a hash of the row and of its number among identical rows,
    for files that have no ids.
    """

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    identity: Literal["row_hash"] | None = None
    join: Join | None = None


class Example(Section):
    """An event, and what must come of it: these fields of the response, or this reason to refuse it."""

    name: str
    event: dict[str, Any]
    response: dict[str, Any] | None = None
    refused: Reason | None = None

    @model_validator(mode="after")
    def _expects_one(self) -> Self:
        if (self.response is None) == (self.refused is None):
            raise ValueError('an example expects either "response" or "refused"; write one of them')
        return self


class Source(Section):
    """A source file. `when` says which events are survey answers; others are set aside as `mapping_failed`.

    `customer_ids: shared` means that a customer's id is the same in all such sources.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    description: str = ""
    topics: tuple[str, ...] = ()
    when: Expression | None = None
    scale: ScaleOf = ScaleOf()
    customer_ids: Literal["own", "shared"] = "own"
    map: Mapping
    rows: Rows = Rows()
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _name_is_free(self) -> Self:
        if self.name == "cloudevents":
            raise ValueError("cloudevents is the name of events that need no source file; choose another")
        return self

    @property
    def event_source(self) -> str:
        """The CloudEvents `source` of this source's events, raw ones and published ones alike."""
        return f"/sources/{self.name}"

    def concerns(self, event: dict[str, Any]) -> bool:
        """Whether `event` is a survey answer by the file's `when`."""
        if self._when is None:
            return True
        try:
            return bool(self._when.search(event))
        except (JMESPathError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError):
            return False

    def read(self, event: dict[str, Any]) -> Event:
        """The canonical event; its data still has to pass `consumers.answer`. Raises CannotRead."""
        if not self.concerns(event):
            raise CannotRead(Reason.MAPPING_FAILED, "when", "by the source file this is no survey answer")
        data = self.map.data(event)
        data["scale"] = self.scale.model_dump()
        event_id, time = take_event_id(data), take_time(data)
        return Event(source=self.event_source, id=event_id, time=time, data=data)

    @cached_property
    def _when(self) -> Any:
        return None if self.when is None else compiled(self.when)


def read_source(text: str, *, file: str) -> Source:
    """Raises BadDocument, naming each line that must be mended."""
    return read_document(Source, text, file=file)
