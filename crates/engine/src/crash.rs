//! What a crash leaves behind: a report on this computer, sent nowhere, shown at the next start.
//!
//! A report says which program crashed, where in it and how it got there. It does not say with what: a panic's words
//! may quote a message that was being handled, so they are kept only where the program's own text holds all of them, or where
//! nothing but numbers was put in. Of a core that crashed and was made anew there is a report as well: the program went on.

use crate::private_file::write_private;
use dormouse_model::Stamp;
use std::any::Any;
use std::backtrace::Backtrace;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{fs, io, panic, thread};

/// So many reports are kept; a later one takes the place of the oldest.
const KEPT: usize = 5;
/// The longest report, in bytes: what is longer is a recursion, and its end is like its middle.
const LONGEST: usize = 64 * 1024;
/// Words into which the program puts only numbers, with `#` for each.
const HARMLESS: [&str; 4] = [
    "index out of bounds: the len is # but the index is #",
    "range start index # out of range for slice of length #",
    "range end index # out of range for slice of length #",
    "slice index starts at # but ends at #",
];

/// The reports of one home folder.
#[derive(Debug, Clone)]
pub struct Crashes {
    folder: PathBuf,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// When it happened.
    pub at: Stamp,
    /// All that is known: for developers, in English.
    pub text: String,
}

impl Crashes {
    /// Those in `folder`, which need not be there.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// From now on a panic in any thread leaves a report; what was done about panics before is done after that. `program`: its name
    /// and version.
    pub fn watch(&self, program: String) {
        let crashes = self.clone();
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let words = words(info.payload());
            let place = info
                .location()
                .map(|it| place(it.file(), it.line()))
                .unwrap_or_default();
            // A disk that takes nothing: the log may still.
            if let Err(error) = crashes.keep(crate::now().stamp, &told(&program, &words, &place)) {
                tracing::error!(%error, "there is no report of a crash");
            }
            before(info);
        }));
    }

    /// Where they are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The reports there are, oldest first.
    pub fn all(&self) -> io::Result<Vec<Crash>> {
        let mut all = Vec::new();
        for (at, path) in self.files()? {
            all.push(Crash {
                at,
                text: String::from_utf8_lossy(&fs::read(path)?).into_owned(),
            });
        }
        Ok(all)
    }

    /// Removes those up to this moment.
    pub fn forget(&self, to: Stamp) -> io::Result<()> {
        for (_, path) in self.files()?.into_iter().filter(|(at, _)| *at <= to) {
            fs::remove_file(path)?;
        }
        Ok(())
    }

    fn keep(&self, at: Stamp, text: &str) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let files = self.files()?;
        for (_, path) in files.iter().take((files.len() + 1).saturating_sub(KEPT)) {
            fs::remove_file(path)?;
        }
        write_private(&self.folder.join(format!("crash-{}.txt", at.0)), text.as_bytes())
    }

    /// Oldest first.
    fn files(&self) -> io::Result<Vec<(Stamp, PathBuf)>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(other) => return Err(other),
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry?.path();
            files.extend(moment(&path).map(|at| (at, path)));
        }
        files.sort();
        Ok(files)
    }
}

/// When a report was written, by its file's name.
fn moment(path: &Path) -> Option<Stamp> {
    let name = path.file_name()?.to_str()?;
    let number = name.strip_prefix("crash-")?.strip_suffix(".txt")?;
    number.parse().ok().map(Stamp)
}

