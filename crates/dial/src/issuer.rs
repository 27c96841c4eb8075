//! Who issued a certificate: for people who want to know by whom they are trusted on a way that somebody may intercept. Nothing is
//! decided by it; whether the certificate is trusted has been decided before.
//!
//! Read straight from the certificate's DER (RFC 5280 section 4.1, X.690): the issuer's common name, or else its
//! organisation.

/// The longest name shown, in characters.
const SHOWN: usize = 80;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_ID: u8 = 0x06;
const VERSION: u8 = 0xa0;
const UTF8: u8 = 0x0c;
const PRINTABLE: u8 = 0x13;
const IA5: u8 = 0x16;
/// Attribute types of names (X.520): 2.5.4.3 and 2.5.4.10.
const COMMON_NAME: [u8; 3] = [0x55, 4, 3];
const ORGANISATION: [u8; 3] = [0x55, 4, 10];

/// The issuer's name in this certificate, made harmless; none where there is none that can be read.
pub(crate) fn name(certificate: &[u8]) -> Option<String> {
    let (_, mut certificate) = Der(certificate).next(SEQUENCE)?;
    let (_, mut signed) = certificate.next(SEQUENCE)?;
    let (tag, _) = signed.any()?;
    if tag == VERSION {
        signed.any()?; // The serial number.
    }
    signed.next(SEQUENCE)?; // The signature's algorithm.
    let (_, issuer) = signed.next(SEQUENCE)?;
    let name = attribute(issuer, COMMON_NAME).or_else(|| attribute(issuer, ORGANISATION))?;
    let harmless = name
        .chars()
        .filter(|sign| !sign.is_control())
        .take(SHOWN)
        .collect::<String>();
    (!harmless.is_empty()).then_some(harmless)
}

/// The first attribute of this type in a name.
fn attribute(mut name: Der<'_>, wanted: [u8; 3]) -> Option<String> {
    while let Some((_, mut parts)) = name.next(SET) {
        while let Some((_, mut part)) = parts.next(SEQUENCE) {
            let (_, Der(kind)) = part.next(OBJECT_ID)?;
            let (tag, Der(value)) = part.any()?;
            if kind == wanted && matches!(tag, UTF8 | PRINTABLE | IA5) {
                return String::from_utf8(value.to_vec()).ok();
            }
        }
    }
    None
}

/// What is left of a run of DER values.
#[derive(Clone, Copy)]
struct Der<'b>(&'b [u8]);

impl<'b> Der<'b> {
    /// The next value, if it has this tag.
    fn next(&mut self, tag: u8) -> Option<(u8, Der<'b>)> {
        let before = *self;
        let found = self.any().filter(|(found, _)| *found == tag);
        if found.is_none() {
            *self = before;
        }
        found
    }

    /// The next value, with its tag.
    fn any(&mut self) -> Option<(u8, Der<'b>)> {
        let (tag, rest) = self.0.split_first()?;
        let (first, mut rest) = rest.split_first()?;
        let length = match first {
            short @ 0..=0x7f => usize::from(*short),
            0x81..=0x84 => {
                let (bytes, behind) = rest.split_at_checked(usize::from(first & 0x7f))?;
                rest = behind;
                bytes
                    .iter()
                    .fold(0, |length, byte| length << 8 | usize::from(*byte))
            }
            _ => return None,
        };
        let (value, behind) = rest.split_at_checked(length)?;
        self.0 = behind;
        Some((*tag, Der(value)))
    }
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
