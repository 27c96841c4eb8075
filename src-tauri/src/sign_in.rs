//! Signing in to a new account: the form is checked, an engine is started in the account's folder, and its
//! first proof is waited for. Only an account that has worked is entered in the list; of one that has not,
//! nothing is left.

use crate::protocol::{Field, Proxy, Refusal};
use crate::wishes;
use crate::words::Words;
use dormouse_engine::model::{BareJid, Cause, Change, ConnectionState, ProxyProblem};
use dormouse_engine::{Engine, Folder, OpenError, Secret, Settings, StartError};
use std::time::{Duration, Instant};
use tracing::warn;

/// How long a server may take to let us in.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a store may still be held by a Dormouse that is just ending: killed, started again, replaced by an update.
/// The processes of its web view hold on to it a moment longer than itself.
const ENDING: Duration = Duration::from_secs(5);
/// How soon a store that was held is tried again.
const AGAIN: Duration = Duration::from_millis(100);
/// The longest password, in bytes.
const LONGEST_PASSWORD: usize = 4 * 1024;
/// The longest endpoint, and the longest address of a proxy, in bytes.
const LONGEST_URL: usize = 2 * 1024;
/// The longest user and the longest password that SOCKS5 can say (RFC 1929), in bytes.
const LONGEST_PROXY_WORD: usize = 255;

/// What the form says, once it has been checked.
#[derive(Debug)]
pub struct Form {
    /// Whose account.
    pub address: BareJid,
    /// Its password.
    pub password: Secret,
    /// Where it connects, if the user said so.
    pub endpoint: Option<String>,
    /// Its proxy, if it is not the system's.
    pub proxy: Option<String>,
    /// Who it is to that proxy.
    pub proxy_login: Option<Secret>,
}

/// A refusal about a field.
pub fn refusal(field: Option<Field>, sentence: String) -> Refusal {
    Refusal { field, sentence }
}

/// Checks the form; what is wrong with the endpoint or the proxy's address, the engine says.
pub fn check(
    address: &str,
    password: &str,
    endpoint: Option<&str>,
    proxy: &Proxy,
    words: &Words,
) -> Result<Form, Refusal> {
    let address = wishes::address(address, words).map_err(|why| refusal(Some(Field::Address), why))?;
    if address.node().is_none() {
        let why = words.plain("refusal-address-without-name");
        return Err(refusal(Some(Field::Address), why));
    }
    let password = check_password(password, words)?;
    let endpoint = endpoint.map(str::trim).filter(|text| !text.is_empty());
    if endpoint.is_some_and(|text| text.len() > LONGEST_URL) {
        return Err(refusal(Some(Field::Endpoint), words.plain("refusal-too-long")));
    }
    let (proxy, proxy_login) = check_proxy(proxy, words)?;
    Ok(Form {
        address,
        password,
        endpoint: endpoint.map(str::to_owned),
        proxy,
        proxy_login,
    })
}

/// The proxy, where it is not the system's, and who the account is to it.
fn check_proxy(proxy: &Proxy, words: &Words) -> Result<(Option<String>, Option<Secret>), Refusal> {
    let address = match proxy.address.trim() {
        "" | "system" => return Ok((None, None)),
        "none" => return Ok((Some("none".into()), None)),
        address => address,
    };
    if address.len() > LONGEST_URL {
        return Err(refusal(Some(Field::Proxy), words.plain("refusal-too-long")));
    }
    let about_user = |key| Err(refusal(Some(Field::ProxyUser), words.plain(key)));
    let (user, password) = (proxy.user.trim(), proxy.password.as_str());
    if user.len() > LONGEST_PROXY_WORD || password.len() > LONGEST_PROXY_WORD {
        return about_user("refusal-too-long");
    }
    if user.contains(':') || (user.is_empty() && !password.is_empty()) {
        return about_user("refusal-proxy-user");
    }
    let login = (!user.is_empty()).then(|| Secret::new(format!("{user}:{password}")));
    Ok((Some(address.to_owned()), login))
}

/// Checks a password as far as that can be done without the server.
pub fn check_password(password: &str, words: &Words) -> Result<Secret, Refusal> {
    let about = |key| refusal(Some(Field::Password), words.plain(key));
    if password.is_empty() {
        Err(about("refusal-password-missing"))
    } else if password.len() > LONGEST_PASSWORD {
        Err(about("refusal-too-long"))
    } else {
        Ok(Secret::new(password))
    }
}

