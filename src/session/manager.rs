//! Where the pool meets MySQL.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::Error;
use super::hosts::Hosts;
use super::options::ConnectOptions;
use super::{Health, Session};
use crate::pool;

/// Makes sessions: the options, checked, and what is read from files once.
#[derive(Clone, Debug)]
pub struct Connector {
    options: Arc<ConnectOptions>,
    hosts: Arc<Hosts>,
}

impl Connector {
    /// Check the options and read the TLS files.
    ///
    /// # Errors
    /// 2005 when the hosts cannot be read, 2026 when a TLS file cannot be used.
    pub fn new(options: ConnectOptions) -> Result<Self, Error> {
        let hosts = Arc::new(Hosts::of(&options)?);
        Ok(Self { options: Arc::new(options), hosts })
    }

    /// The options.
    pub fn options(&self) -> &Arc<ConnectOptions> {
        &self.options
    }

    pub(super) fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Open a session within `connect_timeout`, and before `deadline` if there is one.
    ///
    /// # Errors
    /// As [`Session::connect`].
    pub fn open(&self, deadline: Option<Instant>) -> Result<Session, Error> {
        let own = Instant::now() + self.options.connect_timeout;
        Session::connect(self, deadline.map_or(own, |deadline| deadline.min(own)))
    }

    /// Make a session that comes back to a pool like new, as far as `how` asks. Answers whether it
    /// was renewed: nothing is left then of what was set in it.
    ///
    /// # Errors
    /// As [`Session::query`]; 2013 when it takes longer than `connect_timeout`.
    pub fn restore(&self, session: &mut Session, how: pool::Reset) -> Result<bool, Error> {
        self.skip_rows(session)?;
        // A check-in must end, also where nobody set a read time-out.
        session.set_deadline(Some(Instant::now() + self.options.connect_timeout));
        let done = match how {
            pool::Reset::Nothing => session.finish_answers().map(|()| false),
            pool::Reset::Rollback => session.roll_back().map(|()| false),
            pool::Reset::Session => session.renew_if_changed(),
        };
        let done = done.and_then(|renewed| session.follow_wait_timeout().map(|()| renewed));
        session.set_deadline(None);
        done
    }
}

/// How long a session may rest before the server closes it, less a margin for the way there.
fn rest(wait_timeout: Duration) -> Duration {
    let margin = (wait_timeout / 10).clamp(Duration::from_secs(1), Duration::from_secs(60));
    wait_timeout.saturating_sub(margin).max(wait_timeout / 2)
}

impl pool::Manage for Connector {
    type Conn = Session;
    type Error = Error;

    fn connect(&self, deadline: Instant) -> Result<Session, Error> {
        self.open(Some(deadline))
    }

    fn probe(&self, session: &mut Session) -> pool::Health {
        match session.probe() {
            Health::Open => pool::Health::Open,
            Health::Suspect => pool::Health::Suspect,
            Health::Dead => pool::Health::Dead,
        }
    }

    fn ping(&self, session: &mut Session, deadline: Instant) -> Result<(), Error> {
        session.set_deadline(Some(deadline));
        let answer = session.ping();
        session.set_deadline(None);
        answer
    }

    fn reset(&self, session: &mut Session, how: pool::Reset) -> Result<(), Error> {
        self.restore(session, how).map(drop)
    }

    fn unfit(&self, session: &Session) -> Option<pool::Discard> {
        // First, for the pool draws conclusions from it about the others.
        if session.is_read_only() {
            return Some(pool::Discard::ReadOnly);
        }
        (session.is_over() || session.is_anothers()).then_some(pool::Discard::Broken)
    }

    fn idle_limit(&self, session: &Session) -> Option<Duration> {
        session.wait_timeout().map(rest)
    }

    fn lifetime(&self, session: &Session) -> Option<Duration> {
        session.lifetime()
    }

    fn limit(&self, session: &Session) -> Option<usize> {
        session.max_connections()
    }

    fn is_outage(&self, error: &Error) -> bool {
        error.is_outage()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::rest;

    #[test]
    fn a_session_rests_less_than_the_server_waits() {
        let seconds = Duration::from_secs_f64;
        assert_eq!(rest(seconds(28_800.0)), seconds(28_740.0));
        assert_eq!(rest(seconds(60.0)), seconds(54.0));
        assert_eq!(rest(seconds(2.0)), seconds(1.0));
        assert_eq!(rest(seconds(1.0)), seconds(0.5));
    }
}
