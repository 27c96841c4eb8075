//! What this computer runs on, for reports.

/// Kind of system and processor and, where it says so itself, its name: `linux x86_64 (Debian GNU/Linux 13 (trixie))`.
pub fn system() -> String {
    let kind = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    match name() {
        Some(name) => format!("{kind} ({name})"),
        None => kind,
    }
}

/// As os-release(5) has it.
#[cfg(target_os = "linux")]
fn name() -> Option<String> {
    /// Longer is no name.
    const LONGEST: usize = 100;
    let text = std::fs::read_to_string("/etc/os-release").ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    let name = value.trim_matches(['"', '\'']);
    (!name.is_empty() && name.len() <= LONGEST).then(|| name.to_owned())
}

#[cfg(not(target_os = "linux"))]
fn name() -> Option<String> {
    None
}
