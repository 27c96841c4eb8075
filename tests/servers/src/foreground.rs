//! A child process in the foreground that cannot be orphaned.
//!
//! The child leads a process group of its own, so that a signal reaches its helpers too (ejabberd has several),
//! and a Ctrl-C at the terminal does not reach it: we decide when it ends. Beside it runs a guard: a shell that
//! waits at a pipe held open by this process and kills the group when the pipe ends. That works for every way
//! in which this process can end, and, unlike `PR_SET_PDEATHSIG`, does not depend on which thread of it
//! started the child (a test's thread is gone long before a server shared by several tests).

use crate::error::{Result, ServerError};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const ASK_AGAIN: Duration = Duration::from_secs(2);

/// A running child with its process group and its guard.
#[derive(Debug)]
pub struct Foreground {
    name: &'static str,
    child: Child,
    group: Pid,
    guard: Child,
}

impl Foreground {
    /// Starts `command` with its output appended to `log`. Standard input is empty unless `input` is given,
    /// in which case the caller takes it by [`Foreground::take_stdin`].
    pub fn spawn(name: &'static str, mut command: Command, log: &Path, input: Stdio) -> Result<Self> {
        use std::os::unix::process::CommandExt;
        let out = File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(ServerError::io(format!("The log of {name} cannot be opened")))?;
        let err = out
            .try_clone()
            .map_err(ServerError::io(format!("The log of {name} cannot be opened")))?;
        let child = command
            .stdin(input)
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .spawn()
            .map_err(ServerError::io(format!(
                "{name} cannot be started (is it installed?)"
            )))?;
        let group = i32::try_from(child.id())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| ServerError::new(format!("{name} got a process id out of range")))?;
        let guard = Command::new("sh")
            .args([
                "-c",
                "read _; kill -s KILL -- \"-$1\"",
                "guard",
                &child.id().to_string(),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        match guard {
            Ok(guard) => Ok(Self {
                name,
                child,
                group,
                guard,
            }),
            Err(error) => {
                let _ = kill_process_group(group, Signal::KILL);
                let mut child = child;
                let _ = child.wait();
                Err(ServerError::new(format!(
                    "The guard of {name} cannot be started: {error}"
                )))
            }
        }
    }

    /// The process id of the child, which is its process group's too.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The child's standard input, if it was piped and not yet taken.
    pub fn take_stdin(&mut self) -> Option<std::process::ChildStdin> {
        self.child.stdin.take()
    }

    /// The child's exit status if it has ended by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits until `ready` says yes. Fails at once when the child ends, and after `limit`.
    pub fn wait_until(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        let start = Instant::now();
        loop {
            if ready() {
                return Ok(());
            }
            if let Some(status) = self.ended() {
                return Err(ServerError::new(format!(
                    "{} ended while starting: {status}",
                    self.name
                )));
            }
            if start.elapsed() > limit {
                return Err(ServerError::new(format!(
                    "{} did not answer within {} s",
                    self.name,
                    limit.as_secs()
                )));
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Asks the child to end (SIGTERM) and waits for the whole group; after `limit` it is killed and that is an
    /// error: a server that does not stop when asked is worth knowing.
    ///
    /// It is asked again every two seconds: Prosody 0.12 runs its shutdown inside whatever the signal interrupts,
    /// and gives it up with an error when that was the end of a session.
    pub fn stop(mut self, limit: Duration) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < limit {
            let _ = kill_process_group(self.group, Signal::TERM);
            if self.wait_gone(ASK_AGAIN.min(limit.saturating_sub(start.elapsed()))) {
                return Ok(());
            }
        }
        Err(ServerError::new(format!(
            "{} did not stop within {} s and was killed",
            self.name,
            limit.as_secs()
        )))
    }

    /// Stops the whole group where it is: its connections stay open, and nobody answers on them.
    pub fn freeze(&self) -> Result<()> {
        kill_process_group(self.group, Signal::STOP)
            .map_err(|error| ServerError::new(format!("{} can't be stopped: {error}", self.name)))
    }

    /// `kill -9` of the whole group, at once.
    pub fn kill(self) {
        drop(self);
    }

    fn wait_gone(&mut self, limit: Duration) -> bool {
        let start = Instant::now();
        loop {
            if self.ended().is_some() && !is_group_alive(self.group) {
                return true;
            }
            if start.elapsed() > limit {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        // Before the guard and before reaping: while the child is unreaped, its id cannot belong to another.
        let _ = kill_process_group(self.group, Signal::KILL);
        let _ = self.guard.kill();
        let _ = self.guard.wait();
        let _ = self.child.wait();
        // Helpers of the child are the init process's to reap; they are dead, a moment is enough.
        self.wait_gone(Duration::from_millis(500));
    }
}

/// Whether a process of the group runs. The dead that wait for a slow init process to reap them don't count.
fn is_group_alive(group: Pid) -> bool {
    if test_kill_process_group(group).is_err() {
        return false;
    }
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return true;
    };
    let group = group.as_raw_nonzero().to_string();
    processes.flatten().any(|process| {
        // proc(5): "pid (name) state parent group …"; the name may contain anything.
        let stat = std::fs::read_to_string(process.path().join("stat")).unwrap_or_default();
        let mut fields = stat
            .rsplit_once(')')
            .map_or("", |(_, rest)| rest)
            .split_whitespace();
        let (state, group_of_it) = (fields.next(), fields.nth(1));
        group_of_it == Some(group.as_str()) && !matches!(state, Some("Z" | "X"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(folder: &Path) -> Foreground {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & sleep 600"]);
        Foreground::spawn("sleeper", command, &folder.join("log"), Stdio::null()).unwrap()
    }

    #[test]
    fn dropping_ends_the_child_and_its_helpers() {
        let folder = tempfile::tempdir().unwrap();
        let child = sleeper(folder.path());
        let group = child.group;
        std::thread::sleep(Duration::from_millis(100));
        assert!(is_group_alive(group));
        drop(child);
        assert!(!is_group_alive(group));
    }

    #[test]
    fn the_guard_ends_the_child_when_our_end_of_the_pipe_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = sleeper(folder.path());
        drop(child.guard.stdin.take());
        let start = Instant::now();
        while child.ended().is_none() {
            assert!(start.elapsed() < Duration::from_secs(5), "the guard did nothing");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_child_that_did_not_heed_the_first_request_to_stop_is_asked_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "trap 'trap - TERM' TERM; echo ready; while :; do sleep 0.1; done",
        ]);
        let log = folder.path().join("log");
        let mut child = Foreground::spawn("deaf", command, &log, Stdio::null()).unwrap();
        child
            .wait_until(Duration::from_secs(5), || {
                std::fs::read_to_string(&log).unwrap() == "ready\n"
            })
            .unwrap();
        child.stop(Duration::from_secs(10)).unwrap();
    }

    #[test]
    fn a_child_that_ends_while_starting_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "exit 3"]);
        let mut child =
            Foreground::spawn("short", command, &folder.path().join("log"), Stdio::null()).unwrap();
        let error = child.wait_until(Duration::from_secs(5), || false).unwrap_err();
        assert!(
            error.to_string().starts_with("short ended while starting"),
            "{error}"
        );
    }
}
