//! Python values as what SQL has for them, and as literals.

mod moment;
mod number;
mod rare;

use std::borrow::Cow;
use std::cell::Cell;

use pyo3::exceptions::PyUnicodeEncodeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyList, PyString};

use super::conversions::Encoders;
use super::errors::usage;
use super::imports::decimal;
use crate::session::Charset;
use moment::moment;
use number::{double, fixed_point, int, write_double};
use rare::refused;

/// How literals must be written on a connection.
pub(super) struct Writer<'py> {
    pub(super) charset: Charset,
    /// Under NO_BACKSLASH_ESCAPES a backslash means itself.
    pub(super) no_backslash_escapes: bool,
    /// Whether bytes are marked as such.
    pub(super) binary_prefix: bool,
    /// The program's own, if it has any.
    pub(super) encoders: Option<Encoders<'py>>,
    /// How deep in lists the value is that is being written.
    pub(super) depth: Cell<usize>,
}

/// How deep lists may be nested. One that holds itself has no end, and the stack has.
const DEEPEST: usize = 32;

/// A Python value as what SQL has for it.
pub(super) enum Said<'a> {
    Null,
    Int(i64),
    /// A number that is exact, without an exponent: with one the server would read a DOUBLE.
    Digits(String),
    Float(f64),
    /// In the connection's character set.
    Text(Cow<'a, [u8]>),
    Bytes(Cow<'a, [u8]>),
    /// For `IN %s`.
    Group,
    /// What the program's own encoder has made of it.
    Literal(Vec<u8>),
}

impl Said<'_> {
    fn into_owned(self) -> Said<'static> {
        match self {
            Said::Null => Said::Null,
            Said::Int(number) => Said::Int(number),
            Said::Digits(digits) => Said::Digits(digits),
            Said::Float(number) => Said::Float(number),
            Said::Text(text) => Said::Text(Cow::Owned(text.into_owned())),
            Said::Bytes(bytes) => Said::Bytes(Cow::Owned(bytes.into_owned())),
            Said::Group => Said::Group,
            Said::Literal(literal) => Said::Literal(literal),
        }
    }
}

impl<'py> Writer<'py> {
    /// Append `value` as a literal.
    pub(super) fn literal(&self, value: &Bound<'py, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
        match self.said(value)? {
            Said::Null => out.extend_from_slice(b"NULL"),
            Said::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Said::Float(number) => write_double(number, out),
            Said::Digits(digits) => out.extend_from_slice(digits.as_bytes()),
            Said::Text(text) => self.quoted(&text, out),
            Said::Bytes(bytes) => self.binary(&bytes, out),
            Said::Group => return self.group(value, out),
            Said::Literal(literal) => out.extend_from_slice(&literal),
        }
        Ok(())
    }

    /// What a value is to SQL.
    pub(super) fn said<'a>(&self, value: &'a Bound<'py, PyAny>) -> PyResult<Said<'a>> {
        let Some(encoders) = &self.encoders else {
            return self.native(value)?.ok_or_else(|| refused(value));
        };
        let encoder = match encoders.exact(value)? {
            Some(encoder) => encoder,
            None => match self.native(value)? {
                Some(said) => return Ok(said),
                None => encoders.inherited(value)?.ok_or_else(|| refused(value))?,
            },
        };
        let literal = encoders.encode(&encoder, value)?;
        statement(self, &literal).map(Said::Literal)
    }

    /// `None` where the driver does not know what the value is.
    fn native<'a>(&self, value: &'a Bound<'py, PyAny>) -> PyResult<Option<Said<'a>>> {
        Ok(Some(if value.is_none() {
            Said::Null
        } else if let Ok(text) = value.cast::<PyString>() {
            Said::Text(self.encoded(text)?)
        } else if let Ok(value) = value.cast::<PyBool>() {
            Said::Int(value.is_true().into())
        } else if let Ok(value) = value.cast::<PyInt>() {
            int(value)?
        } else if let Ok(value) = value.cast::<PyFloat>() {
            double(value.value())?
        } else if let Ok(value) = value.cast::<PyBytes>() {
            Said::Bytes(Cow::Borrowed(value.as_bytes()))
        } else if let Some(text) = moment(value)? {
            Said::Text(Cow::Owned(text.into_bytes()))
        } else if value.is_instance(decimal(value.py())?)? {
            fixed_point(value)?
        } else {
            return self.rarer(value);
        }))
    }

