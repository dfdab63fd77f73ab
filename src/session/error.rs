//! What can go wrong with a session, as `(errno, message)`.

use std::fmt;

use mysql::mysql_common::packets::ServerError;

use super::place::Place;
use crate::process::Process;

/// Whose fault it is, and so what becomes of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The server refused a statement; the session goes on.
    Server,
    /// The session is over, or was never made: the transport died, or a connect failed.
    Lost,
    /// The caller asked for what cannot be done; nothing was sent.
    Usage,
    /// A signal handler ended the wait; the session is over.
    Interrupted,
    /// The session is another process's.
    Inherited,
}

/// An error of a session. Cheap to clone: a pool tells every waiter of the last one.
#[derive(Clone, Debug)]
pub struct Error {
    pub(super) kind: Kind,
    pub(super) errno: u16,
    pub(super) message: String,
    pub(super) state: [u8; 5],
}

/// Nothing was sent: the statement has certainly not run (CR_SERVER_GONE_ERROR).
pub const GONE: u16 = 2006;
/// Something was sent: the statement may have run (CR_SERVER_LOST).
pub(super) const LOST: u16 = 2013;
pub(super) const CONNECT_SOCKET: u16 = 2002;
pub(super) const CONNECT_HOST: u16 = 2003;
pub(super) const UNKNOWN_HOST: u16 = 2005;
/// CR_UNKNOWN_ERROR: the client's own errors that MySQL has no number for.
pub(super) const CLIENT: u16 = 2000;
const COMMANDS_OUT_OF_SYNC: u16 = 2014;
const PACKET_TOO_LARGE: u16 = 2020;
const TLS: u16 = 2026;
const PARAMETERS: u16 = 2031;
const AUTH_PLUGIN: u16 = 2059;
const LOCAL_INFILE: u16 = 2068;

/// Server errors after which the server closes the session: shutdown, killed, idle too long.
const FATAL: [u16; 4] = [1053, 1927, 3169, 4031];

impl Error {
    fn new(kind: Kind, errno: u16, message: impl Into<String>) -> Self {
        Self { kind, errno, message: message.into(), state: *b"HY000" }
    }

    /// 2006: the session died before anything of this statement was sent.
    pub fn gone(cause: impl fmt::Display) -> Self {
        Self::new(Kind::Lost, GONE, format!("MySQL server has gone away ({cause})"))
    }

    /// 2013: the session died after something was sent.
    pub fn lost(cause: impl fmt::Display) -> Self {
        let text = format!("Lost connection to MySQL server during query ({cause})");
        Self::new(Kind::Lost, LOST, text)
    }

    /// 2006: another process than this one opened the session.
    pub fn inherited(birth: Process) -> Self {
        let error = Self::gone(format_args!(
            "this connection belongs to {birth}, which opened it; {} inherited it by a fork and \
             must open its own",
            Process::current()
        ));
        Self { kind: Kind::Inherited, ..error }
    }

    /// 2013 while the session was being made.
    pub(super) fn lost_at_handshake(cause: impl fmt::Display) -> Self {
        let text = format!("Lost connection to MySQL server at handshake ({cause})");
        Self::new(Kind::Lost, LOST, text)
    }

    pub(super) fn connect_host(place: &str, cause: impl fmt::Display) -> Self {
        let text = format!("Can't connect to MySQL server on '{place}' ({cause})");
        Self::new(Kind::Lost, CONNECT_HOST, text)
    }

    pub(super) fn connect_socket(place: &str, cause: impl fmt::Display) -> Self {
        let text =
            format!("Can't connect to local MySQL server through socket '{place}' ({cause})");
        Self::new(Kind::Lost, CONNECT_SOCKET, text)
    }

    pub(super) fn unknown_host(host: &str, cause: impl fmt::Display) -> Self {
        Self::new(Kind::Lost, UNKNOWN_HOST, format!("Unknown MySQL server host '{host}' ({cause})"))
    }

    /// 2000: a callable gave no user or password. Told as the server's outages are, for other
    /// attempts would meet it too, and where credentials come from can be overrun as well.
    pub(super) fn credential(what: &str, why: impl fmt::Display) -> Self {
        Self::new(Kind::Lost, CLIENT, format!("the {what} callable {why}"))
    }

