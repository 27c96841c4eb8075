//! Network namespaces with names, as `ip netns` keeps them.
//!
//! A name is `dormouse-<pid of the owner>-<number>-<side>`: unique among all labs of a machine, and a
//! namespace whose owner is gone can be recognised and taken away by the next lab.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::lab::LabError;
use crate::sys;

const FOLDER: &str = "/run/netns";
const PREFIX: &str = "dormouse-";

/// One namespace with its TUN device `lab0`. Dropped, it goes away with all programs in it.
pub(crate) struct Namespace {
    name: String,
    file: File,
}

impl Namespace {
    pub(crate) fn new(number: u64, side: &str) -> Result<Self, LabError> {
        let name = format!("{PREFIX}{}-{number}-{side}", std::process::id());
        ip(&["netns", "add", &name])?;
        let path = path(&name);
        match File::open(&path) {
            Ok(file) => Ok(Self { name, file }),
            Err(error) => {
                remove(&name);
                Err(LabError::system(
                    format!("{} cannot be opened", path.display()),
                    error,
                ))
            }
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn file(&self) -> Result<File, LabError> {
        self.file
            .try_clone()
            .map_err(|error| LabError::system("a descriptor cannot be copied", error))
    }

    /// Runs `ip` inside.
    pub(crate) fn ip(&self, arguments: &[&str]) -> Result<(), LabError> {
        ip(&[&["-n", &self.name], arguments].concat())
    }

    /// Runs a closure in a thread that lives inside for as long.
    pub(crate) fn inside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> Result<T, LabError> {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                sys::enter(&self.file)
                    .map(|()| act())
                    .map_err(|error| LabError::system(format!("cannot enter {}", self.name), error))
            });
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Takes away the namespaces of owners that are gone (killed before they could clean up).
pub(crate) fn sweep() {
    let Ok(entries) = fs::read_dir(FOLDER) else { return };
    for name in entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
    {
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|pid| pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists()) {
            remove(&name);
        }
    }
}

/// Ends what still runs inside, stopped or not, then the namespace. Best effort: the next sweep tries again.
fn remove(name: &str) {
    let pids = Command::new("ip")
        .args(["netns", "pids", name])
        .stderr(Stdio::null())
        .output();
    if let Ok(output) = pids {
        for pid in String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| line.trim().parse().ok())
        {
            if pid != std::process::id() {
                let _ = sys::signal(pid, libc::SIGKILL);
            }
        }
    }
    let _ = ip(&["netns", "del", name]);
}

fn path(name: &str) -> PathBuf {
    Path::new(FOLDER).join(name)
}

fn ip(arguments: &[&str]) -> Result<(), LabError> {
    let output = Command::new("ip").args(arguments).stdin(Stdio::null()).output();
    let output =
        output.map_err(|error| LabError::Missing(format!("the program `ip` of iproute2 ({error})")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(LabError::Ip {
        arguments: arguments.join(" "),
        said,
    })
}
