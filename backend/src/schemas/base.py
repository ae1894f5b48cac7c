"""Base classes of requests and answers, and the parts that several answers share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import Self

from src.domain.wall_clock import wall_clock, with_offset


class In(BaseModel):
    """A request's body or query. Unknown fields are ignored and never acted on."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Out(BaseModel):
    """An answer's body."""

    @classmethod
    def of_rows(cls, rows: list[dict[str, Any]], **fields: Any) -> Self:
        """Build the answer from `rows` as its `data` without validation, which is slow for a long list.

        Instead, tests/conftest.py validates every answer that a test receives.
        """
        return cls.model_construct(data=rows, **fields)

    def members(self) -> dict[str, Any]:
        """Return the values by their names in the answer. A class whose own fields have aliases overrides it."""
        return vars(self)


class Message(Out):
    """What happened, in one sentence."""

    message: str


class WallClockSpan(Out):
    """A stretch of time as the clocks of its zone show it, and as instants."""

    date: str = Field(description="YYYY-MM-DD, on the wall clock of `time_zone`", examples=["2030-05-14"])
    start_time: str = Field(description="HH:MM, on the wall clock of `time_zone`", examples=["09:00"])
    end_time: str = Field(
        description="HH:MM, on the wall clock of `time_zone`; `ends_at` tells the day. 00:00 and any other time before"
        " `start_time` is on the next day, unless the clocks go back meanwhile",
        examples=["09:30"],
    )
    starts_at: str = Field(description="RFC 3339 with offset", examples=["2030-05-14T09:00:00+02:00"])
    ends_at: str = Field(description="RFC 3339 with offset", examples=["2030-05-14T09:30:00+02:00"])
    time_zone: str = Field(description="IANA name", examples=["Europe/Berlin"])


@lru_cache(maxsize=8192)
def wall_clock_span(
    starts_at: datetime, ends_at: datetime, wall_start: datetime | None, wall_end: datetime | None, zone: str
) -> Mapping[str, str]:
    """Return the fields of a WallClockSpan; the mapping is cached, so callers must copy it.

    They show the wall clock that people agreed on, and offsets that lead from it to the instants. Only a row whose wall
    clock is still empty is converted. Many slots have the same times, because doctors begin at quarter hours. An entry
    takes about a kilobyte.
    """
    start = with_offset(wall_start or wall_clock(starts_at, zone), starts_at)
    end = with_offset(wall_end or wall_clock(ends_at, zone), ends_at)
    return {
        "date": start[:10],
        "start_time": start[11:16],
        "end_time": end[11:16],
        "starts_at": start,
        "ends_at": end,
        "time_zone": zone,
    }
