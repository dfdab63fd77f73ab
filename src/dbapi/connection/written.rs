//! How values are written on a connection: literals, and the character set.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyMapping, PyMappingProxy, PyTuple};

use super::super::call::call;
use super::super::errors::usage;
use super::super::from_python;
use super::super::imports::conversions;
use super::super::link::skip_answers;
use super::super::to_python::{Reader, RowDecoder};
use super::Connection;
use crate::session::{Answer, Charset};

/// What the server knows of the character set of the connection.
const CHARSET_INFO: &[u8] = b"SELECT CHARACTER_SET_NAME, @@collation_connection, DESCRIPTION, \
    MAXLEN FROM information_schema.CHARACTER_SETS WHERE CHARACTER_SET_NAME = \
    @@character_set_client";

impl Connection {
    /// The part of `conv` whose keys are numbers, or the part whose keys are classes.
    fn conversions<'py>(
        &self,
        py: Python<'py>,
        numbers: bool,
    ) -> PyResult<Bound<'py, PyMappingProxy>> {
        let all = match self.conv() {
            Some(conv) => conv.all(py),
            None => conversions(py)?.clone(),
        };
        let part = PyDict::new(py);
        for (key, function) in all {
            if key.is_instance_of::<PyInt>() == numbers {
                part.set_item(key, function)?;
            }
        }
        Ok(PyMappingProxy::new(py, part.as_mapping()))
    }
}

#[pymethods]
impl Connection {
    /// A value as an SQL literal, in bytes. A list or tuple is a group, for `IN`.
    fn literal<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let mut out = Vec::new();
        self.writer(value.py())?.literal(value, &mut out)?;
        Ok(PyBytes::new(value.py(), &out))
    }

    /// A value as an SQL literal: what `mapping` has for its type makes of it, called with the
    /// value and the mapping, as with MySQLdb; without one, as `literal()`.
    #[pyo3(signature = (value, mapping = None))]
    fn escape<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        mapping: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Some(mapping) = mapping {
            let not_one = |_| PyTypeError::new_err("mapping must be a mapping of types");
            let mapping = mapping.cast::<PyMapping>().map_err(not_one)?;
            if mapping.contains(value.get_type())? {
                let encoder = mapping.get_item(value.get_type())?;
                let args = PyTuple::new(value.py(), [value.as_any(), mapping.as_any()])?;
                return call(&encoder, &args, None);
            }
        }
        Ok(self.literal(value)?.into_any())
    }

    /// Text or bytes escaped to stand between single quotes, in bytes.
    fn escape_string<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let writer = self.writer(value.py())?;
        let mut out = Vec::new();
        writer.escaped(&from_python::statement(&writer, value)?, &mut out);
        Ok(PyBytes::new(value.py(), &out))
    }

    /// Text or bytes in single quotes, in bytes; anything else as its `str()`.
    fn string_literal<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let writer = self.writer(value.py())?;
        let text = from_python::statement(&writer, value);
        let text = match text {
            Ok(text) => text,
            Err(_) => from_python::statement(&writer, value.str()?.as_any())?,
        };
        let mut out = Vec::new();
        writer.quoted(&text, &mut out);
        Ok(PyBytes::new(value.py(), &out))
    }

    /// How values are written, by their class: that part of the option `conv`, read-only.
    #[getter]
    fn encoders<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMappingProxy>> {
        self.conversions(py, false)
    }

    /// How columns are read, by their type (`constants.FIELD_TYPE`): that part of the option
    /// `conv`, read-only.
    #[getter]
    fn converter<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMappingProxy>> {
        self.conversions(py, true)
    }

    /// The connection's character set, by MySQL's name.
    fn character_set_name(&self) -> PyResult<&'static str> {
        self.link()?.look(|session| session.charset().name())
    }

    /// Python's codec for the connection's character set.
    #[getter]
    fn encoding(&self) -> PyResult<&'static str> {
        let charset = self.link()?.look(|session| session.charset())?;
        Ok(charset.codec().unwrap_or(charset.name()))
    }

    /// Change the connection's character set, and its collation if one is given.
    ///
    /// Refused with ProgrammingError where a character may hold the byte of a quote or a
    /// backslash, for then a parameter could end its own quotes. A pool takes the change back.
    #[pyo3(signature = (charset, collation = None))]
    fn set_character_set(
        &self,
        py: Python<'_>,
        charset: &str,
        collation: Option<&str>,
    ) -> PyResult<()> {
        let charset = Charset::parse(charset).map_err(usage)?;
        let collation = collation.filter(|collation| !collation.is_empty());
        let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if let Some(name) = collation.filter(|name| !is_name(name)) {
            return Err(usage(format!("collation {name:?} is not the name of a collation")));
        }
        self.link()?.work(py, |session, last| {
            skip_answers(session, last, 0)?;
            session.set_charset(charset, collation)
        })
    }

    /// The connection's character set as a dictionary: name, collation, comment, mbminlen and
    /// mbmaxlen, the bytes that a character takes.
    fn get_character_set_info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (answer, charset) = self.link()?.work(py, |session, last| {
            skip_answers(session, last, 0)?;
            Ok((session.query(CHARSET_INFO)?, session.charset()))
        })?;
        let info = PyDict::new(py);
        let Answer::Rows(result) = answer else { return Ok(info) };
        let decoder = RowDecoder::new(py, result.columns(), Reader::plain(charset))?;
        if let Some(row) = decoder.row(py, &result, 0)? {
            for (index, name) in ["name", "collation", "comment", "mbmaxlen"].iter().enumerate() {
                info.set_item(name, row.get_item(index)?)?;
            }
            // Only sets that are a superset of ASCII are taken.
            info.set_item("mbminlen", 1)?;
        }
        Ok(info)
    }
}
