//! The file format: TOML that people write by hand.

use crate::failure::Failure;
use portcullis_audit::{Bound, Question, Stage};
use portcullis_host::batch::tool_input;
use portcullis_model::{AbsPath, Decision, Mode, Scope};
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;

/// A test file, read.
#[derive(Debug)]
pub struct TestFile {
    /// The file as messages show it.
    pub name: String,
    /// Settings files, highest layer first, relative to the test file unless absolute.
    pub policy: Vec<String>,
    /// What layer they are.
    pub scope: Scope,
    /// The made-up machine the questions are asked on.
    pub stage: Stage,
    /// The checks in the order of the file.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Debug)]
pub struct Check {
    /// What reports call it.
    pub name: String,
    /// One-based line.
    pub line: usize,
    /// What it checks.
    pub kind: Kind,
}

/// What is checked.
#[derive(Debug)]
pub enum Kind {
    /// One call.
    Case {
        /// The call.
        question: Question,
        /// The verdict it has to get.
        expect: Decision,
        /// The rule that has to decide it.
        rule: Option<String>,
        /// The mode, where it is not the file's.
        mode: Option<Mode>,
    },
    /// Every call that a rule pattern matches.
    ForAll {
        /// The pattern, as a rule.
        pattern: String,
        /// The bound on verdicts.
        bound: Bound,
    },
    /// Another policy.
    Diff {
        /// Settings files of the other policy.
        baseline: Vec<String>,
        /// Nothing may be allowed or asked about that was stricter before; else nothing may differ.
        only_tighter: bool,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    policy: Option<Files>,
    scope: Option<Spanned<String>>,
    mode: Option<Spanned<String>>,
    project: Option<Spanned<String>>,
    home: Option<Spanned<String>>,
    #[serde(default)]
    case: Vec<Spanned<RawCase>>,
    #[serde(default)]
    forall: Vec<Spanned<RawForAll>>,
    #[serde(default)]
    diff: Vec<Spanned<RawDiff>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Files {
    One(String),
    Many(Vec<String>),
}

impl Files {
    fn list(self) -> Vec<String> {
        match self {
            Self::One(file) => vec![file],
            Self::Many(files) => files,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    bash: Option<String>,
    read: Option<String>,
    edit: Option<String>,
    write: Option<String>,
    fetch: Option<String>,
    tool: Option<String>,
    input: Option<toml::Table>,
    expect: Spanned<String>,
    rule: Option<String>,
    mode: Option<Spanned<String>>,
    why: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawForAll {
    calls: Spanned<String>,
    at_least: Option<Spanned<String>>,
    at_most: Option<Spanned<String>>,
    why: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDiff {
    baseline: Files,
    #[serde(default)]
    no_new_access: bool,
    why: Option<String>,
}

/// Reads a test file.
pub fn read(name: &str, text: &str) -> Result<TestFile, Failure> {
    let reader = Reader { name, text };
    let raw: Raw = toml::from_str(text).map_err(|error| {
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        reader.failure(error.span(), &message)
    })?;
    let project = reader.path(raw.project.as_ref(), "/project")?;
    let home = reader.path(raw.home.as_ref(), "/home/user")?;
    let mode = raw.mode.as_ref().map(|mode| reader.mode(mode)).transpose()?;
    let scope = match raw.scope.as_ref().map(|scope| scope.get_ref().as_str()) {
        None | Some("project") => Scope::Project,
        Some("user") => Scope::User,
        Some("local") => Scope::Local,
        Some("managed") => Scope::Managed,
        Some(_) => {
            let span = raw.scope.as_ref().map(Spanned::span);
            return Err(reader.failure(span, "`scope` is project, user, local or managed"));
        }
    };
    let stage = Stage { project, home, mode };
    let mut checks = Vec::new();
    for case in raw.case {
        checks.push(reader.case(case, &stage)?);
    }
    for forall in raw.forall {
        checks.push(reader.forall(forall)?);
    }
    for diff in raw.diff {
        let line = reader.line(diff.span().start);
        let diff = diff.into_inner();
        let baseline = diff.baseline.list();
        let what = if diff.no_new_access { "no more than" } else { "the same as" };
        let name = diff.why.unwrap_or_else(|| format!("{what} {}", baseline.join(", ")));
        let kind = Kind::Diff { baseline, only_tighter: diff.no_new_access };
        checks.push(Check { name, line, kind });
    }
    checks.sort_by_key(|check| check.line);
    let policy = raw.policy.map_or_else(|| vec!["settings.json".to_owned()], Files::list);
    Ok(TestFile { name: name.to_owned(), policy, scope, stage, checks })
}

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
}

impl Reader<'_> {
    fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }

    fn failure(&self, span: Option<Range<usize>>, message: &str) -> Failure {
        let at = span.map_or(0, |span| span.start);
        let line = self.line(at);
        let before = self.text.get(..at).unwrap_or("");
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Failure::input(format!("`{}:{line}:{column}`: {message}", self.name))
            .hint("the format is described in docs/audit.md, under policy tests")
    }

    fn path(&self, text: Option<&Spanned<String>>, default: &str) -> Result<AbsPath, Failure> {
        let given = text.map_or(default, |text| text.get_ref().as_str());
        AbsPath::parse(given).map_err(|_relative| {
            self.failure(text.map(Spanned::span), "a directory is an absolute path")
        })
    }

    fn mode(&self, word: &Spanned<String>) -> Result<Mode, Failure> {
        Mode::parse(word.get_ref()).ok_or_else(|| {
            let message = format!("`{}` is no permission mode", word.get_ref());
            self.failure(Some(word.span()), &message)
        })
    }

    fn decision(&self, word: &Spanned<String>) -> Result<Decision, Failure> {
        [Decision::Allow, Decision::Ask, Decision::Deny]
            .into_iter()
            .find(|each| each.word() == word.get_ref())
            .ok_or_else(|| {
                let message = format!("`{}` is not allow, ask or deny", word.get_ref());
                self.failure(Some(word.span()), &message)
            })
    }

    fn case(&self, case: Spanned<RawCase>, stage: &Stage) -> Result<Check, Failure> {
        let span = case.span();
        let case = case.into_inner();
        let place = |text: &str| {
            let joined = match text.strip_prefix("~/") {
                Some(rest) => stage.home.join(rest),
                None => stage.project.join(text),
            };
            joined.map_or_else(|_nul| text.to_owned(), |path| path.as_str().to_owned())
        };
        let mut questions = Vec::new();
        questions.extend(case.bash.map(Question::bash));
        questions.extend(case.read.map(|path| Question::read(&place(&path))));
        questions.extend(case.edit.map(|path| Question::edit(&place(&path))));
        let write = |path: String| Question::of("Write", "file_path", place(&path));
        questions.extend(case.write.map(write));
        questions.extend(case.fetch.map(|url| Question::fetch(&url)));
        if let Some(tool) = case.tool {
            let fields = serde_json::to_value(case.input.unwrap_or_default()).ok();
            let input = match fields {
                Some(serde_json::Value::Object(fields)) => tool_input(&fields),
                Some(_) | None => portcullis_model::ToolInput::default(),
            };
            let text = input.0.values().find_map(|value| value.scalar()).unwrap_or("").to_owned();
            questions.push(Question { tool, input, text });
        }
        let mut questions = questions.into_iter();
        let (Some(question), None) = (questions.next(), questions.next()) else {
            let message = "a case has one of `bash`, `read`, `edit`, `write`, `fetch` and `tool`";
            return Err(self.failure(Some(span), message));
        };
        let expect = self.decision(&case.expect)?;
        let mode = case.mode.as_ref().map(|mode| self.mode(mode)).transpose()?;
        let name = case.why.unwrap_or_else(|| question.display());
        let kind = Kind::Case { question, expect, rule: case.rule, mode };
        Ok(Check { name, line: self.line(span.start), kind })
    }

    fn forall(&self, forall: Spanned<RawForAll>) -> Result<Check, Failure> {
        let span = forall.span();
        let forall = forall.into_inner();
        let bound = match (&forall.at_least, &forall.at_most) {
            (Some(least), None) => Bound::AtLeast(self.decision(least)?),
            (None, Some(most)) => Bound::AtMost(self.decision(most)?),
            _ => {
                let message = "a `forall` has one of `at_least` and `at_most`";
                return Err(self.failure(Some(span), message));
            }
        };
        let pattern = forall.calls.get_ref().clone();
        if let Err(error) =
            portcullis_rules::Rule::parse(&pattern, portcullis_model::RuleClass::Deny)
        {
            return Err(self.failure(Some(forall.calls.span()), &error.message));
        }
        let words = match bound {
            Bound::AtLeast(decision) => format!("at least {decision}"),
            Bound::AtMost(decision) => format!("at most {decision}"),
        };
        let name = forall.why.unwrap_or_else(|| format!("every `{pattern}` is {words}"));
        Ok(Check { name, line: self.line(span.start), kind: Kind::ForAll { pattern, bound } })
    }
}
