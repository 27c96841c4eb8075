//! The table that all cells come from.

use std::fmt;

/// How the laptop can know that it slept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// logind says so before and after.
    Logind,
    /// Nobody says so; the clock that counts sleep has run ahead of the one that doesn't.
    Clock,
    /// Not at all, as in a virtual machine that its host paused.
    Nothing,
}

/// What became of the TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flow {
    /// It goes on, once the server's retransmission comes round.
    Alive,
    /// A NAT has forgotten it, or the address is another: silence in both directions.
    Dead,
    /// What the laptop sends arrives; what the server sends does not.
    Mute,
}

/// What became of the XMPP session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Session {
    /// The server still has it: it can be resumed.
    Held,
    /// The server was restarted meanwhile.
    Gone,
}

/// When packets pass again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Network {
    /// Before the program goes on.
    AtOnce,
    /// Four seconds after that, as Wi-Fi does.
    Late,
}

/// One way in which a sleep can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub trigger: Trigger,
    pub flow: Flow,
    pub session: Session,
    pub network: Network,
}

/// All of them.
pub fn all() -> Vec<Cell> {
    let mut cells = Vec::new();
    for trigger in [Trigger::Logind, Trigger::Clock, Trigger::Nothing] {
        for flow in [Flow::Alive, Flow::Dead, Flow::Mute] {
            for session in [Session::Held, Session::Gone] {
                for network in [Network::AtOnce, Network::Late] {
                    cells.push(Cell {
                        trigger,
                        flow,
                        session,
                        network,
                    });
                }
            }
        }
    }
    cells
}

impl Cell {
    /// The four words of the table.
    pub fn words(&self) -> [&'static str; 4] {
        [
            match self.trigger {
                Trigger::Logind => "logind",
                Trigger::Clock => "clock",
                Trigger::Nothing => "none",
            },
            match self.flow {
                Flow::Alive => "alive",
                Flow::Dead => "dead",
                Flow::Mute => "mute",
            },
            match self.session {
                Session::Held => "held",
                Session::Gone => "gone",
            },
            match self.network {
                Network::AtOnce => "at once",
                Network::Late => "4 s late",
            },
        ]
    }

    /// Whether the old connection may still prove itself after the wake.
    pub fn old_connection_may_answer(&self) -> bool {
        self.flow == Flow::Alive && self.session == Session::Held
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [trigger, flow, session, network] = self.words();
        write!(
            f,
            "trigger {trigger}, flow {flow}, session {session}, network {network}"
        )
    }
}
