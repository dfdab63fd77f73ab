//! What the settings of option files mean for a connection.

use std::path::PathBuf;

use super::given::Value;
use super::option_file::{Entry, OptionFile};
use super::options::ConnectOptions;
use super::tls_options::TlsMode;

/// An option by its name here, from an option file.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    /// Set this option.
    Set(&'static str, Value),
    /// Switch a capability on or off; the number is `client_flag`'s.
    Flag(u32, bool),
    /// Run this too on each new session.
    Run(String),
    /// The password itself may be asked for, or not.
    ClearText(bool),
    /// Never by a unix socket.
    Tcp,
    /// It concerns others.
    Nothing,
}

use Meaning::{ClearText, Flag, Nothing, Run, Set, Tcp};

const FOUND_ROWS: u32 = 1 << 1;
const INTERACTIVE: u32 = 1 << 10;

/// Options that are text, and are called otherwise here.
const TEXTS: [(&str, &str); 21] = [
    ("host", "host"),
    ("user", "user"),
    ("password", "password"),
    ("database", "database"),
    ("port", "port"),
    ("socket", "unix_socket"),
    ("bind-address", "bind_address"),
    ("connect-timeout", "connect_timeout"),
    ("timeout", "connect_timeout"),
    ("max-allowed-packet", "max_allowed_packet"),
    ("default-auth", "auth_plugin"),
    ("load-data-local-dir", "local_infile_dir"),
    ("server-public-key-path", "server_public_key_path"),
    ("ssl-mode", "ssl_mode"),
    ("ssl-ca", "ssl_ca"),
    ("ssl-capath", "ssl_capath"),
    ("ssl-cert", "ssl_cert"),
    ("ssl-key", "ssl_key"),
    ("ssl-cipher", "ssl_cipher"),
    ("tls-ciphersuites", "ssl_cipher"),
    ("ssl-tls-version", "tls_version"),
];

/// Those whose loss would make a connection less safe than its file asks for.
const MISSED: [&str; 6] =
    ["ssl-crl", "ssl-crlpath", "ssl-fp", "ssl-fplist", "ssl-fp-list", "ssl-passphrase"];

impl Entry {
    /// What it means. The sentence of an error says which setting, and not what it was set to.
    pub(super) fn meaning(&self) -> Result<Meaning, String> {
        let text = || self.value.clone().unwrap_or_default();
        // "If you know it": for MySQL's clients too it is the same setting.
        let name = self.name.strip_prefix("loose-").unwrap_or(&self.name);
        // MariaDB has two names for all of these.
        let name = match name.strip_prefix("tls-") {
            Some("ciphersuites") | None => name.to_owned(),
            Some("version") => "ssl-tls-version".into(),
            Some("verify-peer") => "ssl-verify-server-cert".into(),
            Some("enforce") => "ssl".into(),
            Some(rest) => format!("ssl-{rest}"),
        };
        let (name, on) = match ["skip-", "disable-"].iter().find_map(|no| name.strip_prefix(no)) {
            Some(rest) => (rest, false),
            None => (name.as_str(), self.is_on()),
        };
        Ok(match name {
            "compress" => Set("compress", Value::Bool(on)),
            "local-infile" => Set("local_infile", Value::Bool(on)),
            "multi-statements" | "multi-queries" => Set("multi_statements", Value::Bool(on)),
            "get-server-public-key" => Set("get_server_public_key", Value::Bool(on)),
            "enable-cleartext-plugin" => ClearText(on),
            "return-found-rows" => Flag(FOUND_ROWS, on),
            "interactive-timeout" => Flag(INTERACTIVE, true),
            "init-command" => Run(text()),
            "ssl" | "ssl-enforce" if on => Set("ssl", Value::Bool(true)),
            "ssl" => Set("ssl_mode", Value::Text("DISABLED".into())),
            "ssl-verify-server-cert" => Set("ssl_verify_mode", Value::Bool(on)),
            "protocol" => match text().to_ascii_lowercase().as_str() {
                "tcp" => Tcp,
                "socket" | "default" => Nothing,
                _ => return Err(format!("protocol in {} is not tcp or socket", self.place)),
            },
            "default-character-set" if text() == "auto" => Nothing,
            "default-character-set" => Set("charset", Value::Text(text())),
            missed if MISSED.contains(&missed) => {
                let why = "which cannot be done here: leave it out, or use another file";
                return Err(format!("{} asks for {}, {why}", self.place, self.name));
            }
            name => {
                TEXTS.iter().find(|(theirs, _)| *theirs == name).map_or(Nothing, |(_, ours)| {
                    // Without a value there is nothing to set; a lone `password` wants to be asked.
                    self.value
                        .as_ref()
                        .map_or(Nothing, |value| Set(ours, Value::Text(value.clone())))
                })
            }
        })
    }

