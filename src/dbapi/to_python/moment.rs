//! Dates and times from text, without a regular expression or a lock.

use pyo3::prelude::*;
use pyo3::types::{PyDate, PyDateTime, PyDelta};

/// Digits only: `parse` would also take a sign.
fn digits(bytes: &[u8]) -> Option<u32> {
    if bytes.is_empty() || bytes.len() > 9 {
        return None;
    }
    bytes.iter().try_fold(0, |sum: u32, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0'))
    })
}

/// ".ffffff" as microseconds; nothing is zero.
fn fraction(bytes: &[u8]) -> Option<u32> {
    match bytes {
        [] => Some(0),
        [b'.', places @ ..] if (1..=6).contains(&places.len()) => {
            Some(digits(places)? * 10_u32.pow(6 - places.len() as u32))
        }
        _ => None,
    }
}

/// Year, month, day.
fn ymd(bytes: &[u8]) -> Option<(u32, u32, u32)> {
    match bytes {
        [y @ .., b'-', m1, m2, b'-', d1, d2] if y.len() == 4 => {
            Some((digits(y)?, digits(&[*m1, *m2])?, digits(&[*d1, *d2])?))
        }
        _ => None,
    }
}

/// Python has no day zero: MySQLdb answers `None` for it, and so do we.
fn is_day((year, month, day): (u32, u32, u32)) -> bool {
    year > 0 && (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// Nothing where the text is none of these; `None` of Python's for a day that it has not.
pub(super) type Converted<'py> = Option<PyResult<Bound<'py, PyAny>>>;

pub(super) fn date<'py>(py: Python<'py>, bytes: &[u8]) -> Converted<'py> {
    let (year, month, day) = ymd(bytes)?;
    if !is_day((year, month, day)) {
        return Some(Ok(py.None().into_bound(py)));
    }
    let date = PyDate::new(py, year as i32, month as u8, day as u8);
    Some(Ok(date.map_or_else(|_| py.None().into_bound(py), Bound::into_any)))
}

pub(super) fn datetime<'py>(py: Python<'py>, bytes: &[u8]) -> Converted<'py> {
    let (day, clock) = bytes.split_at_checked(10)?;
    let day = ymd(day)?;
    let [b' ', h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = clock else { return None };
    let (hour, minute) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
    let (second, micro) = (digits(&[*s1, *s2])?, fraction(rest)?);
    if !is_day(day) {
        return Some(Ok(py.None().into_bound(py)));
    }
    let clock = (hour as u8, minute as u8, second as u8);
    let (year, month, day) = (day.0 as i32, day.1 as u8, day.2 as u8);
    let made = PyDateTime::new(py, year, month, day, clock.0, clock.1, clock.2, micro, None);
    Some(Ok(made.map_or_else(|_| py.None().into_bound(py), Bound::into_any)))
}

/// TIME is a span of up to 838 hours either way.
pub(super) fn time<'py>(py: Python<'py>, bytes: &[u8]) -> Converted<'py> {
    let (sign, bytes) = match bytes {
        [b'-', rest @ ..] => (-1, rest),
        rest => (1, rest),
    };
    let hours_end = bytes.iter().position(|byte| *byte == b':')?;
    let (hours, clock) = bytes.split_at(hours_end);
    let [b':', m1, m2, b':', s1, s2, rest @ ..] = clock else { return None };
    let (minutes, seconds) = (digits(&[*m1, *m2])?, digits(&[*s1, *s2])?);
    let seconds = digits(hours)? * 3600 + minutes * 60 + seconds;
    let micros = fraction(rest)? as i32;
    Some(PyDelta::new(py, 0, sign * seconds as i32, sign * micros, true).map(Bound::into_any))
}
