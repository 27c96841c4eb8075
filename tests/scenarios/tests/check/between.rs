//! A check through a proxy: the step that opens the way, and what it says of a proxy that does not.

use super::*;
use dormouse_servers::{Microsocks, Place, Prosody, Tinyproxy};
use dormouse_sleep_lab::Lab;
use std::net::IpAddr;

/// A server with TLS, and somebody elsewhere who trusts it: what is on this computer is asked without a proxy.
struct Behind {
    server: Prosody,
    alice: Person,
    authority: Authority,
    lab: Lab,
}

impl Behind {
    fn unless_skipped() -> Result<Option<Self>> {
        let Some(lab) = Lab::unless_skipped()? else {
            return Ok(None);
        };
        let authority = Authority::new()?;
        let address = lab.server_address().to_string();
        let alice = Person {
            user: "alice".into(),
            address: "alice@localhost".into(),
            password: "correct horse".into(),
        };
        let server = Prosody::builder()
            .account(&alice.user, &alice.password)
            .tls(&authority.issue(&[&address])?)
            .place(far_side(&lab))
            .start()?;
        Ok(Some(Self {
            server,
            alice,
            authority,
            lab,
        }))
    }

    fn place(&self) -> Place {
        far_side(&self.lab)
    }

    fn check(&self, proxy: &str, arguments: &[&str]) -> Result<Checked> {
        self.check_with(proxy, arguments, &[])
    }

    fn check_with(&self, proxy: &str, arguments: &[&str], more: &[(&str, &Path)]) -> Result<Checked> {
        let file = self.authority.file();
        let environment = [&[("SSL_CERT_FILE", file.as_path())], more].concat();
        let endpoint = self.server.wss_endpoint();
        let arguments = [&["--endpoint", &endpoint, "--proxy", proxy], arguments].concat();
        let command = self.lab.client_command(program::cli()?)?;
        Checking::by(command, &self.alice, &arguments, &environment)?.end()
    }
}

/// Where proxies run: beside the server.
fn far_side(lab: &Lab) -> Place {
    Place::namespace(lab.server_ns(), IpAddr::V4(lab.server_address()))
}

#[test]
fn a_proxy_that_opens_the_way_is_a_step_of_its_own() {
    passes((|| {
        let Some(behind) = Behind::unless_skipped()? else {
            return Ok(());
        };
        let http = Tinyproxy::builder().place(behind.place()).start()?;
        let socks = Microsocks::start_at(behind.place(), None)?;
        for url in [http.url(), socks.url()] {
            let folder = tempfile::tempdir()?;
            let report = folder.path().join("report.txt");
            let checked = behind.check(&url, &["--report", report.to_str().context("a path")?])?;
            checked.all_is_well()?;
            checked.says("Name", "-", "none is looked up here")?;
            checked.says("Proxy", "✓", &format!("{url} opened the way to the server."))?;
            checked.says("TLS", "✓", "TLS 1.3")?;
            checked.says("Resumption", "✓", "taken up again")?;
            let text = std::fs::read_to_string(&report)?;
            ensure!(text.contains("opened the way to the server."), "{text}");
            ensure!(!text.contains("10.77.0.1"), "{text}");
        }
        let log = std::fs::read_to_string(http.log())?;
        ensure!(
            log.contains("CONNECT 10.77.0.1:"),
            "the proxy was not used: {log}"
        );
        Ok(())
    })());
}

#[test]
fn a_proxy_that_does_not_open_the_way_is_named_with_what_it_said() {
    passes((|| {
        let Some(mut behind) = Behind::unless_skipped()? else {
            return Ok(());
        };
        let place = behind.place();
        let proxy = || Tinyproxy::builder().place(place.clone());
        let narrow = proxy().only_to(443).start()?;
        behind
            .check(&narrow.url(), &[])?
            .fails_at("Proxy", "does not let the connection through (HTTP 403)")?;
        let locked = proxy().login("me", "opensesame").start()?;
        behind
            .check(&locked.url(), &[])?
            .fails_at("Proxy", "wants a user and a password")?;
        let login = |line: &'static str| [("DORMOUSE_PROXY_LOGIN", Path::new(line))];
        behind
            .check_with(&locked.url(), &[], &login("me:notthis"))?
            .fails_at("Proxy", "refused its user or password")?;
        behind
            .check_with(&locked.url(), &[], &login("me:opensesame"))?
            .all_is_well()?;
        let mut gone = proxy().start()?;
        gone.kill();
        behind
            .check(&gone.url(), &[])?
            .fails_at("TCP", &format!("The proxy {} can't be reached", gone.url()))?;
        // The proxy is there, and nobody behind it.
        let socks = Microsocks::start_at(behind.place(), None)?;
        behind.server.kill();
        behind
            .check(&socks.url(), &[])?
            .fails_at("Proxy", "can't reach the server (SOCKS 5)")
    })());
}
