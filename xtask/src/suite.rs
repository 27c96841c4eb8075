//! `cargo xtask test`: steps in order, each with a line at its beginning and its end, all of them even after a
//! failure, and a table of what came of it.
//!
//! Programs and tests are built once, for the whole workspace ([`crate::built`]), and every step runs its own: a
//! `cargo test -p` per step would build half of the dependencies again with other features.

use crate::built;
use crate::dist;
use crate::foreign;
use crate::install::{self, Need};
use crate::mistakes;
use crate::page;
use crate::promises;
use crate::purity::{self, PURE};
use crate::run::{Result, cargo, duration, root, run, run_and_see, target};
use crate::tool::tool;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// What was asked for on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    all: bool,
    only: Vec<String>,
    skip: Vec<String>,
}

/// The folders of crates with a step of their own.
const WITH_OWN_STEP: [&str; 6] = [
    SERVERS[0],
    SERVERS[1],
    SIMULATOR[0],
    SCENARIOS[0],
    CHAOS[0],
    WINDOW[0],
];
const SERVERS: [&str; 2] = ["tests/servers", "tests/sleep-lab"];
const SIMULATOR: [&str; 1] = ["tests/simulator"];
const SCENARIOS: [&str; 1] = ["tests/scenarios"];
const CHAOS: [&str; 1] = ["tests/chaos"];
const WINDOW: [&str; 1] = ["tests/window"];

/// Systems with a step of their own.
const TARGETS: [&str; 2] = ["windows", "macos"];

const SKIPPABLE: [&str; 3] = ["namespaces", "mounts", "trixie"];

/// What came of the tests of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    passed: u64,
    failed: u64,
    ignored: u64,
    /// What was left out because something for it cannot be had, and why.
    skipped: Vec<String>,
}

#[derive(Clone, Copy)]
struct Step {
    name: &'static str,
    what: &'static str,
    only_in_all: bool,
    work: fn(&Options, &mut Count) -> Result<()>,
}

struct Outcome {
    name: &'static str,
    time: Duration,
    count: Count,
    error: Option<String>,
}

const STEPS: [Step; 18] = [
    Step {
        name: "install",
        what: "what is missing is installed",
        only_in_all: false,
        work: |options, _| install::install(Need::Test, &options.skip),
    },
    Step {
        name: "format",
        what: "rustfmt",
        only_in_all: false,
        work: |_, _| run_and_see(cargo().args(["fmt", "--all", "--check"]), |_| {}),
    },
    Step {
        name: "purity",
        what: "who may know whom",
        only_in_all: false,
        work: |_, _| purity::check(),
    },
    Step {
        name: "promises",
        what: "every test that a document promises exists",
        only_in_all: false,
        work: |_, _| promises::check(),
    },
    Step {
        name: "clippy",
        what: "clippy, with the stricter lists for the pure crates",
        only_in_all: false,
        work: clippy,
    },
    Step {
        name: "build",
        what: "all programs and all tests are built",
        only_in_all: false,
        work: |_, _| built::tests().map(drop),
    },
    Step {
        name: "ui",
        what: "the page: its types, and the tests of its pure parts",
        only_in_all: false,
        work: |_, count| {
            page::check(&mut |passed, failed| {
                count.passed += passed;
                count.failed += failed;
            })
        },
    },
    Step {
        name: "unit",
        what: "unit and property tests",
        only_in_all: false,
        work: unit,
    },
    Step {
        name: "servers",
        what: "the test servers and the sleep lab themselves",
        only_in_all: false,
        work: |options, count| packages(&SERVERS, options, count),
    },
    Step {
        name: "simulator",
        what: "the simulator",
        only_in_all: false,
        work: |options, count| packages(&SIMULATOR, options, count),
    },
    Step {
        name: "scenarios",
        what: "real servers, real sleep, kills",
        only_in_all: false,
        work: |options, count| packages(&SCENARIOS, options, count),
    },
    Step {
        name: "chaos",
        what: "real servers while everything around breaks",
        only_in_all: false,
        work: |options, count| packages(&CHAOS, options, count),
    },
    Step {
        name: "window",
        what: "the real window",
        only_in_all: false,
        work: |options, count| packages(&WINDOW, options, count),
    },
    Step {
        name: "windows",
        what: "Windows: tests under wine, and the types of the app",
        only_in_all: true,
        work: |_, count| foreign::windows(count),
    },
    Step {
        name: "macos",
        what: "macOS: the types of the tests and of the app",
        only_in_all: true,
        work: |_, count| foreign::macos(count),
    },
    Step {
        name: "mistakes",
        what: "the simulator finds every deliberate mistake",
        only_in_all: true,
        work: |_, _| mistakes::mistakes(&[]),
    },
    Step {
        name: "packages",
        what: "what is installed starts, and is removed without leftovers",
        only_in_all: true,
        work: |_, count| dist::check(|| count.passed += 1),
    },
    Step {
        name: "deny",
        what: "licences, advisories and sources of what we depend on",
        only_in_all: true,
        work: |_, _| deny(),
    },
];

