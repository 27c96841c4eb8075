//! The scripts: each way in which a connection, a session, a program or a server goes and comes back.

use crate::script::Device::{Desk, Laptop, Phone, Tablet};
use crate::script::End::{Killed, Quit};
use crate::script::Person::{Alice, Bob, Carol, Nobody};
use crate::script::Power::{Dies, Starts as Up, Stops};
use crate::script::Step::{
    CatchesUp, Confirmed, Edits, Ends, Failed, Forgotten, Keeps, Live, Network, Sent, Server, Shows,
    ShowsText, Sleeps, Starts, Types, Wakes, Withdraws,
};
use crate::script::{Device, Flow, Network as Path, Script, Step};
use crate::seen::Way::{self, Fresh, Kept, Resumed};

const TWO: &[Device] = &[Laptop, Desk];
const THREE: &[Device] = &[Laptop, Phone, Desk];
const RESUMED: &[Way] = &[Resumed];
const FRESH: &[Way] = &[Fresh];
const HELD: &[Way] = &[Kept, Resumed];
const ANY: &[Way] = &[Resumed, Fresh];

/// All of them.
pub fn all() -> Vec<Script> {
    let mut scripts = sleeps();
    scripts.extend(networks());
    scripts.extend(programs());
    scripts.extend(servers());
    scripts.extend(several_devices());
    scripts.extend(addressees());
    scripts
}

fn script(name: &'static str, cast: &'static [Device], steps: &[Step], laptop: &'static [Way]) -> Script {
    Script {
        name,
        cast,
        steps: steps.to_vec(),
        back: vec![(Laptop, laptop)],
    }
}

fn sleeps() -> Vec<Script> {
    let sleep = |name, flow, back| {
        let steps = [
            Sleeps(Laptop, flow),
            Types(Desk, Alice, 20),
            Sent(Desk),
            Wakes(Laptop),
            Types(Laptop, Bob, 3),
            Shows(Laptop),
            Types(Desk, Alice, 3),
        ];
        script(name, TWO, &steps, back)
    };
    vec![
        sleep("a short sleep, the connection lives", Flow::Alive, HELD),
        sleep("a sleep, the connection is dead", Flow::Dead, RESUMED),
        sleep("a sleep, the connection is mute", Flow::Mute, HELD),
        sleep("a night, the session is gone", Flow::Gone, FRESH),
    ]
}

fn networks() -> Vec<Script> {
    let silence = |name, network| {
        let steps = [
            Types(Laptop, Bob, 2),
            Types(Desk, Alice, 2),
            Network(Laptop, network),
            Types(Laptop, Bob, 3),
            Types(Desk, Alice, 3),
            Sent(Laptop),
            Shows(Laptop),
        ];
        script(name, TWO, &steps, RESUMED)
    };
    vec![
        silence("silence both ways", Path::Silent),
        silence("silence of what is sent", Path::SilentUp),
        silence("silence of what is received", Path::SilentDown),
        silence("a connection is reset", Path::Reset),
        script(
            "a frame is cut off in its middle",
            TWO,
            &[
                Types(Laptop, Bob, 2),
                Sent(Laptop),
                Network(Laptop, Path::Torn),
                Types(Laptop, Bob, 3),
                Types(Desk, Alice, 3),
                Sent(Laptop),
                Shows(Laptop),
                Types(Laptop, Bob, 2),
            ],
            // Prosody takes what a resumed connection says for the rest of the frame: it hears nothing, or nothing that it can read.
            ANY,
        ),
        script(
            "typed without network",
            TWO,
            &[
                Network(Laptop, Path::Gone),
                Types(Laptop, Bob, 5),
                Types(Desk, Alice, 5),
                Sent(Desk),
                Network(Laptop, Path::Whole),
                Sent(Laptop),
                Shows(Laptop),
            ],
            RESUMED,
        ),
    ]
}

fn programs() -> Vec<Script> {
    let ended = |name, end, back| {
        let steps = [
            Types(Laptop, Bob, 3),
            Sent(Laptop),
            Shows(Desk),
            Ends(Laptop, end),
            Types(Desk, Alice, 20),
            Sent(Desk),
            Starts(Laptop),
            Shows(Laptop),
            Types(Laptop, Bob, 3),
        ];
        script(name, TWO, &steps, back)
    };
    let doubtful = |name, network, arrived: &[Step]| {
        // What is killed before it is on disk is nobody's doubt.
        let before = [Network(Laptop, network), Types(Laptop, Bob, 3), Keeps(Laptop)];
        let after = [
            Ends(Laptop, Killed),
            Forgotten(Laptop),
            Starts(Laptop),
            Sent(Laptop),
            Shows(Desk),
        ];
        script(name, TWO, &[&before, arrived, &after].concat(), FRESH)
    };
    vec![
        ended("killed and started", Killed, RESUMED),
        ended("quit and started", Quit, FRESH),
        script(
            "killed while sending",
            TWO,
            &[
                Types(Desk, Alice, 3),
                Types(Laptop, Bob, 10),
                Ends(Laptop, Killed),
                Types(Desk, Alice, 3),
                Starts(Laptop),
                Types(Laptop, Bob, 3),
            ],
            ANY,
        ),
        script(
            "killed while catching up",
            TWO,
            &[
                Ends(Laptop, Killed),
                Forgotten(Laptop),
                Types(Desk, Alice, 120),
                Sent(Desk),
                Starts(Laptop),
                CatchesUp(Laptop),
                Ends(Laptop, Killed),
                Types(Desk, Alice, 2),
                Starts(Laptop),
                Shows(Laptop),
                Types(Laptop, Bob, 2),
            ],
            // Of the two lives the first has a new session.
            FRESH,
        ),
        doubtful(
            "doubtful, and the archive holds it",
            Path::SilentDown,
            &[Shows(Desk)],
        ),
        doubtful("doubtful, and nobody has it", Path::SilentUp, &[]),
    ]
}

