//! The ids of the protocol and our own. They look alike on the wire and mean different things, so
//! each has a type of its own.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as it stands on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($number:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $number);

        impl $name {
            /// The id after this one.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

text_id! {
    /// The id an archive gave to what it keeps (XEP-0313, XEP-0359 `<stanza-id/>`). Means something only
    /// together with the archive it came from.
    ArchiveId
}
text_id! {
    /// The id the sender's client gave to a message (XEP-0359 `<origin-id/>`). The same in every copy.
    OriginId
}
text_id! {
    /// The `id` attribute of a stanza. Chosen by its sender, unique only by its good will.
    StanzaId
}
number_id! {
    /// A message in this store. Local: never on the wire.
    MessageId(u64)
}
number_id! {
    /// One socket of one account, numbered in the order dialled. Never used twice in a process.
    ConnId(u64)
}
number_id! {
    /// A probe of a link's life. Never used twice, so an old answer proves nothing.
    ProbeId(u64)
}
number_id! {
    /// An archive query in flight.
    QueryId(u64)
}
number_id! {
    /// A batch of writes, numbered in the order issued.
    BatchId(u64)
}

/// Where an item stands on the account's one line of history: greater is later.
///
/// Places are spread wide, so that what an archive later says lay between two known messages finds
/// room there without moving either. They are ours alone and follow archive order, not clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Place(pub u128);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