    /// A switch without a value is on.
    fn is_on(&self) -> bool {
        let off = ["0", "off", "false", "no"];
        !self.value.as_ref().is_some_and(|value| off.contains(&&*value.to_ascii_lowercase()))
    }
}

impl ConnectOptions {
    /// Set what the option file says, if one is asked for; answers the files that were ignored,
    /// because everybody may write to them. Before all other options, which win.
    ///
    /// # Errors
    /// A sentence that names the file, and the line where it is one.
    pub fn read_option_file(&mut self) -> Result<Vec<PathBuf>, String> {
        let (file, group) = (self.read_default_file.as_deref(), self.read_default_group.as_deref());
        if file.is_none() && group.is_none() {
            return Ok(Vec::new());
        }
        let found = OptionFile::read(file, group)?;
        let (mut set, mut commands, mut tcp) = (Vec::new(), Vec::new(), false);
        for entry in &found.entries {
            let meaning = entry.meaning()?;
            let done = match meaning {
                Set(name, value) => {
                    set.push(name);
                    self.switch_on(name, &value);
                    self.set(name, value)
                }
                ClearText(allowed) => {
                    self.allow_cleartext = allowed;
                    Ok(())
                }
                Flag(flag, true) => self.add_flags(flag),
                Run(sql) => {
                    commands.push(sql.trim_end_matches([';', ' ']).to_owned());
                    Ok(())
                }
                Tcp => {
                    tcp = true;
                    Ok(())
                }
                Flag(_, false) | Nothing => Ok(()),
            };
            done.map_err(|why| format!("{why} ({})", entry.place))?;
        }
        if !commands.is_empty() {
            self.init_command = Some(commands.join("; "));
            set.push("init_command");
        }
        if tcp || self.host != "localhost" {
            self.unix_socket = None;
        }
        if tcp {
            self.port.get_or_insert(3306);
        }
        // What a file forbids, the program may allow.
        self.forbid_files = false;
        self.from_file = set;
        Ok(found.ignored)
    }

    /// A later `ssl` of a file takes back an earlier `skip-ssl`.
    fn switch_on(&mut self, name: &str, value: &Value) {
        let is_off = self.tls.mode == Some(TlsMode::Disabled);
        if is_off && name == "ssl" && *value == Value::Bool(true) {
            self.tls.mode = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ClearText, Entry, Flag, Meaning, Nothing, Set, Value};

    fn meaning(name: &str, value: Option<&str>) -> Result<Meaning, String> {
        let value = value.map(str::to_owned);
        Entry { name: name.into(), value, place: "'my.cnf', line 3".into() }.meaning()
    }

    #[test]
    fn what_concerns_others_is_let_alone() {
        for name in ["prompt", "default-storage-engine", "loose-frobnicate", "ssl-frobnicate"] {
            assert_eq!(meaning(name, Some("x")), Ok(Nothing), "{name}");
        }
        assert_eq!(meaning("password", None), Ok(Nothing));
    }

    #[test]
    fn what_would_be_missed_is_refused() {
        let said = meaning("tls-crl", Some("x")).unwrap_err();
        assert!(said.contains("'my.cnf', line 3 asks for tls-crl"), "{said}");
        assert!(meaning("protocol", Some("pipe")).is_err());
    }

    #[test]
    fn a_switch_is_on_without_a_value_and_off_by_skip() {
        assert_eq!(meaning("compress", None), Ok(Set("compress", Value::Bool(true))));
        assert_eq!(meaning("skip-compress", None), Ok(Set("compress", Value::Bool(false))));
        assert_eq!(meaning("local-infile", Some("0")), Ok(Set("local_infile", Value::Bool(false))));
        assert_eq!(meaning("enable-cleartext-plugin", None), Ok(ClearText(true)));
        assert_eq!(meaning("skip-enable-cleartext-plugin", None), Ok(ClearText(false)));
        assert_eq!(meaning("return-found-rows", Some("ON")), Ok(Flag(2, true)));
        let disabled = Ok(Set("ssl_mode", Value::Text("DISABLED".into())));
        assert_eq!(meaning("skip-ssl", None), disabled);
        assert_eq!(meaning("loose-skip-ssl", None), disabled);
        assert_eq!(meaning("ssl", Some("0")), disabled);
    }
}
