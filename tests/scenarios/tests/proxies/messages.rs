//! Messages pass, also after the proxy was gone and after a sleep.

use super::*;

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
