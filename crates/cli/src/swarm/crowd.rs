//! Whose sessions they are: addresses by a pattern, and their passwords. Whoever has no passwords has no swarm.

use anyhow::{Context, Result, bail};
use dormouse_engine::Secret;
use dormouse_engine::model::BareJid;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

/// An address with a place for a number.
#[derive(Debug, Clone)]
pub struct Pattern(String);

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.matches("{}").count() != 1 {
            return Err("the number's place is {}, once: user{}@example.org".into());
        }
        let pattern = Self(text.to_owned());
        match pattern.address(1) {
            Ok(_) => Ok(pattern),
            Err(error) => Err(format!("{error:#}")),
        }
    }
}

impl Pattern {
    fn address(&self, number: u32) -> Result<BareJid> {
        let text = self.0.replace("{}", &number.to_string());
        BareJid::new(&text).with_context(|| format!("“{text}” is no address"))
    }
}

/// The accounts.
pub struct Crowd {
    addresses: Vec<BareJid>,
    /// One for all, or one for each.
    passwords: Vec<Secret>,
}

impl Crowd {
    /// So many accounts from this number on, with the passwords of this file or of standard input.
    pub fn gather(pattern: &Pattern, first: u32, count: u32, file: Option<&Path>) -> Result<Self> {
        let text = match file {
            Some(file) => {
                std::fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?
            }
            None => {
                let mut text = String::new();
                std::io::stdin()
                    .read_to_string(&mut text)
                    .context("The passwords can't be read from standard input")?;
                text
            }
        };
        Self::of(pattern, first, count, &text)
    }

    fn of(pattern: &Pattern, first: u32, count: u32, passwords: &str) -> Result<Self> {
        let addresses = (0..count)
            .map(|index| pattern.address(first.saturating_add(index)))
            .collect::<Result<Vec<_>>>()?;
        let passwords: Vec<Secret> = passwords
            .lines()
            .filter(|line| !line.is_empty())
            .map(|line| Secret::new(line.to_owned()))
            .collect();
        match passwords.len() {
            0 => bail!("No password was given: a line for each account, or one line for all."),
            1 => {}
            lines if lines == addresses.len() => {}
            lines => {
                bail!("{lines} passwords for {count} accounts: give one line for all, or a line for each.")
            }
        }
        Ok(Self { addresses, passwords })
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.addresses.len()
    }

    /// One of them.
    pub fn account(&self, index: usize) -> Result<(BareJid, Secret)> {
        let address = self.addresses.get(index).context("There is no such account")?;
        let password = self.passwords.get(index).or_else(|| self.passwords.first());
        Ok((address.clone(), password.context("There is no password")?.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_one_place_for_the_number_and_makes_addresses() {
        for bad in ["user@example.org", "u{}{}@example.org", "{}", "@{}"] {
            let made = bad
                .parse::<Pattern>()
                .map(|it| it.address(1).unwrap().to_string());
            assert!(made.is_err() || bad == "{}", "{bad}: {made:?}");
        }
        let pattern: Pattern = "user{}@example.org".parse().unwrap();
        assert_eq!(pattern.address(12).unwrap().as_str(), "user12@example.org");
    }

    #[test]
    fn there_is_one_password_for_all_or_one_for_each() {
        let pattern: Pattern = "u{}@example.org".parse().unwrap();
        let of = |passwords| Crowd::of(&pattern, 5, 3, passwords);
        let (address, password) = of("same\n").unwrap().account(2).unwrap();
        assert_eq!((address.as_str(), password.reveal()), ("u7@example.org", "same"));
        assert_eq!(of("a\nb\nc\n").unwrap().account(1).unwrap().1.reveal(), "b");
        assert!(of("a\nb\n").is_err());
        assert!(of("\n").is_err());
    }
}
