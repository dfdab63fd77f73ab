//! Statements that the server has prepared for a session, those used last.
//!
//! They live and die with it: a reset forgets them on both sides, a new session has none, and in a
//! child they are forgotten with all the rest of an inherited body. Of one session they are kept
//! as long as the terms stay on which they were prepared.
//!
//! What is no longer kept is closed before the next command: the answers of one that was not kept
//! at all may still be on their way when it goes.

use mysql::mysql_common::io::ParseBuf;
use mysql::mysql_common::packets::StmtPacket;

use super::bindings::Bindings;
use super::body::Body;
use super::broken::Broken;
use super::command::{Answer, Command, Failure, Reader, Reading};
use super::error::Error;
use super::rows::end;
use super::sql::Tokens;
use super::terms;

const COM_STMT_EXECUTE: u8 = 0x17;
/// No cursor on the server: the rows follow at once.
const NO_CURSOR: u8 = 0;
/// How often it is executed: the protocol has room for the number, and no other is known.
const ONCE: u32 = 1;

/// A longer text is not worth the memory, here and on the server; in bytes.
const LONGEST: usize = 64 * 1024;
/// ER_MAX_PREPARED_STMT_COUNT_REACHED: all sessions together have as many as the server takes.
const NO_ROOM: u16 = 1461;
/// ER_NEED_REPREPARE: a table changed, and the server could not keep up.
const NEED_REPREPARE: u16 = 1615;
/// Of these the server says so before it does anything. It compares tables with what it prepared
/// for as it opens them, which for such a statement is before its first row, and for all tables at
/// once, those of the functions and triggers it calls too; and these cannot prepare anything of
/// their own. The server itself starts such a statement anew on this ground, three times, before
/// it tells. A procedure opens tables as it goes, and may have done much by then.
const CHECKED_FIRST: [&str; 6] = ["SELECT", "WITH", "INSERT", "REPLACE", "UPDATE", "DELETE"];

/// A statement as the server knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prepared {
    id: u32,
    places: usize,
}

/// The statements of one session.
#[derive(Debug)]
pub(super) struct Statements {
    room: usize,
    /// The one used longest ago first. So few that a search costs nothing beside a round trip.
    kept: Vec<(Box<[u8]>, Prepared)>,
    /// Those that are still to be closed on the server.
    left: Vec<Prepared>,
}

impl Statements {
    pub(super) fn new(room: usize) -> Self {
        Self { room, kept: Vec::new(), left: Vec::new() }
    }

    /// The server has forgotten them all.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.left.clear();
    }

    /// Forget them all: the server still has them.
    pub(super) fn leave_all(&mut self) {
        self.left.extend(self.kept.drain(..).map(|(_, prepared)| prepared));
    }

    /// Forget them all where `sql` may change what they were prepared under.
    pub(super) fn notice(&mut self, sql: &[u8], backslash: bool) {
        if !self.kept.is_empty() && !terms::stay(sql, backslash) {
            self.leave_all();
        }
    }

    /// The statement with this text, which is then the one used last.
    fn find(&mut self, sql: &[u8]) -> Option<Prepared> {
        let at = self.kept.iter().rposition(|(text, _)| **text == *sql)?;
        self.kept[at..].rotate_left(1);
        self.kept.last().map(|(_, prepared)| *prepared)
    }

    /// Keep one more, in place of the oldest where there is no more room.
    fn keep(&mut self, sql: &[u8], prepared: Prepared) {
        self.kept.push((sql.into(), prepared));
        if self.kept.len() > self.room {
            self.leave_oldest();
        }
    }

    /// Forget the one used longest ago: whether there was one.
    fn leave_oldest(&mut self) -> bool {
        let oldest = (!self.kept.is_empty()).then(|| self.kept.remove(0).1);
        self.left.extend(oldest);
        oldest.is_some()
    }

    /// Forget the statement with this text.
    fn leave(&mut self, sql: &[u8]) {
        if let Some(at) = self.kept.iter().position(|(text, _)| **text == *sql) {
            self.left.push(self.kept.remove(at).1);
        }
    }
}

impl Body {
    /// Execute a statement, which is prepared before if it is not yet.
    pub(super) fn execute(
        &mut self,
        sql: &[u8],
        bindings: &Bindings,
        reading: Reading,
    ) -> Result<Answer, Error> {
        self.ready()?;
        self.close_left()?;
        match self.execute_once(sql, bindings, reading) {
            Err(error) if error.errno() == NEED_REPREPARE => {
                self.statements.leave(sql);
                if !is_checked_first(sql) {
                    return Err(error);
                }
                self.close_left()?;
                self.execute_once(sql, bindings, reading)
            }
            answer => answer,
        }
    }

