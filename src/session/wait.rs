//! Waiting for a socket: by `poll`, in slices, so that a signal is noticed and a deadline holds
//! for the whole wait however the bytes drip.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};

use super::broken::Broken;
use crate::process::Process;

/// The longest sleep without a look at pending signals: a process-wide signal may be delivered to
/// another thread, and then `poll` here is not interrupted.
const SLICE: Duration = Duration::from_millis(200);

/// An answer that goes on has so many bytes more within each read time-out. A server keeps rows back
/// until it has as many to send, at the least that it can be told to.
const PROGRESS: usize = 1024;

/// Asked between slices: has a signal handler raised something that must end the wait?
pub type Interrupt = fn() -> bool;

/// How long to wait, and whom to ask while waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    deadline: Option<Instant>,
    interrupt: Option<Interrupt>,
    birth: Process,
}

impl Patience {
    pub(super) fn new(deadline: Option<Instant>, interrupt: Option<Interrupt>) -> Self {
        Self { deadline, interrupt, birth: Process::current() }
    }

    pub(super) fn until(deadline: Instant, interrupt: Option<Interrupt>) -> Self {
        Self::new(Some(deadline), interrupt)
    }

    pub(super) fn readable(self, fd: BorrowedFd<'_>) -> Result<(), Broken> {
        self.ready(fd, PollFlags::POLLIN)
    }

    pub(super) fn writable(self, fd: BorrowedFd<'_>) -> Result<(), Broken> {
        self.ready(fd, PollFlags::POLLOUT)
    }

    /// For what cannot be waited for but only tried again.
    pub(super) fn a_moment(self) -> Result<(), Broken> {
        self.slice()?;
        std::thread::sleep(Duration::from_millis(5));
        self.ask()
    }

    fn ready(self, fd: BorrowedFd<'_>, what: PollFlags) -> Result<(), Broken> {
        loop {
            let slice = self.slice()?;
            match poll(&mut [PollFd::new(fd, what)], slice) {
                Ok(0) | Err(Errno::EINTR) => self.ask()?,
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn slice(self) -> Result<PollTimeout, Broken> {
        let slice = match self.deadline.map(|at| at.saturating_duration_since(Instant::now())) {
            Some(left) if left.is_zero() => return Err(Broken::TimedOut),
            // `poll` counts whole milliseconds: round up, or the last one is spun through.
            Some(left) => SLICE.min(left + Duration::from_micros(999)),
            None => SLICE,
        };
        Ok(PollTimeout::try_from(slice).unwrap_or(PollTimeout::ZERO))
    }

    /// Look for signals: must the wait end?
    fn ask(self) -> Result<(), Broken> {
        let ended = self.interrupt.is_some_and(|interrupted| interrupted());
        // The signal handler may have forked: what this child would wait for is its parent's.
        if !self.birth.is_current() {
            return Err(Broken::Inherited(self.birth));
        }
        if ended {
            return Err(Broken::Interrupted);
        }
        Ok(())
    }
}

/// How long one wait may last, however the bytes drip.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    pub(super) read: Option<Duration>,
    pub(super) write: Option<Duration>,
    /// An end for all waits together.
    pub(super) deadline: Option<Instant>,
    pub(super) interrupt: Option<Interrupt>,
}

impl Limits {
    pub(super) fn patience(&self, limit: Option<Duration>) -> Patience {
        self.patience_until(limit.and_then(|limit| Instant::now().checked_add(limit)))
    }

    pub(super) fn patience_until(&self, end: Option<Instant>) -> Patience {
        Patience::new(end.into_iter().chain(self.deadline).min(), self.interrupt)
    }
}

/// The wait for an answer, or for a part of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    /// When the next [`PROGRESS`] bytes must have come.
    pub(super) until: Option<Instant>,
    came: usize,
    /// When signals were looked for last.
    looked: Instant,
}

impl Wait {
    pub(super) fn begin(limit: Option<Duration>) -> Self {
        let now = Instant::now();
        let until = limit.and_then(|limit| now.checked_add(limit));
        Self { until, came: 0, looked: now }
    }

    /// Bytes came that were waited for at most `limit`.
    pub(super) fn came(&mut self, count: usize, limit: Option<Duration>) {
        self.came += count;
        if limit.is_some() && self.came >= PROGRESS {
            self.begin_receiving(limit);
        }
    }

    /// A command is about to be sent.
    pub(super) fn begin_sending(&mut self) {
        self.looked = Instant::now();
    }

    /// The next bytes are waited for from now on. When signals were looked for stays as it is: an
    /// answer is waited for part by part, and parts may come without a pause.
    pub(super) fn begin_receiving(&mut self, limit: Option<Duration>) {
        *self = Self { looked: self.looked, ..Self::begin(limit) };
    }

    /// While bytes go or come all the time, nobody else looks for signals.
    pub(super) fn look(&mut self, patience: Patience) -> Result<(), Broken> {
        if self.looked.elapsed() > SLICE {
            self.looked = Instant::now();
            patience.ask()?;
        }
        Ok(())
    }
}
