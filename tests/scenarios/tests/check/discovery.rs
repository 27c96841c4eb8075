//! A check that is not given an endpoint: what the domain says of itself (XEP-0156).

use super::*;
use dormouse_scenarios::network::Network;

/// What the domain says.
const ENDPOINT: &str = "wss://localhost/xmpp-websocket";

/// A domain, or one that says nothing of itself.
struct Domain {
    server: Server,
    alice: Person,
    authority: Authority,
    network: Network,
}

impl Domain {
    fn unless_skipped(name: &str, make: Make, names_its_endpoint: bool) -> Result<Option<Self>> {
        let Some(network) = Network::unless_skipped(&format!("{name}-{make:?}"))? else {
            return Ok(None);
        };
        let authority = Authority::new()?;
        let mut plan = Plan::new(make)
            .tls(&authority.issue(&["localhost"])?)
            .place(network.place());
        if names_its_endpoint {
            plan = plan.host_meta(ENDPOINT);
        }
        let server = plan.start()?;
        network.https_is_at(server.wss_port())?;
        let alice = server.person("alice")?;
        Ok(Some(Self {
            server,
            alice,
            authority,
            network,
        }))
    }

    fn check(&self, arguments: &[&str]) -> Result<Checked> {
        let command = self.network.command(program::cli()?);
        let file = self.authority.file();
        Checking::by(command, &self.alice, arguments, &[("SSL_CERT_FILE", &file)])?.end()
    }
}

fn an_endpoint_that_the_domain_names_is_shown_and_used(make: Make) -> Result<()> {
    let Some(domain) = Domain::unless_skipped("named", make, true)? else {
        return Ok(());
    };
    let checked = domain.check(&[])?;
    checked.all_is_well()?;
    checked.says(
        "Discovery",
        "✓",
        &format!("The domain names its endpoint: {ENDPOINT}."),
    )?;
    checked.says("TCP", "✓", "port 443")
}

fn a_domain_that_names_none_ends_it_there(make: Make) -> Result<()> {
    let Some(domain) = Domain::unless_skipped("nameless", make, false)? else {
        return Ok(());
    };
    let checked = domain.check(&[])?;
    checked.says("Name", "✓", "127.0.0.1")?;
    checked.fails_at("Discovery", "localhost offers no connection over WebSocket")
}

with_both_servers!(
    an_endpoint_that_the_domain_names_is_shown_and_used,
    a_domain_that_names_none_ends_it_there,
);

#[test]
fn a_domain_that_no_longer_names_the_endpoint_that_worked_is_told_of_and_the_rest_is_tried() {
    passes((|| {
        let Some(domain) = Domain::unless_skipped("forgotten", Make::Prosody, true)? else {
            return Ok(());
        };
        let folder = tempfile::tempdir()?;
        let client = Client::builder(&domain.alice.address, &domain.alice.password)
            .command(domain.network.command(program::cli()?))
            .env("SSL_CERT_FILE", domain.authority.file())
            .data_dir(folder.path())
            .no_wake()
            .start()?;
        client.wait_until_live(SOON)?;
        client.quit()?;
        let Server::Prosody(prosody) = &domain.server else {
            return Ok(());
        };
        let files = prosody.folder().join("files/.well-known");
        for name in ["host-meta", "host-meta.json"] {
            std::fs::remove_file(files.join(name))?;
        }
        let checked = domain.check(&["--data-dir", folder.path().to_str().context("a path")?])?;
        ensure!(checked.well, "{:#?}", checked.lines);
        checked.says(
            "Discovery",
            "!",
            &format!("What worked before is tried: {ENDPOINT}."),
        )?;
        checked.says("Resumption", "✓", "taken up again")
    })());
}
