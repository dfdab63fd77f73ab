use std::error;
use std::fmt;
use std::time::Duration;

/// Why a check-out failed. `E` is the error of [`super::Manage`].
#[derive(Clone, Debug)]
pub enum Error<E> {
    /// Nothing could be lent before the deadline.
    TimedOut(Box<TimedOut<E>>),
    /// As many callers wait already as `max_waiting` allows.
    TooManyRequests {
        /// The pool's name.
        pool: String,
        /// The process that asked.
        pid: u32,
        /// How many callers wait.
        waiting: usize,
    },
    /// The pool has been closed.
    Closed {
        /// The pool's name.
        pool: String,
        /// The process that asked.
        pid: u32,
    },
    /// [`super::Caller::keep_waiting`] ended the wait.
    Interrupted {
        /// The pool's name.
        pool: String,
    },
    /// No connection could be opened.
    Connect(E),
    /// No connection could be opened a moment ago, and the next attempt is not due yet.
    Down(Box<Down<E>>),
}

/// Why no attempt was made to connect.
#[derive(Clone, Debug)]
pub struct Down<E> {
    /// The pool's name.
    pub pool: String,
    /// The process that asked.
    pub pid: u32,
    /// What the last attempt met.
    pub error: E,
    /// For how long no connection could be opened.
    pub since: Duration,
    /// When an attempt is due; zero: one is under way.
    pub retry_in: Duration,
}

/// What a pool looked like when a check-out ran into its deadline.
#[derive(Clone, Debug)]
pub struct TimedOut<E> {
    /// The pool's name.
    pub pool: String,
    /// The process that asked.
    pub pid: u32,
    /// How long the check-out was allowed to take.
    pub timeout: Duration,
    /// Whether the pool was suspended then, and so lent nothing.
    pub suspended: bool,
    /// Idle and in use together.
    pub size: usize,
    /// How many there may be.
    pub max_size: usize,
    /// Lent, being opened or being tested.
    pub in_use: usize,
    /// In the pool.
    pub idle: usize,
    /// Callers in the queue, this one included if it was there.
    pub waiting: usize,
    /// Those who have held a connection longest, at most three, the longest first.
    pub longest: Vec<Holding>,
    /// The last error of [`super::Manage::connect`] in this process, and how long ago it came.
    pub last_connect_error: Option<(E, Duration)>,
}

/// Who holds a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holding {
    /// The thread's name in quotation marks, or its id.
    pub thread: String,
    /// For how long.
    pub held: Duration,
    /// Where in the code it was taken, where that was recorded.
    pub place: Option<String>,
    /// Whether that is longer than `leak_after`.
    pub leaked: bool,
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut(timed_out) => timed_out.fmt(f),
            Self::TooManyRequests { pool, pid, waiting } => write!(
                f,
                "no connection from pool '{pool}' in process {pid}: \
                 {waiting} callers wait already, and max_waiting allows no more"
            ),
            Self::Closed { pool, pid } => {
                write!(f, "no connection from pool '{pool}' in process {pid}: the pool is closed")
            }
            Self::Interrupted { pool } => {
                write!(f, "the wait for a connection from pool '{pool}' was interrupted")
            }
            Self::Connect(error) => error.fmt(f),
            Self::Down(down) => write!(f, "{}; {down}", down.error),
        }
    }
}

/// What is to be said beside the error itself.
impl<E> fmt::Display for Down<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pool, pid, since, .. } = self;
        write!(f, "pool '{pool}' in process {pid} has met this for ")?;
        write!(f, "{:.1}s, ", since.as_secs_f64())?;
        match self.retry_in {
            Duration::ZERO => f.write_str("and an attempt is under way"),
            wait => write!(f, "and tries again in {:.1}s", wait.as_secs_f64()),
        }
    }
}

impl<E: fmt::Display> fmt::Display for TimedOut<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pool, pid, timeout, size, max_size, in_use, idle, waiting, .. } = self;
        let timeout = timeout.as_secs_f64();
        write!(f, "no connection within {timeout}s from pool '{pool}' in process {pid} ")?;
        write!(f, "({size} of {max_size} open, {in_use} in use, {idle} idle, {waiting} waiting)")?;
        if self.suspended {
            f.write_str("; the pool is suspended, and lends nothing until it is resumed")?;
        }
        for (number, holding) in self.longest.iter().enumerate() {
            let lead = if number == 0 { "; held longest: " } else { ", " };
            write!(f, "{lead}{holding}")?;
        }
        if let Some((error, ago)) = &self.last_connect_error {
            write!(f, "; last connect error ({:.1}s ago): {error}", ago.as_secs_f64())?;
        }
        Ok(())
    }
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thread {} {:.1}s", self.thread, self.held.as_secs_f64())?;
        f.write_str(if self.leaked { " (leaked)" } else { "" })?;
        match &self.place {
            Some(place) => write!(f, " at {place}"),
            None => Ok(()),
        }
    }
}

impl<E: error::Error + 'static> error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::TimedOut(timed_out) => {
                timed_out.last_connect_error.as_ref().map(|(error, _)| error as _)
            }
            // Its text is this error's text, so its source is this error's source.
            Self::Connect(error) => error.source(),
            Self::Down(down) => Some(&down.error),
            _ => None,
        }
    }
}
