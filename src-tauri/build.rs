//! Checks the configuration and the capabilities, and embeds what Windows wants to know of the program.

/// The commands a window may be allowed to give; each needs its line in `capabilities/main.json` as well.
const COMMANDS: &[&str] = &[
    "open",
    "sign_in",
    "unlock",
    "sign_out",
    "stretch",
    "connection_report",
    "check_connection",
    "check_report",
    "metrics",
    "give_out_metrics",
    "set_interval",
    "note_frames",
    "frames",
    "export_frames",
    "bug_report",
    "crash",
    "forget_crashes",
    "act",
    "open_link",
    "look",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))?;
    Ok(())
}
