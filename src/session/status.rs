//! What the server last said of the session's state: it does so in every answer but a refusal.

use mysql::mysql_common::constants::StatusFlags as Flags;

/// The server's status flags, and whether they still hold.
#[derive(Clone, Debug)]
pub(super) struct Status {
    flags: Flags,
    stale: bool,
    /// What it said in words, after the last answer without rows.
    words: Vec<u8>,
}

impl Status {
    pub(super) fn new(flags: Flags) -> Self {
        Self { flags, stale: false, words: Vec::new() }
    }

    pub(super) fn told(&mut self, flags: Flags) {
        (self.flags, self.stale) = (flags, false);
    }

    /// Columns or rows are all there. MySQL says only before the values of OUT parameters, not
    /// after them, that more follows: the end of the CALL itself.
    pub(super) fn ended(&mut self, mut flags: Flags) {
        if self.flags.contains(Flags::SERVER_PS_OUT_PARAMS) {
            flags.set(Flags::SERVER_MORE_RESULTS_EXISTS, self.has_more());
        }
        self.told(flags);
    }

    pub(super) fn says(&mut self, words: Option<&[u8]>) {
        self.words.clear();
        self.words.extend_from_slice(words.unwrap_or_default());
    }

    pub(super) fn words(&self) -> Option<&str> {
        std::str::from_utf8(&self.words).ok().filter(|words| !words.is_empty())
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

    #[test]
    fn after_the_values_of_out_parameters_comes_the_end_of_the_call() {
        let (more, out) = (Flags::SERVER_MORE_RESULTS_EXISTS, Flags::SERVER_PS_OUT_PARAMS);
        let mut status = Status::new(Flags::empty());
        status.ended(more | out);
        status.ended(Flags::empty());
        assert!(status.has_more());
        status.told(Flags::empty());
        assert!(!status.has_more());
        // Of other rows, what is said after them counts.
        status.ended(more);
        status.ended(Flags::empty());
        assert!(!status.has_more());
    }
}
