//! Questions to the evaluator: one call each, on a made-up machine where every path is what it says.

use portcullis_engine::{Options, decide};
use portcullis_facts::tables::tools::{Content, content_of};
use portcullis_facts::{Answers, Facts, Probe, Real, gather};
use portcullis_model::{AbsPath, Decision, InputValue, Mode, ToolCall, ToolInput, Verdict};
use portcullis_policy::Policy;
use std::collections::BTreeMap;

/// Where questions are asked: what a verdict depends on beside the policy and the call.
///
/// There are no symlinks on it and no files a glob could match, so that the same question always has
/// the same answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The project: start directory and working directory.
    pub project: AbsPath,
    /// The home directory.
    pub home: AbsPath,
    /// The mode; `None` is the one the policy starts sessions in.
    pub mode: Option<Mode>,
}

impl Stage {
    /// The mode a policy is asked in.
    pub fn mode_under(&self, policy: &Policy) -> Mode {
        let own = policy.default_mode.as_ref().map(|(mode, _)| *mode);
        self.mode.or(own).unwrap_or(Mode::Default)
    }

    /// Asks one question.
    pub fn ask(&self, policy: &Policy, question: &Question) -> Verdict {
        self.judge(policy, &self.facts(question))
    }

    /// Asks one question in a directory of the project.
    pub fn ask_in(&self, policy: &Policy, question: &Question, cwd: &AbsPath) -> Verdict {
        self.judge(policy, &self.facts_in(question, cwd))
    }

    /// What a question is about, which no policy changes. The mode is set when it is judged.
    pub(crate) fn facts(&self, question: &Question) -> Facts {
        self.facts_in(question, &self.project)
    }

    pub(crate) fn facts_in(&self, question: &Question, cwd: &AbsPath) -> Facts {
        let call = ToolCall {
            tool: question.tool.clone(),
            input: question.input.clone(),
            cwd: cwd.clone(),
            project_root: self.project.clone(),
            home: self.home.clone(),
            mode: self.mode.unwrap_or(Mode::Default),
            additional_directories: Vec::new(),
            sandboxed: None,
            hook_answers: Vec::new(),
            shadowed: Vec::new(),
        };
        let program = if let Content::Command(field) = content_of(&call.tool)
            && let Some(text) = call.input.text(field)
        {
            Some(portcullis_shell::parse(text, &portcullis_shell::Options::default()))
        } else {
            None
        };
        gather(&call, program.as_ref())
    }

    /// The decision on one question, without everything that speaks for it.
    pub fn decision(&self, policy: &Policy, question: &Question) -> Decision {
        self.brief(policy, &self.facts(question)).decision
    }

    /// The verdict on prepared facts.
    pub(crate) fn judge(&self, policy: &Policy, facts: &Facts) -> Verdict {
        self.judge_with(policy, facts, Options::default())
    }

    /// The verdict on prepared facts, naming no more than the decision takes.
    pub(crate) fn brief(&self, policy: &Policy, facts: &Facts) -> Verdict {
        self.judge_with(policy, facts, Options { decision_only: true, ..Options::default() })
    }

    fn judge_with(&self, policy: &Policy, facts: &Facts, options: Options) -> Verdict {
        let mode = self.mode_under(policy);
        let answers = plain_answers(policy, facts);
        if facts.call.mode == mode {
            return decide(policy, facts, &answers, options);
        }
        let mut facts = facts.clone();
        facts.call.mode = mode;
        decide(policy, &facts, &answers, options)
    }
}

/// Every path is what it says, every glob matches nothing, every directory is empty.
fn plain_answers(policy: &Policy, facts: &Facts) -> Answers {
    let mut answers = Answers::default();
    let directories = policy.directories.iter().map(|directory| &directory.path);
    let probed = facts.probes.iter().filter_map(|probe| match probe {
        Probe::Real(path) => Some(path),
        Probe::Glob(_) | Probe::Names(_) | Probe::Below(_) | Probe::BelowGlob(_) => None,
    });
    for path in directories.chain(probed) {
        answers.real.insert(path.clone(), Real { path: path.clone(), hops: Vec::new() });
    }
    for probe in &facts.probes {
        match probe {
            // What matches nothing holds nothing.
            Probe::Real(_) | Probe::BelowGlob(_) => {}
            Probe::Glob(glob) | Probe::Names(glob) => {
                answers.globs.insert(glob.clone(), Vec::new());
            }
            Probe::Below(directory) => {
                answers.below.insert(directory.clone(), Vec::new());
            }
        }
    }
    answers
}

/// One tool call to ask about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The tool.
    pub tool: String,
    /// Its input.
    pub input: ToolInput,
    /// The input as a person writes it: the command, the path, the URL.
    pub text: String,
}

impl Question {
    /// A shell command.
    pub fn bash(command: impl Into<String>) -> Self {
        Self::of("Bash", "command", command)
    }

    /// A call whose meaning is one text field.
    pub fn of(tool: &str, field: &str, text: impl Into<String>) -> Self {
        let text = text.into();
        let fields = BTreeMap::from([(field.to_owned(), InputValue::Text(text.clone()))]);
        Self { tool: tool.to_owned(), input: ToolInput(fields), text }
    }

    /// A call with nothing in it.
    pub fn bare(tool: &str) -> Self {
        Self { tool: tool.to_owned(), input: ToolInput::default(), text: String::new() }
    }

    /// A read of a file.
    pub fn read(path: &str) -> Self {
        Self::of("Read", "file_path", path)
    }

    /// An edit of a file.
    pub fn edit(path: &str) -> Self {
        Self::of("Edit", "file_path", path)
    }

    /// A fetch of a URL.
    pub fn fetch(url: &str) -> Self {
        Self::of("WebFetch", "url", url)
    }

    /// As a person reads it: a command as it is, anything else behind its tool.
    pub fn display(&self) -> String {
        match self.tool.as_str() {
            "Bash" => self.text.clone(),
            tool if self.text.is_empty() => tool.to_owned(),
            tool => format!("{tool} {}", self.text),
        }
    }
}
