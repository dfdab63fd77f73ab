//! What kind of a cursor it is.

use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::session::Reading;

/// How statements are sent, how rows are read, and what each of them is. See `forksafe.cursors`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    prepared: bool,
    streams: bool,
    rows: RowsAs,
    strict: bool,
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowsAs {
    Tuples,
    Dicts,
    /// Every key of them is `table.name`.
    WholeDicts,
}

impl RowsAs {
    /// By MySQLdb's number.
    pub(super) fn of(number: u8) -> Option<Self> {
        [Self::Tuples, Self::Dicts, Self::WholeDicts].get(usize::from(number)).copied()
    }
}

impl Style {
    /// Rows are tuples, received as a whole.
    pub(super) fn plain(prepared: bool) -> Self {
        Self { prepared, streams: false, rows: RowsAs::Tuples, strict: true }
    }

    /// That of a class, by its attributes: they are looked up once for each cursor.
    pub(super) fn of(class: &Bound<'_, PyType>, prepared: bool) -> PyResult<Self> {
        let says = |name: &str| class.getattr(name)?.is_truthy();
        let rows = if says("_dicts")? { RowsAs::Dicts } else { RowsAs::Tuples };
        Ok(Self { prepared, streams: says("_streams")?, rows, strict: says("_strict")? })
    }

    /// Whether the server prepares the statements.
    pub(super) fn is_prepared(self) -> bool {
        self.prepared
    }

    /// When rows are read from the server.
    pub(super) fn reading(self) -> Reading {
        match self.streams {
            true => Reading::Parts,
            false => Reading::Whole,
        }
    }

    /// Whether rows stay with the server until they are fetched.
    pub(super) fn streams(self) -> bool {
        self.streams
    }

    /// What a row is.
    pub(super) fn rows(self) -> RowsAs {
        self.rows
    }

    pub(super) fn with_rows(self, rows: RowsAs) -> Self {
        Self { rows, ..self }
    }

    /// Whether a fetch is an error after a statement that answered no rows, and a statement is one
    /// while another cursor has answers left to read.
    pub(super) fn strict(self) -> bool {
        self.strict
    }
}
