//! The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677).

use base64::prelude::{BASE64_STANDARD, Engine};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// As few as a client may accept (RFC 7677 section 4).
const ITERATIONS: u32 = 4096;

/// What the server keeps of a password.
#[derive(Debug, Clone)]
pub struct Secret {
    salt: [u8; 16],
    stored_key: [u8; 32],
    server_key: [u8; 32],
}

/// An exchange under way.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The account's local part.
    pub user: String,
    client_first_bare: String,
    server_first: String,
    nonce: String,
}

impl Secret {
    /// Of this password, with this salt.
    pub fn new(password: &str, salt: [u8; 16]) -> Self {
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, ITERATIONS, &mut salted);
        Self {
            salt,
            stored_key: Sha256::digest(mac(&salted, b"Client Key")).into(),
            server_key: mac(&salted, b"Server Key"),
        }
    }

    /// Who begins, from the client's first message.
    pub fn user(client_first: &str) -> Option<String> {
        let name = client_first.split(',').find_map(|part| part.strip_prefix("n="))?;
        Some(name.replace("=2C", ",").replace("=3D", "="))
    }

    /// The answer to the client's first message.
    pub fn begin(&self, user: String, client_first: &str, nonce: &str) -> Option<(Exchange, String)> {
        let mut parts = client_first.splitn(3, ',');
        let (_binding, _authzid, bare) = (parts.next()?, parts.next()?, parts.next()?);
        let client_nonce = bare.split(',').find_map(|part| part.strip_prefix("r="))?;
        let nonce = format!("{client_nonce}{nonce}");
        let salt = BASE64_STANDARD.encode(self.salt);
        let server_first = format!("r={nonce},s={salt},i={ITERATIONS}");
        let exchange = Exchange {
            user,
            client_first_bare: bare.to_owned(),
            server_first: server_first.clone(),
            nonce,
        };
        Some((exchange, server_first))
    }

    /// The server's last message, if the client's proof is right.
    pub fn finish(&self, exchange: &Exchange, client_final: &str) -> Option<String> {
        let (without_proof, proof) = client_final.rsplit_once(",p=")?;
        if !without_proof
            .split(',')
            .any(|part| part.strip_prefix("r=") == Some(exchange.nonce.as_str()))
        {
            return None;
        }
        let signed = format!(
            "{},{},{without_proof}",
            exchange.client_first_bare, exchange.server_first
        );
        let signature = mac(&self.stored_key, signed.as_bytes());
        let proof = BASE64_STANDARD.decode(proof).ok()?;
        let client_key: Vec<u8> = proof.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        if proof.len() != 32 || <[u8; 32]>::from(Sha256::digest(&client_key)) != self.stored_key {
            return None;
        }
        Some(format!(
            "v={}",
            BASE64_STANDARD.encode(mac(&self.server_key, signed.as_bytes()))
        ))
    }
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // A key of any length will do for HMAC (RFC 2104).
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7677 section 3.
    #[test]
    fn the_example_of_the_rfc_is_accepted_and_answered() {
        let mut salt = [0; 16];
        salt.copy_from_slice(&BASE64_STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap());
        let secret = Secret::new("pencil", salt);
        let first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
        let (exchange, answer) = secret
            .begin("user".into(), first, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
            .unwrap();
        assert_eq!(
            answer,
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        let last = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                    p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        assert_eq!(
            secret.finish(&exchange, last).as_deref(),
            Some("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        );
        assert_eq!(secret.finish(&exchange, &last.replace("p=dH", "p=dI")), None);
    }
}
