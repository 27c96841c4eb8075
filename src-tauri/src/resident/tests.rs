//! The program that stays, with windows that are only lines.

use super::*;
use crate::accounts::Registry;
use crate::home::Home;
use crate::notifications::Subject;
use crate::notify::Response;
use crate::translations::Translations;
use crate::updates::{News, Trouble};
use crate::wire::{WindowEnd, line};
use crate::words::Words;
use dormouse_engine::model::BareJid;
use serde_json::value::RawValue;
use std::sync::Mutex;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

const SOON: Duration = Duration::from_secs(10);

/// Whoever opens windows: the test's ends of them, in order.
#[derive(Clone, Default)]
struct Opened {
    windows: Arc<Mutex<Vec<WindowEnd>>>,
    refuses: bool,
}

impl Windows for Opened {
    fn open(&mut self) -> Result<StayingEnd, String> {
        if self.refuses {
            return Err("there is no display".into());
        }
        let (staying, window) = line();
        self.windows.lock().unwrap().push(window);
        Ok(staying)
    }
}

impl Opened {
    async fn next(&self) -> WindowEnd {
        let opened = async {
            loop {
                if let Some(window) = self.windows.lock().unwrap().pop() {
                    return window;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, opened)
            .await
            .expect("a window is opened")
    }
}

struct World {
    want: UnboundedSender<Wanted>,
    tray: watch::Sender<bool>,
    opened: Opened,
    runs: JoinHandle<Ended>,
    shell: Arc<Shell>,
    _folder: tempfile::TempDir,
}

impl World {
    /// With a window, which comes with it.
    fn start(tray: bool) -> (Self, WindowEnd) {
        let (staying, window) = line();
        (Self::with(tray, Opened::default(), Some(staying)), window)
    }

    fn with(tray: bool, opened: Opened, first: Option<StayingEnd>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::find(Some(folder.path().into())).unwrap();
        let registry = Registry::read(home.registry()).unwrap();
        let words = Arc::new(Words::new(Translations::of("en").unwrap()));
        let (want, wanted) = unbounded_channel();
        let shell = Arc::new(Shell::new(home, registry, words, want.clone(), false));
        let (tray, there) = watch::channel(tray);
        let windows = Box::new(opened.clone());
        let resident = Resident::new(Arc::clone(&shell), windows, wanted, there, first);
        Self {
            want,
            tray,
            opened,
            runs: tokio::spawn(resident.run(std::future::pending())),
            shell,
            _folder: folder,
        }
    }

    async fn ended(self) -> Ended {
        tokio::time::timeout(SOON, self.runs)
            .await
            .expect("it ends")
            .unwrap()
    }
}

/// What a window is told next, events and answers left out.
async fn told(window: &mut WindowEnd) -> Option<ToWindow> {
    let told = async {
        loop {
            match window.from.recv().await {
                Some(ToWindow::Event { .. } | ToWindow::Answer { .. }) => {}
                other => return other,
            }
        }
    };
    tokio::time::timeout(SOON, told)
        .await
        .expect("the window is told something")
}

/// Loads the page, and waits until it is told that it is open.
async fn load(window: &mut WindowEnd) {
    window
        .to
        .send(FromWindow::Open {
            channel: 1,
            web_view: "2.50".into(),
        })
        .unwrap();
    assert!(event(window).await.contains("opened"));
}

async fn event(window: &mut WindowEnd) -> String {
    let told = async {
        loop {
            if let Some(ToWindow::Event { event, .. }) = window.from.recv().await {
                return event.get().to_owned();
            }
        }
    };
    tokio::time::timeout(SOON, told).await.expect("an event is told")
}

fn ask(window: &WindowEnd, question: &str) {
    let question = RawValue::from_string(question.to_owned()).unwrap();
    window.to.send(FromWindow::Ask { id: 1, question }).unwrap();
}

#[tokio::test]
async fn closed_to_the_tray_the_program_stays_and_opens_a_window_again() {
    let (world, mut window) = World::start(true);
    load(&mut window).await;
    window.to.send(FromWindow::Close).unwrap();
    assert!(matches!(told(&mut window).await, Some(ToWindow::Close)));
    drop(window);
    world.want.send(Wanted::Window).unwrap();
    let mut again = world.opened.next().await;
    load(&mut again).await;
    world.want.send(Wanted::Window).unwrap();
    assert!(matches!(told(&mut again).await, Some(ToWindow::Show)));
    world.want.send(Wanted::Quit).unwrap();
    assert!(matches!(told(&mut again).await, Some(ToWindow::Close)));
    drop(again);
    assert_eq!(world.ended().await, Ended::Wanted);
}

#[tokio::test]
async fn a_window_wanted_while_the_last_one_is_going_is_opened_when_that_has_gone() {
    let (world, mut window) = World::start(true);
    window.to.send(FromWindow::Close).unwrap();
    assert!(matches!(told(&mut window).await, Some(ToWindow::Close)));
    world.want.send(Wanted::Window).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(
        world.opened.windows.lock().unwrap().is_empty(),
        "two windows at once"
    );
    drop(window);
    world.opened.next().await;
}

#[tokio::test]
async fn without_a_tray_the_user_is_asked_and_what_they_choose_is_done_from_then_on() {
    let (world, mut window) = World::start(false);
    load(&mut window).await;
    window.to.send(FromWindow::Close).unwrap();
    assert!(event(&mut window).await.contains("ask-closing"));
    ask(
        &window,
        r#"{"command":"closing","arguments":{"means":"minimise"}}"#,
    );
    assert!(matches!(told(&mut window).await, Some(ToWindow::Minimise)));
    assert_eq!(world.shell.closing(), Some(WhenClosed::Minimise));
    window.to.send(FromWindow::Close).unwrap();
    assert!(matches!(told(&mut window).await, Some(ToWindow::Minimise)));
}

#[tokio::test]
async fn without_a_tray_a_user_who_thinks_better_of_it_is_asked_again_the_next_time() {
    let (_world, mut window) = World::start(false);
    load(&mut window).await;
    for _ in 0..2 {
        window.to.send(FromWindow::Close).unwrap();
        assert!(event(&mut window).await.contains("ask-closing"));
        ask(&window, r#"{"command":"closing","arguments":{"means":null}}"#);
        let answer = tokio::time::timeout(SOON, window.from.recv()).await.unwrap();
        assert!(matches!(answer, Some(ToWindow::Answer { .. })));
    }
}

#[tokio::test]
async fn without_a_tray_a_page_that_does_not_answer_can_be_closed_the_second_time() {
    let (world, mut window) = World::start(false);
    load(&mut window).await;
    window.to.send(FromWindow::Close).unwrap();
    assert!(event(&mut window).await.contains("ask-closing"));
    window.to.send(FromWindow::Close).unwrap();
    assert!(matches!(told(&mut window).await, Some(ToWindow::Close)));
    drop(window);
    assert_eq!(world.ended().await, Ended::Wanted);
}

#[tokio::test]
async fn what_the_page_asks_while_the_program_ends_is_still_answered() {
    let (world, mut window) = World::start(true);
    load(&mut window).await;
    world.want.send(Wanted::Quit).unwrap();
    assert!(matches!(told(&mut window).await, Some(ToWindow::Close)));
    ask(&window, r#"{"command":"crash","arguments":{}}"#);
    let answer = tokio::time::timeout(SOON, window.from.recv()).await.unwrap();
    assert!(matches!(answer, Some(ToWindow::Answer { id: 1, .. })));
    drop(window);
    assert_eq!(world.ended().await, Ended::Wanted);
}

#[tokio::test]
async fn a_window_that_ends_by_itself_takes_the_program_along_only_where_there_is_no_tray() {
    let (world, window) = World::start(false);
    drop(window);
    assert_eq!(world.ended().await, Ended::Helpless);

    let (world, window) = World::start(true);
    drop(window);
    tokio::time::sleep(Duration::from_millis(50)).await;
    world.want.send(Wanted::Window).unwrap();
    world.opened.next().await;
}

#[tokio::test]
async fn a_program_started_without_a_window_shows_itself_where_no_tray_comes() {
    let world = World::with(false, Opened::default(), None);
    tokio::time::sleep(PATIENCE / 2).await;
    assert!(world.opened.windows.lock().unwrap().is_empty());
    tokio::time::sleep(PATIENCE).await;
    assert_eq!(world.opened.windows.lock().unwrap().len(), 1);

    let world = World::with(false, Opened::default(), None);
    tokio::time::sleep(PATIENCE / 2).await;
    world.tray.send(true).unwrap();
    tokio::time::sleep(PATIENCE * 2).await;
    assert!(world.opened.windows.lock().unwrap().is_empty(), "there is a tray");
}

#[tokio::test]
async fn a_tray_that_goes_for_a_moment_changes_nothing() {
    let world = World::with(true, Opened::default(), None);
    world.tray.send(false).unwrap();
    tokio::time::sleep(PATIENCE / 2).await;
    world.tray.send(true).unwrap();
    tokio::time::sleep(PATIENCE * 2).await;
    assert!(world.opened.windows.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_click_on_a_notification_opens_a_window_that_shows_the_conversation() {
    let world = World::with(true, Opened::default(), None);
    let address = |text: &str| BareJid::new(text).unwrap();
    let key = Key {
        account: address("romeo@example.org"),
        with: address("juliet@example.org"),
    };
    world.want.send(Wanted::Conversation(key)).unwrap();
    let mut window = world.opened.next().await;
    load(&mut window).await;
}

#[tokio::test]
async fn where_there_is_neither_a_tray_nor_a_display_the_program_ends_and_says_that_it_failed() {
    let refuses = Opened {
        refuses: true,
        ..Opened::default()
    };
    let world = World::with(false, refuses, None);
    world.want.send(Wanted::Window).unwrap();
    assert_eq!(world.ended().await, Ended::Helpless);
}

fn offered() -> FromWindow {
    FromWindow::Update(News::Offered {
        version: "0.2.0".into(),
        notes: String::new(),
    })
}

const INSTALL: &str = r#"{"command":"update","arguments":{"wish":"install"}}"#;

#[tokio::test]
async fn a_new_version_is_installed_when_the_user_wants_it_and_the_program_ends_to_start_anew() {
    let (world, mut window) = World::start(true);
    load(&mut window).await;
    window.to.send(offered()).unwrap();
    assert!(event(&mut window).await.contains(r#""version":"0.2.0""#));
    // A page that is loaded again hears of it, too.
    load(&mut window).await;
    assert!(event(&mut window).await.contains(r#""version":"0.2.0""#));
    ask(&window, INSTALL);
    assert!(matches!(told(&mut window).await, Some(ToWindow::Install)));
    window.to.send(FromWindow::Update(News::Installed)).unwrap();
    assert!(matches!(told(&mut window).await, Some(ToWindow::Close)));
    drop(window);
    assert_eq!(world.ended().await, Ended::Anew);
}

#[tokio::test]
async fn a_window_that_says_that_something_was_installed_unasked_is_not_believed() {
    let (world, mut window) = World::start(true);
    load(&mut window).await;
    window.to.send(FromWindow::Update(News::Installed)).unwrap();
    window.to.send(offered()).unwrap();
    window.to.send(FromWindow::Update(News::Installed)).unwrap();
    world.want.send(Wanted::Window).unwrap();
    assert!(matches!(told(&mut window).await, Some(ToWindow::Show)));
    assert!(!world.runs.is_finished());
}

#[tokio::test]
async fn what_was_not_installed_is_said_and_the_program_goes_on() {
    let (world, mut window) = World::start(true);
    load(&mut window).await;
    window.to.send(offered()).unwrap();
    ask(&window, INSTALL);
    assert!(matches!(told(&mut window).await, Some(ToWindow::Install)));
    let failed = News::Failed(Trouble::NotSigned);
    window.to.send(FromWindow::Update(failed)).unwrap();
    while !event(&mut window).await.contains(r#""stage":"failed""#) {}
    assert!(!world.runs.is_finished());
}

#[tokio::test]
async fn a_reply_to_a_notification_of_an_account_that_has_gone_is_put_before_its_user() {
    let (world, mut window) = World::start(true);
    load(&mut window).await;
    let key = Key {
        account: BareJid::new("me@home.example").unwrap(),
        with: BareJid::new("bob@b.example").unwrap(),
    };
    world.shell.notification(
        Subject::Conversation(key),
        Response::Replied("on my way; 5 min".into()),
    );
    let put = tokio::time::timeout(SOON, async {
        loop {
            let event = event(&mut window).await;
            if event.contains("on my way; 5 min") {
                return event;
            }
        }
    });
    let put = put.await.expect("it is not lost");
    assert!(put.contains("bob@b.example"), "{put}");
    world.want.send(Wanted::Quit).unwrap();
}