    fn execute_once(
        &mut self,
        sql: &[u8],
        bindings: &Bindings,
        reading: Reading,
    ) -> Result<Answer, Error> {
        let prepared = match self.statements.find(sql) {
            Some(prepared) => prepared,
            None => self.prepare(sql)?,
        };
        if prepared.places != bindings.len() {
            return Err(Error::places_differ(prepared.places, bindings.len()));
        }
        let mut head = vec![COM_STMT_EXECUTE];
        head.extend_from_slice(&prepared.id.to_le_bytes());
        head.push(NO_CURSOR);
        head.extend_from_slice(&ONCE.to_le_bytes());
        bindings.write_head(&mut head);
        self.note_files(sql);
        self.send(Command::Execute(&head, bindings.values()))?;
        self.asked.note_text(sql);
        self.answer(reading)
    }

    fn prepare(&mut self, sql: &[u8]) -> Result<Prepared, Error> {
        let prepared = match self.prepare_once(sql) {
            Err(error) if error.errno() == NO_ROOM && self.statements.leave_oldest() => {
                self.close_left()?;
                self.prepare_once(sql)?
            }
            answer => answer?,
        };
        // One that changes what it was prepared under would itself not mean the same again.
        if sql.len() <= LONGEST && terms::stay(sql, !self.status.no_backslash_escapes()) {
            self.statements.keep(sql, prepared);
        } else {
            self.statements.left.push(prepared);
        }
        Ok(prepared)
    }

    fn prepare_once(&mut self, sql: &[u8]) -> Result<Prepared, Error> {
        self.send(Command::Prepare(sql))?;
        self.read(Reading::Whole, |reader| reader.prepared())
    }

    /// Close what is no longer kept; the session must be ready for a command. A failure is 2006,
    /// so nothing may have been done yet of what the caller wants.
    pub(super) fn close_left(&mut self) -> Result<(), Error> {
        while let Some(prepared) = self.statements.left.pop() {
            self.send(Command::CloseStatement(&prepared.id.to_le_bytes()))?;
        }
        Ok(())
    }
}

fn is_checked_first(sql: &[u8]) -> bool {
    let first = Tokens::new(sql, true).next();
    first.is_some_and(|(token, _)| CHECKED_FIRST.iter().any(|word| token.is(word)))
}

impl Reader<'_> {
    /// The answer to a Prepare. Its columns are skipped: those that come with the rows count, for
    /// a table may be altered in between.
    fn prepared(&mut self) -> Result<Prepared, Failure> {
        let range = self.stream.receive()?;
        let packet: StmtPacket = match self.stream.payload(range.clone()) {
            [0xff, ..] => return Err(self.refused(range)),
            payload => ParseBuf(payload).parse(())?,
        };
        self.stream.forget();
        self.skip_definitions(packet.num_params())?;
        self.skip_definitions(packet.num_columns())?;
        Ok(Prepared { id: packet.statement_id(), places: packet.num_params().into() })
    }

    fn skip_definitions(&mut self, count: u16) -> Result<(), Failure> {
        if count == 0 {
            return Ok(());
        }
        for _ in 0..count {
            self.stream.receive()?;
            self.stream.forget();
        }
        let range = self.stream.receive()?;
        let ends = end(self.stream.payload(range)).is_some();
        self.stream.forget();
        ends.then_some(()).ok_or_else(|| Broken::malformed("no end after the definitions").into())
    }
}

#[cfg(test)]
mod tests {
    use super::{is_checked_first, Prepared, Statements};

    fn prepared(id: u32) -> Prepared {
        Prepared { id, places: 0 }
    }

    #[test]
    fn the_statement_used_longest_ago_makes_room() {
        let mut statements = Statements::new(2);
        statements.keep(b"a", prepared(1));
        statements.keep(b"b", prepared(2));
        assert_eq!(statements.find(b"a"), Some(prepared(1)));
        assert_eq!(statements.left, []);
        statements.keep(b"c", prepared(3));
        assert_eq!(statements.left, [prepared(2)]);
        assert_eq!(statements.find(b"b"), None);
        assert_eq!(statements.find(b"a"), Some(prepared(1)));
        statements.leave(b"a");
        assert_eq!(statements.find(b"a"), None);
        assert_eq!(statements.left, [prepared(2), prepared(1)]);
        assert!(statements.leave_oldest() && !statements.leave_oldest());
        statements.clear();
        assert_eq!(statements.left, []);
    }

    #[test]
    fn none_is_kept_past_what_may_change_its_meaning() {
        let mut statements = Statements::new(2);
        statements.keep(b"a", prepared(1));
        statements.notice(b"SELECT 1", true);
        assert_eq!(statements.find(b"a"), Some(prepared(1)));
        statements.notice(b"USE other", true);
        assert_eq!((statements.find(b"a"), &statements.left[..]), (None, &[prepared(1)][..]));
    }

    #[test]
    fn only_what_is_checked_before_it_runs_is_sent_again() {
        for sql in ["select 1", " /* x */ WITH a AS (SELECT 1) SELECT 1", "Delete from t"] {
            assert!(is_checked_first(sql.as_bytes()), "{sql}");
        }
        for sql in ["CALL p()", "BEGIN NOT ATOMIC CALL p(); END", "DO f()", "", "'SELECT'"] {
            assert!(!is_checked_first(sql.as_bytes()), "{sql}");
        }
    }
}
