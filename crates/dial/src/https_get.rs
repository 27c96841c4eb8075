//! One small document over HTTPS.
//!
//! hyper's HTTP/1 connection over our own sockets: the same names, race, trust store and deadlines as for the
//! WebSocket itself, where a whole client (reqwest, ureq) would bring its own of each.

use crate::endpoint::{BadEndpoint, Host, Parts, split};
use crate::names;
use crate::proxy::chooser::Chooser;
use crate::settings::Settings;
use crate::tcp;
use crate::tls::Tls;
use dormouse_model::DialFailure;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, HOST, LOCATION, RETRY_AFTER, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::task::JoinSet;

const REDIRECTS: usize = 3;
const LARGEST_BODY: usize = 64 * 1024;

/// What came back.
#[derive(Debug)]
pub(crate) enum Answer {
    Body(Bytes),
    /// Any status but 200, after redirects.
    Status(u16, Option<Duration>),
    /// Redirected to what may not be followed, redirected too often, or too large; in words.
    Unusable(String),
}

/// Fetches a document. The caller sets the deadline.
pub(crate) async fn get(
    settings: &Settings,
    proxies: &Chooser,
    tls: &Tls,
    from: Parts,
    accept: &str,
) -> Result<Answer, DialFailure> {
    let mut from = from;
    for _ in 0..=REDIRECTS {
        match once(settings, proxies, tls, &from, accept).await? {
            Step::Done(answer) => return Ok(answer),
            Step::Redirect(to) => match target(&from, &to) {
                Ok(next) => from = next,
                Err(_) => return Ok(Answer::Unusable("it was redirected away from https".into())),
            },
        }
    }
    Ok(Answer::Unusable("it was redirected too often".into()))
}

/// Another place of the same host, or another https URL.
fn target(from: &Parts, location: &str) -> Result<Parts, BadEndpoint> {
    if location.starts_with('/') && !location.starts_with("//") {
        let path = location.split('#').next().unwrap_or_default().to_owned();
        return Ok(Parts { path, ..from.clone() });
    }
    split(location, &[("https", 443, true)])
}

enum Step {
    Done(Answer),
    Redirect(String),
}

async fn once(
    settings: &Settings,
    proxies: &Chooser,
    tls: &Tls,
    from: &Parts,
    accept: &str,
) -> Result<Step, DialFailure> {
    let broken = |error: hyper::Error| DialFailure::Broken(format!("the request failed: {error}"));
    let stream = match proxies.choose(&from.host, from.port).await? {
        Some(proxy) => proxy.connect(settings, &from.host, from.port).await?,
        None => {
            let addresses = names::resolve(settings, &from.host, from.port).await?;
            tcp::race(&addresses, std::future::ready(Vec::new()), settings.stagger).await?
        }
    };
    let stream = tls.handshake(&from.host, stream).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Ends with this function, however it ends.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let path: Uri = from
        .path
        .parse()
        .map_err(|_| DialFailure::BadEndpoint("its path is not one".into()))?;
    let request = Request::get(path)
        .header(HOST, authority(&from.host, from.port))
        .header(ACCEPT, accept)
        .header(USER_AGENT, "Dormouse")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| DialFailure::BadEndpoint(error.to_string()))?;
    let response = sender.send_request(request).await.map_err(broken)?;
    let status = response.status();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
        && let Some(location) = header(LOCATION)
    {
        return Ok(Step::Redirect(location.to_owned()));
    }
    if status != 200 {
        let retry_after = header(RETRY_AFTER).and_then(crate::web_socket::retry_after);
        return Ok(Step::Done(Answer::Status(status.as_u16(), retry_after)));
    }
    match Limited::new(response.into_body(), LARGEST_BODY).collect().await {
        Ok(body) => Ok(Step::Done(Answer::Body(body.to_bytes()))),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Ok(Step::Done(Answer::Unusable("it is too large".into())))
        }
        Err(error) => Err(DialFailure::Broken(format!("the answer broke off: {error}"))),
    }
}

fn authority(host: &Host, port: u16) -> String {
    match port {
        443 => host.in_url(),
        port => format!("{}:{port}", host.in_url()),
    }
}
