//! Running the checks of a test file, and asking which rules they notice.

use super::format::{Check, Kind, TestFile};
use crate::failure::Failure;
use portcullis_audit::{Assertion, Holds, Limits, Stage, diff, hold};
use portcullis_model::{AbsPath, Because, RuleRef, Scope};
use portcullis_policy::{Layer, Place, Policy, Rules, Severity, assemble};

/// What became of a file's checks.
#[derive(Debug)]
pub struct FileResult {
    /// The file as messages show it.
    pub name: String,
    /// Each check.
    pub results: Vec<CheckResult>,
    /// Rules that no check notices, where coverage was asked for; and how many rules there are.
    pub coverage: Option<Coverage>,
}

/// Which rules the checks notice.
#[derive(Debug)]
pub struct Coverage {
    /// How many rules there are.
    pub rules: usize,
    /// Those whose removal changes no result.
    pub unnoticed: Vec<RuleRef>,
}

impl FileResult {
    /// How many checks failed.
    pub fn failures(&self) -> usize {
        self.results.iter().filter(|result| result.state != State::Passed).count()
    }
}

/// What became of one check.
#[derive(Debug)]
pub struct CheckResult {
    /// What it is called.
    pub name: String,
    /// One-based line.
    pub line: usize,
    /// What became of it.
    pub state: State,
}

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It holds.
    Passed,
    /// It does not, and why.
    Failed(String),
}

/// Reads a settings file named by a test file; the answer is its path and text.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<(String, String), Failure>;

/// Runs every check of a file.
pub fn run(
    file: &TestFile,
    read: ReadFile<'_>,
    with_coverage: bool,
) -> Result<FileResult, Failure> {
    let subject = Prepared::new(file, read)?;
    let states: Vec<State> =
        file.checks.iter().map(|check| subject.check(check, &subject.policy)).collect();
    let coverage = with_coverage.then(|| subject.coverage(file, &states));
    let results = file
        .checks
        .iter()
        .zip(states)
        .map(|(check, state)| CheckResult { name: check.name.clone(), line: check.line, state })
        .collect();
    Ok(FileResult { name: file.name.clone(), results, coverage })
}

/// A test file with every policy it speaks about.
struct Prepared<'f> {
    file: &'f TestFile,
    policy: Policy,
    /// The other policy of each `diff`, by line.
    baselines: Vec<(usize, Policy)>,
}

impl<'f> Prepared<'f> {
    fn new(file: &'f TestFile, read: ReadFile<'_>) -> Result<Self, Failure> {
        let policy = load(file, &file.policy, read)?;
        let mut baselines = Vec::new();
        for check in &file.checks {
            if let Kind::Diff { baseline, .. } = &check.kind {
                baselines.push((check.line, load(file, baseline, read)?));
            }
        }
        Ok(Self { file, policy, baselines })
    }

    fn check(&self, check: &Check, policy: &Policy) -> State {
        match &check.kind {
            Kind::Case { question, expect, rule, mode } => {
                let stage =
                    Stage { mode: mode.or(self.file.stage.mode), ..self.file.stage.clone() };
                let verdict = stage.ask(policy, question);
                if verdict.decision != *expect {
                    return State::Failed(format!(
                        "expected {expect}, got {}: {}",
                        verdict.decision, verdict.reason
                    ));
                }
                let named = rule.as_ref().is_none_or(|rule| {
                    verdict.findings.iter().any(|finding| {
                        finding.decision == verdict.decision
                            && matches!(&finding.because, Because::Rule(by) if by.text == *rule)
                    })
                });
                if named {
                    State::Passed
                } else {
                    let rule = rule.as_deref().unwrap_or_default();
                    State::Failed(format!(
                        "expected the rule `{rule}` to decide, but {}",
                        verdict.reason
                    ))
                }
            }
            Kind::ForAll { pattern, bound } => {
                let Some(pattern) = self.pattern(pattern) else {
                    return State::Failed(format!("`{pattern}` cannot be read as a rule"));
                };
                let assertion = Assertion { pattern, bound: *bound };
                match hold(policy, &self.file.stage, &assertion, Limits::THOROUGH.steps) {
                    Holds::Yes { .. } => State::Passed,
                    Holds::No(witness) => State::Failed(format!(
                        "`{}` is {}: {}",
                        witness.question.display(),
                        witness.decision,
                        witness.note
                    )),
                    Holds::Unknown => State::Failed(
                        "it could not be proved for every call, which counts as not proved".into(),
                    ),
                }
            }
            Kind::Diff { only_tighter, .. } => {
                let baseline = self.baselines.iter().find(|(line, _)| *line == check.line);
                let Some((_, baseline)) = baseline else {
                    return State::Failed("the other policy was not read".into());
                };
                let found = diff(baseline, policy, &self.file.stage, &Limits::THOROUGH);
                let broken = if *only_tighter { found.gives_access() } else { !found.is_empty() };
                if !broken {
                    return State::Passed;
                }
                let flip =
                    found.flips.iter().find(|flip| !only_tighter || flip.cell.to < flip.cell.from);
                let why = match flip.and_then(|flip| Some((flip, flip.changes.first()?))) {
                    Some((flip, change)) => format!(
                        "`{}` was {} and is {}: {}",
                        change.question.display(),
                        flip.cell.from,
                        flip.cell.to,
                        change.after
                    ),
                    None => found.settings.first().map_or_else(
                        || {
                            let doubt = found.doubts.first();
                            doubt.map_or_else(String::new, |doubt| {
                                format!("it could not be proved: {}", doubt.text)
                            })
                        },
                        |change| {
                            format!(
                                "`{}` was {} and is {}",
                                change.key, change.before, change.after
                            )
                        },
                    ),
                };
                State::Failed(why)
            }
        }
    }

