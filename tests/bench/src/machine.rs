//! What figures were measured on: without it they mean nothing.

#[cfg(feature = "window")]
use std::process::Command;

/// One line: processor, cores, memory, kernel.
pub fn describe() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = value(&cpuinfo, "model name", ':').unwrap_or("an unnamed processor");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = value(&meminfo, "MemTotal", ':')
        .and_then(|kibibytes| kibibytes.split(' ').next()?.parse::<f64>().ok())
        .unwrap_or_default()
        / f64::from(1 << 20);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = value(&release, "PRETTY_NAME", '=')
        .unwrap_or("Linux")
        .trim_matches('"');
    format!(
        "{processor}, {cores} cores, {memory:.0} GiB; {system}, kernel {}",
        kernel.trim()
    )
}

/// The same of the window: WebKitGTK too.
#[cfg(feature = "window")]
pub fn describe_window() -> String {
    let webkit = said("pkg-config", &["--modversion", "webkit2gtk-4.1"])
        .unwrap_or_else(|| "of unknown version".into());
    format!("{}; WebKitGTK {webkit} on Xvfb, drawn in software", describe())
}

/// How many programs wanted to run at once in the last minute, as the kernel counts them.
pub fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}

fn value<'a>(text: &'a str, name: &str, sign: char) -> Option<&'a str> {
    text.lines()
        .filter_map(|line| line.split_once(sign))
        .find_map(|(key, value)| (key.trim() == name).then_some(value.trim()))
}

#[cfg(feature = "window")]
fn said(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program).args(words).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_names() {
        assert_eq!(value("a\t: b c\nmodel name\t: X\n", "model name", ':'), Some("X"));
        assert_eq!(value("MemTotal: 5 kB", "MemFree", ':'), None);
    }
}
