//! Options by name: from Python's keywords and from a URL, by one table.

use super::charset::Charset;
use super::given::{Given, Value};
use super::options::{ConnectOptions, Secret};

/// The names of all connection options, aliases included.
pub const NAMES: [&str; 33] = [
    "host",
    "host_order",
    "user",
    "password",
    "passwd",
    "credential_timeout",
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
    "compress",
    "prepared_cache_size",
    "use_unicode",
    "binary_prefix",
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
            "host_order" => self.host_order = given.host_order()?,
            "user" => self.user = given.text()?,
            "password" | "passwd" => self.password = Secret::new(given.secret()?),
            "credential_timeout" => {
                let default = Self::default().credential_timeout;
                self.credential_timeout = given.seconds()?.unwrap_or(default);
            }
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
            "compress" => self.flags.set(Flags::CLIENT_COMPRESS, given.bool()? == Some(true)),
            "prepared_cache_size" => self.prepared_cache_size = given.some()?,
            "binary_prefix" => self.binary_prefix = given.bool()?.unwrap_or(true),
            "use_unicode" => self.use_unicode = given.bool()?.unwrap_or(true),
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
    match nearest(name, known) {
        Some(near) => format!("unknown option {name:?}; did you mean {near:?}?"),
        None => format!("unknown option {name:?}"),
    }
}

/// The same for a name in a URL. It is repeated only where it is nearly an option: it may be the
/// rest of a password that was cut at its "?".
pub fn unknown_in_url(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(_) => unknown(name, known),
        None => "the URL's query has an unknown option; a ?, #, / or @ in the user or password \
                 must be percent-encoded"
            .into(),
    }
}

fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let near = known.iter().map(|known| (strsim::levenshtein(name, known), *known)).min();
    near.filter(|(letters, _)| *letters <= 3).map(|(_, near)| near)
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
        assert!(refusal("host_order", Value::Text("any".into())).contains("'listed' or 'random'"));
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
