//! Fetching rows: those that are here, then those that are read as they are asked for.

use pyo3::prelude::*;

use super::errors::usage;
use super::link::{Last, Link};
use super::result::Loaded;
use crate::session::{Error, ResultSet, Session};

/// Where the rows of a cursor come from.
pub(super) struct Source<'a> {
    pub(super) link: &'a Link,
    /// The number of the cursor.
    pub(super) reader: u64,
}

impl Source<'_> {
    /// Up to `limit` rows; fewer at the end alone.
    pub(super) fn fetch<'py>(
        &self,
        py: Python<'py>,
        loaded: &mut Loaded,
        limit: usize,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let Some(here) = loaded.fetch(py, limit) else {
            return Err(usage("there is no result to fetch from: execute a query first"));
        };
        let mut rows = here?;
        while rows.len() < limit && loaded.flows() {
            if let Err(error) = self.fetch_on(py, loaded, limit, &mut rows) {
                // Rows are lost with the error, and the next ones would hide the gap.
                if !rows.is_empty() {
                    *loaded = Loaded::default();
                }
                return Err(error);
            }
        }
        Ok(rows)
    }

    fn fetch_on<'py>(
        &self,
        py: Python<'py>,
        loaded: &mut Loaded,
        limit: usize,
        rows: &mut Vec<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        // While rows keep coming nobody waits, and so nobody looks for Ctrl-C.
        py.check_signals().map_err(|raised| self.link.cut_off(py, self.reader, raised))?;
        self.read_on(py, loaded)?;
        match loaded.fetch(py, limit - rows.len()) {
            Some(more) => more.map(|more| rows.extend(more)),
            None => Ok(()),
        }
    }

    /// Read the next part. After an error of the session's there is no result any more.
    fn read_on(&self, py: Python<'_>, loaded: &mut Loaded) -> PyResult<()> {
        let mut asked = false;
        let part = self.link.work(py, |session, last| {
            asked = true;
            next_rows(session, last, self.reader)
        });
        if asked && part.is_err() {
            *loaded = Loaded::default();
        }
        loaded.go_on(part?);
        Ok(())
    }
}

/// The next part of the rows of cursor `reader`, and what the connection is to know of it.
fn next_rows(session: &mut Session, last: &mut Last, reader: u64) -> Result<ResultSet, Error> {
    if last.reader != reader {
        return Err(Error::skipped());
    }
    last.reader = 0;
    let part = session.next_rows()?;
    last.affected += part.len() as u64;
    last.warnings = part.warnings;
    last.reader = if session.has_more() { reader } else { 0 };
    Ok(part)
}