    /// A pattern as a rule of the file's policy, so that its paths start where that one's do.
    fn pattern(&self, pattern: &str) -> Option<portcullis_policy::PolicyRule> {
        let text = serde_json::json!({ "permissions": { "deny": [pattern] } }).to_string();
        let layer = Layer::new(self.file.scope, "pattern", text, root(self.file));
        assemble(&[layer], &place(self.file)).deny.list.into_iter().next()
    }

    /// Takes out one rule after the other and sees whether a check notices.
    fn coverage(&self, file: &TestFile, states: &[State]) -> Coverage {
        let mut unnoticed = Vec::new();
        let lists = [&self.policy.deny, &self.policy.ask, &self.policy.allow];
        let rules = lists.iter().map(|list| list.list.len()).sum();
        for (which, list) in lists.into_iter().enumerate() {
            for index in 0..list.list.len() {
                let mut less = self.policy.clone();
                let mut kept = list.list.clone();
                let rule = kept.remove(index);
                let place = match which {
                    0 => &mut less.deny,
                    1 => &mut less.ask,
                    _ => &mut less.allow,
                };
                *place = Rules::new(kept);
                let noticed = file.checks.iter().zip(states).any(|(check, state)| {
                    (*state == State::Passed) != (self.check(check, &less) == State::Passed)
                });
                if !noticed {
                    unnoticed.push(rule.reference);
                }
            }
        }
        Coverage { rules, unnoticed }
    }
}

fn load(file: &TestFile, names: &[String], read: ReadFile<'_>) -> Result<Policy, Failure> {
    let mut layers = Vec::new();
    for name in names {
        let (path, text) = read(name)?;
        layers.push(Layer::new(file.scope, path, text, root(file)));
    }
    // Within one scope the later layer outranks, and the file names the highest first.
    layers.reverse();
    let policy = assemble(&layers, &place(file));
    let broken = policy
        .diagnostics
        .iter()
        .find(|diagnostic| diagnostic.severity == Severity::Error && diagnostic.span.is_some());
    match broken {
        Some(diagnostic) => {
            let source = &diagnostic.source;
            Err(Failure::input(format!(
                "`{}:{}:{}`: {}",
                source.file, source.line, source.column, diagnostic.message
            ))
            .hint(diagnostic.hint.clone()))
        }
        None => Ok(policy),
    }
}

/// Where `/p` patterns of the tested settings start.
fn root(file: &TestFile) -> AbsPath {
    match file.scope {
        Scope::User => file.stage.home.join(".claude").unwrap_or_else(|_| file.stage.home.clone()),
        Scope::Managed => AbsPath::root(),
        Scope::Project | Scope::Local | Scope::CommandLine => file.stage.project.clone(),
    }
}

fn place(file: &TestFile) -> Place {
    Place {
        start: file.stage.project.clone(),
        project_root: file.stage.project.clone(),
        home: file.stage.home.clone(),
    }
}
