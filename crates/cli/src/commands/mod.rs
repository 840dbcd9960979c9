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
pub(crate) mod suggest;
pub(crate) mod test;

use crate::failure::Failure;
use crate::session::{self, Session};
use portcullis_host::log::{LogFile, Record};
use portcullis_host::{EvaluateOptions, Evaluation, RealDisk, evaluate, wire};
use portcullis_model::ToolCall;
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
    session: &Session,
    call: &ToolCall,
    evaluation: &Evaluation,
    started: Instant,
) -> Result<(), Failure> {
    let record = Record {
        time: SystemTime::now(),
        asked_by,
        call,
        layers: session.digests(),
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
    let surroundings = &session.surroundings;
    if let Some(file) = flag {
        let path = surroundings
            .cwd
            .join(file)
            .map_err(|_not_absolute| Failure::usage(format!("`--log` names no file: `{file}`")))?;
        return Ok(Some(LogFile::at(path.as_str())));
    }
    let Some(file) = session.policy.native.log.value.as_deref() else {
        return Ok(None);
    };
    let path = match file.strip_prefix("~/") {
        Some(rest) => surroundings.home.join(rest),
        None if file.starts_with('/') => surroundings.home.join(file),
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
