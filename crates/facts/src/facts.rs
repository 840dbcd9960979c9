//! What a tool call would do, as plain data.

use crate::{Access, Arg, RemovalKind};
use portcullis_model::{AbsPath, Reason, Span, TextSet, ToolCall};
use std::collections::BTreeMap;

/// Everything a decision needs to know about a call but the policy and the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The call itself.
    pub call: ToolCall,
    /// What kind of call it is.
    pub action: Action,
    /// Every command that could run, in the order they are written; payloads follow their carrier.
    pub commands: Vec<CommandFact>,
    /// Every file that a command, a redirect or the tool itself would touch.
    pub accesses: Vec<AccessFact>,
    /// Every redirect, for display and comparison; those that touch files are in `accesses` too.
    pub redirects: Vec<RedirectFact>,
    /// Assignments that stay in the shell.
    pub assignments: Vec<AssignmentFact>,
    /// What could not be known.
    pub obstacles: Vec<ObstacleFact>,
    /// Invisible characters inside quotes, flagged for display.
    pub display_flags: Vec<Span>,
    /// Questions that only a disk can answer. A missing answer can only raise the verdict.
    pub probes: Vec<Probe>,
}

/// What kind of call it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A shell command.
    Shell {
        /// The command text.
        command: String,
        /// The caller asks to leave the sandbox.
        leave_sandbox: bool,
        /// The command has at least one command, redirect or assignment in it.
        empty: bool,
    },
    /// A tool that reads or writes one path.
    File,
    /// A fetch of one URL.
    Fetch(HostFact),
    /// A change of directory.
    Directory,
    /// Any other tool.
    Other,
    /// The call lacks the field that says what it does, or the field is not text.
    Malformed(String),
}

/// The host of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFact {
    /// The URL as given.
    pub url: String,
    /// The host both readings of the URL agree on: lower-case ASCII, no trailing dot.
    pub host: Option<String>,
    /// Other hosts a different reading of the URL finds; deny and ask rules look here too.
    pub other_hosts: Vec<String>,
    /// The path, for preapproved hosts that hold only below a path.
    pub path: String,
    /// Why the URL needs a person to look at it.
    pub problem: Option<String>,
}

/// One command that could run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent answers about one command, each read on its own"
)]
pub struct CommandFact {
    /// Where it stands.
    pub span: Span,
    /// Its words, as far as they are known without looking at variables.
    pub argv: Vec<Arg>,
    /// The commands under its wrappers, outermost first, that every rule class looks through to.
    pub peeled: Vec<Vec<Arg>>,
    /// How it came to be.
    pub origin: Origin,
    /// It may run, or may not: a match is never certain.
    pub possible: bool,
    /// The texts rules are matched against.
    pub forms: Vec<Form>,
    /// Runs without a prompt in every mode, or why not.
    pub read_only: Result<(), String>,
    /// It changes directory or is otherwise a harmless builtin that needs no rule of its own.
    pub cd: Option<CdFact>,
    /// What it takes away, if it is a program that does.
    pub removal: Option<RemovalFact>,
    /// One of the file commands that acceptEdits lets run inside the working directories.
    pub edits: bool,
    /// A program whose operands are judged against Read and Edit rules and working directories.
    pub file_command: bool,
    /// What forbids every allow rule narrower than a bare `Bash`.
    pub obstacles: Vec<Reason>,
    /// Only an exact rule for the whole command, or a bare `Bash`, allows it.
    pub exact_only: bool,
    /// Its leading assignments are all safe and static.
    pub safe_assignments: bool,
    /// It stands in a `for` loop, group, subshell or function or under `time`, where the built-in
    /// allowance for read-only commands does not reach.
    pub enclosed: bool,
    /// Written so that a person may misread it, or where a rule does not reach: nothing narrower than
    /// a bare `Bash` rule allows it. Says why.
    pub obscured: Option<&'static str>,
    /// It stands in a command or process substitution.
    pub substituted: bool,
    /// It stands inside a compound command.
    pub nested: bool,
    /// It runs git, which reads configuration and hooks of the directory it runs in.
    pub git: bool,
    /// Guessed from the words of a program that no table knows: not reported as a command.
    pub guessed: bool,
    /// Absolute globs of words that bring in file names as they are: one that begins with a dash is taken for
    /// an option.
    pub bare_globs: Vec<String>,
}

