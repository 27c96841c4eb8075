//! ejabberd's configuration (YAML without anchors: its parser has none) and the changed control script.

use super::{EjabberdSettings, Ports};
use crate::certificate::Certificate;
use crate::error::{Result, ServerError};
use crate::http::json_string;
use crate::place::Place;
use crate::prosody::ScramHash;
use crate::release::Release;
use std::path::Path;

/// What Debian's package has in `/etc/ejabberd/inetrc`, a folder that only root may read.
pub(super) const INETRC: &str = "{lookup,[\"file\",\"native\"]}.\n{host,{127,0,0,1}, [\"localhost\"]}.\n";

/// Debian's script so that it changes no user and leaves no shell between us and Erlang.
pub(super) fn control_script(original: &str) -> Result<String> {
    let changes = [
        ("\nINSTALLUSER=ejabberd\n", "\nINSTALLUSER=\n"),
        ("as_current_user) \"$@\" ;;", "as_current_user) exec \"$@\" ;;"),
    ];
    changes
        .iter()
        .try_fold(original.to_owned(), |script, (from, to)| {
            if script.contains(from) {
                return Ok(script.replace(from, to));
            }
            Err(ServerError::new(format!(
                "This ejabberd's control script is neither Debian 12's nor 13's: it has no line {:?}",
                from.trim()
            )))
        })
}

/// `folder` as ejabberd names it.
pub(super) fn text(
    settings: &EjabberdSettings,
    release: Release,
    place: &Place,
    folder: &Path,
    ports: &Ports,
) -> String {
    let address = json_string(&place.address().to_string());
    let mut lines = vec![
        "# Written by dormouse-servers at each start.".to_owned(),
        format!("hosts: [{}]", json_string(&settings.domain)),
        "loglevel: info".to_owned(),
        "auth_password_format: scram".to_owned(),
        format!(
            "auth_scram_hash: {}",
            match settings.scram_hash {
                ScramHash::Sha1 => "sha",
                ScramHash::Sha256 => "sha256",
            }
        ),
        "websocket_origin: []".to_owned(),
        "registration_timeout: infinity".to_owned(),
    ];
    if settings.certificate.is_some() {
        // ejabberd wants the key among its certificate files and finds out which belongs to which.
        lines.push("certfiles:".to_owned());
        for file in [Certificate::CHAIN, Certificate::KEY] {
            let path = folder.join(file);
            lines.push(format!("  - {}", json_string(&path.to_string_lossy())));
        }
    }
    if !settings.without_mechanisms.is_empty() {
        let names: Vec<String> = settings
            .without_mechanisms
            .iter()
            .map(|name| json_string(name))
            .collect();
        lines.push(format!("disable_sasl_mechanisms: [{}]", names.join(", ")));
    }
    lines.push("listen:".to_owned());
    let mut options = vec!["request_handlers:".to_owned()];
    options.extend(
        web_handlers(settings)
            .iter()
            .map(|handler| format!("  {handler}")),
    );
    if release == Release::Trixie {
        // Its WebSocket doesn't know whether there is TLS, and without TLS it would offer no SASL2.
        options.push("allow_unencrypted_sasl2: true".to_owned());
    }
    if let Some(milliseconds) = settings.accept_interval {
        options.push(format!("accept_interval: {milliseconds}"));
    }
    listener(&mut lines, ports.ws.number(), &address, &options);
    if settings.certificate.is_some() {
        options.push("tls: true".to_owned());
        listener(&mut lines, ports.wss.number(), &address, &options);
    }
    let api = ["request_handlers:", "  /api: mod_http_api"].map(str::to_owned);
    listener(&mut lines, ports.api.number(), &address, &api);
    if settings.c2s {
        lines.push(format!("  - port: {}", ports.c2s.number()));
        lines.push(format!("    ip: {address}"));
        lines.push("    module: ejabberd_c2s".to_owned());
        if settings.shaper.is_some() {
            lines.push("    shaper: c2s_shaper".to_owned());
        }
    }
    if let Some((rate, burst)) = settings.shaper {
        lines.push(format!(
            "shaper: {{normal: {{rate: {rate}, burst_size: {burst}}}}}"
        ));
        lines.push("shaper_rules: {c2s_shaper: normal}".to_owned());
    }
    let from = json_string(&format!(
        "{}/{}",
        place.address(),
        if place.address().is_ipv4() { 32 } else { 128 }
    ));
    lines.extend([
        "api_permissions:".to_owned(),
        "  \"the tests\":".to_owned(),
        "    from: [mod_http_api]".to_owned(),
        format!("    who: {{ip: {from}}}"),
        "    what: \"*\"".to_owned(),
        "modules:".to_owned(),
    ]);
    lines.extend(
        modules(settings, release)
            .into_iter()
            .map(|line| format!("  {line}")),
    );
    lines.extend(settings.yaml.iter().cloned());
    lines.push(String::new());
    lines.join("\n")
}

fn web_handlers(settings: &EjabberdSettings) -> Vec<String> {
    let mut handlers = vec!["/xmpp-websocket: ejabberd_http_ws".to_owned()];
    if settings.host_meta.is_some() {
        handlers.push("/.well-known/host-meta: mod_host_meta".to_owned());
        handlers.push("/.well-known/host-meta.json: mod_host_meta".to_owned());
    }
    handlers
}

fn listener(lines: &mut Vec<String>, port: u16, address: &str, options: &[String]) {
    lines.push(format!("  - port: {port}"));
    lines.push(format!("    ip: {address}"));
    lines.push("    module: ejabberd_http".to_owned());
    lines.extend(options.iter().map(|option| format!("    {option}")));
}

fn modules(settings: &EjabberdSettings, release: Release) -> Vec<String> {
    let mut modules: Vec<String> = [
        "mod_admin_extra: {}",
        "mod_blocking: {}",
        "mod_caps: {}",
        "mod_carboncopy: {}",
        "mod_client_state: {}",
        "mod_disco: {}",
        "mod_http_api: {}",
        "mod_last: {}",
        "mod_offline: {}",
        "mod_ping: {}",
        "mod_privacy: {}",
        "mod_private: {}",
        "mod_pubsub: {plugins: [flat, pep]}",
        "mod_roster: {}",
        "mod_vcard: {search: false}",
    ]
    .map(str::to_owned)
    .to_vec();
    if settings.archive {
        modules.push("mod_mam: {default: always, assume_mam_usage: true}".to_owned());
    }
    if settings.stream_management {
        modules.push(format!(
            "mod_stream_mgmt: {{resume_timeout: {}, resend_on_timeout: if_offline}}",
            settings.resume_timeout
        ));
    }
    if release == Release::Trixie {
        modules.push("mod_auth_fast: {}".to_owned());
    }
    if let Some(url) = &settings.host_meta {
        modules.push(format!(
            "mod_host_meta: {{bosh_service_url: undefined, websocket_url: {}}}",
            json_string(url)
        ));
    }
    modules.extend(settings.yaml_of_modules.iter().cloned());
    modules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_script_that_is_not_debians_is_refused_with_a_sentence() {
        let error = control_script("#!/bin/sh\n").unwrap_err();
        assert!(error.to_string().contains("INSTALLUSER"), "{error}");
    }
}
