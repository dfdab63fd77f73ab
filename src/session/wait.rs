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
pub(super) const SLICE: Duration = Duration::from_millis(200);

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
    pub(super) fn ask(self) -> Result<(), Broken> {
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
