//! Options by name: from Python's keywords and from a URL, by one table.

use super::charset::Charset;
use super::given::{Given, Value};
use super::infile::LocalFiles;
use super::options::{ConnectOptions, Secret};

/// The names of all connection options, aliases included.
pub const NAMES: [&str; 47] = [
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
    "bind_address",
    "named_pipe",
    "read_default_file",
    "read_default_group",
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
    "local_infile_dir",
    "max_allowed_packet",
    "compress",
    "prepared_cache_size",
    "use_unicode",
    "binary_prefix",
    "executemany_fallback",
    "program_name",
    "connect_attrs",
    "auth_plugin",
    "ssl",
    "ssl_mode",
    "ssl_ca",
    "ssl_capath",
    "ssl_cert",
    "ssl_key",
    "ssl_cipher",
    "ssl_check_hostname",
    "ssl_verify_mode",
    "tls_version",
    "server_public_key_path",
    "get_server_public_key",
];

impl ConnectOptions {
    /// Set one option by its name. What an option file has set stays where nothing is given
    /// instead: None, or no text.
    ///
    /// # Errors
    /// A sentence that names the option, says what was given and what is wanted.
    pub fn set(&mut self, name: &str, value: Value) -> Result<(), String> {
        let given = Given { name, value };
        if self.from_file.contains(&full(name)) {
            if given.is_nothing() {
                return Ok(());
            }
            self.from_file.retain(|set| *set != full(name));
        }
        if self.tls.set(&given, &mut self.from_file)? {
            return Ok(());
        }
        if !self.set_place(&given)? && !self.set_account(&given)? && !self.set_limit(&given)? {
            self.set_session(&given)?;
        }
        Ok(())
    }

    /// Where the server is. `false`: the option is of another kind.
    fn set_place(&mut self, given: &Given<'_>) -> Result<bool, String> {
        match given.name {
            "host" => {
                let host = given.text()?.filter(|h| !h.is_empty()).unwrap_or("localhost".into());
                self.leave_socket_of_file(host != "localhost");
                self.host = host;
            }
            "host_order" => self.host_order = given.host_order()?,
            "port" => {
                self.port = given.port()?;
                self.leave_socket_of_file(self.port.is_some());
            }
            "unix_socket" => self.unix_socket = given.path()?,
            "bind_address" => self.bind_address = given.address()?,
            "named_pipe" if given.bool()? == Some(true) => {
                return Err("named_pipe is of Windows: give host and port, or unix_socket".into());
            }
            "named_pipe" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// As with MySQL's own clients: the socket of an option file is the one of localhost, and no
    /// answer to somebody who asks for another place.
    fn leave_socket_of_file(&mut self, elsewhere: bool) {
        if elsewhere && self.from_file.contains(&"unix_socket") {
            self.unix_socket = None;
        }
    }

    /// Who logs in, and how.
    fn set_account(&mut self, given: &Given<'_>) -> Result<bool, String> {
        match given.name {
            "user" => self.user = given.text()?,
            "password" | "passwd" => self.password = Secret::new(given.secret()?),
            "credential_timeout" => {
                let default = Self::default().credential_timeout;
                self.credential_timeout = given.seconds()?.unwrap_or(default);
            }
            "database" | "db" => self.database = given.text()?.filter(|name| !name.is_empty()),
            "auth_plugin" => self.auth_plugin = given.auth_plugin()?,
            "server_public_key_path" => self.server_public_key = given.path()?,
            "get_server_public_key" => self.get_server_public_key = given.bool()? == Some(true),
            "read_default_file" => self.read_default_file = given.path()?,
            "read_default_group" => {
                self.read_default_group = given.text()?.filter(|name| !name.is_empty());
            }
            "program_name" => {
                if let Some(program) = given.text()?.filter(|name| !name.is_empty()) {
                    self.set_attributes([("program_name".to_owned(), program)])?;
                }
            }
            "connect_attrs" => self.set_attributes(given.attributes()?)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// For how long, and how much.
    fn set_limit(&mut self, given: &Given<'_>) -> Result<bool, String> {
        match given.name {
            "connect_timeout" => {
                let default = Self::default().connect_timeout;
                self.connect_timeout = given.timeout()?.unwrap_or(default);
            }
            "read_timeout" => self.read_timeout = given.timeout()?,
            "write_timeout" => self.write_timeout = given.timeout()?,
            "max_allowed_packet" => self.max_allowed_packet = given.size()?,
            "prepared_cache_size" => self.prepared_cache_size = given.some()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What the session is like.
    fn set_session(&mut self, given: &Given<'_>) -> Result<(), String> {
        use mysql::mysql_common::constants::CapabilityFlags as Flags;
        match given.name {
            "charset" => {
                let name = given.text()?.filter(|name| !name.is_empty());
                self.charset = name.map_or(Ok(Charset::default()), |name| Charset::parse(&name))?;
            }
            "collation" => self.collation = given.text()?.filter(|name| !name.is_empty()),
            "autocommit" => self.autocommit = given.bool()?,
            "init_command" => self.init_command = given.text()?.filter(|sql| !sql.is_empty()),
            "sql_mode" => self.sql_mode = given.text()?,
            "client_flag" => self.add_flags(given.flags()?)?,
            "multi_statements" => {
                self.flags.set(Flags::CLIENT_MULTI_STATEMENTS, given.bool()? != Some(false));
            }
            "compress" => self.flags.set(Flags::CLIENT_COMPRESS, given.bool()? == Some(true)),
            "local_infile" => {
                let allowed = given.bool()?;
                self.forbid_files = allowed == Some(false);
                self.allow_files(allowed == Some(true));
            }
            "local_infile_dir" => {
                if let Some(directory) = given.path()? {
                    self.local_files = LocalFiles::below(&directory)?;
                }
            }
            "use_unicode" => self.use_unicode = given.bool()?.unwrap_or(true),
            "binary_prefix" => self.binary_prefix = given.bool()?.unwrap_or(true),
            "executemany_fallback" => given.only_loop()?,
            name => return Err(unknown(name, &NAMES)),
        }
        Ok(())
    }

    /// Tell the server these too; a later value of a name takes the place of an earlier one.
    ///
    /// # Errors
    /// When a name is one of the driver's own.
    pub fn set_attributes(
        &mut self,
        attributes: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), String> {
        for (name, value) in attributes {
            if name.is_empty() || name.starts_with('_') {
                return Err(format!(
                    "connect_attrs cannot have {name:?}: names that begin with _ are the driver's"
                ));
            }
            self.attributes.retain(|(known, _)| *known != name);
            self.attributes.push((name, value));
        }
        Ok(())
    }
}

/// The name of an option that has two.
pub(super) fn full(name: &str) -> &str {
    match name {
        "passwd" => "password",
        "db" => "database",
        name => name,
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
