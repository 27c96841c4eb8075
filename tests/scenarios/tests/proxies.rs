//! Through what stands between: proxies that open tunnels, ask for passwords and die, and one that reads along.
//!
//! The laptop is on one side of the lab's relay, proxy and server on the other: what crosses it goes to the proxy, or
//! the proxy was not used.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use anyhow::{Context, ensure};
use dormouse_scenarios::client::{Client, ClientBuilder};
use dormouse_scenarios::event::Mark;
use dormouse_scenarios::scene::{FRIEND, LAPTOP, Scene};
use dormouse_scenarios::server::{SOON, passes};
use dormouse_scenarios::{Result, program};
use dormouse_servers::{Authority, Microsocks, Mitmproxy, Place, Prosody, Tinyproxy};
use dormouse_sleep_lab::{Lab, NetworkReturn};
use std::net::{IpAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// After a fault everything typed is where it belongs within this, on a busy machine.
const RECOVERED: Duration = Duration::from_secs(45);
/// The user's password in [`Scene`].
const PASSWORD: &str = "correct horse";

fn lab() -> Option<Lab> {
    Lab::unless_skipped().unwrap_or_else(|error| panic!("{error}"))
}

/// Where proxies run: beside the server.
fn far_side(lab: &Lab) -> Place {
    Place::namespace(lab.server_ns(), IpAddr::V4(lab.server_address()))
}

fn port(url: &str) -> u16 {
    url.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// Every connection of the laptop so far went to the proxy.
fn all_went_to(scene: &Scene, proxy: &str) -> Result<()> {
    let flows = scene.flows();
    ensure!(!flows.is_empty(), "nothing crossed the relay");
    for flow in flows {
        ensure!(
            flow.server.port() == port(proxy),
            "the laptop went to {} by itself",
            flow.server
        );
    }
    Ok(())
}

fn talks_both_ways(scene: &mut Scene) -> Result<()> {
    for number in 1..=3 {
        scene.laptop_types(&format!("there {number}"))?;
        scene.friend_types(&format!("back {number}"))?;
    }
    scene.check(RECOVERED)
}

#[test]
fn messages_pass_both_ways_through_an_http_proxy() {
    let Some(lab) = lab() else { return };
    passes((|| {
        let proxy = Tinyproxy::builder().place(far_side(&lab)).start()?;
        let mut scene =
            Scene::with_laptop(lab, false, Authority::new()?, |laptop| laptop.proxy(proxy.url()))?;
        talks_both_ways(&mut scene)?;
        all_went_to(&scene, &proxy.url())?;
        let log = std::fs::read_to_string(proxy.log())?;
        let tunnel = format!("CONNECT 10.77.0.1:{}", scene.server.wss_port());
        ensure!(log.contains(&tunnel), "“{tunnel}” is not in\n{log}");
        Ok(())
    })());
}

#[test]
fn messages_pass_both_ways_through_a_socks_proxy() {
    let Some(lab) = lab() else { return };
    passes((|| {
        let proxy = Microsocks::start_at(far_side(&lab), None)?;
        let mut scene =
            Scene::with_laptop(lab, false, Authority::new()?, |laptop| laptop.proxy(proxy.url()))?;
        talks_both_ways(&mut scene)?;
        all_went_to(&scene, &proxy.url())
    })());
}

/// The proxy dies in the middle of a conversation, stays away, and comes back.
fn dies_and_comes_back(
    scene: &mut Scene,
    url: &str,
    mut kill: impl FnMut(),
    start: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let mark = scene.laptop.mark();
    kill();
    let words = format!("The proxy {url} can't be reached");
    scene
        .laptop
        .wait_for_since(mark, "that the proxy is gone", SOON, |event| {
            event.state() == Some("waiting") && event.text("reason").contains(&words)
        })?;
    for number in 1..=3 {
        scene.laptop_types(&format!("typed without the proxy {number}"))?;
        scene.friend_types(&format!("said without the proxy {number}"))?;
    }
    thread::sleep(Duration::from_secs(2));
    start()?;
    scene.check(RECOVERED)?;
    all_went_to(scene, url)
}

#[test]
fn an_http_proxy_dies_and_comes_back_and_nothing_is_lost() {
    let Some(lab) = lab() else { return };
    passes((|| {
        let mut proxy = Tinyproxy::builder().place(far_side(&lab)).start()?;
        let url = proxy.url();
        let mut scene = Scene::with_laptop(lab, false, Authority::new()?, |laptop| laptop.proxy(&url))?;
        let shared = std::cell::RefCell::new(&mut proxy);
        dies_and_comes_back(
            &mut scene,
            &url,
            || shared.borrow_mut().kill(),
            || Ok(shared.borrow_mut().start()?),
        )
    })());
}

#[test]
fn a_socks_proxy_dies_and_comes_back_and_nothing_is_lost() {
    let Some(lab) = lab() else { return };
    passes((|| {
        let mut proxy = Microsocks::start_at(far_side(&lab), None)?;
        let url = proxy.url();
        let mut scene = Scene::with_laptop(lab, false, Authority::new()?, |laptop| laptop.proxy(&url))?;
        let shared = std::cell::RefCell::new(&mut proxy);
        dies_and_comes_back(
            &mut scene,
            &url,
            || shared.borrow_mut().kill(),
            || Ok(shared.borrow_mut().start()?),
        )
    })());
}

#[test]
fn after_a_sleep_behind_a_proxy_everything_missed_is_there() {
    let Some(lab) = lab() else { return };
    passes((|| {
        let proxy = Microsocks::start_at(far_side(&lab), None)?;
        let mut scene = Scene::with_laptop(lab, true, Authority::new()?, |laptop| laptop.proxy(proxy.url()))?;
        for sleep in ["a short sleep", "a sleep in which the connection died"] {
            scene.announce_sleep()?;
            let mut sleeper = scene.lab.sleeper(scene.laptop.id());
            let asleep = sleeper.suspend()?;
            for number in 1..=5 {
                scene.friend_types(&format!("missed {number} in {sleep}"))?;
            }
            scene.laptop_types(&format!("typed in {sleep}"))?;
            thread::sleep(Duration::from_secs(5));
            if sleep.contains("died") {
                scene.lab.relay().mute_flows();
            }
            asleep.resume(NetworkReturn::AtOnce)?;
            scene.announce_wake()?;
            scene.check(RECOVERED).context(sleep)?;
        }
        all_went_to(&scene, &proxy.url())
    })());
}

/// A server and, on the other side of the relay, clients of `alice`.
struct Site {
    server: Prosody,
    authority: Authority,
    lab: Lab,
    domain: &'static str,
}

impl Site {
    /// The server of `localhost`, known by its address.
    fn new(lab: Lab) -> Result<Self> {
        Self::of(lab, "localhost", "10.77.0.1")
    }

    /// The server of this domain, known by this name.
    fn of(lab: Lab, domain: &'static str, name: &str) -> Result<Self> {
        let authority = Authority::new()?;
        let server = Prosody::builder()
            .domain(domain)
            .accounts([("alice", PASSWORD), ("bob", PASSWORD)])
            .shared_contacts([(LAPTOP, "Alice"), (FRIEND, "Bob")])
            .tls(&authority.issue(&[name])?)
            .place(far_side(&lab))
            .start()?;
        Ok(Self {
            server,
            authority,
            lab,
            domain,
        })
    }

    fn alice(&self) -> Result<ClientBuilder> {
        Ok(Client::builder(&format!("alice@{}", self.domain), PASSWORD)
            .command(self.lab.client_command(program::cli()?)?)
            .endpoint(self.server.wss_endpoint())
            .env("SSL_CERT_FILE", self.authority.file())
            .no_wake())
    }
}

fn stops(client: &Client, words: &str) -> Result<()> {
    is_told(client, "stopped", words)
}

fn is_told(client: &Client, state: &str, words: &str) -> Result<()> {
    let told = client.wait_for(&format!("the state `{state}`"), SOON, |event| {
        event.state() == Some(state)
    })?;
    let sentence = told.text("reason");
    ensure!(sentence.contains(words), "“{sentence}” does not say “{words}”");
    Ok(())
}

/// Whether a file below this folder holds this text.
fn is_in_a_file(folder: &Path, text: &str) -> Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let found = if path.is_dir() {
            is_in_a_file(&path, text)?
        } else {
            String::from_utf8_lossy(&std::fs::read(&path)?).contains(text)
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A proxy that wants a password: without one, with a wrong one, and with the right one.
fn wants_a_password(site: &Site, url: &str) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let alice = || -> Result<ClientBuilder> {
        let alice = site.alice()?.proxy(url);
        Ok(alice.data_dir(folder.path()))
    };
    stops(&alice()?.start()?, "wants a user and a password")?;
    let wrong = alice()?.env("DORMOUSE_PROXY_LOGIN", "me:notthis").start()?;
    stops(&wrong, "refused its user or password")?;
    drop(wrong);
    let right = alice()?.env("DORMOUSE_PROXY_LOGIN", "me:opensesame").start()?;
    right.wait_until_live(SOON)?;
    right.quit()?;
    for secret in ["opensesame", "notthis", "bWU6b3BlbnNlc2FtZQ"] {
        ensure!(
            !is_in_a_file(folder.path(), secret)?,
            "the proxy's password is in a file"
        );
    }
    ensure!(
        is_in_a_file(folder.path(), url)?,
        "no file was read: this proves nothing"
    );
    // An account that has worked goes on trying: elsewhere there may be no proxy.
    let waiting = alice()?.start()?;
    is_told(&waiting, "waiting", "wants a user and a password")
}

#[test]
fn a_password_at_an_http_proxy_is_asked_for_refused_and_taken() {
    let Some(lab) = lab() else { return };
    passes((|| {
        let site = Site::new(lab)?;
        let proxy = Tinyproxy::builder()
            .place(far_side(&site.lab))
            .login("me", "opensesame")
            .start()?;
        wants_a_password(&site, &proxy.url())
    })());
}

#[test]
fn a_password_at_a_socks_proxy_is_asked_for_refused_and_taken() {
    let Some(lab) = lab() else { return };
    passes((|| {
        let site = Site::new(lab)?;
        let proxy = Microsocks::start_at(far_side(&site.lab), Some(("me", "opensesame")))?;
        wants_a_password(&site, &proxy.url())
    })());
}

#[test]
fn what_a_proxy_can_not_or_will_not_do_is_said_in_a_sentence() {
    let Some(lab) = lab() else { return };
    passes((|| {
        let mut site = Site::new(lab)?;
        let http = Tinyproxy::builder().place(far_side(&site.lab)).start()?;
        let narrow = Tinyproxy::builder()
            .place(far_side(&site.lab))
            .only_to(443)
            .start()?;
        let socks = Microsocks::start_at(far_side(&site.lab), None)?;
        let alice = |site: &Site, proxy: &str| site.alice()?.proxy(proxy).start();
        stops(
            &alice(&site, &narrow.url())?,
            "does not let the connection through (HTTP 403)",
        )?;
        let not_socks = http.url().replace("http://", "socks5://");
        let not_http = socks.url().replace("socks5://", "http://");
        stops(&alice(&site, &not_http)?, "is no such proxy")?;
        stops(&alice(&site, &not_socks)?, "is no such proxy")?;
        site.server.kill();
        is_told(
            &alice(&site, &http.url())?,
            "waiting",
            "can't reach the server (HTTP 5",
        )?;
        is_told(
            &alice(&site, &socks.url())?,
            "waiting",
            "can't reach the server (SOCKS 5)",
        )
    })());
}

#[test]
fn a_proxy_that_is_none_and_a_password_in_an_argument_are_refused_at_once() {
    passes((|| {
        for (proxy, words) in [
            (
                "https://proxy.example",
                "it does not begin with http:// or socks5://",
            ),
            ("http://me:secret@proxy.example:3128", "it has a user name in it"),
        ] {
            let client = Client::builder("alice@example.org", "secret")
                .proxy(proxy)
                .no_wake()
                .start()?;
            let refused = client.wait_for("an error", SOON, |event| event.kind() == "error")?;
            let text = refused.text("text");
            ensure!(text.contains(words), "“{text}” does not say “{words}”");
            ensure!(!text.contains("secret"), "“{text}” says too much");
        }
        Ok(())
    })());
}

/// Files of `/etc` for the programs that `ip netns exec` starts in a namespace.
struct Etc(PathBuf);

impl Etc {
    fn of(namespace: &str, files: &[(&str, &str)]) -> Result<Self> {
        let etc = Self(Path::new("/etc/netns").join(namespace));
        std::fs::create_dir_all(&etc.0)?;
        for (name, text) in files {
            std::fs::write(etc.0.join(name), text)?;
        }
        Ok(etc)
    }
}

impl Drop for Etc {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A client whose name server is the far side.
fn asks_the_far_side(site: &Site, folder: &Path) -> Result<ClientBuilder> {
    let (names, servers) = (folder.join("nsswitch.conf"), folder.join("resolv.conf"));
    std::fs::write(&names, "hosts: files dns\n")?;
    std::fs::write(&servers, "nameserver 10.77.0.1\noptions timeout:1 attempts:1\n")?;
    let mut command = site.lab.client_command("unshare")?;
    command
        .args(["--mount", "sh", "-c"])
        .arg("mount --bind \"$0\" /etc/nsswitch.conf && mount --bind \"$1\" /etc/resolv.conf && shift && exec \"$@\"")
        .arg(names)
        .arg(servers)
        .arg(program::cli()?);
    let port = site.server.wss_port();
    Ok(site
        .alice()?
        .endpoint(format!("wss://chat.example:{port}/xmpp-websocket"))
        .command(command))
}

#[test]
fn a_name_is_looked_up_by_the_proxy_and_no_name_server_hears_of_it() {
    let Some(lab) = lab() else { return };
    passes((|| {
        let site = Site::of(lab, "chat.example", "chat.example")?;
        // Before the proxies are started, which know the name by it. No name server does.
        let _etc = Etc::of(
            site.lab.server_ns(),
            &[
                ("hosts", "127.0.0.1 localhost\n10.77.0.1 chat.example\n"),
                ("nsswitch.conf", "hosts: files\n"),
            ],
        )?;
        let name_server = site.lab.in_server(|| UdpSocket::bind("10.77.0.1:53"))??;
        name_server.set_nonblocking(true)?;
        let questions = || {
            let mut count = 0;
            while name_server.recv_from(&mut [0; 512]).is_ok() {
                count += 1;
            }
            count
        };
        let http = Tinyproxy::builder().place(far_side(&site.lab)).start()?;
        let socks = Microsocks::start_at(far_side(&site.lab), None)?;
        for proxy in [http.url(), socks.url()] {
            let folder = tempfile::tempdir()?;
            // The second time it remembers the way.
            for time in ["first", "second"] {
                let alice = asks_the_far_side(&site, folder.path())?
                    .data_dir(folder.path().join("alice"))
                    .proxy(&proxy)
                    .start()?;
                alice
                    .wait_until_live(SOON)
                    .with_context(|| format!("the {time} time"))?;
                alice.quit()?;
                ensure!(questions() == 0, "a name server was asked, the {time} time");
            }
        }
        let folder = tempfile::tempdir()?;
        let straight = asks_the_far_side(&site, folder.path())?.proxy("none").start()?;
        straight.wait_for("a failure", SOON, |event| {
            matches!(event.state(), Some("waiting" | "stopped"))
        })?;
        ensure!(
            questions() > 0,
            "nobody was asked without a proxy: this proves nothing"
        );
        Ok(())
    })());
}

#[test]
fn the_systems_proxy_is_found_in_the_environment_and_its_exceptions_are_kept() {
    let Some(lab) = lab() else { return };
    passes((|| {
        let site = Site::new(lab)?;
        let mut proxy = Tinyproxy::builder()
            .place(far_side(&site.lab))
            .login("me", "opensesame")
            .start()?;
        let with_login = proxy.url().replace("http://", "http://me:opensesame@");
        let live = |alice: ClientBuilder| -> Result<()> {
            let alice = alice.start()?;
            alice.wait_until_live(SOON)?;
            alice.quit()
        };
        let tunnels = |proxy: &Tinyproxy| -> Result<usize> {
            let log = std::fs::read_to_string(proxy.log())?;
            Ok(log.matches("CONNECT 10.77.0.1").count())
        };
        live(site.alice()?.env("https_proxy", &with_login))?;
        let first = tunnels(&proxy)?;
        ensure!(first > 0, "the proxy of the environment was not used");
        live(site.alice()?.env("ALL_PROXY", &with_login))?;
        let second = tunnels(&proxy)?;
        ensure!(second > first, "the proxy for all was not used");
        live(
            site.alice()?
                .env("https_proxy", &with_login)
                .env("no_proxy", "localhost,10.77.0.0/24"),
        )?;
        live(site.alice()?.env("https_proxy", &with_login).proxy("none"))?;
        ensure!(tunnels(&proxy)? == second, "an exception went through the proxy");
        // A kind that we don't know is said, not passed by.
        let alice = site
            .alice()?
            .env("all_proxy", "https://me:secret@10.77.0.1:1")
            .start()?;
        let unusable = alice.wait_for("a failure", SOON, |event| event.state() == Some("stopped"))?;
        let sentence = unusable.text("reason");
        ensure!(
            sentence.contains("can't be used (https://10.77.0.1:1)"),
            "“{sentence}”"
        );
        proxy.kill();
        let alice = site.alice()?.env("https_proxy", &with_login).start()?;
        is_told(
            &alice,
            "waiting",
            &format!("The proxy {} can't be reached", proxy.url()),
        )
    })());
}

#[test]
fn the_systems_proxy_is_found_in_the_desktops_settings_and_a_change_holds_from_the_next_attempt_on() {
    let Some(lab) = lab() else { return };
    passes((|| {
        let site = Site::new(lab)?;
        let proxy = Tinyproxy::builder().place(far_side(&site.lab)).start()?;
        let tunnels =
            || -> Result<usize> { Ok(std::fs::read_to_string(proxy.log())?.matches("CONNECT").count()) };
        let config = tempfile::tempdir()?;
        let alice = |desktop: &str| -> Result<ClientBuilder> {
            Ok(site
                .alice()?
                .env("XDG_CURRENT_DESKTOP", desktop)
                .env("XDG_CONFIG_HOME", config.path())
                .env("GSETTINGS_BACKEND", "keyfile"))
        };
        let gnome = |port: u16| -> Result<()> {
            let folder = config.path().join("glib-2.0/settings");
            std::fs::create_dir_all(&folder)?;
            let text = format!(
                "[system/proxy]\nmode='manual'\n[system/proxy/https]\nhost='10.77.0.1'\nport={port}\n"
            );
            Ok(std::fs::write(folder.join("keyfile"), text)?)
        };
        gnome(1)?;
        let client = alice("GNOME")?.start()?;
        is_told(
            &client,
            "waiting",
            "The proxy http://10.77.0.1:1 can't be reached",
        )?;
        gnome(port(&proxy.url()))?;
        client.wait_until_live(SOON)?;
        ensure!(tunnels()? > 0, "the desktop's proxy was not used");
        drop(client);
        let before = tunnels()?;
        let file = format!(
            "[Proxy Settings]\nProxyType=1\nhttpsProxy={}\nNoProxyFor=\n",
            proxy.url().replacen(
                &format!(":{}", port(&proxy.url())),
                &format!(" {}", port(&proxy.url())),
                1
            )
        );
        std::fs::write(config.path().join("kioslaverc"), file)?;
        alice("KDE")?.start()?.wait_until_live(SOON)?;
        ensure!(tunnels()? > before, "KDE's proxy was not used");
        Ok(())
    })());
}

/// Waits until mitmdump has written down a WebSocket message with this text.
fn was_seen(proxy: &Mitmproxy, text: &str) -> Result<()> {
    let start = Instant::now();
    loop {
        let log = std::fs::read_to_string(proxy.log())?;
        let seen = log
            .match_indices("WebSocket text message")
            .any(|(at, _)| log[at..].lines().take(12).any(|line| line.contains(text)));
        if seen {
            return Ok(());
        }
        ensure!(
            start.elapsed() < SOON,
            "“{text}” did not pass mitmproxy's eyes:\n{log}"
        );
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn mitmproxy_as_a_proxy_shows_the_frames() {
    let Some(lab) = lab() else { return };
    passes((|| {
        let authority = Authority::new()?;
        let proxy = Mitmproxy::builder()
            .place(far_side(&lab))
            .trusts(&authority.file())
            .login("me", "opensesame")
            .start()?;
        let mut scene = Scene::with_laptop(lab, false, authority, |laptop| {
            laptop
                .proxy(proxy.url())
                .env("DORMOUSE_PROXY_LOGIN", "me:opensesame")
                .env("SSL_CERT_FILE", proxy.authority_file())
        })?;
        talks_both_ways(&mut scene)?;
        all_went_to(&scene, &proxy.url())?;
        for seen in ["urn:ietf:params:xml:ns:xmpp-framing", "there 3", "back 3"] {
            was_seen(&proxy, seen)?;
        }
        Ok(())
    })());
}

#[test]
fn mitmproxy_in_front_of_the_server_shows_the_frames() {
    let Some(lab) = lab() else { return };
    passes((|| {
        let site = Site::new(lab)?;
        let proxy = Mitmproxy::builder()
            .place(far_side(&site.lab))
            .in_front_of(&format!("https://10.77.0.1:{}", site.server.wss_port()))
            .trusts(&site.authority.file())
            .start()?;
        let mut alice = site
            .alice()?
            .endpoint(proxy.wss_endpoint_for("10.77.0.1"))
            .env("SSL_CERT_FILE", proxy.authority_file())
            .start()?;
        alice.wait_until_live(SOON)?;
        alice.send(FRIEND, "said in front of it")?;
        alice.wait_until_sent(&["said in front of it".to_owned()], &["sent", "delivered"], SOON)?;
        was_seen(&proxy, "said in front of it")
    })());
}

#[test]
fn a_companys_own_authority_counts_where_the_systems_trust_store_has_it_and_nowhere_else() {
    let Some(lab) = lab() else { return };
    passes((|| {
        let site = Site::new(lab)?;
        let proxy = Mitmproxy::builder()
            .place(far_side(&site.lab))
            .trusts(&site.authority.file())
            .start()?;
        let through = |folder: &Path| -> Result<ClientBuilder> {
            Ok(site.alice()?.proxy(proxy.url()).data_dir(folder))
        };
        // One that has never worked.
        let folder = tempfile::tempdir()?;
        stops(
            &through(folder.path())?.start()?,
            "The server's certificate is not trusted: nobody this computer trusts has signed it",
        )?;
        // One that has, at home, where nobody reads along.
        let folder = tempfile::tempdir()?;
        let home = site.alice()?.data_dir(folder.path()).start()?;
        home.wait_until_live(SOON)?;
        home.quit()?;
        let office = through(folder.path())?.start()?;
        is_told(&office, "waiting", "This network intercepts the connection")?;
        let mark = office.mark();
        office.wait_for_since(mark, "another attempt", SOON, |event| {
            event.state() == Some("connecting")
        })?;
        drop(office);
        let office = through(folder.path())?
            .env("SSL_CERT_FILE", proxy.authority_file())
            .start()?;
        office.wait_until_live(SOON)
    })());
}

/// Wireshark's key log. A release has no such thing: there this test has nothing to see.
#[test]
fn a_debug_build_writes_the_keys_of_its_connections_where_it_is_told() {
    let Some(lab) = lab() else { return };
    passes((|| {
        let site = Site::new(lab)?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("keys");
        let alice = site.alice()?.env("SSLKEYLOGFILE", &file).start()?;
        alice.wait_until_live(SOON)?;
        if cfg!(debug_assertions) {
            let keys = std::fs::read_to_string(&file)?;
            ensure!(
                keys.lines()
                    .any(|line| line.starts_with("CLIENT_TRAFFIC_SECRET_0 ")),
                "no keys in\n{keys}"
            );
        } else {
            ensure!(!file.exists(), "a release has written its keys down");
        }
        ensure!(
            alice
                .since(Mark::START)
                .iter()
                .all(|event| event.kind() != "error"),
            "{}",
            alice.dump()
        );
        Ok(())
    })());
}
