//! The certificate authorities that are trusted in place of the system's: `AWS_CA_BUNDLE`, or `ca_bundle` of the profile.

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use portzero_core::base::finding::{Code, Finding};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

const END: &str = "-----END CERTIFICATE-----";

/// # Errors
/// A finding where the file cannot be read, or has no certificate. `source` is what names it.
pub(super) fn bundle(source: &str, path: &str) -> Result<TlsContext, Box<Finding>> {
    let refused = |why: String| {
        let finding = Finding::error(
            Code::Config,
            format!("{source} names a file that gives no certificates"),
        );
        Box::new(
            finding
                .evidence("file", path)
                .evidence("because", why)
                .state("nothing was changed")
                .hint(format!(
                    "let {source} name a file of certificates in PEM form, or unset it"
                )),
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    let certificates: Vec<&str> = text
        .split_inclusive(END)
        .filter(|block| is_certificate(block))
        .collect();
    if certificates.is_empty() {
        return Err(refused("it has no certificate of an authority in PEM form".into()));
    }
    let store = TrustStore::empty().with_pem_certificate(certificates.concat());
    TlsContext::builder()
        .with_trust_store(store)
        .build()
        .map_err(|error| refused(error.to_string()))
}

/// The client stops the program at one that it cannot read, so those are left out, as they are of the system's own.
fn is_certificate(block: &str) -> bool {
    let Ok(certificate) = CertificateDer::from_pem_slice(block.as_bytes()) else {
        return false;
    };
    RootCertStore::empty().add(certificate).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_named_with_what_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let told = |path: &std::path::Path| {
            let refused = bundle("AWS_CA_BUNDLE", &path.display().to_string()).map(|_| ());
            format!("{:?}", refused.unwrap_err())
        };
        assert!(told(&path).contains("No such file"));
        assert!(told(folder.path()).contains("AWS_CA_BUNDLE names a file that gives no certificates"));
        for text in [
            "",
            "words",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            std::fs::write(&path, text).unwrap();
            assert!(told(&path).contains("no certificate of an authority"), "{text}");
        }
    }
}
