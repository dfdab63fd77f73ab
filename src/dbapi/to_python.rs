//! Column values as Python objects, straight from the bytes the server sent.

mod moment;

use pyo3::exceptions::PyUnicodeDecodeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyFloat, PyInt, PyList, PyString, PyTuple, PyType};

use super::call::call;
use super::conversions::{chosen, Conversions};
use super::errors::malformed;
use super::imports::{decimal, native_conversions};
use crate::session::{Charset, Column, ColumnFlags, ColumnType, Format, ResultSet, Values};
use moment::{date, datetime, time};

/// The character set number that means "bytes, not text".
const BINARY: u16 = 63;

/// How the values of one column become objects.
pub(super) enum Decoder {
    Int,
    Float,
    Decimal,
    Date,
    DateTime,
    Time,
    Text,
    Bytes,
    /// A callable that takes text.
    OfText(Py<PyAny>),
    /// A callable that takes bytes.
    OfBytes(Py<PyAny>),
}

/// How the values of columns are read on a connection.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) charset: Charset,
    /// Whether text is `str`; else it stays bytes.
    pub(super) use_unicode: bool,
    pub(super) conv: Option<&'a Conversions>,
}

impl Reader<'_> {
    /// As nobody has asked for anything else.
    pub(super) fn plain(charset: Charset) -> Self {
        Self { charset, use_unicode: true, conv: None }
    }

    fn decoder(self, py: Python<'_>, column: &Column) -> PyResult<Decoder> {
        let kind = column.column_type() as u8;
        match self.conv.map(|conv| conv.decoder(py, kind)).transpose()?.flatten() {
            Some(own) => self.own(&own, column),
            None => Ok(self.native(column)),
        }
    }

    fn native(self, column: &Column) -> Decoder {
        match Decoder::of(column) {
            Decoder::Text if !self.use_unicode => Decoder::Bytes,
            decoder => decoder,
        }
    }

    /// What the program has for the type of a column: one callable, None, or a choice of them.
    fn own(self, own: &Bound<'_, PyAny>, column: &Column) -> PyResult<Decoder> {
        let py = own.py();
        let is_choice = own.is_instance_of::<PyList>() || own.is_instance_of::<PyTuple>();
        let function = match is_choice {
            true => chosen(own, flags(column))?,
            false => (!own.is_none()).then(|| own.clone()),
        };
        let is = |class: Bound<'_, PyType>| function.as_ref().is_some_and(|own| own.is(&class));
        // mysqlclient itself puts these in the place of whatever `conv` has for text.
        let is_of_bytes = function.is_none() || is(py.get_type::<PyBytes>());
        let is_of_text = is(py.get_type::<PyString>());
        if (is_of_bytes || is_of_text) && self.use_unicode && is_textual(column) {
            return Ok(self.native(column));
        }
        let Some(function) = function.filter(|_| !is_of_bytes) else { return Ok(Decoder::Bytes) };
        let default = native_conversions(py)?.get_item(column.column_type() as u8)?;
        Ok(match takes_text(column) {
            _ if is_of_text => Decoder::Text,
            _ if default.is_some_and(|default| default.is(&function)) => self.native(column),
            true if function.is(py.get_type::<PyFloat>()) && is_decimal(column) => Decoder::Float,
            true => Decoder::OfText(function.unbind()),
            false => Decoder::OfBytes(function.unbind()),
        })
    }
}

/// How the rows of one result become tuples.
pub(super) struct RowDecoder {
    pub(super) decoders: Vec<Decoder>,
    pub(super) charset: Charset,
}

impl RowDecoder {
    pub(super) fn new(py: Python<'_>, columns: &[Column], reader: Reader<'_>) -> PyResult<Self> {
        let decoders = columns.iter().map(|column| reader.decoder(py, column));
        Ok(Self { decoders: decoders.collect::<PyResult<_>>()?, charset: reader.charset })
    }

    /// One row as a tuple, or `None` past the last.
    pub(super) fn row<'py>(
        &self,
        py: Python<'py>,
        result: &ResultSet,
        index: usize,
    ) -> PyResult<Option<Bound<'py, PyTuple>>> {
        if result.format() == Format::Binary {
            return self.cells(py, result, index);
        }
        let Some(mut values) = result.row(index) else { return Ok(None) };
        let mut objects = Vec::with_capacity(self.decoders.len());
        for decoder in &self.decoders {
            objects.push(self.object(py, decoder, &mut values)?);
        }
        PyTuple::new(py, objects).map(Some)
    }

    fn object<'py>(
        &self,
        py: Python<'py>,
        decoder: &Decoder,
        values: &mut Values<'_>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let value = values.value().map_err(|_| malformed("a row ends before its last column"))?;
        match value {
            None => Ok(py.None().into_bound(py)),
            Some(bytes) => decoder.object(py, bytes, self.charset),
        }
    }
}

