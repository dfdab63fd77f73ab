//! The options of a pool, from keywords and from a URL's query.

use std::mem;

use pyo3::prelude::*;

use super::callable::Callable;
use super::errors::usage;
use crate::pool::{MaxIdle, PoolOptions, Reset};
use crate::session::{Given, Value};

/// Their names.
pub(super) const NAMES: [&str; 15] = [
    "min_size",
    "max_size",
    "timeout",
    "max_waiting",
    "recycle",
    "max_idle",
    "pre_ping",
    "ping_after",
    "reset",
    "configure",
    "check",
    "on_event",
    "leak_after",
    "workers",
    "name",
];

const RESET: &str = "reset must be 'rollback', 'session', 'none' or a callable that takes the \
                     connection";

/// The options that are callables of the application's. `None`: nothing is called.
#[derive(Default)]
pub(super) struct Hooks {
    /// Called with each new connection, and after its session was renewed.
    pub(super) configure: Option<Callable>,
    /// Called with an idle connection before it is lent.
    pub(super) check: Option<Callable>,
    /// Called with a connection that comes back, after it was rolled back.
    pub(super) reset: Option<Callable>,
    /// Called with each event.
    pub(super) on_event: Option<Callable>,
}

/// What was given for a pool.
#[derive(Default)]
pub(super) struct Pooling {
    options: PoolOptions,
    hooks: Hooks,
    /// Whether `on_event` was given, be it as None.
    listens: bool,
}

impl Pooling {
    /// The options that the pool itself knows.
    pub(super) fn options(&self) -> &PoolOptions {
        &self.options
    }

    /// The others. Who did not choose where events go has them logged.
    pub(super) fn take_hooks(&mut self, py: Python<'_>) -> PyResult<Hooks> {
        if !self.listens {
            let log = py.import("forksafe.events")?.getattr("log")?;
            self.hooks.on_event = Some(Callable::new(log.unbind()));
        }
        Ok(mem::take(&mut self.hooks))
    }

    /// Set an option whose value may be a callable; `false`: this is none.
    pub(super) fn set_callable(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let given = || value.is_callable().then(|| Callable::new(value.clone().unbind()));
        match name {
            "configure" => self.hooks.configure = hook(name, "the connection", value)?,
            "check" => self.hooks.check = hook(name, "the connection", value)?,
            "on_event" => {
                self.hooks.on_event = hook(name, "the event", value)?;
                self.listens = true;
            }
            "reset" => {
                self.hooks.reset = given();
                self.options.reset = Reset::Rollback;
                return Ok(self.hooks.reset.is_some());
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Set an option that a URL can hold.
    ///
    /// # Errors
    /// A sentence that names the option, says what was given and what is wanted.
    pub(super) fn set(&mut self, given: Given<'_>) -> Result<(), String> {
        let defaults = PoolOptions::default();
        let options = &mut self.options;
        match given.name {
            "min_size" => options.min_size = given.count()?,
            "max_size" => options.max_size = given.count()?,
            "timeout" => options.timeout = given.seconds()?.unwrap_or(defaults.timeout),
            "max_waiting" => options.max_waiting = given.count()?,
            "recycle" => options.recycle = given.seconds()?,
            "max_idle" => options.max_idle = MaxIdle::Exactly(given.seconds()?),
            "pre_ping" => options.pre_ping = given.bool()?.unwrap_or(defaults.pre_ping),
            "ping_after" => {
                options.ping_after = given.seconds_or_zero()?.unwrap_or(defaults.ping_after);
            }
            "reset" => options.reset = reset(&given.value)?,
            "leak_after" => options.leak_after = given.seconds()?,
            "workers" => options.workers = workers(&given)?,
            "name" => options.name = name(given.value)?,
            name => {
                return Err(format!("{name} is a callable, which a URL cannot hold: a keyword can"))
            }
        }
        Ok(())
    }
}

fn hook(name: &str, takes: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<Callable>> {
    if value.is_none() || value.is_callable() {
        return Ok((!value.is_none()).then(|| Callable::new(value.clone().unbind())));
    }
    let kind = value.get_type().qualname()?;
    Err(usage(format!("{name} must be None or a callable that takes {takes}, not a {kind}")))
}

fn reset(value: &Value) -> Result<Reset, String> {
    match value {
        Value::Text(text) => match text.as_str() {
            "rollback" => Ok(Reset::Rollback),
            "session" => Ok(Reset::Session),
            "none" => Ok(Reset::Nothing),
            _ => Err(format!("{RESET}, not {text:?}")),
        },
        _ => Err(RESET.into()),
    }
}

fn workers(given: &Given<'_>) -> Result<Option<usize>, String> {
    match &given.value {
        Value::Null => Ok(None),
        Value::Text(text) if text.eq_ignore_ascii_case("none") => Ok(None),
        _ => given.count().map(Some),
    }
}

fn name(value: Value) -> Result<Option<String>, String> {
    match value {
        Value::Text(name) => Ok(Some(name)),
        Value::Null => Ok(None),
        _ => Err("name must be text".into()),
    }
}
