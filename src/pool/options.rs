use std::time::Duration;

use super::manage::Reset;

/// How a pool behaves. Plain values: start from `PoolOptions::default()` and change what differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PoolOptions {
    /// How many connections [`super::Pool::open`] opens, and below which the pool does not go of
    /// its own accord. At most `max_size`; default 0.
    pub min_size: usize,
    /// How many connections there may be at once, idle, in use and being opened. At least 1;
    /// default 10.
    pub max_size: usize,
    /// How long a check-out may take, with the wait, the tests and the connecting. More than
    /// zero; default 10 s.
    pub timeout: Duration,
    /// How many callers may wait at once; one more is refused at once. Default 0: no limit.
    pub max_waiting: usize,
    /// Since it was opened, how long a connection is lent; up to a tenth is taken off, differently
    /// for each, so that processes started together do not reconnect together. More than zero;
    /// default 1800 s; `None`: for ever.
    pub recycle: Option<Duration>,
    /// How long a connection may rest and still be lent. Default: 600 s, or less where the server
    /// closes sooner.
    pub max_idle: MaxIdle,
    /// Test before lending: a probe always, a ping after `ping_after`. Default true.
    pub pre_ping: bool,
    /// A connection that rested no longer than this is not pinged. Default 0.5 s; zero: ping
    /// always. Means nothing without `pre_ping`.
    pub ping_after: Duration,
    /// How a connection that comes back is made like new. Default [`Reset::Rollback`].
    pub reset: Reset,
    /// A lease that is held longer than this is told once, and where in the code it was taken is
    /// recorded for all. More than zero; default `None`: neither.
    pub leak_after: Option<Duration>,
    /// How many processes have a pool like this one, for the comparison with what the server
    /// takes. At least 1; default `None`: this process and its siblings that run the same program,
    /// which are counted where the process has no other threads.
    pub workers: Option<usize>,
    /// The pool's name in errors and stats. Default `None`: `pool-1`, `pool-2` and so on.
    pub name: Option<String>,
}

/// How long a connection may rest and still be lent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MaxIdle {
    /// So long, or less where [`super::Manage::idle_limit`] says so.
    Fitted(Duration),
    /// So long, whatever the server says of itself: behind a proxy it may be another's word. More
    /// than zero; `None`: for ever.
    Exactly(Option<Duration>),
}

impl Default for MaxIdle {
    fn default() -> Self {
        Self::Fitted(Duration::from_secs(600))
    }
}

impl MaxIdle {
    /// Without what the server says.
    pub fn own(self) -> Option<Duration> {
        match self {
            Self::Fitted(limit) => Some(limit),
            Self::Exactly(limit) => limit,
        }
    }
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            min_size: 0,
            max_size: 10,
            timeout: Duration::from_secs(10),
            max_waiting: 0,
            recycle: Some(Duration::from_secs(1800)),
            max_idle: MaxIdle::default(),
            pre_ping: true,
            ping_after: Duration::from_millis(500),
            reset: Reset::Rollback,
            leak_after: None,
            workers: None,
            name: None,
        }
    }
}

impl PoolOptions {
    /// Refuse values that no pool can work with.
    ///
    /// # Errors
    /// Names the option, its value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        if self.max_size == 0 {
            return Err("max_size must be at least 1, not 0".to_owned());
        }
        more_than_zero("timeout", Some(self.timeout))?;
        more_than_zero("recycle", self.recycle)?;
        more_than_zero("max_idle", self.max_idle.own())?;
        more_than_zero("leak_after", self.leak_after)?;
        if self.min_size > self.max_size {
            let (min, max) = (self.min_size, self.max_size);
            return Err(format!("min_size must be at most max_size, which is {max}, not {min}"));
        }
        if self.workers == Some(0) {
            return Err("workers must be at least 1, not 0".to_owned());
        }
        match self.name.as_deref() {
            Some("") => Err("name must not be empty".to_owned()),
            _ => Ok(()),
        }
    }
}

fn more_than_zero(option: &str, value: Option<Duration>) -> Result<(), String> {
    match value {
        Some(Duration::ZERO) => Err(format!("{option} must be more than 0 seconds, not 0")),
        _ => Ok(()),
    }
}
