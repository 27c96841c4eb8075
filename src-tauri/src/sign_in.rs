//! Signing in to a new account: the form is checked, an engine is started in the account's folder, and its
//! first proof is waited for. Only an account that has worked is entered in the list; of one that has not,
//! nothing is left.

use crate::protocol::{Field, Refusal};
use crate::wishes;
use crate::words::Words;
use dormouse_engine::model::{BareJid, Cause, Change, ConnectionState};
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
/// The longest endpoint, in bytes.
const LONGEST_ENDPOINT: usize = 2 * 1024;

/// What the form says, once it has been checked.
#[derive(Debug)]
pub struct Form {
    /// Whose account.
    pub address: BareJid,
    /// Its password.
    pub password: Secret,
    /// Where it connects, if the user said so.
    pub endpoint: Option<String>,
}

/// A refusal about a field.
pub fn refusal(field: Option<Field>, sentence: String) -> Refusal {
    Refusal { field, sentence }
}

/// Checks the form; what is wrong with the endpoint, the engine says.
pub fn check(address: &str, password: &str, endpoint: Option<&str>, words: &Words) -> Result<Form, Refusal> {
    let address = wishes::address(address, words).map_err(|why| refusal(Some(Field::Address), why))?;
    if address.node().is_none() {
        let why = words.plain("refusal-address-without-name");
        return Err(refusal(Some(Field::Address), why));
    }
    let password = check_password(password, words)?;
    let endpoint = endpoint.map(str::trim).filter(|text| !text.is_empty());
    if endpoint.is_some_and(|text| text.len() > LONGEST_ENDPOINT) {
        return Err(refusal(Some(Field::Endpoint), words.plain("refusal-too-long")));
    }
    Ok(Form {
        address,
        password,
        endpoint: endpoint.map(str::to_owned),
    })
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
        watch_system,
    };
    let refused = match start(settings).await {
        Ok(engine) => match tokio::time::timeout(PATIENCE, proof(&engine)).await {
            Ok(Proof::LetIn) => return Ok(engine),
            Ok(Proof::Not(cause)) => {
                engine.quit().await;
                refusal(field(&cause, form.endpoint.is_some()), words.cause(&cause))
            }
            Ok(Proof::Ended) => refusal(None, words.plain("refusal-ended")),
            Err(_) => {
                engine.quit().await;
                refusal(None, words.plain("refusal-took-too-long"))
            }
        },
        Err(error) => {
            let field = matches!(error, StartError::Endpoint(_)).then_some(Field::Endpoint);
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
fn field(cause: &Cause, endpoint_given: bool) -> Option<Field> {
    match cause {
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
        let refusal = check(address, password, endpoint, &words()).unwrap_err();
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
        let form = check(" Romeo@Example.org ", " secret ", Some("  "), &words()).unwrap();
        assert_eq!(form.address.as_str(), "romeo@example.org");
        assert_eq!(form.password.reveal(), " secret ");
        assert_eq!(form.endpoint, None);
    }

    #[test]
    fn a_failure_is_about_the_endpoint_if_the_user_gave_one() {
        assert_eq!(field(&Cause::WrongPassword, true), Some(Field::Password));
        assert_eq!(
            field(&Cause::NameNotFound("x".into()), false),
            Some(Field::Address)
        );
        assert_eq!(field(&Cause::Unreachable, true), Some(Field::Endpoint));
        assert_eq!(field(&Cause::Unreachable, false), None);
        assert_eq!(field(&Cause::NetworkDown, true), None);
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
        };
        let refusal = try_account(&form, &folder, false, &words()).await.err().unwrap();
        assert_eq!(refusal.field, Some(Field::Endpoint), "{}", refusal.sentence);
        assert!(!folder.path().exists());

        form.endpoint = Some("http://127.0.0.1/".into());
        let refusal = try_account(&form, &folder, false, &words()).await.err().unwrap();
        assert_eq!(refusal.field, Some(Field::Endpoint), "{}", refusal.sentence);
        assert!(!folder.path().exists());
    }
}
