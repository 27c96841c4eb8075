//! The network of the lab, by real TCP connections through it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use dormouse_sleep_lab::{Direction, Lab, NetworkReturn};

const PATIENCE: Duration = Duration::from_secs(20);

macro_rules! lab {
    () => {
        match Lab::unless_skipped() {
            Ok(Some(lab)) => lab,
            Ok(None) => return,
            Err(error) => panic!("{error}"),
        }
    };
}

/// An echo server in the server's namespace. Its threads end with their connections or the test.
fn echo(lab: &Lab) -> SocketAddr {
    let address = (lab.server_address(), 0);
    let listener = lab.in_server(|| TcpListener::bind(address).unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            connection.set_nodelay(true).unwrap();
            thread::spawn(move || {
                let mut buffer = [0; 4_096];
                while let Ok(length @ 1..) = connection.read(&mut buffer) {
                    if connection.write_all(&buffer[..length]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn connect(lab: &Lab, address: SocketAddr) -> TcpStream {
    let stream = lab
        .in_client(|| TcpStream::connect_timeout(&address, PATIENCE).unwrap())
        .unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends a word and waits for it to come back. Returns the round trip.
fn exchange(stream: &mut TcpStream) -> io::Result<Duration> {
    let start = Instant::now();
    stream.write_all(b"dormouse")?;
    let mut word = [0; 8];
    stream.read_exact(&mut word)?;
    assert_eq!(&word, b"dormouse");
    Ok(start.elapsed())
}

/// Nothing comes within this time, and the connection shows no error either.
fn hears_nothing(stream: &mut TcpStream, time: Duration) {
    stream.set_read_timeout(Some(time)).unwrap();
    let error = stream.read(&mut [0; 8]).expect_err("something was heard");
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
    assert!(stream.take_error().unwrap().is_none());
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
}

#[test]
fn a_connection_crosses_the_lab() {
    let lab = lab!();
    let mut stream = connect(&lab, echo(&lab));
    assert_eq!(stream.local_addr().unwrap().ip(), lab.client_address());
    exchange(&mut stream).unwrap();
    let counters = lab.relay().counters();
    assert_eq!(
        (counters.to_server.handshakes, counters.to_client.handshakes),
        (1, 1)
    );
    assert_eq!((counters.to_server.payload, counters.to_client.payload), (8, 8));
    assert_eq!(lab.relay().flows().len(), 1);
    assert_eq!(
        lab.relay().flows()[0].client,
        match stream.local_addr().unwrap() {
            SocketAddr::V4(address) => address,
            SocketAddr::V6(_) => panic!("the lab has IPv4 only"),
        }
    );
}

#[test]
fn several_labs_run_side_by_side_with_the_same_addresses() {
    let (one, two) = (lab!(), lab!());
    assert_ne!(one.client_ns(), two.client_ns());
    let mut first = connect(&one, echo(&one));
    let mut second = connect(&two, echo(&two));
    one.relay().silence(Direction::Both);
    first.write_all(b"dormouse").unwrap();
    exchange(&mut second).unwrap();
    hears_nothing(&mut first, Duration::from_millis(300));
}

#[test]
fn a_round_trip_takes_twice_the_delay() {
    let lab = lab!();
    let mut stream = connect(&lab, echo(&lab));
    lab.relay().delay(Duration::from_millis(50));
    let trips: Vec<_> = (0..7).map(|_| exchange(&mut stream).unwrap()).collect();
    let best = trips.iter().min().unwrap();
    assert!(*best >= Duration::from_millis(100), "{trips:?}");
    assert!(*best <= Duration::from_millis(130), "{trips:?}");
    // A handshake is one round trip more.
    let start = Instant::now();
    connect(&lab, stream.peer_addr().unwrap());
    assert!(start.elapsed() >= Duration::from_millis(100));
    lab.relay().delay(Duration::ZERO);
    let trips: Vec<_> = (0..7).map(|_| exchange(&mut stream).unwrap()).collect();
    assert!(
        *trips.iter().min().unwrap() < Duration::from_millis(50),
        "{trips:?}"
    );
}

#[test]
fn round_trips_are_counted_as_they_have_to_come_one_after_another() {
    let lab = lab!();
    lab.relay().delay(Duration::from_millis(20));
    let mut stream = connect(&lab, echo(&lab));
    assert_eq!(lab.relay().round_trips(), 1, "the handshake");
    exchange(&mut stream).unwrap();
    exchange(&mut stream).unwrap();
    assert_eq!(lab.relay().round_trips(), 3);
    lab.relay().count_round_trips();
    stream.write_all(&[7; 64]).unwrap();
    stream.write_all(&[7; 64]).unwrap();
    stream.read_exact(&mut [0; 128]).unwrap();
    assert_eq!(lab.relay().round_trips(), 1, "two words said together");
}

#[test]
fn silence_says_nothing_and_retransmission_ends_it() {
    let lab = lab!();
    let address = echo(&lab);
    let mut stream = connect(&lab, address);
    exchange(&mut stream).unwrap();
    // The acknowledgement of the echo may be a delayed one; without it the server would send again.
    thread::sleep(Duration::from_millis(300));
    lab.relay().silence(Direction::Both);
    let before = lab.relay().counters();
    stream.write_all(b"dormouse").unwrap();
    hears_nothing(&mut stream, Duration::from_secs(1));
    let refused = lab
        .in_client(|| TcpStream::connect_timeout(&address, Duration::from_millis(500)))
        .unwrap();
    assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::TimedOut);
    let during = lab.relay().counters();
    assert!(
        during.to_server.dropped >= before.to_server.dropped + 3,
        "retransmissions and a handshake: {during:?}"
    );
    assert_eq!(
        during.to_client, before.to_client,
        "nothing reached the server, so it said nothing"
    );
    lab.relay().open();
    let mut word = [0; 8];
    stream.read_exact(&mut word).unwrap();
    assert_eq!(&word, b"dormouse");
}

#[test]
fn silence_of_one_direction_leaves_the_other() {
    let lab = lab!();
    let mut stream = connect(&lab, echo(&lab));
    exchange(&mut stream).unwrap();
    lab.relay().silence(Direction::ToClient);
    let before = lab.relay().counters();
    stream.write_all(b"dormouse").unwrap();
    hears_nothing(&mut stream, Duration::from_millis(500));
    let after = lab.relay().counters();
    assert_eq!(after.to_server.dropped, before.to_server.dropped);
    assert!(
        after.to_client.payload >= before.to_client.payload + 8,
        "the echo was sent"
    );
    assert!(after.to_client.dropped > before.to_client.dropped, "and lost");
}

#[test]
fn a_late_opening_opens_by_itself() {
    let lab = lab!();
    let mut stream = connect(&lab, echo(&lab));
    exchange(&mut stream).unwrap();
    lab.relay().open_after(Duration::from_secs(1));
    let trip = exchange(&mut stream).unwrap();
    assert!(trip >= Duration::from_millis(990), "{trip:?}");
}

#[test]
fn killed_flows_stay_dead_while_new_ones_live() {
    let lab = lab!();
    let address = echo(&lab);
    let mut old = connect(&lab, address);
    exchange(&mut old).unwrap();
    assert_eq!(lab.relay().kill_flows(), 1);
    old.write_all(b"dormouse").unwrap();
    let mut new = connect(&lab, address);
    exchange(&mut new).unwrap();
    hears_nothing(&mut old, Duration::from_secs(2));
    // Neither an opening nor a given-back voice wakes the dead.
    lab.relay().silence(Direction::Both);
    lab.relay().open();
    lab.relay().unmute_flows();
    hears_nothing(&mut old, Duration::from_secs(2));
    exchange(&mut new).unwrap();
}

#[test]
fn mute_flows_are_heard_by_the_server_and_not_by_the_client() {
    let lab = lab!();
    let (heard, hears) = mpsc::channel();
    let address = (lab.server_address(), 0);
    let listener = lab.in_server(|| TcpListener::bind(address).unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut connection = listener.accept().unwrap().0;
        let mut word = [0; 8];
        while connection.read_exact(&mut word).is_ok() {
            let _ = heard.send(word);
            let _ = connection.write_all(&word);
        }
    });
    let mut stream = connect(&lab, address);
    exchange(&mut stream).unwrap();
    assert_eq!(hears.recv_timeout(PATIENCE).unwrap(), *b"dormouse");
    assert_eq!(lab.relay().mute_flows(), 1);
    stream.write_all(b"dormouse").unwrap();
    assert_eq!(hears.recv_timeout(PATIENCE).unwrap(), *b"dormouse");
    hears_nothing(&mut stream, Duration::from_secs(1));
    lab.relay().unmute_flows();
    let mut word = [0; 8];
    stream.read_exact(&mut word).unwrap();
}

#[test]
fn losses_are_made_good_by_retransmission() {
    let lab = lab!();
    let mut stream = connect(&lab, echo(&lab));
    lab.relay().loss(0.1, 42);
    for _ in 0..60 {
        exchange(&mut stream).unwrap();
    }
    let counters = lab.relay().counters();
    assert!(
        counters.to_server.dropped + counters.to_client.dropped >= 3,
        "{counters:?}"
    );
}

#[test]
fn a_link_that_goes_and_comes_is_told_by_netlink() {
    let lab = lab!();
    let mut stream = connect(&lab, echo(&lab));
    let mut command = lab.client_command("ip").unwrap();
    let mut monitor = command
        .args(["-o", "monitor", "link", "route"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(monitor.stdout.take().unwrap()).lines();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| tell.send(line)));
    let wait_for = |what: &str, act: &dyn Fn()| {
        let start = Instant::now();
        // The monitor may not listen yet when the first change is made.
        while start.elapsed() < PATIENCE {
            act();
            while let Ok(line) = told.recv_timeout(Duration::from_millis(500)) {
                if line.contains(what) {
                    return;
                }
            }
        }
        panic!("no event with {what:?}");
    };
    wait_for("state DOWN", &|| {
        lab.link_up().unwrap();
        lab.link_down().unwrap();
    });
    stream.write_all(b"dormouse").unwrap();
    hears_nothing(&mut stream, Duration::from_millis(500));
    wait_for("default dev lab0", &|| {
        lab.link_down().unwrap();
        lab.link_up().unwrap();
    });
    let mut word = [0; 8];
    stream.read_exact(&mut word).unwrap();
    monitor.kill().unwrap();
    monitor.wait().unwrap();
}

#[test]
fn a_program_sleeps_and_wakes_with_its_network() {
    let lab = lab!();
    let mut command = lab
        .client_command(env!("CARGO_BIN_EXE_dormouse-sleep-probe"))
        .unwrap();
    // Long enough that it still waits when it is put to sleep, however busy this machine is.
    let waits = Duration::from_secs(8);
    let mut child = command
        .arg(waits.as_millis().to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    let inside = std::fs::read_link(format!("/proc/{}/ns/net", child.id())).unwrap();
    assert_ne!(inside, std::fs::read_link("/proc/self/ns/net").unwrap());

    let mut stream = connect(&lab, echo(&lab));
    let mut sleeper = lab.sleeper(child.id());
    let asleep = sleeper.suspend().unwrap();
    stream.write_all(b"dormouse").unwrap();
    hears_nothing(&mut stream, Duration::from_secs(4));
    let slept = asleep
        .resume(NetworkReturn::Late(Duration::from_secs(1)))
        .unwrap();
    let woken = Instant::now();
    assert!(slept >= Duration::from_secs(4));
    assert_eq!(lab.clock().slept(), slept);
    stream.read_exact(&mut [0; 8]).unwrap();
    assert!(
        woken.elapsed() >= Duration::from_millis(900),
        "the network came back late"
    );

    let lines: Vec<String> = out.lines().map(Result::unwrap).collect();
    assert!(child.wait().unwrap().success());
    let tokio = lines
        .iter()
        .find(|line| line.starts_with("tokio_sleep "))
        .unwrap();
    let boot: u64 = tokio.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(
        Duration::from_millis(boot) >= waits + slept - Duration::from_millis(50),
        "{tokio}"
    );
}

#[test]
fn a_lab_takes_its_namespaces_and_programs_away() {
    let lab = lab!();
    let names = [lab.client_ns().to_owned(), lab.server_ns().to_owned()];
    let mut children: Vec<_> = [
        lab.client_command("sleep").unwrap(),
        lab.server_command("sleep").unwrap(),
    ]
    .into_iter()
    .map(|mut command| command.arg("600").spawn().unwrap())
    .collect();
    // A program that was never woken goes too.
    let _ = lab.sleeper(children[0].id()).suspend().unwrap();
    drop(lab);
    for child in &mut children {
        assert!(!child.wait().unwrap().success());
    }
    for name in names {
        assert!(!std::path::Path::new("/run/netns").join(name).exists());
    }
}

#[test]
fn a_new_lab_sweeps_what_a_dead_owner_left() {
    // A process id that is certainly free again: that of a child already waited for.
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let name = format!("dormouse-{}-1-client", child.id());
    drop(lab!());
    assert!(
        Command::new("ip")
            .args(["netns", "add", &name])
            .status()
            .unwrap()
            .success()
    );
    drop(lab!());
    assert!(!std::path::Path::new("/run/netns").join(name).exists());
}
