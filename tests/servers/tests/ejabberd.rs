//! ejabberd as the tests use it.

mod wire;

use dormouse_servers::{Authority, Ejabberd, ScramHash};
use wire::{assert_is_xmpp_websocket, get, is_alive, mechanisms, signs_in, upgrade, upgrade_over_tls};

#[test]
fn an_ejabberd_answers_restarts_with_its_accounts_and_is_gone_after_drop() {
    let authority = Authority::new().unwrap();
    let certificate = authority.issue(&["localhost", "127.0.0.1"]).unwrap();
    let mut ejabberd = Ejabberd::builder()
        .tls(&certificate)
        .host_meta("wss://chat.example.org/ws")
        .account("alice", "al ice\"\\")
        .start()
        .unwrap();
    let (port, folder) = (ejabberd.ws_port(), ejabberd.folder().to_owned());
    assert_is_xmpp_websocket(port);
    assert_eq!(
        upgrade_over_tls(ejabberd.wss_port(), &authority.file()),
        "HTTP/1.1 101"
    );
    let answer = get(port, "/.well-known/host-meta.json");
    assert!(answer.contains("wss://chat.example.org/ws"), "{answer}");
    assert!(signs_in(port, "alice", "al ice\"\\"));
    assert!(!signs_in(port, "alice", "wrong"));
    ejabberd.restart().unwrap();
    assert_eq!(ejabberd.ws_port(), port);
    assert!(signs_in(port, "alice", "al ice\"\\"));
    ejabberd.kill();
    assert!(upgrade(port).is_none());
    ejabberd.start().unwrap();
    // On a busy machine one that was killed has refused a sign-in that is right, so it is tried until it is taken.
    assert!(signs_in_soon(port, "alice", "al ice\"\\"));
    let process = ejabberd.process_id().unwrap();
    assert!(is_alive(process));
    drop(ejabberd);
    assert!(!is_alive(process));
    assert!(upgrade(port).is_none());
    assert!(!folder.exists());
}

fn signs_in_soon(port: u16, user: &str, password: &str) -> bool {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !signs_in(port, user, password) {
        if std::time::Instant::now() > end {
            return false;
        }
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    true
}

#[test]
fn two_ejabberds_run_beside_each_other_with_different_passwords_hashes() {
    let first = Ejabberd::builder().account("alice", "one").start().unwrap();
    let second = Ejabberd::builder()
        .scram_hash(ScramHash::Sha256)
        .account("alice", "two")
        .start()
        .unwrap();
    assert!(signs_in(first.ws_port(), "alice", "one") && !signs_in(second.ws_port(), "alice", "one"));
    let (one, two) = (mechanisms(first.ws_port()), mechanisms(second.ws_port()));
    assert!(one.contains("SCRAM-SHA-1<"), "{one}");
    assert!(two.contains("SCRAM-SHA-256<"), "{two}");
}

#[test]
fn a_refused_command_is_an_error_with_the_servers_answer() {
    let ejabberd = Ejabberd::builder().account("alice", "a").start().unwrap();
    assert!(ejabberd.register("alice", "again").is_err());
    assert!(ejabberd.api("no_such_command", &[]).is_err());
}
