//! Keywords and URLs as options.

use std::ffi::CString;
use std::path::Path;

use pyo3::exceptions::PyRuntimeWarning;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};

use super::conversions::Conversions;
use super::credentials::Source;
use super::errors::{interrupted, raise, usage};
use super::foreign;
use super::option_values::{attributes, not_ssl, plain, ssl_parts};
use super::pool_options::{self, Hooks, Pooling};
use crate::pool::{PoolOptions, Reset};
use crate::session::{self, ConnectOptions, Connector, Given, Value};

/// The names of the options that are Python objects.
const OBJECT_NAMES: [&str; 2] = ["conv", "cursorclass"];

const CURSORCLASS: &str = "cursorclass is a class whose objects are cursors, such as \
                           forksafe.cursors.DictCursor; it is called with the connection";

/// Options on their way from the caller.
pub(super) struct Options {
    connect: ConnectOptions,
    pool: Option<Pooling>,
    objects: Objects,
    conv: Option<Py<PyDict>>,
}

/// The options that are Python objects.
#[derive(Default)]
pub(super) struct Objects {
    /// The caller's own functions for values.
    pub(super) conv: Option<Conversions>,
    /// The class of cursors that are not asked for by a class.
    pub(super) cursorclass: Option<Py<PyType>>,
    user: Option<Source>,
    password: Option<Source>,
}

impl Objects {
    /// For the garbage collector: they often refer to what the connection or its pool belongs to.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.conv.iter().try_for_each(|conv| conv.traverse(visit))?;
        visit.call(&self.cursorclass)?;
        [&self.user, &self.password].into_iter().flatten().try_for_each(|it| it.traverse(visit))
    }
}

impl Options {
    /// For a connection, which has no pool options.
    pub(super) fn for_connection() -> Self {
        let connect = ConnectOptions { interrupt: Some(interrupted), ..ConnectOptions::default() };
        Self { connect, pool: None, objects: Objects::default(), conv: None }
    }

    /// For a pool.
    pub(super) fn for_pool() -> Self {
        Self { pool: Some(Pooling::default()), ..Self::for_connection() }
    }

    /// Read the option file first, then the URL, then the keywords: what comes later wins.
    pub(super) fn read(
        mut self,
        url: Option<&str>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let of_url = url.map_or_else(|| Ok(Vec::new()), |url| self.settings(url))?;
        self.read_file(&of_url, keywords)?;
        for (name, value) in of_url {
            self.set(&name, value).map_err(usage)?;
        }
        for (name, value) in keywords.into_iter().flatten() {
            self.set_python(name.cast::<PyString>()?.to_str()?, &value)?;
        }
        Ok(self)
    }

    fn settings(&self, url: &str) -> PyResult<Vec<(String, Value)>> {
        if !url.contains("://") {
            return Err(usage(
                "the first argument is a URL like mysql://user:password@host/database; \
                 everything else is given by keyword, e.g. host=…",
            ));
        }
        let settings = session::url::settings(url).map_err(usage)?;
        for (name, _) in &settings {
            if let Some(foreign) = self.foreign(name) {
                return Err(usage(foreign));
            }
            if !self.known().contains(&&**name) {
                return Err(usage(session::unknown_in_url(name, &self.known())));
            }
        }
        Ok(settings)
    }

    /// The option file that URL or keywords name. What it says is what they say nothing of.
    fn read_file(
        &mut self,
        of_url: &[(String, Value)],
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        for name in ["read_default_file", "read_default_group"] {
            for (_, value) in of_url.iter().filter(|(given, _)| given == name) {
                self.set(name, value.clone()).map_err(usage)?;
            }
            if let Some(value) = keywords.map(|all| all.get_item(name)).transpose()?.flatten() {
                self.set_python(name, &value)?;
            }
        }
        let ignored = self.connect.read_option_file().map_err(usage)?;
        ignored.iter().try_for_each(|file| Python::attach(|py| warn_of(py, file)))
    }

    /// What makes connections.
    pub(super) fn connector(&self) -> PyResult<Connector> {
        self.connect.validate().map_err(usage)?;
        // Only a reset of the session asks what has changed in it.
        let track_state =
            self.pool.as_ref().is_some_and(|pool| pool.options().reset == Reset::Session);
        let connect = ConnectOptions {
            track_state,
            ask_user: self.objects.user.as_ref().map(Source::ask),
            ask_password: self.objects.password.as_ref().map(Source::ask),
            ..self.connect.clone()
        };
        Connector::new(connect).map_err(|error| raise(&error))
    }

    /// The pool's options.
    pub(super) fn pool(&self) -> PoolOptions {
        self.pool.as_ref().map(|pool| pool.options().clone()).unwrap_or_default()
    }

