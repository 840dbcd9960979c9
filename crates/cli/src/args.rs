//! The grammar of the command line.

mod reports;

pub use reports::{AuditArgs, DiffArgs, FailOn, InitArgs, ReplayArgs, SuggestArgs, TestArgs};

use crate::console::ColorChoice;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Decides what a coding agent may do, by the rules you already wrote.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "portcullis",
    version,
    about,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Exit status: 0 done or allow, 10 ask, 11 deny, 64 usage, 65 bad policy or input, 70 internal.\nExamples:\n  portcullis check 'git push && make'\n  portcullis explain Read ~/.ssh/id_ed25519\n  portcullis install --agent claude-code --user"
)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Writes JSON instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Gives the verdict for one call, or for many
    #[command(
        after_help = "Examples:\n  portcullis check 'git push && make'\n  portcullis check Read src/a.ts\n  portcullis check WebFetch https://docs.rs\n  portcullis check mcp__github__create_issue '{\"title\":\"x\"}'\n  portcullis check --deny 'Bash(git push *)' 'git -C . push'\n  portcullis check --batch < calls.jsonl"
    )]
    Check(CheckArgs),
    /// Shows everything behind a verdict, or what a code means
    #[command(
        after_help = "Examples:\n  portcullis explain 'cd pkg && timeout 30 npm test > out.log'\n  portcullis explain protected-path\n  portcullis explain --codes"
    )]
    Explain(ExplainArgs),
    /// Runs a command inside the boundary that the policy draws
    #[command(after_help = RUN_HELP)]
    Run(RunArgs),
    /// Answers one hook call of an agent
    #[command(
        after_help = "Reads the call as JSON on the standard input. Whatever goes wrong ends as a block (exit 2).\nExamples:\n  portcullis hook --host claude-code --event PreToolUse < call.json"
    )]
    Hook(HookArgs),
    /// Wires the hook into an agent's settings
    #[command(
        after_help = "Examples:\n  portcullis install --agent claude-code --user\n  portcullis install --agent claude-code --project --dry-run"
    )]
    Install(InstallArgs),
    /// Takes the hook out of an agent's settings
    #[command(after_help = "Examples:\n  portcullis uninstall --agent claude-code --user")]
    Uninstall(UninstallArgs),
    /// Shows the effective policy, or the layers it comes from
    #[command(
        after_help = "Examples:\n  portcullis policy show\n  portcullis policy list\n  portcullis policy show --policy team.json --json"
    )]
    Policy(PolicyCommandArgs),
    /// Says what a policy really means: dead, shadowed, too wide and weak rules
    #[command(
        after_help = "Exit status: 0 nothing found, 1 findings, 65 settings that cannot be used.\nExamples:\n  portcullis audit\n  portcullis audit --policy .claude/settings.json --sarif -o audit.sarif\n  portcullis audit --html -o audit.html ~/.claude/projects\n  portcullis audit --fix --dry-run\n  portcullis audit --baseline .claude/audit-baseline.toml --write-baseline"
    )]
    Audit(AuditArgs),
    /// Shows which calls change their verdict between two policies
    #[command(
        after_help = "Exit status: 0 equal (or, with --no-new-access, nothing looser), 1 different.\nExamples:\n  portcullis diff old.json new.json\n  portcullis diff --git HEAD~1\n  portcullis diff --git origin/main --no-new-access"
    )]
    Diff(DiffArgs),
    /// Runs the tests beside a policy
    #[command(
        after_help = "Exit status: 0 all hold, 1 some do not, 65 a test file that cannot be read.\nExamples:\n  portcullis test\n  portcullis test .claude/policy.test.toml --coverage\n  portcullis test policies --junit > report.xml"
    )]
    Test(TestArgs),
    /// Replays recorded sessions against a policy
    #[command(
        after_help = "Reads transcripts of Claude Code, rollouts of Codex and our own decision log. Secrets are masked.\nExamples:\n  portcullis replay\n  portcullis replay --against old.json ~/.claude/projects\n  portcullis replay --state replay.state ~/.codex/sessions"
    )]
    Replay(ReplayArgs),
    /// Proposes rules from recorded sessions
    #[command(
        after_help = "Proposes nothing that would run any code, write past the rules for edits or send data anywhere.\nExamples:\n  portcullis suggest\n  portcullis suggest --min-sessions 2 session.jsonl"
    )]
    Suggest(SuggestArgs),
    /// Looks for what is misconfigured
    #[command(after_help = "Examples:\n  portcullis doctor\n  portcullis doctor --json")]
    Doctor(DoctorArgs),
    /// Runs the proxy alone, for other sandboxes
    #[command(
        after_help = "Prints where it listens and serves until it is ended.\nExamples:\n  portcullis proxy --allow '*.example.org' --allow registry.npmjs.org:443\n  portcullis proxy --settings .claude/settings.json --ask terminal --log proxy.log\n  portcullis proxy --allow example.org --listen 127.0.0.1:3128 --no-auth"
    )]
    Proxy(ProxyArgs),
    /// Answers calls on a socket, by settings that are looked at for every call
    #[command(
        after_help = "Takes and gives JSON Lines as `check --batch` does, in any number of connections, until it is ended.\nA call belongs to its `project_root`; without one to the project its `cwd` lies in, which is up to whoever changes directories.\nWhat a settings file denied and asked for holds on while the file is broken.\nExamples:\n  portcullis serve\n  portcullis serve --socket ./portcullis.sock --no-discovery --deny 'Bash(curl *)'\n  echo '{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"ls\"}}' | nc -NU ./portcullis.sock"
    )]
    Serve(ServeArgs),
    /// Connects standard input and output to a host through the proxy
    #[command(
        after_help = "Made for ssh: ProxyCommand='portcullis connect %h %p'. The proxy is the one that ALL_PROXY or HTTPS_PROXY names.\nExamples:\n  portcullis connect github.com 22\n  portcullis connect --proxy http://127.0.0.1:3128 github.com 22"
    )]
    Connect(ConnectArgs),
    /// Writes the JSON Schema of a format
    #[command(
        after_help = "Examples:\n  portcullis schema\n  portcullis schema batch-output > batch-output.schema.json"
    )]
    Schema(SchemaArgs),
    /// Writes completions for a shell
    #[command(
        after_help = "Examples:\n  portcullis completions bash > ~/.local/share/bash-completion/completions/portcullis"
    )]
    Completions(CompletionsArgs),
    /// Writes a manual page
    #[command(
        after_help = "Examples:\n  portcullis man > portcullis.1\n  portcullis man check | man -l -"
    )]
    Man(ManArgs),
}

