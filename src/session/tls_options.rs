//! What is asked of TLS, in the words of MySQL, MySQLdb and PyMySQL.

use std::path::PathBuf;

use super::given::{Given, Value};

/// How much of TLS is asked for, in MySQL's words for `ssl_mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// No TLS.
    #[default]
    Disabled,
    /// TLS if the server has it, nothing verified.
    Preferred,
    /// TLS or an error, nothing verified: safe from listeners, not from a man in the middle.
    Required,
    /// The certificate must be signed by a trusted authority.
    VerifyCa,
    /// And it must be made out to the host that was asked for.
    VerifyIdentity,
}

impl TlsMode {
    /// MySQL's names, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "DISABLED" => Some(Self::Disabled),
            "PREFERRED" => Some(Self::Preferred),
            "REQUIRED" => Some(Self::Required),
            "VERIFY_CA" => Some(Self::VerifyCa),
            "VERIFY_IDENTITY" => Some(Self::VerifyIdentity),
            _ => None,
        }
    }
}

/// A version of TLS that can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLSv1.2
    V12,
    /// TLSv1.3
    V13,
}

/// OpenSSL's names of the ciphers that can be had, and the standard's.
pub(super) const CIPHERS: [(&str, &str); 9] = [
    ("TLS_AES_256_GCM_SHA384", "TLS13_AES_256_GCM_SHA384"),
    ("TLS_AES_128_GCM_SHA256", "TLS13_AES_128_GCM_SHA256"),
    ("TLS_CHACHA20_POLY1305_SHA256", "TLS13_CHACHA20_POLY1305_SHA256"),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    ("ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    ("ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    ("ECDHE-RSA-CHACHA20-POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
];

/// The TLS options of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Asked for by name; else derived, see [`TlsOptions::mode`].
    pub mode: Option<TlsMode>,
    /// TLS was asked for, without saying how.
    pub wanted: bool,
    /// File of trusted authorities (PEM). Default: those of the system.
    pub ca: Option<PathBuf>,
    /// Directory of files of trusted authorities (PEM), taken besides `ca`.
    pub capath: Option<PathBuf>,
    /// File of our own certificate and its chain (PEM).
    pub cert: Option<PathBuf>,
    /// File of our own private key (PEM).
    pub key: Option<PathBuf>,
    /// The ciphers that may be used, by the second of their names in [`CIPHERS`]. Default: all.
    pub ciphers: Option<Vec<&'static str>>,
    /// The versions that may be used. Default: all.
    pub versions: Option<Vec<TlsVersion>>,
    /// False: the certificate may be made out to another host.
    pub check_hostname: Option<bool>,
    /// False: the certificate is not verified at all.
    pub verify: Option<bool>,
}

impl TlsOptions {
    /// Verified in full when asked for in any way, unless the mode says otherwise.
    pub fn mode(&self) -> TlsMode {
        let files = [&self.ca, &self.capath, &self.cert, &self.key];
        let narrowed = self.ciphers.is_some() || self.versions.is_some();
        let checked = self.verify == Some(true) || self.check_hostname == Some(true);
        let named = files.iter().any(|file| file.is_some());
        let wanted = self.wanted || narrowed || named || checked;
        match (self.mode, self.check_hostname) {
            (Some(TlsMode::VerifyIdentity), Some(false)) => TlsMode::VerifyCa,
            (Some(mode), _) => mode,
            (None, _) if !wanted => TlsMode::Disabled,
            (None, _) if self.verify == Some(false) => TlsMode::Required,
            (None, Some(false)) => TlsMode::VerifyCa,
            (None, _) => TlsMode::VerifyIdentity,
        }
    }

    /// Set an option. `false`: it is of another kind.
    ///
    /// Who asks for TLS in any way by keyword or URL gets it in full, and nothing that an option
    /// file says makes it less. `from_file`: what is as a file set it.
    pub(super) fn set(
        &mut self,
        given: &Given<'_>,
        from_file: &mut Vec<&'static str>,
    ) -> Result<bool, String> {
        let mut alone = Self::default();
        if !alone.take(given)? {
            return Ok(false);
        }
        if alone.mode() != TlsMode::Disabled {
            self.leave_file(from_file);
        }
        self.take(given)
    }

    fn take(&mut self, given: &Given<'_>) -> Result<bool, String> {
        match given.name {
            "ssl" => self.wanted = given.bool()? == Some(true),
            "ssl_mode" => self.mode = given.tls_mode()?,
            "ssl_ca" => self.ca = given.path()?,
            "ssl_capath" => self.capath = given.path()?,
            "ssl_cert" => self.cert = given.path()?,
            "ssl_key" => self.key = given.path()?,
            "ssl_cipher" => self.ciphers = ciphers(given)?,
            "ssl_check_hostname" => self.check_hostname = given.bool()?,
            "ssl_verify_mode" => self.verify = verify_mode(given)?,
            "tls_version" => self.versions = versions(given)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn leave_file(&mut self, from_file: &mut Vec<&'static str>) {
        from_file.retain(|name| {
            match *name {
                "ssl_mode" => self.mode = None,
                "ssl_verify_mode" => self.verify = None,
                "ssl_check_hostname" => self.check_hostname = None,
                _ => return true,
            }
            false
        });
    }

    /// Check what only shows when all are known.
    pub(super) fn validate(&self) -> Result<(), String> {
        if self.cert.is_some() != self.key.is_some() {
            return Err("ssl_cert and ssl_key belong together: give both or neither".into());
        }
        let verifies = |mode| matches!(mode, TlsMode::VerifyCa | TlsMode::VerifyIdentity);
        if self.verify == Some(false) && self.mode.is_some_and(verifies) {
            let why = "asks for a verified certificate and ssl_verify_mode for none";
            return Err(format!("ssl_mode {why}: leave one of them out"));
        }
        Ok(())
    }
}

/// As PyMySQL and Python's `ssl` write it: a word, a switch, or the number of `ssl.CERT_…`.
fn verify_mode(given: &Given<'_>) -> Result<Option<bool>, String> {
    match &given.value {
        // CERT_REQUIRED. Of a server, CERT_OPTIONAL asks no less.
        Value::Int(2) => Ok(Some(true)),
        Value::Text(text) => match text.to_ascii_lowercase().as_str() {
            "none" => Ok(Some(false)),
            "optional" | "required" | "2" => Ok(Some(true)),
            _ => given.bool(),
        },
        _ => given.bool(),
    }
}

/// OpenSSL's names with colons between them. Those that cannot be had are left out, as OpenSSL
/// does, as long as one is left.
fn ciphers(given: &Given<'_>) -> Result<Option<Vec<&'static str>>, String> {
    let Some(text) = given.text()?.filter(|text| !text.is_empty()) else { return Ok(None) };
    let parts = || text.split([':', ',', ' ']).filter(|part| !part.is_empty());
    let is_rule = |part: &str| part.starts_with(['!', '-', '+', '@']);
    let known = |part: &str| {
        let same = |name: &str| name.eq_ignore_ascii_case(part);
        CIPHERS.iter().find(|(open, standard)| same(open) || same(standard)).map(|(_, name)| *name)
    };
    let found: Vec<_> = parts().filter_map(known).collect();
    if found.is_empty() || parts().any(is_rule) {
        let all = CIPHERS.map(|(name, _)| name).join(":");
        return given.wrong(&format!("names of ciphers with colons between them, out of {all}"));
    }
    Ok(Some(found))
}

fn versions(given: &Given<'_>) -> Result<Option<Vec<TlsVersion>>, String> {
    let Some(text) = given.text()?.filter(|text| !text.is_empty()) else { return Ok(None) };
    let parts = text.split([',', ':', ' ']).filter(|part| !part.is_empty());
    let version = |part: &str| match part.to_ascii_lowercase().as_str() {
        "tlsv1.2" => Ok(Some(TlsVersion::V12)),
        "tlsv1.3" => Ok(Some(TlsVersion::V13)),
        // Allowed, so nothing is lost by never using them.
        "tlsv1" | "tlsv1.0" | "tlsv1.1" => Ok(None),
        _ => Err(()),
    };
    match parts.map(version).collect::<Result<Vec<_>, ()>>() {
        Ok(found) if found.iter().any(Option::is_some) => {
            Ok(Some(found.into_iter().flatten().collect()))
        }
        _ => given.wrong("TLSv1.2, TLSv1.3, or both with a comma between them"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Given, TlsMode, TlsOptions, TlsVersion, Value};

    fn mode(settings: &[(&str, &str)]) -> TlsMode {
        let mut options = TlsOptions::default();
        for (name, text) in settings {
            options.take(&Given { name, value: Value::Text((*text).into()) }).unwrap();
        }
        options.validate().unwrap();
        options.mode()
    }

    #[test]
    fn whoever_asks_for_tls_in_any_way_gets_it_verified() {
        assert_eq!(mode(&[]), TlsMode::Disabled);
        assert_eq!(mode(&[("ssl_check_hostname", "false")]), TlsMode::Disabled);
        for asked in [
            ("ssl", "true"),
            ("ssl_ca", "a"),
            ("ssl_capath", "a"),
            ("ssl_cipher", "TLS_AES_128_GCM_SHA256"),
            ("tls_version", "TLSv1.3"),
            ("ssl_verify_mode", "required"),
            ("ssl_check_hostname", "true"),
        ] {
            assert_eq!(mode(&[asked]), TlsMode::VerifyIdentity, "{asked:?}");
        }
    }

    #[test]
    fn less_than_that_is_asked_for_by_name() {
        let ca = ("ssl_ca", "a");
        assert_eq!(mode(&[ca, ("ssl_check_hostname", "no")]), TlsMode::VerifyCa);
        assert_eq!(mode(&[ca, ("ssl_verify_mode", "none")]), TlsMode::Required);
        assert_eq!(mode(&[ca, ("ssl_mode", "preferred")]), TlsMode::Preferred);
    }

    #[test]
    fn of_a_list_of_ciphers_those_count_that_can_be_had() {
        let mut options = TlsOptions::default();
        let mut set = |name: &str, text: &str| {
            options.take(&Given { name, value: Value::Text(text.into()) })?;
            Ok::<_, String>(options.clone())
        };
        let found = set("ssl_cipher", "DHE-RSA-AES256-SHA:ecdhe-rsa-aes256-gcm-sha384").unwrap();
        assert_eq!(found.ciphers, Some(vec!["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]));
        assert!(set("ssl_cipher", "DHE-RSA-AES256-SHA").unwrap_err().contains("ECDHE-RSA-AES"));
        assert!(set("ssl_cipher", "TLS_AES_128_GCM_SHA256:!RC4").is_err());
        let found = set("tls_version", "TLSv1.1,TLSv1.2").unwrap();
        assert_eq!(found.versions, Some(vec![TlsVersion::V12]));
        assert!(set("tls_version", "TLSv1.1").unwrap_err().contains("TLSv1.3"));
    }
}
