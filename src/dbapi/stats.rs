//! A pool's statistics as a dictionary.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::pool::{Discard, Discards, Holding, IdleSource, Stats, Summary};

/// psycopg_pool's fifteen keys, then our own.
pub(super) fn as_dict<'py>(py: Python<'py>, stats: &Stats) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    set_psycopg(&dict, stats)?;
    set_state(&dict, stats)?;
    set_counts(&dict, stats)?;
    dict.set_item("discards", discards(py, &stats.discards)?)?;
    dict.set_item("wait_time", summary(py, &stats.wait_time)?)?;
    dict.set_item("use_time", summary(py, &stats.use_time)?)?;
    dict.set_item("leases", leases(py, &stats.leases)?)?;
    Ok(dict)
}

fn set_psycopg(dict: &Bound<'_, PyDict>, stats: &Stats) -> PyResult<()> {
    for (name, number) in [
        ("pool_min", stats.min_size as u64),
        ("pool_max", stats.max_size as u64),
        ("pool_size", stats.size as u64),
        ("pool_available", stats.idle as u64),
        ("requests_waiting", stats.waiting as u64),
        ("requests_num", stats.requests),
        ("requests_queued", stats.waits),
        ("requests_wait_ms", milliseconds(stats.wait_seconds)),
        ("requests_errors", stats.request_errors),
        ("usage_ms", milliseconds(stats.use_seconds)),
        ("returns_bad", stats.returns_bad),
        ("connections_num", stats.connects),
        ("connections_ms", milliseconds(stats.connect_seconds)),
        ("connections_errors", stats.connect_errors),
        ("connections_lost", stats.lost),
    ] {
        dict.set_item(name, number)?;
    }
    Ok(())
}

fn set_state(dict: &Bound<'_, PyDict>, stats: &Stats) -> PyResult<()> {
    let source = match stats.idle_source {
        IdleSource::MaxIdle => "max_idle",
        IdleSource::Server => "wait_timeout",
    };
    dict.set_item("pid", stats.pid)?;
    dict.set_item("name", &stats.name)?;
    dict.set_item("closed", stats.closed)?;
    dict.set_item("suspended", stats.suspended)?;
    dict.set_item("down_for", stats.down_for.map(|time| time.as_secs_f64()))?;
    dict.set_item("in_use", stats.in_use)?;
    dict.set_item("idle_limit", stats.idle_limit.map(|limit| limit.as_secs_f64()))?;
    dict.set_item("idle_limit_source", source)?;
    dict.set_item("last_connect_error", &stats.last_connect_error)
}

fn set_counts(dict: &Bound<'_, PyDict>, stats: &Stats) -> PyResult<()> {
    for (name, count) in [
        ("forks_noticed", stats.forks_noticed),
        ("hand_offs", stats.hand_offs),
        ("timeouts", stats.timeouts),
        ("pings", stats.pings),
        ("ping_failures", stats.ping_failures),
        ("probe_failures", stats.probe_failures),
        ("leaks", stats.leaks),
        ("collected", stats.collected),
        ("orphaned", stats.orphaned),
    ] {
        dict.set_item(name, count)?;
    }
    Ok(())
}

fn discards<'py>(py: Python<'py>, discards: &Discards) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (why, count) in [
        (Discard::Expired, discards.expired),
        (Discard::Idle, discards.idle),
        (Discard::Broken, discards.broken),
        (Discard::Inherited, discards.inherited),
        (Discard::Closed, discards.closed),
        (Discard::ReadOnly, discards.read_only),
        (Discard::Drained, discards.drained),
        (Discard::Surplus, discards.surplus),
    ] {
        dict.set_item(reason(why), count)?;
    }
    Ok(dict)
}

/// The word for a reason, in statistics and events.
pub(super) fn reason(why: Discard) -> &'static str {
    match why {
        Discard::Expired => "expired",
        Discard::Idle => "idle",
        Discard::Broken => "broken",
        Discard::Inherited => "inherited",
        Discard::Closed => "closed",
        Discard::ReadOnly => "read_only",
        Discard::Drained => "drained",
        Discard::Surplus => "surplus",
    }
}

fn summary<'py>(py: Python<'py>, summary: &Summary) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("count", summary.count)?;
    dict.set_item("p50", summary.p50.as_secs_f64())?;
    dict.set_item("p99", summary.p99.as_secs_f64())?;
    dict.set_item("max", summary.max.as_secs_f64())?;
    Ok(dict)
}

fn leases<'py>(py: Python<'py>, leases: &[Holding]) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for holding in leases {
        let dict = PyDict::new(py);
        dict.set_item("thread", thread(holding))?;
        dict.set_item("seconds", holding.held.as_secs_f64())?;
        dict.set_item("where", &holding.place)?;
        dict.set_item("leaked", holding.leaked)?;
        list.append(dict)?;
    }
    Ok(list)
}

/// The thread's name without the quotation marks of a text.
pub(super) fn thread(holding: &Holding) -> &str {
    holding.thread.trim_matches('\'')
}

fn milliseconds(time: Duration) -> u64 {
    time.as_millis() as u64
}
