//! All programs and all tests of the workspace, built once.
//!
//! Cargo chooses the features of a dependency by what is built together. Two selections of packages are two sets of
//! features, and everything that depends on the difference is compiled once more: for the window's dependencies,
//! minutes. So there is one selection, the whole workspace.

use crate::run::{Result, cargo, output, run_and_read, run_and_see, target};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// With what the releases are built with: off without a key, so that it is tested that nobody is asked, too.
pub const FEATURES: [&str; 2] = ["--features", "dormouse/updater"];

/// A test program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// The target's name in its package.
    pub name: String,
    /// The package's folder.
    pub folder: PathBuf,
    /// The program.
    pub program: PathBuf,
}

/// Where `cargo build` puts programs.
pub fn programs() -> PathBuf {
    target().join("debug")
}

/// Builds everything, once in the life of this process, and says where the tests are. Why it failed is told to who asked first.
pub fn tests() -> Result<&'static [Test]> {
    static BUILT: OnceLock<Option<Vec<Test>>> = OnceLock::new();
    let mut why = "Nothing was built.".to_owned();
    let built = BUILT.get_or_init(|| {
        build()
            .map_err(|error| why = format!("{error}\nFree on the disk of the target folder: {}.", free()))
            .ok()
    });
    built.as_deref().ok_or(why)
}

fn build() -> Result<Vec<Test>> {
    run_and_see(cargo().args(["build", "--workspace"]).args(FEATURES), |_| {})?;
    let mut tests = Vec::new();
    let mut command = cargo();
    command
        .args(["test", "--workspace", "--no-run"])
        .args(FEATURES)
        .args(["--message-format", "json-render-diagnostics"]);
    run_and_read(&mut command, |line| tests.extend(test(line)))?;
    Ok(tests)
}

/// What `df` says: a full disk is the most common reason why a linker fails.
fn free() -> String {
    let said = output(Command::new("df").args(["-h", "--output=avail"]).arg(target()));
    let figure = said
        .ok()
        .and_then(|said| Some(said.lines().nth(1)?.trim().to_owned()));
    figure.unwrap_or_else(|| "unknown".to_owned())
}

/// The test program that a line of cargo's tells of, if it does.
fn test(line: &str) -> Option<Test> {
    let message: Value = serde_json::from_str(line).ok()?;
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
        return None;
    }
    Some(Test {
        name: message["target"]["name"].as_str()?.to_owned(),
        folder: Path::new(message["manifest_path"].as_str()?).parent()?.to_owned(),
        program: message["executable"].as_str()?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_cargo_tells_only_test_programs_are_taken() {
        let told = r#"{"reason":"compiler-artifact","manifest_path":"/w/crates/link/Cargo.toml","target":
            {"name":"stall"},"profile":{"test":true},"executable":"/w/target/debug/deps/stall-1"}"#
            .replace('\n', "");
        let found = test(&told).unwrap();
        assert_eq!(found.name, "stall");
        assert_eq!(found.folder, Path::new("/w/crates/link"));
        assert_eq!(test(&told.replace("\"test\":true", "\"test\":false")), None);
        assert_eq!(
            test(&told.replace("\"/w/target/debug/deps/stall-1\"", "null")),
            None
        );
        assert_eq!(test("   Compiling dormouse"), None);
    }
}
