//! Deliberate mistakes, to show that the simulator finds them.
//!
//! A mistake is a file in `tests/simulator/mistakes`: what it is, then which text of which file is replaced by
//! which. It is made in a copy of the workspace below `target`, never in the product; the simulator is built there
//! and lives until a life goes wrong. A mistake whose text is no longer found is an error: it has to follow the code.
//!
//! ```text
//! A count is told before what it covers is on disk.
//! @ crates/xmpp/src/stream_management.rs
//! -        self.told = Some(self.durable);
//! +        self.told = Some(self.record.handled);
//! ```

use crate::run::{Result, cargo, duration, output, root, run_and_read, target};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const FOLDER: &str = "tests/simulator/mistakes";
/// Lives in which a mistake must be found.
const SEEDS: u64 = 2000;
const TABLE: (&str, &str) = ("<!-- mistakes:begin -->", "<!-- mistakes:end -->");

/// One mistake.
#[derive(Debug, PartialEq, Eq)]
struct Mistake {
    name: String,
    what: String,
    changes: Vec<Change>,
}

/// One text that is replaced by another.
#[derive(Debug, Default, PartialEq, Eq)]
struct Change {
    file: String,
    before: String,
    after: String,
}

/// How a mistake was found.
struct Found {
    lives: u64,
    finding: String,
}

/// What was asked for on the command line: names, and whether the document's table is to be written.
pub fn mistakes(words: &[&str]) -> Result<()> {
    let mut all = read_all()?;
    let (mut write, mut seeds, mut names) = (false, SEEDS, Vec::new());
    let mut rest = words;
    while let [word, after @ ..] = rest {
        rest = match (*word, after) {
            ("--write", after) => {
                write = true;
                after
            }
            ("--seeds", [number, after @ ..]) => {
                seeds = number
                    .parse()
                    .map_err(|_| format!("--seeds wants a number, not {number:?}"))?;
                after
            }
            (name, after) => {
                names.push(name);
                after
            }
        };
    }
    if let Some(odd) = names
        .iter()
        .find(|name| !all.iter().any(|mistake| mistake.name == **name))
    {
        let known: Vec<&str> = all.iter().map(|mistake| mistake.name.as_str()).collect();
        return Err(format!(
            "There is no mistake {odd}. There are: {}.",
            known.join(", ")
        ));
    }
    if !names.is_empty() {
        all.retain(|mistake| names.iter().any(|name| *name == mistake.name));
    }
    // Those in the same file one after another: what the last one changed is built again with the next.
    all.sort_by(|one, other| one.changes[0].file.cmp(&other.changes[0].file));
    let files = copied()?;
    println!("==> the simulator without a mistake …");
    let healthy = scratch().join("healthy");
    let built = build(&scratch().join("source"))?;
    fs::copy(&built, &healthy).map_err(|error| format!("{} cannot be copied: {error}", built.display()))?;
    let mut rows = Vec::new();
    let mut missed = Vec::new();
    for mistake in &all {
        let begun = Instant::now();
        println!("==> {}: {} …", mistake.name, mistake.what);
        let outcome = live_with(mistake, &files, seeds);
        let took = duration(begun.elapsed());
        match outcome {
            Err(why) => {
                println!("==> {}: CANNOT BE MADE: {why}", mistake.name);
                missed.push(mistake.name.clone());
            }
            Ok(Some(found)) => {
                // What is found without a mistake says nothing of mistakes.
                if let Some(without) = live(&healthy, found.lives - 1, 1) {
                    return Err(format!(
                        "Seed {} fails without any mistake: {}. Mend that first.",
                        without.lives - 1,
                        without.finding
                    ));
                }
                println!(
                    "==> {}: found in {} lives ({took}): {}",
                    mistake.name, found.lives, found.finding
                );
                rows.push(format!(
                    "| {} | {} | {} |",
                    mistake.what, found.finding, found.lives
                ));
            }
            Ok(None) => {
                println!("==> {}: NOT FOUND in {seeds} lives ({took})", mistake.name);
                missed.push(mistake.name.clone());
            }
        }
    }
    let table = format!(
        "| mistake | found by | lives it took |\n|---|---|---:|\n{}\n",
        rows.join("\n")
    );
    println!("\n{table}");
    if write && names.is_empty() && missed.is_empty() {
        write_table(&table)?;
    }
    if missed.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "Not found: {}. The model or the checker must get better.",
            missed.join(", ")
        ))
    }
}

