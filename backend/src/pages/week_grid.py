"""A week as a table: which cell begins in which row of which day, and how many rows it takes.

Rows are stretches of the wall clock, the same for all days of the week: whatever the clocks do in a night, 09:00 is one
row. The table knows nothing of appointments: an entry is a stretch of time, and so are hours, closures and buffers.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import groupby, pairwise
from typing import Any, Literal

from src.domain.minutes import MINUTES_OF_DAY, ONE_MINUTE, time_of_day

# The rows are as long as the entries allow. Times that no length divides are shown in the nearest row.
LENGTHS = (15, 10, 5)
HOUR = 60
# What a week shows in which closures are all there is.
OFFICE_HOURS = range(8, 17)

Kind = Literal["entries", "closure", "buffer", "open", "shut"]
Minutes = tuple[int, int]


@dataclass(frozen=True)
class Stretch:
    """From one time of the wall clock to another, and what is then."""

    begin: datetime
    end: datetime
    what: Any = None

    def on(self, day: date) -> Minutes | None:
        """Return its minutes of the day, or None if it does not touch the day."""
        midnight = datetime.combine(day, time())
        begin = max(0, (self.begin - midnight) // ONE_MINUTE)
        end = min(MINUTES_OF_DAY, -((midnight - self.end) // ONE_MINUTE))
        return (begin, end) if begin < end else None


@dataclass(frozen=True)
class Week:
    """All that a table shows of some days. Entries hide closures, which hide buffers, which hide hours."""

    days: Sequence[date]
    entries: Sequence[Stretch] = ()
    openings: Sequence[Stretch] = ()
    buffers: Sequence[Stretch] = ()
    closures: Sequence[Stretch] = ()


@dataclass(frozen=True)
class Part:
    """A part of a day, in minutes since midnight. `now_at` says how many tenths of it have passed, if it is now."""

    begin: int
    end: int
    rows: int
    now_at: int | None

    @property
    def minutes(self) -> int:
        return self.end - self.begin

    @property
    def from_(self) -> str:
        return time_of_day(self.begin)

    @property
    def until(self) -> str:
        return time_of_day(self.end)


@dataclass(frozen=True)
class Cell(Part):
    """A cell of a day's column; `what` has the entries, or the closures, or the hours that are open."""

    day: date
    kind: Kind
    what: tuple[Any, ...]
    is_over: bool


@dataclass
class Row:
    """The cells that begin in a row, which lasts some minutes; `hour` is the cell in the column of times."""

    minutes: int
    hour: Part | None = None
    cells: list[Cell] = field(default_factory=list[Cell])


def table(week: Week, now: datetime) -> list[Row]:
    """Return the rows, or none if nothing is on in the week. `now` is what the clocks show."""
    length = _length(week)
    columns = [_Column.of(week, day, length) for day in week.days]
    hours = {hour for column in columns for hour in column.hours()}
    if not hours and any(column.closures for column in columns):
        hours = set(OFFICE_HOURS)
    if not hours:
        return []
    lines = _lines(sorted(hours), length)
    rows = [Row(end - begin) for begin, end in pairwise(lines)]
    now_today = _minute(now) if now.date() in week.days else None
    for first, part in _hours(lines, now_today):
        rows[first].hour = part
    for column in columns:
        for first, cell in column.cells(lines, now):
            rows[first].cells.append(cell)
    return rows


def _length(week: Week) -> int:
    """Return the greatest length of a row that all times are multiples of."""
    stretches = (*week.entries, *week.openings, *week.closures)
    minutes = {minute for day in week.days for each in stretches for minute in each.on(day) or ()}
    return next((each for each in LENGTHS if all(minute % each == 0 for minute in minutes)), LENGTHS[-1])


def _lines(hours: Sequence[int], length: int) -> list[int]:
    """Return where rows begin, and last where the last one ends. Two or more hours without anything are one row."""
    lines: list[int] = []
    for hour, following in zip(hours, [*hours[1:], hours[-1] + 1], strict=True):
        is_break = following == hour + 2
        lines += range(HOUR * hour, HOUR * (hour + (2 if is_break else 1)), length)
        if following > hour + 2:
            lines.append(HOUR * (hour + 1))
    return [*lines, HOUR * (hours[-1] + 1)]