impl Options {
    /// From the words after `test`.
    pub fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self::default();
        let mut rest = words;
        loop {
            rest = match rest {
                [] => return Ok(options),
                ["--all", after @ ..] => {
                    options.all = true;
                    after
                }
                ["--only", name, after @ ..] => {
                    if !STEPS.iter().any(|step| step.name == *name) {
                        return Err(format!(
                            "There is no step {name}. Steps: {}.",
                            STEPS.map(|step| step.name).join(", ")
                        ));
                    }
                    options.only.push((*name).to_owned());
                    after
                }
                ["--target", name, after @ ..] => {
                    if !TARGETS.contains(name) {
                        return Err(format!(
                            "There is no target {name}, only: {}.",
                            TARGETS.join(", ")
                        ));
                    }
                    options.only.push((*name).to_owned());
                    after
                }
                ["--skip", name, after @ ..] => {
                    if !SKIPPABLE.contains(name) {
                        return Err(format!(
                            "{name} cannot be skipped, only: {}.",
                            SKIPPABLE.join(", ")
                        ));
                    }
                    options.skip.push((*name).to_owned());
                    after
                }
                [word, ..] => return Err(format!("test knows no option {word} (or it wants a value).")),
            }
        }
    }

    fn wants(&self, step: &Step) -> bool {
        if self.only.is_empty() {
            self.all || !step.only_in_all
        } else {
            self.only.iter().any(|name| name == step.name)
        }
    }

    /// The command, knowing what was asked for and where things are.
    fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("DORMOUSE_PYTHON", install::python())
            .env("DORMOUSE_NODE_MODULES", install::node_modules())
            .env("DORMOUSE_PROGRAMS", built::programs());
        if !self.skip.is_empty() {
            command.env("DORMOUSE_SKIP", self.skip.join(","));
        }
        command
    }
}

/// Runs the steps and prints the table; an error if anything failed.
pub fn test(options: &Options) -> Result<()> {
    let start = Instant::now();
    let wanted: Vec<Step> = STEPS.into_iter().filter(|step| options.wants(step)).collect();
    let mut outcomes = Vec::new();
    for (index, step) in wanted.iter().enumerate() {
        println!(
            "==> {}/{} {}: {} …",
            index + 1,
            wanted.len(),
            step.name,
            step.what
        );
        let begun = Instant::now();
        let mut count = Count::default();
        let error = (step.work)(options, &mut count).err();
        if let Some(error) = &error {
            println!("{error}");
        }
        let word = if error.is_none() { "passed" } else { "FAILED" };
        println!(
            "==> {}/{} {}: {word} in {}\n",
            index + 1,
            wanted.len(),
            step.name,
            duration(begun.elapsed())
        );
        outcomes.push(Outcome {
            name: step.name,
            time: begun.elapsed(),
            count,
            error,
        });
    }
    print!("{}", summary(&outcomes, options, start.elapsed()));
    if outcomes.iter().any(|outcome| outcome.error.is_some()) {
        return Err(String::new());
    }
    Ok(())
}

/// Makes pictures of every screen, to look at.
pub fn screenshots() -> Result<()> {
    install::install(Need::Test, &[])?;
    let folder = target().join("screenshots");
    let tests = built::tests()?;
    let window = tests
        .iter()
        .find(|test| test.folder == root().join(WINDOW[0]) && test.name == "window");
    let Some(window) = window else {
        return Err("The window's tests were not built.".to_owned());
    };
    let mut command = Command::new(&window.program);
    command
        .args(["--ignored", "--exact", "looks::pictures_of_every_screen"])
        .current_dir(&window.folder)
        .env("DORMOUSE_SCREENSHOTS", &folder);
    run(Options::default().tell(&mut command))?;
    println!("==> The pictures are in {}", folder.display());
    Ok(())
}

