//! What an error tells of the server that answered, or did not.

use super::error::{Error, Kind, CLIENT, CONNECT_HOST, CONNECT_SOCKET, GONE, LOST, UNKNOWN_HOST};

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
    /// Whether an error of a connect tells of the server, so that every other attempt would meet it
    /// too: it cannot be reached or found (2002, 2003, 2005), hangs up (2006, 2013), takes no more
    /// connections for now (1040 and others), or there are no credentials (2000). Not: that it
    /// refuses the account, that TLS does not verify, that a signal or a fork ended the wait.
    pub fn is_outage(&self) -> bool {
        match self.kind {
            Kind::Lost | Kind::Server => {
                matches!(
                    self.errno,
                    CLIENT | CONNECT_SOCKET | CONNECT_HOST | UNKNOWN_HOST | GONE | LOST
                ) || TURNED_AWAY.contains(&self.errno)
            }
            Kind::Usage | Kind::Interrupted | Kind::Inherited => false,
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
}

#[cfg(test)]
mod tests {
    use mysql::mysql_common::packets::ServerError;

    use super::super::broken::Broken;
    use super::Error;
    use crate::process::Process;

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
        let inherited = Broken::Inherited(Process::current()).at_handshake();
        assert!(!inherited.is_outage() && inherited.ends_session());
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
