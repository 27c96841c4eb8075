//! `cargo xtask fuzz`: the fuzz targets, one after the other, each for some time.
//!
//! What is found new on the way stays in the target folder; the corpus in the repository is small and chosen by hand. A
//! finding stops its target, says where its input is, and becomes a file of the corpus once it is mended.

use crate::install::{self, Need};
use crate::run::{Result, output, root, run, step, target};
use crate::tool::tool;
use std::process::Command;

/// As the folders of the corpus.
const TARGETS: [&str; 5] = ["frames", "stanzas", "archive", "host_meta", "records"];

/// Memory that a target may take, in MiB: the sanitizer's own included.
const MEMORY: u32 = 2048;
/// Seconds that one input may take.
const TIME: u32 = 20;

/// Runs the target asked for, or all, for so many minutes each.
pub fn fuzz(words: &[&str]) -> Result<()> {
    let (targets, minutes) = parse(words)?;
    install::install(Need::Start, &[])?;
    output(Command::new("rustup").args(["run", "nightly", "rustc", "--version"])).map_err(|_| {
        "Fuzzing needs a nightly compiler: run `rustup toolchain install nightly --profile minimal`."
            .to_owned()
    })?;
    let program = tool("cargo-fuzz")?;
    for name in targets {
        step(&format!("fuzzing {name} for {minutes} min"), || {
            let found = target().join("fuzz/corpus").join(name);
            std::fs::create_dir_all(&found).map_err(|error| format!("{}: {error}", found.display()))?;
            run(Command::new("rustup")
                .args(["run", "nightly"])
                .arg(&program)
                .args(["run", "--fuzz-dir"])
                .arg(root().join("fuzz"))
                .arg("--target-dir")
                .arg(target().join("fuzz/build"))
                .arg(name)
                .arg(&found)
                .arg(root().join("fuzz/corpus").join(name))
                .args([
                    "--".to_owned(),
                    format!("-max_total_time={}", minutes * 60),
                    format!("-rss_limit_mb={MEMORY}"),
                    format!("-timeout={TIME}"),
                    "-max_len=65536".to_owned(),
                    "-print_final_stats=1".to_owned(),
                ])
                .current_dir(root()))
        })?;
    }
    Ok(())
}

fn parse<'w>(words: &[&'w str]) -> Result<(Vec<&'w str>, u32)> {
    let (mut targets, mut minutes) = (Vec::new(), 60);
    let mut rest = words;
    loop {
        rest = match rest {
            [] => break,
            ["--minutes", number, after @ ..] => {
                minutes = number
                    .parse()
                    .ok()
                    .filter(|minutes| *minutes > 0)
                    .ok_or_else(|| format!("--minutes wants a number, not {number:?}."))?;
                after
            }
            [name, after @ ..] if TARGETS.contains(name) => {
                targets.push(*name);
                after
            }
            [word, ..] => {
                return Err(format!(
                    "There is no fuzz target {word}. Targets: {}.",
                    TARGETS.join(", ")
                ));
            }
        }
    }
    if targets.is_empty() {
        targets = TARGETS.to_vec();
    }
    Ok((targets, minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_targets_run_for_an_hour_unless_it_is_said_otherwise() {
        assert_eq!(parse(&[]), Ok((TARGETS.to_vec(), 60)));
        assert_eq!(parse(&["records", "--minutes", "2"]), Ok((vec!["records"], 2)));
        for wrong in [
            &["everything"][..],
            &["--minutes"],
            &["--minutes", "0"],
            &["--minutes", "x"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn each_target_has_a_program_and_a_corpus() {
        for name in TARGETS {
            let fuzz = root().join("fuzz");
            assert!(
                fuzz.join("fuzz_targets").join(format!("{name}.rs")).is_file(),
                "{name}"
            );
            assert!(fuzz.join("corpus").join(name).is_dir(), "{name}");
        }
    }
}