/// That each mistake can still be made.
#[cfg(test)]
fn check() -> Result<()> {
    for mistake in read_all()? {
        for change in &mistake.changes {
            change.made_in(&text_of(root(), &change.file)?, &mistake.name)?;
        }
    }
    Ok(())
}

fn read_all() -> Result<Vec<Mistake>> {
    let folder = root().join(FOLDER);
    let entries =
        fs::read_dir(&folder).map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
        .iter()
        .map(|file| {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            let text = fs::read_to_string(file)
                .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
            Mistake::read(&name, &text)
        })
        .collect()
}

impl Mistake {
    fn read(name: &str, text: &str) -> Result<Self> {
        let mut what = Vec::new();
        let mut changes: Vec<Change> = Vec::new();
        let mut file = None;
        let mut answered = true;
        for line in text.lines() {
            if let Some(path) = line.strip_prefix("@ ") {
                file = Some(path.to_owned());
                answered = true;
                continue;
            }
            let Some(file) = &file else {
                what.push(line.trim());
                continue;
            };
            if line.starts_with('-') && answered {
                changes.push(Change {
                    file: file.clone(),
                    ..Change::default()
                });
                answered = false;
            }
            let Some(change) = changes.last_mut() else {
                return Err(format!("The mistake {name} says nothing of what is replaced."));
            };
            match line.split_at_checked(1) {
                Some(("-", line)) => change.before.push_str(&format!("{line}\n")),
                Some(("+", line)) => {
                    answered = true;
                    change.after.push_str(&format!("{line}\n"));
                }
                _ => {
                    return Err(format!(
                        "The mistake {name} holds a line that is neither - nor +: {line:?}."
                    ));
                }
            }
        }
        if changes.is_empty() {
            return Err(format!("The mistake {name} replaces nothing."));
        }
        Ok(Self {
            name: name.to_owned(),
            what: what.join(" "),
            changes,
        })
    }
}

impl Change {
    /// A file's text with the mistake in it.
    fn made_in(&self, text: &str, name: &str) -> Result<String> {
        match text.matches(&self.before).count() {
            1 => Ok(text.replacen(&self.before, &self.after, 1)),
            0 => Err(format!(
                "The mistake {name} can't be made any more: its text is not in {}. Let it follow the code.",
                self.file
            )),
            times => Err(format!(
                "The mistake {name} is not clear: its text is {times} times in {}.",
                self.file
            )),
        }
    }
}