/// Starts an engine with the form's password and waits until it is let in. If it is not, it has ended, and
/// a folder that was not there before is gone.
pub async fn try_account(
    form: &Form,
    folder: &Folder,
    watch_system: bool,
    words: &Words,
) -> Result<Engine, Refusal> {
    let is_new = !folder.path().exists();
    let settings = Settings {
        address: form.address.clone(),
        password: Some(form.password.clone()),
        // Whoever signs in by the form has the password kept, if there is a keyring.
        keyring: true,
        folder: folder.clone(),
        endpoint: form.endpoint.clone(),
        proxy: form.proxy.clone(),
        proxy_login: form.proxy_login.clone(),
        watch_system,
    };
    let refused = match start(settings).await {
        Ok(engine) => match tokio::time::timeout(PATIENCE, proof(&engine)).await {
            Ok(Proof::LetIn) => return Ok(engine),
            Ok(Proof::Not(cause)) => {
                engine.quit().await;
                refusal(field(&cause, form), words.cause(&cause))
            }
            Ok(Proof::Ended) => refusal(None, words.plain("refusal-ended")),
            Err(_) => {
                engine.quit().await;
                refusal(None, words.plain("refusal-took-too-long"))
            }
        },
        Err(error) => {
            let field = match error {
                StartError::Endpoint(_) => Some(Field::Endpoint),
                StartError::Proxy(_) => Some(Field::Proxy),
                _ => None,
            };
            refusal(field, words.start_error(&error))
        }
    };
    if is_new {
        let folder = folder.clone();
        let removed = tokio::task::spawn_blocking(move || folder.forget()).await;
        if let Ok(Err(error)) = removed {
            warn!(%error, "the folder of an account that was not signed in could not be removed");
        }
    }
    Err(refused)
}

/// Starts an engine off the threads that have other things to do: it opens a store. One that is in use is waited
/// for a moment.
pub async fn start(settings: Settings) -> Result<Engine, StartError> {
    let until = Instant::now() + ENDING;
    loop {
        let settings = settings.clone();
        let started = tokio::task::spawn_blocking(move || Engine::start(settings))
            .await
            .unwrap_or_else(|error| Err(StartError::System(error.to_string())));
        match started {
            Err(StartError::Store(OpenError::InUse(_))) if Instant::now() < until => {
                tokio::time::sleep(AGAIN).await;
            }
            other => return other,
        }
    }
}

/// What came of the first attempt.
enum Proof {
    LetIn,
    Not(Cause),
    Ended,
}

async fn proof(engine: &Engine) -> Proof {
    let Some(mut subscription) = engine.subscribe().await else {
        return Proof::Ended;
    };
    let mut told = std::mem::take(&mut subscription.snapshot);
    loop {
        for change in told.drain(..) {
            if let Change::Connection(connection) = change {
                match connection.state {
                    ConnectionState::CatchingUp | ConnectionState::Live => return Proof::LetIn,
                    ConnectionState::Stopped | ConnectionState::Waiting { .. } | ConnectionState::Offline => {
                        return Proof::Not(connection.cause);
                    }
                    _ => {}
                }
            }
        }
        match subscription.changes.recv().await {
            Some(change) => told.push(change),
            None => return Proof::Ended,
        }
    }
}

