//! The mock logind and the private keyring.

use dormouse_servers::{MockLogind, SecretService};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn a_lock_against_sleep_is_listed_while_it_is_held() {
    let logind = MockLogind::start().unwrap();
    assert_eq!(logind.inhibitors().unwrap(), []);
    let mut holder = Command::new("/usr/bin/python3")
        .args(["-c", "
import dbus, sys
bus = dbus.SystemBus()
manager = dbus.Interface(bus.get_object('org.freedesktop.login1', '/org/freedesktop/login1'), 'org.freedesktop.login1.Manager')
lock = manager.Inhibit('sleep', 'Dormouse', \"it's a test\", 'delay').take()
print('held', flush=True)
sys.stdin.readline()
"])
        .env("DBUS_SYSTEM_BUS_ADDRESS", logind.address())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "held\n");
    let held = logind.inhibitors().unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!(
        (held[0].what.as_str(), held[0].why.as_str(), held[0].mode.as_str()),
        ("sleep", "it's a test", "delay")
    );
    drop(holder.stdin.take());
    holder.wait().unwrap();
    let start = Instant::now();
    while !logind.inhibitors().unwrap().is_empty() {
        assert!(start.elapsed() < Duration::from_secs(5), "the lock stays listed");
    }
}

#[test]
fn the_signal_before_and_after_sleep_reaches_a_listener() {
    let logind = MockLogind::start().unwrap();
    let mut listener = Command::new("gdbus")
        .args([
            "monitor",
            "--address",
            logind.address(),
            "--dest",
            "org.freedesktop.login1",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(listener.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    // The monitor says when it listens.
    assert!(lines.any(|line| line.contains("is owned by")));
    logind.prepare_for_sleep(true).unwrap();
    assert!(lines.any(|line| line.contains("PrepareForSleep (true,)")));
    logind.prepare_for_sleep(false).unwrap();
    assert!(lines.any(|line| line.contains("PrepareForSleep (false,)")));
    listener.kill().unwrap();
    listener.wait().unwrap();
}

#[test]
fn a_secret_is_kept_and_found_in_the_private_keyring() {
    let service = SecretService::start().unwrap();
    let tool = |arguments: &[&str], input: &str| {
        let mut child = Command::new("secret-tool")
            .args(arguments)
            .envs(service.environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    assert!(!tool(&["lookup", "account", "alice"], "").0);
    assert!(tool(&["store", "--label=test", "account", "alice"], "secret").0);
    assert_eq!(
        tool(&["lookup", "account", "alice"], ""),
        (true, "secret".to_owned())
    );
}
