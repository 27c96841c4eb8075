//! The words of a script: who is there, what they do and what befalls them, how each may come back.
//!
//! Alice has a laptop and sometimes a phone, Bob a desk; they are each other's contacts. Carol, with her tablet, is nobody's.
//! Whoever is in the cast has said hello before the first step, and all are live; texts are called by their number on
//! their device (“laptop 3”). After the last step everything is whole again and runs, and it is looked at what is shown.

use crate::seen::Way;
use std::fmt;
use std::time::Duration;

/// Somebody with an account; the last has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Person {
    /// Has two devices.
    Alice,
    /// Her contact.
    Bob,
    /// A stranger to both.
    Carol,
    /// An address at which there is nobody.
    Nobody,
}

/// A device with its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Device {
    /// Alice's.
    Laptop,
    /// Alice's other one.
    Phone,
    /// Bob's.
    Desk,
    /// Carol's.
    Tablet,
}

/// What is wrong with a device's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Nothing any more. What was lost stays lost.
    Whole,
    /// There is none, and the system says so.
    Gone,
    /// Connections that stand carry nothing any more, either way, and nobody is told; new ones are whole.
    Silent,
    /// The same of what the device sends only.
    SilentUp,
    /// The same of what the server sends only.
    SilentDown,
    /// Connections that stand are reset; new ones are whole.
    Reset,
    /// The connection breaks in the middle of what the device says next.
    Torn,
}

/// What a sleep does to the connection and the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The connection goes on.
    Alive,
    /// It is dead, and nobody is told; the session is held.
    Dead,
    /// What the server sends on it does not arrive; the session is held.
    Mute,
    /// A night: the server has noticed, waited, and given the session up.
    Gone,
}

/// How a program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// `kill -9`.
    Killed,
    /// Its user quits.
    Quit,
}

/// What becomes of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// It ends in good order.
    Stops,
    /// It is killed.
    Dies,
    /// It is there again.
    Starts,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many texts are typed on this device to this person, one right after the other.
    Types(Device, Person, usize),
    /// On this device a text of its person is made to say something else.
    Edits(Device, &'static str, &'static str),
    /// On this device a text of its person is taken back.
    Withdraws(Device, &'static str),
    /// The device's network changes.
    Network(Device, Network),
    /// The machine falls asleep, and says so before.
    Sleeps(Device, Flow),
    /// It wakes, and says so.
    Wakes(Device),
    /// Its program ends.
    Ends(Device, End),
    /// Its program starts.
    Starts(Device),
    /// The server has noticed that the device is gone, and given its session up.
    Forgotten(Device),
    /// The server's state changes.
    Server(Power),
    /// Until everything typed on this device so far is on its disk.
    Keeps(Device),
    /// Until everything typed on this device so far is known to have reached the server.
    Sent(Device),
    /// Until everything typed to a contact on this device so far is known to have been delivered.
    Confirmed(Device),
    /// Until this device shows what others have typed to its person so far, and what its person has typed elsewhere.
    Shows(Device),
    /// Until the text stands like this on this device.
    ShowsText(Device, &'static str),
    /// Until what was typed to nobody on this device has failed.
    Failed(Device),
    /// Until the device's window says that it is live.
    Live(Device),
    /// Until the device's window has said that it reads what was missed.
    CatchesUp(Device),
}

/// A script.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its name: what goes wrong.
    pub name: &'static str,
    /// Who is there.
    pub cast: &'static [Device],
    /// What happens.
    pub steps: Vec<Step>,
    /// By which ways a device may come back: the others may do as they like.
    pub back: Vec<(Device, &'static [Way])>,
}

impl Script {
    /// Whether it needs a server of its own: it ends it.
    pub fn ends_the_server(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Server(_)))
    }

    /// Whether it waits until a session is given up: long, where the server holds it as long as usual.
    pub fn outlives_a_session(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step, Step::Forgotten(_) | Step::Sleeps(_, Flow::Gone)))
    }

    /// The people in it who have an account, in the order of [`Person`].
    pub fn people(&self) -> Vec<Person> {
        let mut people: Vec<Person> = self.cast.iter().map(|device| device.owner()).collect();
        people.sort();
        people.dedup();
        people
    }
}

impl Device {
    /// Whose it is.
    pub fn owner(self) -> Person {
        match self {
            Device::Laptop | Device::Phone => Person::Alice,
            Device::Desk => Person::Bob,
            Device::Tablet => Person::Carol,
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Device::Laptop => "laptop",
            Device::Phone => "phone",
            Device::Desk => "desk",
            Device::Tablet => "tablet",
        })
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Person::Alice => "alice",
            Person::Bob => "bob",
            Person::Carol => "carol",
            Person::Nobody => "nobody",
        })
    }
}

/// Beyond the time for which a server holds a lost session, it is gone.
pub const GONE: Duration = Duration::from_secs(2);
