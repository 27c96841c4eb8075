//! Tools that cargo installs: once, into the target folder, and only where the machine has none.

use crate::run::{Result, cargo, output, run, target};
use std::path::PathBuf;
use std::process::Command;

/// The program of a crate that is a tool, `cargo-deny` for one.
pub fn tool(name: &str) -> Result<PathBuf> {
    if output(Command::new(name).arg("--version")).is_ok() {
        return Ok(name.into());
    }
    let tools = target().join("tools");
    let program = tools.join("bin").join(name);
    if !program.exists() {
        println!("    installing {name} into the target folder (some minutes, once) …");
        run(cargo().args(["install", "--locked", name, "--root"]).arg(&tools))?;
    }
    Ok(program)
}
