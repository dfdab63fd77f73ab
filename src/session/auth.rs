//! The log-in: what each authentication plugin answers.

use std::fs;

use mysql::mysql_common::crypto::der::parse_pub_key_pkcs8;
use mysql::mysql_common::crypto::rsa::{GetRandom, Pkcs1OaepPadding, PublicKey};
use mysql::mysql_common::packets::{AuthPlugin, AuthSwitchRequest};
use mysql::mysql_common::scramble::create_response_for_ed25519;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::SubjectPublicKeyInfoDer;

use super::credentials::Credentials;
use super::error::Error;
use super::options::ConnectOptions;

/// caching_sha2_password: the server knows the password already.
const FAST_OK: u8 = 3;
/// caching_sha2_password: the server wants the password itself.
const FULL_NEEDED: u8 = 4;
const ASK_FOR_KEY: u8 = 2;
/// The plugins that we answer.
pub(super) const PLUGINS: [&str; 5] =
    ["mysql_native_password", "caching_sha2_password", "sha256_password", "client_ed25519", CLEAR];
/// Sends the password as it is. Only where the options allow it: else any server could ask for it.
const CLEAR: &str = "mysql_clear_password";
/// Always full. MySQL 9 also asks for it, as a decoy, when a user does not exist.
const SHA256_PASSWORD: &[u8] = b"sha256_password";
const ASK_FOR_SHA256_KEY: u8 = 1;
/// What OAEP padding with SHA-1 takes of a block, in octets.
const OAEP: usize = 42;
/// client_ed25519: how many bytes are signed.
const ED25519_NONCE: usize = 32;

/// How a log-in travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Tls,
    UnixSocket,
    Clear,
}

impl Way {
    /// Whether nobody can listen.
    fn is_private(self) -> bool {
        self != Self::Clear
    }
}

/// One log-in, as it goes back and forth.
pub(super) struct Login<'a> {
    options: &'a ConnectOptions,
    credentials: &'a Credentials,
    way: Way,
    plugin: AuthPlugin<'static>,
    nonce: Vec<u8>,
}

impl<'a> Login<'a> {
    pub(super) fn new(
        options: &'a ConnectOptions,
        credentials: &'a Credentials,
        way: Way,
        plugin: AuthPlugin<'static>,
        nonce: Vec<u8>,
    ) -> Self {
        Self { options, credentials, way, plugin, nonce }
    }

    pub(super) fn user(&self) -> &str {
        &self.credentials.user
    }

