//! `dormouse-cli`: the engine without a window. See `docs/cli.md`.

mod chat;
mod command;
mod event;
mod login;
mod open;
mod password;
mod proxy;
mod run;
mod swarm;
mod test;
mod words;

use clap::{Parser, Subcommand};
use dormouse_engine::model::BareJid;
use open::Place;
use std::process::ExitCode;

/// A chat client that never loses a message to sleep, in a terminal.
#[derive(Parser)]
#[command(name = "dormouse-cli", version, about)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Ask for the password, try it, and keep it in the system's keyring.
    Login {
        /// Your address, such as you@example.org.
        address: BareJid,
        /// The WebSocket endpoint, if it can't be found by itself.
        #[arg(long)]
        endpoint: Option<String>,
        /// The proxy: the system's, none, or this one, http://host:port or socks5://host:port.
        #[arg(long, value_name = "system|none|URL", default_value = "system")]
        proxy: String,
        /// Ask for user and password of the proxy, too, and keep them with the password.
        #[arg(long)]
        proxy_login: bool,
    },
    /// Forget the password kept in the system's keyring.
    Logout {
        /// Your address.
        address: BareJid,
    },
    /// Test the connection step by step, and say what works and what does not.
    Test(test::Wanted),
    /// Chat in this terminal.
    Chat(Place),
    /// Read commands and write events as JSON lines.
    Run {
        #[command(flatten)]
        place: Place,
        /// Write changes as a window gets them: a flood in batches.
        #[arg(long)]
        gathered: bool,
    },
    /// Try a server of your own with many sessions at once.
    Swarm(swarm::Plan),
}

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            words::complain(&format!("The program can't start: {error}."));
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(obey());
    // A read of standard input can't be called off: waited for, it would keep a program that was told to end.
    runtime.shutdown_background();
    code
}

async fn obey() -> ExitCode {
    let done = match Arguments::parse().what {
        What::Login {
            address,
            endpoint,
            proxy,
            proxy_login,
        } => login::login(address, endpoint, proxy, proxy_login).await,
        What::Logout { address } => login::logout(address).await,
        What::Chat(place) => chat::chat(place).await,
        What::Swarm(plan) => swarm::swarm(plan).await,
        What::Test(wanted) => return test::test(wanted).await,
        What::Run { place, gathered } => return run::run(place, gathered).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            words::complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