impl Decoder {
    fn of(column: &Column) -> Self {
        use ColumnType as T;
        let is_binary = column.character_set() == BINARY;
        match column.column_type() {
            T::MYSQL_TYPE_TINY
            | T::MYSQL_TYPE_SHORT
            | T::MYSQL_TYPE_LONG
            | T::MYSQL_TYPE_LONGLONG
            | T::MYSQL_TYPE_INT24
            | T::MYSQL_TYPE_YEAR => Self::Int,
            T::MYSQL_TYPE_FLOAT | T::MYSQL_TYPE_DOUBLE => Self::Float,
            T::MYSQL_TYPE_DECIMAL | T::MYSQL_TYPE_NEWDECIMAL => Self::Decimal,
            T::MYSQL_TYPE_DATE | T::MYSQL_TYPE_NEWDATE => Self::Date,
            T::MYSQL_TYPE_DATETIME
            | T::MYSQL_TYPE_TIMESTAMP
            | T::MYSQL_TYPE_DATETIME2
            | T::MYSQL_TYPE_TIMESTAMP2 => Self::DateTime,
            T::MYSQL_TYPE_TIME | T::MYSQL_TYPE_TIME2 => Self::Time,
            // MySQL marks its JSON as binary, yet it is text.
            T::MYSQL_TYPE_JSON | T::MYSQL_TYPE_ENUM | T::MYSQL_TYPE_SET => Self::Text,
            T::MYSQL_TYPE_BIT | T::MYSQL_TYPE_GEOMETRY | T::MYSQL_TYPE_VECTOR => Self::Bytes,
            _ if is_binary && !is_enum_or_set(column) => Self::Bytes,
            _ => Self::Text,
        }
    }

    pub(super) fn object<'py>(
        &self,
        py: Python<'py>,
        bytes: &[u8],
        charset: Charset,
    ) -> PyResult<Bound<'py, PyAny>> {
        let odd = |what: &str| {
            let text = String::from_utf8_lossy(bytes);
            malformed(format!("the server sent {text:?} where {what} belongs"))
        };
        match self {
            Self::Int => int(py, bytes).ok_or_else(|| odd("a whole number")),
            Self::Float => match ascii(bytes).and_then(|text| text.parse().ok()) {
                Some(number) => Ok(PyFloat::new(py, number).into_any()),
                None => Err(odd("a number")),
            },
            Self::Decimal => {
                let text = ascii(bytes).ok_or_else(|| odd("a decimal number"))?;
                decimal(py)?.call1((text,))
            }
            Self::Date => date(py, bytes).unwrap_or_else(|| Err(odd("a date"))),
            Self::DateTime => datetime(py, bytes).unwrap_or_else(|| Err(odd("a date and time"))),
            Self::Time => time(py, bytes).unwrap_or_else(|| Err(odd("a time"))),
            Self::Text => text(py, bytes, charset),
            Self::Bytes => Ok(PyBytes::new(py, bytes).into_any()),
            Self::OfText(converter) => {
                let args = PyTuple::new(py, [text(py, bytes, charset)?])?;
                call(converter.bind(py), &args, None)
            }
            Self::OfBytes(converter) => {
                let args = PyTuple::new(py, [PyBytes::new(py, bytes)])?;
                call(converter.bind(py), &args, None)
            }
        }
    }
}

/// The types of columns that hold text or bytes.
fn is_textual(column: &Column) -> bool {
    use ColumnType as T;
    matches!(
        column.column_type(),
        T::MYSQL_TYPE_STRING
            | T::MYSQL_TYPE_VAR_STRING
            | T::MYSQL_TYPE_VARCHAR
            | T::MYSQL_TYPE_TINY_BLOB
            | T::MYSQL_TYPE_MEDIUM_BLOB
            | T::MYSQL_TYPE_LONG_BLOB
            | T::MYSQL_TYPE_BLOB
            | T::MYSQL_TYPE_JSON
    )
}

fn is_decimal(column: &Column) -> bool {
    use ColumnType as T;
    matches!(column.column_type(), T::MYSQL_TYPE_DECIMAL | T::MYSQL_TYPE_NEWDECIMAL)
}

/// Whether a callable gets `str` of such a column: with mysqlclient 2 it gets bytes of all others.
fn takes_text(column: &Column) -> bool {
    use ColumnType as T;
    let is_moment = matches!(
        column.column_type(),
        T::MYSQL_TYPE_DATE | T::MYSQL_TYPE_TIME | T::MYSQL_TYPE_DATETIME | T::MYSQL_TYPE_TIMESTAMP
    );
    is_moment || is_decimal(column)
}

/// A column's flags, with BINARY where it holds bytes: by itself it tells of the collation.
fn flags(column: &Column) -> u16 {
    let mut flags = column.flags();
    flags.set(ColumnFlags::BINARY_FLAG, column.character_set() == BINARY);
    flags.bits()
}

fn is_enum_or_set(column: &Column) -> bool {
    column.flags().intersects(ColumnFlags::ENUM_FLAG | ColumnFlags::SET_FLAG)
}

/// Text in the connection's character set.
pub(super) fn text<'py>(
    py: Python<'py>,
    bytes: &[u8],
    charset: Charset,
) -> PyResult<Bound<'py, PyAny>> {
    match (charset.decode(bytes), charset.codec()) {
        (Some(text), _) => Ok(PyString::new(py, &text).into_any()),
        (None, Some(codec)) => PyBytes::new(py, bytes).call_method1("decode", (codec,)),
        (None, None) => {
            let at = charset.undefined(bytes).unwrap_or(0);
            let bytes = PyBytes::new(py, bytes).unbind();
            let why = "no character has this byte";
            Err(PyUnicodeDecodeError::new_err((charset.name(), bytes, at, at + 1, why)))
        }
    }
}

fn ascii(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn int<'py>(py: Python<'py>, bytes: &[u8]) -> Option<Bound<'py, PyAny>> {
    let text = ascii(bytes)?;
    let object = |number: Bound<'py, PyInt>| number.into_any();
    match text.parse::<i64>() {
        Ok(number) => number.into_pyobject(py).ok().map(object),
        Err(_) => text.parse::<u64>().ok()?.into_pyobject(py).ok().map(object),
    }
}
