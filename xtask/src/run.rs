//! Running other programs with their output on our terminal, and saying how long it took.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// As many lines of what a failed command said last are repeated with the error: a log may be cut off above them.
const REPEATED: usize = 30;
/// How long what a command has complained is waited for when it has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Errors are sentences for the person at the terminal.
pub type Result<T> = std::result::Result<T, String>;

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

/// Cargo's target folder, which the environment may have moved.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// The cargo that started us, at the repository's root.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs a command to its end, its output on ours; an error if it fails.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| cannot_run(command, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{} failed ({status})", words(command)))
    }
}

/// Like [`run`], and `see` is given each line of standard output after it is printed. Where nobody sits at a terminal the error repeats
/// what was said last.
pub fn run_and_see(command: &mut Command, mut see: impl FnMut(&str)) -> Result<()> {
    if std::io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut last = Last::default();
    let outcome = run_and_read(command, |line| {
        println!("{line}");
        last.keep(line);
        see(line);
    });
    outcome.map_err(|error| last.behind(error))
}

/// Runs a command to its end; each line of its standard output is read by us and not printed. What it complains is shown, and where
/// nobody sits at a terminal repeated with the error.
pub fn run_and_read(command: &mut Command, mut read: impl FnMut(&str)) -> Result<()> {
    if !std::io::stderr().is_terminal() {
        command.stderr(Stdio::piped());
    }
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_run(command, &error))?;
    let last = Arc::new(Mutex::new(Last::default()));
    let (ended, end) = mpsc::channel();
    if let Some(stderr) = child.stderr.take() {
        let last = Arc::clone(&last);
        thread::spawn(move || {
            lines(stderr, |line| {
                eprintln!("{line}");
                if let Ok(mut last) = last.lock() {
                    last.keep(line);
                }
            });
            // Nobody waits any more: it took too long.
            let _ = ended.send(());
        });
    } else {
        drop(ended);
    }
    if let Some(output) = child.stdout.take() {
        lines(output, &mut read);
    }
    let status = child.wait().map_err(|error| cannot_run(command, &error))?;
    // A program that it has left behind may hold the pipe open for ever.
    let _ = end.recv_timeout(LAST_WORDS);
    if status.success() {
        Ok(())
    } else {
        let error = format!("{} failed ({status})", words(command));
        Err(last.lock().map_or(error.clone(), |last| last.behind(error)))
    }
}

fn lines(from: impl Read, mut see: impl FnMut(&str)) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        see(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
}

/// The last lines that a command said.
#[derive(Default)]
struct Last(VecDeque<String>);

impl Last {
    fn keep(&mut self, line: &str) {
        if line.is_empty() {
            return;
        }
        if self.0.len() == REPEATED {
            self.0.pop_front();
        }
        self.0.push_back(line.to_owned());
    }

    fn behind(&self, mut error: String) -> String {
        for line in &self.0 {
            error.push_str("\n    ");
            error.push_str(line);
        }
        error
    }
}

/// What a command prints; an error with what it complained if it fails.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| cannot_run(command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!(
        "{} failed: {}",
        words(command),
        String::from_utf8_lossy(&output.stderr).trim()
    ))
}

/// Says what is about to happen, does it, and says how long it took.
pub fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("==> {what} …");
    let start = Instant::now();
    let outcome = work();
    let word = if outcome.is_ok() { "done" } else { "failed" };
    println!("==> {what}: {word} in {}", duration(start.elapsed()));
    outcome
}

/// `0.4 s`, `12 s`, `3 min 07 s`.
pub fn duration(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

fn cannot_run(command: &Command, error: &std::io::Error) -> String {
    format!(
        "{} cannot be run: {error}",
        command.get_program().to_string_lossy()
    )
}

fn words(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let mut words = vec![program.to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|argument| argument.to_string_lossy().into_owned()),
    );
    // A script given as an argument would drown the sentence.
    words
        .into_iter()
        .filter(|word| !word.contains('\n'))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failed_command_said_last_stands_behind_its_error() {
        let mut last = Last::default();
        (0..100).for_each(|number| last.keep(&format!("line {number}")));
        let error = last.behind("it failed".to_owned());
        assert!(error.starts_with("it failed\n    line 70\n"), "{error}");
        assert!(error.ends_with("\n    line 99"), "{error}");
    }

    #[test]
    fn durations_are_given_in_the_unit_one_would_say() {
        assert_eq!(duration(Duration::from_millis(440)), "0.4 s");
        assert_eq!(duration(Duration::from_secs(59)), "59 s");
        assert_eq!(duration(Duration::from_secs(187)), "3 min 07 s");
    }
}
