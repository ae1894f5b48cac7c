"""What the pages of a doctor's hours send, where it differs from what the calls of the API take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from src.domain.minutes import time_of_day
from src.domain.written_hours import NotUnderstood, Span, Trouble, spans_of
from src.schemas.base import In
from src.schemas.fields import Flag, QueryNumber, WholeNumber
from src.schemas.findings import Wrong
from src.schemas.hours import WEEKDAYS, Weekday, WeeklyRow
from src.schemas.hours_exception import NewException

LONGEST_TEXT = 1000


def _spans(text: object) -> tuple[Span, ...]:
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise _wrong("not_understood")
    try:
        return tuple(spans_of(text))
    except NotUnderstood as error:
        raise _wrong(error.trouble) from None


def _wrong(trouble: Trouble) -> Wrong:
    if trouble == "ends_before_it_begins":
        return Wrong(
            "not_after_from",
            "must have times that end after they begin, like 09:00-17:00; what goes over midnight ends at 24:00, and"
            " goes on at 00:00 of the next day.",
        )
    if trouble == "overlapping":
        return Wrong("overlapping", "must have times that do not overlap, like 09:00-12:30, 14:00-17:00.")
    return Wrong("not_hours", "must be times like 09:00-12:30, 14:00-17:00, or empty for a day without hours.")


Spans = Annotated[tuple[Span, ...], BeforeValidator(_spans)]
DraftText = Annotated[str, Field(max_length=LONGEST_TEXT)]


class Asked(In):
    """A change that may leave appointments outside of the hours; `all_the_same` says that the doctor has seen them."""

    all_the_same: Flag = False


class Revised(Asked):
    """A change of weekly hours, and the revision that the doctor saw."""

    revision: WholeNumber = Field(ge=0)


class WeekForm(Revised):
    """The times of each weekday, as text."""

    monday: Spans = ()
    tuesday: Spans = ()
    wednesday: Spans = ()
    thursday: Spans = ()
    friday: Spans = ()
    saturday: Spans = ()
    sunday: Spans = ()

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the hours as WeeklyHoursOut has them."""
        for weekday in WEEKDAYS:
            for begin, until in getattr(self, weekday):
                yield row_of(weekday, begin, until)


def row_of(weekday: Weekday, begin: int, until: int, **others: Any) -> dict[str, Any]:
    """Return hours as WeeklyHoursOut has them."""
    plain = {"visit_types": None, "place": None, "valid_from": None, "valid_until": None}
    return {"weekday": weekday, "from": time_of_day(begin), "until": time_of_day(until), **plain, **others}


class WeekDraft(In):
    """The same texts before they are saved, and the revision of the hours that they change.

    `copy_from` is the day whose text the days after it get.
    """

    monday: DraftText = ""
    tuesday: DraftText = ""
    wednesday: DraftText = ""
    thursday: DraftText = ""
    friday: DraftText = ""
    saturday: DraftText = ""
    sunday: DraftText = ""
    copy_from: Weekday | None = None
    draft: Flag = False
    revision: QueryNumber | None = None


class SpecialForm(WeeklyRow):
    """Hours that say more than a text can: for which visit types, at which place, in which time of the year."""

    all_the_same: Flag = False
    revision: WholeNumber = Field(ge=0)

    def row(self) -> dict[str, Any]:
        """Return the hours as WeeklyHoursOut has them."""
        return row_of(
            self.weekday,
            self.from_,
            self.until,
            visit_types=self.visit_types and sorted(self.visit_types),
            place=self.place,
            valid_from=self.valid_from and self.valid_from.isoformat(),
            valid_until=self.valid_until and self.valid_until.isoformat(),
        )


class ExceptionForm(NewException):
    """Days or hours that are closed or open additionally."""

    all_the_same: Flag = False


class ExceptionDraft(In):
    """What the form of an exception shows at first; a browser ignores what is no date or time."""

    kind: DraftText = "closed"
    first_day: DraftText = ""
    last_day: DraftText = ""
    from_: DraftText = Field("", alias="from")
    until: DraftText = ""
    visit_types: list[DraftText] = Field(default_factory=list[str])
    place: DraftText = ""
    reason: DraftText = ""
