//! Asking a SOCKS5 proxy for a connection (RFC 1928), with user and password where it wants them (RFC 1929).

use super::Login;
use crate::endpoint::Host;
use dormouse_model::{ProxyAnswer, ProxyProblem};
use std::net::IpAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use zeroize::Zeroizing;

const VERSION: u8 = 5;
/// The version of the negotiation of user and password (RFC 1929 section 2).
const LOGIN_VERSION: u8 = 1;
const CONNECT: u8 = 1;

/// How long a proxy may think about who we are. An HTTP proxy waits for the end of a line that never comes.
const GREETING: Duration = Duration::from_secs(5);

/// Methods (RFC 1928 section 3).
const NO_LOGIN: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NONE_OF_THESE: u8 = 0xff;

/// Kinds of address (RFC 1928 section 4).
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Asks, and returns when the stream leads to the server. A name is for the proxy to look up.
pub(super) async fn ask(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    host: &Host,
    port: u16,
    login: Option<&Login>,
) -> Result<(), ProxyProblem> {
    let offer: &[u8] = match login {
        Some(_) => &[VERSION, 2, NO_LOGIN, USER_AND_PASSWORD],
        None => &[VERSION, 1, NO_LOGIN],
    };
    say(stream, offer).await?;
    let answer = timeout(GREETING, hear(stream)).await;
    let [version, method] = answer.unwrap_or(Err(ProxyProblem::NotAProxy))?;
    match (version, method, login) {
        (VERSION, NO_LOGIN, _) => {}
        (VERSION, USER_AND_PASSWORD, Some(login)) => sign_in(stream, login).await?,
        (VERSION, NONE_OF_THESE, None) => return Err(ProxyProblem::WantsPassword),
        (VERSION, NONE_OF_THESE, Some(_)) => {
            return Err(ProxyProblem::Refused(ProxyAnswer::Socks(NONE_OF_THESE)));
        }
        _ => return Err(ProxyProblem::NotAProxy),
    }
    say(stream, &request(host, port).ok_or(ProxyProblem::Unusable)?).await?;
    let [version, reply] = hear(stream).await?;
    let answer = ProxyAnswer::Socks(reply);
    match (version, reply) {
        (VERSION, 0) => {}
        // Not allowed by its rules; a command or kind of address that it does not have.
        (VERSION, 2 | 7 | 8) => return Err(ProxyProblem::Refused(answer)),
        (VERSION, _) => return Err(ProxyProblem::CannotReach(answer)),
        _ => return Err(ProxyProblem::NotAProxy),
    }
    // The address it goes out from, which is of no interest and has to be read.
    let [_, kind] = hear(stream).await?;
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(hear::<1>(stream).await?[0]),
        _ => return Err(ProxyProblem::NotAProxy),
    };
    let mut rest = vec![0; length + 2];
    let read = stream.read_exact(&mut rest).await;
    read.map(|_| ()).map_err(|_| ProxyProblem::NotAProxy)
}

async fn sign_in(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    login: &Login,
) -> Result<(), ProxyProblem> {
    let mut words = Zeroizing::new(vec![LOGIN_VERSION]);
    for text in [login.user.as_str(), login.password.as_str()] {
        // What is too long for the protocol is not what the proxy expects.
        words.push(u8::try_from(text.len()).map_err(|_| ProxyProblem::WrongPassword)?);
        words.extend_from_slice(text.as_bytes());
    }
    say(stream, &words).await?;
    match hear(stream).await? {
        [_, 0] => Ok(()),
        _ => Err(ProxyProblem::WrongPassword),
    }
}

fn request(host: &Host, port: u16) -> Option<Vec<u8>> {
    let mut request = vec![VERSION, CONNECT, 0];
    match host {
        Host::Name(name) => {
            request.extend([NAME, u8::try_from(name.len()).ok()?]);
            request.extend_from_slice(name.as_bytes());
        }
        Host::Address(IpAddr::V4(address)) => {
            request.push(IPV4);
            request.extend(address.octets());
        }
        Host::Address(IpAddr::V6(address)) => {
            request.push(IPV6);
            request.extend(address.octets());
        }
    }
    request.extend(port.to_be_bytes());
    Some(request)
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), ProxyProblem> {
    let said = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    said.await.map_err(|_| ProxyProblem::NotAProxy)
}

