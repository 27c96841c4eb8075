//! Starting with the session, if the user wants that: hidden, into the tray.
//!
//! Linux and the BSDs: a file in `autostart` (Desktop Application Autostart Specification), which the desktop's own settings show, too.
//! macOS and Windows by `auto-launch`: a launch agent, a value in the registry.

use std::io;

/// What the entry is called: the program's identifier.
const NAME: &str = "im.dormouse.Dormouse";

#[cfg(all(unix, not(target_os = "macos")))]
mod entry {
    use super::{NAME, io};
    use std::path::{Path, PathBuf};

    /// Where entries are: `XDG_CONFIG_HOME` or what stands for it.
    fn file() -> io::Result<PathBuf> {
        let dirs = directories::BaseDirs::new().ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                "this system names no folder for settings",
            )
        })?;
        Ok(dirs
            .config_dir()
            .join("autostart")
            .join(format!("{NAME}.desktop")))
    }

    /// Whether it starts with the session. Blocks.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn is_on() -> io::Result<bool> {
        match std::fs::read_to_string(file()?) {
            // Where a desktop's settings switch it off, the file stays.
            Ok(text) => Ok(!text
                .lines()
                .any(|line| matches!(line.trim(), "Hidden=true" | "X-GNOME-Autostart-enabled=false"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Has it start with the session, or not. Blocks.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn switch(on: bool) -> io::Result<()> {
        let file = file()?;
        if on {
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder)?;
            }
            // Whoever finds the entry finds all of it.
            let new = file.with_extension("new");
            std::fs::write(&new, entry(&super::program()?)?)?;
            return std::fs::rename(new, file);
        }
        match std::fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The entry that starts this program.
    pub(super) fn entry(program: &Path) -> io::Result<String> {
        let program = program
            .to_str()
            .filter(|path| !path.chars().any(char::is_control));
        let program = program.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "the program's path can't be written down",
            )
        })?;
        Ok(format!(
            "[Desktop Entry]\nType=Application\nVersion=1.4\nName=Dormouse\nIcon={NAME}\nExec={} --hidden\nTerminal=false\n",
            quoted(program)
        ))
    }

    /// A word of `Exec`: in quotation marks, with what has a meaning within them escaped, and that once more as every
    /// value of a key is (Desktop Entry Specification, "The Exec key").
    fn quoted(word: &str) -> String {
        let mut out = String::from("\"");
        for c in word.chars() {
            match c {
                '"' | '`' | '$' => out.extend(["\\\\", c.to_string().as_str()]),
                '\\' => out.push_str("\\\\\\\\"),
                '%' => out.push_str("%%"),
                other => out.push(other),
            }
        }
        out.push('"');
        out
    }
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
mod entry {
    use super::{NAME, io};
    use auto_launch::AutoLaunchBuilder;

    fn launch() -> io::Result<auto_launch::AutoLaunch> {
        let program = super::program()?;
        AutoLaunchBuilder::new()
            .set_app_name(NAME)
            .set_app_path(&program.to_string_lossy())
            .set_args(&["--hidden"])
            .build()
            .map_err(io::Error::other)
    }

    /// Whether it starts with the session. Blocks.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn is_on() -> io::Result<bool> {
        launch()?.is_enabled().map_err(io::Error::other)
    }

    /// Has it start with the session, or not. Blocks.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn switch(on: bool) -> io::Result<()> {
        let launch = launch()?;
        if on { launch.enable() } else { launch.disable() }.map_err(io::Error::other)
    }
}

pub use entry::{is_on, switch};

/// This program, as it can be started again: an AppImage is started by its own file, not by what it unpacks.
fn program() -> io::Result<std::path::PathBuf> {
    match std::env::var_os("APPIMAGE").filter(|path| !path.is_empty()) {
        Some(image) => Ok(image.into()),
        None => std::env::current_exe(),
    }
}

#[cfg(test)]
#[cfg(all(unix, not(target_os = "macos")))]
mod tests {
    use super::entry::entry;
    use std::path::Path;

    fn exec(path: &str) -> String {
        let entry = entry(Path::new(path)).unwrap();
        let line = entry.lines().find_map(|line| line.strip_prefix("Exec="));
        line.unwrap().to_owned()
    }

    #[test]
    fn the_program_is_started_hidden_wherever_it_lies() {
        assert_eq!(exec("/usr/bin/dormouse"), r#""/usr/bin/dormouse" --hidden"#);
        assert_eq!(exec("/home/a b/100%/d"), r#""/home/a b/100%%/d" --hidden"#);
        assert_eq!(exec(r#"/o"d$d`/\x"#), r#""/o\\"d\\$d\\`/\\\\x" --hidden"#);
    }

    #[test]
    fn a_path_that_would_be_another_line_is_refused() {
        assert!(entry(Path::new("/a\nExec=evil")).is_err());
    }
}
