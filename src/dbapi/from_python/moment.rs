//! Dates and times as SQL writes them.

use pyo3::prelude::*;
use pyo3::types::{PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyTime, PyTimeAccess};

use super::super::errors::usage;

/// A date or time as text, `None` for anything else. MySQL's literals carry no time zone, so one is
/// left out, as by MySQLdb.
pub(super) fn moment(value: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    Ok(if let Ok(moment) = value.cast::<PyDateTime>() {
        // pandas' NaT is a datetime too, of the year 1.
        if !moment.is_exact_instance_of::<PyDateTime>() && value.ne(value)? {
            return Err(usage(format!("{value} cannot be a parameter: pass None for no time")));
        }
        Some(format!("{} {}", day(moment), clock(moment)))
    } else if let Ok(value) = value.cast::<PyDate>() {
        Some(day(value))
    } else if let Ok(value) = value.cast::<PyDelta>() {
        Some(span(value))
    } else {
        value.cast::<PyTime>().ok().map(clock)
    })
}

fn day(value: &impl PyDateAccess) -> String {
    format!("{:04}-{:02}-{:02}", value.get_year(), value.get_month(), value.get_day())
}

fn clock(value: &impl PyTimeAccess) -> String {
    let (hour, minute, second) = (value.get_hour(), value.get_minute(), value.get_second());
    match value.get_microsecond() {
        0 => format!("{hour:02}:{minute:02}:{second:02}"),
        micro => format!("{hour:02}:{minute:02}:{second:02}.{micro:06}"),
    }
}

fn span(value: &Bound<'_, PyDelta>) -> String {
    let whole = i64::from(value.get_days()) * 86_400 + i64::from(value.get_seconds());
    let micros = i128::from(whole) * 1_000_000 + i128::from(value.get_microseconds());
    let (sign, micros) = if micros < 0 { ("-", -micros) } else { ("", micros) };
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match micros {
        0 => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}.{micros:06}"),
    }
}