    /// The pool's hooks.
    pub(super) fn hooks(&mut self, py: Python<'_>) -> PyResult<Hooks> {
        self.pool.as_mut().map_or_else(|| Ok(Hooks::default()), |pool| pool.take_hooks(py))
    }

    /// Those that are Python objects.
    pub(super) fn objects(self, py: Python<'_>) -> PyResult<Objects> {
        let conv = Conversions::of(py, self.conv.as_ref().map(|conv| conv.bind(py)))?;
        Ok(Objects { conv, ..self.objects })
    }

    /// The options there are. That of a pool is known without one too, to say where it belongs.
    fn known(&self) -> Vec<&'static str> {
        [&session::NAMES[..], &pool_options::NAMES, &OBJECT_NAMES].concat()
    }

    /// The sentence for a name that other pools have for an option of a pool.
    fn foreign(&self, name: &str) -> Option<String> {
        let (answer, own) = foreign::answer(name)?;
        let of_pools = own.filter(|own| pool_options::NAMES.contains(own)).map(of_pools);
        Some(match (of_pools, &self.pool) {
            (Some(where_from), None) => format!("{answer}; {where_from}"),
            _ => answer,
        })
    }

    fn set_python(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        match (name, value.cast::<PyDict>()) {
            ("conv", _) if value.is_none() => Ok(()),
            ("conv", Ok(conv)) => {
                self.conv = Some(conv.clone().unbind());
                Ok(())
            }
            ("conv", Err(_)) => Err(usage("conv is a dict; see forksafe.converters")),
            ("cursorclass", _) => self.set_cursorclass(value),
            ("ssl", Ok(parts)) => ssl_parts(parts)?
                .into_iter()
                .try_for_each(|(name, value)| self.set(&name, value))
                .map_err(usage),
            ("ssl", Err(_)) if not_ssl(value).is_some() => {
                Err(usage(not_ssl(value).unwrap_or_default()))
            }
            ("connect_attrs", Ok(given)) => {
                self.connect.set_attributes(attributes(given)?).map_err(usage)
            }
            _ if self.set_callable(name, value)? => Ok(()),
            _ if self.known().contains(&name) => self.set(name, plain(name, value)?).map_err(usage),
            _ => {
                let unknown = || session::unknown(name, &self.known());
                Err(usage(self.foreign(name).unwrap_or_else(unknown)))
            }
        }
    }

    /// Set an option to a callable; `false`: it has none of these names, or the value is none.
    fn set_callable(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        match (name, &mut self.pool) {
            ("user", _) if value.is_callable() => {
                self.objects.user = Some(Source::new(value)?);
                Ok(true)
            }
            ("password" | "passwd", _) if value.is_callable() => {
                self.objects.password = Some(Source::new(value)?);
                Ok(true)
            }
            ("user" | "password" | "passwd", _)
                if !value.is_none() && !value.is_instance_of::<PyString>() =>
            {
                let kind = value.get_type().qualname()?;
                let wanted = "text, or a callable without arguments that answers it";
                Err(usage(format!("{name} must be {wanted}, not a {kind}")))
            }
            (_, Some(pool)) => pool.set_callable(name, value),
            (_, None) if pool_options::NAMES.contains(&name) => Err(usage(of_pools(name))),
            (_, None) => Ok(false),
        }
    }

    fn set_cursorclass(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let class = value.cast::<PyType>().ok();
        if class.is_none() && !value.is_none() {
            return Err(usage(CURSORCLASS));
        }
        self.objects.cursorclass = class.map(|class| class.clone().unbind());
        Ok(())
    }

    fn set(&mut self, name: &str, value: Value) -> Result<(), String> {
        match &mut self.pool {
            Some(pool) if pool_options::NAMES.contains(&name) => pool.set(Given { name, value }),
            None if pool_options::NAMES.contains(&name) => Err(of_pools(name)),
            _ if OBJECT_NAMES.contains(&name) => {
                Err(format!("{name} is a Python object, which a URL cannot hold: a keyword can"))
            }
            _ => {
                match name {
                    "user" => self.objects.user = None,
                    "password" | "passwd" => self.objects.password = None,
                    _ => {}
                }
                self.connect.set(name, value)
            }
        }
    }
}

/// MySQL's own clients print this.
fn warn_of(py: Python<'_>, file: &Path) -> PyResult<()> {
    let text = format!(
        "option file '{}' is ignored: everybody may write to it; 'chmod o-w' it",
        file.display()
    );
    let category = py.get_type::<PyRuntimeWarning>();
    PyErr::warn(py, &category, &CString::new(text)?, 1)
}

fn of_pools(name: &str) -> String {
    format!("{name} is an option of forksafe.Pool, not of a single connection")
}