impl CommandFact {
    /// Whether it needs cover of its own; what others carry is judged by deny and ask rules only.
    pub fn needs_cover(&self) -> bool {
        match self.origin {
            Origin::Written => true,
            Origin::Payload | Origin::Refined | Origin::SecondReader | Origin::Lossy => false,
        }
    }

    /// How it reads in a finding.
    pub fn display(&self) -> String {
        let mut out = String::new();
        for arg in &self.argv {
            if !out.is_empty() {
                out.push(' ');
            }
            match arg {
                Arg::Known(word) => portcullis_model::push_quoted_word(&mut out, word),
                Arg::One { prefix, suffix } | Arg::Many { prefix, suffix } => {
                    out.extend([prefix.as_str(), "…", suffix]);
                }
                Arg::Glob(glob) => out.push_str(glob),
            }
        }
        out
    }
}

/// How a command came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// It is written in the command text, or in a substitution or function of it.
    Written,
    /// Another command runs it: a script given as text, an argument of a wrapper.
    Payload,
    /// As one of the others, with the values of variables assigned in the same text filled in.
    Refined,
    /// Only the second reader saw it.
    SecondReader,
    /// From the raw text, split at every metacharacter.
    Lossy,
}

/// One text set of a command that rules are matched against.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent answers about one text, each read on its own"
)]
pub struct Form {
    /// The canonical texts.
    pub texts: TextSet,
    /// The source text, where it stands as such in the command.
    pub source: Option<String>,
    /// Whether an allow rule may match it, or deny and ask rules only.
    pub allows: bool,
    /// It is the whole command, nothing stripped.
    pub whole: bool,
    /// It starts with a wrapper that runs the command the facts are about.
    pub wrapped: bool,
}

/// What a command takes away: each target as written and as a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovalFact {
    /// What happens to the targets.
    pub kind: RemovalKind,
    /// The targets.
    pub targets: Vec<RemovalTarget>,
    /// A target is a variable followed by a slash, or by a slash and a glob: with the variable empty
    /// that is the root directory.
    pub under_variable: bool,
}

/// One target of a removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovalTarget {
    /// The argument.
    pub arg: Arg,
    /// Where that may be.
    pub place: Place,
    /// The directories the command may run in; `None` where that is unknown.
    pub cwd: Option<Vec<AbsPath>>,
}

impl Form {
    /// A form that only deny and ask rules match.
    pub fn restricting(texts: TextSet) -> Self {
        Self { texts, source: None, allows: false, whole: false, wrapped: false }
    }
}

/// A `cd` with what is known of its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CdFact {
    /// The directories it may change to; `None` where that is unknown.
    pub targets: Option<Vec<AbsPath>>,
    /// It stays where it is.
    pub stays: bool,
}

/// Who touches a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Accessor {
    /// The tool itself.
    Tool,
    /// A redirect; the command that carries it, if there is one.
    Redirect(Option<usize>),
    /// An operand of the command with this index.
    Operand(usize),
}

/// One file that is touched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent answers about one access, each read on its own"
)]
pub struct AccessFact {
    /// How.
    pub access: Access,
    /// By whom.
    pub by: Accessor,
    /// How it is written.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// Which paths that may be.
    pub place: Place,
    /// A directory operand with everything below it.
    pub recursive: bool,
    /// Of what is below, names that start with a dot are left out.
    pub visible_only: bool,
    /// A search hands on what it finds below the place: of what is there, this. Together with `recursive`.
    pub found: Option<Found>,
    /// Only deny and ask rules look at it: a wrapper or payload carries it.
    pub carried: bool,
    /// It has a `..` after a name: where that leads depends on symlinks.
    pub climbs: bool,
    /// The directories that it leaves by `..`.
    pub climbed: Vec<AbsPath>,
    /// Any word of a command whose program is not known: it may be a file, or not.
    pub guessed: bool,
    /// The same with the values of its variables stands beside it, and they are all there are: deny
    /// and ask rules look there.
    pub settled: bool,
    /// The spelling needs approval however harmless the path is: `~`, a glob or an unknown as the
    /// target of an output redirect.
    pub dynamic: bool,
}

