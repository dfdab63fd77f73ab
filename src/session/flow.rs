//! A flow: a result whose rows are read later, in parts, as they come.
//!
//! The rows wait in the socket and with the server, so memory stays flat. Until the last one has
//! been read, the session takes no other command (2014). Each part is checked like a whole result.
//! A part holds rows and nothing else: what ends them, be it an error, is read by itself, after
//! the last of them was handed out.
//!
//! A session that comes back to a pool with rows unread is worth reading on for only so long:
//! [`SKIPPED`] bytes, and [`PATIENCE`]. With more to come the pool discards it, and the server,
//! whose socket is closed, ends the statement.
//!
//! Rows that a cursor leaves unread are read on for [`READ_ON`]. If there are still more, a second
//! session has the server end the statement (`KILL QUERY`); then the session goes on, with its
//! transaction. Where that cannot be, the session is over. Neither is done to a statement that may
//! change something, or that others follow: those are to be carried out, and so read to their end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::body::Body;
use super::broken::Broken;
use super::command::{Answer, Command, Failure, Reader, Reading};
use super::error::Error;
use super::kill::Target;
use super::manager::Connector;
use super::rows::{end, ResultSet, HEADER};
use super::{Column, Session};

/// A part ends with the row that reaches this size, in bytes.
const PART: usize = 48 * 1024;
/// How much is received at one go. Not less than a part and a row of the usual kind.
const GULP: usize = 64 * 1024;
/// For how long rows that nobody wants are read.
const READ_ON: Duration = Duration::from_secs(1);
/// For how long those are read that a statement had sent before it was ended.
const RUN_OUT: Duration = Duration::from_secs(10);
/// ER_QUERY_INTERRUPTED.
const ENDED: u16 = 1317;
/// How much of a flow is skipped at a check-in, in bytes.
pub(super) const SKIPPED: usize = 1 << 20;
/// How long a check-in waits for what it skips.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

impl Session {
    /// Run a statement, or several where that is allowed; answers the first. Its rows, if they
    /// are to be read in parts, are left for [`Session::next_rows`].
    ///
    /// # Errors
    /// As [`Session::query`].
    pub fn query_for(&mut self, sql: &[u8], reading: Reading) -> Result<Answer, Error> {
        self.body()?.run_for(Command::Query(sql), reading)
    }

    /// Rows that have come, at least one; none at the end, with the statement's warnings.
    ///
    /// # Errors
    /// As [`Session::query`], for a statement may fail after it has given rows; and 2014 where no
    /// rows are to be read.
    pub fn next_rows(&mut self) -> Result<ResultSet, Error> {
        self.body()?.next_rows()
    }

    /// Read and drop the rows that are still to come, of one statement: `limit` bytes at most.
    ///
    /// # Errors
    /// As [`Session::next_rows`]; 2014 where there are more.
    pub fn skip_rows(&mut self, limit: usize) -> Result<(), Error> {
        self.body()?.skip_rows(limit)
    }

    /// Whether rows are still to be read.
    pub fn has_rows(&self) -> bool {
        self.body.get().is_some_and(|body| body.flow.is_some())
    }
}

impl Connector {
    /// At a check-in: skip what is unread of a flow, within the bounds.
    pub(super) fn skip_rows(&self, session: &mut Session) -> Result<(), Error> {
        if !session.has_rows() {
            return Ok(());
        }
        let patience = PATIENCE.min(self.options().connect_timeout);
        session.set_deadline(Some(Instant::now() + patience));
        let skipped = session.skip_rows(SKIPPED);
        session.set_deadline(None);
        skipped
    }
}

impl Body {
    /// Skip the rows of a flow: `false` where the session is over by that.
    pub(super) fn skip_flow(&mut self) -> Result<bool, Error> {
        if !self.asked.only_reads() || self.status.has_more() {
            self.skip_rows(usize::MAX)?;
        } else if !self.skip_until(Instant::now() + READ_ON)? {
            match self.kill(Target::Statement) {
                Ok(true) => self.run_out()?,
                _ => self.leave_unread(),
            }
        }
        Ok(self.over.is_none())
    }

    /// Skip the rows that come until then: whether they were all.
    fn skip_until(&mut self, end: Instant) -> Result<bool, Error> {
        while self.flow.is_some() {
            self.must_be_ours()?;
            let comes = Instant::now() < end && {
                let comes = self.stream.comes(end);
                comes.map_err(|broken| self.end(broken))?
            };
            if !comes {
                return Ok(false);
            }
            // A row that has begun may be long: it is waited for no longer either.
            match self.by(end, Self::next_rows) {
                Err(_) if self.over.is_some() && Instant::now() >= end => self.flow = None,
                read => drop(read?),
            }
        }
        Ok(true)
    }

    /// The statement has been ended: skip what it had sent before.
    fn run_out(&mut self) -> Result<(), Error> {
        let skipped = self.skip_until(Instant::now() + RUN_OUT);
        match skipped {
            Err(error) if error.errno() == ENDED => Ok(()),
            Ok(false) => {
                self.leave_unread();
                Ok(())
            }
            skipped => skipped.map(drop),
        }
    }

    fn leave_unread(&mut self) {
        self.flow = None;
        self.over = Some("rows had been left unread, too many to skip".into());
        self.stream.socket().shut();
    }

    pub(super) fn skip_rows(&mut self, limit: usize) -> Result<(), Error> {
        let mut left = limit;
        while self.flow.is_some() {
            let part = self.next_rows()?;
            left = left.checked_sub(part.size()).ok_or_else(Error::unread)?;
        }
        Ok(())
    }
}

impl Reader<'_> {
    /// Wait for one row, and take those that came with it; none at the end.
    pub(super) fn part(&mut self, columns: &Arc<[Column]>) -> Result<ResultSet, Failure> {
        self.stream.settle();
        self.stream.widen(GULP);
        let first = self.stream.receive()?;
        if let Some(warnings) = self.end_of(first.clone()) {
            self.stream.forget();
            return Ok(ResultSet::empty(Arc::clone(columns), self.format, warnings));
        }
        if self.stream.payload(first.clone()).first() == Some(&0xff) {
            return Err(self.refused(first));
        }
        let (mut row, mut starts) = (first, Vec::new());
        loop {
            if !self.format.is_row(self.stream.payload(row.clone()), columns) {
                return Err(Broken::malformed("a row that does not fit its columns").into());
            }
            starts.push(row.start);
            if row.end >= PART || self.stream.peek().is_none_or(ends_rows) {
                break;
            }
            row = self.stream.receive()?;
        }
        starts.push(row.end + HEADER);
        Ok(ResultSet::new(Arc::clone(columns), self.format, self.stream.take(), starts, 0))
    }
}

/// Whether a packet among rows is none of them: it ends them, well or with an error.
fn ends_rows(payload: &[u8]) -> bool {
    payload.starts_with(&[0xff]) || end(payload).is_some()
}

#[cfg(test)]
mod tests {
    use super::ends_rows;

    #[test]
    fn a_row_is_told_from_what_ends_the_rows() {
        assert!(ends_rows(&[0xfe, 0, 0, 2, 0]) && ends_rows(&[0xff, 0x15, 0x04]));
        assert!(!ends_rows(&[0xfe, 1, 0, 0, 0, 0, 0, 0, 0, b'x']));
        assert!(!ends_rows(&[0xfb]) && !ends_rows(&[4, b'a', b'b', b'c', b'd']) && !ends_rows(&[]));
    }
}