/// The table, what was left out, and the last line. A step that failed without a failed test counts as one.
fn summary(outcomes: &[Outcome], options: &Options, whole: Duration) -> String {
    let mut text = format!("{:<10} {:>13}  result\n", "step", "time");
    let (mut passed, mut failed) = (0, 0);
    for outcome in outcomes {
        let Count {
            passed: p,
            failed: f,
            ignored,
            ..
        } = outcome.count;
        let mut result = if outcome.error.is_none() {
            "passed".to_owned()
        } else {
            "FAILED".to_owned()
        };
        if p + f > 0 {
            result.push_str(&format!(" ({p} passed, {f} failed)"));
        }
        if ignored > 0 {
            result.push_str(&format!(", {ignored} ignored"));
        }
        text.push_str(&format!(
            "{:<10} {:>13}  {result}\n",
            outcome.name,
            duration(outcome.time)
        ));
        passed += p;
        failed += if outcome.error.is_some() { f.max(1) } else { f };
    }
    text.push_str(&format!("{:<10} {:>13}\n", "all", duration(whole)));
    if !options.only.is_empty() {
        text.push_str(&format!(
            "Only these steps were asked for: {}.\n",
            options.only.join(", ")
        ));
    }
    for outcome in outcomes {
        if let Some(error) = &outcome.error {
            text.push_str(&format!("\n{} FAILED: {error}\n", outcome.name));
        }
    }
    for outcome in outcomes {
        for why in &outcome.count.skipped {
            text.push_str(&format!("\nSKIPPED in {}: {why}\n", outcome.name));
        }
    }
    for name in &options.skip {
        text.push_str(&format!(
            "SKIPPED by --skip {name}: the tests that need {name} did not run.\n"
        ));
    }
    text.push_str(&format!("{passed} passed, {failed} failed\n"));
    text
}

impl Count {
    /// Says, here and below the table, that something was left out and why.
    pub fn skip(&mut self, why: String) {
        println!("SKIPPED: {why}");
        self.skipped.push(why);
    }