    /// None of several places can be reached; one alone is told as itself.
    pub(super) fn of_all(mut failures: Vec<(&Place, Self)>) -> Self {
        if failures.len() == 1 {
            return failures.remove(0).1;
        }
        let first = failures.first().map_or(CONNECT_HOST, |(_, error)| error.errno);
        let alike = failures.iter().all(|(_, error)| error.errno == first);
        let texts: Vec<String> = failures.iter().map(told_of).collect();
        let text =
            format!("none of the {} hosts can be reached: {}", texts.len(), texts.join("; "));
        Self::new(Kind::Lost, if alike { first } else { CONNECT_HOST }, text)
    }

    pub(super) fn tls(cause: impl fmt::Display) -> Self {
        Self::new(Kind::Lost, TLS, format!("TLS connection error: {cause}"))
    }

    pub(super) fn auth(text: impl Into<String>) -> Self {
        Self::new(Kind::Lost, AUTH_PLUGIN, text)
    }

    pub(super) fn local_infile(text: impl Into<String>) -> Self {
        Self::new(Kind::Server, LOCAL_INFILE, text)
    }

    pub(super) fn packet_too_large(size: usize, limit: usize) -> Self {
        let text = format!(
            "Got packet bigger than 'max_allowed_packet' bytes ({size} bytes to send, the server \
             takes {limit}); send less at once or raise max_allowed_packet on the server"
        );
        Self::new(Kind::Usage, PACKET_TOO_LARGE, text)
    }

    /// 2014: a statement while the answers to the last ones are still to be read.
    pub fn unread() -> Self {
        let text = "Commands out of sync: another cursor has rows or answers of its statements \
                    unread; fetch the rows, read the answers with nextset(), or close that cursor";
        Self::new(Kind::Usage, COMMANDS_OUT_OF_SYNC, text)
    }

    /// 2014: rows are asked for that nobody can read any more.
    pub fn skipped() -> Self {
        let text = "Commands out of sync: the rest of these rows has been skipped";
        Self::new(Kind::Usage, COMMANDS_OUT_OF_SYNC, text)
    }

    /// This side and the server do not read a statement alike: nothing is executed then.
    pub(super) fn places_differ(server: usize, given: usize) -> Self {
        let text = format!(
            "the server found {server} places for values in the prepared statement, and {given} \
             were given; is one of them in a comment for other versions of the server?"
        );
        Self::new(Kind::Usage, PARAMETERS, text)
    }

    /// The default database was changed, and a session cannot be told to have none again.
    pub(super) fn no_database_to_go_back_to() -> Self {
        Self::no_way_back("the default database was changed, and there was none to go back to")
    }

    /// What was changed cannot be changed back.
    pub(super) fn no_way_back(why: &str) -> Self {
        Self::new(Kind::Usage, COMMANDS_OUT_OF_SYNC, why)
    }

    pub(super) fn interrupted() -> Self {
        Self::new(Kind::Interrupted, LOST, "interrupted by a signal while waiting for the server")
    }

    pub(super) fn server(error: &ServerError<'_>) -> Self {
        let errno = error.error_code();
        let text = error.message_str();
        let state = error.sql_state_ref().map_or(*b"HY000", |state| state.as_bytes());
        if FATAL.contains(&errno) {
            return Self::lost(format_args!("the server ended the session: {errno} {text}"));
        }
        Self { state, ..Self::new(Kind::Server, errno, text.into_owned()) }
    }

    /// The server refused the log-in.
    pub(super) fn refused(error: &ServerError<'_>) -> Self {
        Self::new(Kind::Lost, error.error_code(), error.message_str())
    }

    /// The MySQL error number.
    pub fn errno(&self) -> u16 {
        self.errno
    }

    /// The text, without the number.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The SQLSTATE: the server's, or "HY000" for an error of this side.
    pub fn state(&self) -> &str {
        std::str::from_utf8(&self.state).unwrap_or("HY000")
    }

    /// Whether the session can no longer be used after it.
    pub fn ends_session(&self) -> bool {
        matches!(self.kind, Kind::Lost | Kind::Interrupted | Kind::Inherited)
    }
}

/// A failure with its place, unless its text names that already.
fn told_of((place, error): &(&Place, Error)) -> String {
    match error.message.contains(&format!("'{place}'")) {
        true => error.message.clone(),
        false => format!("{place}: {}", error.message),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {:?})", self.errno, self.message)
    }
}

impl std::error::Error for Error {}
