//! Statements that the server has prepared for a session.
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
use super::statements::Prepared;
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
        let prepared = match self.statements.find(sql, bindings.types()) {
            Some(prepared) => prepared,
            None => self.prepare(sql, bindings.types())?,
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

    fn prepare(&mut self, sql: &[u8], types: &[u8]) -> Result<Prepared, Error> {
        let prepared = match self.prepare_once(sql) {
            Err(error) if error.errno() == NO_ROOM && self.statements.leave_oldest() => {
                self.close_left()?;
                self.prepare_once(sql)?
            }
            answer => answer?,
        };
        // One that changes what it was prepared under would itself not mean the same again.
        if sql.len() <= LONGEST && terms::stay(sql, !self.status.no_backslash_escapes()) {
            self.statements.keep(sql, types, prepared);
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
    use super::is_checked_first;

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
