//! Python values as options can have them.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};

use super::errors::usage;
use crate::session::Value;

const SSL_KEYS: [&str; 7] =
    ["ca", "capath", "cert", "key", "cipher", "check_hostname", "verify_mode"];

/// A Python value that an option can have.
pub(super) fn plain(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if value.is_none() {
        Ok(Value::Null)
    } else if let Ok(value) = value.cast::<PyBool>() {
        Ok(Value::Bool(value.is_true()))
    } else if value.is_instance_of::<PyInt>() {
        let number = value.extract();
        number.map(Value::Int).map_err(|_| usage(format!("{name} is too large a number")))
    } else if value.is_instance_of::<PyFloat>() {
        Ok(Value::Float(value.extract()?))
    } else if let Ok(text) = value.cast::<PyString>() {
        Ok(Value::Text(text.to_str()?.to_owned()))
    } else if value.hasattr("__fspath__")? {
        Ok(Value::Text(value.call_method0("__fspath__")?.extract()?))
    } else {
        let kind = value.get_type().qualname()?;
        Err(usage(format!("{name} must be text, a number, True, False or None, not a {kind}")))
    }
}

/// The options that MySQLdb's and PyMySQL's dictionary `ssl` stands for.
pub(super) fn ssl_parts(parts: &Bound<'_, PyDict>) -> PyResult<Vec<(String, Value)>> {
    let mut found = vec![("ssl".to_owned(), Value::Bool(true))];
    for (key, value) in parts {
        let key = key.extract::<String>()?;
        if key == "password" && !value.is_none() {
            return Err(usage(
                "ssl has a password, but an encrypted key is not supported: write one that is not \
                 by 'openssl pkey -in FILE -out NEW', readable by its owner alone",
            ));
        }
        if !SSL_KEYS.contains(&key.as_str()) && key != "password" {
            let known = SSL_KEYS.join(", ");
            return Err(usage(format!("ssl has no {key:?}; it takes {known}")));
        }
        let name = format!("ssl_{key}");
        match plain(&name, &value)? {
            Value::Null => {}
            value => found.push((name, value)),
        }
    }
    Ok(found)
}

/// The sentence for an `ssl` that is neither a switch nor a dictionary.
pub(super) fn not_ssl(value: &Bound<'_, PyAny>) -> Option<String> {
    let is_context = value.hasattr("wrap_socket").unwrap_or(false);
    is_context.then(|| {
        "ssl cannot be an ssl.SSLContext, for TLS here is not Python's: give ssl_ca, ssl_cert, \
         ssl_key, ssl_cipher, tls_version or ssl_mode instead"
            .into()
    })
}

/// `connect_attrs`, a dictionary of text.
pub(super) fn attributes(given: &Bound<'_, PyDict>) -> PyResult<Vec<(String, String)>> {
    let text = |value: &Bound<'_, PyAny>| {
        let wrong = |_| usage("connect_attrs must be a dict of text: names and values");
        value.extract::<String>().map_err(wrong)
    };
    given.iter().map(|(name, value)| Ok((text(&name)?, text(&value)?))).collect()
}
