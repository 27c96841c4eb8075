//! Dormouse: a chat client that never loses a message to sleep.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() -> std::process::ExitCode {
    dormouse_shell::run()
}
