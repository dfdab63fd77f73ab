//! What a connection is asked to be: checked, with defaults.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use mysql::mysql_common::constants::CapabilityFlags;

use super::capabilities::{self, CALLERS};
use super::charset::Charset;
use super::credentials::Ask;
use super::hosts::HostOrder;
use super::infile::LocalFiles;
use super::place::Place;
use super::tls_options::TlsOptions;
use super::wait::Interrupt;

/// What servers take of the attributes of a connection, in bytes.
const MOST_ATTRIBUTES: usize = 64 * 1024 - 1024;

/// Text that is never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hide `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The options of a connection. The names are MySQLdb's.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// Name or address, or several with commas between them, each with a port of its own if need
    /// be: `a,b:3307,[::1]:3308`. Default "localhost".
    pub host: String,
    /// In which order several hosts are tried. Default: as listed.
    pub host_order: HostOrder,
    /// Of the hosts that name none. Default 3306. Without it, "localhost" alone means the usual
    /// unix socket where there is one; in a list of hosts it is a host like the others.
    pub port: Option<u16>,
    /// Path of a unix socket; wins over host and port.
    pub unix_socket: Option<PathBuf>,
    /// Default: the name of the user who runs the process, as the server's own clients do.
    pub user: Option<String>,
    /// Default: none.
    pub password: Secret,
    /// The address of this machine to connect from. Default: the system's choice.
    pub bind_address: Option<IpAddr>,
    /// An option file to read, see [`ConnectOptions::read_option_file`]. Default: none.
    pub read_default_file: Option<PathBuf>,
    /// A group of it to read besides [client]; without a file, of the usual ones. Default: none.
    pub read_default_group: Option<String>,
    /// Asked for the user at each connect, instead of `user`. Default: none.
    pub ask_user: Option<Ask>,
    /// Asked for the password at each connect, instead of `password`. Default: none.
    pub ask_password: Option<Ask>,
    /// How long each of those may take. Default 5 s.
    pub credential_timeout: Duration,
    /// The default database. Default: none.
    pub database: Option<String>,
    /// Default utf8mb4.
    pub charset: Charset,
    /// Whether columns of text are answered as text; else as bytes. True.
    pub use_unicode: bool,
    /// Whether bytes among parameters are marked as such, so that the server never takes them for
    /// text. True.
    pub binary_prefix: bool,
    /// Default: the server's for the character set.
    pub collation: Option<String>,
    /// For connecting, TLS and log-in together; a name is resolved before. Default 10 s.
    pub connect_timeout: Duration,
    /// For the wait for an answer; a result that takes longer must bring a kilobyte in each such
    /// time. Default: no limit.
    pub read_timeout: Option<Duration>,
    /// For sending one statement. Default: no limit.
    pub write_timeout: Option<Duration>,
    /// Default false (PEP 249); `None` leaves what the server has.
    pub autocommit: Option<bool>,
    /// Have the server tell what changes a session, so that one that nothing changed need not be
    /// reset: see [`Session::renew_if_changed`](super::Session::renew_if_changed). Default false.
    pub track_state: bool,
    /// A statement run on each new session. Default: none.
    pub init_command: Option<String>,
    /// Default: the server's.
    pub sql_mode: Option<String>,
    /// More capabilities, see [`ConnectOptions::add_flags`]; those that the server lacks are left
    /// out. `CLIENT_COMPRESS` is one: MySQL's own clients, too, go on uncompressed without it.
    pub flags: CapabilityFlags,
    /// Which files of this machine the server may ask for. Default: none.
    pub local_files: LocalFiles,
    /// `local_infile` was given and is false: a flag does not switch it on. Default false.
    pub forbid_files: bool,
    /// The largest packet to send, in bytes. Default: the largest that the server takes.
    pub max_allowed_packet: Option<usize>,
    /// What is told to the server of this program, besides the driver's own attributes, which
    /// begin with `_`: names and values, in their order. Default: none.
    pub attributes: Vec<(String, String)>,
    /// The authentication plugin to begin with. Default: the one that the server proposes.
    pub auth_plugin: Option<String>,
    /// Whether the account's plugin may ask for the password itself where nobody listens, without
    /// being the one to begin with. Default false.
    pub allow_cleartext: bool,
    /// How many prepared statements a session keeps. Default 32.
    pub prepared_cache_size: usize,
    /// Default: no TLS.
    pub tls: TlsOptions,
    /// The server's RSA key (PEM), for caching_sha2_password without TLS. Default: none.
    pub server_public_key: Option<PathBuf>,
    /// Ask the server for its RSA key and believe it. Default false.
    pub get_server_public_key: bool,
    /// Asked while waiting: must the wait end?
    pub interrupt: Option<Interrupt>,
    /// The options that are as an option file set them.
    pub from_file: Vec<&'static str>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            host: "localhost".into(),
            host_order: HostOrder::Listed,
            port: None,
            unix_socket: None,
            user: None,
            password: Secret::default(),
            bind_address: None,
            read_default_file: None,
            read_default_group: None,
            ask_user: None,
            ask_password: None,
            credential_timeout: Duration::from_secs(5),
            database: None,
            charset: Charset::default(),
            use_unicode: true,
            binary_prefix: true,
            collation: None,
            connect_timeout: Duration::from_secs(10),
            read_timeout: None,
            write_timeout: None,
            autocommit: Some(false),
            track_state: false,
            init_command: None,
            sql_mode: None,
            flags: CapabilityFlags::CLIENT_MULTI_STATEMENTS,
            local_files: LocalFiles::Off,
            forbid_files: false,
            max_allowed_packet: None,
            attributes: Vec::new(),
            auth_plugin: None,
            allow_cleartext: false,
            prepared_cache_size: 32,
            tls: TlsOptions::default(),
            server_public_key: None,
            get_server_public_key: false,
            interrupt: None,
            from_file: Vec::new(),
        }
    }
}

