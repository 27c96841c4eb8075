//! The programs under test, each built once per test process.
//!
//! Cargo tells a test the path of its own package's programs only. So the tests ask cargo to build the
//! others, and to say where it put them; unless `DORMOUSE_PROGRAMS` names the folder where somebody has built
//! them all (`cargo xtask test` does).

use crate::Result;
use anyhow::{Context, anyhow, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

type Built = OnceLock<std::result::Result<PathBuf, String>>;

/// The path of `dormouse-cli`.
///
/// # Errors
/// When it does not build.
pub fn cli() -> Result<&'static Path> {
    static BUILT: Built = OnceLock::new();
    once(&BUILT, "dormouse-cli")
}

/// The path of `dormouse`, the app with the window.
///
/// # Errors
/// When it does not build.
pub fn app() -> Result<&'static Path> {
    static BUILT: Built = OnceLock::new();
    once(&BUILT, "dormouse")
}

fn once(built: &'static Built, name: &str) -> Result<&'static Path> {
    match built.get_or_init(|| build(name).map_err(|error| format!("{error:#}"))) {
        Ok(path) => Ok(path),
        Err(why) => Err(anyhow!("{why}")),
    }
}

fn build(name: &str) -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("DORMOUSE_PROGRAMS") {
        let program = PathBuf::from(folder).join(name);
        if !program.is_file() {
            bail!(
                "{} is not there, where DORMOUSE_PROGRAMS has it",
                program.display()
            );
        }
        return Ok(program);
    }
    let mut command = Command::new(env!("CARGO"));
    command
        // All of its programs: the app's window is one of its own.
        .args(["build", "--quiet", "--package", name, "--bins"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    // What cargo sets for this test would look to build scripts like a change of their environment, and
    // half of the dependencies would be built again.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_of_this_package) {
            command.env_remove(name);
        }
    }
    let output = command
        .output()
        .with_context(|| format!("cargo can't be run to build {name}"))?;
    if !output.status.success() {
        bail!("{name} does not build ({})", output.status);
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .find_map(|message: Value| {
            let ours = message["reason"] == "compiler-artifact" && message["target"]["name"] == name;
            ours.then(|| message["executable"].as_str().map(PathBuf::from))
                .flatten()
        })
        .with_context(|| format!("cargo does not say where it put {name}"))
}

fn is_of_this_package(variable: &str) -> bool {
    const PREFIXES: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
    const NAMES: [&str; 3] = ["CARGO_PRIMARY_PACKAGE", "CARGO_TARGET_TMPDIR", "OUT_DIR"];
    PREFIXES.iter().any(|prefix| variable.starts_with(prefix)) || NAMES.contains(&variable)
}
