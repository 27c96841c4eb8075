//! Dormouse: a chat client that never loses a message to sleep.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() {
    let outcome = tauri::Builder::default().run(tauri::generate_context!());
    drop(outcome);
}
