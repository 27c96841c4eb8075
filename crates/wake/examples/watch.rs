//! Prints what happens to this machine, one event a line, until it is stopped.
//!
//! `cargo run -p dormouse-wake --example watch`, then suspend, pull the cable, set the clock.
#![allow(clippy::print_stdout)]

use dormouse_wake::{Event, Options, watch};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut watch = watch(Options::new(
        "Dormouse watch",
        "to show that a sleep can wait for a program",
    ));
    while let Some(event) = watch.next().await {
        match event {
            Event::Suspending(guard) => println!("Suspending, granted {:?}", guard.granted()),
            event => println!("{event:?}"),
        }
    }
}
