//! What passed on the wire, for whoever looks for a fault: what is in the log, and what Wireshark makes of it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use anyhow::{Context, ensure};
use dormouse_scenarios::Result;
use dormouse_scenarios::client::Client;
use dormouse_scenarios::server::{Make, Plan, SOON, befriend};
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// Wireshark's own reader, asked for these frames and fields.
fn tshark(file: &Path, filter: &str, fields: &[&str]) -> Result<Vec<String>> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file).args(["-Y", filter, "-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().context("tshark can't be run")?;
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "tshark: {complaint}");
    Ok(String::from_utf8(output.stdout)?
        .lines()
        .map(str::to_owned)
        .collect())
}

fn export(client: &mut Client, to: &Path, format: &str) -> Result<()> {
    client.ask(
        &json!({"command": "export-frames", "to": to, "format": format}),
        "exported",
    )?;
    Ok(())
}

#[test]
fn the_wire_is_noted_once_asked_for_shows_nothing_that_was_written_and_wireshark_reads_it() -> Result<()> {
    let server = Plan::new(Make::Prosody).start()?;
    let (alice, bob) = (server.person("alice")?, server.person("bob")?);
    let (mut alice_runs, mut bob_runs) = (server.live(&alice)?, server.live(&bob)?);
    befriend(&mut alice_runs, &mut bob_runs)?;
    let folder = tempfile::tempdir()?;
    let nothing = folder.path().join("nothing.txt");
    export(&mut alice_runs, &nothing, "text")?;
    ensure!(
        std::fs::read(&nothing)?.is_empty(),
        "noted before it was asked for"
    );

    alice_runs.send_command(&json!({"command": "wire", "on": true, "content": true}))?;
    alice_runs.send(bob_runs.address(), "the hazelnuts are under the hedge")?;
    bob_runs.wait_until_received(&["the hazelnuts are under the hedge".to_owned()], SOON)?;
    alice_runs.wait_until_sent(
        &["the hazelnuts are under the hedge".to_owned()],
        &["delivered"],
        SOON,
    )?;

    let text = folder.path().join("wire.txt");
    export(&mut alice_runs, &text, "text")?;
    let lines = std::fs::read_to_string(&text)?;
    ensure!(
        lines.contains("message chat") && lines.contains("<body"),
        "{lines}"
    );
    ensure!(
        !lines.contains("hazelnut"),
        "what was written is in the log: {lines}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&text)?.permissions().mode() & 0o777;
        ensure!(mode == 0o600, "others may read it: {mode:o}");
    }

    let capture = folder.path().join("wire.pcapng");
    export(&mut alice_runs, &capture, "pcapng")?;
    let bad = tshark(
        &capture,
        "_ws.malformed or tcp.checksum.status == 0 or tcp.analysis.flags",
        &["frame.number"],
    )?;
    ensure!(bad.is_empty(), "Wireshark complains of the frames {bad:?}");
    let seen = tshark(&capture, "websocket", &["ip.src", "websocket.opcode"])?;
    // An answer of the server's may have come between.
    let later = folder.path().join("later.txt");
    export(&mut alice_runs, &later, "text")?;
    let frames = lines.lines().count()..=std::fs::read_to_string(&later)?.lines().count();
    ensure!(
        frames.contains(&seen.len()),
        "{frames:?} frames are {} to Wireshark: {seen:?}",
        seen.len()
    );
    let messages = tshark(&capture, "xmpp.message", &["xmpp.type"])?;
    ensure!(
        messages.iter().any(|it| it.contains("chat")),
        "no message is seen: {messages:?}"
    );
    let raw = std::fs::read(&capture)?;
    ensure!(
        !raw.windows(8).any(|window| window == b"hazelnut"),
        "what was written is in the capture"
    );

    // A file that is there is not written over.
    let mark = alice_runs.mark();
    alice_runs.send_command(&json!({"command": "export-frames", "to": capture, "format": "text"}))?;
    alice_runs.wait_for_since(mark, "an error", SOON, |event| event.kind() == "error")?;
    alice_runs.send_command(&json!({"command": "wire", "on": false}))?;
    let gone = folder.path().join("gone.txt");
    export(&mut alice_runs, &gone, "text")?;
    ensure!(
        std::fs::read(&gone)?.is_empty(),
        "something is left after it was switched off"
    );
    Ok(())
}
