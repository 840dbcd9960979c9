//! Finds and reads corpus files: JSON Lines, one case a line.

use crate::case::Deviations;
use serde::de::DeserializeOwned;
use std::fs;
use std::path::{Path, PathBuf};

/// The corpora that ship with the kit.
pub fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name)
}

/// The cases of the shipped corpora that differ on purpose.
pub fn deviations() -> Result<Deviations, String> {
    read_deviations(&Path::new(env!("CARGO_MANIFEST_DIR")).join("deviations.md"))
}

/// Reads a page of deviations.
pub fn read_deviations(page: &Path) -> Result<Deviations, String> {
    Deviations::parse(&fs::read_to_string(page).map_err(|error| at(page, &error))?)
        .map_err(|problem| format!("{}: {problem}", page.display()))
}

/// Reads every case of a file, or of every `.jsonl` file below a folder, in name order.
pub fn read<C: DeserializeOwned>(path: &Path) -> Result<Vec<C>, String> {
    let mut cases = Vec::new();
    for file in files(path)? {
        let text = fs::read_to_string(&file).map_err(|error| at(&file, &error))?;
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let case = serde_json::from_str(line)
                .map_err(|error| format!("{}:{}: {error}", file.display(), index + 1))?;
            cases.push(case);
        }
    }
    Ok(cases)
}

fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| at(&folder, &error))? {
            let path = entry.map_err(|error| at(&folder, &error))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "jsonl") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn at(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
