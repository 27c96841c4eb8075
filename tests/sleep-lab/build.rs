//! Builds the shim as a shared library in a target folder of its own: an artifact of another package
//! can't be asked for on stable cargo, and the outer cargo holds the lock of the common folder.

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=../sleep-shim/Cargo.toml");
    println!("cargo::rerun-if-changed=../sleep-shim/src");
    if env::var("CARGO_CFG_TARGET_OS")? != "linux" {
        return Ok(());
    }
    let target = env::var("TARGET")?;
    let folder = PathBuf::from(env::var("OUT_DIR")?).join("shim");
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../sleep-shim/Cargo.toml");
    let status = Command::new(env::var("CARGO")?)
        .args(["build", "--quiet", "--lib", "--target", &target])
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--target-dir")
        .arg(&folder)
        // Under `cargo clippy` these would check the shim instead of building it.
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CLIPPY_ARGS")
        .status()?;
    if !status.success() {
        return Err("the sleep shim did not build".into());
    }
    let shim = folder.join(target).join("debug/libdormouse_sleep_shim.so");
    println!("cargo::rustc-env=DORMOUSE_SLEEP_SHIM={}", shim.display());
    Ok(())
}
