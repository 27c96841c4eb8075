//! What the user gives to sign in.

use std::fmt;
use zeroize::Zeroizing;

/// The user's secret. Wiped from memory when dropped, never shown by `Debug`.
#[derive(Clone)]
pub struct Credentials {
    password: Zeroizing<String>,
}

impl Credentials {
    /// Sign in with a password, as the user typed it. Its preparation (SASLprep, RFC 4013) is done here.
    pub fn password(password: impl Into<String>) -> Self {
        Self {
            password: Zeroizing::new(password.into()),
        }
    }

    pub(crate) fn secret(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let shown = format!("{:?}", Credentials::password("pencil"));
        assert!(!shown.contains("pencil"));
    }
}
