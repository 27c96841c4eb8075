//! nginx in front of WebSocket servers, as an operator has it: it takes turns among them, passes over those that are down,
//! and forgets a connection on which nothing came for 60 s (its own default) or whatever is set.
//!
//! What a client sees: an idle connection ends without a close frame; a server that is down costs a 502 or,
//! where there is another, nothing.

use crate::certificate::Certificate;
use crate::error::{Result, ServerError};
use crate::foreground::Foreground;
use crate::http::accepts_xmpp_websocket;
use crate::place::Place;
use crate::port::Port;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const START_LIMIT: Duration = Duration::from_secs(20);

/// See [`Nginx::builder`].
#[derive(Debug, Default)]
pub struct NginxBuilder {
    servers: Vec<u16>,
    idle: Option<u32>,
    limit: Option<(u32, u32)>,
    certificate: Option<Certificate>,
}

/// An nginx; killed when dropped.
#[derive(Debug)]
pub struct Nginx {
    ws: Port,
    wss: Port,
    // Before the folder: the process must be gone before its files are.
    _running: Foreground,
    folder: TempDir,
}

impl NginxBuilder {
    /// One more server to pass connections to: a port of 127.0.0.1 that speaks ws.
    #[must_use]
    pub fn server(mut self, port: u16) -> Self {
        self.servers.push(port);
        self
    }

    /// Forgets a connection on which nothing came for so many seconds; nginx's own default is 60.
    #[must_use]
    pub fn idle(mut self, seconds: u32) -> Self {
        self.idle = Some(seconds);
        self
    }

    /// Lets no more than so many connections a second in from one address, and so many at once beyond that; the others are told 429
    /// (`limit_req`).
    #[must_use]
    pub fn limit(mut self, a_second: u32, burst: u32) -> Self {
        self.limit = Some((a_second, burst));
        self
    }

    /// Speaks wss too, with this certificate.
    #[must_use]
    pub fn tls(mut self, certificate: &Certificate) -> Self {
        self.certificate = Some(certificate.clone());
        self
    }

    /// Starts it, and waits until a server behind it answers.
    pub fn start(self) -> Result<Nginx> {
        let folder = tempfile::Builder::new()
            .prefix("dormouse-nginx-")
            .tempdir()
            .map_err(ServerError::io("A temporary folder cannot be made"))?;
        let (ws, wss) = (Port::reserve()?, Port::reserve()?);
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, self.text(&folder, ws.number(), wss.number()))
            .map_err(ServerError::io("nginx's configuration cannot be written"))?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file);
        command.arg("-e").arg(folder.path().join("nginx.log"));
        let log = folder.path().join("output.log");
        let mut running = Foreground::spawn("nginx", command, &log, Stdio::null())?;
        running
            .wait_until(START_LIMIT, || {
                accepts_xmpp_websocket(&Place::default(), ws.number(), "localhost")
            })
            .map_err(|error| error.with_log(&log).with_log(&folder.path().join("nginx.log")))?;
        Ok(Nginx {
            ws,
            wss,
            _running: running,
            folder,
        })
    }

    fn text(&self, folder: &TempDir, ws: u16, wss: u16) -> String {
        let inside = |name: &str| folder.path().join(name).display().to_string();
        let mut lines = vec![
            "# Written by dormouse-servers.".to_owned(),
            "daemon off;".to_owned(),
            "worker_processes 1;".to_owned(),
            format!("pid {};", inside("nginx.pid")),
        ];
        // Started as root it would become somebody who may not see its folder.
        if rustix::process::geteuid().is_root() {
            lines.push("user root;".to_owned());
        }
        lines.extend(
            [
                "events { worker_connections 4096; }",
                "http {",
                "  access_log off;",
            ]
            .map(str::to_owned),
        );
        for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
            lines.push(format!("  {kind}_temp_path {};", inside(kind)));
        }
        if let Some((a_second, _)) = self.limit {
            lines.push(format!(
                "  limit_req_zone $binary_remote_addr zone=knocks:1m rate={a_second}r/s;"
            ));
        }
        lines.push("  upstream xmpp {".to_owned());
        lines.extend(
            self.servers
                .iter()
                .map(|port| format!("    server 127.0.0.1:{port};")),
        );
        lines.extend(["  }", "  server {"].map(str::to_owned));
        lines.push(format!("    listen 127.0.0.1:{ws};"));
        if let Some(certificate) = &self.certificate {
            lines.push(format!("    listen 127.0.0.1:{wss} ssl;"));
            lines.push(format!("    ssl_certificate {};", certificate.chain().display()));
            lines.push(format!(
                "    ssl_certificate_key {};",
                certificate.key().display()
            ));
        }
        lines.extend(
            [
                "    location / {",
                "      proxy_pass http://xmpp;",
                "      proxy_http_version 1.1;",
                "      proxy_set_header Host localhost;",
                "      proxy_set_header Upgrade $http_upgrade;",
                "      proxy_set_header Connection upgrade;",
                "      proxy_buffering off;",
            ]
            .map(str::to_owned),
        );
        if let Some((_, burst)) = self.limit {
            lines.push(format!("      limit_req zone=knocks burst={burst} nodelay;"));
            lines.push("      limit_req_status 429;".to_owned());
        }
        if let Some(seconds) = self.idle {
            lines.push(format!("      proxy_read_timeout {seconds}s;"));
            lines.push(format!("      proxy_send_timeout {seconds}s;"));
        }
        lines.push("    }\n  }\n}\n".to_owned());
        lines.join("\n")
    }
}

impl Nginx {
    /// An nginx with no server behind it yet.
    pub fn builder() -> NginxBuilder {
        NginxBuilder::default()
    }

    /// `ws://127.0.0.1:PORT/xmpp-websocket`.
    pub fn ws_endpoint(&self) -> String {
        format!("ws://127.0.0.1:{}/xmpp-websocket", self.ws.number())
    }

    /// `wss://localhost:PORT/xmpp-websocket`; answered only with a certificate.
    pub fn wss_endpoint(&self) -> String {
        format!("wss://localhost:{}/xmpp-websocket", self.wss.number())
    }

    /// The port of ws.
    pub fn ws_port(&self) -> u16 {
        self.ws.number()
    }

    /// The port of wss.
    pub fn wss_port(&self) -> u16 {
        self.wss.number()
    }

    /// Its log file.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("nginx.log")
    }
}
