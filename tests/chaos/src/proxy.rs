//! A TCP proxy on loopback between one device and its server, which fails as it is told ([`Fault`]).
//!
//! What TCP promises holds here too: bytes that were held back arrive later, in order, or the connection never
//! brings another one. A connection is two threads, one for each way; each looks every few milliseconds at what is to
//! become of it.

use crate::Result;
use crate::plan::{Fault, Way};
use socket2::SockRef;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often a thread that has nothing to do looks up.
const TICK: Duration = Duration::from_millis(10);

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It goes on.
    Open,
    /// Both sides are closed, as by a program that ended.
    Closed,
    /// Both sides are reset.
    Reset,
    /// The server's side is closed; the client is not told.
    ClientForgotten,
    /// The client's side is reset; the server is not told.
    ServerForgotten,
}

#[derive(Debug)]
struct Line {
    fate: Mutex<Fate>,
    /// What the client, what the server sends is lost, and its end with it.
    silent: [AtomicBool; 2],
}

/// How it behaves at present.
#[derive(Debug)]
struct Conduct {
    held_up: bool,
    held_down: bool,
    late: Duration,
    refuses: bool,
    cut: Option<(Way, usize)>,
    lines: Vec<Arc<Line>>,
    delivered: Instant,
}

#[derive(Debug)]
struct Shared {
    server: u16,
    conduct: Mutex<Conduct>,
    taken: AtomicU32,
    stop: AtomicBool,
}

/// The proxy. Its connections end when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// In front of a port of 127.0.0.1.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn start(server: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            server,
            conduct: Mutex::new(Conduct {
                held_up: false,
                held_down: false,
                late: Duration::ZERO,
                refuses: false,
                cut: None,
                lines: Vec::new(),
                delivered: Instant::now(),
            }),
            taken: AtomicU32::new(0),
            stop: AtomicBool::new(false),
        });
        let theirs = Arc::clone(&shared);
        thread::Builder::new().name("proxy".into()).spawn(move || {
            for client in listener.incoming() {
                if theirs.stop.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(client) = client else { continue };
                theirs.taken.fetch_add(1, Ordering::Relaxed);
                // A connection that can't be carried is as good as one that was refused.
                let _ = theirs.carry(client);
            }
        })?;
        Ok(Self { port, shared })
    }

    /// Where a client finds its server.
    pub fn endpoint(&self) -> String {
        format!("ws://127.0.0.1:{}/xmpp-websocket", self.port)
    }

    /// How many connections were taken.
    pub fn taken(&self) -> u32 {
        self.shared.taken.load(Ordering::Relaxed)
    }

    /// How long ago the client was last given something.
    pub fn silence(&self) -> Duration {
        self.shared.conduct().delivered.elapsed()
    }

    /// Something fails, until it is mended if it lasts.
    pub fn fail(&self, fault: Fault) {
        let mut conduct = self.shared.conduct();
        let lines = |conduct: &Conduct, fate| {
            for line in &conduct.lines {
                line.meet(fate);
            }
        };
        match fault {
            Fault::Drop => (conduct.held_up, conduct.held_down) = (true, true),
            Fault::DropOneWay(Way::Up) => conduct.held_up = true,
            Fault::DropOneWay(Way::Down) => conduct.held_down = true,
            Fault::Delay(length) => conduct.late = length,
            Fault::Refuse => {
                conduct.refuses = true;
                lines(&conduct, Fate::Reset);
            }
            Fault::Cut(way, after) => conduct.cut = Some((way, after)),
            Fault::Reset => lines(&conduct, Fate::Reset),
            Fault::ForgetClient => lines(&conduct, Fate::ClientForgotten),
            Fault::ForgetServer => lines(&conduct, Fate::ServerForgotten),
            Fault::Silence { up, down } => {
                for line in &conduct.lines {
                    for (way, is_lost) in [(Way::Up, up), (Way::Down, down)] {
                        line.silent(way).fetch_or(is_lost, Ordering::Relaxed);
                    }
                }
            }
        }
    }

    /// Nothing fails any more; what has been lost stays lost.
    pub fn mend(&self) {
        let mut conduct = self.shared.conduct();
        (conduct.held_up, conduct.held_down, conduct.refuses) = (false, false, false);
        conduct.late = Duration::ZERO;
        conduct.cut = None;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for line in &self.shared.conduct().lines {
            line.meet(Fate::Reset);
        }
        // Wakes the listener, which then ends.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Line {
    fn fate(&self) -> Fate {
        *self.fate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn silent(&self, way: Way) -> &AtomicBool {
        let [up, down] = &self.silent;
        match way {
            Way::Up => up,
            Way::Down => down,
        }
    }

    /// The first fate that ends both sides is final.
    fn meet(&self, fate: Fate) {
        let mut now = self.fate.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*now, Fate::Closed | Fate::Reset) {
            *now = fate;
        }
    }
}

