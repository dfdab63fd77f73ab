use std::error::Error;
use std::time::{Duration, Instant};

/// What the pool asks of the kind of connection that it keeps. Every call is made outside the
/// pool's lock. There is no verb for letting go: that is the `Drop` of [`Manage::Conn`].
pub trait Manage: Send + Sync + 'static {
    /// One open connection.
    type Conn: Send + 'static;
    /// Why one could not be opened, tested or reset.
    type Error: Error + Clone + Send + Sync + 'static;

    /// Open a connection, until `deadline` at the latest.
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

    /// Make a connection that comes back like new, as far as `how` asks.
    ///
    /// # Errors
    /// Any error makes the pool discard the connection as broken.
    fn reset(&self, conn: &mut Self::Conn, how: Reset) -> Result<(), Self::Error>;

    /// Whether an error has finished the connection, so that it must not be kept.
    fn is_broken(&self, conn: &Self::Conn) -> bool;

    /// How long this connection may rest before its server may close it, less a margin. It lowers
    /// [`super::PoolOptions::max_idle`] and never raises it. Asked once, after `connect`.
    fn idle_limit(&self, conn: &Self::Conn) -> Option<Duration>;
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
