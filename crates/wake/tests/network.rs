//! The real kernel: the `watch` example in a network namespace of its own, whose links, addresses and routes the
//! test changes with iproute2.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stderr)]

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

struct Namespace(String);

impl Namespace {
    fn new(name: &str) -> Self {
        let name = format!("wake-{name}-{}", std::process::id());
        let made = Command::new("ip").args(["netns", "add", &name]).output();
        let made = made.unwrap_or_else(|error| panic!("this test needs iproute2 (apt: iproute2): {error}"));
        assert!(
            made.status.success(),
            "this test needs to make network namespaces (as root; or skip it with DORMOUSE_SKIP=namespaces): {}",
            String::from_utf8_lossy(&made.stderr)
        );
        Self(name)
    }

    /// `ip` with these words, inside.
    fn ip(&self, words: &str) {
        let done = Command::new("ip")
            .args(["-n", &self.0])
            .args(words.split(' '))
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "ip {words}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    /// Several commands in one process, so that they come as close together as they can.
    fn batch(&self, commands: &str) {
        let script = format!("ip -n {} -batch - <<'END'\n{commands}\nEND", self.0);
        let done = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert!(
            done.status.success(),
            "{commands}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    fn watch(&self) -> Watching {
        let mut child = tokio::process::Command::new("ip")
            .args(["netns", "exec", &self.0])
            .arg(example())
            .env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/by-variable")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Watching { _child: child, lines }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

/// `cargo test` builds a package's examples with its tests; only `--test network` alone does not.
fn example() -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let example = deps
        .parent()
        .and_then(|deps| deps.parent())
        .unwrap()
        .join("examples/watch");
    assert!(
        example.exists(),
        "build it first: cargo build -p dormouse-wake --example watch"
    );
    example
}

struct Watching {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watching {
    async fn within(&mut self, time: Duration) -> Option<String> {
        tokio::time::timeout(time, self.lines.next_line())
            .await
            .ok()?
            .unwrap()
    }

    /// The next line that speaks of the network.
    async fn network(&mut self) -> String {
        loop {
            let line = self.within(Duration::from_secs(10)).await.expect("an event");
            if line.starts_with("Network") {
                return line;
            }
        }
    }

    /// Reads changes until one says all of this.
    async fn tells(&mut self, words: &[&str]) -> String {
        let mut read = Vec::new();
        while let Some(line) = self.within(Duration::from_secs(5)).await {
            if line.starts_with("NetworkChanged") && words.iter().all(|word| line.contains(word)) {
                return line;
            }
            read.push(line);
        }
        panic!("nothing said {words:?}, only {read:#?}");
    }

    async fn quiet(&mut self) {
        let line = self.within(Duration::from_millis(600)).await;
        assert_eq!(line, None);
    }

    /// Lets what belongs to the last command come to its end.
    async fn settle(&mut self) {
        while self.within(Duration::from_millis(400)).await.is_some() {}
    }
}

fn skipped() -> bool {
    let skip =
        std::env::var("DORMOUSE_SKIP").is_ok_and(|names| names.split(',').any(|name| name == "namespaces"));
    if skip {
        eprintln!("skipped: DORMOUSE_SKIP names namespaces");
    }
    skip
}

#[tokio::test]
async fn links_addresses_and_routes_are_told_as_they_come_and_go() {
    if skipped() {
        return;
    }
    let space = Namespace::new("change");
    space.ip("link set lo up");
    let mut watching = space.watch();
    assert_eq!(watching.network().await, "NetworkKnown(Host)");
    watching.settle().await;

    space.ip("link add v0 type veth peer name v1");
    space.ip("link set v1 up");
    space.ip("link set v0 up");
    watching.settle().await;
    space.ip("address add 192.0.2.7/24 dev v0");
    watching
        .tells(&["reach: Link", "gained: [192.0.2.7]", "lost: []"])
        .await;
    space.ip("route add default via 192.0.2.1");
    watching
        .tells(&[
            "reach: Global",
            "default_route_changed: true",
            "gained: []",
            "lost: []",
        ])
        .await;

    // The cable is pulled: the other end goes down, the address stays configured.
    space.ip("link set v1 down");
    watching
        .tells(&["reach: Host", "lost: [192.0.2.7]", "default_route_changed: true"])
        .await;
    space.ip("link set v1 up");
    watching
        .tells(&[
            "reach: Global",
            "gained: [192.0.2.7]",
            "default_route_changed: true",
        ])
        .await;

    // The kernel sends no word of the IPv4 routes that go with a link or an address.
    space.ip("link set v0 down");
    watching.tells(&["reach: Host", "lost: [192.0.2.7]"]).await;
    space.ip("link set v0 up");
    watching
        .tells(&[
            "reach: Link",
            "gained: [192.0.2.7]",
            "default_route_changed: false",
        ])
        .await;

    space.ip("route add default via 192.0.2.1");
    watching.tells(&["reach: Global"]).await;
    space.ip("route replace default via 192.0.2.2");
    watching
        .tells(&["reach: Global", "default_route_changed: true", "lost: []"])
        .await;
    space.ip("address del 192.0.2.7/24 dev v0");
    watching
        .tells(&["reach: Host", "lost: [192.0.2.7]", "default_route_changed: true"])
        .await;
    space.ip("address add 2001:db8::7/64 dev v0 nodad");
    watching.tells(&["reach: Link", "gained: [2001:db8::7]"]).await;
    space.ip("link del v0");
    watching.tells(&["reach: Host", "lost: [2001:db8::7]"]).await;
}

#[tokio::test]
async fn what_does_not_concern_us_is_not_told_and_an_interruption_is() {
    if skipped() {
        return;
    }
    let space = Namespace::new("quiet");
    space.ip("link add d0 type veth peer name d1");
    space.ip("link set d1 up");
    space.ip("link set d0 up");
    space.ip("address add 192.0.2.7/24 dev d0");
    space.ip("route add default via 192.0.2.1");
    let mut watching = space.watch();
    assert_eq!(watching.network().await, "NetworkKnown(Global)");
    watching.settle().await;

    // A container starts: a pair of links with only link-local addresses, and routes to its own net.
    space.ip("link add v0 type veth peer name v1");
    space.ip("link set v0 up");
    space.ip("link set v1 up");
    space.ip("route add 198.51.100.0/24 via 192.0.2.9");
    space.ip("route del 198.51.100.0/24");
    space.ip("link set d0 mtu 1400");
    space.ip("link del v0");
    watching.quiet().await;

    space.batch(
        "address del 192.0.2.7/24 dev d0\naddress add 192.0.2.7/24 dev d0\nroute add default via 192.0.2.1",
    );
    let told = watching.network().await;
    // Either it was read in the gap, or it is told as a gap.
    if told.contains("lost: []") {
        assert!(
            told.contains("interrupted: true") && told.contains("reach: Global"),
            "{told}"
        );
    } else {
        assert!(told.contains("lost: [192.0.2.7]"), "{told}");
        watching.tells(&["reach: Global"]).await;
    }
}

#[tokio::test]
async fn the_system_bus_is_the_one_that_the_environment_names() {
    if skipped() {
        return;
    }
    let space = Namespace::new("bus");
    let mut watching = space.watch();
    loop {
        let line = watching.within(Duration::from_secs(10)).await.expect("an event");
        if line.contains("SleepSignal") {
            assert!(line.contains("Missing(\"no sleep signals from logind:"), "{line}");
            return;
        }
    }
}