fn servers() -> Vec<Script> {
    let restart = |name, end| {
        let steps = [
            Types(Laptop, Bob, 3),
            Types(Desk, Alice, 3),
            Sent(Laptop),
            Sent(Desk),
            // A receipt that crosses the server's end may be lost in it.
            Confirmed(Laptop),
            Confirmed(Desk),
            Server(end),
            Types(Laptop, Bob, 3),
            Types(Desk, Alice, 3),
            Server(Up),
            Sent(Laptop),
            Sent(Desk),
            Types(Laptop, Bob, 2),
        ];
        Script {
            back: vec![(Laptop, FRESH), (Desk, FRESH)],
            ..script(name, TWO, &steps, FRESH)
        }
    };
    vec![
        restart("the server restarts in good order", Stops),
        restart("the server is killed and started", Dies),
    ]
}

fn several_devices() -> Vec<Script> {
    let conflict = |name, away, at_hand| {
        let steps = [
            Types(Laptop, Bob, 2),
            Shows(Phone),
            Network(Phone, Path::Gone),
            away,
            at_hand,
            Live(Laptop),
            Types(Laptop, Bob, 1),
            Shows(Desk),
            Network(Phone, Path::Whole),
            Live(Phone),
        ];
        Script {
            back: vec![(Phone, RESUMED)],
            ..script(name, THREE, &steps, RESUMED)
        }
    };
    vec![
        script(
            "a second device, and a night of the first",
            THREE,
            &[
                Types(Laptop, Bob, 2),
                Types(Phone, Bob, 2),
                Shows(Phone),
                Sleeps(Laptop, Flow::Gone),
                Types(Desk, Alice, 5),
                Shows(Phone),
                Types(Phone, Bob, 5),
                Sent(Phone),
                Wakes(Laptop),
                Shows(Laptop),
                Types(Laptop, Bob, 2),
                Shows(Phone),
            ],
            FRESH,
        ),
        conflict(
            "two edits of one text",
            Edits(Phone, "laptop 1", "laptop 1, as the phone has it"),
            Edits(Laptop, "laptop 1", "laptop 1, as the laptop has it"),
        ),
        conflict(
            "an edit against a retraction",
            Edits(Phone, "laptop 1", "laptop 1, as the phone has it"),
            Withdraws(Laptop, "laptop 1"),
        ),
    ]
}

fn addressees() -> Vec<Script> {
    vec![
        script(
            "to nobody",
            TWO,
            &[
                Types(Laptop, Nobody, 2),
                Failed(Laptop),
                Ends(Laptop, Killed),
                Starts(Laptop),
                Types(Laptop, Bob, 2),
            ],
            RESUMED,
        ),
        script(
            "to nobody, the network goes",
            TWO,
            &[
                Network(Laptop, Path::SilentDown),
                Types(Laptop, Nobody, 1),
                Types(Laptop, Bob, 1),
                Failed(Laptop),
                Sent(Laptop),
            ],
            RESUMED,
        ),
        script(
            "a stranger",
            &[Laptop, Tablet],
            &[
                Sleeps(Laptop, Flow::Dead),
                Types(Tablet, Alice, 3),
                Sent(Tablet),
                Wakes(Laptop),
                Shows(Laptop),
                Types(Laptop, Carol, 2),
                ShowsText(Tablet, "laptop 2"),
            ],
            RESUMED,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_scripts_have_one_name_and_each_speaks_only_of_its_cast() {
        let scripts = all();
        let names: BTreeSet<&str> = scripts.iter().map(|script| script.name).collect();
        assert_eq!(names.len(), scripts.len());
        for script in scripts {
            for step in &script.steps {
                let told = format!("{step:?}");
                for device in [Laptop, Phone, Desk, Tablet] {
                    let is_named = told.contains(&format!("{device:?}"));
                    assert!(
                        !is_named || script.cast.contains(&device),
                        "{}: {told}",
                        script.name
                    );
                }
            }
        }
    }
}
