//! `run` and `sandbox-exec`: a command inside the boundary that the policy draws.
//!
//! Nothing is decided here: a policy and the machine become a profile, and the profile goes to the
//! sandbox. Whatever keeps the command from starting is one line on the error output and status 125.

mod boundary;
mod changes;
mod denials;
mod network;

pub(crate) use boundary::{available, program_path, weakest_of};

use crate::args::{BoundaryLevel, RunArgs, RunLine};
use crate::console::Palette;
use crate::environment;
use crate::failure::Failure;
use crate::render::profile;
use crate::session::{Session, Surroundings, plain};
use boundary::Boundary;
use clap::Parser as _;
use clap::error::ErrorKind;
use network::WayOut;
use portcullis_host::claude_code::shown;
use portcullis_profile::NetworkAccess;
use portcullis_sandbox::{Backend, End, Plan, Request, SignalRelay, Writes, prepare, probe};
use serde_json::json;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// The status where nothing was run because of us.
const FAILED: u8 = 125;

/// Runs a command line; the command's own end is the end of this process.
pub(crate) fn run(args: &[OsString]) -> ExitCode {
    let as_json = args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    let line = std::iter::once(OsString::from("run")).chain(args.iter().cloned());
    let ended = match RunLine::try_parse_from(line) {
        Ok(line) => start(&line),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                return written(io::stdout().write_all(error.to_string().as_bytes()));
            }
            _ => Err(crate::usage_failure(&error)),
        },
    };
    match ended {
        // A command's own end is this process's: the same status, or death by the same signal.
        Ok(Ended::Command(end)) => end.relay(),
        Ok(Ended::Explained(text)) => written(io::stdout().write_all(text.as_bytes())),
        Err(failure) => {
            say_failure(&failure, as_json);
            ExitCode::from(FAILED)
        }
    }
}

enum Ended {
    Command(End),
    Explained(String),
}

fn start(line: &RunLine) -> Result<Ended, Failure> {
    let args = &line.run;
    let surroundings = Surroundings::of_process(&args.policy)?;
    let session = Session::open(&args.policy, surroundings)?;
    let capabilities = probe();
    let mut boundary = Boundary::draw(&session, args)?;
    if args.explain {
        return explain(&session, &boundary, args, &capabilities, line);
    }
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Failure::usage("no command is given")
            .hint("write it after `--`, as in `portcullis run -- make test`"));
    };
    boundary.check_start(&session)?;
    tell_second_names(&boundary, args)?;
    let mut way_out = match boundary.profile.network {
        NetworkAccess::Domains { .. } => Some(WayOut::plan(&session, args)?),
        NetworkAccess::None | NetworkAccess::Host => None,
    };
    if let Some(way_out) = &way_out {
        boundary.profile.environment.set.extend(way_out.variables());
    }
    let mut request = request(&session, args, boundary.profile, program, arguments)?;
    if let Some(way_out) = &way_out {
        request.listeners = way_out.listeners();
    }
    let mut running = prepare(request, &capabilities)
        .and_then(Plan::launch)
        .map_err(|failure| refused(&failure))?;
    // The proxy has a thread: it starts when nothing is forked any more.
    if let Some(way_out) = &mut way_out {
        way_out.open(running.take_listeners())?;
    }
    let finished = running.wait().map_err(|failure| refused(&failure))?;
    let refusals = way_out.map(WayOut::close).unwrap_or_default();
    match finished.end {
        End::Exited(0) => {}
        End::NotFound => say(&format!("`{}` is not found", shown(&program.to_string_lossy()))),
        End::NotExecutable => {
            say(&format!("`{}` cannot be executed", shown(&program.to_string_lossy())));
        }
        End::TimedOut => say("the command took longer than it may and was killed"),
        End::Exited(_) | End::Signalled(_) => {}
    }
    if finished.end != End::Exited(0) {
        for line in denials::summary(&finished, refusals) {
            say(&line);
        }
    }
    if let Some(changes) = &finished.changes {
        changes::tell(changes, line.json);
    }
    Ok(Ended::Command(finished.end))
}