/// What a search picks of everything below a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Globs of `fnmatch(3)`, one of which the last component is like, in any case; none where it may be
    /// any name.
    pub names: Vec<String>,
    /// The paths are cut into words on the way (`xargs` without `-0`), so one that holds a blank, a quote
    /// or a backslash may become any other.
    pub is_cut: bool,
}

impl AccessFact {
    /// What the command with this index may do to a file, for all that is known: deny and ask rules alone
    /// look at it.
    pub(crate) fn guess(
        access: Access,
        index: usize,
        text: &str,
        span: Span,
        place: Place,
    ) -> Self {
        Self {
            access,
            by: Accessor::Operand(index),
            text: text.to_owned(),
            span,
            place,
            recursive: false,
            found: None,
            visible_only: false,
            carried: true,
            climbs: false,
            climbed: Vec::new(),
            dynamic: false,
            guessed: true,
            settled: false,
        }
    }
}

/// Where a path may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// One of these (several when the directory is one of several).
    Known(Vec<AbsPath>),
    /// Whatever this glob matches: absolute glob texts, one for each possible directory.
    Glob(Vec<String>),
    /// Somewhere; the texts it may have, as far as that is known.
    Unknown(TextSet),
    /// A device that is always free, or no file at all.
    Free,
}

/// A redirect as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectFact {
    /// The descriptor before the operator, as written.
    pub descriptor: Option<String>,
    /// The operator.
    pub op: &'static str,
    /// The target, where it is static.
    pub target: Option<String>,
}

/// Why something could not be known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObstacleFact {
    /// Why.
    pub reason: Reason,
    /// Which text.
    pub span: Span,
    /// More for a person.
    pub detail: String,
    /// What it means for a decision.
    pub weight: Weight,
}

/// What an obstacle means for a decision; later is heavier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Worth saying; what it is about is judged by other facts.
    Note,
    /// Nothing narrower than a bare `Bash` rule allows a call with it.
    NeedsBare,
    /// Any command may run: as `NeedsBare`, and every deny and ask rule for commands possibly matches.
    Opaque,
    /// The text may not read as bash reads it: asks even under a bare `Bash` rule.
    Unreadable,
}

/// A variable assignment that is not the prefix of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignmentFact {
    /// As written, up to the value.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// A known-safe variable with a static value.
    pub safe: bool,
}

/// What the disk answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Not even the directory of the call is there: nothing is known of what lies in it, and an empty answer
    /// says nothing.
    pub blind: bool,
    /// Where paths really lead.
    pub real: BTreeMap<AbsPath, Real>,
    /// Which paths globs match; a glob that was not looked up is missing.
    pub globs: BTreeMap<String, Vec<AbsPath>>,
    /// Everything below a directory that is read with all it holds, with where the links among it lead in
    /// `real`; missing where that is too much or cannot be told.
    pub below: BTreeMap<AbsPath, Vec<AbsPath>>,
}

/// Where a path really leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Real {
    /// The path with every symlink resolved, as far as its parts exist.
    pub path: AbsPath,
    /// The paths the resolution went through, link by link.
    pub hops: Vec<AbsPath>,
}

/// A question only a disk can answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Probe {
    /// Where does this path really lead?
    Real(AbsPath),
    /// Which paths does this absolute glob match, and where do they lead?
    Glob(String),
    /// What is below this directory? Only worth an answer where path rules could forbid a part.
    Below(AbsPath),
    /// The same for every directory that this absolute glob matches.
    BelowGlob(String),
    /// Which names does this absolute glob bring in? Where they lead does not matter.
    Names(String),
}