/// Which field of the form a cause is about.
fn field(cause: &Cause, form: &Form) -> Option<Field> {
    let endpoint_given = form.endpoint.is_some();
    match cause {
        // What the system names, the form has no field for.
        Cause::Proxy { .. } if form.proxy.is_none() => None,
        Cause::Proxy { problem, .. } => match problem {
            ProxyProblem::WantsPassword | ProxyProblem::WrongPassword => Some(Field::ProxyUser),
            ProxyProblem::CannotReach(_) => endpoint_given.then_some(Field::Endpoint),
            _ => Some(Field::Proxy),
        },
        Cause::WrongPassword | Cause::NoPassword => Some(Field::Password),
        Cause::AccountDisabled { .. } => Some(Field::Address),
        Cause::BadEndpoint(_) => Some(Field::Endpoint),
        Cause::NameNotFound(_) | Cause::NoWebSocket(_) if endpoint_given => Some(Field::Endpoint),
        Cause::NameNotFound(_) | Cause::NoWebSocket(_) => Some(Field::Address),
        Cause::Unreachable | Cause::TimedOut(_) | Cause::ProtocolViolation(_) | Cause::BadCertificate(_)
            if endpoint_given =>
        {
            Some(Field::Endpoint)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translations::Translations;

    fn words() -> Words {
        Words::new(Translations::of("en").unwrap())
    }

    fn refused(address: &str, password: &str, endpoint: Option<&str>) -> Option<Field> {
        let refusal = check(address, password, endpoint, &Proxy::default(), &words()).unwrap_err();
        assert!(refusal.sentence.ends_with('.'), "{}", refusal.sentence);
        refusal.field
    }

    #[test]
    fn a_form_that_is_filled_in_wrongly_says_where() {
        assert_eq!(refused("", "secret", None), Some(Field::Address));
        assert_eq!(refused("romeo@", "secret", None), Some(Field::Address));
        assert_eq!(refused("example.org", "secret", None), Some(Field::Address));
        assert_eq!(
            refused("romeo@example.org/x", "secret", None),
            Some(Field::Address)
        );
        assert_eq!(refused("romeo@example.org", "", None), Some(Field::Password));
        let long = "x".repeat(5000);
        assert_eq!(refused("romeo@example.org", &long, None), Some(Field::Password));
        assert_eq!(
            refused("romeo@example.org", "secret", Some(&long)),
            Some(Field::Endpoint)
        );
    }

    #[test]
    fn spaces_around_an_address_are_no_part_of_it_and_those_of_a_password_are() {
        let form = check(
            " Romeo@Example.org ",
            " secret ",
            Some("  "),
            &Proxy::default(),
            &words(),
        )
        .unwrap();
        assert_eq!(form.address.as_str(), "romeo@example.org");
        assert_eq!(form.password.reveal(), " secret ");
        assert_eq!((form.endpoint, form.proxy), (None, None));
    }

    #[test]
    fn a_failure_is_about_the_endpoint_if_the_user_gave_one() {
        let field = |cause: Cause, endpoint_given: bool| {
            let endpoint = endpoint_given.then_some("wss://example.org/");
            let form = check(
                "romeo@example.org",
                "secret",
                endpoint,
                &Proxy::default(),
                &words(),
            );
            field(&cause, &form.unwrap())
        };
        assert_eq!(field(Cause::WrongPassword, true), Some(Field::Password));
        assert_eq!(
            field(Cause::NameNotFound("x".into()), false),
            Some(Field::Address)
        );
        assert_eq!(field(Cause::Unreachable, true), Some(Field::Endpoint));
        assert_eq!(field(Cause::Unreachable, false), None);
        assert_eq!(field(Cause::NetworkDown, true), None);
    }

    fn with_proxy(address: &str, user: &str, password: &str) -> Result<Form, Refusal> {
        let proxy = Proxy {
            address: address.into(),
            user: user.into(),
            password: password.into(),
        };
        check("romeo@example.org", "secret", None, &proxy, &words())
    }

    #[test]
    fn a_proxy_is_the_systems_or_none_or_one_with_its_user() {
        let said = |address: &str, user: &str, password: &str| {
            let form = with_proxy(address, user, password).unwrap();
            let login = form.proxy_login.map(|login| login.reveal().to_owned());
            (form.proxy, login)
        };
        assert_eq!(said("system", "", ""), (None, None));
        assert_eq!(said("none", "me", "p"), (Some("none".into()), None));
        let url = "http://proxy.example:3128";
        assert_eq!(
            said(" http://proxy.example:3128 ", "", ""),
            (Some(url.into()), None)
        );
        assert_eq!(
            said(url, " me ", " p:w "),
            (Some(url.into()), Some("me: p:w ".into()))
        );
        for (user, password) in [("", "p"), ("a:b", "p"), (&*"x".repeat(256), "p")] {
            let refused = with_proxy(url, user, password).unwrap_err();
            assert_eq!(refused.field, Some(Field::ProxyUser), "{}", refused.sentence);
        }
        let refused = with_proxy(&"x".repeat(5000), "", "").unwrap_err();
        assert_eq!(refused.field, Some(Field::Proxy));
    }

    #[test]
    fn what_a_proxy_does_is_about_its_fields_if_the_form_names_it() {
        let about = |proxy: &str, problem: ProxyProblem| {
            let cause = Cause::Proxy {
                proxy: "http://proxy.example:3128".into(),
                problem,
            };
            field(&cause, &with_proxy(proxy, "", "").unwrap())
        };
        let url = "http://proxy.example:3128";
        assert_eq!(about("system", ProxyProblem::Unreachable), None);
        assert_eq!(about(url, ProxyProblem::Unreachable), Some(Field::Proxy));
        assert_eq!(about(url, ProxyProblem::WrongPassword), Some(Field::ProxyUser));
    }

    #[tokio::test]
    async fn an_account_that_is_not_let_in_leaves_nothing_behind() {
        let home = tempfile::tempdir().unwrap();
        let address = BareJid::new("romeo@example.org").unwrap();
        let folder = Folder::within(home.path(), &address);
        // A port on which nobody listens: it has just been given back.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut form = Form {
            address,
            password: Secret::new("secret"),
            endpoint: Some(format!("ws://127.0.0.1:{port}/ws")),
            proxy: None,
            proxy_login: None,
        };
        let refusal = try_account(&form, &folder, false, &words()).await.err().unwrap();
        assert_eq!(refusal.field, Some(Field::Endpoint), "{}", refusal.sentence);
        assert!(!folder.path().exists());

        form.endpoint = Some("http://127.0.0.1/".into());
        let refusal = try_account(&form, &folder, false, &words()).await.err().unwrap();
        assert_eq!(refusal.field, Some(Field::Endpoint), "{}", refusal.sentence);
        assert!(!folder.path().exists());

        form.endpoint = None;
        form.proxy = Some("ftp://proxy.example".into());
        let refusal = try_account(&form, &folder, false, &words()).await.err().unwrap();
        assert_eq!(refusal.field, Some(Field::Proxy), "{}", refusal.sentence);
        assert!(!folder.path().exists());
    }
}
