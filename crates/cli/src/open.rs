//! Opening an account: arguments, log, engine.

use crate::{password, proxy};
use anyhow::{Context, Result};
use clap::Args;
use dormouse_engine::crash::Crashes;
use dormouse_engine::model::BareJid;
use dormouse_engine::{Engine, Folder, Settings, logging};
use dormouse_metrics::{Listener, Loopback, Metrics};
use std::io::{self, Write};
use std::path::PathBuf;

/// Which account, and where.
#[derive(Args, Clone)]
pub struct Place {
    /// Your address, such as you@example.org.
    pub address: BareJid,
    /// Where this account keeps its cache, journal and log.
    #[arg(long)]
    pub data_dir: Option<PathBuf>,
    /// The WebSocket endpoint, if it can't be found by itself: wss://…, or ws://… on this computer.
    #[arg(long)]
    pub endpoint: Option<String>,
    /// The proxy: the system's, none, or this one, http://host:port or socks5://host:port.
    #[arg(long, value_name = "system|none|URL", default_value = "system")]
    pub proxy: String,
    /// Don't listen to the system's sleep and network.
    #[arg(long)]
    pub no_wake: bool,
    /// Give out metrics (OpenMetrics) at http://ADDRESS/metrics, on this computer only: 127.0.0.1:9464, say.
    #[arg(long, value_name = "ADDRESS")]
    pub metrics: Option<Loopback>,
}

/// What the program calls itself in reports.
pub const PROGRAM: &str = concat!(env!("CARGO_BIN_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// A running account and its log.
pub struct Open {
    /// The engine.
    pub engine: Engine,
    /// Who gives out the metrics, if somebody asked for them.
    pub metrics: Option<Listener>,
    /// What writes the log, for as long as it lives.
    pub _log: Box<dyn Send>,
}

impl Place {
    /// What there is to know before anything runs, password included.
    pub async fn settings(self) -> Result<Settings> {
        let folder = match self.data_dir {
            Some(dir) => Folder::at(dir),
            None => Folder::of(&self.address)
                .context("This system names no place for application data; give one with --data-dir")?,
        };
        let password = password::find(&self.address).await?;
        let proxy_login = proxy::login(&self.address, &self.proxy, password.from_keyring).await?;
        Ok(Settings {
            address: self.address,
            password: Some(password.secret),
            keyring: password.from_keyring,
            folder,
            endpoint: self.endpoint,
            proxy: Some(self.proxy),
            proxy_login,
            watch_system: !self.no_wake,
        })
    }

    /// Starts the log, the metrics that are asked for, and the engine.
    pub async fn open(self) -> Result<Open> {
        let metrics = self.metrics;
        Open::of(self.settings().await?, metrics).await
    }
}

impl Open {
    /// Starts the log, the metrics that are asked for, and the engine.
    pub async fn of(settings: Settings, metrics_at: Option<Loopback>) -> Result<Self> {
        let place = settings.folder.log();
        let log = logging::start(&place)
            .with_context(|| format!("The log can't be written in {}", place.display()))?;
        watch(&settings.folder.crashes());
        let metrics = Metrics::new(env!("CARGO_PKG_VERSION"));
        let listener = match metrics_at {
            Some(at) => Some(Listener::start(metrics.clone(), at).await?),
            None => None,
        };
        let engine = match &listener {
            Some(_) => Engine::start_observed(settings, metrics.account())?,
            None => Engine::start(settings)?,
        };
        Ok(Self {
            engine,
            metrics: listener,
            _log: Box::new(log),
        })
    }
}

/// A crash leaves a report from now on; of earlier ones it is said where they are.
fn watch(crashes: &Crashes) {
    crashes.watch(PROGRAM.to_owned());
    if crashes.all().is_ok_and(|all| !all.is_empty()) {
        // A terminal that takes nothing keeps nobody from chatting.
        let _ = writeln!(
            io::stderr(),
            "The program crashed at an earlier time. What is known of it is in {} and was sent nowhere; delete it once you have read it.",
            crashes.folder().display()
        );
    }
}
