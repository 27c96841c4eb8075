//! `cargo xtask chaos`: the terminal client against real servers while everything around it breaks (`tests/chaos`).
//!
//! The program that does it knows the options, and says so when it doesn't.

use crate::install::{self, Need};
use crate::run::{Result, cargo, run, target};

/// From the words after `chaos`.
pub fn chaos(options: &[&str]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Err("Chaos needs servers that run on Linux only.".to_owned());
    }
    install::install(Need::Test, &[])?;
    run(cargo().args(["build", "-p", "dormouse-cli", "-p", "dormouse-chaos"]))?;
    let programs = target().join("debug");
    let mut command = std::process::Command::new(programs.join("dormouse-chaos"));
    run(command
        .args(options)
        .env("DORMOUSE_PYTHON", install::python())
        .env("DORMOUSE_PROGRAMS", programs))
}