/// Which policy decides; the same everywhere.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Policy selection")]
pub struct PolicyArgs {
    /// Decides by this settings file instead of the discovered ones (repeatable)
    #[arg(long = "policy", value_name = "FILE")]
    pub policies: Vec<String>,
    /// Reads no settings but those that are named
    #[arg(long)]
    pub no_discovery: bool,
    /// The directory the session starts in
    #[arg(long, value_name = "DIR")]
    pub project_root: Option<String>,
    /// The home directory
    #[arg(long, value_name = "DIR")]
    pub home: Option<String>,
    /// The directory the call runs in
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<String>,
    /// The permission mode
    #[arg(long, value_name = "MODE")]
    pub mode: Option<String>,
    /// Adds a working directory (repeatable)
    #[arg(long = "add-dir", value_name = "DIR")]
    pub add_dirs: Vec<String>,
    /// Adds an allow rule (repeatable)
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<String>,
    /// Adds an ask rule (repeatable)
    #[arg(long, value_name = "RULE")]
    pub ask: Vec<String>,
    /// Adds a deny rule (repeatable)
    #[arg(long, value_name = "RULE")]
    pub deny: Vec<String>,
    /// Adds settings from a file or from JSON text (repeatable)
    #[arg(long, value_name = "FILE|JSON")]
    pub settings: Vec<String>,
}

