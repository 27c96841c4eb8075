//! Checks the configuration and the capabilities, embeds what Windows wants to know of the program, and makes of the icon the
//! pixels that a tray on D-Bus takes.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

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
    "closing",
    "quit",
    "desktop",
    "set_desktop",
    "mute",
    "update",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    for size in ["32", "128"] {
        pixels(size)?;
    }
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))?;
    Ok(())
}

/// Writes an icon as ARGB in network byte order, as StatusNotifierItem has it, so that the program needs no decoder.
fn pixels(size: &str) -> Result<(), Box<dyn std::error::Error>> {
    let source = format!("icons/{size}x{size}.png");
    println!("cargo:rerun-if-changed={source}");
    let mut decoder = png::Decoder::new(BufReader::new(File::open(&source)?));
    decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
    let mut reader = decoder.read_info()?;
    let length = reader.output_buffer_size().ok_or("the icon is too large")?;
    let mut rgba = vec![0; length];
    reader.next_frame(&mut rgba)?;
    for pixel in rgba.chunks_exact_mut(4) {
        pixel.rotate_right(1);
    }
    let folder = std::env::var_os("OUT_DIR").ok_or("cargo names no folder")?;
    std::fs::write(Path::new(&folder).join(format!("icon-{size}.argb")), rgba)?;
    Ok(())
}
