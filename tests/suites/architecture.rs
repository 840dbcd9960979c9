//! The house as it was drawn: who may use whom, where code comes from, and how sources look.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Who may use whom, lowest level first. rules knows no shell, shell no programs, facts no rules;
/// of the pure crates only engine sees policy and facts together, and audit, which asks it.
const HOUSE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("rules", &["model"]),
    ("shell", &["model"]),
    ("facts", &["model", "shell"]),
    ("policy", &["model", "rules"]),
    ("engine", &["model", "rules", "facts", "policy"]),
    ("profile", &["model", "rules", "policy"]),
    ("proxy", &["model", "rules", "policy"]),
    ("audit", &["model", "rules", "shell", "facts", "policy", "engine"]),
    ("host", &["model", "rules", "shell", "facts", "policy", "engine", "profile"]),
    ("sandbox", &["model", "profile"]),
    (
        "cli",
        &[
            "model", "rules", "shell", "facts", "policy", "engine", "profile", "proxy", "audit",
            "host", "sandbox",
        ],
    ),
    (
        "tests",
        &[
            "model", "rules", "shell", "facts", "policy", "engine", "profile", "proxy", "audit",
            "host", "sandbox", "cli",
        ],
    ),
];

/// Crates that do no I/O, read no environment, clock or cwd, and start no thread.
const PURE: &[&str] = &["model", "rules", "shell", "facts", "policy", "engine", "profile", "audit"];

/// Nothing needs these; the proxy reads HTTP itself.
const NOWHERE: &[&str] = &["hyper", "openssl", "native-tls", "reqwest"];

/// The proxy alone has an async runtime; its tests hand it sockets.
const ASYNC: (&str, &[&str]) = ("tokio", &["proxy", "tests"]);

/// The one crate with unsafe code, and the one folder of it.
const UNSAFE: (&str, &str) = ("sandbox", "crates/sandbox/src/sys");

/// Licences whose code may be in a binary of ours.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Unicode-3.0",
    "Zlib",
    "Unlicense",
    "0BSD",
    "CC0-1.0",
];

/// Longer files hold more than one idea.
const LINES: usize = 800;