/// Arguments of `check`.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// A shell command, a tool and its input, a JSON object, or `-` for the standard input
    #[arg(value_name = "CALL")]
    pub call: Vec<String>,
    /// Reads one JSON object a line and answers each with one
    #[arg(long, conflicts_with = "call")]
    pub batch: bool,
    /// Shows what the call was found to do
    #[arg(long)]
    pub facts: bool,
    /// Appends the decision to a log
    #[arg(long, value_name = "FILE", conflicts_with = "batch")]
    pub log: Option<String>,
    /// Which policy decides.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// Arguments of `serve`.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// The socket; without it `portcullis/serve.sock` in the user's runtime directory
    #[arg(long, value_name = "PATH")]
    pub socket: Option<String>,
    /// Shows what each call was found to do
    #[arg(long)]
    pub facts: bool,
    /// Which policy decides.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// Arguments of `explain`.
#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// A code, or a call as `check` takes it
    #[arg(value_name = "CODE|CALL")]
    pub call: Vec<String>,
    /// Lists every code
    #[arg(long, conflicts_with = "call")]
    pub codes: bool,
    /// Which policy decides.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// Arguments of `run`.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// Shows the boundary, with where every part is written, and runs nothing
    #[arg(long)]
    pub explain: bool,
    /// Throws away what the command writes, and lists what would have changed
    #[arg(long, conflicts_with = "explain")]
    pub dry_run: bool,
    /// Writes a JSON line for every denial to a file, or to an open descriptor
    #[arg(long, value_name = "FD|FILE")]
    pub report: Option<String>,
    /// The weakest boundary that will do; without it, the whole or nothing
    #[arg(long, value_name = "LEVEL", value_enum)]
    pub require: Option<BoundaryLevel>,
    /// Leaves the network as it is outside
    #[arg(long, value_name = "WHICH", value_enum)]
    pub allow_network: Option<AllowNetwork>,
    /// Who is asked about hosts on no list: `deny` (nobody), `terminal`, `unix:PATH`
    #[arg(long = "ask-hosts", value_name = "WHO", default_value = "deny")]
    pub ask_hosts: String,
    /// Passes an open descriptor on, beside 0, 1 and 2 (repeatable)
    #[arg(long = "pass-fd", value_name = "FD")]
    pub pass_fds: Vec<i32>,
    /// What the command may use.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Which policy decides.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// The command and its arguments
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    pub command: Vec<std::ffi::OsString>,
}

/// What a command may use.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Address space of one process, such as `512M`
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_memory: Option<u64>,
    /// Processes at a time
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_processes: Option<u64>,
    /// Processor time of one process, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_cpu: Option<u64>,
    /// Size of one written file, such as `1G`
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_file_size: Option<u64>,
    /// Time of the whole run, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: Option<u64>,
}

/// How strong a boundary has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BoundaryLevel {
    /// Namespaces, Landlock, supervised calls
    Full,
    /// The same, but the `/proc` of the container around
    NoProc,
    /// Landlock, supervised calls and system call filters
    Landlock,
}

impl BoundaryLevel {
    /// The backend that is at least as strong.
    pub fn backend(self) -> portcullis_sandbox::Backend {
        match self {
            Self::Full => portcullis_sandbox::Backend::Full,
            Self::NoProc => portcullis_sandbox::Backend::SharedProc,
            Self::Landlock => portcullis_sandbox::Backend::LandlockOnly,
        }
    }
}

/// A network that a command may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AllowNetwork {
    /// The host's own, unrestricted
    Host,
}

/// `run` parses its flags without the rest of the grammar, which takes longer to build than the
/// boundary.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "portcullis run",
    bin_name = "portcullis run",
    version,
    about = "Runs a command inside the boundary that the policy draws",
    after_help = RUN_HELP
)]
pub struct RunLine {
    /// The flags.
    #[command(flatten)]
    pub run: RunArgs,
    /// Writes JSON instead of text (`--explain`, failures)
    #[arg(long)]
    pub json: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
}

