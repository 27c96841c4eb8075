//! New versions: who is asked for them, what is taken, and what the user sees of it.

use anyhow::{Context, ensure};
use dormouse_scenarios::program;
use dormouse_servers::Prosody;
use dormouse_window_tests::Result;
use dormouse_window_tests::accessibility;
use dormouse_window_tests::desktop::{Desktop, Theme};
use dormouse_window_tests::people::{ALICE, BOB, alices, friends, somebody};
use dormouse_window_tests::releases::{Release, Releases, Signer};
use dormouse_window_tests::wait::{LATER, until};
use dormouse_window_tests::window::{Window, WindowBuilder};
use std::path::{Path, PathBuf};
use std::time::Duration;

const OLD: &[u8] = b"the version there is";
const NOTES: &str = "<b>Faster</b>.\n<img src=x onerror=\"window.stolen = 1\">";

/// As long as a request takes that nobody wants, and longer.
const A_WHILE: Duration = Duration::from_secs(3);

/// An AppImage, as far as the updater looks: what the system can start.
fn image() -> Vec<u8> {
    let mut file = b"\x7fELF\x02\x01\x01\0".to_vec();
    file.resize(4096, 7);
    file
}

fn release(signer: &Signer) -> Release<'_> {
    Release {
        version: "99.0.0",
        signed_as: "99.0.0",
        signer,
        notes: NOTES,
        file: image(),
        claims: None,
    }
}

/// The AppImage that the app is told it runs from.
fn installed(desktop: &Desktop) -> Result<PathBuf> {
    let path = desktop.folder().join("Dormouse.AppImage");
    std::fs::write(&path, OLD)?;
    Ok(path)
}

fn is_untouched(image: &Path) -> Result<()> {
    ensure!(std::fs::read(image)? == OLD, "the AppImage was replaced");
    Ok(())
}

/// Alice's app as if it ran from an AppImage, with a key and a place built in.
fn in_an_image<'a>(
    desktop: &'a Desktop,
    server: &Prosody,
    image: &Path,
    releases: &Releases,
    key: &str,
) -> Result<WindowBuilder<'a>> {
    let mount = program::app()?.parent().context("the app lies nowhere")?;
    Ok(alices(desktop, server)
        .env("APPIMAGE", &image.to_string_lossy())
        .env("APPDIR", &mount.to_string_lossy())
        .env("DORMOUSE_UPDATE_ENDPOINT", &releases.endpoint())
        .env("DORMOUSE_UPDATE_KEY", key))
}

/// The window waits for a while, connected, and offers nothing.
fn offers_nothing(window: &Window<'_>) -> Result<()> {
    window.wait_until_live()?;
    std::thread::sleep(A_WHILE);
    ensure!(!window.shows("#update")?, "a new version is offered");
    Ok(())
}

#[test]
fn a_new_version_is_told_quietly_and_installed_by_a_click_and_the_program_goes_on_in_it() -> Result<()> {
    let desktop = Desktop::start()?;
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let signer = Signer::new()?;
    let image = installed(&desktop)?;
    // What is new is this same app, so that it can be seen to start; its window lies beside it.
    let app = program::app()?;
    std::os::unix::fs::symlink(
        app.with_file_name("dormouse-window"),
        image.with_file_name("dormouse-window"),
    )?;
    std::fs::set_permissions(&image, std::fs::metadata(app)?.permissions())?;
    let file = std::fs::read(app)?;
    let releases = Releases::offer(Release {
        file: file.clone(),
        ..release(&signer)
    })?;
    let window = in_an_image(&desktop, &server, &image, &releases, &signer.public()?)?.open()?;
    window.wait_until_live()?;
    bob.send(ALICE, "before")?;
    window.open_conversation(BOB)?;
    window.wait_for_text("#rows", "before")?;
    window.wait_for_text("#update .sentence", "99.0.0")?;
    ensure!(
        releases.asked() == ["/latest.json"],
        "it was downloaded unasked: {:?}",
        releases.asked()
    );
    is_untouched(&image)?;
    window.type_into("#composer-text", "half a sentence")?;

    window.click("#update-install")?;
    let window = window.started_anew()?;
    ensure!(std::fs::read(&image)? == file, "another file is in its place");
    window.wait_until_live()?;
    window.open_conversation(BOB)?;
    window.wait_for_text("#rows", "before")?;
    window.wait_for_script(
        "the draft",
        "return document.querySelector('#composer-text').value === 'half a sentence' || null",
    )?;
    bob.send(ALICE, "after")?;
    window.wait_for_text("#rows", "after")?;
    window.quit()
}