async fn hear<const N: usize>(stream: &mut (impl AsyncRead + Unpin)) -> Result<[u8; N], ProxyProblem> {
    let mut bytes = [0; N];
    match stream.read_exact(&mut bytes).await {
        Ok(_) => Ok(bytes),
        Err(_) => Err(ProxyProblem::NotAProxy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of these answers, and what was said to them.
    async fn asked(
        host: &str,
        login: Option<&Login>,
        answers: &[&[u8]],
    ) -> (Result<(), ProxyProblem>, Vec<u8>) {
        let (mut ours, mut theirs) = tokio::io::duplex(1024);
        theirs.write_all(&answers.concat()).await.unwrap();
        theirs.shutdown().await.unwrap();
        let outcome = ask(&mut ours, &Host::parse(host).unwrap(), 443, login).await;
        drop(ours);
        let mut said = Vec::new();
        theirs.read_to_end(&mut said).await.unwrap();
        (outcome, said)
    }

    const WELCOME: &[u8] = &[5, 0];
    const DONE: &[u8] = &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

    #[tokio::test]
    async fn a_name_is_handed_over_as_a_name_and_an_address_as_one() {
        let (outcome, said) = asked("x.example", None, &[WELCOME, DONE]).await;
        assert_eq!(outcome, Ok(()));
        assert_eq!(said, b"\x05\x01\x00\x05\x01\x00\x03\x09x.example\x01\xbb");
        let (outcome, said) = asked("192.0.2.7", None, &[WELCOME, b"\x05\x00\x00\x03\x01a\x00\x00"]).await;
        assert_eq!(outcome, Ok(()));
        assert_eq!(said, b"\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x07\x01\xbb");
        let six = [&[5, 0, 0, 4][..], &[0; 18]].concat();
        let (outcome, said) = asked("[2001:db8::1]", None, &[WELCOME, &six]).await;
        assert_eq!(outcome, Ok(()));
        assert_eq!(said.len(), 3 + 4 + 16 + 2);
    }

    #[tokio::test]
    async fn user_and_password_are_said_only_where_they_are_wanted() {
        let login = Login::new("me", "secret");
        let (outcome, said) = asked("x.example", Some(&login), &[WELCOME, DONE]).await;
        assert_eq!(outcome, Ok(()));
        assert!(!said.windows(6).any(|bytes| bytes == b"secret"));
        let (outcome, said) = asked("x.example", Some(&login), &[&[5, 2], &[1, 0], DONE]).await;
        assert_eq!(outcome, Ok(()));
        assert!(said.starts_with(b"\x05\x02\x00\x02\x01\x02me\x06secret\x05\x01"));
        let (outcome, _) = asked("x.example", Some(&login), &[&[5, 2], &[1, 1]]).await;
        assert_eq!(outcome, Err(ProxyProblem::WrongPassword));
        let (outcome, said) = asked("x.example", Some(&Login::new("me", "x".repeat(300))), &[&[5, 2]]).await;
        assert_eq!(outcome, Err(ProxyProblem::WrongPassword));
        assert_eq!(said.len(), 4);
    }

    #[tokio::test]
    async fn each_answer_has_its_meaning() {
        use ProxyProblem::*;
        let replied = |reply: u8| [5, reply, 0, 1, 0, 0, 0, 0, 0, 0];
        for (reply, meaning) in [
            (1, CannotReach(ProxyAnswer::Socks(1))),
            (2, Refused(ProxyAnswer::Socks(2))),
            (3, CannotReach(ProxyAnswer::Socks(3))),
            (4, CannotReach(ProxyAnswer::Socks(4))),
            (5, CannotReach(ProxyAnswer::Socks(5))),
            (6, CannotReach(ProxyAnswer::Socks(6))),
            (7, Refused(ProxyAnswer::Socks(7))),
            (8, Refused(ProxyAnswer::Socks(8))),
            // Tor's own: no such onion service.
            (0xf0, CannotReach(ProxyAnswer::Socks(0xf0))),
        ] {
            let (outcome, _) = asked("x.example", None, &[WELCOME, &replied(reply)]).await;
            assert_eq!(outcome, Err(meaning));
        }
        for (answers, meaning) in [
            (&[&[5, 0xff][..]][..], WantsPassword),
            (&[&[5, 2]], NotAProxy),
            (&[&[4, 0]], NotAProxy),
            (&[b"HTTP/1.1 400 Bad Request\r\n\r\n"], NotAProxy),
            (&[&[5]], NotAProxy),
            (&[], NotAProxy),
            (&[WELCOME], NotAProxy),
            (&[WELCOME, &[5, 0, 0, 9]], NotAProxy),
            (&[WELCOME, &[5, 0, 0, 1, 0]], NotAProxy),
        ] {
            let (outcome, _) = asked("x.example", None, answers).await;
            assert_eq!(outcome, Err(meaning), "{answers:?}");
        }
    }
}
