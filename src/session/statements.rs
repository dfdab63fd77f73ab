//! The prepared statements that a session keeps: those used last.
//!
//! MySQL 8 lets a place keep the type of its first value where the statement itself gives it none:
//! after a DOUBLE in `SELECT ?`, text is 0 there. So each statement is for values of its types alone.

use super::terms;

/// The type of NULL, as `Bindings` writes it.
const NULL: [u8; 2] = [6, 0];

/// A statement as the server knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prepared {
    pub(super) id: u32,
    pub(super) places: usize,
}

/// One that is kept.
#[derive(Debug)]
struct Kept {
    text: Box<[u8]>,
    /// Of the values that it was executed with, where they count.
    types: Box<[u8]>,
    prepared: Prepared,
}

impl Kept {
    /// Whether it is for such values; NULL is one of any type.
    fn fits(&self, types: &[u8]) -> bool {
        let is_same = |(own, other): (&[u8], &[u8])| own == other || own == NULL || other == NULL;
        self.types.len() == types.len() && self.types.chunks(2).zip(types.chunks(2)).all(is_same)
    }

    fn note(&mut self, types: &[u8]) {
        for (own, other) in self.types.chunks_mut(2).zip(types.chunks(2)) {
            if own == NULL {
                own.copy_from_slice(other);
            }
        }
    }
}

/// The statements of one session.
#[derive(Debug)]
pub(super) struct Statements {
    room: usize,
    /// Whether the types of values count: they do to MySQL, not to MariaDB.
    by_type: bool,
    /// The one used longest ago first. So few that a search costs nothing beside a round trip.
    kept: Vec<Kept>,
    /// Those that are still to be closed on the server.
    pub(super) left: Vec<Prepared>,
}

impl Statements {
    /// `version`: the server's.
    pub(super) fn new(room: usize, version: &str) -> Self {
        let by_type = !version.contains("MariaDB");
        Self { room, by_type, kept: Vec::new(), left: Vec::new() }
    }

    /// The server has forgotten them all.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.left.clear();
    }

    /// Forget them all: the server still has them.
    pub(super) fn leave_all(&mut self) {
        self.left.extend(self.kept.drain(..).map(|kept| kept.prepared));
    }

    /// Forget them all where `sql` may change what they were prepared under.
    pub(super) fn notice(&mut self, sql: &[u8], backslash: bool) {
        if !self.kept.is_empty() && !terms::stay(sql, backslash) {
            self.leave_all();
        }
    }

    /// The statement with this text for values of these types, which is then the one used last.
    pub(super) fn find(&mut self, sql: &[u8], types: &[u8]) -> Option<Prepared> {
        let types = if self.by_type { types } else { &[] };
        let at = self.kept.iter().rposition(|kept| *kept.text == *sql && kept.fits(types))?;
        self.kept[at..].rotate_left(1);
        let last = self.kept.last_mut()?;
        last.note(types);
        Some(last.prepared)
    }

    /// Keep one more, in place of the oldest where there is no more room.
    pub(super) fn keep(&mut self, sql: &[u8], types: &[u8], prepared: Prepared) {
        let types = if self.by_type { types } else { &[] };
        self.kept.push(Kept { text: sql.into(), types: types.into(), prepared });
        if self.kept.len() > self.room {
            self.leave_oldest();
        }
    }

    /// Forget the one used longest ago: whether there was one.
    pub(super) fn leave_oldest(&mut self) -> bool {
        let oldest = (!self.kept.is_empty()).then(|| self.kept.remove(0).prepared);
        self.left.extend(oldest);
        oldest.is_some()
    }

    /// Forget the statement with this text that was used last.
    pub(super) fn leave(&mut self, sql: &[u8]) {
        if let Some(at) = self.kept.iter().rposition(|kept| *kept.text == *sql) {
            self.left.push(self.kept.remove(at).prepared);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Prepared, Statements};

    fn prepared(id: u32) -> Prepared {
        Prepared { id, places: 0 }
    }

    #[test]
    fn the_statement_used_longest_ago_makes_room() {
        let mut statements = Statements::new(2, "10.11.6-MariaDB");
        statements.keep(b"a", &[8, 0], prepared(1));
        statements.keep(b"b", &[8, 0], prepared(2));
        assert_eq!(statements.find(b"a", &[5, 0]), Some(prepared(1)));
        assert_eq!(statements.left, []);
        statements.keep(b"c", &[8, 0], prepared(3));
        assert_eq!(statements.left, [prepared(2)]);
        assert_eq!(statements.find(b"b", &[5, 0]), None);
        assert_eq!(statements.find(b"a", &[5, 0]), Some(prepared(1)));
        statements.leave(b"a");
        assert_eq!(statements.find(b"a", &[5, 0]), None);
        assert_eq!(statements.left, [prepared(2), prepared(1)]);
        assert!(statements.leave_oldest() && !statements.leave_oldest());
        statements.clear();
        assert_eq!(statements.left, []);
    }

    #[test]
    fn a_statement_of_mysqls_is_for_values_of_its_types_alone() {
        let (int, text, null) = ([8, 0], [253, 0], super::NULL);
        let mut statements = Statements::new(4, "9.7.4");
        statements.keep(b"a", &[int, null].concat(), prepared(1));
        assert_eq!(statements.find(b"a", &[text, text].concat()), None);
        assert_eq!(statements.find(b"a", &[null, null].concat()), Some(prepared(1)));
        assert_eq!(statements.find(b"a", &[int, text].concat()), Some(prepared(1)));
        assert_eq!(statements.find(b"a", &[int, int].concat()), None);
        statements.keep(b"a", &[int, int].concat(), prepared(2));
        assert_eq!(statements.find(b"a", &[null, text].concat()), Some(prepared(1)));
        statements.leave(b"a");
        assert_eq!(statements.left, [prepared(1)]);
    }

    #[test]
    fn none_is_kept_past_what_may_change_its_meaning() {
        let mut statements = Statements::new(2, "10.11.6-MariaDB");
        statements.keep(b"a", &[8, 0], prepared(1));
        statements.notice(b"SELECT 1", true);
        assert_eq!(statements.find(b"a", &[5, 0]), Some(prepared(1)));
        statements.notice(b"USE other", true);
        assert_eq!(
            (statements.find(b"a", &[5, 0]), &statements.left[..]),
            (None, &[prepared(1)][..])
        );
    }
}
