//! Checks the configuration and the capabilities, and embeds what Windows wants to know of the program.
fn main() {
    tauri_build::build();
}
