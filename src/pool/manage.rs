use std::error::Error;
use std::time::{Duration, Instant};

use super::event::Event;
use super::stats::Discard;

/// What the pool asks of the kind of connection that it keeps. Every call is made outside the
/// pool's lock. There is no verb for letting go: that is the `Drop` of [`Manage::Conn`].
pub trait Manage: Send + Sync + 'static {
    /// One open connection.
    type Conn: Send + 'static;
    /// Why one could not be opened, tested or reset.
    type Error: Error + Clone + Send + Sync + 'static;

    /// Open a connection and make it ready for use, until `deadline` at the latest.
    ///
    /// # Errors
    /// Goes to the caller that wanted the connection, as [`super::Error::Connect`].
    fn connect(&self, deadline: Instant) -> Result<Self::Conn, Self::Error>;

    /// Look at an idle connection without a round trip.
    fn probe(&self, conn: &mut Self::Conn) -> Health;

    /// Make sure by a round trip, until `deadline` at the latest.
    ///
    /// # Errors
    /// Any error makes the pool discard the connection as broken.
    fn ping(&self, conn: &mut Self::Conn, deadline: Instant) -> Result<(), Self::Error>;

    /// The application's own test of an idle connection, after the probe and the ping, until
    /// `deadline` at the latest.
    ///
    /// # Errors
    /// Any error makes the pool discard the connection as broken.
    fn check(&self, _conn: &mut Self::Conn, _deadline: Instant) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Make a connection that comes back like new, as far as `how` asks.
    ///
    /// # Errors
    /// Any error makes the pool discard the connection as broken.
    fn reset(&self, conn: &mut Self::Conn, how: Reset) -> Result<(), Self::Error>;

    /// Why the connection must not be kept, as far as it knows itself: finished by an error, or of
    /// a server that takes no changes any more.
    fn unfit(&self, conn: &Self::Conn) -> Option<Discard>;

    /// How long this connection may rest before its server may close it, less a margin. It lowers
    /// [`MaxIdle::Fitted`](super::MaxIdle::Fitted) and never raises it. Asked after `connect`, and
    /// at each check-in after `reset`.
    fn idle_limit(&self, conn: &Self::Conn) -> Option<Duration>;

    /// How long this connection may live at most, because what it was opened with ends then. It
    /// lowers [`super::PoolOptions::recycle`] and never raises it. Asked once, after `connect`.
    fn lifetime(&self, _conn: &Self::Conn) -> Option<Duration> {
        None
    }

    /// How many connections the server takes from all processes together. Asked once, after
    /// `connect`.
    fn limit(&self, _conn: &Self::Conn) -> Option<usize> {
        None
    }

    /// Whether an error of `connect` tells of the server, so that other attempts would meet it too.
    fn is_outage(&self, error: &Self::Error) -> bool;

    /// Told what happens to the pool called `pool`, outside its lock.
    fn on_event(&self, _pool: &str, _event: Event<'_, Self::Error>) {}

    /// The clock of the pool's rules.
    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// What a probe saw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Health {
    /// Silent and open.
    Open,
    /// Something is there to read that may be harmless: a ping decides.
    Suspect,
    /// Closed, or about to be.
    Dead,
}

/// How a connection that comes back is made like new.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reset {
    /// Roll back an open transaction.
    #[default]
    Rollback,
    /// Give up the whole state of the session.
    Session,
    /// Leave it as it is.
    Nothing,
}
