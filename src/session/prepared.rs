//! Statements that the server has prepared for a session, those used last.
//!
//! They live and die with it: a reset forgets them on both sides, a new session has none, and in a
//! child they are forgotten with all the rest of an inherited body.

use mysql::mysql_common::io::ParseBuf;
use mysql::mysql_common::packets::StmtPacket;

use super::bindings::Bindings;
use super::body::Body;
use super::command::{Answer, Command, Failure, Reader, Reading};
use super::error::{Broken, Error};
use super::sql::Tokens;

const COM_STMT_EXECUTE: u8 = 0x17;
/// No cursor on the server: the rows follow at once.
const NO_CURSOR: u8 = 0;
/// How often it is executed: the protocol has room for the number, and no other is known.
const ONCE: u32 = 1;

/// ER_NEED_REPREPARE: a table changed, and the server could not keep up.
const NEED_REPREPARE: u16 = 1615;
/// Of these the server says so before it does anything; a procedure may have done much by then.
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
}

impl Statements {
    pub(super) fn new(room: usize) -> Self {
        Self { room, kept: Vec::new() }
    }

    pub(super) fn clear(&mut self) {
        self.kept.clear();
    }

    /// The statement with this text, which is then the one used last.
    fn find(&mut self, sql: &[u8]) -> Option<Prepared> {
        let at = self.kept.iter().rposition(|(text, _)| **text == *sql)?;
        self.kept[at..].rotate_left(1);
        self.kept.last().map(|(_, prepared)| *prepared)
    }

    /// Keep one more; answers the one for which there is no room any longer.
    fn keep(&mut self, sql: &[u8], prepared: Prepared) -> Option<Prepared> {
        self.kept.push((sql.into(), prepared));
        (self.kept.len() > self.room).then(|| self.kept.remove(0).1)
    }

    fn remove(&mut self, sql: &[u8]) -> Option<Prepared> {
        let at = self.kept.iter().position(|(text, _)| **text == *sql)?;
        Some(self.kept.remove(at).1)
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
        match self.execute_once(sql, bindings, reading) {
            Err(error) if error.errno() == NEED_REPREPARE => {
                let stale = self.statements.remove(sql);
                self.close_statement(stale)?;
                if is_checked_first(sql) {
                    self.execute_once(sql, bindings, reading)
                } else {
                    Err(error)
                }
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
        self.send(Command::Execute(&head, bindings.values()))?;
        self.answer(reading)
    }

    fn prepare(&mut self, sql: &[u8]) -> Result<Prepared, Error> {
        self.send(Command::Prepare(sql))?;
        let prepared = self.read(Reading::Whole, |reader| reader.prepared())?;
        let old = self.statements.keep(sql, prepared);
        self.close_statement(old)?;
        Ok(prepared)
    }

    fn close_statement(&mut self, prepared: Option<Prepared>) -> Result<(), Error> {
        prepared.map_or(Ok(()), |old| self.send(Command::CloseStatement(&old.id.to_le_bytes())))
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
        let ends = matches!(self.stream.payload(range), [0xfe, _, _, _, _]);
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
        assert_eq!(statements.keep(b"a", prepared(1)), None);
        assert_eq!(statements.keep(b"b", prepared(2)), None);
        assert_eq!(statements.find(b"a"), Some(prepared(1)));
        assert_eq!(statements.keep(b"c", prepared(3)), Some(prepared(2)));
        assert_eq!(statements.find(b"b"), None);
        assert_eq!(statements.find(b"a"), Some(prepared(1)));
        assert_eq!(statements.remove(b"a"), Some(prepared(1)));
        assert_eq!(statements.find(b"a"), None);
        statements.clear();
        assert_eq!(statements.find(b"c"), None);
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