    /// For `IN %s`.
    fn group(&self, values: &Bound<'py, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
        if values.len()? == 0 {
            return Err(usage("an empty list cannot be a parameter: SQL has no `IN ()`"));
        }
        self.deeper(|| {
            for (index, value) in values.try_iter()?.enumerate() {
                out.push(if index == 0 { b'(' } else { b',' });
                self.literal(&value?, out)?;
            }
            out.push(b')');
            Ok(())
        })
    }

    /// Write what is in another value.
    fn deeper<T>(&self, write: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
        let depth = self.depth.get();
        if depth == DEEPEST {
            return Err(usage(format!(
                "lists in a parameter are nested more than {DEEPEST} deep, or one holds itself"
            )));
        }
        self.depth.set(depth + 1);
        let written = write();
        self.depth.set(depth);
        written
    }

    /// Text as the connection's bytes.
    fn encoded<'a>(&self, text: &'a Bound<'_, PyString>) -> PyResult<Cow<'a, [u8]>> {
        let charset = self.charset;
        match (charset.encode(text.to_str()?), charset.codec()) {
            (Some(bytes), _) => Ok(bytes),
            // As `str` has it, which a subclass may not.
            (None, Some(codec)) => {
                let class = text.py().get_type::<PyString>();
                class.call_method1("encode", (text, codec))?.extract().map(Cow::Owned)
            }
            (None, None) => {
                let at = charset.lacks(text.to_str()?).unwrap_or(0);
                let text = text.clone().unbind();
                let why = "the connection's charset has no such character";
                Err(PyUnicodeEncodeError::new_err((charset.name(), text, at, at + 1, why)))
            }
        }
    }

    /// Bytes, marked as such unless the statement itself does: Django writes `_binary %s`.
    fn binary(&self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.binary_prefix && !ends_with_introducer(out) {
            out.extend_from_slice(b"_binary");
        }
        self.quoted(bytes, out);
    }

    /// Append in quotes.
    pub(super) fn quoted(&self, bytes: &[u8], out: &mut Vec<u8>) {
        out.reserve(bytes.len() + 2);
        out.push(b'\'');
        self.escaped(bytes, out);
        out.push(b'\'');
    }

    /// Append so that it can stand between single quotes. In the character sets that a connection
    /// can have, these bytes are never part of another character.
    pub(super) fn escaped(&self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        let special = |byte: &u8| match byte {
            b'\'' => true,
            0 | b'\n' | b'\r' | b'\\' | b'"' | 0x1a => !self.no_backslash_escapes,
            _ => false,
        };
        while let Some(at) = rest.iter().position(special) {
            out.extend_from_slice(&rest[..at]);
            match rest[at] {
                b'\'' if self.no_backslash_escapes => out.extend_from_slice(b"''"),
                0 => out.extend_from_slice(b"\\0"),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                0x1a => out.extend_from_slice(b"\\Z"),
                byte => out.extend_from_slice(&[b'\\', byte]),
            }
            rest = &rest[at + 1..];
        }
        out.extend_from_slice(rest);
    }
}

/// Whether the last word is `_binary`, `_utf8mb4` or the like.
fn ends_with_introducer(sql: &[u8]) -> bool {
    let sql = sql.trim_ascii_end();
    let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let start = sql.iter().rposition(|byte| !is_of_word(byte)).map_or(0, |before| before + 1);
    sql[start..].starts_with(b"_")
}

/// A statement as bytes: text is encoded, bytes stay as they are.
pub(super) fn statement(writer: &Writer<'_>, sql: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(text) = sql.cast::<PyString>() {
        return writer.encoded(text).map(Cow::into_owned);
    }
    match sql.extract::<Vec<u8>>() {
        Ok(bytes) if !sql.is_instance_of::<PyList>() => Ok(bytes),
        _ => Err(usage("a statement must be str or bytes")),
    }
}
