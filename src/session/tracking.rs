//! What the server tells of changes to the session (`CLIENT_SESSION_TRACK`).
//!
//! Told are variables, the default database, temporary tables and prepared statements, also those
//! that a function or trigger changes unseen. Not told, seen on MariaDB 10.11: locks, `SELECT …
//! INTO @x`, and anything of a statement that is refused.

use mysql::mysql_common::constants::{CapabilityFlags, SessionStateType, StatusFlags};
use mysql::mysql_common::packets::OkPacket;

/// When the server tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tells {
    Never,
    /// MySQL: with the next answer that is no result.
    WithoutResult,
    /// MariaDB: at once.
    Always,
}

/// What is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Unchanged,
    /// The next answer without a result will tell.
    Pending,
    /// Changed, or nobody can tell.
    Changed,
}

/// Whether the session is as it was when it was set up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tracking {
    tells: Tells,
    known: Known,
}

impl Tracking {
    /// `version`: the server's.
    pub(super) fn new(agreed: CapabilityFlags, version: &str) -> Self {
        let tells = match agreed.contains(CapabilityFlags::CLIENT_SESSION_TRACK) {
            false => Tells::Never,
            true if version.contains("MariaDB") => Tells::Always,
            true => Tells::WithoutResult,
        };
        Self { tells, known: Known::Unchanged }
    }

    /// Whether the server offers to tell.
    pub(super) fn is_offered(self) -> bool {
        self.tells != Tells::Never
    }

    /// It is set up, or its changes are there to stay.
    pub(super) fn begin(&mut self) {
        self.known = Known::Unchanged;
    }

    /// An answer without a result.
    pub(super) fn told(&mut self, ok: &OkPacket<'_>) {
        let changed = ok.session_state_info().map_or(true, |told| {
            told.iter().any(|info| {
                info.data_type() == SessionStateType::SESSION_TRACK_STATE_CHANGE
                    && info.data_ref() != b"\x010"
            })
        });
        match self.known {
            _ if changed => self.known = Known::Changed,
            Known::Pending => self.known = Known::Unchanged,
            Known::Unchanged | Known::Changed => {}
        }
    }

    /// The end of columns or rows.
    pub(super) fn ended(&mut self, status: StatusFlags) {
        match (self.tells, self.known) {
            (Tells::WithoutResult, Known::Unchanged) => self.known = Known::Pending,
            (Tells::Always, _) if status.contains(StatusFlags::SERVER_SESSION_STATE_CHANGED) => {
                self.known = Known::Changed;
            }
            _ => {}
        }
    }

    /// What a refused statement did before is not told.
    pub(super) fn refused(&mut self) {
        self.known = Known::Changed;
    }

    /// Whether an answer without a result would tell.
    pub(super) fn is_pending(self) -> bool {
        self.known == Known::Pending
    }

    /// Whether the session may have changed, as far as is known now.
    pub(super) fn may_have_changed(self) -> bool {
        self.tells == Tells::Never || self.known == Known::Changed
    }
}

#[cfg(test)]
mod tests {
    use mysql::mysql_common::io::ParseBuf;
    use mysql::mysql_common::packets::{CommonOkPacket, OkPacketDeserializer};

    use super::{CapabilityFlags as Agreed, OkPacket, StatusFlags as Flags, Tracking};

    const MARIADB: &str = "10.11.6-MariaDB-log";
    const MYSQL: &str = "9.7.0";
    const QUIET: &[u8] = b"\0\0\0\x02\0\0\0";
    const VARIABLE: &[u8] = b"\0\0\0\x02\x40\0\0\0\x08\0\x06\x01a\x03ON!";
    const CHANGED: &[u8] = b"\0\0\0\x02\x40\0\0\0\x03\x02\x011";

    fn of(version: &str) -> Tracking {
        Tracking::new(Agreed::CLIENT_SESSION_TRACK, version)
    }

    fn told(tracking: &mut Tracking, packet: &[u8]) {
        let parsed: OkPacketDeserializer<'_, CommonOkPacket> =
            ParseBuf(packet).parse(Agreed::CLIENT_SESSION_TRACK).unwrap();
        tracking.told(&OkPacket::from(parsed));
    }

    #[test]
    fn a_server_that_does_not_tell_leaves_everything_open() {
        let mut tracking = Tracking::new(Agreed::empty(), MARIADB);
        assert!(!tracking.is_offered() && tracking.may_have_changed());
        tracking.begin();
        assert!(tracking.may_have_changed() && !tracking.is_pending());
    }

    #[test]
    fn a_change_is_told_without_a_result() {
        for version in [MARIADB, MYSQL] {
            let mut tracking = of(version);
            told(&mut tracking, QUIET);
            // Such as the last GTID, which no reset would bring back.
            told(&mut tracking, VARIABLE);
            assert!(!tracking.may_have_changed());
            told(&mut tracking, CHANGED);
            told(&mut tracking, QUIET);
            assert!(tracking.may_have_changed());
            tracking.begin();
            assert!(!tracking.may_have_changed());
        }
    }

    #[test]
    fn mariadb_tells_with_a_result_too() {
        let mut tracking = of(MARIADB);
        tracking.ended(Flags::empty());
        assert!(!tracking.may_have_changed() && !tracking.is_pending());
        tracking.ended(Flags::SERVER_SESSION_STATE_CHANGED);
        assert!(tracking.may_have_changed());
    }

    #[test]
    fn mysql_tells_after_a_result() {
        let mut tracking = of(MYSQL);
        tracking.ended(Flags::empty());
        assert!(tracking.is_pending() && !tracking.may_have_changed());
        told(&mut tracking, QUIET);
        assert!(!tracking.is_pending() && !tracking.may_have_changed());
        tracking.ended(Flags::empty());
        told(&mut tracking, CHANGED);
        tracking.ended(Flags::empty());
        assert!(tracking.may_have_changed());
    }

    #[test]
    fn a_refusal_leaves_it_open() {
        let mut tracking = of(MARIADB);
        tracking.refused();
        told(&mut tracking, QUIET);
        assert!(tracking.may_have_changed());
    }
}
