//! Proxies that read along: to look at the wire, or because a company wants it.

use super::*;

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
