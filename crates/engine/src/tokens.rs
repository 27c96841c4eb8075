//! The token for signing in again (XEP-0484), beside the password in the OS keyring and nowhere else.
//!
//! The keyring may take its time, or ask the user: it is used on threads of its own, one thing after another. Where it
//! keeps nothing, the token lives as long as the process.

use crate::secret::Keyring;
use dormouse_account::Token;
use dormouse_model::BareJid;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::spawn_blocking;

/// What became of a wish.
#[derive(Debug)]
pub enum TokenNews {
    /// What an earlier process left.
    Found(Option<Token>),
    /// The newest is as safe as it can be.
    Kept,
}

#[derive(Debug)]
enum Wish {
    Look,
    Keep(Token),
    Forget,
}

/// The tokens of one account.
pub struct Tokens {
    /// The newest, for a core that is made anew.
    current: Option<Token>,
    wishes: UnboundedSender<Wish>,
    news: UnboundedReceiver<TokenNews>,
}

impl Tokens {
    /// `in_keyring`: the password is there, so the token may be. Must be called within a runtime.
    pub fn begin(account: BareJid, in_keyring: bool) -> Self {
        let (wishes, todo) = unbounded_channel();
        let (tell, news) = unbounded_channel();
        tokio::spawn(work(account, in_keyring, todo, tell));
        let tokens = Self {
            current: None,
            wishes,
            news,
        };
        tokens.wish(Wish::Look);
        tokens
    }

    /// The newest there is.
    pub fn current(&self) -> Option<&Token> {
        self.current.as_ref()
    }

    /// What happened. May be dropped and called again.
    pub async fn news(&mut self) -> TokenNews {
        match self.news.recv().await {
            Some(news) => {
                if let TokenNews::Found(Some(token)) = &news {
                    self.current.get_or_insert(token.clone());
                }
                news
            }
            None => std::future::pending().await,
        }
    }

    /// Keeps it in place of the one before. [`TokenNews::Kept`] follows in any case.
    pub fn keep(&mut self, token: Token) {
        self.current = Some(token.clone());
        self.wish(Wish::Keep(token));
    }

    /// Nobody needs it any more.
    pub fn forget(&mut self) {
        self.current = None;
        self.wish(Wish::Forget);
    }

    fn wish(&self, wish: Wish) {
        // The worker ends with this value, or with the runtime.
        let _ = self.wishes.send(wish);
    }
}

async fn work(
    account: BareJid,
    in_keyring: bool,
    mut todo: UnboundedReceiver<Wish>,
    tell: UnboundedSender<TokenNews>,
) {
    while let Some(wish) = todo.recv().await {
        let (looks, keeps) = (matches!(wish, Wish::Look), matches!(wish, Wish::Keep(_)));
        let mut found = None;
        if in_keyring {
            let account = account.clone();
            let done = spawn_blocking(move || match wish {
                Wish::Look => Keyring.token(&account),
                Wish::Keep(token) => Keyring.keep_token(&account, &token).map(|()| None),
                Wish::Forget => Keyring.forget_token(&account).map(|()| None),
            });
            match done.await {
                Ok(Ok(kept)) => found = kept,
                Ok(Err(error)) => tracing::info!(%error, "the token is not in the keyring"),
                Err(error) => tracing::warn!(%error, "the keyring broke off"),
            }
        }
        let news = if looks {
            TokenNews::Found(found)
        } else if keeps {
            TokenNews::Kept
        } else {
            continue;
        };
        let _ = tell.send(news);
    }
}