    /// Adds cargo's `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
    pub fn add(&mut self, line: &str) {
        let Some((_, numbers)) = line.split_once("test result:") else {
            return;
        };
        // The first part also bears the verdict: "ok. 12 passed".
        for part in numbers.split(';') {
            let words: Vec<&str> = part.split_whitespace().collect();
            let [.., number, word] = words.as_slice() else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match *word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

fn clippy(_: &Options, _: &mut Count) -> Result<()> {
    // The two runs differ in their arguments too: cargo sees a change of those, but not of CLIPPY_CONF_DIR, and
    // would take a crate for checked that was checked with the other list.
    let strict = [
        "-D",
        "warnings",
        "-D",
        "clippy::disallowed_types",
        "-D",
        "clippy::disallowed_methods",
    ];
    let mut pure = cargo();
    pure.arg("clippy")
        .args(PURE.iter().flat_map(|name| ["-p", name]))
        .args(["--all-targets", "--"])
        .args(strict)
        .env("CLIPPY_CONF_DIR", root().join("lints/pure"));
    let others = |features: &[&str]| {
        let mut others = cargo();
        others
            .args(["clippy", "--workspace"])
            .args(features)
            .args(PURE.iter().flat_map(|name| ["--exclude", name]))
            .args(["--all-targets", "--", "-D", "warnings"]);
        run_and_see(&mut others, |_| {})
    };
    let pure = run_and_see(&mut pure, |_| {});
    // As a distribution builds it, which nothing else here does, and as it is tested.
    pure.and(others(&[])).and(others(&built::FEATURES))
}

fn unit(options: &Options, count: &mut Count) -> Result<()> {
    let mut others = built::tests()?.to_vec();
    others.retain(|test| {
        !WITH_OWN_STEP
            .iter()
            .any(|folder| test.folder == root().join(folder))
    });
    let tests = run_tests(&others, options, count);
    let mut documentation = cargo();
    documentation
        .args(["test", "--workspace", "--doc", "--no-fail-fast"])
        .args(built::FEATURES);
    let documentation = run_and_see(options.tell(&mut documentation), |line| count.add(line));
    tests.and(documentation)
}

fn packages(folders: &[&str], options: &Options, count: &mut Count) -> Result<()> {
    let mut tests = built::tests()?.to_vec();
    tests.retain(|test| folders.iter().any(|folder| test.folder == root().join(folder)));
    run_tests(&tests, options, count)?;
    if count.passed == 0 {
        return Err(format!("{} has no test that ran.", folders.join(", ")));
    }
    Ok(())
}

/// Runs test programs one after the other, all of them even after a failure.
fn run_tests(tests: &[built::Test], options: &Options, count: &mut Count) -> Result<()> {
    let mut failed = Vec::new();
    for test in tests {
        let shown = test.folder.strip_prefix(root()).unwrap_or(Path::new(""));
        println!("     Running {} of {}", test.name, shown.display());
        // As cargo runs them: in their package's folder.
        let mut command = Command::new(&test.program);
        command
            .current_dir(&test.folder)
            .env("CARGO_MANIFEST_DIR", &test.folder);
        // What is ignored there takes minutes; elsewhere it is no test.
        let of = |folder: &str| test.folder.ends_with(folder);
        if options.all && [CHAOS[0], SCENARIOS[0]].into_iter().any(of) {
            command.arg("--include-ignored");
        }
        if run_and_see(options.tell(&mut command), |line| count.add(line)).is_err() {
            failed.push(format!("{} of {}", test.name, shown.display()));
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("Tests failed: {}.", failed.join(", ")))
    }
}

fn deny() -> Result<()> {
    run(Command::new(tool("cargo-deny")?)
        .args(["--workspace", "check"])
        .current_dir(root()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_results_are_summed_over_lines() {
        let mut count = Count::default();
        count.add(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        );
        count.add("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        count.add("\u{1b}[32mtest result: \u{1b}[0mok. 1 passed; 0 failed");
        count.add("test something_else ... ok");
        assert_eq!(
            count,
            Count {
                passed: 16,
                failed: 2,
                ignored: 1,
                skipped: Vec::new(),
            }
        );
    }

    #[test]
    fn a_failed_check_counts_as_a_failure_in_the_last_line_and_a_skip_is_repeated() {
        let outcome = |name, count, error: Option<&str>| Outcome {
            name,
            time: Duration::ZERO,
            count,
            error: error.map(str::to_owned),
        };
        let outcomes = [
            outcome("clippy", Count::default(), Some("a warning")),
            outcome(
                "unit",
                Count {
                    passed: 7,
                    failed: 2,
                    ignored: 0,
                    skipped: vec!["There is no wine.".to_owned()],
                },
                Some("cargo test failed"),
            ),
        ];
        let options = Options::parse(&["--skip", "namespaces"]).unwrap();
        let text = summary(&outcomes, &options, Duration::ZERO);
        assert!(text.ends_with("\n7 passed, 3 failed\n"), "{text}");
        assert!(text.contains("SKIPPED by --skip namespaces"), "{text}");
        assert!(text.contains("SKIPPED in unit: There is no wine."), "{text}");
    }

    #[test]
    fn unknown_words_steps_and_skips_are_refused() {
        assert!(Options::parse(&["--only", "everything"]).is_err());
        assert!(Options::parse(&["--skip", "clippy"]).is_err());
        assert!(Options::parse(&["--only"]).is_err());
        assert!(Options::parse(&["--target", "plan9"]).is_err());
        assert_eq!(Options::parse(&["--only", "unit"]).unwrap().only, ["unit"]);
        assert_eq!(Options::parse(&["--target", "macos"]).unwrap().only, ["macos"]);
    }

    #[test]
    fn the_step_for_all_runs_only_when_asked_for() {
        let runs = |words: &[&str]| {
            let options = Options::parse(words).unwrap();
            STEPS
                .iter()
                .filter(|step| options.wants(step))
                .map(|step| step.name)
                .collect::<Vec<_>>()
        };
        for step in ["deny", "windows", "macos"] {
            assert!(!runs(&[]).contains(&step));
            assert!(runs(&["--all"]).contains(&step));
        }
        assert_eq!(runs(&["--only", "deny"]), ["deny"]);
    }
}