#[test]
fn what_another_key_has_signed_is_refused_in_words_and_the_old_program_stays() -> Result<()> {
    let desktop = Desktop::start()?;
    let server = friends().start()?;
    let (ours, theirs) = (Signer::new()?, Signer::new()?);
    let image = installed(&desktop)?;
    let releases = Releases::offer(release(&theirs))?;
    let window = in_an_image(&desktop, &server, &image, &releases, &ours.public()?)?.open()?;
    window.click("#update-install")?;
    window.wait_for_text("#update .sentence", "not signed by whoever makes Dormouse")?;
    is_untouched(&image)?;
    window.wait_until_live()?;
    // Tried again it is no better.
    window.click("#update-install")?;
    until(LATER, || {
        let downloads = releases
            .asked()
            .iter()
            .filter(|path| path.ends_with("Image"))
            .count();
        Ok((downloads == 2).then_some(()))
    })?;
    window.wait_for_text("#update .sentence", "not signed by whoever makes Dormouse")?;
    is_untouched(&image)?;
    window.click("#update-later")?;
    window.wait_until_gone("#update")?;
    window.wait_until_live()
}

#[test]
fn a_version_without_end_is_not_taken_into_memory() -> Result<()> {
    let desktop = Desktop::start()?;
    let server = friends().start()?;
    let signer = Signer::new()?;
    let image = installed(&desktop)?;
    let releases = Releases::offer(Release {
        claims: Some(1 << 40),
        ..release(&signer)
    })?;
    let window = in_an_image(&desktop, &server, &image, &releases, &signer.public()?)?.open()?;
    window.click("#update-install")?;
    window.wait_for_text("#update .sentence", "longer than 1024 MiB")?;
    is_untouched(&image)?;
    window.wait_until_live()
}

#[test]
fn an_old_version_is_neither_offered_nor_taken_under_a_new_number() -> Result<()> {
    let server = friends().start()?;
    let signer = Signer::new()?;
    {
        let desktop = Desktop::start()?;
        let image = installed(&desktop)?;
        let releases = Releases::offer(Release {
            version: "0.0.1",
            signed_as: "0.0.1",
            ..release(&signer)
        })?;
        let window = in_an_image(&desktop, &server, &image, &releases, &signer.public()?)?.open()?;
        until(LATER, || Ok((!releases.asked().is_empty()).then_some(())))?;
        offers_nothing(&window)?;
        is_untouched(&image)?;
    }
    let desktop = Desktop::start()?;
    let image = installed(&desktop)?;
    let releases = Releases::offer(Release {
        signed_as: "0.0.1",
        ..release(&signer)
    })?;
    let window = in_an_image(&desktop, &server, &image, &releases, &signer.public()?)?.open()?;
    window.click("#update-install")?;
    window.wait_for_text("#update .sentence", "not the version that was announced")?;
    is_untouched(&image)
}

#[test]
fn without_a_key_or_outside_an_appimage_nobody_is_asked() -> Result<()> {
    let server = friends().start()?;
    let signer = Signer::new()?;
    let releases = Releases::offer(release(&signer))?;
    {
        let desktop = Desktop::start()?;
        let image = installed(&desktop)?;
        let window = in_an_image(&desktop, &server, &image, &releases, "")?.open()?;
        offers_nothing(&window)?;
    }
    {
        // Started from a terminal, say, that is an AppImage itself.
        let desktop = Desktop::start()?;
        let image = installed(&desktop)?;
        let window = in_an_image(&desktop, &server, &image, &releases, &signer.public()?)?
            .env("APPDIR", &desktop.folder().to_string_lossy())
            .open()?;
        offers_nothing(&window)?;
        is_untouched(&image)?;
    }
    ensure!(releases.asked().is_empty(), "it asked for {:?}", releases.asked());
    Ok(())
}

#[test]
fn the_notice_of_a_new_version_is_text_can_be_put_off_and_is_accessible() -> Result<()> {
    let server = friends().start()?;
    let signer = Signer::new()?;
    let releases = Releases::offer(release(&signer))?;
    for theme in Theme::BOTH {
        let desktop = Desktop::builder().theme(theme).tray().start()?;
        let image = installed(&desktop)?;
        let window = in_an_image(&desktop, &server, &image, &releases, &signer.public()?)?.open()?;
        window.wait_until_live()?;
        window.wait_for_text("#update .sentence", "99.0.0")?;
        window.click("#update-notes summary")?;
        let shown = window.wait_for_text("#update-notes p", "Faster")?;
        ensure!(shown == NOTES, "not as it was written: {shown}");
        let stolen = window.script("return typeof window.stolen", Vec::new())?;
        ensure!(stolen == "undefined", "a script of the notes ran");
        accessibility::check(&window, "a new version")?;
        // The page may ask for it by its own command, and nothing of the updater itself.
        let told = window.script_async(
            "const ask = (command) => window.__TAURI_INTERNALS__.invoke(`plugin:updater|${command}`).then(() => false, () => true);
             return await ask('check') && await ask('download_and_install')",
        )?;
        ensure!(told == true, "the page can command the updater");
        window.set_size(400, 700)?;
        window.wait_until_shown("#update")?;
        accessibility::check(&window, "a new version, narrow")?;

        window.click("#update-later")?;
        window.wait_until_gone("#update")?;
        let asked = releases.asked().len();
        let closed = window.close()?;
        desktop.tray()?.click()?;
        let window = closed.reopened()?;
        // The window that was opened again has looked again, and still says nothing.
        until(LATER, || Ok((releases.asked().len() > asked).then_some(())))?;
        offers_nothing(&window)?;
        is_untouched(&image)?;
    }
    Ok(())
}