const RUN_HELP: &str = "The command's end is the end of `run`: the same status, or death by the same signal.\nExit status beside: 124 out of time, 125 portcullis failed, 126 not executable, 127 not found.\nExamples:\n  portcullis run -- npm test\n  portcullis run --explain\n  portcullis run --timeout 60 --max-memory 2G -- make -j4\n  sandbox-exec -- ./configure";

/// A number of bytes, with `K`, `M`, `G` or `T` for powers of 1024.
fn size(text: &str) -> Result<u64, String> {
    let (number, shift) = match text.trim_end_matches(['B', 'b', 'i']).char_indices().next_back() {
        Some((at, 'K' | 'k')) => (text.get(..at), 10),
        Some((at, 'M' | 'm')) => (text.get(..at), 20),
        Some((at, 'G' | 'g')) => (text.get(..at), 30),
        Some((at, 'T' | 't')) => (text.get(..at), 40),
        Some(_) | None => (Some(text), 0),
    };
    let number = number.and_then(|number| number.parse::<u64>().ok()).filter(|number| *number > 0);
    number
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| "write a size such as `512M` or `2G`".to_owned())
}

/// Arguments of `hook`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct HookArgs {
    /// The agent that calls
    #[arg(long, value_name = "AGENT", value_enum, default_value_t = Agent::ClaudeCode)]
    pub host: Agent,
    /// The event it calls for, which fixes how a failure is put
    #[arg(long, value_name = "EVENT")]
    pub event: Option<String>,
    /// Appends the decision to a log
    #[arg(long, value_name = "FILE")]
    pub log: Option<String>,
    /// Which policy decides.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// The worker of a hook call parses the same flags without the rest of the grammar.
#[derive(Clone, Debug, Parser)]
#[command(name = "portcullis hook")]
pub struct HookLine {
    /// The flags.
    #[command(flatten)]
    pub hook: HookArgs,
    /// Accepted everywhere; a hook's answer is JSON as it is.
    #[arg(long, hide = true)]
    pub json: bool,
    /// Accepted everywhere; a hook's answer has no colour.
    #[arg(long, hide = true, value_enum, default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
}

impl HookArgs {
    /// The flags of an installed hook, `--host claude-code --event EVENT`, without the grammar:
    /// building it takes longer than deciding an ordinary call.
    pub fn installed(args: &[std::ffi::OsString]) -> Option<Self> {
        let [host, agent, event, name] = args else { return None };
        let is_installed =
            host == "--host" && agent == Agent::ClaudeCode.word() && event == "--event";
        let event = name.to_str().filter(|name| !name.starts_with('-') && !name.is_empty())?;
        is_installed.then(|| Self {
            host: Agent::ClaudeCode,
            event: Some(event.to_owned()),
            log: None,
            policy: PolicyArgs::default(),
        })
    }
}

/// An agent whose hooks are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Agent {
    /// Claude Code
    ClaudeCode,
}

impl Agent {
    /// Its name in flags and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
        }
    }
}

/// Whose settings file is meant; user settings unless said otherwise.
#[derive(Args, Clone, Copy, Debug, Default)]
#[group(multiple = false)]
#[expect(clippy::struct_excessive_bools, reason = "a flag each, and the grammar takes one")]
pub struct LevelArgs {
    /// Your settings for every project (the default)
    #[arg(long)]
    user: bool,
    /// The project's settings, shared through its repository
    #[arg(long)]
    project: bool,
    /// Your settings for this project
    #[arg(long)]
    local: bool,
}

/// A settings file an agent reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The user's, for every project.
    User,
    /// The project's.
    Project,
    /// The user's, for this project.
    Local,
}

impl LevelArgs {
    /// The one that is meant.
    pub fn level(self) -> Level {
        if self.project {
            Level::Project
        } else if self.local {
            Level::Local
        } else {
            Level::User
        }
    }
}

