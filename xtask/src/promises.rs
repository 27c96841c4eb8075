//! Documents name the test that holds each rule. A name without its test is an empty promise.

use crate::run::{Result, root};
use std::collections::BTreeSet;
use std::path::Path;

/// The documents that promise something.
const DOCUMENTS: [&str; 2] = ["docs/resilience.md", "SECURITY.md"];

/// Checks that every test named in them exists; each that does not is a line of the error.
pub fn check() -> Result<()> {
    let mut tests = BTreeSet::new();
    for folder in ["crates", "src-tauri", "tests", "xtask"] {
        collect(&root().join(folder), &mut tests)?;
    }
    let mut empty = Vec::new();
    for document in DOCUMENTS {
        let file = root().join(document);
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let promised = promised(&text);
        if promised.is_empty() {
            empty.push(format!("{document} names no test at all."));
        }
        let broken = promised.into_iter().filter(|name| !tests.contains(*name));
        empty.extend(broken.map(|name| format!("{document} names {name}, and there is no such test.")));
    }
    if empty.is_empty() {
        Ok(())
    } else {
        Err(empty.join("\n"))
    }
}

/// The test names in a document: what stands between backticks and is a sentence of at least three words.
fn promised(text: &str) -> BTreeSet<&str> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| {
            word.matches('_').count() >= 2
                && word
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        })
        .collect()
}

/// The functions of all Rust files below a folder.
fn collect(folder: &Path, tests: &mut BTreeSet<String>) -> Result<()> {
    let entries =
        std::fs::read_dir(folder).map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, tests)?;
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
            for after in text.split("fn ").skip(1) {
                let name: String = after
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                    .collect();
                tests.insert(name);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_a_sentence_between_backticks() {
        let text = "| `Live` is never said | `a_half_open_link_is_noticed`, `crates/model/src/x_y_z.rs`, `h`, `sled` |";
        assert_eq!(promised(text), BTreeSet::from(["a_half_open_link_is_noticed"]));
    }

    #[test]
    fn every_promise_of_the_document_is_kept() {
        assert_eq!(check(), Ok(()));
    }
}