fn text_of(folder: &Path, file: &str) -> Result<String> {
    let path = folder.join(file);
    fs::read_to_string(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

fn scratch() -> PathBuf {
    target().join("mistakes")
}

/// Makes the copy of the workspace like the workspace; the files in it.
fn copied() -> Result<Vec<String>> {
    let list = output(Command::new("git").current_dir(root()).args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let files: Vec<String> = list
        .lines()
        .filter(|file| !file.starts_with("docs/") && root().join(file).is_file())
        .map(str::to_owned)
        .collect();
    for file in &files {
        restore(file)?;
    }
    Ok(files)
}

/// Makes one file of the copy like the original. A file that is the same already is left alone, so that nothing is
/// built again without need.
fn restore(file: &str) -> Result<()> {
    let (from, to) = (root().join(file), scratch().join("source").join(file));
    let failed = |error| format!("{} cannot be copied: {error}", from.display());
    let bytes = fs::read(&from).map_err(failed)?;
    write_changed(&to, &bytes)
}

fn write_changed(to: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let failed = |error| format!("{} cannot be written: {error}", to.display());
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(to, bytes).map_err(failed)
}

fn live_with(mistake: &Mistake, files: &[String], seeds: u64) -> Result<Option<Found>> {
    let source = scratch().join("source");
    for change in &mistake.changes {
        if !files.contains(&change.file) {
            return Err(format!(
                "The mistake {} is about {}, which there is not.",
                mistake.name, change.file
            ));
        }
        let wrong = change.made_in(&text_of(&source, &change.file)?, &mistake.name)?;
        write_changed(&source.join(&change.file), wrong.as_bytes())?;
    }
    let outcome = build(&source).map(|program| live(&program, 0, seeds));
    for change in &mistake.changes {
        restore(&change.file)?;
    }
    outcome
}

/// Builds what is in the copy: the simulator.
fn build(source: &Path) -> Result<PathBuf> {
    let build = scratch().join("build");
    output(
        cargo()
            .args(["build", "--quiet", "-p", "dormouse-simulator"])
            .current_dir(source)
            .env("CARGO_TARGET_DIR", &build),
    )?;
    Ok(build.join("debug/dormouse-simulator"))
}

/// Lives until something is found.
fn live(simulator: &Path, from: u64, seeds: u64) -> Option<Found> {
    let mut found: Option<Found> = None;
    // Several lives are lived at a time: of those that fail the first counts, and of each its first finding.
    let mut failing: Option<u64> = None;
    // It fails if it finds something: that is what is wanted.
    let _ = run_and_read(
        Command::new(simulator)
            .args(["--failures", "1", "--lines", "0", "--from"])
            .arg(from.to_string())
            .arg("--seeds")
            .arg(seeds.to_string()),
        |line| {
            if let Some(seed) = line
                .strip_prefix("seed ")
                .and_then(|rest| rest.strip_suffix(" fails:"))
            {
                failing = seed.parse::<u64>().ok();
            } else if let (Some(seed), Some((_, finding))) = (failing, line.split_once(": "))
                && found.as_ref().is_none_or(|found| found.lives > seed + 1)
            {
                found = Some(Found {
                    lives: seed + 1,
                    finding: finding.trim().replace('|', "/"),
                });
                failing = None;
            }
        },
    );
    found
}

fn write_table(table: &str) -> Result<()> {
    let file = root().join("docs/resilience.md");
    let text = text_of(root(), "docs/resilience.md")?;
    let (Some((head, _)), Some((_, tail))) = (text.split_once(TABLE.0), text.split_once(TABLE.1)) else {
        return Err(format!(
            "{} has no place for the table of mistakes.",
            file.display()
        ));
    };
    let whole = format!("{head}{}\n{table}{}{tail}", TABLE.0, TABLE.1);
    fs::write(&file, whole).map_err(|error| format!("{} cannot be written: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_can_still_be_made() {
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn a_mistake_is_its_sentence_and_its_changes() {
        let text = "It forgets.\nOften.\n@ a.rs\n-one\n-two\n+three\n-four\n+five\n@ b.rs\n-six\n";
        let mistake = Mistake::read("x", text).unwrap();
        assert_eq!(mistake.what, "It forgets. Often.");
        let change = |file: &str, before: &str, after: &str| Change {
            file: file.into(),
            before: before.into(),
            after: after.into(),
        };
        assert_eq!(
            mistake.changes,
            [
                change("a.rs", "one\ntwo\n", "three\n"),
                change("a.rs", "four\n", "five\n"),
                change("b.rs", "six\n", "")
            ]
        );
        assert_eq!(
            mistake.changes[0].made_in("zero\none\ntwo\n", "x").unwrap(),
            "zero\nthree\n"
        );
        assert!(mistake.changes[0].made_in("zero\n", "x").is_err(), "it is gone");
        assert!(
            mistake.changes[1].made_in("four\nfour\n", "x").is_err(),
            "it is not clear which"
        );
    }
}
