//! A named value as the caller gave it, and the ways to read it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::auth::PLUGINS;
use super::capabilities;
use super::hosts::HostOrder;
use super::tls_options::TlsMode;

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
    pub(super) fn wrong<T>(&self, wanted: &str) -> Result<T, String> {
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

    /// A number of bytes, or one with K, M or G behind it.
    pub(super) fn size(&self) -> Result<Option<usize>, String> {
        let wanted = "a number of bytes above 0, such as 16777216 or '16M'";
        let number = match &self.value {
            Value::Null => return Ok(None),
            Value::Text(text) => {
                let bare = text.trim().trim_end_matches(['k', 'K', 'm', 'M', 'g', 'G']);
                let unit = match &text.trim()[bare.len()..] {
                    "" => 0,
                    "k" | "K" => 10,
                    "m" | "M" => 20,
                    "g" | "G" => 30,
                    _ => return self.wrong(wanted),
                };
                bare.parse().ok().and_then(|number: i64| number.checked_mul(1 << unit))
            }
            _ => self.whole(),
        };
        match number.and_then(|number| usize::try_from(number).ok()) {
            Some(number) if number > 0 => Ok(Some(number)),
            _ => self.wrong(wanted),
        }
    }

    pub(super) fn address(&self) -> Result<Option<IpAddr>, String> {
        match self.text()?.filter(|text| !text.is_empty()).map(|text| text.parse()) {
            None => Ok(None),
            Some(Ok(address)) => Ok(Some(address)),
            Some(Err(_)) => self.wrong("an IP address of this machine"),
        }
    }

    /// Whether it leaves an option as it is. Of a password, no text is one too.
    pub(super) fn is_nothing(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::Text(text) => text.is_empty() && !self.name.starts_with("pass"),
            Value::Int(0) => self.name == "port" || self.name.ends_with("_timeout"),
            _ => false,
        }
    }

    /// Seconds above zero; `None` and, as with MySQLdb, 0 for the default.
    pub(super) fn timeout(&self) -> Result<Option<Duration>, String> {
        match self.is_nothing() {
            true => Ok(None),
            false => self.seconds(),
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
        let named = || match &self.value {
            Value::Text(text) => capabilities::named(text),
            Value::Null => Some(0),
            _ => None,
        };
        match self.whole().and_then(|flags| u32::try_from(flags).ok()).or_else(named) {
            Some(flags) => Ok(flags),
            None => self.wrong("a sum of constants.CLIENT flags, or their names"),
        }
    }

    pub(super) fn only_loop(&self) -> Result<(), String> {
        match self.text()?.as_deref() {
            None | Some("loop") => Ok(()),
            Some(_) => self.wrong("'loop': what is no INSERT runs once for each of its rows"),
        }
    }

    pub(super) fn auth_plugin(&self) -> Result<Option<String>, String> {
        let name = self.text()?.filter(|name| !name.is_empty());
        match &name {
            Some(name) if !PLUGINS.contains(&name.as_str()) => self.wrong(&PLUGINS.join(", ")),
            _ => Ok(name),
        }
    }

    /// `name=value,name=value`.
    pub(super) fn attributes(&self) -> Result<Vec<(String, String)>, String> {
        let text = self.text()?.unwrap_or_default();
        let parts =
            text.split(',').filter(|part| !part.is_empty()).map(|part| part.split_once('='));
        let pair = |(name, value): (&str, &str)| (name.trim().to_owned(), value.trim().to_owned());
        match parts.map(|part| part.map(pair)).collect() {
            Some(pairs) => Ok(pairs),
            None => self.wrong("a dict of text, in a URL name=value,name=value"),
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
