//! What each command does: arguments to a reply.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod connect;
pub(crate) mod diff;
pub(crate) mod doctor;
mod doctor_sandbox;
pub(crate) mod history_findings;
pub(crate) mod hooks;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod install;
pub(crate) mod policy;
pub(crate) mod printed;
pub(crate) mod proxy;
pub(crate) mod replay;
pub(crate) mod serve;
pub(crate) mod suggest;
pub(crate) mod test;

use crate::failure::Failure;
use crate::session::{self, Session, Surroundings};
use portcullis_host::log::{LayerDigest, LogFile, Record};
use portcullis_host::{EvaluateOptions, Evaluation, RealDisk, evaluate, wire};
use portcullis_model::{AbsPath, ToolCall};
use portcullis_policy::{Layer, Policy};
use std::io;
use std::time::{Instant, SystemTime};

/// Decides one call by the policy of a session.
pub(crate) fn decide(session: &Session, call: &ToolCall, near_misses: bool) -> Evaluation {
    evaluate(
        &session.policy,
        call,
        &RealDisk,
        EvaluateOptions { near_misses, ..EvaluateOptions::default() },
    )
}

/// Appends a decision to a log.
pub(crate) fn write_log(
    log: &LogFile,
    asked_by: &str,
    layers: &[Layer],
    call: &ToolCall,
    evaluation: &Evaluation,
    started: Instant,
) -> Result<(), Failure> {
    let record = Record {
        time: SystemTime::now(),
        asked_by,
        call,
        layers: LayerDigest::of(layers),
        answers: &evaluation.answers,
        verdict: wire::verdict_json(&evaluation.verdict, &evaluation.facts),
        micros: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
    };
    log.append(&record).map_err(|error| {
        Failure::internal(format!(
            "cannot log the decision to `{}`: {}",
            log.path().display(),
            session::plain(&error)
        ))
        .hint("make the file writable, or name another by `--log` or `portcullis.log`")
    })
}

/// The log that a flag or else the settings name.
pub(crate) fn logged(flag: Option<&str>, session: &Session) -> Result<Option<LogFile>, Failure> {
    let Surroundings { cwd, home, .. } = &session.surroundings;
    let Some(file) = flag else { return log_of(&session.policy, home) };
    let path = cwd
        .join(file)
        .map_err(|_not_absolute| Failure::usage(format!("`--log` names no file: `{file}`")))?;
    Ok(Some(LogFile::at(path.as_str())))
}

/// The log that the settings name.
pub(crate) fn log_of(policy: &Policy, home: &AbsPath) -> Result<Option<LogFile>, Failure> {
    let Some(file) = policy.native.log.value.as_deref() else {
        return Ok(None);
    };
    let path = match file.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None if file.starts_with('/') => home.join(file),
        // Relative to what? A log that moves with the current directory is never found again.
        None => {
            return Err(Failure::input(format!(
                "`portcullis.log` is not an absolute path: `{file}`"
            ))
            .hint("start it with `/` or `~/`"));
        }
    };
    path.map(|path| Some(LogFile::at(path.as_str()))).map_err(|_not_absolute| {
        Failure::input(format!("`portcullis.log` names no file: `{file}`"))
    })
}

/// Writes at once, for whoever waits for it.
pub(crate) fn say(to: &mut impl io::Write, text: &str) -> Result<(), Failure> {
    to.write_all(text.as_bytes())
        .and_then(|()| to.flush())
        .map_err(|error| Failure::internal(format!("cannot write: {}", session::plain(&error))))
}
