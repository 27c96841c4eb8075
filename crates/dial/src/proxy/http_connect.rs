//! Asking an HTTP proxy for a tunnel (RFC 9110 section 9.3.6).
//!
//! User and password go along unasked (RFC 7617) where they are known: asked for, they would cost a round trip, and
//! most proxies close the connection with their question.

use super::Login;
use crate::endpoint::Host;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dormouse_model::{ProxyAnswer, ProxyProblem};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

/// How every answer begins that we understand.
const BEGINNING: &[u8] = b"HTTP/1.";
/// The largest head of an answer that is read, in bytes.
const LARGEST_HEAD: usize = 16 * 1024;

/// Asks, and returns when the stream leads to the server.
pub(super) async fn ask(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    host: &Host,
    port: u16,
    login: Option<&Login>,
) -> Result<(), ProxyProblem> {
    let request = request(host, port, login);
    let sent = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await
    };
    sent.await.map_err(|_| ProxyProblem::NotAProxy)?;
    let status = status(&head(stream).await.ok_or(ProxyProblem::NotAProxy)?);
    let answer = ProxyAnswer::Http(status.ok_or(ProxyProblem::NotAProxy)?);
    match answer {
        ProxyAnswer::Http(200..=299) => Ok(()),
        // 401 is an origin server's, and tinyproxy's word for a login that it does not take.
        ProxyAnswer::Http(401 | 407) if login.is_some() => Err(ProxyProblem::WrongPassword),
        ProxyAnswer::Http(407) => Err(ProxyProblem::WantsPassword),
        // What a web server says who is asked for a tunnel (RFC 9110 sections 15.5.1, 15.5.5, 15.5.6, 15.6.2).
        ProxyAnswer::Http(400 | 404 | 405 | 501) => Err(ProxyProblem::NotAProxy),
        ProxyAnswer::Http(500..) => Err(ProxyProblem::CannotReach(answer)),
        _ => Err(ProxyProblem::Refused(answer)),
    }
}

fn request(host: &Host, port: u16, login: Option<&Login>) -> Zeroizing<String> {
    let to = format!("{}:{port}", host.in_url());
    let mut request = Zeroizing::new(format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n"));
    if let Some(Login { user, password }) = login {
        let pair = Zeroizing::new(format!("{user}:{}", password.as_str()));
        request.push_str("Proxy-Authorization: Basic ");
        request.push_str(&Zeroizing::new(STANDARD.encode(pair.as_bytes())));
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    request
}

/// The head of the answer, to its empty line. None: there is none, or the proxy talks on, which belongs to nobody yet: the
/// server says nothing before it has been greeted.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    loop {
        if stream.read_buf(&mut head).await.ok()? == 0 || head.len() > LARGEST_HEAD {
            return None;
        }
        // Whoever speaks something else may wait for an answer.
        if !head
            .iter()
            .zip(BEGINNING)
            .all(|(said, expected)| said == expected)
        {
            return None;
        }
        let end = head.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        match end.map(|at| at + 4) {
            // With a body, as refusals have it.
            Some(end) if end < head.len() => {
                head.truncate(end);
                let tunnel = status(&head).is_some_and(|status| (200..300).contains(&status));
                return (!tunnel).then_some(head);
            }
            Some(_) => return Some(head),
            None => {}
        }
    }
}

/// The status of an answer of HTTP 1 (RFC 9112 section 4).
fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?;
    let status = line.split(' ').nth(1)?;
    (status.len() == 3).then(|| status.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_names_the_server_and_says_who_asks() {
        let said =
            |host: &str, login: Option<&Login>| request(&Host::parse(host).unwrap(), 443, login).to_string();
        assert_eq!(
            said("bücher.example", None),
            "CONNECT xn--bcher-kva.example:443 HTTP/1.1\r\nHost: xn--bcher-kva.example:443\r\n\r\n"
        );
        // The example of RFC 7617 section 2.
        let login = Login::new("Aladdin", "open sesame");
        assert!(
            said("[2001:db8::1]", Some(&login)).starts_with("CONNECT [2001:db8::1]:443 HTTP/1.1\r\n")
                && said("x.example", Some(&login))
                    .contains("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n")
        );
    }

    async fn answered(answer: &[u8], login: Option<&Login>) -> Result<(), ProxyProblem> {
        let (mut ours, mut theirs) = tokio::io::duplex(64 * 1024);
        theirs.write_all(answer).await.unwrap();
        theirs.shutdown().await.unwrap();
        ask(&mut ours, &Host::parse("x.example").unwrap(), 443, login).await
    }

    #[tokio::test]
    async fn each_answer_has_its_meaning() {
        use ProxyProblem::*;
        let login = Login::new("me", "secret");
        for (answer, meaning) in [
            ("HTTP/1.0 200 Connection established\r\n\r\n", Ok(())),
            ("HTTP/1.1 204\r\nContent-Length: 5\r\nX: \u{e4}\r\n\r\n", Ok(())),
            (
                "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
                Err(WantsPassword),
            ),
            (
                "HTTP/1.1 403 Filtered\r\n\r\n<html>no</html>",
                Err(Refused(ProxyAnswer::Http(403))),
            ),
            (
                "HTTP/1.1 302 Found\r\nLocation: https://portal.example/\r\n\r\n",
                Err(Refused(ProxyAnswer::Http(302))),
            ),
            (
                "HTTP/1.1 502 Bad Gateway\r\n\r\n",
                Err(CannotReach(ProxyAnswer::Http(502))),
            ),
            ("HTTP/1.1 405 Method Not Allowed\r\n\r\n", Err(NotAProxy)),
            // Somebody who speaks in the server's place.
            ("HTTP/1.1 200 OK\r\n\r\n\u{15}\u{3}\u{3}", Err(NotAProxy)),
            ("HTTP/1.1 2000 OK\r\n\r\n", Err(NotAProxy)),
            ("HTTP/2 200\r\n\r\n", Err(NotAProxy)),
            ("\u{5}\u{0}", Err(NotAProxy)),
            ("HTTP/1.1 200 OK\r\n", Err(NotAProxy)),
            ("", Err(NotAProxy)),
        ] {
            assert_eq!(answered(answer.as_bytes(), None).await, meaning, "{answer}");
        }
        let refused = answered(b"HTTP/1.1 407 No\r\n\r\n", Some(&login)).await;
        assert_eq!(refused, Err(WrongPassword));
    }

    #[tokio::test]
    async fn a_head_without_end_is_given_up() {
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(40_000));
        assert_eq!(
            answered(endless.as_bytes(), None).await,
            Err(ProxyProblem::NotAProxy)
        );
    }
}
