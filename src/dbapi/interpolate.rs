//! `%s` and `%(name)s` filled in on this side, as MySQLdb does.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMapping, PySequence, PyString};

use super::errors::usage;
use super::from_python::Writer;

/// The parameters of one statement.
pub(super) enum Parameters<'a, 'py> {
    /// Leave the statement as it is, also its `%%`.
    Absent,
    Sequence(Vec<Bound<'py, PyAny>>),
    Mapping(&'a Bound<'py, PyMapping>),
}

impl<'a, 'py> Parameters<'a, 'py> {
    pub(super) fn of(args: Option<&'a Bound<'py, PyAny>>) -> PyResult<Self> {
        let Some(args) = args else { return Ok(Self::Absent) };
        if args.is_instance_of::<PyString>() || args.is_instance_of::<PyBytes>() {
            return Err(usage(
                "parameters come as a sequence or a mapping; for one, write (value,)",
            ));
        }
        if let Ok(mapping) = args.cast::<PyMapping>() {
            return Ok(Self::Mapping(mapping));
        }
        if args.cast::<PySequence>().is_ok() {
            return args.try_iter()?.collect::<PyResult<_>>().map(Self::Sequence);
        }
        let kind = args.get_type().qualname()?;
        Err(usage(format!("parameters come as a sequence or a mapping, not as a {kind}")))
    }
}

/// Append `template` with its placeholders filled in.
pub(super) fn interpolate(
    writer: &Writer,
    template: &[u8],
    parameters: &Parameters<'_, '_>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    if let Parameters::Absent = parameters {
        out.extend_from_slice(template);
        return Ok(());
    }
    let mut next = 0;
    let mut rest = template;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        out.extend_from_slice(&rest[..at]);
        rest = match &rest[at + 1..] {
            [b'%', after @ ..] => {
                out.push(b'%');
                after
            }
            [b's', after @ ..] => {
                positional(writer, parameters, next, out)?;
                next += 1;
                after
            }
            [b'(', after @ ..] => named(writer, parameters, after, out)?,
            other => return Err(unsupported(other)),
        };
    }
    out.extend_from_slice(rest);
    match parameters {
        Parameters::Sequence(values) if next < values.len() => {
            let given = values.len();
            Err(usage(format!("{given} parameters were given, the statement has {next} `%s`")))
        }
        _ => Ok(()),
    }
}

fn positional(
    writer: &Writer,
    parameters: &Parameters<'_, '_>,
    index: usize,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    let Parameters::Sequence(values) = parameters else {
        return Err(usage("the statement has `%s`, so its parameters must be a sequence"));
    };
    match values.get(index) {
        Some(value) => writer.literal(value, out),
        None => {
            let given = values.len();
            Err(usage(format!("the statement has more `%s` than the {given} parameters given")))
        }
    }
}

fn named<'t>(
    writer: &Writer,
    parameters: &Parameters<'_, '_>,
    template: &'t [u8],
    out: &mut Vec<u8>,
) -> PyResult<&'t [u8]> {
    let Parameters::Mapping(values) = parameters else {
        return Err(usage("the statement has `%(name)s`, so its parameters must be a mapping"));
    };
    let end = template.iter().position(|byte| *byte == b')');
    let Some((name, [b')', b's', after @ ..])) = end.map(|end| template.split_at(end)) else {
        return Err(unsupported(template));
    };
    let name = std::str::from_utf8(name).map_err(|_| usage("a parameter's name is not UTF-8"))?;
    match values.get_item(name) {
        Ok(value) => writer.literal(&value, out)?,
        Err(_) => return Err(usage(format!("no parameter is named {name:?}"))),
    }
    Ok(after)
}

fn unsupported(after: &[u8]) -> PyErr {
    let shown = String::from_utf8_lossy(&after[..after.len().min(10)]);
    usage(format!(
        "`%` must be followed by s, (name)s or another % when parameters are given; here: %{shown}"
    ))
}
