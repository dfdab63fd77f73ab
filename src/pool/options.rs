use std::time::Duration;

use super::manage::Reset;

/// How a pool behaves. Plain values: start from `PoolOptions::default()` and change what differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PoolOptions {
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
    /// How long a connection may rest and still be lent. More than zero; default 600 s; `None`: for
    /// ever. Lowered for each connection by [`super::Manage::idle_limit`].
    pub max_idle: Option<Duration>,
    /// Test before lending: a probe always, a ping after `ping_after`. Default true.
    pub pre_ping: bool,
    /// A connection that rested no longer than this is not pinged. Default 0.5 s; zero: ping
    /// always. Means nothing without `pre_ping`.
    pub ping_after: Duration,
    /// How a connection that comes back is made like new. Default [`Reset::Rollback`].
    pub reset: Reset,
    /// The pool's name in errors and stats. Default `None`: `pool-1`, `pool-2` and so on.
    pub name: Option<String>,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            max_size: 10,
            timeout: Duration::from_secs(10),
            max_waiting: 0,
            recycle: Some(Duration::from_secs(1800)),
            max_idle: Some(Duration::from_secs(600)),
            pre_ping: true,
            ping_after: Duration::from_millis(500),
            reset: Reset::Rollback,
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
        more_than_zero("max_idle", self.max_idle)?;
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
