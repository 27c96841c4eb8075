//! The token for the next sign-in (XEP-0484), and the one that is to take its place.
//!
//! The first use of a new token ends the one before it. So a new one is kept safely first and used then: a process that
//! dies in between finds the old one, and it still works.

use dormouse_xmpp::Token;

/// What there is to sign in with, besides the password.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    usable: Option<Token>,
    /// Given by the server, and on its way to the keyring.
    given: Option<Token>,
}

impl Tokens {
    pub(crate) fn new(usable: Option<Token>) -> Self {
        Self { usable, given: None }
    }

    /// The one to sign in with.
    pub(crate) fn usable(&self) -> Option<&Token> {
        self.usable.as_ref()
    }

    /// From the keyring, which is slower than a server at times: what this process was given is newer.
    pub(crate) fn found(&mut self, token: Token) {
        if self.given.is_none() {
            self.usable.get_or_insert(token);
        }
    }

    pub(crate) fn given(&mut self, token: Token) {
        self.given = Some(token);
    }

    pub(crate) fn kept(&mut self) {
        if let Some(token) = self.given.take() {
            self.usable = Some(token);
        }
    }

    pub(crate) fn refused(&mut self) {
        self.usable = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(secret: &str) -> Token {
        Token::from_line(&format!("HT-SHA-256-NONE - agent {secret}")).unwrap()
    }

    #[test]
    fn a_new_token_is_used_once_it_is_kept_and_the_old_one_until_then() {
        let mut tokens = Tokens::new(Some(token("old")));
        tokens.given(token("new"));
        assert_eq!(tokens.usable(), Some(&token("old")));
        tokens.kept();
        assert_eq!(tokens.usable(), Some(&token("new")));
    }

    #[test]
    fn what_the_keyring_holds_is_older_than_what_the_server_gives() {
        let mut tokens = Tokens::default();
        tokens.found(token("kept"));
        assert_eq!(tokens.usable(), Some(&token("kept")));
        let mut tokens = Tokens::default();
        tokens.given(token("new"));
        tokens.found(token("kept"));
        tokens.kept();
        assert_eq!(tokens.usable(), Some(&token("new")));
    }

    #[test]
    fn a_refused_token_is_not_used_again() {
        let mut tokens = Tokens::new(Some(token("old")));
        tokens.refused();
        assert_eq!(tokens.usable(), None);
    }
}
