//! `test`: the checks beside a policy.

use crate::args::TestArgs;
use crate::console::{Palette, Reply};
use crate::failure::{Failure, Status};
use crate::policy_test::format;
use crate::policy_test::run::{FileResult, State, run};
use crate::render::place;
use crate::report::junit;
use crate::session::plain;
use portcullis_host::claude_code::shown;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Runs test files and says which checks fail.
pub(crate) fn test(args: &TestArgs, as_json: bool, palette: Palette) -> Result<Reply, Failure> {
    let paths = if args.paths.is_empty() { vec![".".to_owned()] } else { args.paths.clone() };
    let mut files = Vec::new();
    for path in &paths {
        find(Path::new(path), 0, &mut files)
            .map_err(|error| Failure::input(format!("cannot read `{path}`: {}", plain(&error))))?;
    }
    files.sort();
    files.dedup();
    if files.is_empty() {
        return Err(Failure::input(format!("no policy tests below `{}`", paths.join("`, `")))
            .hint("a test file is called `policy.test.toml` or ends in `.policy.test.toml`; see docs/audit.md"));
    }
    let mut results = Vec::new();
    let mut failures = Vec::new();
    for file in &files {
        match one(file, args.coverage) {
            Ok(result) => results.push(result),
            // The rest of the work is still done.
            Err(failure) => failures.push((file.display().to_string(), failure)),
        }
    }
    let failed = results.iter().any(|result| result.failures() > 0);
    let uncovered = args.coverage
        && results
            .iter()
            .any(|result| result.coverage.as_ref().is_some_and(|c| !c.unnoticed.is_empty()));
    let status = match (failures.is_empty(), failed || uncovered) {
        (false, _) => Status::Input,
        (true, true) => Status::Findings,
        (true, false) => Status::Done,
    };
    let stdout = if args.junit {
        junit::xml(&results, &failures)
    } else if as_json {
        format!("{}\n", to_json(&results))
    } else {
        results.iter().map(|result| text(result, palette)).collect()
    };
    let stderr = failures
        .iter()
        .map(|(_, failure)| Reply::failure(failure, false, palette).stderr)
        .collect();
    Ok(Reply { stdout, stderr, status })
}

/// Test files at or below a path. Links are not followed: a cycle of them has no end.
fn find(path: &Path, depth: usize, out: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let data = if depth == 0 { fs::metadata(path)? } else { fs::symlink_metadata(path)? };
    if data.is_file() && (depth == 0 || is_test(path)) {
        out.push(path.to_owned());
    } else if data.is_dir() && depth < DEEPEST {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(path)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        entries.sort();
        for entry in entries {
            let name = entry.file_name().unwrap_or_default();
            if !SKIPPED.iter().any(|skipped| name == *skipped) {
                // What vanishes or cannot be read below is not what was asked for by name.
                drop(find(&entry, depth + 1, out));
            }
        }
    }
    Ok(())
}

fn is_test(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name == "policy.test.toml" || name.ends_with(".policy.test.toml")
}

fn one(path: &Path, coverage: bool) -> Result<FileResult, Failure> {
    let name = path.display().to_string();
    let text = read(path)?;
    let file = format::read(&name, &text)?;
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let settings = |given: &str| {
        let path = folder.join(given);
        Ok((path.display().to_string(), read(&path)?))
    };
    run(&file, &settings, coverage)
}

fn read(path: &Path) -> Result<String, Failure> {
    let name = path.display();
    let bytes = fs::read(path)
        .map_err(|error| Failure::input(format!("cannot read `{name}`: {}", plain(&error))))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::input(format!("`{name}` is not UTF-8 at byte {at}"))
    })
}

fn text(result: &FileResult, palette: Palette) -> String {
    let mut out = String::new();
    let failures = result.failures();
    for check in &result.results {
        if let State::Failed(why) = &check.state {
            out.extend([format!(
                "{} {}\n  {} {}:{}\n  {}\n",
                palette.error("failed:"),
                shown(&check.name),
                palette.dim("at"),
                shown(&result.name),
                check.line,
                shown(why)
            )]);
        }
    }
    let passed = result.results.len() - failures;
    let line = format!("{passed} passed, {failures} failed");
    let line = if failures == 0 { palette.good(&line) } else { palette.error(&line) };
    out.extend([format!("{}: {line}", shown(&result.name))]);
    if let Some(coverage) = &result.coverage {
        let noticed = coverage.rules - coverage.unnoticed.len();
        out.extend([format!(", {noticed} of {} rules noticed", coverage.rules)]);
    }
    out.push('\n');
    for rule in result.coverage.iter().flat_map(|coverage| &coverage.unnoticed) {
        out.extend([format!(
            "  {} {} rule `{}` at {}\n",
            palette.warning("unnoticed:"),
            rule.class.word(),
            shown(&rule.text),
            place(&rule.source, "")
        )]);
    }
    out
}

fn to_json(results: &[FileResult]) -> Value {
    let files: Vec<Value> = results
        .iter()
        .map(|result| {
            let checks: Vec<Value> = result
                .results
                .iter()
                .map(|check| {
                    let (state, why) = match &check.state {
                        State::Passed => ("passed", None),
                        State::Failed(why) => ("failed", Some(why.clone())),
                    };
                    json!({ "name": check.name, "line": check.line, "state": state, "why": why })
                })
                .collect();
            let coverage = result.coverage.as_ref().map(|coverage| {
                let unnoticed: Vec<Value> =
                    coverage.unnoticed.iter().map(crate::report::json::rule).collect();
                json!({ "rules": coverage.rules, "unnoticed": unnoticed })
            });
            json!({ "file": result.name, "checks": checks, "coverage": coverage })
        })
        .collect();
    json!({ "schema_version": crate::report::json::SCHEMA_VERSION, "files": files })
}

/// Directories deeper than this hold no settings of the project.
const DEEPEST: usize = 12;

/// Directories that hold other people's files.
const SKIPPED: &[&str] = &[".git", "node_modules", "target", ".venv", "vendor"];
