//! What the class of a cursor says of its rows.

use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::session::Reading;

/// How rows are read, and what each of them is. See `forksafe.cursors`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    streams: bool,
    dicts: bool,
}

impl Style {
    /// That of a class, by its attributes: they are looked up once for each cursor.
    pub(super) fn of(class: &Bound<'_, PyType>) -> PyResult<Self> {
        let says = |name: &str| class.getattr(name)?.is_truthy();
        Ok(Self { streams: says("_streams")?, dicts: says("_dicts")? })
    }

    /// When rows are read from the server.
    pub(super) fn reading(self) -> Reading {
        match self.streams {
            true => Reading::Parts,
            false => Reading::Whole,
        }
    }

    /// Whether a row is a dictionary.
    pub(super) fn dicts(self) -> bool {
        self.dicts
    }
}
