//! The systems that this machine is not: Windows' tests under wine, and the types of what is compiled for macOS.
//!
//! Both are built here, on Linux: for Windows with mingw, for macOS with the C compiler of zig, which bears the headers that the C in our
//! dependencies wants. Neither is the real system. Wine answers as Windows does, mostly; for macOS nothing is linked and nothing runs. Where
//! something for it is missing and cannot be had, the step says so and is skipped.

use crate::built::FEATURES;
use crate::install;
use crate::run::{Result, cargo, output, root, run, run_and_see, step, target};
use crate::suite::Count;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is compiled and tested, beside the app, of which only the types are checked.
const TESTED: [&str; 8] = [
    "dormouse-account",
    "dormouse-engine",
    "dormouse-link",
    "dormouse-model",
    "dormouse-store",
    "dormouse-timeline",
    "dormouse-wake",
    "dormouse-xmpp",
];
/// The programs.
const APP: [&str; 2] = ["dormouse", "dormouse-cli"];

const WINDOWS: &str = "x86_64-pc-windows-gnu";
const FOR_WINDOWS: [&str; 3] = ["gcc-mingw-w64-x86-64", "wine", "wine64"];
/// Debian's wine without its wrapper, which complains that there is no wine for 32 bits.
const WINE: &str = "/usr/lib/wine/wine64";
const WINE_SERVER: &str = "/usr/lib/wine/wineserver64";
const MINGW: &str = "x86_64-w64-mingw32-gcc";

/// Wine 8 lacks the library from which Rust's std takes its random numbers: this is all of it that std uses.
const RANDOM: &str = "\
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL ProcessPrng(PBYTE bytes, SIZE_T length)
{
    return SystemFunction036(bytes, (ULONG)length);
}
";

const MACOS: &str = "aarch64-apple-darwin";
const ZIG: &str = "0.17.1";
/// As the C compiler for macOS. Without the arguments that want Apple's own; Objective-C becomes an empty object, for there is no
/// framework to compile it against.
const ZIG_CC: &str = r#"#!/bin/sh
source=
out=
skip=
for argument do
    shift
    case "$skip$argument" in
        drop*) skip= ;;
        out*) out=$argument; skip=; set -- "$@" "$argument" ;;
        -arch|-isysroot|-target) skip=drop ;;
        -mmacosx-version-min=*|-mmacos-version-min=*|--target=*) ;;
        -o) skip=out; set -- "$@" "$argument" ;;
        *.m|*.mm) source=$argument; set -- "$@" "$argument" ;;
        *) set -- "$@" "$argument" ;;
    esac
done
if [ -n "$source" ] && [ -n "$out" ]; then
    exec "ZIG" -m ziglang cc -target aarch64-macos -x c -c /dev/null -o "$out"
fi
exec "ZIG" -m ziglang cc -target aarch64-macos "$@"
"#;
const ZIG_AR: &str = "#!/bin/sh\nexec \"ZIG\" -m ziglang ar \"$@\"\n";

/// Tests what can be tested of Windows.
pub fn windows(count: &mut Count) -> Result<()> {
    let ready = rust_target(WINDOWS)
        .and_then(|()| install::packages_for("the tests for Windows", &FOR_WINDOWS))
        .and_then(|()| wine_prefix());
    let prefix = match ready {
        Ok(prefix) => prefix,
        Err(why) => {
            count.skip(format!("Windows was not tested. {why}"));
            return Ok(());
        }
    };
    let mut tests = cargo();
    tests
        .args(["test", "--target", WINDOWS, "--no-fail-fast", "--lib", "--tests"])
        .args(packages(&TESTED))
        .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", WINE)
        .envs(wine(&prefix));
    let tests = run_and_see(&mut tests, |line| count.add(line));
    tests.and(run_and_see(
        check(WINDOWS).args(packages(&APP)).args(FEATURES),
        |_| {},
    ))
}

/// Checks the types of everything that is compiled for macOS.
pub fn macos(count: &mut Count) -> Result<()> {
    let compilers = match rust_target(MACOS).and_then(|()| zig()) {
        Ok(compilers) => compilers,
        Err(why) => {
            count.skip(format!("macOS was not type-checked. {why}"));
            return Ok(());
        }
    };
    let of_macos = |command: &mut Command| {
        command
            .env("CC_aarch64_apple_darwin", compilers.join("cc"))
            .env("CXX_aarch64_apple_darwin", compilers.join("cc"))
            .env("AR_aarch64_apple_darwin", compilers.join("ar"))
            // Else Apple's tools would be asked for it.
            .env("SDKROOT", "/");
        run_and_see(command, |_| {})
    };
    let tests = of_macos(check(MACOS).args(["--lib", "--tests"]).args(packages(&TESTED)));
    tests.and(of_macos(check(MACOS).args(packages(&APP)).args(FEATURES)))
}

