//! What kind of a cursor it is.

use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::session::Reading;

/// How statements are sent, how rows are read, and what each of them is. See `forksafe.cursors`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    prepared: bool,
    streams: bool,
    dicts: bool,
}

impl Style {
    /// Rows are tuples, received as a whole.
    pub(super) fn plain(prepared: bool) -> Self {
        Self { prepared, streams: false, dicts: false }
    }

    /// That of a class, by its attributes: they are looked up once for each cursor.
    pub(super) fn of(class: &Bound<'_, PyType>, prepared: bool) -> PyResult<Self> {
        let says = |name: &str| class.getattr(name)?.is_truthy();
        Ok(Self { prepared, streams: says("_streams")?, dicts: says("_dicts")? })
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

    /// Whether a row is a dictionary.
    pub(super) fn dicts(self) -> bool {
        self.dicts
    }
}
