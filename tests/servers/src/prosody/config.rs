//! Prosody's configuration file from the settings.
//!
//! Traps: a `nil` inside `modules_enabled` silently drops what follows; the module s2s would listen on the public
//! ports; without `run_as_root` it gives up root (and its folder) where tests run as root.

use super::{ProsodySettings, ScramHash, Storage};
use crate::certificate::Certificate;
use crate::place::Place;
use crate::release::Release;
use std::path::Path;

const USUAL_MODULES: [&str; 19] = [
    "admin_shell",
    "blocklist",
    "bookmarks",
    "carbons",
    "csi",
    "csi_simple",
    "disco",
    "offline",
    "pep",
    "ping",
    "private",
    "roster",
    "saslauth",
    "time",
    "tls",
    "vcard4",
    "vcard_legacy",
    "version",
    "websocket",
];

/// Of Debian's `prosody-modules`, where Prosody is new enough for them.
const SASL2_MODULES: [&str; 3] = ["sasl2", "sasl2_bind2", "sasl2_fast"];

/// `folder` as Prosody names it.
pub(super) fn text(
    settings: &ProsodySettings,
    release: Release,
    place: &Place,
    folder: &Path,
    ports: [u16; 3],
) -> String {
    let inside = |name: &str| lua_string(&folder.join(name).to_string_lossy());
    let [ws_port, wss_port, c2s_port] = ports;
    let address = lua_string(&place.address().to_string());
    let mut lines = vec![
        "-- Written by dormouse-servers at each start.".to_owned(),
        "run_as_root = true".to_owned(),
        format!("data_path = {}", inside("data")),
        format!("pidfile = {}", inside("prosody.pid")),
        format!("certificates = {}", inside("certificates")),
        format!("admin_socket = {}", inside("prosody.sock")),
        "log = { { levels = { min = \"info\" }, to = \"console\" } }".to_owned(),
        format!("modules_enabled = {}", lua_list(&modules(settings, release))),
        format!("modules_disabled = {}", lua_list(&modules_disabled(settings))),
        format!("interfaces = {{ {address} }}"),
        format!("http_interfaces = {{ {address} }}"),
        format!("https_interfaces = {{ {address} }}"),
        if settings.c2s {
            format!("c2s_ports = {{ {c2s_port} }}")
        } else {
            "c2s_ports = {}".to_owned()
        },
        "c2s_require_encryption = false".to_owned(),
        "c2s_direct_tls_ports = {}".to_owned(),
        "s2s_ports = {}".to_owned(),
        format!("http_ports = {{ {ws_port} }}"),
        format!("http_default_host = {}", lua_string(&settings.domain)),
        "consider_websocket_secure = true".to_owned(),
        "authentication = \"internal_hashed\"".to_owned(),
        format!(
            "password_hash = {}",
            match settings.scram_hash {
                ScramHash::Sha1 => "\"SHA-1\"",
                ScramHash::Sha256 => "\"SHA-256\"",
            }
        ),
        format!("smacks_hibernation_time = {}", settings.hibernation),
        "default_archive_policy = true".to_owned(),
        "archive_expires_after = \"never\"".to_owned(),
        "max_archive_query_results = 50".to_owned(),
    ];
    match &settings.certificate {
        None => lines.push("https_ports = {}".to_owned()),
        Some(_) => {
            let protocol = if settings.tls_1_2_only {
                ", protocol = \"tlsv1_2\""
            } else {
                ""
            };
            lines.push(format!("https_ports = {{ {wss_port} }}"));
            lines.push(format!(
                "https_ssl = {{ certificate = {}, key = {}{protocol} }}",
                inside(Certificate::CHAIN),
                inside(Certificate::KEY)
            ));
        }
    }
    match settings.storage {
        Storage::Internal => lines.push("storage = \"internal\"".to_owned()),
        Storage::Sqlite => {
            lines.push("storage = \"sql\"".to_owned());
            lines.push("sql = { driver = \"SQLite3\", database = \"prosody.sqlite\" }".to_owned());
        }
    }
    if !settings.nagle {
        lines.push("network_settings = { nagle = false }".to_owned());
    }
    let mut refused = settings.without_mechanisms.clone();
    refused.push("DIGEST-MD5".to_owned());
    lines.push(format!("disable_sasl_mechanisms = {}", lua_list(&refused)));
    if !settings.shared_contacts.is_empty() {
        lines.push(format!("groups_file = {}", inside("contacts.txt")));
    }
    if settings.host_meta.is_some() {
        lines.push(format!("http_files_dir = {}", inside("files")));
        lines.push("http_paths = { files = \"/\" }".to_owned());
    }
    lines.extend(settings.lua.iter().cloned());
    lines.push(format!("VirtualHost {}", lua_string(&settings.domain)));
    lines.extend(settings.lua_of_host.iter().cloned());
    lines.push(String::new());
    lines.join("\n")
}

fn modules_disabled(settings: &ProsodySettings) -> Vec<String> {
    let mut names = vec!["s2s".to_owned()];
    if settings.host_meta.is_some() {
        // 13's own answer, which knows only its own address.
        names.push("http_altconnect".to_owned());
    }
    names
}

fn modules(settings: &ProsodySettings, release: Release) -> Vec<String> {
    let mut names: Vec<String> = USUAL_MODULES.map(str::to_owned).to_vec();
    let by_setting = [
        (settings.archive, "mam"),
        (settings.stream_management, "smacks"),
        (!settings.shared_contacts.is_empty(), "groups"),
        (settings.host_meta.is_some(), "http_files"),
    ];
    names.extend(
        by_setting
            .into_iter()
            .filter(|(on, _)| *on)
            .map(|(_, name)| name.to_owned()),
    );
    if release == Release::Trixie {
        names.extend(SASL2_MODULES.map(str::to_owned));
        if settings.stream_management {
            names.push("sasl2_sm".to_owned());
        }
    }
    names.extend(settings.modules.iter().cloned());
    names.retain(|name| !settings.without_modules.contains(name));
    names
}

/// A Lua string literal, quotes included.
fn lua_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn lua_list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| lua_string(item)).collect();
    format!("{{ {} }}", items.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lua_strings_cannot_be_left_by_a_quote_a_backslash_or_a_line_break() {
        assert_eq!(lua_string("a\"b\\c\nd"), "\"a\\\"b\\\\c\\nd\"");
    }
}
