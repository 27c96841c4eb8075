//! Which proxy the system says, and who looks names up.

use super::*;

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
