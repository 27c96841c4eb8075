//! What a program and all that it started hold in memory: the kernel's proportional set size, in which a page that
//! several share counts in parts.

use anyhow::{Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The PSS of a process and its descendants in MiB, and how many there are.
///
/// # Errors
/// When the process is gone, or the kernel does not say (`/proc/*/smaps_rollup` since Linux 4.14).
pub fn of_family(id: u32) -> Result<(f64, usize)> {
    let family = family(id)?;
    let mut kibibytes = 0;
    for member in &family {
        // A child may have ended meanwhile.
        let rollup = std::fs::read_to_string(format!("/proc/{member}/smaps_rollup")).unwrap_or_default();
        kibibytes += pss(&rollup).unwrap_or_default();
    }
    ensure!(
        kibibytes > 0,
        "the kernel does not say how much memory process {id} has"
    );
    Ok((kibibytes as f64 / 1024.0, family.len()))
}

fn pss(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// A process and its descendants.
///
/// # Errors
/// When the kernel does not list processes.
pub fn family(id: u32) -> Result<BTreeSet<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let process = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some((process, parent)) = process.zip(parent(&entry.path())) {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut family = BTreeSet::new();
    let mut unseen = vec![id];
    while let Some(member) = unseen.pop() {
        if family.insert(member) {
            unseen.extend(children.get(&member).into_iter().flatten());
        }
    }
    Ok(family)
}

fn parent(process: &Path) -> Option<u32> {
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    // The name stands in brackets and may have any of its own in it.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_sum_is_read() {
        assert_eq!(
            pss("Rss:  9 kB\nPss:              1234 kB\nPss_Dirty: 5 kB\n"),
            Some(1234)
        );
        assert_eq!(pss(""), None);
    }

    #[test]
    fn a_child_belongs_to_the_family_and_has_memory() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let own = std::process::id();
        let all = family(own).unwrap();
        assert!(all.contains(&own) && all.contains(&child.id()));
        assert!(of_family(own).unwrap().0 > 0.1);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
