//! axe-core, run in the real page: what keeps somebody from using the screen that is shown.

use crate::Result;
use crate::evidence;
use crate::window::Window;
use anyhow::{Context, bail};
use std::path::PathBuf;

/// Checks the screen as it is now.
///
/// # Errors
/// With every violation and the elements it is about.
pub fn check(window: &Window<'_>, screen: &str) -> Result<()> {
    window.wait_until_still()?;
    if window.script("return typeof window.axe", Vec::new())? != "object" {
        let path = source()?;
        let axe = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "{} is not there: `cargo xtask install test` puts it there",
                path.display()
            )
        })?;
        window.script(&axe, Vec::new())?;
    }
    let found = window.script_async(
        "const result = await window.axe.run(document, { resultTypes: ['violations'] });
         return result.violations.map(it => it.id + ' (' + it.impact + '): ' + it.help + '\\n'
             + it.nodes.slice(0, 5).map(node => '    ' + node.html.slice(0, 200) + '\\n      '
                 + node.failureSummary.replaceAll('\\n', ' ')).join('\\n'));",
    )?;
    let found: Vec<String> = serde_json::from_value(found)?;
    if found.is_empty() {
        return Ok(());
    }
    bail!(
        "{screen} in {}: {}",
        window.desktop().theme().name(),
        found.join("\n")
    )
}

fn source() -> Result<PathBuf> {
    let modules = match std::env::var_os("DORMOUSE_NODE_MODULES") {
        Some(folder) => PathBuf::from(folder),
        None => evidence::target()?.join("node/node_modules"),
    };
    Ok(modules.join("axe-core/axe.min.js"))
}