fn packages<'a>(names: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    names.iter().flat_map(|name| ["-p", name])
}

fn check(system: &str) -> Command {
    let mut command = cargo();
    command.args(["check", "--target", system]);
    command
}

/// Rust's own libraries for that system.
fn rust_target(system: &str) -> Result<()> {
    let rustup = |words: &[&str]| output(Command::new("rustup").args(words).current_dir(root()));
    if rustup(&["target", "list", "--installed"])?
        .lines()
        .any(|line| line == system)
    {
        return Ok(());
    }
    step(&format!("Installing Rust's libraries for {system}"), || {
        rustup(&["target", "add", system]).map(drop)
    })
}

/// What wine is told, and what it must not ask for: it has no screen to ask on.
fn wine(prefix: &Path) -> [(&'static str, PathBuf); 3] {
    [
        ("WINEPREFIX", prefix.to_owned()),
        ("WINEDEBUG", "-all".into()),
        ("WINEDLLOVERRIDES", "mscoree,mshtml=".into()),
    ]
}

/// A Windows of wine's in the target folder, with what it lacks.
fn wine_prefix() -> Result<PathBuf> {
    if !Path::new(WINE).exists() {
        return Err(format!("There is no {WINE}, where Debian's wine is."));
    }
    let prefix = target().join("wine");
    let random = prefix.join("drive_c/windows/system32/bcryptprimitives.dll");
    if random.exists() {
        return Ok(prefix);
    }
    step("Making a Windows of wine's in the target folder", || {
        make(&prefix)?;
        run(Command::new(WINE)
            .args(["wineboot", "--init"])
            .envs(wine(&prefix)))?;
        // Windows that nobody sees, without a display.
        run(Command::new(WINE)
            .args(["reg", "add", r"HKCU\Software\Wine\Drivers", "/f"])
            .args(["/v", "Graphics", "/d", "null"])
            .envs(wine(&prefix)))?;
        // What runs by now has not read that. It may have ended already.
        let _ = run(Command::new(WINE_SERVER).arg("-k").envs(wine(&prefix)));
        let source = prefix.join("bcryptprimitives.c");
        write(&source, RANDOM)?;
        run(Command::new(MINGW)
            .args(["-shared", "-O2", "-o"])
            .args([&random, &source])
            .arg("-ladvapi32"))
    })?;
    Ok(prefix)
}

/// The folder with `cc` and `ar` for macOS.
fn zig() -> Result<PathBuf> {
    let folder = target().join("zig");
    let python = folder.join("bin/python");
    let done = folder.join(format!("ziglang-{ZIG}.installed"));
    if !done.exists() || !python.exists() {
        step("Installing zig (from PyPI, into the target folder)", || {
            install::from_pypi(&folder, "ziglang", ZIG)?;
            write(&done, "")
        })?;
    }
    for (name, script) in [("cc", ZIG_CC), ("ar", ZIG_AR)] {
        let program = folder.join(name);
        write(&program, &script.replace("ZIG", &python.to_string_lossy()))?;
        run(Command::new("chmod").arg("755").arg(&program))?;
    }
    Ok(folder)
}

fn make(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{} cannot be made: {error}", folder.display()))
}

fn write(file: &Path, text: &str) -> Result<()> {
    std::fs::write(file, text).map_err(|error| format!("{} cannot be written: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the compiler's script makes of its arguments: `echo` in place of zig.
    fn compiled(arguments: &[&str]) -> String {
        let script = ZIG_CC.replace("\"ZIG\" -m ziglang", "echo");
        let said = output(Command::new("sh").args(["-c", &script, "cc"]).args(arguments));
        said.unwrap().trim().to_owned()
    }

    #[test]
    fn what_wants_apples_own_tools_is_left_out_for_zig() {
        let words = [
            "-O2",
            "-arch",
            "arm64",
            "--target=arm64-apple-macosx",
            "-mmacosx-version-min=11.0",
            "-isysroot",
            "/",
            "-o",
            "a b.o",
            "-c",
            "a.c",
        ];
        assert_eq!(compiled(&words), "cc -target aarch64-macos -O2 -o a b.o -c a.c");
    }

    #[test]
    fn objective_c_becomes_an_empty_object() {
        let said = compiled(&["-o", "n.o", "-fobjc-arc", "-c", "n.m"]);
        assert_eq!(said, "cc -target aarch64-macos -x c -c /dev/null -o n.o");
    }
}
