//! What can go wrong with a session, as `(errno, message)`.

use std::fmt;
use std::io;

use mysql::mysql_common::packets::ServerError;

use super::place::Place;
use crate::process::Process;

/// Whose fault it is, and so what becomes of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The server refused a statement; the session goes on.
    Server,
    /// The session is over, or was never made: the transport died, or a connect failed.
    Lost,
    /// The caller asked for what cannot be done; nothing was sent.
    Usage,
    /// A signal handler ended the wait; the session is over.
    Interrupted,
}

/// An error of a session. Cheap to clone: a pool tells every waiter of the last one.
#[derive(Clone, Debug)]
pub struct Error {
    kind: Kind,
    errno: u16,
    message: String,
}

/// Nothing was sent: the statement has certainly not run (CR_SERVER_GONE_ERROR).
pub const GONE: u16 = 2006;
/// Something was sent: the statement may have run (CR_SERVER_LOST).
const LOST: u16 = 2013;
const CONNECT_SOCKET: u16 = 2002;
const CONNECT_HOST: u16 = 2003;
const UNKNOWN_HOST: u16 = 2005;
/// CR_UNKNOWN_ERROR: the client's own errors that MySQL has no number for.
const CLIENT: u16 = 2000;
const COMMANDS_OUT_OF_SYNC: u16 = 2014;
const PACKET_TOO_LARGE: u16 = 2020;
const TLS: u16 = 2026;
const PARAMETERS: u16 = 2031;
const AUTH_PLUGIN: u16 = 2059;
const LOCAL_INFILE: u16 = 2068;

/// Server errors after which the server closes the session: shutdown, killed, idle too long.
const FATAL: [u16; 4] = [1053, 1927, 3169, 4031];

/// What a server answers to a connect when it takes no more of them for now, whoever asks (MySQL's
/// error reference).
const TURNED_AWAY: [u16; 16] = [
    1037, 1041, 1135, // no memory, no thread
    1040, 1203, 1226, // too many connections: at all, of this user, of this user in an hour
    1042, 1129, // no name for our address; too many errors came from it
    1047, // "unknown command": a Galera node that is not ready
    1053, 3032, 3168, // shutdown, offline, not available
    1158, 1159, 1160, 1161, // its network breaks
];

/// ER_OPTION_PREVENTS_STATEMENT: the text says which option.
const OPTION_PREVENTS: u16 = 1290;
/// ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
const READ_ONLY_TRANSACTION: u16 = 1792;
/// ER_READ_ONLY_MODE
const READ_ONLY_MODE: u16 = 1836;
const INNODB_READ_ONLY: u16 = 1874;

