//! A network of its own in which port 443 is free to be the domain's, and no name server is asked: for who discovers its
//! endpoint (XEP-0156), as nobody can on the port that a test has been given.

use crate::Result;
use anyhow::{Context, bail};
use dormouse_servers::Place;
use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;

/// See the module; gone when dropped.
#[derive(Debug)]
pub struct Network {
    name: String,
    folder: tempfile::TempDir,
}

impl Network {
    /// Makes one; none where DORMOUSE_SKIP leaves out what needs namespaces. Two of a name can't be at once.
    ///
    /// # Errors
    /// When there are no namespaces.
    pub fn unless_skipped(name: &str) -> Result<Option<Self>> {
        if dormouse_sleep_lab::skipped() {
            return Ok(None);
        }
        let network = Self {
            name: format!("dormouse-{name}-{}", std::process::id()),
            folder: tempfile::tempdir()?,
        };
        run("ip", &["netns", "add", &network.name])
            .context("this test needs network namespaces (leave it out with DORMOUSE_SKIP=namespaces)")?;
        run("ip", &["-n", &network.name, "link", "set", "lo", "up"])?;
        std::fs::write(network.folder.path().join("nsswitch.conf"), "hosts: files\n")?;
        Ok(Some(network))
    }

    /// Where a server of it runs.
    pub fn place(&self) -> Place {
        Place::namespace(&self.name, IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// Who asks for port 443 gets this one.
    ///
    /// # Errors
    /// When the rule can't be made.
    pub fn https_is_at(&self, port: u16) -> Result<()> {
        let rules = self.folder.path().join("rules");
        let text = format!(
            "table ip https {{\n chain out {{\n  type nat hook output priority -100;\n  \
             tcp dport 443 redirect to :{port}\n }}\n}}\n"
        );
        std::fs::write(&rules, text)?;
        run(
            "ip",
            &["netns", "exec", &self.name, "nft", "-f", &rules.to_string_lossy()],
        )
    }

    /// What starts this program in it; arguments are added to that.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.name, "unshare", "--mount", "sh", "-c"])
            .arg("mount --bind \"$0\" /etc/nsswitch.conf && exec \"$@\"")
            .arg(self.folder.path().join("nsswitch.conf"))
            .arg(program);
        command
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = run("ip", &["netns", "del", &self.name]);
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("`{program}` can't be run"))?;
    if !output.status.success() {
        bail!(
            "{program} {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
