//! What the metrics say of a connection that is used and interrupted, and who may read them.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use anyhow::{Context, bail, ensure};
use dormouse_scenarios::client::Client;
use dormouse_scenarios::server::{Make, Plan, SOON, befriend};
use dormouse_scenarios::{Result, program};
use dormouse_servers::{Foreground, Port};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const ANY_PORT: &str = "127.0.0.1:0";

/// The port at which this client gives out its metrics.
fn port(client: &Client) -> Result<u16> {
    let told = client.wait_for("where the metrics are", SOON, |event| event.kind() == "metrics")?;
    let port = told
        .text("at")
        .strip_prefix("http://127.0.0.1:")
        .and_then(|rest| rest.strip_suffix("/metrics")?.parse().ok());
    port.with_context(|| format!("no address of this computer: {}", told.json))
}

/// The answer to a request: status line, headers and body.
fn ask(port: u16, request: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn read(port: u16) -> Result<String> {
    let answer = ask(port, "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "{head}");
    Ok(body.to_owned())
}

/// The sum of the samples of this name whose labels hold all of these.
fn sum(text: &str, name: &str, labels: &[&str]) -> f64 {
    text.lines()
        .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{')))
        .filter(|line| labels.iter().all(|label| line.contains(label)))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

/// Reads until it is as meant.
fn read_until(port: u16, what: &str, meant: impl Fn(&str) -> bool) -> Result<String> {
    let start = Instant::now();
    loop {
        let text = read(port)?;
        if meant(&text) {
            return Ok(text);
        }
        ensure!(start.elapsed() < SOON, "not yet {what}:\n{text}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// What promtool, which knows what names and types should be like, says of the counts.
fn promtool(text: &str) -> Result<()> {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("promtool can't be run (package prometheus)")?;
    child
        .stdin
        .take()
        .context("no input")?
        .write_all(text.as_bytes())?;
    let output = child.wait_with_output()?;
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success() && said.trim().is_empty(),
        "promtool: {said}\n{text}"
    );
    Ok(())
}

#[test]
fn what_is_sent_and_what_a_restart_of_the_server_does_is_counted() -> Result<()> {
    let mut server = Plan::new(Make::Prosody).start()?;
    let (alice, bob) = (server.person("alice")?, server.person("bob")?);
    let mut alice_runs = server.client(&alice).metrics(ANY_PORT).start()?;
    let mut bob_runs = server.live(&bob)?;
    alice_runs.wait_until_live(SOON)?;
    let port = port(&alice_runs)?;
    befriend(&mut alice_runs, &mut bob_runs)?;

    let own = ["a hazelnut", "two hazelnuts", "three hazelnuts"].map(str::to_owned);
    for body in &own {
        alice_runs.send(bob_runs.address(), body)?;
    }
    bob_runs.send(alice_runs.address(), "an answer")?;
    alice_runs.wait_until_sent(&own, &["delivered"], SOON)?;
    alice_runs.wait_until_received(&["an answer".to_owned()], SOON)?;
    let before = read(port)?;
    promtool(&before)?;
    let value = |text: &str, name, labels: &[&str]| sum(text, name, labels) as i64;
    let messages = "dormouse_messages_total";
    for (state, times) in [
        ("received", 1),
        ("queued", 3),
        ("sent", 3),
        ("delivered", 3),
        ("failed", 0),
    ] {
        let label = format!("state=\"{state}\"");
        ensure!(value(&before, messages, &[&label]) == times, "{state}:\n{before}");
    }
    ensure!(
        value(&before, "dormouse_delivery_seconds_count", &[]) == 3,
        "{before}"
    );
    ensure!(
        value(&before, "dormouse_connection_state", &["state=\"live\""]) == 1,
        "{before}"
    );
    ensure!(
        value(&before, "dormouse_connection_state", &[]) == 1,
        "two states at a time:\n{before}"
    );
    ensure!(
        value(&before, "dormouse_sign_ins_total", &["mechanism=\"SCRAM-SHA-1\""]) == 1,
        "{before}"
    );
    ensure!(
        value(&before, "dormouse_recovery_seconds_count", &["by=\"start\""]) == 1,
        "{before}"
    );
    ensure!(value(&before, "dormouse_outbox_messages", &[]) == 0, "{before}");
    ensure!(value(&before, "dormouse_archive_gap", &[]) == 0, "{before}");
    ensure!(!before.contains("dormouse_interruptions_total"), "{before}");
    for private in [
        alice.address.as_str(),
        &bob.address,
        "localhost",
        "hazelnut",
        "an answer",
    ] {
        ensure!(
            !before.contains(private),
            "{private} is in the metrics:\n{before}"
        );
    }

    server.stop()?;
    alice_runs.wait_until_state("waiting", SOON)?;
    alice_runs.send(bob_runs.address(), "while it is away")?;
    let away = read_until(port, "in the outbox", |text| {
        sum(text, "dormouse_outbox_messages", &[]) == 1.0
    })?;
    ensure!(
        value(&away, "dormouse_connection_state", &["state=\"live\""]) == 0,
        "{away}"
    );
    ensure!(value(&away, "dormouse_interruptions_total", &[]) == 1, "{away}");
    ensure!(
        value(
            &away,
            "dormouse_connections_total",
            &["outcome=\"lost\"", "code=\"1006\""]
        ) == 1,
        "{away}"
    );
    ensure!(value(&away, "dormouse_reconnections_total", &[]) == 0, "{away}");
    // Long enough that it has knocked in vain.
    read_until(port, "refused", |text| {
        sum(text, "dormouse_connections_total", &["outcome=\"refused\""]) >= 1.0
    })?;
    server.start()?;
    bob_runs.wait_until_received(&["while it is away".to_owned()], SOON * 3)?;
    let after = read_until(port, "back", |text| {
        sum(text, "dormouse_reconnections_total", &["by=\"fresh-session\""]) == 1.0
            && sum(text, "dormouse_outbox_messages", &[]) == 0.0
    })?;
    promtool(&after)?;
    ensure!(value(&after, "dormouse_interruptions_total", &[]) == 1, "{after}");
    ensure!(
        value(
            &after,
            "dormouse_recovery_seconds_count",
            &["by=\"fresh-session\""]
        ) == 1,
        "{after}"
    );
    ensure!(value(&after, "dormouse_sign_ins_total", &[]) == 2, "{after}");
    Ok(())
}

#[test]
fn a_real_prometheus_reads_the_metrics() -> Result<()> {
    let server = Plan::new(Make::Prosody).start()?;
    let alice = server.person("alice")?;
    let runs = server.client(&alice).metrics(ANY_PORT).start()?;
    runs.wait_until_live(SOON)?;
    let (target, own) = (port(&runs)?, Port::reserve()?);
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("prometheus.yml");
    std::fs::write(
        &config,
        format!(
            "global: {{ scrape_interval: 1s }}\nscrape_configs:\n- job_name: dormouse\n  static_configs:\n  - targets: ['127.0.0.1:{target}']\n"
        ),
    )?;
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.path().join("data").display()
        ))
        .arg(format!("--web.listen-address=127.0.0.1:{}", own.number()));
    let log = folder.path().join("prometheus.log");
    let _prometheus = Foreground::spawn("Prometheus", command, &log, Stdio::null())?;
    let start = Instant::now();
    let query = "GET /api/v1/query?query=dormouse_connection_state%7Bstate%3D%22live%22%7D HTTP/1.0\r\n\r\n";
    loop {
        let answer = ask(own.number(), query).unwrap_or_default();
        let body = answer.split_once("\r\n\r\n").map_or("null", |(_, body)| body);
        let json: Value = serde_json::from_str(body).unwrap_or_default();
        if json["data"]["result"][0]["value"][1] == "1" {
            return Ok(());
        }
        if start.elapsed() > Duration::from_secs(30) {
            bail!(
                "Prometheus has not read them: {answer}\n{}",
                std::fs::read_to_string(log)?
            );
        }
        thread::sleep(Duration::from_millis(250));
    }
}

#[test]
fn only_this_computer_may_read_them_and_nothing_but_them() -> Result<()> {
    let server = Plan::new(Make::Prosody).start()?;
    let alice = server.person("alice")?;
    let refused = Command::new(program::cli()?)
        .args(["run", &alice.address, "--metrics", "0.0.0.0:9464"])
        .env("DORMOUSE_PASSWORD", "x")
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(
        !refused.status.success() && said.contains("for this computer only"),
        "{said}"
    );

    let runs = server.client(&alice).metrics(ANY_PORT).start()?;
    let port = port(&runs)?;
    let listening = std::fs::read_to_string("/proc/net/tcp")? + &std::fs::read_to_string("/proc/net/tcp6")?;
    let ours = format!(":{port:04X}");
    let open: Vec<&str> = listening
        .lines()
        .filter_map(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let (local, _, state) = (fields.next()?, fields.next()?, fields.next()?);
            (state == "0A" && local.ends_with(&ours)).then_some(local)
        })
        .collect();
    ensure!(open == [format!("0100007F{ours}")], "it listens at {open:?}");

    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
        ("GET /metrics/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
        (
            "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
            "405",
        ),
        ("DELETE /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"),
        ("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403"),
        ("GET /metrics HTTP/1.1\r\nHost: [::1]:9464\r\n\r\n", "200"),
        ("knock, knock\r\n\r\n", "400"),
    ] {
        let answer = ask(port, request)?;
        ensure!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}{answer}"
        );
    }
    let open_metrics = ask(
        port,
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: application/openmetrics-text;version=1.0.0\r\n\r\n",
    )?;
    ensure!(
        open_metrics.contains("content-type: application/openmetrics-text; version=1.0.0")
            && open_metrics.ends_with("# EOF\n"),
        "{open_metrics}"
    );

    let taken = server
        .client(&alice)
        .metrics(format!("127.0.0.1:{port}"))
        .start()?;
    let error = taken.wait_for("a refusal", SOON, |event| event.kind() == "error")?;
    ensure!(error.text("text").contains("Give another port"), "{}", error.json);
    Ok(())
}

#[test]
fn readers_that_are_slow_or_many_keep_no_message_waiting() -> Result<()> {
    let server = Plan::new(Make::Prosody).start()?;
    let (alice, bob) = (server.person("alice")?, server.person("bob")?);
    let mut alice_runs = server.client(&alice).metrics(ANY_PORT).start()?;
    let mut bob_runs = server.live(&bob)?;
    alice_runs.wait_until_live(SOON)?;
    let port = port(&alice_runs)?;
    befriend(&mut alice_runs, &mut bob_runs)?;
    // Half of them have asked for half of it; the others take none of their answer.
    let mut readers = Vec::new();
    for number in 0..200 {
        let mut reader = TcpStream::connect(("127.0.0.1", port))?;
        let request = if number % 2 == 0 {
            "GET /metrics HTT"
        } else {
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
        };
        reader.write_all(request.as_bytes())?;
        readers.push(reader);
    }
    let typed: Vec<String> = (0..20)
        .map(|number| format!("beside the readers {number}"))
        .collect();
    let start = Instant::now();
    for body in &typed {
        alice_runs.send(bob_runs.address(), body)?;
    }
    bob_runs.wait_until_received(&typed, SOON)?;
    let took = start.elapsed();
    ensure!(took < Duration::from_secs(5), "the messages took {took:?}");
    // The patience with slow ones ends: then whoever asks is served again.
    drop(readers.split_off(32));
    read(port)?;
    Ok(())
}

#[test]
fn prometheus_takes_the_rules_and_they_fire_when_they_should() -> Result<()> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operating");
    for arguments in [
        ["check", "rules", "rules.yml"],
        ["test", "rules", "rules_test.yml"],
    ] {
        let output = Command::new("promtool")
            .args(arguments)
            .current_dir(&folder)
            .output()?;
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "promtool {arguments:?}: {said}");
    }
    Ok(())
}
