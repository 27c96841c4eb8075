//! TLS sessions are resumed where a real server takes them, and nothing is missed where it doesn't.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use dormouse_dial::{Dialler, Inbound};
use futures_util::SinkExt;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;

/// An nginx that ends TLS before a WebSocket server; ended when dropped.
struct Nginx {
    process: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Nginx {
    /// In front of this server, with these lines about TLS sessions.
    async fn start(identity: &Identity, behind: SocketAddr, sessions: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let at = folder.path().display();
        std::fs::write(folder.path().join("identity.pem"), identity.pem()).unwrap();
        let config = format!(
            "daemon off; master_process off; pid {at}/pid; error_log {at}/error.log; events {{ }}\n\
             http {{ log_format reused '$ssl_session_reused'; access_log {at}/reused reused;\n\
             client_body_temp_path {at}/t1; proxy_temp_path {at}/t2; fastcgi_temp_path {at}/t3;\n\
             uwsgi_temp_path {at}/t4; scgi_temp_path {at}/t5;\n\
             server {{ listen 127.0.0.1:{port} ssl;\n\
             ssl_certificate {at}/identity.pem; ssl_certificate_key {at}/identity.pem; {sessions}\n\
             location / {{ proxy_pass http://{behind}; proxy_http_version 1.1;\n\
             proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }} }} }}\n"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, config).unwrap();
        let process = Command::new(nginx())
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx (package nginx-light) can't be started");
        let nginx = Self {
            process,
            folder,
            port,
        };
        let started = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let log = std::fs::read_to_string(nginx.folder.path().join("error.log"));
            assert!(started.elapsed() < Duration::from_secs(20), "{log:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        nginx
    }

    /// Of the connections that have ended: `r` for a resumed session, `.` for another. It waits for so many.
    async fn resumed(&self, connections: usize) -> Vec<String> {
        let started = Instant::now();
        loop {
            let log = std::fs::read_to_string(self.folder.path().join("reused")).unwrap_or_default();
            let lines: Vec<String> = log.lines().map(str::to_owned).collect();
            if lines.len() >= connections {
                return lines;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "{lines:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Debian keeps it where only root's path leads.
fn nginx() -> &'static Path {
    let usual = Path::new("/usr/sbin/nginx");
    if usual.exists() { usual } else { Path::new("nginx") }
}

#[tokio::test]
async fn a_tls_session_is_resumed_where_the_server_takes_it_and_made_anew_where_it_does_not() {
    let authority = Authority::new();
    let behind = serve(|stream| async move {
        let mut socket = upgrade(stream).await;
        socket.send(Message::text("hello")).await.unwrap();
        // nginx writes its line when this side ends.
        tokio::time::sleep(Duration::from_millis(100)).await;
    })
    .await;
    let takes = "ssl_session_cache shared:sessions:1m; ssl_session_tickets on;";
    let refuses = "ssl_session_cache off; ssl_session_tickets off;";
    for (sessions, protocol, expected) in [
        (takes, "TLSv1.3", [".", "r", "r"]),
        (takes, "TLSv1.2", [".", "r", "r"]),
        (refuses, "TLSv1.3", [".", ".", "."]),
    ] {
        let lines = format!("{sessions} ssl_protocols {protocol};");
        let nginx = Nginx::start(&authority.issue("x.example"), behind, &lines).await;
        let dialler = Dialler::new(settings(&authority));
        for number in 1..=expected.len() {
            let url = format!("wss://x.example:{}/ws", nginx.port);
            let connected = dialler.clone().dial(endpoint(url)).await.ok().unwrap();
            assert_eq!(connected.channel.exporter.is_some(), protocol == "TLSv1.3");
            let (mut reader, writer) = connected.socket.split();
            // The server's tickets come before it.
            assert_eq!(reader.next().await, Ok(Inbound::Text("hello".into())));
            drop((reader, writer));
            nginx.resumed(number).await;
        }
        assert_eq!(nginx.resumed(expected.len()).await, expected, "{lines}");
    }
}
