//! Who issued a certificate: for people who want to know by whom they are trusted on a way that somebody may intercept. Nothing is
//! decided by it; whether the certificate is trusted has been decided before.

use x509_parser::prelude::{FromDer, X509Certificate};

/// The longest name shown, in characters.
const SHOWN: usize = 80;

/// The issuer's common name in this certificate (RFC 5280 section 4.1.2.4), or else its organisation, made harmless; none where there
/// is none that can be read.
pub(crate) fn name(certificate: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let issuer = certificate.issuer();
    let names = issuer.iter_common_name().chain(issuer.iter_organization());
    let mut harmless = names.filter_map(|name| {
        let signs = name.as_str().ok()?.chars().filter(|sign| !sign.is_control());
        Some(signs.take(SHOWN).collect::<String>())
    });
    harmless.find(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    fn issued_by(names: &[(DnType, &str)]) -> Vec<u8> {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in names {
            authority.distinguished_name.push(kind.clone(), *value);
        }
        let issuer = Issuer::new(authority, KeyPair::generate().unwrap());
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(vec!["x.example".to_owned()]).unwrap();
        server.signed_by(&key, &issuer).unwrap().der().to_vec()
    }

    #[test]
    fn the_issuer_is_told_by_its_name_or_else_by_its_organisation() {
        let both = issued_by(&[
            (DnType::OrganizationName, "Acme"),
            (DnType::CommonName, "Acme's own authority"),
        ]);
        assert_eq!(name(&both).as_deref(), Some("Acme's own authority"));
        let one = issued_by(&[(DnType::OrganizationName, "Acme")]);
        assert_eq!(name(&one).as_deref(), Some("Acme"));
        assert_eq!(name(&issued_by(&[])), None);
    }

    #[test]
    fn what_is_cut_off_or_garbled_has_no_issuer_and_does_no_harm() {
        let whole = issued_by(&[(DnType::CommonName, "Acme")]);
        for length in 0..60 {
            assert_eq!(name(&whole[..length]), None);
        }
        for at in 0..whole.len() {
            let mut garbled = whole.clone();
            garbled[at] ^= 0xff;
            let _ = name(&garbled);
        }
    }
}