fn told(program: &str, words: &str, place: &str) -> String {
    let thread = thread::current();
    let mut text = format!(
        "{program} on {}\nA panic in the thread {} at {place}: {words}\n\n",
        crate::system(),
        thread.name().unwrap_or("without a name"),
    );
    // Which functions, not where their sources lay when they were compiled.
    for line in Backtrace::force_capture().to_string().lines() {
        if !line.trim_start().starts_with("at ") && text.len() + line.len() < LONGEST {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// Where in the sources; of other people's only from their package on, for where those lay names whoever compiled them.
fn place(file: &str, line: u32) -> String {
    let file = file.replace('\\', "/");
    let package = file
        .split_once("/registry/src/")
        .and_then(|(_, index)| index.split_once('/'))
        .map_or(file.as_str(), |(_, package)| package);
    format!("{package}:{line}")
}

/// A panic's words, if nobody else's are among them.
fn words(payload: &(dyn Any + Send)) -> String {
    if let Some(own) = payload.downcast_ref::<&'static str>() {
        return (*own).to_owned();
    }
    let Some(made) = payload.downcast_ref::<String>() else {
        return "without words".to_owned();
    };
    let template = made
        .split(|c: char| c.is_ascii_digit())
        .filter(|part| !part.is_empty());
    let mut template = template.collect::<Vec<_>>().join("#");
    if made.ends_with(|c: char| c.is_ascii_digit()) {
        template.push('#');
    }
    if HARMLESS.contains(&template.as_str()) {
        made.clone()
    } else {
        format!(
            "words of {} characters, which may quote somebody",
            made.chars().count()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Set in the process that is to crash: where its reports go.
    const CRASHES: &str = "DORMOUSE_TEST_CRASHES";

    fn crashes(folder: &tempfile::TempDir) -> Crashes {
        Crashes::in_folder(folder.path().join("crashes"))
    }

    #[test]
    fn a_crash_leaves_a_report_that_says_where_and_nobodys_words() {
        if let Some(folder) = std::env::var_os(CRASHES) {
            Crashes::in_folder(folder.into()).watch("dormouse 9.9.9".to_owned());
            let body = "what somebody wrote";
            let crashed = thread::Builder::new()
                .name("the core".to_owned())
                .spawn(move || panic!("a frame: {body}"));
            let _ = crashed.unwrap().join();
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let here = "crash::tests::a_crash_leaves_a_report_that_says_where_and_nobodys_words";
        let ran = Command::new(std::env::current_exe().unwrap())
            .args([here, "--exact"])
            .env(CRASHES, folder.path().join("crashes"))
            .output()
            .unwrap();
        assert!(ran.status.success(), "{ran:?}");
        let all = crashes(&folder).all().unwrap();
        let [crash] = all.as_slice() else {
            panic!("{all:?}")
        };
        for wanted in [
            "dormouse 9.9.9 on ",
            "the thread the core",
            "crash.rs",
            "28 characters",
        ] {
            assert!(crash.text.contains(wanted), "{wanted}: {}", crash.text);
        }
        assert!(!crash.text.contains("somebody wrote"), "{}", crash.text);
        assert!(
            !crash
                .text
                .lines()
                .any(|line| line.trim_start().starts_with("at "))
        );
    }

    #[test]
    fn the_programs_own_words_and_numbers_are_kept() {
        let of_the_source: &'static str = "called `Option::unwrap()` on a `None` value";
        assert_eq!(words(&of_the_source), of_the_source);
        let numbers = "index out of bounds: the len is 3 but the index is 17".to_owned();
        assert_eq!(words(&numbers.clone()), numbers);
        let quoting = "byte index 2 is not a char boundary; it is inside 'é' of `né`".to_owned();
        assert_eq!(
            words(&quoting),
            "words of 61 characters, which may quote somebody"
        );
    }

    #[test]
    fn a_place_names_nobody_who_compiled_it() {
        let sources = "/home/juliet/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f";
        assert_eq!(
            place(&format!("{sources}/tokio-1.45.0/src/net/tcp.rs"), 7),
            "tokio-1.45.0/src/net/tcp.rs:7"
        );
        assert_eq!(
            place("crates/engine/src/crash.rs", 9),
            "crates/engine/src/crash.rs:9"
        );
    }

    #[test]
    fn only_the_latest_reports_are_kept_until_they_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let crashes = crashes(&folder);
        assert_eq!(crashes.all().unwrap(), []);
        for n in 1..=8 {
            crashes.keep(Stamp(n), &format!("report {n}")).unwrap();
        }
        fs::write(folder.path().join("crashes/notes.txt"), "not ours").unwrap();
        let kept: Vec<i64> = crashes.all().unwrap().iter().map(|crash| crash.at.0).collect();
        assert_eq!(kept, [4, 5, 6, 7, 8]);
        crashes.forget(Stamp(7)).unwrap();
        let left = crashes.all().unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].text, "report 8");
        assert!(folder.path().join("crashes/notes.txt").exists());
    }
}
