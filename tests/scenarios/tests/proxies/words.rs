//! What is said where a proxy wants a password, or can't or won't do what it is asked.

use super::*;

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
