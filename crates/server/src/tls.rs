//! TLS, with certificates that may change while the server runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;
use tracing::{error, info};

/// How long the files are believed to be as they were.
const FRESH: Duration = Duration::from_secs(1);

/// What is wrong with certificate or key.
#[derive(Debug, Error)]
#[error("{} and {} cannot be used for TLS ({reason}); expected a certificate chain and its private key, both in PEM", certificate.display(), key.display())]
pub struct TlsError {
    certificate: PathBuf,
    key: PathBuf,
    reason: String,
}

/// A certificate and its key, in files. They are read again when they change; while they cannot be read, or do not belong together, those
/// that were known stay in use.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    state: Mutex<State>,
}

struct State {
    config: Arc<ServerConfig>,
    stamp: [Option<SystemTime>; 2],
    looked: Instant,
}

impl Tls {
    /// Reads both files.
    ///
    /// # Errors
    /// One of them cannot be read, or they do not belong together.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let stamp = [stamp(certificate), stamp(key)];
        let config = read(certificate, key).map_err(|reason| TlsError {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            reason,
        })?;
        let state = State { config, stamp, looked: Instant::now() };
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), state: Mutex::new(state) })
    }

    /// What accepts the next connection.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= FRESH {
            state.looked = Instant::now();
            let now = [stamp(&self.certificate), stamp(&self.key)];
            if now != state.stamp {
                match read(&self.certificate, &self.key) {
                    Ok(config) => {
                        info!("the certificate was read again");
                        state.config = config;
                        state.stamp = now;
                    }
                    // Tried again: a key may be replaced a moment after its certificate.
                    Err(reason) => {
                        error!(reason, "the certificate cannot be read again; the one that was known stays in use")
                    }
                }
            }
        }
        TlsAcceptor::from(Arc::clone(&state.config))
    }
}

fn stamp(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

fn read(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, String> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| format!("certificate: {error}"))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| format!("key: {error}"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
