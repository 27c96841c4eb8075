//! A name that says to be somebody: an address in the place of a name.

use unicode_normalization::UnicodeNormalization;

/// The first address in a name that is not the person's own. A word is taken for an address if it has the form
/// `local@domain`, where the domain has a dot or is that of the own address: `me@home` is a joke, not a claim.
pub fn find(name: &str, own: &str) -> Option<String> {
    let own = own.to_lowercase();
    let own_domain = own.split_once('@').map_or(own.as_str(), |(_, domain)| domain);
    let plain: String = name.nfkc().collect();
    plain
        .split(|c: char| {
            c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | '"' | '|')
        })
        .filter_map(|word| {
            let word = word.strip_prefix("xmpp:").unwrap_or(word);
            let word = word.strip_prefix("mailto:").unwrap_or(word);
            let bare = word.split('/').next().unwrap_or_default();
            let address = bare.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            let (local, domain) = address.split_once('@')?;
            let claims = !local.is_empty() && (domain.contains('.') || domain == own_domain);
            (claims && address != own).then_some(address)
        })
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "mallory@evil.example";

    #[test]
    fn another_address_is_found_bare_and_dressed_up() {
        for name in [
            "alice@example.org",
            "Alice@Example.org",
            "Alice <alice@example.org>",
            "xmpp:alice@example.org/phone",
            "Alice (alice@example.org), Bern",
            "alice＠example.org",
            "“alice@example.org”",
        ] {
            assert_eq!(find(name, OWN).as_deref(), Some("alice@example.org"), "{name}");
        }
    }

    #[test]
    fn the_own_address_is_no_claim_to_be_somebody_else() {
        assert_eq!(find("Mallory@Evil.Example", OWN), None);
        assert_eq!(find("Mallory (mallory@evil.example)", OWN), None);
    }

    #[test]
    fn a_second_address_beside_the_own_is_found() {
        assert_eq!(
            find("mallory@evil.example alice@example.org", OWN).as_deref(),
            Some("alice@example.org")
        );
    }

    #[test]
    fn a_sign_alone_is_no_address() {
        for name in ["Mary @ work", "me@home", "@alice", "Alice", "a@", ""] {
            assert_eq!(find(name, OWN), None, "{name}");
        }
        assert_eq!(
            find("alice@localhost", "mallory@localhost").as_deref(),
            Some("alice@localhost")
        );
    }
}
