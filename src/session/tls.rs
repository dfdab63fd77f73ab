//! TLS by rustls and ring: what to verify, and against what.
//!
//! Session resumption is off: its cache sits behind a mutex that all connections of a
//! configuration share, and a fork could copy it locked.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConnection, Resumption, WebPkiServerVerifier};
use rustls::crypto::{ring, verify_tls12_signature, verify_tls13_signature, CryptoProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    SupportedCipherSuite, SupportedProtocolVersion,
};

use super::error::Error;
use super::tls_options::{TlsMode, TlsOptions, TlsVersion};

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
    let provider = provider(options);
    let verifier: Arc<dyn ServerCertVerifier> = match mode {
        TlsMode::VerifyIdentity => trusted(options, &provider)?,
        TlsMode::VerifyCa => {
            let authority = Some(trusted(options, &provider)?);
            Arc::new(AnyName { authority, provider: Arc::clone(&provider) })
        }
        _ => Arc::new(AnyName { authority: None, provider: Arc::clone(&provider) }),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(options))
        .map_err(|_| Error::tls("ssl_cipher has no cipher of the tls_version that is asked for"))?
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

/// Ring with the ciphers that may be used.
fn provider(options: &TlsOptions) -> Arc<CryptoProvider> {
    let mut provider = ring::default_provider();
    if let Some(names) = &options.ciphers {
        let is_named = |suite: &SupportedCipherSuite| {
            suite.suite().as_str().is_some_and(|name| names.contains(&name))
        };
        provider.cipher_suites.retain(is_named);
    }
    Arc::new(provider)
}

/// Those that may be used, and have a cipher that may be.
fn versions(options: &TlsOptions) -> Vec<&'static SupportedProtocolVersion> {
    let may = |version| options.versions.as_ref().is_none_or(|may| may.contains(&version));
    let is_v13 = |name: &str| name.starts_with("TLS13_");
    let ciphers = options.ciphers.as_deref();
    let mut found = Vec::new();
    if may(TlsVersion::V13) && ciphers.is_none_or(|names| names.iter().any(|name| is_v13(name))) {
        found.push(&TLS13);
    }
    if may(TlsVersion::V12) && ciphers.is_none_or(|names| !names.iter().all(|name| is_v13(name))) {
        found.push(&TLS12);
    }
    found
}

fn trusted(
    options: &TlsOptions,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, Error> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = &options.ca {
        for certificate in certificates(file)? {
            roots.add(certificate).map_err(|e| unreadable("CA file", file, e))?;
        }
    }
    if let Some(directory) = &options.capath {
        let found = rustls_native_certs::load_certs_from_paths(None, Some(directory));
        if let Some(error) = found.errors.first() {
            return Err(unreadable("CA directory", directory, error));
        }
        let _ = roots.add_parsable_certificates(found.certs);
    }
    if options.ca.is_none() && options.capath.is_none() {
        let _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
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
    PrivateKeyDer::from_pem_file(file).map_err(|cause| {
        let text = fs::read_to_string(file).unwrap_or_default();
        if text.contains("ENCRYPTED") {
            let what_to_do = "it is encrypted, which is not supported: write one that is not by \
                              'openssl pkey -in FILE -out NEW', readable by its owner alone";
            return unreadable("key file", file, what_to_do);
        }
        unreadable("key file", file, cause)
    })
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