#[test]
fn every_crate_uses_only_what_the_picture_shows() {
    let metadata = metadata();
    let picture: BTreeMap<_, _> = HOUSE.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in members(&metadata) {
        let name = short(package["name"].as_str().unwrap());
        let Some(allowed) = picture.get(name) else {
            wrong.push(format!("{name} is not in the picture"));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let used = dependency["name"].as_str().unwrap();
            // What only the tests of a crate use does not reach what is built from it.
            if used.starts_with("portcullis-") && dependency["kind"] != "dev" {
                let used = short(used);
                if !allowed.contains(&used) {
                    wrong.push(format!("{name} uses {used}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_picture_has_no_cycles() {
    let mut below = BTreeSet::new();
    for (name, uses) in HOUSE {
        assert!(uses.iter().all(|used| below.contains(used)), "{name} uses what is above it");
        below.insert(name);
    }
}

#[test]
fn nothing_heavy_or_foreign_is_linked() {
    let metadata = metadata();
    let mut wrong = Vec::new();
    let (runtime, users) = ASYNC;
    for package in members(&metadata) {
        let name = short(package["name"].as_str().unwrap());
        let mut used = package["dependencies"].as_array().unwrap().iter();
        if used.any(|used| used["name"] == runtime) && !users.contains(&name) {
            wrong.push(format!("{name} uses {runtime}"));
        }
    }
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if NOWHERE.contains(&name) {
            wrong.push(format!("{name} is linked"));
        }
        let ours = package["source"].is_null();
        let registry = "registry+https://github.com/rust-lang/crates.io-index";
        if !ours && package["source"] != registry {
            wrong.push(format!("{name} comes from {}", package["source"]));
        }
        let licence = package["license"].as_str().unwrap_or_default();
        if !licence_fits(licence) {
            wrong.push(format!("{name} is licensed `{licence}`"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn licences_are_read_as_spdx_means_them() {
    for (licence, fits) in [
        ("MIT", true),
        ("MIT OR GPL-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0", false),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0 OR Apache-2.0 WITH LLVM-exception", true),
        ("", false),
    ] {
        assert_eq!(licence_fits(licence), fits, "{licence}");
    }
}

#[test]
fn there_is_exactly_one_clippy_configuration() {
    let found: Vec<_> = sources()
        .into_iter()
        .filter(|path| path.ends_with("clippy.toml") || path.ends_with(".clippy.toml"))
        .collect();
    // SECURITY: a clippy.toml of a crate replaces the one at the root, and with it the list of
    // calls that pure crates may not make.
    assert_eq!(found, [root().join("clippy.toml")]);
}

#[test]
fn every_crate_forbids_unsafe_code_and_pure_crates_forbid_effects() {
    let mut wrong = Vec::new();
    for package in members(&metadata()) {
        let name = short(package["name"].as_str().unwrap()).to_owned();
        for target in package["targets"].as_array().unwrap() {
            let kinds = target["kind"].as_array().unwrap();
            if !kinds.iter().any(|kind| kind == "lib" || kind == "bin") {
                continue;
            }
            let path = target["src_path"].as_str().unwrap();
            let text = fs::read_to_string(path).unwrap();
            if name != UNSAFE.0 && !text.contains("#![forbid(unsafe_code)]") {
                wrong.push(format!("{path} does not forbid unsafe code"));
            }
            let fences = [
                "clippy::disallowed_methods",
                "clippy::disallowed_types",
                "clippy::wildcard_enum_match_arm",
            ];
            let denied = text.split("#![deny(").skip(1).filter_map(|rest| rest.split(")]").next());
            let denied = denied.collect::<Vec<_>>().concat();
            let fenced = fences.iter().all(|lint| denied.contains(lint));
            if PURE.contains(&name.as_str()) && kinds.iter().any(|kind| kind == "lib") && !fenced {
                wrong.push(format!("{path} is pure and does not deny {fences:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn unsafe_code_is_in_one_folder() {
    let (name, folder) = UNSAFE;
    let mut wrong = Vec::new();
    let source = root().join("crates").join(name).join("src");
    for path in sources().into_iter().filter(|path| path.starts_with(&source)) {
        let text = fs::read_to_string(&path).unwrap();
        let lifts = text.contains("unsafe_code") || text.contains("unsafe {");
        if lifts && !path.starts_with(root().join(folder)) {
            wrong.push(path);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn sources_are_short_finished_and_tested() {
    // Written in halves, so that this file does not find itself.
    let unfinished =
        [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["unimple", "mented!"], ["to", "do!("]];
    let skipped = ["#[ig", "nore"].concat();
    let mut wrong = Vec::new();
    for path in sources() {
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        let lines = text.lines().count();
        if lines > LINES && !path.iter().any(|folder| folder == "tables") {
            wrong.push(format!("{shown} has {lines} lines"));
        }
        for (index, line) in text.lines().enumerate() {
            if line.contains(&skipped) {
                wrong.push(format!("{shown}:{} skips a test", index + 1));
            }
            if unfinished.iter().any(|halves| contains_word(line, &halves.concat())) {
                wrong.push(format!("{shown}:{} is unfinished", index + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn metadata() -> Value {
    // For one platform, cargo needs only what a build has fetched already.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", &platform])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn members(metadata: &Value) -> Vec<&Value> {
    let ids = metadata["workspace_members"].as_array().unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().filter(|package| ids.contains(&package["id"])).collect()
}

fn short(name: &str) -> &str {
    name.trim_start_matches("portcullis-")
}

/// Every file of the tree, without what is built or fetched.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["target", ".git", "node_modules", "artifacts", "corpus"]
                    .contains(&name.as_str())
                {
                    folders.push(path);
                }
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn contains_word(line: &str, word: &str) -> bool {
    let parts: Vec<_> = line.split(word).collect();
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let ends_open = !word.ends_with(part_of_name);
    parts.windows(2).any(|around| {
        let [before, after] = around else { return false };
        !before.ends_with(part_of_name) && (ends_open || !after.starts_with(part_of_name))
    })
}

/// Whether a licence expression leaves a choice among the allowed ones.
fn licence_fits(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_fits(&mut rest) && rest.is_empty()
}

fn any_fits(rest: &mut &[&str]) -> bool {
    let mut fits = all_fit(rest);
    while let [head, tail @ ..] = rest
        && *head == "OR"
    {
        *rest = tail;
        fits |= all_fit(rest);
    }
    fits
}

fn all_fit(rest: &mut &[&str]) -> bool {
    let mut fits = one_fits(rest);
    while let [head, tail @ ..] = rest
        && *head == "AND"
    {
        *rest = tail;
        fits &= one_fits(rest);
    }
    fits
}

fn one_fits(rest: &mut &[&str]) -> bool {
    let Some((head, tail)) = rest.split_first() else { return false };
    *rest = tail;
    if *head == "(" {
        let fits = any_fits(rest);
        let closed = rest.first() == Some(&")");
        *rest = rest.get(1..).unwrap_or_default();
        return fits && closed;
    }
    if let [with, _exception, tail @ ..] = rest
        && *with == "WITH"
    {
        *rest = tail;
    }
    LICENCES.contains(head)
}