impl ConnectOptions {
    /// Switch capabilities on by MySQL's numbers (`constants.CLIENT`).
    ///
    /// # Errors
    /// When a flag is not one that a caller may choose.
    pub fn add_flags(&mut self, bits: u32) -> Result<(), String> {
        if let Some(why) = capabilities::refusal(bits) {
            return Err(why);
        }
        let asked = CapabilityFlags::from_bits_truncate(bits);
        if asked.contains(CapabilityFlags::CLIENT_LOCAL_FILES) && !self.forbid_files {
            self.allow_files(true);
        }
        self.flags |= asked & CALLERS;
        Ok(())
    }

    /// A directory that is given limits what is allowed, and allows it.
    pub(super) fn allow_files(&mut self, all: bool) {
        self.local_files = match std::mem::take(&mut self.local_files) {
            LocalFiles::Below(_) if !all && self.from_file.contains(&"local_infile_dir") => {
                LocalFiles::Off
            }
            LocalFiles::Below(directory) => LocalFiles::Below(directory),
            _ if all => LocalFiles::All,
            _ => LocalFiles::Off,
        };
    }

    /// The statement that makes a fresh session ours; `tracked`: whether the server offers to tell
    /// what changes it.
    pub(super) fn setup(&self, tracked: bool) -> String {
        let mut set = format!("SET NAMES {}", self.charset.name());
        if let Some(collation) = &self.collation {
            set += &format!(" COLLATE {collation}");
        }
        if let Some(autocommit) = self.autocommit {
            set += &format!(", autocommit = {}", u8::from(autocommit));
        }
        if let Some(mode) = &self.sql_mode {
            set += &format!(", sql_mode = '{mode}'");
        }
        if tracked {
            set += ", session_track_state_change = 1";
        }
        set
    }

    /// The caller's statement in the character set that it is read in.
    pub(super) fn first_statement(&self) -> Option<Cow<'_, [u8]>> {
        self.init_command.as_ref().and_then(|sql| self.charset.encode(sql))
    }

    /// The user that is given, or else the name of the one who runs the process.
    pub(super) fn own_user(&self) -> String {
        let runs_us = || std::env::var("USER").unwrap_or_default();
        self.user.clone().unwrap_or_else(runs_us)
    }

    /// Check what only shows when all options are known.
    ///
    /// # Errors
    /// A sentence that names the option and says what to do.
    pub fn validate(&self) -> Result<(), String> {
        if let Some(collation) = &self.collation {
            if !collation.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                return Err(format!("collation {collation:?} is not the name of a collation"));
            }
        }
        let is_mode = |byte: u8| byte.is_ascii_alphanumeric() || b"_, ".contains(&byte);
        if self.sql_mode.as_ref().is_some_and(|mode| !mode.bytes().all(is_mode)) {
            return Err("sql_mode is a list of names with commas between them".into());
        }
        if self.init_command.is_some() && self.first_statement().is_none() {
            let name = self.charset.name();
            return Err(format!("init_command: write it in ASCII, or without charset {name:?}"));
        }
        let holds_nul = |text: &Option<String>| text.as_ref().is_some_and(|t| t.contains('\0'));
        if self.host.contains('\0')
            || holds_nul(&self.user)
            || holds_nul(&self.database)
            || self.password.0.contains('\0')
        {
            return Err("host, user, password and database cannot contain a NUL character".into());
        }
        Place::all(self)?;
        let attributes: usize = self.attributes.iter().map(|(k, v)| k.len() + v.len()).sum();
        if attributes > MOST_ATTRIBUTES {
            let most = MOST_ATTRIBUTES / 1024;
            return Err(format!("connect_attrs and program_name may have {most} KiB together"));
        }
        self.tls.validate()
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectOptions, Secret};

    #[test]
    fn a_password_is_not_printed() {
        let options = ConnectOptions { password: Secret::new("hush"), ..ConnectOptions::default() };
        assert!(!format!("{options:?}").contains("hush"));
    }

    #[test]
    fn a_collation_cannot_smuggle_sql() {
        let bad = "utf8mb4_bin; DROP TABLE t";
        let options = ConnectOptions { collation: Some(bad.into()), ..ConnectOptions::default() };
        assert!(options.validate().is_err());
    }

    #[test]
    fn flags_that_change_the_protocol_are_refused() {
        let mut options = ConnectOptions::default();
        assert!(options.add_flags(2 + 32).is_ok());
        let deprecate_eof = 1 << 24;
        assert!(options.add_flags(deprecate_eof).unwrap_err().contains("client_flag 16777216"));
        assert!(options.add_flags(1 << 11).unwrap_err().ends_with("by ssl_mode or ssl_ca"));
    }
}
