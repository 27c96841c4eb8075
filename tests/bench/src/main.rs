//! `cargo xtask bench ...`: what Dormouse costs, each next to the least it could.
//!
//! | bench | what it measures | next to |
//! |---|---|---|
//! | `window` | how long a person waits for the window, and what it holds in memory | a bare window |
//! | `desktop` | memory, processor and wake-ups with the window and in the tray, and opening again | a bare window |
//! | `wake` | from "the network is back" to "the last missed message is stored" | the round trips of the protocol |
//! | `catchup` | ten thousand missed messages | a reader that only counts them |
//! | `store` | a timeline of a million messages | the bare operation of sled |
//!
//! What is measured are release builds of the shipped programs. Tables go into `docs/bench.md` by hand: a figure
//! without its machine and its day says nothing.
// What this program is for is to print.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[cfg(all(target_os = "linux", feature = "wire"))]
mod catch_up;
#[cfg(all(target_os = "linux", feature = "wire"))]
mod crowd;
#[cfg(all(target_os = "linux", feature = "window"))]
mod desktop;
#[cfg(target_os = "linux")]
mod figure;
#[cfg(all(target_os = "linux", feature = "window"))]
mod framebuffer;
#[cfg(all(target_os = "linux", feature = "window"))]
mod idle;
#[cfg(target_os = "linux")]
mod machine;
#[cfg(all(target_os = "linux", feature = "window"))]
mod memory;
#[cfg(all(target_os = "linux", feature = "window"))]
mod page;
#[cfg(all(target_os = "linux", feature = "window"))]
mod start;
#[cfg(all(target_os = "linux", feature = "store"))]
mod store;
#[cfg(all(target_os = "linux", feature = "wire"))]
mod wake;
#[cfg(all(target_os = "linux", feature = "window"))]
mod window;

#[cfg(target_os = "linux")]
#[derive(clap::Parser)]
#[command(name = "dormouse-bench", about = "What Dormouse costs")]
enum Bench {
    /// The window, next to the least a window can be.
    #[cfg(feature = "window")]
    Window {
        /// Dormouse.
        app: std::path::PathBuf,
        /// The least a window can be.
        bare: std::path::PathBuf,
        /// How often each is started.
        runs: usize,
    },
    /// Life on the desktop: with the window and in the tray.
    #[cfg(feature = "window")]
    Desktop(desktop::Options),
    /// From "the network is back" to "the last missed message is stored".
    #[cfg(feature = "wire")]
    Wake(wake::Options),
    /// Ten thousand missed messages.
    #[cfg(feature = "wire")]
    Catchup(catch_up::Options),
    /// A timeline of a million messages.
    #[cfg(feature = "store")]
    Store(store::Options),
}

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    let report = match <Bench as clap::Parser>::parse() {
        #[cfg(feature = "window")]
        Bench::Window { app, bare, runs } => window::measure(&app, &bare, runs)?,
        #[cfg(feature = "window")]
        Bench::Desktop(options) => desktop::measure(&options)?,
        #[cfg(feature = "wire")]
        Bench::Wake(options) => wake::measure(&options)?,
        #[cfg(feature = "wire")]
        Bench::Catchup(options) => catch_up::measure(&options)?,
        #[cfg(feature = "store")]
        Bench::Store(options) => store::measure(&options)?,
    };
    println!("{report}");
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("Dormouse is measured on Linux only: displays, network namespaces and servers are Linux's.");
}
