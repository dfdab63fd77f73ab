//! Options by name: from Python's keywords and from a URL, by one table.

use std::path::PathBuf;
use std::time::Duration;

use super::charset::Charset;
use super::options::{ConnectOptions, Secret};
use super::tls::TlsMode;

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

/// The names of all connection options, aliases included.
pub const NAMES: [&str; 28] = [
    "host",
    "user",
    "password",
    "passwd",
    "database",
    "db",
    "port",
    "unix_socket",
    "charset",
    "collation",
    "connect_timeout",
    "read_timeout",
    "write_timeout",
    "autocommit",
    "init_command",
    "sql_mode",
    "client_flag",
    "multi_statements",
    "local_infile",
    "use_unicode",
    "ssl",
    "ssl_mode",
    "ssl_ca",
    "ssl_cert",
    "ssl_key",
    "ssl_check_hostname",
    "server_public_key_path",
    "get_server_public_key",
];

impl ConnectOptions {
    /// Set one option by its name.
    ///
    /// # Errors
    /// A sentence that names the option, says what was given and what is wanted.
    pub fn set(&mut self, name: &str, value: Value) -> Result<(), String> {
        use mysql::mysql_common::constants::CapabilityFlags as Flags;
        let given = Given { name, value };
        match name {
            "host" => {
                self.host = given.text()?.filter(|h| !h.is_empty()).unwrap_or("localhost".into())
            }
            "user" => self.user = given.text()?,
            "password" | "passwd" => self.password = Secret::new(given.secret()?),
            "database" | "db" => self.database = given.text()?.filter(|name| !name.is_empty()),
            "port" => self.port = given.port()?,
            "unix_socket" => self.unix_socket = given.path()?,
            "charset" => {
                self.charset =
                    given.text()?.map_or(Ok(Charset::default()), |c| Charset::parse(&c))?
            }
            "collation" => self.collation = given.text()?.filter(|name| !name.is_empty()),
            "connect_timeout" => {
                self.connect_timeout = given.seconds()?.unwrap_or(Self::default().connect_timeout);
            }
            "read_timeout" => self.read_timeout = given.seconds()?,
            "write_timeout" => self.write_timeout = given.seconds()?,
            "autocommit" => self.autocommit = given.bool()?,
            "init_command" => self.init_command = given.text()?.filter(|sql| !sql.is_empty()),
            "sql_mode" => self.sql_mode = given.text()?,
            "client_flag" => self.add_flags(given.flags()?)?,
            "multi_statements" => {
                self.flags.set(Flags::CLIENT_MULTI_STATEMENTS, given.bool()? != Some(false))
            }
            "local_infile" => self.local_infile = given.bool()? == Some(true),
            "use_unicode" => given.only_true()?,
            "ssl" => self.tls.wanted = given.bool()? == Some(true),
            "ssl_mode" => self.tls.mode = given.tls_mode()?,
            "ssl_ca" => self.tls.ca = given.path()?,
            "ssl_cert" => self.tls.cert = given.path()?,
            "ssl_key" => self.tls.key = given.path()?,
            "ssl_check_hostname" => self.tls.check_hostname = given.bool()?,
            "server_public_key_path" => self.server_public_key = given.path()?,
            "get_server_public_key" => self.get_server_public_key = given.bool()? == Some(true),
            _ => return Err(unknown(name, &NAMES)),
        }
        Ok(())
    }
}

/// The sentence for an option that does not exist, with the nearest that does.
pub fn unknown(name: &str, known: &[&str]) -> String {
    // What is no name may be the rest of a password that was cut at its "?".
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return "an option in the URL's query is not a name; a ?, #, / or @ in the user or \
                password must be percent-encoded"
            .into();
    }
    let near =
        known.iter().map(|k| (strsim::levenshtein(name, k), *k)).min().filter(|(d, _)| *d <= 3);
    match near {
        Some((_, near)) => format!("unknown option {name:?}; did you mean {near:?}?"),
        None => format!("unknown option {name:?}"),
    }
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

    fn text(&self) -> Result<Option<String>, String> {
        match &self.value {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text.clone())),
            _ => self.wrong("text"),
        }
    }

    fn secret(&self) -> Result<String, String> {
        match &self.value {
            Value::Null => Ok(String::new()),
            Value::Text(text) => Ok(text.clone()),
            _ => Err(format!("{} must be text", self.name)),
        }
    }

    fn path(&self) -> Result<Option<PathBuf>, String> {
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
            Ok(duration) if fits(duration) => Ok(Some(duration)),
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

    fn port(&self) -> Result<Option<u16>, String> {
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

    fn flags(&self) -> Result<u32, String> {
        match self.whole().map(u32::try_from) {
            Some(Ok(flags)) => Ok(flags),
            _ => self.wrong("a sum of constants.CLIENT flags"),
        }
    }

    fn only_true(&self) -> Result<(), String> {
        match self.bool()? {
            None | Some(true) => Ok(()),
            Some(false) => self.wrong("true: text columns are answered as str"),
        }
    }

    fn tls_mode(&self) -> Result<Option<TlsMode>, String> {
        match self.text()? {
            None => Ok(None),
            Some(text) => match TlsMode::parse(&text) {
                Some(mode) => Ok(Some(mode)),
                None => self.wrong("DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectOptions, Value};

    fn refusal(name: &str, value: Value) -> String {
        ConnectOptions::default().set(name, value).unwrap_err()
    }

    #[test]
    fn a_misspelt_option_is_answered_with_the_nearest() {
        let text = refusal("pasword", Value::Null);
        assert_eq!(text, "unknown option \"pasword\"; did you mean \"password\"?");
    }

    #[test]
    fn a_wrong_value_is_named_with_what_is_wanted() {
        let text = refusal("port", Value::Text("http".into()));
        assert_eq!(text, "port must be a port from 1 to 65535, not \"http\"");
        assert!(refusal("read_timeout", Value::Int(-1)).contains("seconds above 0, not -1"));
        assert!(refusal("ssl_mode", Value::Text("maybe".into())).contains("VERIFY_IDENTITY"));
        assert!(refusal("charset", Value::Text("gbk".into())).contains("utf8mb4"));
    }

    #[test]
    fn a_password_of_the_wrong_type_is_not_printed() {
        assert!(!refusal("password", Value::Int(123_456)).contains("123456"));
    }

    #[test]
    fn text_from_a_url_is_read_as_the_option_wants_it() {
        let mut options = ConnectOptions::default();
        for (name, text) in [("port", "3307"), ("autocommit", "true"), ("read_timeout", "2.5")] {
            options.set(name, Value::Text(text.into())).unwrap();
        }
        assert_eq!(options.port, Some(3307));
        assert_eq!(options.autocommit, Some(true));
        assert_eq!(options.read_timeout.unwrap().as_millis(), 2500);
    }
}
