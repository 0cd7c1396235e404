"""One place surveys come from, as its file describes it."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from alerts.document import Section, read_document
from consumers.intake.cloudevents import CloudEvent
from consumers.intake.reason import DeadLetterReason, InvalidRecord, Unrated
from consumers.sources.expression import Compiled, Expression, ExpressionError, compiled
from consumers.sources.header import WantedColumns, column_name
from consumers.sources.hydrate import Hydrate
from consumers.sources.lines import is_encoding
from consumers.sources.mapping import SourceMapping, take_event_id, take_time
from consumers.sources.webhook import Webhook

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
    """How a file of this source becomes events, one per row, with the columns as members.

    What is not said is found in the file. `columns` names the columns where the header does not, or where it
    names two alike. `identity: row_hash` adds a member of that name: a hash of the row and of its number among
    identical rows, for files that have no ids.
    """

    format: Literal["csv", "json", "xlsx"] | None = None
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    escape: Literal["\\"] | None = None
    sheet: str | None = None
    skip_rows: int = Field(default=0, ge=0, le=1000)
    header_rows: int = Field(default=1, ge=0, le=10)
    skip_after_header: int = Field(default=0, ge=0, le=1000)
    columns: tuple[str, ...] = ()
    identity: Literal["row_hash"] | None = None
    join: Join | None = None

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, name: str | None) -> str | None:
        if name is not None and not is_encoding(name):
            raise ValueError("this is not an encoding of text; write one like utf-8, utf-16 or windows-1252")
        return name

    @field_validator("delimiter")
    @classmethod
    def _can_part_cells(cls, sign: str | None) -> str | None:
        if sign is not None and (sign in '"\r\n' or sign.isalnum()):
            raise ValueError("this cannot stand between cells; write a sign like ';'")
        return sign

    @field_validator("columns")
    @classmethod
    def _are_different(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not all(name.strip() for name in names) or len({column_name(name) for name in names}) < len(names):
            raise ValueError("a column has no name, or two have the same; name each column once")
        return names

    @model_validator(mode="after")
    def _has_names(self) -> Self:
        if self.header_rows == 0 and not self.columns:
            raise ValueError('a file without a header needs "columns"; list them in their order')
        return self


class Example(Section):
    """An event, and what must come of it: these fields of the response, this reason to refuse it, or nothing at all."""

    name: str
    event: dict[str, Any]
    response: dict[str, Any] | None = None
    refused: DeadLetterReason | None = None
    passed_over: Literal[True] | None = None

    @model_validator(mode="after")
    def _expects_one(self) -> Self:
        if sum(each is not None for each in (self.response, self.refused, self.passed_over)) != 1:
            raise ValueError('an example expects "response", "refused" or "passed_over: true"; write one of them')
        return self


class Source(Section):
    """A source file. `when` says which events are survey answers; others are set aside as `mapping_failed`.

    `customer_ids: shared` means that a customer's id is the same in all such sources. `unrated` says what becomes of
    an answer in which the customer gave no rating.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    description: str = ""
    topics: tuple[str, ...] = ()
    when: Expression | None = None
    scale: ScaleOf = ScaleOf()
    customer_ids: Literal["own", "shared"] = "own"
    webhook: Webhook | None = None
    hydrate: Hydrate | None = None
    unrated: Literal["dead_letter", "pass_over"] = "dead_letter"
    map: SourceMapping
    rows: Rows = Rows()
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _name_is_free(self) -> Self:
        if self.name == "cloudevents":
            raise ValueError("cloudevents is the name of events that need no source file; choose another")
        return self

    @model_validator(mode="after")
    def _notices_have_ids(self) -> Self:
        if self.hydrate is not None and self.hydrate.as_ in self.map.event_id.columns:
            raise ValueError(
                "a notice is known by its id before anything is fetched; read map.event_id from the notice"
            )
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
        except ExpressionError:
            return False

    def notice_id(self, notice: dict[str, Any]) -> str:
        """By which a notice, and the answer that it tells of, is known. Raises InvalidRecord for what is no notice,
        Unrated for one that says already that nobody rated anything."""
        asks_of_the_answer = (
            self.hydrate is not None and self._when is not None and self.hydrate.as_ in self._when.members
        )
        if not asks_of_the_answer and not self.concerns(notice):
            raise InvalidRecord(DeadLetterReason.MAPPING_FAILED, "when", "by the source file this is no survey answer")
        if self.hydrate is not None and self.hydrate.as_ not in self.map.rating.columns and self._passes_over(notice):
            raise Unrated
        return self.map.event_id_of(notice)

    def read(self, event: dict[str, Any]) -> CloudEvent:
        """The canonical event; its data still has to pass `consumers.intake.answer`. Raises InvalidRecord, Unrated."""
        if not self.concerns(event):
            raise InvalidRecord(DeadLetterReason.MAPPING_FAILED, "when", "by the source file this is no survey answer")
        if self._passes_over(event):
            raise Unrated
        data = self.map.data(event)
        data["scale"] = self.scale.model_dump()
        event_id, time = take_event_id(data), take_time(data)
        return CloudEvent(source=self.event_source, id=event_id, time=time, data=data)

    def _passes_over(self, event: dict[str, Any]) -> bool:
        return self.unrated == "pass_over" and self.map.is_unrated(event)

    @cached_property
    def wanted(self) -> WantedColumns:
        """The columns that rows of this source must have, and those that its rules look into besides."""
        added = {"row_hash"} if self.rows.identity else set()
        if self.rows.join is not None:
            added.add(self.rows.join.as_)
        read = self.map.columns | (self._when.members if self._when else frozenset())
        on = {self.rows.join.on} if self.rows.join else set()
        required = ((place, columns) for place, columns in self.map.required_columns() if not columns & added)
        return WantedColumns(frozenset(column_name(each) for each in (read | on) - added), tuple(required))

    @cached_property
    def _when(self) -> Compiled | None:
        return None if self.when is None else compiled(self.when)


def read_source(text: str, *, file: str) -> Source:
    """Raises BadDocument, naming each line that must be mended."""
    return read_document(Source, text, file=file)