impl Shared {
    fn conduct(&self) -> MutexGuard<'_, Conduct> {
        self.conduct.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry(self: &Arc<Self>, client: TcpStream) -> Result<()> {
        // Without lingering, the end of the last handle is a reset; where an end in good order is meant, `shutdown` says so.
        SockRef::from(&client).set_linger(Some(Duration::ZERO))?;
        if self.conduct().refuses {
            return Ok(());
        }
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server))?;
        SockRef::from(&server).set_linger(Some(Duration::ZERO))?;
        for stream in [&client, &server] {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(TICK))?;
        }
        let line = Arc::new(Line {
            fate: Mutex::new(Fate::Open),
            silent: Default::default(),
        });
        let mut conduct = self.conduct();
        conduct
            .lines
            .retain(|line| !matches!(line.fate(), Fate::Closed | Fate::Reset));
        conduct.lines.push(Arc::clone(&line));
        drop(conduct);
        for (way, from, to) in [
            (Way::Up, client.try_clone()?, server.try_clone()?),
            (Way::Down, server, client),
        ] {
            let pump = Pump {
                shared: Arc::clone(self),
                line: Arc::clone(&line),
                way,
            };
            thread::Builder::new()
                .name(format!("proxy-{way:?}"))
                .spawn(move || pump.run(from, to))?;
        }
        Ok(())
    }
}

/// One way of a connection.
struct Pump {
    shared: Arc<Shared>,
    line: Arc<Line>,
    way: Way,
}

impl Pump {
    fn run(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut bytes = [0; 16 * 1024];
        loop {
            match self.line.fate() {
                Fate::Open => {}
                Fate::Closed => {
                    // Whichever thread is first; the other's attempt fails, which is as good.
                    let _ = from.shutdown(Shutdown::Both);
                    let _ = to.shutdown(Shutdown::Both);
                    return;
                }
                Fate::Reset => return,
                Fate::ClientForgotten => return self.forget(from, to, Way::Up),
                Fate::ServerForgotten => return self.forget(from, to, Way::Down),
            }
            let read = from.read(&mut bytes);
            match read {
                Err(error) if is_timeout(&error) => {}
                // An end is lost like anything else; there is nothing more to read.
                Ok(0) | Err(_) if self.is_silent() => thread::sleep(TICK),
                Ok(length) => self.pass(bytes.get(..length).unwrap_or_default(), &mut to),
                Err(_) => self.line.meet(Fate::Reset),
            }
        }
    }

    fn is_silent(&self) -> bool {
        self.line.silent(self.way).load(Ordering::Relaxed)
    }

    /// Passes bytes on when they may go; none at all is the end.
    fn pass(&self, bytes: &[u8], to: &mut TcpStream) {
        while self.is_held() && self.line.fate() == Fate::Open {
            thread::sleep(TICK);
        }
        let late = self.shared.conduct().late;
        if !late.is_zero() {
            thread::sleep(late);
        }
        // Whatever became of the connection meanwhile, or while these bytes were read.
        if self.line.fate() != Fate::Open || self.is_silent() {
            return;
        }
        if bytes.is_empty() {
            return self.line.meet(Fate::Closed);
        }
        let allowed = self.allowed(bytes.len());
        if to.write_all(bytes.get(..allowed).unwrap_or(bytes)).is_err() {
            return self.line.meet(Fate::Reset);
        }
        if self.way == Way::Down && allowed > 0 {
            self.shared.conduct().delivered = Instant::now();
        }
        if allowed < bytes.len() {
            self.line.meet(Fate::Closed);
        }
    }

    fn is_held(&self) -> bool {
        let conduct = self.shared.conduct();
        match self.way {
            Way::Up => conduct.held_up,
            Way::Down => conduct.held_down,
        }
    }

    /// How many of so many bytes may go before the connection is cut.
    fn allowed(&self, length: usize) -> usize {
        let mut conduct = self.shared.conduct();
        match conduct.cut {
            Some((way, after)) if way == self.way => {
                conduct.cut = (after >= length).then(|| (way, after - length));
                after.min(length)
            }
            _ => length,
        }
    }

