//! The end of a statement on the server, when nobody waits for its answer any more.
//!
//! Who closes a socket is noticed by a server that is busy only when it writes, so a second session
//! says KILL. It goes to the address of the first one, and still may end up with another server:
//! behind one address there may be many, where the same number is somebody else's. Nothing is
//! killed before the second session has seen that the server is the same one, and the first
//! session in its list:
//!
//! * The server shows the second session with the very port that it has here: no one stands
//!   between. Then the first one must be shown with its own port, which no other session has.
//! * By a unix socket a session is shown without a port: then the number is enough.
//! * Else somebody stands between. Then the first session must be shown from the same host as the
//!   second, with the statement that we wait for, begun when we sent it.
//!
//! A session in a procedure that runs as another user is shown as that user's, if at all, and is
//! left alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::body::Body;
use super::broken::Broken;
use super::command::Answer;
use super::credentials::Credentials;
use super::error::Error;
use super::identity::Identity;
use super::infile::LocalFiles;
use super::options::ConnectOptions;
use super::place::Place;
use super::socket::Socket;
use super::{asked, Session};
use crate::process::Owned;

/// How long all of it may take; a shorter `connect_timeout` holds as well.
pub(super) const TIME: Duration = Duration::from_secs(2);
/// By how much clocks of servers that show whole seconds may seem to differ.
const SLACK: Duration = Duration::from_millis(2500);
/// ER_ACCESS_DENIED_ERROR.
const ACCESS_DENIED: u16 = 1045;

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The session, with all that it does.
    Session,
    /// What it does, and the session goes on.
    Statement,
}

/// A session as the server's list shows it.
#[derive(Debug)]
struct Shown {
    user: String,
    host: String,
    seconds: u64,
    statement: String,
}

impl Session {
    /// Whether a signal ended the wait for an answer: the server may still be at the statement.
    pub fn is_cut_off(&self) -> bool {
        self.body.get().is_some_and(|body| body.asked.cut_off)
    }

    /// A signal has ended the reading of an answer. The session is over.
    pub fn cut_off(&mut self) {
        if let Some(body) = self.body.get_mut() {
            body.end(Broken::Interrupted);
        }
    }

    /// Have the server end this session, by a second one with the same server, within two seconds.
    /// Where that fails, or where it is not certain which session is this one, nothing is done. The
    /// session is over in any case.
    pub fn kill(&mut self) {
        let _ = self.body.get().map(|body| body.kill(Target::Session));
        // Asked again: a signal handler that ran meanwhile may have forked.
        if let Some(body) = self.body.get_mut() {
            body.asked.cut_off = false;
            body.over.get_or_insert_with(|| "it was killed".into());
            body.stream.socket().shut();
        }
    }
}

impl Body {
    /// Whether the server was told.
    pub(super) fn kill(&self, target: Target) -> Result<bool, Error> {
        let Some(identity) = &self.identity else { return Ok(false) };
        let time = TIME.min(self.options.connect_timeout);
        let mut second = self.second(Instant::now() + time)?;
        if !self.is_shown_to(&mut second, identity)? {
            return Ok(false);
        }
        let what = match target {
            Target::Session => "CONNECTION",
            Target::Statement => "QUERY",
        };
        second.query(format!("KILL {what} {}", identity.id).as_bytes())?;
        Ok(true)
    }

    /// A session with the same server, as far as the address goes: nothing is set up in it.
    fn second(&self, deadline: Instant) -> Result<Session, Error> {
        let options = Arc::new(ConnectOptions {
            database: None,
            local_files: LocalFiles::Off,
            ..ConnectOptions::clone(&self.options)
        });
        let is_good = self.credentials.until.is_none_or(|until| Instant::now() < until);
        let log_in = |credentials: &Credentials| self.log_in_again(&options, credentials, deadline);
        let asks = options.ask_user.is_some() || options.ask_password.is_some();
        match is_good.then(|| log_in(&self.credentials)) {
            Some(Err(refusal)) if asks && refusal.errno() == ACCESS_DENIED => {}
            Some(outcome) => return outcome,
            None => {}
        }
        log_in(&Credentials::of(&options, deadline)?)
    }

    fn log_in_again(
        &self,
        options: &Arc<ConnectOptions>,
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<Session, Error> {
        let socket = match &self.host.place {
            Place::Tcp(..) => {
                let first = self.stream.socket();
                let again = first.again(options.bind_address, deadline, options.interrupt);
                again.map_err(|broken| broken.at_handshake())?
            }
            Place::Socket(path) => Socket::unix(path, deadline, options.interrupt)?,
        };
        let body = Self::log_in(socket, &self.host, options, credentials, deadline)?;
        Ok(Session { body: Owned::new(body) })
    }

    /// Whether `second` is with the same server, and sees this session there.
    fn is_shown_to(&self, second: &mut Session, identity: &Identity) -> Result<bool, Error> {
        let answer = second.query(question(identity.id, &self.greeting.version).as_bytes())?;
        let Answer::Rows(rows) = answer else { return Ok(false) };
        let (mut first, mut own) = (None, None);
        for row in (0..rows.len()).filter_map(|row| rows.texts(row)) {
            let Some((id, shown, server)) = Shown::read(row, second.connection_id()) else {
                return Ok(false);
            };
            match id {
                _ if server != identity.server => return Ok(false),
                id if id == identity.id => first = Some(shown),
                _ => own = Some(shown),
            }
        }
        let (Some(first), Some(own)) = (first, own) else { return Ok(false) };
        Ok(first.user == self.credentials.user && self.is_shown_as(&first, &own, second))
    }

    fn is_shown_as(&self, first: &Shown, own: &Shown, second: &Session) -> bool {
        let port = |body: &Self| body.stream.socket().port().map(|port| port.to_string());
        let own_port = second.body.get().and_then(port);
        match (first.place(), own.place(), own_port) {
            ((host, Some(shown)), (same, Some(own)), Some(port_here)) if own == port_here => {
                host == same && port(self).is_some_and(|port| port == shown)
            }
            ((host, None), (same, None), None) => host == same,
            ((host, _), (same, _), _) => {
                host == same
                    && self.asked.is_shown_as(&first.statement)
                    && self.asked.age().abs_diff(Duration::from_secs(first.seconds)) < SLACK
            }
        }
    }
}

/// What is asked by a second session: its own row in the list of sessions, and the one with `id`.
fn question(id: u64, version: &str) -> String {
    format!(
        "SELECT {}, ID, USER, HOST, TIME, LEFT(INFO, {}) FROM information_schema.PROCESSLIST \
         WHERE ID IN ({id}, CONNECTION_ID())",
        Identity::question(version),
        asked::KEPT,
    )
}

impl Shown {
    /// The session's number, the session, and what tells the server from others, to the session
    /// that was greeted with the number `greeted`.
    fn read(row: Vec<Option<String>>, greeted: u32) -> Option<(u64, Self, String)> {
        let server = Identity::told(greeted, Some(&row))?.server;
        let [_, _, Some(id), Some(user), Some(host), Some(seconds), statement] =
            <[Option<String>; 7]>::try_from(row).ok()?
        else {
            return None;
        };
        let seconds = seconds.parse().unwrap_or(0);
        let statement = statement.unwrap_or_default();
        Some((id.parse().ok()?, Self { user, host, seconds, statement }, server))
    }

    /// From where it comes: a host, and a port unless it is the server's own machine by a unix
    /// socket.
    fn place(&self) -> (&str, Option<&str>) {
        match self.host.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (&self.host, None),
        }
    }
}
