//! `conv`: a program's own functions between columns and objects, and between objects and literals.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyInt, PyList, PyString, PyTuple, PyType};

use super::call::call;
use super::errors::usage;
use super::imports::{conversions, native_conversions};

const CONV: &str =
    "conv is a dict as forksafe.converters.conversions is: its keys are column types \
                    (constants.FIELD_TYPE numbers) or classes, its values are callables";

/// What a program wants otherwise than the driver does it.
pub(super) struct Conversions {
    /// All there is, as an encoder is given it.
    all: Py<PyDict>,
    /// By column type; None for bytes.
    decoders: Option<Py<PyDict>>,
    /// By class.
    encoders: Option<Py<PyDict>>,
}

impl Conversions {
    /// What differs in `given`, or in what a program may have made of the defaults. What is the
    /// same costs nothing later on.
    pub(super) fn of(py: Python<'_>, given: Option<&Bound<'_, PyDict>>) -> PyResult<Option<Self>> {
        let all = match given {
            Some(given) => given.copy()?,
            None => conversions(py)?.copy()?,
        };
        let native = native_conversions(py)?;
        let (decoders, encoders) = (PyDict::new(py), PyDict::new(py));
        for (key, function) in &all {
            let known = native.get_item(&key)?;
            if !known.is_some_and(|known| known.is(&function)) {
                let own = if is_class(&key, &function)? { &encoders } else { &decoders };
                own.set_item(key, function)?;
            }
        }
        for key in native.keys() {
            if key.is_instance_of::<PyInt>() && !all.contains(&key)? {
                decoders.set_item(key, py.None())?;
            }
        }
        if decoders.is_empty() && encoders.is_empty() {
            return Ok(None);
        }
        let some = |dict: Bound<'_, PyDict>| (!dict.is_empty()).then(|| dict.unbind());
        Ok(Some(Self { all: all.unbind(), decoders: some(decoders), encoders: some(encoders) }))
    }

    /// All there is: the defaults too.
    pub(super) fn all<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        self.all.bind(py).clone()
    }

    /// What becomes of columns of this type, if the program has said so.
    pub(super) fn decoder<'py>(
        &self,
        py: Python<'py>,
        kind: u8,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(decoders) = &self.decoders else { return Ok(None) };
        decoders.bind(py).get_item(kind)
    }

    /// How the program's own values are written.
    pub(super) fn encoders<'py>(&self, py: Python<'py>) -> Option<Encoders<'py>> {
        let own = self.encoders.as_ref()?.bind(py).clone();
        Some(Encoders { own, all: self.all.bind(py).clone() })
    }

    /// For the garbage collector.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.all)?;
        visit.call(&self.decoders)?;
        visit.call(&self.encoders)
    }
}

/// Whether the key is a class: else it is a column type. Checks that the value fits it.
fn is_class(key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if key.is_instance_of::<PyType>() && value.is_callable() {
        return Ok(true);
    }
    let is_list = value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>();
    match key.extract::<u8>() {
        Ok(_) if is_list || value.is_none() || value.is_callable() => Ok(false),
        _ => Err(usage(CONV)),
    }
}

/// The callable of the first pair that fits a column with these flags; `None` where none does.
pub(super) fn chosen<'py>(
    pairs: &Bound<'py, PyAny>,
    flags: u16,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    for pair in pairs.try_iter()? {
        let pair = pair?;
        let (mask, function): (Bound<'_, PyAny>, Bound<'_, PyAny>) =
            pair.extract().map_err(|_| usage("a list in conv has pairs (mask, callable)"))?;
        // A mask has bits beyond those that a column's flags can have.
        let fits = !mask.is_instance_of::<PyInt>()
            || mask.extract::<i64>().is_ok_and(|mask| mask & i64::from(flags) != 0);
        if fits {
            return Ok((!function.is_none()).then_some(function));
        }
    }
    Ok(None)
}

/// The functions that write a program's own values.
#[derive(Clone)]
pub(super) struct Encoders<'py> {
    own: Bound<'py, PyDict>,
    all: Bound<'py, PyDict>,
}

impl<'py> Encoders<'py> {
    /// That of the value's own class.
    pub(super) fn exact(&self, value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.own.get_item(value.get_type())
    }

    /// That of the nearest of its bases.
    pub(super) fn inherited(
        &self,
        value: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        for class in value.get_type().mro() {
            if let Some(encoder) = self.own.get_item(class)? {
                return Ok(Some(encoder));
            }
        }
        Ok(None)
    }

    /// The literal that `encoder` makes of a value.
    pub(super) fn encode(
        &self,
        encoder: &Bound<'py, PyAny>,
        value: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let args = PyTuple::new(value.py(), [value, self.all.as_any()])?;
        let literal = call(encoder, &args, None)?;
        let fits = literal.is_instance_of::<PyString>()
            || literal.is_instance_of::<PyBytes>()
            || literal.is_instance_of::<PyByteArray>();
        if fits {
            return Ok(literal);
        }
        let (kind, answered) = (value.get_type().qualname()?, literal.get_type().qualname()?);
        Err(usage(format!(
            "the encoder that conv has for a {kind} must answer str or bytes, not a {answered}"
        )))
    }
}
