//! A veil over names: what is written for the program's developers says what happened, not to whom.
//!
//! Of a line that the program wrote itself nothing is known to be harmless but its own words. So what it quotes goes, and every word
//! that looks like an address, a URL, a host or an IP address, whoever's it is; and words that are known to be names
//! because they are parts of the account's own address.

use std::net::IpAddr;

/// Takes names out of lines.
#[derive(Debug, Clone, Default)]
pub struct Veil {
    known: Vec<String>,
}

impl Veil {
    /// Takes out these words, too, in upper or lower case: parts of the account's address, which may look like any word. What is
    /// shorter than two characters is left: it would riddle every line.
    pub fn over_names<'n>(known: impl IntoIterator<Item = &'n str>) -> Self {
        let known = known.into_iter().map(str::to_lowercase);
        Self {
            known: known.filter(|word| word.chars().count() >= 2).collect(),
        }
    }

    /// The line without names, and without what it quotes.
    pub fn line(&self, text: &str) -> String {
        let mut veiled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, quoted)) = rest.split_once('“') {
            self.words(before, &mut veiled);
            veiled.push_str("“…”");
            // A quotation without end hides all that follows.
            rest = quoted.rsplit_once('”').map_or("", |(_, after)| after);
        }
        self.words(rest, &mut veiled);
        veiled
    }

    fn words(&self, text: &str, veiled: &mut String) {
        for piece in text.split_inclusive(|c: char| c.is_whitespace() || "()<>[]{}\"'`,;".contains(c)) {
            let word =
                piece.trim_end_matches(|c: char| c.is_whitespace() || "()<>[]{}\"'`,;.:!?".contains(c));
            let (_, end) = piece.split_at(word.len());
            veiled.push_str(self.instead_of(word).unwrap_or(word));
            veiled.push_str(end);
        }
    }

    /// What stands for a word that is a name.
    fn instead_of(&self, word: &str) -> Option<&'static str> {
        if word.contains("://") {
            Some("<url>")
        } else if word.contains('@') {
            Some("<address>")
        } else if is_ip(word) {
            Some("<ip>")
        } else if self.known.contains(&word.to_lowercase()) {
            Some("<name>")
        } else {
            is_host(word).then_some("<host>")
        }
    }
}

/// An IP address, with or without a port.
fn is_ip(word: &str) -> bool {
    let without_port = word.rsplit_once(':').map_or(word, |(host, _)| host);
    [word, without_port].iter().any(|it| it.parse::<IpAddr>().is_ok())
}

/// Labels with dots between them, the last of which is no number: a version is none.
fn is_host(word: &str) -> bool {
    let host = word.split(['/', ':']).next().unwrap_or_default();
    let labels: Vec<&str> = host.split('.').collect();
    let is_label = |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    let has_letters = labels
        .last()
        .is_some_and(|last| last.chars().any(char::is_alphabetic));
    labels.len() > 1 && labels.iter().all(is_label) && has_letters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn veiled(text: &str) -> String {
        Veil::over_names(["juliet", "balcony", "localhost"]).line(text)
    }

    #[test]
    fn what_the_program_says_itself_stays() {
        for line in [
            "connection 3 is in doubt: The server did not answer in time.",
            "signed in on connection 4 in 132 ms, resumed: true",
            "the machine slept for 3600 s (proven: true)",
            "failed (RetryAfter(5s)): The server is in trouble (HTTP 503).",
            "Dormouse 0.1.0 on linux, TLS 1.3, 25.5 s",
        ] {
            assert_eq!(veiled(line), line);
        }
    }

    #[test]
    fn addresses_hosts_and_quotations_go_wherever_they_stand() {
        for (line, without) in [
            (
                "A stanza of romeo@example.org/orchard was dropped.",
                "A stanza of <address> was dropped.",
            ),
            (
                "dialling wss://example.org:443/ws?token=1, attempt 2",
                "dialling <url>, attempt 2",
            ),
            ("sent to 2001:db8::1 (192.0.2.7:5222).", "sent to <ip> (<ip>)."),
            (
                "The server sent us to xmpp.bücher.example:5281.",
                "The server sent us to <host>.",
            ),
            (
                "There is no server called localhost. Juliet",
                "There is no server called <name>. <name>",
            ),
            (
                "closed (code 1008: “go away, juliet's “friend””).",
                "closed (code 1008: “…”).",
            ),
            ("refused: “without an end juliet", "refused: “…”"),
        ] {
            assert_eq!(veiled(line), without);
        }
    }

    #[test]
    fn a_known_name_of_one_letter_riddles_nothing() {
        assert_eq!(Veil::over_names(["a"]).line("a server"), "a server");
    }
}
