//! One MySQL session: connect, query, ping, probe, reset, and three ways to end.
//!
//! `close` is ours: goodbye, then the socket. `abandon` is what a child does with what it
//! inherited: nothing at all, for the ground has closed our copy of the descriptor already, and
//! the memory may be half changed. And after any error of transport or protocol a session is
//! over: whatever it would read next might be the answer to something else.

mod admin;
mod asked;
mod auth;
mod batch;
mod binary;
mod bindings;
mod body;
mod broken;
mod capabilities;
mod cell;
mod change_user;
mod charset;
mod client_settings;
mod command;
mod compression;
mod connect;
mod credentials;
mod error;
mod flow;
mod given;
mod handshake;
mod holds;
mod hosts;
mod identity;
mod inbox;
mod infile;
mod judgement;
mod kill;
mod limits;
mod manager;
mod marks;
mod option_file;
mod options;
mod place;
mod prepared;
mod reset;
mod rows;
mod setting;
mod socket;
mod sql;
mod statements;
mod status;
mod strayed;
mod stream;
mod template;
mod terms;
mod tls;
mod tls_options;
mod tracking;
mod transport;
pub mod url;
mod wait;

use std::fmt;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use crate::process::{Owned, Process};

pub use batch::Batch;
pub use binary::Cells;
pub use bindings::Bindings;
pub use body::Health;
pub use cell::{widened, Cell, Moment, Span};
pub use charset::{Charset, SingleByte};
pub use command::{Answer, Reading};
pub use credentials::{Ask, Token};
pub use error::{Error, GONE};
pub use given::{Given, Value};
pub use holds::{Hold, Holds};
pub use hosts::HostOrder;
pub use infile::LocalFiles;
pub use manager::Connector;
pub use mysql::mysql_common::constants::{ColumnFlags, ColumnType};
pub use mysql::mysql_common::packets::Column;
pub use options::{ConnectOptions, Secret};
pub use place::Place;
pub use rows::{Format, Outcome, ResultSet, Truncated, Values};
pub use setting::{unknown, unknown_in_url, NAMES};
pub use template::{Marked, Piece, Pieces};
pub use tls_options::{TlsMode, TlsOptions, TlsVersion};
pub use wait::Interrupt;

use body::Body;
use command::Command;

/// Make now what would otherwise be made at the first use, where a fork could catch it half made.
pub fn prepare() {
    tls::prepare();
}

/// A session with a server. Dropping it closes it; in a child, it is abandoned.
pub struct Session {
    body: Owned<Body>,
}

impl Session {
    /// Open a session with the first host that lets us in. `deadline` bounds credentials, connect,
    /// TLS, log-in and set-up together.
    ///
    /// # Errors
    /// 2000 when a callable gives no user or password, 2002, 2003 or 2005 when no server can be
    /// reached, 2026 when TLS fails, the server's own
    /// number when it refuses the log-in, 2013 when the transport dies or the time is over.
    pub fn connect(connector: &Connector, deadline: Instant) -> Result<Self, Error> {
        Ok(Self { body: Owned::new(Body::connect(connector, deadline)?) })
    }

    /// Run a statement, or several where that is allowed; answers the first.
    ///
    /// # Errors
    /// The server's refusal; 2006 or 2013 when the session dies; 2014 while answers are unread.
    pub fn query(&mut self, sql: &[u8]) -> Result<Answer, Error> {
        self.body()?.query(sql)
    }

    /// Execute a statement with `?` as one that the server has prepared, which it does before if
    /// it has not yet; answers the first result, its rows as [`Session::query_for`] does.
    ///
    /// # Errors
    /// As [`Session::query`]; 2006 too when the session dies before the execution was sent.
    pub fn execute(
        &mut self,
        sql: &[u8],
        bindings: &Bindings,
        reading: Reading,
    ) -> Result<Answer, Error> {
        self.body()?.execute(sql, bindings, reading)
    }

    /// The answer to the next of several statements, or `None` after the last. What is unread of
    /// the one before is skipped.
    ///
    /// # Errors
    /// As [`Session::query`].
    pub fn next_answer(&mut self, reading: Reading) -> Result<Option<Answer>, Error> {
        self.body()?.next_answer(reading)
    }

    /// Whether more rows or answers are to come.
    pub fn has_more(&self) -> bool {
        self.body.get().is_some_and(Body::has_more)
    }

    /// Read and drop the rows and answers that are still to come, in little memory. The rows of a
    /// statement that only reads are not read for long: then the server is asked to end it, and
    /// where that fails the session is over.
    ///
    /// # Errors
    /// As [`Session::query`]: a statement may have failed that nobody had looked at yet.
    pub fn finish_answers(&mut self) -> Result<(), Error> {
        if !self.body()?.skip_flow()? {
            return Ok(());
        }
        while self.next_answer(Reading::Parts)?.is_some() {}
        Ok(())
    }

