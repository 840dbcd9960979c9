//! The process that thinks about one hook call.

use super::confine::{self, Confinement};
use super::{ANSWERED, BLOCKED};
use crate::args::{HookArgs, HookLine};
use crate::commands::{logged, write_log};
use crate::environment;
use crate::failure::Failure;
use crate::session::{self, Session, Surroundings};
use clap::Parser as _;
use portcullis_host::claude_code::{self, Answer, BLOCK, Event, MAX_PAYLOAD};
use portcullis_model::{AbsPath, Decision};
use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::time::Instant;

/// The most memory of a worker. Reading the largest payload needs a tenth; beyond it an attack or a
/// bug is at work, and the block should come before the machine swaps.
const MAX_MEMORY: u64 = 1024 * 1024 * 1024;

/// The most processor seconds of a worker, should the watching process be gone.
const MAX_SECONDS: u64 = 10;

/// Answers the call on the standard input; the exit status is for the watching process.
pub(crate) fn run(args: &[OsString]) -> u8 {
    bound();
    #[cfg(feature = "fault-injection")]
    super::fault::inject();
    let answer = match answer(args) {
        Ok(answer) => answer,
        Err((event, failure)) => claude_code::block(event, &words(&failure)),
    };
    let written = io::stdout()
        .write_all(answer.stdout.as_bytes())
        .and_then(|()| io::stdout().flush())
        .and_then(|()| io::stderr().write_all(answer.stderr.as_bytes()));
    match (written, answer.status) {
        (Ok(()), 0) => ANSWERED,
        (Ok(()), BLOCK) => BLOCKED,
        // Neither is an answer, so the watching process blocks.
        (Ok(()) | Err(_), _) => 1,
    }
}

/// Bounds what this process may use. A limit that cannot be set is no reason to block every call:
/// the deadline of the watching process holds without it.
fn bound() {
    let limit = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(Resource::As, limit(MAX_MEMORY)).ok();
    setrlimit(Resource::Cpu, limit(MAX_SECONDS)).ok();
    // A dump would hold the payload, and writing it takes longer than the call.
    setrlimit(Resource::Core, limit(0)).ok();
    set_parent_process_death_signal(Some(Signal::KILL)).ok();
}

fn words(failure: &Failure) -> String {
    match &failure.hint {
        Some(hint) => format!("{} ({hint})", failure.message),
        None => failure.message.clone(),
    }
}

type Refused = (Option<Event>, Failure);

fn answer(args: &[OsString]) -> Result<Answer, Refused> {
    let started = Instant::now();
    let args = if let Some(args) = HookArgs::installed(args) {
        args
    } else {
        let line = std::iter::once(OsString::from("hook")).chain(args.iter().cloned());
        HookLine::try_parse_from(line)
            .map_err(|error| (super::event_of(args), crate::usage_failure(&error)))?
            .hook
    };
    let expected = match &args.event {
        None => None,
        Some(word) => Some(Event::parse(word).ok_or_else(|| {
            let failure = Failure::usage(format!("`{word}` is no event that takes a decision"))
                .hint("the events are `PreToolUse` and `PermissionRequest`");
            (None, failure)
        })?),
    };
    decide(&args, expected, started).map_err(|failure| (expected, failure))
}

fn decide(args: &HookArgs, expected: Option<Event>, started: Instant) -> Result<Answer, Failure> {
    let payload = read_payload()?;
    let base = AbsPath::root();
    let home = session::home(args.policy.home.as_deref(), &base)?;
    let told = |flag: Option<&String>, name: &str| match (flag, environment::value(name)) {
        (Some(path), _) => base.join(path).map(Some).map_err(|_not_absolute| {
            Failure::usage(format!("`--project-root` names no directory: `{path}`"))
        }),
        // The host sets it for its hooks; something else in it is not worth blocking every call.
        (None, Some(path)) => Ok(AbsPath::parse(&path).ok()),
        (None, None) => Ok(None),
    };
    let project_root = told(args.policy.project_root.as_ref(), environment::CLAUDE_PROJECT_DIR)?;
    let surroundings = claude_code::Surroundings { project_root, home };
    let (event, mut call) = claude_code::read_call(&payload, &surroundings)
        .map_err(|malformed| Failure::input(malformed.message))?;
    if let Some(expected) = expected
        && expected != event
    {
        return Err(Failure::input(format!(
            "the hook is registered for `{}` and called for `{}`",
            expected.word(),
            event.word()
        )));
    }
    if let Some(cwd) = &args.policy.cwd {
        call.cwd = base.join(cwd).map_err(|_not_absolute| {
            Failure::usage(format!("`--cwd` names no directory: `{cwd}`"))
        })?;
    }
    let session = Session::open(
        &args.policy,
        Surroundings {
            cwd: call.cwd.clone(),
            project_root: call.project_root.clone(),
            home: call.home.clone(),
        },
    )?;
    if args.policy.mode.is_some() {
        call.mode = session.mode;
    }
    let mut decided = crate::commands::decide(&session, &call, false);
    let mut confined = None;
    if decided.verdict.sandboxed && decided.verdict.decision != Decision::Deny {
        match confine::confinement(&session.policy) {
            Confinement::Here => {
                // The prompt of a `PermissionRequest` already shows the confined command.
                if event == Event::PreToolUse {
                    confined = Some(confine::input(&payload, &call, args, &session.policy)?);
                }
            }
            Confinement::Refused(failure) => return Err(failure),
            Confinement::Outside(why) => {
                call.sandboxed = Some(false);
                decided = crate::commands::decide(&session, &call, false);
                decided.verdict.reason.extend(["; ", &why].map(String::from));
            }
        }
    }
    let mut answer = claude_code::answer(event, &decided.verdict, confined);
    let log = logged(args.log.as_deref(), &session).and_then(|log| {
        log.map_or(Ok(()), |log| {
            write_log(&log, args.host.word(), &session.layers, &call, &decided, started)
        })
    });
    // The log never changes a decision. Hosts keep the error output of an answered call in their
    // debug log, where this belongs.
    if let Err(failure) = log {
        answer.stderr.extend([format!("warning: {}\n", words(&failure))]);
    }
    Ok(answer)
}

fn read_payload() -> Result<Vec<u8>, Failure> {
    let mut payload = Vec::new();
    let most = u64::try_from(MAX_PAYLOAD).unwrap_or(u64::MAX);
    io::stdin().lock().take(most + 1).read_to_end(&mut payload).map_err(|error| {
        Failure::input(format!("cannot read the hook payload: {}", session::plain(&error)))
    })?;
    if payload.len() > MAX_PAYLOAD {
        return Err(Failure::input(format!("the hook payload is larger than {MAX_PAYLOAD} bytes")));
    }
    Ok(payload)
}
