//! Runs corpus files: `cases conformance|adversarial|shell|proxy FILE-or-DIR…` against the evaluator and
//! the proxy, `cases escapes FILE…` against the sandbox.

#![forbid(unsafe_code)]

use portcullis_tests::adversarial::Adversarial;
use portcullis_tests::case::{self, Case, Deviations};
use portcullis_tests::conformance::Conformance;
use portcullis_tests::corpus;
use portcullis_tests::escapes::{self, options::Volume};
use portcullis_tests::proxy::cases::ProxyCase;
use portcullis_tests::shell_cases::ShellCase;
use serde::de::DeserializeOwned;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cases conformance|adversarial|shell|proxy [--quiet] [--suite NAME] [--deviations FILE] PATH...
       cases escapes --help

Runs every case of the given corpus files or folders, prints each miss with both views, and closes
with `N passed, N failed`. Exit status: 0 all passed, 1 some failed, 64 usage, 65 unreadable input.

  --quiet            only the tables and the closing line
  --suite NAME       only the cases of one suite (for shell: of one group)
  --deviations FILE  cases that differ on purpose, each with our answer and the reason
";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    if words.next().is_some_and(|format| format == "escapes") {
        return escapes(&words.collect::<Vec<_>>());
    }
    let mut out = io::stdout().lock();
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => return fail(&format!("{problem}\n\n{USAGE}"), 64),
    };
    let run = match options.format.as_str() {
        "conformance" => run::<Conformance>(&options, &mut out),
        "adversarial" => run::<Adversarial>(&options, &mut out),
        "shell" => run::<ShellCase>(&options, &mut out),
        "proxy" => run_proxy(&options, &mut out),
        other => return fail(&format!("no format `{other}`\n\n{USAGE}"), 64),
    };
    match run {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(problem) => fail(&problem, 65),
    }
}

/// Proxy cases may need what is not built yet; which and why is printed.
fn run_proxy(options: &Options, out: &mut impl Write) -> Result<bool, String> {
    let mut cases = read::<ProxyCase>(options)?;
    let mut skipped = String::new();
    cases.retain(|case| match case.skipped() {
        Some(why) => {
            skipped.extend(["SKIP ", case.id(), ": ", why, "\n"]);
            false
        }
        None => true,
    });
    if !options.quiet {
        write!(out, "{skipped}").map_err(|error| error.to_string())?;
    }
    let passed = run_cases(options, &cases, out)?;
    writeln!(out, "{} skipped", skipped.lines().count()).map_err(|error| error.to_string())?;
    Ok(passed)
}

fn run<C: Case + DeserializeOwned>(
    options: &Options,
    out: &mut impl Write,
) -> Result<bool, String> {
    run_cases(options, &read::<C>(options)?, out)
}

fn read<C: Case + DeserializeOwned>(options: &Options) -> Result<Vec<C>, String> {
    let mut cases = Vec::new();
    for path in &options.paths {
        cases.extend(corpus::read::<C>(path)?);
    }
    if let Some(suite) = &options.suite {
        cases.retain(|case| case.suite() == suite);
    }
    if cases.is_empty() {
        return Err("no cases there".to_owned());
    }
    Ok(cases)
}

fn run_cases<C: Case>(
    options: &Options,
    cases: &[C],
    out: &mut impl Write,
) -> Result<bool, String> {
    let deviations = match &options.deviations {
        Some(path) => corpus::read_deviations(path)?,
        None => Deviations::default(),
    };
    let tally = case::run(cases, &deviations);
    let mut report = String::new();
    if !options.quiet {
        for failure in &tally.failures {
            report.push_str(&failure.describe());
        }
    }
    for id in &tally.stale {
        report.push_str(id);
        report.push_str(" is listed as a deviation but passes\n");
    }
    report.push_str(&tally.table());
    report.push_str(&tally.summary());
    writeln!(out, "{report}").map_err(|error| error.to_string())?;
    Ok(tally.failures.is_empty())
}

fn escapes(words: &[String]) -> ExitCode {
    let options = match escapes::options::Options::parse(words) {
        Ok(options) => options,
        Err(problem) => return fail(&format!("{problem}\n\n{}", escapes::options::USAGE), 64),
    };
    if options.inside.is_none() {
        return match escapes::run::outside(&options, words) {
            Ok(status) => {
                ExitCode::from(status.code().and_then(|it| u8::try_from(it).ok()).unwrap_or(70))
            }
            Err(problem) => fail(&problem.to_string(), 65),
        };
    }
    let report = match escapes::run::inside(&options) {
        Ok(report) => report,
        Err(problem) => return fail(&problem.to_string(), 65),
    };
    let text = report.describe(options.volume != Volume::Quiet);
    match writeln!(io::stdout(), "{text}") {
        Ok(()) if report.failures().is_empty() => ExitCode::SUCCESS,
        Ok(()) | Err(_) => ExitCode::from(1),
    }
}

struct Options {
    format: String,
    paths: Vec<PathBuf>,
    quiet: bool,
    suite: Option<String>,
    deviations: Option<PathBuf>,
}

impl Options {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let format = words.next().ok_or("which format?")?;
        let mut options =
            Self { format, paths: Vec::new(), quiet: false, suite: None, deviations: None };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quiet" => options.quiet = true,
                "--suite" => options.suite = Some(words.next().ok_or("--suite needs a name")?),
                "--deviations" => {
                    options.deviations =
                        Some(words.next().ok_or("--deviations needs a file")?.into());
                }
                flag if flag.starts_with("--") => return Err(format!("no option `{flag}`")),
                path => options.paths.push(path.into()),
            }
        }
        if options.paths.is_empty() {
            return Err("no files given".to_owned());
        }
        Ok(options)
    }
}

fn fail(problem: &str, status: u8) -> ExitCode {
    match writeln!(io::stderr(), "cases: {problem}") {
        Ok(()) | Err(_) => ExitCode::from(status),
    }
}
