//! What the server last said of the session's state: it does so in every answer but a refusal.

use mysql::mysql_common::constants::StatusFlags as Flags;

/// The server's status flags, and whether they still hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Status {
    flags: Flags,
    stale: bool,
}

impl Status {
    pub(super) fn new(flags: Flags) -> Self {
        Self { flags, stale: false }
    }

    pub(super) fn told(&mut self, flags: Flags) {
        *self = Self::new(flags);
    }

    /// A statement was refused: nothing more follows, and what it did before is not told. One that
    /// failed may have begun a transaction.
    pub(super) fn untold(&mut self) {
        self.flags.remove(Flags::SERVER_MORE_RESULTS_EXISTS);
        self.stale = true;
    }

    pub(super) fn has_more(&self) -> bool {
        self.flags.contains(Flags::SERVER_MORE_RESULTS_EXISTS)
    }

    pub(super) fn in_transaction(&self) -> bool {
        self.flags.contains(Flags::SERVER_STATUS_IN_TRANS)
    }

    /// Whether a ROLLBACK or COMMIT would certainly find nothing to do.
    pub(super) fn surely_no_transaction(&self) -> bool {
        !self.stale && !self.in_transaction()
    }

    pub(super) fn autocommits(&self) -> bool {
        self.flags.contains(Flags::SERVER_STATUS_AUTOCOMMIT)
    }

    pub(super) fn no_backslash_escapes(&self) -> bool {
        self.flags.contains(Flags::SERVER_STATUS_NO_BACKSLASH_ESCAPES)
    }
}

#[cfg(test)]
mod tests {
    use super::{Flags, Status};

    #[test]
    fn after_a_refusal_a_transaction_may_be_open() {
        let mut status = Status::new(Flags::empty());
        assert!(status.surely_no_transaction());
        status.untold();
        assert!(!status.surely_no_transaction() && !status.in_transaction());
        status.told(Flags::empty());
        assert!(status.surely_no_transaction());
    }
}
