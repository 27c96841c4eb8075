//! `cargo xtask bench window`: how long a person waits for the window, and what it holds in memory, each next to the
//! least a window of this kind can be (`tests/bare-window`), in the same minutes on the same machine.
//!
//! Both programs are release builds on a display of their own. Runs alternate, so that what else the machine does
//! meets both. Dormouse has a cache of two long conversations and a real Prosody on loopback.
// What this program is for is to print.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[cfg(target_os = "linux")]
mod figure;
#[cfg(target_os = "linux")]
mod framebuffer;
#[cfg(target_os = "linux")]
mod machine;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod page;
#[cfg(target_os = "linux")]
mod start;
#[cfg(target_os = "linux")]
mod window;

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [app, bare, runs] = arguments.as_slice() else {
        anyhow::bail!("dormouse-bench APP BARE RUNS: the two programs, and how often each is started");
    };
    let report = window::measure(app.as_ref(), bare.as_ref(), runs.parse()?)?;
    println!("{report}");
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("The window is measured on Linux only: it needs an X display of its own.");
}