    /// A round trip to the server.
    ///
    /// # Errors
    /// As [`Session::query`].
    pub fn ping(&mut self) -> Result<(), Error> {
        self.body()?.run(Command::Ping).map(drop)
    }

    /// Bound all waits from here on together, whatever the time-outs; or no longer.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        if let Some(body) = self.body.get_mut() {
            body.set_deadline(deadline);
        }
    }

    /// Look at the socket, without a round trip. A dead session is over from then on.
    pub fn probe(&mut self) -> Health {
        match self.body.get_mut() {
            None => Health::Dead,
            Some(body) => body.probe(),
        }
    }

    /// Change the default database.
    ///
    /// # Errors
    /// As [`Session::query`].
    pub fn select_database(&mut self, name: &str) -> Result<(), Error> {
        self.finish_answers()?;
        let body = self.body()?;
        body.holds.add(Hold::Database);
        body.statements.leave_all();
        body.run(Command::InitDb(name))?;
        body.strayed.database = true;
        Ok(())
    }

    /// Whether it can no longer be used.
    pub fn is_over(&self) -> bool {
        self.body.get().is_none_or(|body| body.over.is_some())
    }

    /// Whether a transaction is open, as the server last said.
    pub fn in_transaction(&self) -> bool {
        self.body.get().is_some_and(|body| body.status.in_transaction())
    }

    /// Whether a ROLLBACK or COMMIT would certainly find nothing to do. After a refusal the server
    /// has not said.
    pub fn surely_no_transaction(&self) -> bool {
        self.body.get().is_some_and(|body| body.status.surely_no_transaction())
    }

    /// Whether autocommit is on, as the server last said.
    pub fn autocommits(&self) -> bool {
        self.body.get().is_some_and(|body| body.status.autocommits())
    }

    /// Whether a backslash in a string is nothing but a backslash, as the server last said.
    pub fn no_backslash_escapes(&self) -> bool {
        self.body.get().is_some_and(|body| body.status.no_backslash_escapes())
    }

    /// The process that opened it.
    pub fn birth(&self) -> Process {
        self.body.birth()
    }

    /// The server's `CONNECTION_ID()`, as told at log-in.
    pub fn connection_id(&self) -> u32 {
        self.body.get().map_or(0, |body| body.greeting.connection_id)
    }

    /// The capabilities agreed on, as `constants.CLIENT` numbers them.
    pub fn capabilities(&self) -> u32 {
        self.body.get().map_or(0, |body| body.greeting.capabilities.bits())
    }

    /// The server's version.
    pub fn server_version(&self) -> &str {
        self.body.get().map_or("", |body| &body.greeting.version)
    }

    /// Where the server is; `None` where the session is inherited.
    pub fn place(&self) -> Option<&Place> {
        self.body.get().map(|body| &body.host.place)
    }

    /// The user that logged in.
    pub fn user(&self) -> &str {
        self.body.get().map_or("", |body| &body.credentials.user)
    }

    /// For how long what it logged in with is still good; `None`: for ever.
    pub fn lifetime(&self) -> Option<Duration> {
        let until = self.body.get()?.credentials.until?;
        Some(until.saturating_duration_since(Instant::now()))
    }

    /// Whether its server has refused a change because it takes none.
    pub fn is_read_only(&self) -> bool {
        self.body.get().is_some_and(|body| body.read_only)
    }

    /// The server's idle limit for this session, as asked at connect, and at a reset after
    /// statements that may change it.
    pub fn wait_timeout(&self) -> Option<Duration> {
        self.body.get().and_then(|body| body.limits.wait_timeout)
    }

    /// How many sessions the server takes of this user, from all processes together.
    pub fn max_connections(&self) -> Option<usize> {
        self.body.get().and_then(|body| body.limits.connections)
    }

    /// The largest packet the server takes, in bytes.
    pub fn max_allowed_packet(&self) -> usize {
        self.body.get().map_or(0, |body| body.limits.max_allowed_packet)
    }

    /// The descriptor, while it still means this session's socket.
    pub fn descriptor(&self) -> Option<RawFd> {
        self.body.get().and_then(Body::descriptor)
    }

    /// The body, unless it is inherited: then nobody may look at it.
    fn body(&mut self) -> Result<&mut Body, Error> {
        let birth = self.body.birth();
        self.body.get_mut().ok_or_else(|| Error::inherited(birth))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.body.get() {
            None => write!(f, "Session(inherited from {})", self.birth()),
            Some(body) => write!(f, "Session(#{})", body.greeting.connection_id),
        }
    }
}
