//! The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), which can be told to prove itself wrongly.

use super::{PASSWORD, Signature};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

const SALT: &[u8] = b"the peer's salt";

/// An exchange under way.
pub(crate) struct Exchange {
    client_first_bare: String,
    server_first: String,
    iterations: u32,
}

impl Exchange {
    /// From the client's first message: the exchange, and the challenge.
    pub(crate) fn begin(initial: &str, iterations: u32) -> Option<(Self, String)> {
        let text = String::from_utf8(STANDARD.decode(initial.trim()).ok()?).ok()?;
        let bare = text.splitn(3, ',').nth(2)?.to_owned();
        let nonce = bare.split(',').find_map(|part| part.strip_prefix("r="))?;
        let server_first = format!("r={nonce}server,s={},i={iterations}", STANDARD.encode(SALT));
        let challenge = STANDARD.encode(&server_first);
        let exchange = Self {
            client_first_bare: bare,
            server_first,
            iterations,
        };
        Some((exchange, challenge))
    }

    /// From the client's proof: what goes into `<success/>`. None if it does not know the password.
    pub(crate) fn finish(&self, response: &str, signature: Signature) -> Option<String> {
        let text = String::from_utf8(STANDARD.decode(response.trim()).ok()?).ok()?;
        let (without_proof, proof) = text.rsplit_once(",p=")?;
        let proof = STANDARD.decode(proof).ok()?;
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(PASSWORD.as_bytes(), SALT, self.iterations, &mut salted);
        let message = format!("{},{},{without_proof}", self.client_first_bare, self.server_first);
        let stored = Sha256::digest(keyed(&salted, b"Client Key"));
        let ours = keyed(&stored, message.as_bytes());
        let key: Vec<u8> = proof.iter().zip(&ours).map(|(a, b)| a ^ b).collect();
        if Sha256::digest(&key) != stored {
            return None;
        }
        let mut server = keyed(&keyed(&salted, b"Server Key"), message.as_bytes());
        match signature {
            Signature::Right => {}
            Signature::Wrong => server.reverse(),
            Signature::None => return Some(String::new()),
        }
        Some(STANDARD.encode(format!("v={}", STANDARD.encode(server))))
    }
}

fn keyed(key: &[u8], data: &[u8]) -> Vec<u8> {
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}