/// Tells of what the boundary does not hold although a rule says so. Whoever has written out that the whole
/// boundary is required does not get less.
fn tell_second_names(boundary: &Boundary, args: &RunArgs) -> Result<(), Failure> {
    let names = boundary::second_names(&boundary.profile);
    if let (Some(first), Some(BoundaryLevel::Full)) = (names.first(), args.require) {
        return Err(Failure::input(first.clone())
            .hint("put a copy of the file in its place, or leave `--require full` out"));
    }
    for line in names.iter().take(TOLD_NAMES) {
        say(line);
    }
    if let Some(more) = names.len().checked_sub(TOLD_NAMES).filter(|more| *more > 0) {
        say(&format!("{more} more such files; `run --explain` lists them"));
    }
    Ok(())
}

/// Every line is part of every command's output, so there are few.
const TOLD_NAMES: usize = 3;

fn request(
    session: &Session,
    args: &RunArgs,
    profile: portcullis_profile::SandboxProfile,
    program: &OsString,
    arguments: &[OsString],
) -> Result<Request, Failure> {
    let environment = std::env::vars_os().collect();
    let cwd = session.surroundings.cwd.clone();
    let mut request = Request::new(profile, program, cwd, environment);
    request.arguments = arguments.to_vec();
    request.descriptors.clone_from(&args.pass_fds);
    request.weakest = weakest(session, args);
    request.signals = SignalRelay::Relay;
    request.writes = if args.dry_run { Writes::Listed } else { Writes::Kept };
    request.reports = args.report.as_deref().map(denials::open).transpose()?;
    Ok(request)
}

/// The weakest boundary that the user has said will do.
fn weakest(session: &Session, args: &RunArgs) -> Backend {
    match args.require {
        Some(level) => level.backend(),
        None => weakest_of(&session.policy),
    }
}

fn explain(
    session: &Session,
    boundary: &Boundary,
    args: &RunArgs,
    capabilities: &portcullis_sandbox::Capabilities,
    line: &RunLine,
) -> Result<Ended, Failure> {
    let profile = boundary.profile.clone();
    let nothing = OsString::from("true");
    let (program, arguments) = args.command.split_first().unwrap_or((&nothing, &[]));
    let request = request(session, args, profile.clone(), program, arguments)?;
    let plan = prepare(request, capabilities);
    let shown = profile::Shown {
        profile: &profile,
        place: &boundary.place,
        plan: plan.as_ref().map_err(ToString::to_string),
        limits: boundary::limits(&profile),
    };
    let home = session.surroundings.home.as_str();
    let text = if line.json {
        format!("{}\n", profile::json(&shown))
    } else {
        profile::text(&shown, home, Palette::detect(line.color))
    };
    Ok(Ended::Explained(text))
}

/// A failure of the sandbox as one of ours.
fn refused(failure: &portcullis_sandbox::Failure) -> Failure {
    Failure::internal(failure.to_string())
}

fn say(text: &str) {
    // Whoever closed the error output does not want to hear it.
    drop(io::stderr().write_all(format!("portcullis: {text}\n").as_bytes()));
}

fn say_failure(failure: &Failure, as_json: bool) {
    let message = shown(&failure.message);
    if as_json {
        let error =
            json!({ "code": failure.status.word(), "message": message, "hint": failure.hint });
        drop(io::stdout().write_all(format!("{}\n", json!({ "error": error })).as_bytes()));
        return;
    }
    match &failure.hint {
        Some(hint) => say(&format!("{message}; {}", shown(hint))),
        None => say(&message),
    }
}

fn written(result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("cannot write: {}", plain(&error)));
            ExitCode::from(FAILED)
        }
    }
}

/// Whether the environment asks for credentials to be scrubbed.
pub(crate) fn scrubbing() -> Option<bool> {
    environment::value(environment::CLAUDE_CODE_SUBPROCESS_ENV_SCRUB)
        .map(|value| !matches!(value.to_ascii_lowercase().as_str(), "0" | "false" | "no" | "off"))
}
