//! The grammar of the audit and of what belongs to it.

use super::PolicyArgs;
use clap::{Args, ValueEnum};

/// Arguments of `audit`.
#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a flag each, and the grammar takes them apart")]
pub struct AuditArgs {
    /// Recorded sessions for the report, as `replay` takes them
    #[arg(value_name = "HISTORY")]
    pub history: Vec<String>,
    /// Writes SARIF 2.1.0
    #[arg(long, conflicts_with = "json")]
    pub sarif: bool,
    /// Writes one HTML page
    #[arg(long, conflicts_with_all = ["json", "sarif"])]
    pub html: bool,
    /// With --html: another settings file to compare with
    #[arg(long, value_name = "FILE", requires = "html")]
    pub against: Option<String>,
    /// Writes to a file instead of the standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<String>,
    /// The least severity that counts as found
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = FailOn::Warning)]
    pub fail_on: FailOn,
    /// Findings that are accepted, with reasons and ends
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<String>,
    /// Writes a baseline that accepts what is found
    #[arg(long)]
    pub write_baseline: bool,
    /// Takes out rules that change no verdict, having proved it
    #[arg(long)]
    pub fix: bool,
    /// With --fix: shows what would be done
    #[arg(long, requires = "fix")]
    pub dry_run: bool,
    /// Allows proofs and trials to take long
    #[arg(long)]
    pub thorough: bool,
    /// The day baselines are compared with
    #[arg(long, value_name = "DATE", hide = true)]
    pub today: Option<String>,
    /// Which policy.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// The least severity that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Errors only
    Error,
    /// Errors and warnings
    Warning,
    /// Everything
    Note,
}

/// Arguments of `diff`.
#[derive(Args, Clone, Debug)]
pub struct DiffArgs {
    /// Two settings files, or one to compare with the settings in force
    #[arg(value_name = "OLD NEW", num_args = 0..=2)]
    pub files: Vec<String>,
    /// Compares with how the settings were at a commit
    #[arg(long, value_name = "REV")]
    pub git: Option<String>,
    /// Only what is looser counts
    #[arg(long)]
    pub no_new_access: bool,
    /// Writes to a file instead of the standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<String>,
    /// Allows proofs to take long
    #[arg(long)]
    pub thorough: bool,
    /// Which policy.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// Arguments of `test`.
#[derive(Args, Clone, Debug)]
pub struct TestArgs {
    /// Test files, or directories that hold some
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Also finds rules that no test notices
    #[arg(long)]
    pub coverage: bool,
    /// Writes `JUnit` XML
    #[arg(long, conflicts_with = "json")]
    pub junit: bool,
}

/// Arguments of `replay`.
#[derive(Args, Clone, Debug)]
pub struct ReplayArgs {
    /// Transcripts, or directories that hold some; without one, where agents keep theirs
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
    /// Another settings file to compare with
    #[arg(long, value_name = "FILE")]
    pub against: Option<String>,
    /// Keeps what was read, so that the next run reads on from there
    #[arg(long, value_name = "FILE")]
    pub state: Option<String>,
    /// How many calls of each kind are shown
    #[arg(long, value_name = "N", default_value_t = 15)]
    pub top: usize,
    /// Shows what looks like a secret
    #[arg(long)]
    pub no_redact: bool,
    /// Which policy.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// Arguments of `suggest`.
#[derive(Args, Clone, Debug)]
pub struct SuggestArgs {
    /// Transcripts, or directories that hold some; without one, where agents keep theirs
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
    /// Keeps what was read, so that the next run reads on from there
    #[arg(long, value_name = "FILE")]
    pub state: Option<String>,
    /// The least sessions that asked for a rule
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub min_sessions: usize,
    /// The least prompts a rule spares
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub min_prompts: usize,
    /// How many rules at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
    /// Which policy.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// Arguments of `policy init`.
#[derive(Args, Clone, Debug)]
pub struct InitArgs {
    /// The policy; without one, all are listed
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Where to write it, if not to `.claude/settings.json` of the project
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<String>,
    /// Shows what it means and writes nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The project
    #[arg(long, value_name = "DIR")]
    pub project_root: Option<String>,
    /// The home directory
    #[arg(long, value_name = "DIR")]
    pub home: Option<String>,
}