impl Error {
    fn new(kind: Kind, errno: u16, message: impl Into<String>) -> Self {
        Self { kind, errno, message: message.into() }
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
        Self::gone(format_args!(
            "this connection belongs to {birth}, which opened it; {} inherited it by a fork and \
             must open its own",
            Process::current()
        ))
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
        let texts: Vec<String> = failures.iter().map(|failure| told_of(failure)).collect();
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
    pub(super) fn no_way_back() -> Self {
        let text = "the default database was changed, and there was none to go back to";
        Self::new(Kind::Usage, COMMANDS_OUT_OF_SYNC, text)
    }

    pub(super) fn interrupted() -> Self {
        Self::new(Kind::Interrupted, LOST, "interrupted by a signal while waiting for the server")
    }

    pub(super) fn server(error: &ServerError<'_>) -> Self {
        let errno = error.error_code();
        let text = error.message_str();
        if FATAL.contains(&errno) {
            return Self::lost(format_args!("the server ended the session: {errno} {text}"));
        }
        Self::new(Kind::Server, errno, text.into_owned())
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

    /// Whether an error of a connect tells of the server, so that every other attempt would meet it
    /// too: it cannot be reached or found (2002, 2003, 2005), hangs up (2006, 2013), takes no more
    /// connections for now (1040 and others), or there are no credentials (2000). Not: that it
    /// refuses the account, that TLS does not verify, or that a signal ended the wait.
    pub fn is_outage(&self) -> bool {
        match self.kind {
            Kind::Lost | Kind::Server => {
                matches!(
                    self.errno,
                    CLIENT | CONNECT_SOCKET | CONNECT_HOST | UNKNOWN_HOST | GONE | LOST
                ) || TURNED_AWAY.contains(&self.errno)
            }
            Kind::Usage | Kind::Interrupted => false,
        }
    }

    /// Whether the server says that it takes no changes, as one does that has become a replica.
    pub(super) fn is_read_only(&self) -> bool {
        let names_option = || {
            let text = self.message.to_ascii_lowercase();
            text.contains("read-only") || text.contains("read_only")
        };
        match self.errno {
            READ_ONLY_MODE | INNODB_READ_ONLY | READ_ONLY_TRANSACTION => true,
            OPTION_PREVENTS => names_option(),
            _ => false,
        }
    }

    /// Whether it speaks of the transaction and not of the server.
    pub(super) fn blames_transaction(&self) -> bool {
        self.errno == READ_ONLY_TRANSACTION
    }

    /// Whether the session can no longer be used after it.
    pub fn ends_session(&self) -> bool {
        matches!(self.kind, Kind::Lost | Kind::Interrupted)
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

/// Why a wait or a transfer ended early. What it means depends on what had been sent.
#[derive(Debug)]
pub(super) enum Broken {
    Closed,
    TimedOut,
    Interrupted,
    /// A fork in the middle: the process that began this is another one.
    Inherited(Process),
    Malformed(String),
    Io(io::Error),
}

impl Broken {
    pub(super) fn malformed(text: impl Into<String>) -> Self {
        Self::Malformed(text.into())
    }

    /// As the error of a statement: 2006 if nothing of it was `sent`, else 2013.
    pub(super) fn after(self, sent: bool) -> Error {
        match self {
            Self::Interrupted => Error::interrupted(),
            Self::Inherited(birth) => Error::inherited(birth),
            other if sent => Error::lost(other),
            other => Error::gone(other),
        }
    }

    /// As the error of a connect.
    pub(super) fn at_handshake(self) -> Error {
        match self {
            Self::Interrupted => Error::interrupted(),
            Self::Inherited(birth) => Error::inherited(birth),
            other => Error::lost_at_handshake(other),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the server closed the connection"),
            Self::TimedOut => f.write_str("timed out waiting for the server"),
            Self::Interrupted => f.write_str("interrupted by a signal"),
            Self::Inherited(birth) => write!(f, "it belongs to {birth}"),
            Self::Malformed(text) => write!(f, "malformed packet: {text}"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

impl From<nix::Error> for Broken {
    fn from(error: nix::Error) -> Self {
        Self::Io(error.into())
    }
}

#[cfg(test)]
mod tests {
    use mysql::mysql_common::packets::ServerError;

    use super::{Broken, Error};

    fn refused(errno: u16, text: &str) -> Error {
        let error = ServerError::new(errno, None, text.as_bytes());
        Error::refused(&error)
    }

    #[test]
    fn an_outage_is_what_other_attempts_would_meet_too() {
        for errno in [1040, 1203, 1053, 1129, 1047, 3032] {
            assert!(refused(errno, "").is_outage(), "{errno}");
        }
        assert!(Broken::Closed.at_handshake().is_outage());
        assert!(Error::unknown_host("h", "no").is_outage());
        for errno in [1044, 1045, 1049, 1130, 1698] {
            assert!(!refused(errno, "").is_outage(), "{errno}");
        }
        assert!(!Error::tls("not trusted").is_outage());
        assert!(!Broken::Interrupted.at_handshake().is_outage());
        assert!(!Error::packet_too_large(2, 1).is_outage());
    }

    #[test]
    fn a_server_that_takes_no_changes_says_so_in_three_ways() {
        let because =
            |option| format!("The server is running with the {option} option so it cannot execute");
        for option in ["--read-only", "--super-read-only", "READ_ONLY"] {
            assert!(refused(1290, &because(option)).is_read_only(), "{option}");
        }
        assert!(!refused(1290, &because("--skip-grant-tables")).is_read_only());
        assert!(refused(1836, "").is_read_only() && refused(1792, "").is_read_only());
        assert!(!refused(1142, "read-only").is_read_only());
    }
}