    /// One side has gone; the thread that reads from the other one swallows what comes until that ends, too.
    fn forget(&self, mut from: TcpStream, to: TcpStream, swallowed: Way) {
        if self.way != swallowed {
            return;
        }
        drop(to);
        let mut bytes = [0; 4096];
        while !matches!(self.line.fate(), Fate::Closed | Fate::Reset) {
            match from.read(&mut bytes) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if is_timeout(&error) => {}
                Err(_) => return,
            }
        }
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that echoes, the proxy before it, and a client that is connected.
    fn scene() -> (Proxy, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut from, mut to) = stream.map(|it| (it.try_clone().unwrap(), it)).unwrap();
                thread::spawn(move || std::io::copy(&mut from, &mut to));
            }
        });
        let proxy = Proxy::start(port).unwrap();
        let client = connect(&proxy);
        (proxy, client)
    }

    fn connect(proxy: &Proxy) -> TcpStream {
        let client = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port)).unwrap();
        client.set_read_timeout(Some(Duration::from_millis(700))).unwrap();
        client
    }

    /// What comes back for these bytes.
    fn echo(client: &mut TcpStream, text: &str) -> std::io::Result<String> {
        client.write_all(text.as_bytes())?;
        hear(client)
    }

    fn hear(client: &mut TcpStream) -> std::io::Result<String> {
        let mut bytes = [0; 64];
        let length = client.read(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes[..length]).into_owned())
    }

    #[test]
    fn what_is_dropped_arrives_when_the_drop_is_over() {
        for fault in [
            Fault::Drop,
            Fault::DropOneWay(Way::Up),
            Fault::DropOneWay(Way::Down),
        ] {
            let (proxy, mut client) = scene();
            assert_eq!(echo(&mut client, "one").unwrap(), "one");
            proxy.fail(fault);
            assert!(is_timeout(&echo(&mut client, "two").unwrap_err()), "{fault:?}");
            proxy.mend();
            assert_eq!(hear(&mut client).unwrap(), "two");
        }
    }

    #[test]
    fn a_delay_delays() {
        let (proxy, mut client) = scene();
        proxy.fail(Fault::Delay(Duration::from_millis(150)));
        let start = Instant::now();
        assert_eq!(echo(&mut client, "one").unwrap(), "one");
        assert!(start.elapsed() >= Duration::from_millis(300));
    }

    #[test]
    fn a_cut_lets_so_many_bytes_through_and_then_ends_the_connection() {
        let (proxy, mut client) = scene();
        proxy.fail(Fault::Cut(Way::Down, 5));
        assert_eq!(echo(&mut client, "one").unwrap(), "one");
        assert_eq!(echo(&mut client, "two").unwrap(), "tw");
        assert_eq!(hear(&mut client).unwrap(), "");
    }

    #[test]
    fn a_reset_and_a_refusal_are_errors_and_the_next_connection_is_whole() {
        let (proxy, mut client) = scene();
        assert_eq!(echo(&mut client, "one").unwrap(), "one");
        proxy.fail(Fault::Reset);
        assert_eq!(hear(&mut client).unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(echo(&mut connect(&proxy), "two").unwrap(), "two");
        proxy.fail(Fault::Refuse);
        assert!(echo(&mut connect(&proxy), "three").is_err());
        proxy.mend();
        assert_eq!(echo(&mut connect(&proxy), "four").unwrap(), "four");
    }

    #[test]
    fn a_client_that_was_forgotten_hears_nothing_any_more_and_no_end() {
        let (proxy, mut client) = scene();
        assert_eq!(echo(&mut client, "one").unwrap(), "one");
        proxy.fail(Fault::ForgetClient);
        assert!(is_timeout(&echo(&mut client, "two").unwrap_err()));
        proxy.mend();
        assert!(is_timeout(&echo(&mut client, "three").unwrap_err()));
        assert_eq!(echo(&mut connect(&proxy), "four").unwrap(), "four");
    }

    #[test]
    fn a_connection_that_has_fallen_silent_stays_so_and_a_new_one_is_whole() {
        for (up, down) in [(true, true), (true, false), (false, true)] {
            let (proxy, mut client) = scene();
            assert_eq!(echo(&mut client, "one").unwrap(), "one");
            proxy.fail(Fault::Silence { up, down });
            assert!(is_timeout(&echo(&mut client, "two").unwrap_err()), "{up} {down}");
            proxy.mend();
            assert!(
                is_timeout(&echo(&mut client, "three").unwrap_err()),
                "{up} {down}"
            );
            assert_eq!(echo(&mut connect(&proxy), "four").unwrap(), "four");
        }
    }

    #[test]
    fn of_a_client_that_ends_in_silence_the_server_does_not_hear() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = Proxy::start(listener.local_addr().unwrap().port()).unwrap();
        let mut client = connect(&proxy);
        let mut server = listener.accept().unwrap().0;
        server.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        client.write_all(b"one").unwrap();
        assert_eq!(hear(&mut server).unwrap(), "one");
        proxy.fail(Fault::Silence {
            up: true,
            down: false,
        });
        drop(client);
        assert!(is_timeout(&hear(&mut server).unwrap_err()));
        proxy.fail(Fault::ForgetClient);
        // An end or a reset, whichever the system makes of it.
        match hear(&mut server) {
            Ok(end) => assert_eq!(end, ""),
            Err(error) => assert!(!is_timeout(&error), "{error}"),
        }
    }

    #[test]
    fn a_server_that_was_forgotten_keeps_its_side_while_the_client_is_reset() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = Proxy::start(listener.local_addr().unwrap().port()).unwrap();
        let mut client = connect(&proxy);
        let mut server = listener.accept().unwrap().0;
        server.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        client.write_all(b"one").unwrap();
        assert_eq!(hear(&mut server).unwrap(), "one");
        proxy.fail(Fault::ForgetServer);
        assert_eq!(hear(&mut client).unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert!(is_timeout(&hear(&mut server).unwrap_err()));
        server.write_all(b"two").unwrap();
        assert!(is_timeout(&hear(&mut server).unwrap_err()));
    }
}