def _hours(lines: Sequence[int], now: int | None) -> Iterable[tuple[int, Part]]:
    for _, group in groupby(range(len(lines) - 1), key=lambda row: lines[row] // HOUR):
        first, *others = group
        begin, end = lines[first], lines[first + len(others) + 1]
        yield first, Part(begin, end, len(others) + 1, _tenths(begin, end, now))


def _tenths(begin: int, end: int, now: int | None) -> int | None:
    return None if now is None or not begin <= now < end else 10 * (now - begin) // (end - begin)


def _minute(moment: datetime) -> int:
    return HOUR * moment.hour + moment.minute


@dataclass(frozen=True)
class _Block:
    """Entries that overlap, which share a cell."""

    begin: int
    end: int
    what: tuple[Any, ...]


@dataclass(frozen=True)
class _Column:
    """A day of the week, with its stretches in minutes that are multiples of a row's length."""

    day: date
    blocks: list[_Block]
    openings: list[_Block]
    buffers: list[_Block]
    closures: list[_Block]

    @classmethod
    def of(cls, week: Week, day: date, length: int) -> _Column:
        lists = (_on(day, each, length) for each in (week.entries, week.openings, week.buffers, week.closures))
        entries, openings, buffers, closures = lists
        return cls(day, _blocks(entries), openings, buffers, closures)

    def hours(self) -> Iterable[int]:
        """Return the hours of the day in which something is on."""
        for each in (*self.blocks, *self.openings):
            yield from range(each.begin // HOUR, -(-each.end // HOUR))

    def cells(self, lines: Sequence[int], now: datetime) -> Iterable[tuple[int, Cell]]:
        """Return the cells of the column, each with the row in which it begins."""
        today = now.date()
        passed = _minute(now) if self.day == today else MINUTES_OF_DAY if self.day < today else 0
        now_here = passed if self.day == today else None
        states = self._states(lines, passed)
        for (kind, _, what), group in groupby(range(len(states)), key=lambda row: states[row]):
            first, *others = group
            begin, end = lines[first], lines[first + len(others) + 1]
            at = _tenths(begin, end, now_here)
            yield first, Cell(begin, end, len(others) + 1, at, self.day, kind, what, is_over=end <= passed)

    def _states(self, lines: Sequence[int], passed: int) -> list[tuple[Kind, int, tuple[Any, ...]]]:
        """Return what each row shows; rows with the same state one after the other are one cell.

        An open hour ahead is a cell of its own, where a slot can be published, and so is the open row of now.
        """
        states: list[tuple[Kind, int, tuple[Any, ...]]] = [("shut", 0, ())] * (len(lines) - 1)
        for kind, each in self._painted():
            for row in range(bisect_left(lines, each.begin), bisect_right(lines, each.end) - 1):
                before = states[row]
                part = each.begin if kind == "entries" else 0
                if kind == "open":
                    part = _part_of_hours(lines[row], lines[row + 1], passed)
                more = before[2] if before[0] == kind != "entries" else ()
                states[row] = (kind, part, (*more, *(one for one in each.what if one not in more)))
        return states

    def _painted(self) -> Iterable[tuple[Kind, _Block]]:
        layers: tuple[tuple[Kind, list[_Block]], ...] = (
            ("open", self.openings),
            ("buffer", self.buffers),
            ("closure", self.closures),
            ("entries", self.blocks),
        )
        return ((kind, each) for kind, layer in layers for each in layer)


def _part_of_hours(begin: int, end: int, passed: int) -> int:
    if end <= passed:
        return -1
    return -2 if begin < passed else begin // HOUR


def _on(day: date, stretches: Sequence[Stretch], length: int) -> list[_Block]:
    """Return what is on the day, from the nearest row to the nearest, and at least one row long."""
    found: list[_Block] = []
    for each in stretches:
        minutes = each.on(day)
        if minutes is not None:
            begin, end = ((minute + length // 2) // length * length for minute in minutes)
            begin = min(begin, MINUTES_OF_DAY - length)
            found.append(_Block(begin, max(end, begin + length), () if each.what is None else (each.what,)))
    return found


def _blocks(entries: list[_Block]) -> list[_Block]:
    blocks: list[_Block] = []
    for each in sorted(entries, key=lambda entry: (entry.begin, entry.end)):
        if blocks and each.begin < blocks[-1].end:
            last = blocks.pop()
            blocks.append(_Block(last.begin, max(last.end, each.end), last.what + each.what))
        else:
            blocks.append(each)
    return blocks
