//! The corpus and what fuzzing found, on stable: each file as it is, and cut and garbled in ways that repeat.
#![allow(clippy::unwrap_used, clippy::panic)]

use dormouse_fuzzing::core::Core;
use dormouse_fuzzing::{TARGETS, Target, records};
use dormouse_model::Random;
use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

/// So many times each file is garbled.
const GARBLED: u64 = 40;

fn folder(target: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    root.join(target)
}

fn files(target: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(folder(target))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

fn give(target: Target, data: &[u8], of: &str) {
    if catch_unwind(AssertUnwindSafe(|| target(data))).is_err() {
        panic!("{of}: {:?}", String::from_utf8_lossy(data));
    }
}

/// Cut, doubled, or with bytes exchanged for others that mean something.
fn garble(data: &[u8], random: &mut Random) -> Vec<u8> {
    const MEANINGFUL: &[u8] = b"<>/'\"=&; {}\n\0\x01\xff\x7f-09azAZ:@.";
    let mut data = data.to_vec();
    for _ in 0..=random.below(4) {
        let length = data.len() as u64;
        let at = usize::try_from(random.below(length)).unwrap();
        let to = usize::try_from(random.below(length)).unwrap();
        let (low, high) = (at.min(to), at.max(to));
        match random.below(4) {
            0 => drop(data.drain(low..high)),
            1 => {
                let part = data[low..high].to_vec();
                data.splice(at..at, part);
            }
            _ if data.is_empty() => {}
            _ => {
                let with = usize::try_from(random.below(MEANINGFUL.len() as u64)).unwrap();
                data[at] = MEANINGFUL[with];
            }
        }
    }
    data
}

#[test]
fn every_file_of_the_corpus_runs_through_its_target_as_it_is() {
    for (name, target) in TARGETS {
        let files = files(name);
        assert!(files.len() >= 10, "{name} has {} files", files.len());
        for (file, data) in files {
            give(target, &data, &format!("{name}/{file}"));
        }
    }
}

#[test]
fn every_file_of_the_corpus_runs_through_its_target_garbled() {
    for (name, target) in TARGETS {
        for (file, data) in files(name) {
            for seed in 0..GARBLED {
                let mut random = Random::from_seed([u8::try_from(seed).unwrap(); 32]);
                let garbled = garble(&data, &mut random);
                give(
                    target,
                    &garbled,
                    &format!("{name}/{file}, garbled with seed {seed}"),
                );
            }
        }
    }
}

/// The records of lives that were lived, for the corpus.
#[test]
#[ignore = "writes fuzz/corpus/records"]
fn the_corpus_of_records_is_written_anew() {
    let mut lives: Vec<(String, String)> = files("archive")
        .into_iter()
        .map(|(name, data)| (name, String::from_utf8(data).unwrap()))
        .collect();
    lives.push(("nothing".to_owned(), String::new()));
    for (name, life) in lives {
        let mut core = Core::over(BTreeMap::new()).unwrap();
        core.sign_in().unwrap();
        for line in life.lines() {
            if line.is_empty() {
                core.wait().unwrap();
            } else {
                core.say(line).unwrap();
            }
        }
        let (journal, _) = dormouse_model::Key::Journal(3).kind_range();
        let few = core.disk.iter().filter(|(key, _)| !key.starts_with(&journal));
        let disk = few.map(|(key, value)| (key.clone(), value.clone())).collect();
        fs::write(folder("records").join(name), records::write(&disk)).unwrap();
    }
}
