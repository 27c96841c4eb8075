//! The least a window of this kind can be: one page that stands in the program, no commands, no engine. What it
//! costs, Dormouse can't save; what Dormouse costs more is Dormouse's.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    match tauri::Builder::default().run(tauri::generate_context!()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
