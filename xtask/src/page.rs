//! The page: its types against the contract (`tsc` over JSDoc), and node's own runner over its tests.

use crate::install;
use crate::run::{Result, output, root, run, run_and_read};
use std::path::PathBuf;
use std::process::Command;

/// Checks both; `count` is told how many tests passed and failed.
pub fn check(count: &mut impl FnMut(u64, u64)) -> Result<()> {
    let types = run(Command::new("node")
        .arg(install::node_modules().join("typescript/bin/tsc"))
        .args(["--noEmit", "--project"])
        .arg(root().join("ui/jsconfig.json")));
    let files = test_files()?;
    if files.is_empty() {
        return Err("ui/tests has no test.".to_owned());
    }
    let mut command = Command::new("node");
    // The same report on every version of node, terminal or not.
    command
        .args(["--test", "--test-reporter", "tap"])
        .args(&files)
        .current_dir(root());
    let mut report = Vec::new();
    let tests = run_and_read(&mut command, |line| {
        report.push(line.to_owned());
        if let Some(number) = number_of(line, "# pass ") {
            count(number, 0);
        } else if let Some(number) = number_of(line, "# fail ") {
            count(0, number);
        }
    });
    if tests.is_err() {
        println!("{}", report.join("\n"));
    }
    types.and(tests)
}

/// Whether node is there and new enough for all this.
pub fn has_node() -> bool {
    output(Command::new("node").arg("--version")).is_ok_and(|version| is_new_enough(&version))
        && output(Command::new("npm").arg("--version")).is_ok()
}

fn is_new_enough(version: &str) -> bool {
    let major = version.trim().trim_start_matches('v').split('.').next();
    major
        .and_then(|major| major.parse::<u32>().ok())
        .is_some_and(|major| major >= 18)
}

fn number_of(line: &str, word: &str) -> Option<u64> {
    line.strip_prefix(word)?.trim().parse().ok()
}

fn test_files() -> Result<Vec<PathBuf>> {
    let folder = root().join("ui/tests");
    let entries = std::fs::read_dir(&folder)
        .map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().ends_with(".test.js"))
        })
        .collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_from_18_on_is_new_enough() {
        assert!(is_new_enough("v18.20.4\n"));
        assert!(is_new_enough("v22.1.0"));
        assert!(!is_new_enough("v12.22.12"));
        assert!(!is_new_enough(""));
    }

    #[test]
    fn the_last_lines_of_nodes_report_are_counted() {
        assert_eq!(number_of("# pass 12", "# pass "), Some(12));
        assert_eq!(number_of("# passed 12", "# pass "), None);
        assert_eq!(number_of("ok 1 - # pass 3 is not it", "# pass "), None);
    }
}