/// Where an agent's settings are.
#[derive(Args, Clone, Debug)]
pub struct TargetArgs {
    /// The agent
    #[arg(long, value_name = "AGENT", value_enum)]
    pub agent: Agent,
    /// Whose settings.
    #[command(flatten)]
    pub level: LevelArgs,
    /// Shows the change and makes none
    #[arg(long)]
    pub dry_run: bool,
    /// The project
    #[arg(long, value_name = "DIR")]
    pub project_root: Option<String>,
    /// The home directory
    #[arg(long, value_name = "DIR")]
    pub home: Option<String>,
}

/// Arguments of `install`.
#[derive(Args, Clone, Debug)]
pub struct InstallArgs {
    /// Where to.
    #[command(flatten)]
    pub target: TargetArgs,
    /// The program the agent starts, if not this one
    #[arg(long, value_name = "PROGRAM")]
    pub program: Option<String>,
    /// Flags the hook is called with, such as `--policy` and its file
    #[arg(last = true, value_name = "HOOK FLAGS")]
    pub hook_flags: Vec<String>,
}

/// Arguments of `uninstall`.
#[derive(Args, Clone, Debug)]
pub struct UninstallArgs {
    /// Where from.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// Arguments of `policy`.
#[derive(Args, Clone, Debug)]
pub struct PolicyCommandArgs {
    /// What about the policy.
    #[command(subcommand)]
    pub command: PolicyCommand,
}

/// What to do with the policy.
#[derive(Clone, Debug, Subcommand)]
pub enum PolicyCommand {
    /// Shows every rule and switch that counts, and where it is written
    Show(PolicyViewArgs),
    /// Shows the settings layers, highest first, and their state
    List(PolicyViewArgs),
    /// Turns settings of the Sandbox Runtime into a `settings.json`
    #[command(
        after_help = "Writes the settings to the standard output, and what is not as it was to the error output.\nExit status: 0 carried over, 1 a restriction has no counterpart, 65 the file cannot be used.\nExamples:\n  portcullis policy import ~/.srt-settings.json > .claude/settings.local.json"
    )]
    Import(PolicyImportArgs),
    /// Starts from a shipped policy, and shows what it means
    #[command(
        after_help = "Examples:\n  portcullis policy init\n  portcullis policy init development-rust --dry-run\n  portcullis policy init locked-down --output review.json"
    )]
    Init(InitArgs),
}

/// Arguments of `policy import`.
#[derive(Args, Clone, Debug)]
pub struct PolicyImportArgs {
    /// The file, `-` for the standard input
    #[arg(value_name = "FILE", default_value = "~/.srt-settings.json")]
    pub file: String,
    /// The home directory
    #[arg(long, value_name = "DIR")]
    pub home: Option<String>,
}

