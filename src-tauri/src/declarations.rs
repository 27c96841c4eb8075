//! `ui/protocol.d.ts`, made from [`crate::protocol`]: so that the window's code is checked against the
//! contract.
//!
//! `DORMOUSE_WRITE_DECLARATIONS=1 cargo test -p dormouse declarations` writes it; every other run of the
//! test fails where the file and the types differ.

use crate::protocol::*;
use std::fs;
use ts_rs::{Config, TS};

const HEAD: &str =
    "// Made from src-tauri/src/protocol.rs by its tests (see src-tauri/src/declarations.rs). Don't edit.\n";

/// A type as an exported declaration. What its parts are for stands in `protocol.rs`.
fn declared<T: TS>(config: &Config) -> String {
    let mut text = T::decl(config);
    while let Some((before, rest)) = text.split_once("/**") {
        let (_, after) = rest.split_once("*/").expect("a comment ends");
        text = format!("{before}{after}");
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    format!("export {}\n", words.join(" "))
}

fn declarations() -> String {
    // Ids and counts stay far below what a JavaScript number holds exactly.
    let config = Config::default().with_large_int("number");
    let mut text = HEAD.to_owned();
    text.push_str(&format!("export type Text = {};\n", <Text as TS>::name(&config)));
    for declaration in [
        declared::<Event>(&config),
        declared::<Account>(&config),
        declared::<Desktop>(&config),
        declared::<DesktopWish>(&config),
        declared::<Quiet>(&config),
        declared::<LinkRequest>(&config),
        declared::<LinkIntent>(&config),
        declared::<WhenClosed>(&config),
        declared::<Metrics>(&config),
        declared::<Update>(&config),
        declared::<UpdateStage>(&config),
        declared::<UpdateWish>(&config),
        declared::<Change>(&config),
        declared::<Connection>(&config),
        declared::<RoundTrip>(&config),
        declared::<ConnectionState>(&config),
        declared::<Person>(&config),
        declared::<Contact>(&config),
        declared::<Availability>(&config),
        declared::<Conversation>(&config),
        declared::<Message>(&config),
        declared::<Content>(&config),
        declared::<Delivery>(&config),
        declared::<Part>(&config),
        declared::<Stretch>(&config),
        declared::<ConnectionReport>(&config),
        declared::<Path>(&config),
        declared::<HistoryStretch>(&config),
        declared::<StretchKind>(&config),
        declared::<Dropped>(&config),
        declared::<Transition>(&config),
        declared::<ConnectionCheck>(&config),
        declared::<CheckStep>(&config),
        declared::<CheckMark>(&config),
        declared::<CheckWish>(&config),
        declared::<CrashReport>(&config),
        declared::<FrameDetail>(&config),
        declared::<FrameFormat>(&config),
        declared::<FrameLog>(&config),
        declared::<Frame>(&config),
        declared::<Action>(&config),
        declared::<Proxy>(&config),
        declared::<Refusal>(&config),
        declared::<Field>(&config),
    ] {
        text.push_str(&declaration);
    }
    text
}

#[test]
fn the_declarations_of_the_window_are_those_of_the_protocol() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/protocol.d.ts");
    let wanted = declarations();
    if std::env::var_os("DORMOUSE_WRITE_DECLARATIONS").is_some() {
        fs::write(&file, &wanted).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == wanted,
        "ui/protocol.d.ts differs from protocol.rs: run the test with DORMOUSE_WRITE_DECLARATIONS=1"
    );
}
