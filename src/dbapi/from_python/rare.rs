//! Values of the rarer kinds as SQL has them.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyFrozenSet, PyInt, PyList, PyMemoryView, PySet, PyString, PyTuple,
};

use super::super::call::{attribute, text};
use super::super::errors::usage;
use super::super::imports::{array, loaded, member, uuid};
use super::moment::moment;
use super::number::{double, int};
use super::{Said, Writer};

/// numpy's units below a microsecond.
const FINER: [&str; 4] = ["[ns]", "[ps]", "[fs]", "[as]"];

impl<'py> Writer<'py> {
    pub(super) fn rarer(&self, value: &Bound<'py, PyAny>) -> PyResult<Option<Said<'static>>> {
        let py = value.py();
        if let Ok(value) = value.cast::<PyByteArray>() {
            return Ok(Some(Said::Bytes(Cow::Owned(value.to_vec()))));
        }
        if value.is_instance_of::<PyMemoryView>() || value.is_instance(array(py)?)? {
            return Ok(Some(Said::Bytes(Cow::Owned(value.call_method0("tobytes")?.extract()?))));
        }
        if value.is_instance(uuid(py)?)? {
            return Ok(Some(Said::Text(Cow::Owned(text(value)?.into_bytes()))));
        }
        if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            return Ok(Some(Said::Group));
        }
        if value.is_instance_of::<PySet>() || value.is_instance_of::<PyFrozenSet>() {
            return self.set(value).map(Some);
        }
        if value.is_instance(member(py)?)? {
            return self.deeper(|| self.its_value(value)).map(Some);
        }
        // What only says so, as a proxy does that stands for text to come.
        if value.is_instance(&py.get_type::<PyString>())? {
            let written = PyString::new(py, &text(value)?);
            return Ok(Some(Said::Text(self.encoded(&written)?.into_owned().into())));
        }
        scalar(value)
    }

    /// A member of an Enum, of which nothing but its value is known.
    fn its_value(&self, member: &Bound<'py, PyAny>) -> PyResult<Said<'static>> {
        let value = attribute(member, "value")?;
        match self.said(&value)? {
            Said::Group => Err(refused(member)),
            said => Ok(said.into_owned()),
        }
    }

    /// The value of a SET column, as with MySQLdb.
    fn set(&self, set: &Bound<'py, PyAny>) -> PyResult<Said<'static>> {
        let mut members = Vec::new();
        for member in set.try_iter()? {
            let member = member?;
            match member.cast::<PyString>() {
                Ok(text) if !text.to_str()?.contains(',') => {
                    members.push(text.to_str()?.to_owned())
                }
                _ => {
                    return Err(usage(format!(
                        "{} cannot be in a set that is a parameter: it is written as the value of \
                         a SET column, of text without commas; for IN, pass a list",
                        member.repr()?
                    )))
                }
            }
        }
        members.sort();
        let joined = PyString::new(set.py(), &members.join(","));
        Ok(Said::Text(self.encoded(&joined)?.into_owned().into()))
    }
}

pub(super) fn refused(value: &Bound<'_, PyAny>) -> PyErr {
    let kind = value.get_type().qualname().map_or_else(|_| "value".into(), |name| name.to_string());
    usage(format!(
        "a {kind} cannot be a parameter; convert it to str, bytes, a number, a date, a UUID or a list \
         of these, or give conv an encoder for it"
    ))
}

/// One of numpy's scalars as the number or time that it is.
fn scalar(value: &Bound<'_, PyAny>) -> PyResult<Option<Said<'static>>> {
    let is = |class: &str| match loaded(value.py(), "numpy", class) {
        Some(class) => value.is_instance(&class),
        None => Ok(false),
    };
    if !is("generic")? {
        return Ok(None);
    }
    if is("floating")? {
        return double(value.call_method0("__float__")?.extract()?).map(Some);
    }
    let unit = match (is("datetime64")?, is("timedelta64")?) {
        (true, _) => "datetime64[us]",
        (_, true) => "timedelta64[us]",
        _ => return number(&value.call_method0("item")?),
    };
    time(value, unit).map(Some)
}

fn number(value: &Bound<'_, PyAny>) -> PyResult<Option<Said<'static>>> {
    if let Ok(value) = value.cast::<PyBool>() {
        return Ok(Some(Said::Int(value.is_true().into())));
    }
    value.cast::<PyInt>().ok().map(int).transpose()
}

/// numpy has finer units than MySQL's microseconds. What is not a whole number of these is not
/// rounded, for nobody has asked for it.
fn time(value: &Bound<'_, PyAny>, unit: &str) -> PyResult<Said<'static>> {
    let mut plain = value.call_method0("item")?;
    let name: String = value.getattr("dtype")?.getattr("name")?.extract()?;
    if FINER.iter().any(|finer| name.ends_with(finer)) {
        let micros = value.call_method1("astype", (unit,))?;
        if micros.eq(value)? {
            plain = micros.call_method0("item")?;
        }
    }
    if let Some(text) = moment(&plain)? {
        return Ok(Said::Text(Cow::Owned(text.into_bytes())));
    }
    Err(usage(format!(
        "{} cannot be a parameter: it is no time that Python has, or no whole number of \
         microseconds; round it, or pass None for NaT",
        value.repr()?
    )))
}