/// Arguments of `policy show` and `policy list`.
#[derive(Args, Clone, Debug)]
pub struct PolicyViewArgs {
    /// Which policy.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// Arguments of `doctor`.
#[derive(Args, Clone, Debug)]
pub struct DoctorArgs {
    /// Which policy.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// Arguments of `proxy`.
#[derive(Args, Clone, Debug)]
pub struct ProxyArgs {
    /// Where to listen: an address of this machine's loopback, port 0 for any
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub listen: String,
    /// Serves every process of this machine, without a token
    #[arg(long)]
    pub no_auth: bool,
    /// Allows a host, as an entry of `allowedDomains` does (repeatable)
    #[arg(long, value_name = "DOMAIN")]
    pub allow: Vec<String>,
    /// Denies a host, as an entry of `deniedDomains` does (repeatable)
    #[arg(long, value_name = "DOMAIN")]
    pub deny: Vec<String>,
    /// Adds the lists of a settings file (repeatable)
    #[arg(long, value_name = "FILE")]
    pub settings: Vec<String>,
    /// The permission mode
    #[arg(long, value_name = "MODE")]
    pub mode: Option<String>,
    /// Who is asked about other hosts: `deny` (nobody), `terminal`, `stdio`, or `unix:PATH` of a socket
    #[arg(long, value_name = "WHO", default_value = "deny")]
    pub ask: String,
    /// Appends what happens to a file, as JSON Lines; `-` is the error output
    #[arg(long, value_name = "FILE")]
    pub log: Option<String>,
    /// Whether names may lead into private networks: `exact`, `allow` or `deny`, instead of what the
    /// settings say
    #[arg(long, value_name = "WHETHER")]
    pub private_addresses: Option<String>,
    /// Reaches everything through this proxy: `http://…` or `socks5h://…`
    #[arg(long, value_name = "URL")]
    pub upstream: Option<String>,
    /// What is reached directly all the same, as in `NO_PROXY`
    #[arg(long, value_name = "LIST", requires = "upstream")]
    pub no_proxy: Option<String>,
    /// Refuses anything but TLS on port 443
    #[arg(long)]
    pub only_tls: bool,
}

/// Arguments of `connect`.
#[derive(Args, Clone, Debug)]
pub struct ConnectArgs {
    /// The host
    #[arg(value_name = "HOST")]
    pub host: String,
    /// The port
    #[arg(value_name = "PORT")]
    pub port: String,
    /// The proxy, instead of the one the environment names
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
}

/// Arguments of `schema`.
#[derive(Args, Clone, Debug)]
pub struct SchemaArgs {
    /// The format; without one, all are listed
    #[arg(value_name = "FORMAT")]
    pub format: Option<String>,
}

/// Arguments of `completions`.
#[derive(Args, Clone, Copy, Debug)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Args, Clone, Debug)]
pub struct ManArgs {
    /// The command; without one, the page of the whole
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;
    use std::ffi::OsString;

    #[test]
    fn the_grammar_is_sound() {
        CommandLine::command().debug_assert();
        HookLine::command().debug_assert();
        RunLine::command().debug_assert();
    }

    #[test]
    fn sizes_are_numbers_with_units() {
        for (text, want) in [
            ("1", Some(1)),
            ("4K", Some(4096)),
            ("2MiB", Some(2 << 20)),
            ("1g", Some(1 << 30)),
            ("0", None),
            ("", None),
            ("-1", None),
            ("K", None),
            ("1.5G", None),
            ("99999999999T", None),
        ] {
            assert_eq!(size(text).ok(), want, "{text}");
        }
    }

    #[test]
    fn the_command_of_a_run_keeps_its_flags() {
        for (line, want) in [
            ("run -- ls -l", &["ls", "-l"][..]),
            ("run ls -l --json", &["ls", "-l", "--json"]),
            ("run --json -- --weird", &["--weird"]),
            ("run --timeout 5 sh -c x -- y", &["sh", "-c", "x", "--", "y"]),
        ] {
            let parsed = RunLine::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(parsed.run.command, want, "{line}");
        }
        assert!(RunLine::try_parse_from(["run", "--explian", "ls"]).is_err());
    }

    #[test]
    fn the_short_way_of_an_installed_hook_means_what_the_grammar_means() {
        for line in [
            "--host claude-code --event PreToolUse",
            "--host claude-code --event PermissionRequest",
            "--host claude-code --event Stop",
            "--host claude-code --event --deny",
            "--host claude-code --event",
            "--host emacs --event PreToolUse",
            "--event PreToolUse --host claude-code",
            "--host claude-code --event PreToolUse --no-discovery",
            "",
        ] {
            let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            let whole = std::iter::once(OsString::from("hook")).chain(args.iter().cloned());
            let parsed = HookLine::try_parse_from(whole).ok().map(|line| line.hook);
            if let Some(short) = HookArgs::installed(&args) {
                assert_eq!(Some(short), parsed, "{line}");
            }
        }
        let args = ["--host", "claude-code", "--event", "PreToolUse"].map(OsString::from);
        assert!(HookArgs::installed(&args).is_some());
    }
}