    pub(super) fn plugin(&self) -> &AuthPlugin<'static> {
        &self.plugin
    }

    /// What it ended with: the plugin, and what the server had it scramble the password with.
    pub(super) fn end(self) -> (AuthPlugin<'static>, Vec<u8>) {
        (self.plugin, self.nonce)
    }

    /// The answer that travels with the first packet. A plugin that we lack is answered with
    /// nothing: the account may use another one, and the server then asks for that.
    pub(super) fn first_answer(&self) -> Result<Vec<u8>, Error> {
        match self.plugin {
            AuthPlugin::MysqlNativePassword
            | AuthPlugin::CachingSha2Password
            | AuthPlugin::Ed25519
            | AuthPlugin::MysqlClearPassword => self.answer(),
            _ => Ok(Vec::new()),
        }
    }

    /// The same where one byte counts it, and the plugin to announce with it. What has no room, such
    /// as a token, waits until the server asks for it: it does for an account of another plugin.
    pub(super) fn short_answer(&self) -> Result<(AuthPlugin<'static>, Vec<u8>), Error> {
        let answer = self.first_answer()?;
        match u8::try_from(answer.len()) {
            Ok(_) => Ok((self.plugin.clone(), answer)),
            Err(_) => Ok((AuthPlugin::MysqlNativePassword, Vec::new())),
        }
    }

    /// The server asks for another plugin than it announced.
    pub(super) fn switch(&mut self, request: &AuthSwitchRequest<'_>) -> Result<Vec<u8>, Error> {
        self.plugin = request.auth_plugin().into_owned();
        self.nonce = request.plugin_data().to_vec();
        if self.plugin == AuthPlugin::Ed25519 {
            // These random bytes have no terminator, but `plugin_data` takes a last zero for one.
            self.nonce.resize(ED25519_NONCE, 0);
        }
        self.answer()
    }

    fn answer(&self) -> Result<Vec<u8>, Error> {
        match &self.plugin {
            // An empty password is signed as well.
            AuthPlugin::Ed25519 => {
                let password = self.credentials.password.reveal().as_bytes();
                Ok(create_response_for_ed25519(password, &self.nonce).to_vec())
            }
            AuthPlugin::MysqlNativePassword | AuthPlugin::CachingSha2Password => {
                let password = self.credentials.password.reveal();
                let data = self.plugin.gen_data(Some(password), &self.nonce);
                Ok(data.map(|data| data.to_vec()).unwrap_or_default())
            }
            AuthPlugin::MysqlClearPassword => self.clear(),
            sha256 if sha256.as_bytes() == SHA256_PASSWORD && self.way == Way::Tls => {
                Ok(self.terminated())
            }
            sha256 if sha256.as_bytes() == SHA256_PASSWORD => self.by_rsa(ASK_FOR_SHA256_KEY),
            other => Err(Error::auth(format!(
                "Authentication plugin '{}' is not supported; supported are \
                 {}",
                String::from_utf8_lossy(other.as_bytes()),
                PLUGINS.join(", ")
            ))),
        }
    }

    fn clear(&self) -> Result<Vec<u8>, Error> {
        let named = self.options.auth_plugin.as_deref() == Some(CLEAR);
        let why = match named || self.options.allow_cleartext {
            true if self.way.is_private() => return Ok(self.terminated()),
            true => "this connection is not private: use TLS (ssl_ca, ssl_mode) or a unix socket",
            false => "nobody allowed it: where it is meant, such as for tokens, say auth_plugin='mysql_clear_password'",
        };
        Err(Error::auth(format!("the server asks for the password itself ({CLEAR}), and {why}")))
    }

    /// What caching_sha2_password says after the scramble: nothing to answer, or the next answer.
    pub(super) fn more(&self, data: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        match data {
            [FAST_OK] => Ok(None),
            [FULL_NEEDED] if self.way.is_private() => Ok(Some(self.terminated())),
            [FULL_NEEDED] => self.by_rsa(ASK_FOR_KEY).map(Some),
            key if key.starts_with(b"-----BEGIN") && self.may_ask_for_key() => {
                self.encrypted(key).map(Some)
            }
            _ => Err(Error::auth("the server asked for something unknown during log-in")),
        }
    }

    fn by_rsa(&self, ask: u8) -> Result<Vec<u8>, Error> {
        if let Some(path) = &self.options.server_public_key {
            let key = fs::read(path).map_err(|cause| {
                let path = path.display();
                Error::auth(format!("cannot read server_public_key_path '{path}': {cause}"))
            })?;
            return self.encrypted(&key);
        }
        if self.may_ask_for_key() {
            return Ok(vec![ask]);
        }
        Err(Error::auth(
            "the account's plugin sends the password itself, and this connection is not private: \
             use TLS (ssl_mode, ssl_ca), a unix socket, server_public_key_path, or \
             get_server_public_key=True where the network is trusted",
        ))
    }

    /// Where somebody could listen he could also answer, with a key of his own.
    fn may_ask_for_key(&self) -> bool {
        self.options.get_server_public_key || self.way.is_private()
    }

    fn encrypted(&self, key: &[u8]) -> Result<Vec<u8>, Error> {
        let mut masked = self.terminated();
        for (byte, mask) in masked.iter_mut().zip(self.nonce.iter().cycle()) {
            *byte ^= mask;
        }
        let key = SubjectPublicKeyInfoDer::from_pem_slice(key).ok();
        // The helpers of `mysql_common` panic on anything but an RSA key that is long enough.
        let key = key.filter(|key| rsa_octets(key).is_some_and(|n| n >= masked.len() + OAEP));
        let Some(key) = key else {
            return Err(Error::auth(
                "the server's public key is not an RSA key in PEM format, or too short for the \
                 password",
            ));
        };
        let (modulus, exponent) = parse_pub_key_pkcs8(&key);
        let key = PublicKey::new(modulus, exponent);
        Ok(key.encrypt_block(&masked, Pkcs1OaepPadding::new(GetRandom)))
    }

    fn terminated(&self) -> Vec<u8> {
        let mut bytes = self.credentials.password.reveal().as_bytes().to_vec();
        bytes.push(0);
        bytes
    }
}

/// How long the modulus of an RSA key in DER is, in octets; `None` where it is no such key.
fn rsa_octets(der: &[u8]) -> Option<usize> {
    let (outer, _) = element(0x30, der)?;
    let (_algorithm, rest) = element(0x30, outer)?;
    let (bits, _) = element(0x03, rest)?;
    let (fields, _) = element(0x30, bits.strip_prefix(&[0])?)?;
    let (modulus, rest) = element(0x02, fields)?;
    element(0x02, rest)?;
    Some(modulus.strip_prefix(&[0]).unwrap_or(modulus).len())
}

/// One DER element of the wanted kind: its content, and what follows it.
fn element(kind: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = der.strip_prefix(&[kind])?.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), &rest[2..]),
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::{AuthPlugin, ConnectOptions, Credentials, Login, Way};
    use crate::session::Secret;

    #[test]
    fn what_one_byte_cannot_count_waits_to_be_asked_for() {
        let options = ConnectOptions { allow_cleartext: true, ..ConnectOptions::default() };
        for (length, announced) in [(254, "mysql_clear_password"), (255, "mysql_native_password")] {
            let password = Secret::new("t".repeat(length));
            let credentials = Credentials { password, ..Credentials::default() };
            let plugin = AuthPlugin::MysqlClearPassword;
            let login = Login::new(&options, &credentials, Way::Tls, plugin, Vec::new());
            let (plugin, answer) = login.short_answer().unwrap();
            assert_eq!(plugin.as_bytes(), announced.as_bytes());
            // With the zero that ends it, or nothing.
            assert_eq!(answer.len(), if length < 255 { length + 1 } else { 0 });
        }
    }
}
