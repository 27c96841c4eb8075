//! How people are shown, so that nobody can be taken for somebody else.
//!
//! # The model
//!
//! An **address** says who somebody is; a **name** is only what they are called. Names come from rosters,
//! which gateways and other programs write too, so nothing about them is trusted. A [`Book`] holds everyone of
//! whom the user knows, and gives each address its [`Guise`]: what to show for it, and what is suspicious about it.
//!
//! - A name is made **harmless**: one line, no controls, nothing invisible, nothing that turns the direction of the
//!   text around it, no towers of accents, of bounded length. Emoji sequences and the joiners that some
//!   scripts need survive. An address is never cut: its end says whose server vouches for it.
//! - Two texts are **alike** if a person may take one for the other: same skeleton (UTS 39, section 4), spaces and
//!   case aside. Whoever is like somebody else in the book, by name or by address, is marked, unless the other
//!   is the odder of the two: the warning belongs beside `аlice` with its Cyrillic letter, not beside `alice`.
//! - A name that **is an address** other than its own is marked: it says to be somebody.
//! - A word that **mixes scripts** is marked, unless people really write that way: UTS 39's "highly
//!   restrictive" level, by which Latin stands beside Japanese, Korean, or Chinese with Bopomofo.
//!
//! Colours are those of XEP-0392, so that somebody looks the same in every client.
//!
//! The crate decides and does nothing else: the same book gives the same guises.

mod book;
mod foreign_address;
mod harmless;
mod hue;
mod initials;
mod likeness;
mod scripts;

pub use book::Book;

/// How somebody is to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guise {
    /// What to call them: the name the user knows them by, made harmless, or else their address. One line, never
    /// empty unless the address is.
    pub shown: String,
    /// One or two characters that stand for them, as a person counts characters.
    pub initials: String,
    /// The hue of their colour in degrees, below 360 (XEP-0392).
    pub hue: u16,
    /// What is suspicious about them: the worst of it.
    pub warning: Option<Warning>,
}

/// What is suspicious about a name or an address. The worst come first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// The name is an address, and not their own: that one.
    NameIsAnotherAddress(String),
    /// Name or address can be taken for somebody else in the book: their address.
    Imitates(String),
    /// The name bore signs that turn the direction of text. They have been taken out.
    Bidi,
    /// A word of the name or a part of the address mixes scripts that nobody mixes.
    MixedScripts,
}
