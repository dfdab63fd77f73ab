//! TLS by rustls and ring: what to verify, and against what.
//!
//! Session resumption is off: its cache sits behind a mutex that all connections of a
//! configuration share, and a fork could copy it locked.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConnection, Resumption, WebPkiServerVerifier};
use rustls::crypto::{ring, verify_tls12_signature, verify_tls13_signature, CryptoProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use super::error::Error;

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

/// The TLS options of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Asked for by name; else derived, see [`TlsOptions::mode`].
    pub mode: Option<TlsMode>,
    /// TLS was asked for, without saying how.
    pub wanted: bool,
    /// File of trusted authorities (PEM). Default: those of the system.
    pub ca: Option<PathBuf>,
    /// File of our own certificate and its chain (PEM).
    pub cert: Option<PathBuf>,
    /// File of our own private key (PEM).
    pub key: Option<PathBuf>,
    /// False: the certificate may be made out to another host.
    pub check_hostname: Option<bool>,
}

impl TlsOptions {
    /// Verified in full when asked for in any way, unless the mode says otherwise.
    pub fn mode(&self) -> TlsMode {
        let files = [&self.ca, &self.cert, &self.key].iter().any(|file| file.is_some());
        match (self.mode, self.check_hostname) {
            (Some(TlsMode::VerifyIdentity), Some(false)) => TlsMode::VerifyCa,
            (Some(mode), _) => mode,
            (None, Some(false)) if self.wanted || files => TlsMode::VerifyCa,
            (None, _) if self.wanted || files => TlsMode::VerifyIdentity,
            (None, _) => TlsMode::Disabled,
        }
    }
}

/// A configuration, read from its files once, for all hosts.
pub(super) struct TlsSetup {
    config: Arc<ClientConfig>,
    optional: bool,
}

impl TlsSetup {
    /// `None` where TLS is disabled.
    pub(super) fn new(options: &TlsOptions) -> Result<Option<Self>, Error> {
        let mode = options.mode();
        if mode == TlsMode::Disabled {
            return Ok(None);
        }
        let config = Arc::new(configure(options, mode)?);
        Ok(Some(Self { config, optional: mode == TlsMode::Preferred }))
    }

    /// For one host.
    pub(super) fn to(&self, host: &str) -> Result<Tls, Error> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Error::tls(format_args!("{host:?} is not a host name or address")))?;
        Ok(Tls { config: Arc::clone(&self.config), name, optional: self.optional })
    }
}

/// TLS with one host.
#[derive(Clone)]
pub(super) struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    /// Go on without TLS where the server has none.
    pub(super) optional: bool,
}

impl Tls {
    pub(super) fn client(&self) -> Result<ClientConnection, Error> {
        ClientConnection::new(Arc::clone(&self.config), self.name.clone()).map_err(Error::tls)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tls {{ name: {:?}, optional: {} }}", self.name, self.optional)
    }
}

/// Make what ring makes at its first use now, so that no fork can catch it half made.
pub(super) fn prepare() {
    let provider = ring::default_provider();
    let mut byte = [0];
    let _ = provider.secure_random.fill(&mut byte);
    for suite in provider.cipher_suites {
        if let Some(suite) = suite.tls13() {
            let _ = suite.common.hash_provider.hash(&byte);
        }
    }
}

fn configure(options: &TlsOptions, mode: TlsMode) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match mode {
        TlsMode::VerifyIdentity => trusted(options, &provider)?,
        TlsMode::VerifyCa => {
            let authority = Some(trusted(options, &provider)?);
            Arc::new(AnyName { authority, provider: Arc::clone(&provider) })
        }
        _ => Arc::new(AnyName { authority: None, provider: Arc::clone(&provider) }),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::tls)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match (&options.cert, &options.key) {
        (Some(cert), Some(key)) => builder
            .with_client_auth_cert(certificates(cert)?, private_key(key)?)
            .map_err(Error::tls)?,
        (None, None) => builder.with_no_client_auth(),
        _ => return Err(Error::tls("a client certificate needs both its cert and its key file")),
    };
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn trusted(
    options: &TlsOptions,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, Error> {
    let mut roots = RootCertStore::empty();
    match &options.ca {
        Some(file) => {
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|e| unreadable("CA file", file, e))?;
            }
        }
        None => {
            let _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|e| Error::tls(format_args!("no trusted authorities ({e}); name a CA file")))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|e| unreadable("certificate file", file, e));
    match found? {
        empty if empty.is_empty() => {
            Err(unreadable("certificate file", file, "no certificate in it"))
        }
        found => Ok(found),
    }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_file(file).map_err(|e| unreadable("key file", file, e))
}

fn unreadable(what: &str, file: &Path, cause: impl fmt::Display) -> Error {
    Error::tls(format_args!("cannot use {what} '{}': {cause}", file.display()))
}

/// Does not ask whom a certificate is made out to; with an authority it asks who signed it, without
/// one it takes any: encryption without authentication, asked for by name.
#[derive(Debug)]
struct AnyName {
    authority: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use CertificateError::{NotValidForName, NotValidForNameContext};
        let Some(authority) = &self.authority else {
            return Ok(ServerCertVerified::assertion());
        };
        match authority.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(
                NotValidForName | NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
