//! The command line `portcullis`.
//!
//! In: arguments, the environment and the standard input. Out: text or JSON, and an exit status. This
//! crate decides nothing: it selects a policy, hands calls to `portcullis-host`, and shows what comes
//! back. Start with [`run`]; the grammar is in [`args`], the hook's process pair in [`hook`].
#![forbid(unsafe_code)]

pub mod args;
pub mod baseline;
mod call;
pub mod codes;
mod commands;
pub mod console;
pub mod environment;
pub mod failure;
mod git;
pub mod history;
pub mod hook;
mod lines;
pub mod policy_test;
pub mod render;
pub mod replayed;
pub mod report;
mod run;
pub mod session;
mod tables;

use crate::args::{Command, CommandLine, PolicyCommand};
use crate::commands::{
    audit, check, connect, diff, doctor, import, init, install, policy, printed, proxy, replay,
    serve, suggest, test,
};
use crate::console::{ColorChoice, Palette, Reply};
use crate::failure::{Failure, Status};
use clap::Parser as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

pub use crate::commands::printed::SCHEMAS;

/// The name under which the program is `portcullis run`.
pub const ALIAS: &str = "sandbox-exec";

/// Runs the command line of a process: its name, which may be [`ALIAS`], and its arguments.
pub fn run_process(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let name = args.next().unwrap_or_default();
    let alias = std::path::Path::new(&name).file_name().is_some_and(|name| name == ALIAS);
    let first = alias.then(|| OsString::from("run"));
    run(first.into_iter().chain(args).collect())
}

/// Runs the command line; `args` are the arguments after the program's name.
pub fn run(args: Vec<OsString>) -> ExitCode {
    // A hook call takes its own way before anything else is built or parsed.
    match args.split_first() {
        Some((word, rest))
            if word == "hook" && !rest.iter().any(|arg| arg == "--help" || arg == "-h") =>
        {
            return ExitCode::from(hook::run(rest));
        }
        Some((word, rest)) if word == "run" => return run::run(rest),
        Some(_) | None => {}
    }
    let as_json = args.iter().any(|arg| arg == "--json");
    let reply = catch_unwind(AssertUnwindSafe(|| reply(args))).unwrap_or_else(|_panic| {
        let failure = Failure::internal("portcullis failed in a way it should not")
            .hint("please report the command line and the version");
        Reply::failure(&failure, as_json, Palette::PLAIN)
    });
    reply.write().into()
}

fn reply(args: Vec<OsString>) -> Reply {
    let as_json = args.iter().any(|arg| arg == "--json");
    let line = std::iter::once(OsString::from("portcullis")).chain(args);
    let line = match CommandLine::try_parse_from(line) {
        Ok(line) => line,
        Err(error) => return parse_reply(&error, as_json),
    };
    let palette = Palette::detect(line.color);
    let reply = match &line.command {
        Command::Check(args) => check::check(args, line.json, palette),
        Command::Explain(args) => check::explain(args, line.json, palette),
        // Reached by `--json hook` and the like: the flags before the command are not for a hook.
        Command::Run(_) => Err(Failure::usage("flags come after `run`, not before it")),
        Command::Hook(_) => Err(Failure::usage("flags come after `hook`, not before it")),
        Command::Install(args) => install::install(args, line.json, palette),
        Command::Uninstall(args) => install::uninstall(args, line.json, palette),
        Command::Policy(args) => match &args.command {
            PolicyCommand::Show(args) => policy::show(args, line.json, palette),
            PolicyCommand::List(args) => policy::list(args, line.json, palette),
            PolicyCommand::Import(args) => import::import(args, line.json, palette),
            PolicyCommand::Init(args) => init::init(args, line.json, palette),
        },
        Command::Audit(args) => audit::check(args, line.json, palette),
        Command::Diff(args) => diff::compare(args, line.json, palette),
        Command::Test(args) => test::test(args, line.json, palette),
        Command::Replay(args) => replay::run(args, line.json, palette),
        Command::Suggest(args) => suggest::run(args, line.json, palette),
        Command::Doctor(args) => doctor::doctor(args, line.json, palette),
        Command::Proxy(args) => proxy::proxy(args, line.json),
        Command::Serve(args) => serve::serve(args, line.json),
        Command::Connect(args) => connect::connect(args),
        Command::Schema(args) => printed::schema(args, line.json),
        Command::Completions(args) => printed::completions(*args),
        Command::Man(args) => printed::man(args),
    };
    reply.unwrap_or_else(|failure| Reply::failure(&failure, line.json, palette))
}

fn parse_reply(error: &clap::Error, as_json: bool) -> Reply {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Reply::text(error.to_string(), Status::Done)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Reply { stdout: String::new(), stderr: error.to_string(), status: Status::Usage }
        }
        _ => {
            let palette = Palette::detect(ColorChoice::Auto);
            Reply::failure(&usage_failure(error), as_json, palette)
        }
    }
}

/// An error of the argument parser in our form: one line, user input in backticks, the cure apart.
fn usage_failure(error: &clap::Error) -> Failure {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let message = first.strip_prefix("error: ").unwrap_or(first).replace('\'', "`");
    let failure = Failure::usage(message.trim_end_matches(':').trim());
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(vec![text.clone()]),
        Some(ContextValue::Strings(texts)) => Some(texts.clone()),
        _ => None,
    };
    let quoted = |texts: Vec<String>| {
        texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
    };
    let meant =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue]
            .into_iter()
            .find_map(context);
    let hint = match (meant, error.kind()) {
        (Some(meant), _) => format!("did you mean {}?", quoted(meant)),
        (None, ErrorKind::InvalidValue) => match context(ContextKind::ValidValue) {
            Some(values) if !values.is_empty() => format!("one of {}", quoted(values)),
            Some(_) | None => "see `--help`".to_owned(),
        },
        (None, ErrorKind::UnknownArgument) => {
            "quote a command that has flags of its own, as in `portcullis check 'git push --force'`; see `--help`"
                .to_owned()
        }
        (None, ErrorKind::MissingRequiredArgument) => match context(ContextKind::InvalidArg) {
            Some(missing) => format!("give {}", quoted(missing)),
            None => "see `--help`".to_owned(),
        },
        (None, _) => "see `--help`".to_owned(),
    };
    failure.hint(hint)
}
