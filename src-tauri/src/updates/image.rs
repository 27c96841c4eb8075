//! The AppImage that runs, on Linux: one file of the user's own, and so the one kind of package there that can replace itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The file of the AppImage that this process runs from, if it does.
pub fn image_that_runs() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let mount = PathBuf::from(std::env::var_os("APPDIR")?);
    // The system names the program without links.
    let mount = mount.canonicalize().ok()?;
    image(std::env::var_os("APPIMAGE"), &mount, &program)
}

/// The AppImage of this name, if it is mounted there and the program is in it. A program started by another AppImage, a terminal for
/// example, inherits its variables: that one's file is not ours to replace.
fn image(name: Option<OsString>, mount: &Path, program: &Path) -> Option<PathBuf> {
    let image = PathBuf::from(name?);
    (image.is_absolute() && program.starts_with(mount)).then_some(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn the_appimage_that_started_us_is_not_taken_for_the_one_we_are_in() {
        let mount = Path::new("/tmp/.mount_Dormou1234");
        let ours = Path::new("/tmp/.mount_Dormou1234/usr/bin/dormouse-window");
        let found = |name: &str, program: &Path| image(Some(name.into()), mount, program);
        let file = "/home/anna/Dormouse.AppImage";
        assert_eq!(found(file, ours), Some(file.into()));
        assert_eq!(found("Dormouse.AppImage", ours), None);
        for other in [
            "/usr/bin/dormouse-window",
            "/tmp/.mount_Dormou12345/usr/bin/dormouse-window",
        ] {
            assert_eq!(found(file, Path::new(other)), None, "{other}");
        }
        assert_eq!(image(None, mount, ours), None);
    }
}
