//! The house's rules that a compiler does not know.
//!
//! - The pure crates depend on no runtime, no database and no source of events (clippy's lists in `lints/pure` see to
//!   clocks, threads and hash order).
//! - Arrows run one way only: ui -> shell, cli -> engine -> {account, diagnosis, dial, store, wake, xmpp}; account -> {link, xmpp,
//!   timeline}; shell -> {engine, diagnosis, metrics, names}; cli -> {diagnosis, metrics}; all -> model but wake and names, which know nobody. Siblings do not know
//!   each other.
//! - A file is a concept with the field's own name: nothing is called utils, helpers or manager.

use crate::run::{Result, cargo, output, root};
use std::collections::BTreeSet;
use std::path::Path;

/// The crates that decide and do nothing else.
pub const PURE: [&str; 7] = [
    "dormouse-model",
    "dormouse-link",
    "dormouse-xmpp",
    "dormouse-timeline",
    "dormouse-account",
    "dormouse-diagnosis",
    "dormouse-names",
];

const NOT_IN_PURE: [&str; 12] = [
    "async-io",
    "async-std",
    "futures-executor",
    "keyring",
    "mio",
    "polling",
    "rustls",
    "sled",
    "smol",
    "socket2",
    "tokio",
    "zbus",
];

/// Each crate of the house and those it may know, without the common prefix.
const ARROWS: [(&str, &[&str]); 14] = [
    ("model", &[]),
    ("link", &["model"]),
    ("xmpp", &["model"]),
    ("timeline", &["model"]),
    ("account", &["link", "xmpp", "timeline", "model"]),
    ("dial", &["model"]),
    ("store", &["model"]),
    ("wake", &[]),
    (
        "engine",
        &["account", "diagnosis", "dial", "store", "wake", "xmpp", "model"],
    ),
    ("diagnosis", &["model"]),
    ("metrics", &["model"]),
    ("cli", &["engine", "diagnosis", "metrics", "model"]),
    ("names", &[]),
    ("shell", &["engine", "diagnosis", "metrics", "names"]),
];

/// The shell's package, which lives in `src-tauri`.
const SHELL: &str = "dormouse";

const LONG: usize = 600;

/// Checks all of it; every violation is a line of the error.
pub fn check() -> Result<()> {
    let mut wrong = Vec::new();
    let mut crates: Vec<String> = folder_names(&root().join("crates"));
    crates.sort_unstable();
    for name in crates {
        let package = format!("dormouse-{name}");
        let tree = tree(&package)?;
        wrong.extend(forbidden_arrows(
            &name,
            tree.iter().filter(|(depth, _)| *depth == 1).map(|(_, name)| name),
        ));
        if PURE.contains(&package.as_str()) {
            wrong.extend(impurities(&package, tree.iter().map(|(_, name)| name)));
        }
    }
    wrong.extend(forbidden_arrows(
        "shell",
        tree(SHELL)?
            .iter()
            .filter(|(depth, _)| *depth == 1)
            .map(|(_, name)| name),
    ));
    for top in ["crates", "tests", "xtask", "src-tauri", "ui"] {
        walk(&root().join(top), &mut |file| {
            let shown = file.strip_prefix(root()).unwrap_or(file).display();
            if is_nameless(file) {
                wrong.push(format!(
                    "{shown}: a file is called after its concept, never utils, helpers or manager"
                ));
            }
            if file
                .extension()
                .is_some_and(|ending| ending == "rs" || ending == "js")
            {
                let lines = std::fs::read_to_string(file)
                    .map(|text| text.lines().count())
                    .unwrap_or_default();
                if lines > LONG {
                    println!("    {shown} has {lines} lines: is it one concept?");
                }
            }
        });
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}

/// What a crate depends on, with how far away: normal dependencies, on every system.
fn tree(package: &str) -> Result<BTreeSet<(usize, String)>> {
    let text = output(
        cargo()
            .args([
                "tree", "--quiet", "-p", package, "-e", "normal", "--target", "all",
            ])
            .args(["--prefix", "depth", "--format", " {p}"]),
    )?;
    Ok(text
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.next()?.parse().ok()?, words.next()?.to_owned()))
        })
        .collect())
}

fn impurities<'a>(package: &str, names: impl Iterator<Item = &'a String>) -> BTreeSet<String> {
    names
        .filter(|name| NOT_IN_PURE.contains(&name.as_str()))
        .map(|name| {
            format!("{package} is pure and must not depend on {name} (see cargo tree -p {package} -i {name})")
        })
        .collect()
}

fn forbidden_arrows<'a>(name: &str, direct: impl Iterator<Item = &'a String>) -> Vec<String> {
    let Some((_, allowed)) = ARROWS.iter().find(|(room, _)| *room == name) else {
        return vec![format!(
            "crates/{name} is not on the map of the house: add it to xtask's ARROWS"
        )];
    };
    direct
        .filter_map(|dependency| dependency.strip_prefix("dormouse-"))
        .filter(|known| *known != name && !allowed.contains(known))
        .map(|known| format!("{name} must not know {known}: arrows run one way only"))
        .collect()
}

fn is_nameless(file: &Path) -> bool {
    let stem = file
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    stem.split(['_', '-', '.']).any(|word| {
        matches!(
            word,
            "util" | "utils" | "utilities" | "helper" | "helpers" | "manager" | "managers"
        )
    })
}

fn folder_names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.path().join("Cargo.toml").exists())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn walk(folder: &Path, see: &mut impl FnMut(&Path)) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort_unstable();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && name != "target" && name != "node_modules" {
            walk(&path, see);
        } else if path.is_file() {
            see(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sibling_that_knows_its_sibling_is_named() {
        let direct = ["dormouse-link", "dormouse-model", "dormouse-xmpp", "serde"].map(str::to_owned);
        assert_eq!(
            forbidden_arrows("link", direct.iter()),
            ["link must not know xmpp: arrows run one way only"]
        );
        assert!(forbidden_arrows("account", direct.iter()).is_empty());
    }

    #[test]
    fn the_shell_knows_the_engine_and_nothing_behind_it() {
        let direct = ["dormouse-engine", "dormouse-names", "dormouse-store"].map(str::to_owned);
        assert_eq!(
            forbidden_arrows("shell", direct.iter()),
            ["shell must not know store: arrows run one way only"]
        );
    }

    #[test]
    fn a_runtime_behind_a_pure_crate_is_named_once() {
        let names = ["jid", "tokio", "serde", "tokio"].map(str::to_owned);
        let found = impurities("dormouse-link", names.iter());
        assert_eq!(found.len(), 1);
        assert!(
            found
                .iter()
                .all(|sentence| sentence.contains("must not depend on tokio"))
        );
    }

    #[test]
    fn a_crate_that_is_not_on_the_map_is_named() {
        assert_eq!(forbidden_arrows("attic", [].iter()).len(), 1);
    }

    #[test]
    fn files_without_a_concept_are_found_and_others_are_not() {
        for file in [
            "src/utils.rs",
            "src/message_manager.rs",
            "a/helpers/x.rs",
            "Helper.js",
        ] {
            let nameless = is_nameless(Path::new(file)) || file.contains("helpers/");
            assert!(nameless, "{file}");
        }
        assert!(!is_nameless(Path::new("src/outbox.rs")));
        assert!(!is_nameless(Path::new("src/managed.rs")));
    }
}
