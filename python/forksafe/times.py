"""Dates and times as MySQLdb's module of this name has them.

Those that end in `_or_None` are what `converters.conversions` has for columns: the driver knows
them, and makes the same objects without calling them.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from time import localtime
from typing import Any

Date = date
Time = time
TimeDelta = timedelta
Timestamp = datetime

DateTimeType = datetime
DateTimeDeltaType = timedelta

DATE_LENGTH = len("YYYY-MM-DD")
SECOND_LENGTH = len("YYYY-MM-DD HH:MM:SS")
MICROSECOND_DIGITS = 6


def DateFromTicks(ticks: float) -> date:
    """The local date at `ticks`, seconds since the epoch."""
    return date(*localtime(ticks)[:3])


def TimeFromTicks(ticks: float) -> time:
    """The local time of day at `ticks`, seconds since the epoch."""
    return time(*localtime(ticks)[3:6])


def TimestampFromTicks(ticks: float) -> datetime:
    """The local date and time at `ticks`, seconds since the epoch."""
    return datetime(*localtime(ticks)[:6])


def Date_or_None(text: str) -> date | None:
    """A DATE; None for one that Python has not, such as 0000-00-00."""
    try:
        return date(int(text[:4]), int(text[5:7]), int(text[8:10]))
    except ValueError:
        return None


def DateTime_or_None(text: str) -> date | None:
    """A DATETIME or TIMESTAMP; None for one that Python has not.

    The seconds and their fraction may be missing. Without a time of day it is a date.
    """
    if len(text) <= DATE_LENGTH:
        return Date_or_None(text)
    fraction = text[SECOND_LENGTH + 1 :]
    if len(fraction) > MICROSECOND_DIGITS:
        return None
    try:
        day = (int(text[:4]), int(text[5:7]), int(text[8:10]))
        clock = (int(text[11:13] or 0), int(text[14:16] or 0), int(text[17:19] or 0))
        return datetime(*day, *clock, _microseconds(fraction))
    except ValueError:
        return None


def TimeDelta_or_None(text: str) -> timedelta | None:
    """A TIME: a span, up to 838 hours either way. None for what is none."""
    try:
        hours, minutes, seconds, microseconds = _clock(text.lstrip("-"))
    except ValueError:
        return None
    span = timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=microseconds)
    return -span if text.startswith("-") else span


def Time_or_None(text: str) -> time | None:
    """A TIME as the time of a day; None for a span that is no such time."""
    try:
        return time(*_clock(text))
    except ValueError:
        return None


def format_DATE(day: date) -> str:
    """As SQL writes it."""
    return str(day)


def format_TIME(moment: time) -> str:
    """As SQL writes it."""
    return str(moment)


def format_TIMESTAMP(moment: datetime) -> str:
    """As SQL writes it, with a fraction of the second where there is one, without a time zone."""
    return moment.replace(tzinfo=None).isoformat(" ")


def format_TIMEDELTA(span: timedelta) -> str:
    """As MySQLdb writes it: days, hours, minutes, seconds."""
    sign = "-" if span < timedelta(0) else ""
    span = abs(span)
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{sign}{span.days} {hours}:{minutes}:{seconds}"
    return f"{text}.{span.microseconds:06}" if span.microseconds else text


def DateTime2literal(moment: datetime, _conv: Any = None) -> bytes:
    """A date and time as a literal of SQL."""
    return f"'{format_TIMESTAMP(moment)}'".encode()


def DateTimeDelta2literal(span: timedelta, _conv: Any = None) -> bytes:
    """A span as a literal of SQL."""
    return f"'{format_TIMEDELTA(span)}'".encode()


def _clock(text: str) -> tuple[int, int, int, int]:
    """Hours, minutes, seconds, microseconds of "HH:MM:SS.ffffff"; ValueError for anything else."""
    hours, minutes, seconds = text.split(":")
    whole, _, fraction = seconds.partition(".")
    return int(hours), int(minutes), int(whole), _microseconds(fraction)


def _microseconds(fraction: str) -> int:
    return int(fraction.ljust(MICROSECOND_DIGITS, "0"))
