//! A named value as the caller gave it, and the ways to read it.

use std::path::PathBuf;
use std::time::Duration;

use super::hosts::HostOrder;
use super::tls::TlsMode;

/// Longer is no different, and adding it to a clock could overflow.
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// A value as the caller gave it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing: the default.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Text; in a URL everything is text, so numbers are read from it too.
    Text(String),
}

/// One named value on its way to a typed option.
#[derive(Debug)]
pub struct Given<'a> {
    /// The option's name.
    pub name: &'a str,
    /// What the caller gave.
    pub value: Value,
}

impl Given<'_> {
    fn wrong<T>(&self, wanted: &str) -> Result<T, String> {
        let name = self.name;
        match &self.value {
            Value::Text(_) if name.starts_with("pass") => Err(format!("{name} must be {wanted}")),
            Value::Text(text) => Err(format!("{name} must be {wanted}, not {text:?}")),
            Value::Null => Err(format!("{name} must be {wanted}, not None")),
            Value::Bool(value) => Err(format!("{name} must be {wanted}, not {value}")),
            Value::Int(value) => Err(format!("{name} must be {wanted}, not {value}")),
            Value::Float(value) => Err(format!("{name} must be {wanted}, not {value}")),
        }
    }

    pub(super) fn text(&self) -> Result<Option<String>, String> {
        match &self.value {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text.clone())),
            _ => self.wrong("text"),
        }
    }

    pub(super) fn secret(&self) -> Result<String, String> {
        match &self.value {
            Value::Null => Ok(String::new()),
            Value::Text(text) => Ok(text.clone()),
            _ => Err(format!("{} must be text", self.name)),
        }
    }

    pub(super) fn path(&self) -> Result<Option<PathBuf>, String> {
        Ok(self.text()?.filter(|path| !path.is_empty()).map(PathBuf::from))
    }

    /// A switch: true, false, 0, 1, or one of these as text.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn bool(&self) -> Result<Option<bool>, String> {
        match &self.value {
            Value::Null => Ok(None),
            Value::Bool(value) => Ok(Some(*value)),
            Value::Int(0) => Ok(Some(false)),
            Value::Int(1) => Ok(Some(true)),
            Value::Text(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Ok(Some(true)),
                "false" | "0" | "no" | "off" => Ok(Some(false)),
                "none" | "" => Ok(None),
                _ => self.wrong("true or false"),
            },
            _ => self.wrong("true or false"),
        }
    }

    /// A whole number of zero or more.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn count(&self) -> Result<usize, String> {
        let wanted = "a whole number of 0 or more";
        match self.whole() {
            Some(number) => usize::try_from(number).or_else(|_| self.wrong(wanted)),
            None => self.wrong(wanted),
        }
    }

    pub(super) fn some(&self) -> Result<usize, String> {
        match self.whole().and_then(|number| usize::try_from(number).ok()) {
            Some(number) if number > 0 => Ok(number),
            _ => self.wrong("a whole number of 1 or more"),
        }
    }

    /// Seconds above zero; `None` for "no limit".
    ///
    /// # Errors
    /// When it is anything else.
    pub fn seconds(&self) -> Result<Option<Duration>, String> {
        self.span("a number of seconds above 0", |span| !span.is_zero())
    }

    /// Seconds, zero among them; `None` for the default.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn seconds_or_zero(&self) -> Result<Option<Duration>, String> {
        self.span("a number of seconds, 0 or more", |_| true)
    }

    fn span(&self, wanted: &str, fits: fn(Duration) -> bool) -> Result<Option<Duration>, String> {
        let number = match &self.value {
            Value::Null => return Ok(None),
            Value::Text(text) if text.eq_ignore_ascii_case("none") => return Ok(None),
            Value::Int(number) => *number as f64,
            Value::Float(number) => *number,
            Value::Text(text) => text.trim().parse().or_else(|_| self.wrong(wanted))?,
            Value::Bool(_) => return self.wrong(wanted),
        };
        match Duration::try_from_secs_f64(number) {
            Err(_) if number > 0.0 => Ok(Some(A_YEAR)),
            Ok(duration) if fits(duration) => Ok(Some(duration.min(A_YEAR))),
            _ => self.wrong(wanted),
        }
    }

    fn whole(&self) -> Option<i64> {
        match &self.value {
            Value::Int(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    pub(super) fn port(&self) -> Result<Option<u16>, String> {
        match (&self.value, self.whole()) {
            (Value::Null, _) => Ok(None),
            // MySQL's own meaning of 0, which Django and SQLAlchemy pass on: the default.
            (_, Some(0)) => Ok(None),
            (Value::Text(text), _) if text.is_empty() => Ok(None),
            (_, Some(port)) => match u16::try_from(port) {
                Ok(port) => Ok(Some(port)),
                Err(_) => self.wrong("a port from 1 to 65535"),
            },
            _ => self.wrong("a port from 1 to 65535"),
        }
    }

    pub(super) fn flags(&self) -> Result<u32, String> {
        match self.whole().map(u32::try_from) {
            Some(Ok(flags)) => Ok(flags),
            _ => self.wrong("a sum of constants.CLIENT flags"),
        }
    }

    pub(super) fn host_order(&self) -> Result<HostOrder, String> {
        match self.text()?.as_deref() {
            None | Some("listed") => Ok(HostOrder::Listed),
            Some("random") => Ok(HostOrder::Random),
            Some(_) => self.wrong("'listed' or 'random'"),
        }
    }

    pub(super) fn tls_mode(&self) -> Result<Option<TlsMode>, String> {
        match self.text()? {
            None => Ok(None),
            Some(text) => match TlsMode::parse(&text) {
                Some(mode) => Ok(Some(mode)),
                None => self.wrong("DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY"),
            },
        }
    }
}
