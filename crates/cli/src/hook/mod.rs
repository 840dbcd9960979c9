//! One hook call: a small process that watches over the one that thinks.
//!
//! The process the host starts does nothing that can fail on the input: it parses nothing, it makes a
//! copy of itself as a worker with the same input, waits with a deadline, and passes on what the worker
//! says. A copy spares a second start of the program, and cannot turn out to be another one. Whatever
//! else becomes of the worker (a panic, a stack overflow, memory running out, a signal, a hang, garbage)
//! ends as the host's block. A panic hook alone could not do this: an overflow and an aborted
//! allocation never reach it, and hosts let a call through when a hook ends with anything but exit 2.

mod confine;
#[cfg(feature = "fault-injection")]
mod fault;
mod worker;

use portcullis_host::claude_code::{self, Answer, Event};
use portcullis_sandbox::in_a_copy;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustix::stdio::{dup2_stderr, dup2_stdout};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

/// The exit statuses of a worker that has answered. No other way to end has them: a panic is 101, a
/// signal has none, and what the shells and the loader use lies above 125.
pub(crate) const ANSWERED: u8 = 40;

/// As [`ANSWERED`], and the answer is a block.
pub(crate) const BLOCKED: u8 = 42;

/// How long a worker may take. Below the host's own timeout, whose end lets the call through, and
/// far above what the slowest disk needs.
const DEADLINE: Duration = Duration::from_secs(5);

/// The most bytes a worker may say. An answer is a few hundred.
const MAX_ANSWER: usize = 256 * 1024;

/// Answers one hook call; the exit status is for the host.
pub fn run(args: &[OsString]) -> u8 {
    let event = event_of(args);
    let answer = catch_unwind(AssertUnwindSafe(|| watch(args)))
        .unwrap_or_else(|_panic| Err("portcullis failed".to_owned()));
    let answer = answer.unwrap_or_else(|reason| {
        claude_code::block(
            event,
            &format!("{reason}; the call is blocked, and `portcullis doctor` may tell more"),
        )
    });
    write(&answer)
}

/// Says the answer. What cannot be said in full is a block: exit 2 needs no words.
fn write(answer: &Answer) -> u8 {
    let written = io::stdout()
        .write_all(answer.stdout.as_bytes())
        .and_then(|()| io::stdout().flush())
        .and_then(|()| io::stderr().write_all(answer.stderr.as_bytes()));
    match written {
        Ok(()) => answer.status,
        Err(_) => claude_code::BLOCK,
    }
}

/// The event the installed command names. Looked for without a parser: this process has none.
fn event_of(args: &[OsString]) -> Option<Event> {
    let value = args.iter().skip_while(|arg| *arg != "--event").nth(1);
    value.and_then(|value| value.to_str()).and_then(Event::parse)
}

/// Starts the worker and waits for its answer; an error says why there is none.
fn watch(args: &[OsString]) -> Result<Answer, String> {
    let deadline = Instant::now() + DEADLINE;
    let mut worker = Worker::start(args)
        .map_err(|error| format!("portcullis cannot start its worker: {error}"))?;
    let heard = listen(&mut worker, deadline);
    if heard.is_err() {
        worker.kill();
    }
    let ended = wait(&worker, deadline);
    let (stdout, stderr) = heard?;
    let ended = ended?;
    understand(ended, stdout, stderr)
}

/// A copy of this process that thinks about the call.
struct Worker {
    pid: Pid,
    stdout: File,
    stderr: File,
}

impl Worker {
    fn start(args: &[OsString]) -> io::Result<Self> {
        let (stdout, its_stdout) = pipe_with(PipeFlags::CLOEXEC)?;
        let (stderr, its_stderr) = pipe_with(PipeFlags::CLOEXEC)?;
        // None of them has a number below 3: the standard library opens what the host left closed.
        let pid = in_a_copy(|| {
            if dup2_stdout(&its_stdout).is_err() || dup2_stderr(&its_stderr).is_err() {
                return DEAF;
            }
            worker::run(args)
        })?;
        Ok(Self { pid, stdout: stdout.into(), stderr: stderr.into() })
    }

    /// Ends it, unless it is gone already. Its number is its own until it has been waited for.
    fn kill(&self) {
        kill_process(self.pid, Signal::KILL).ok();
    }

    /// How it ended, once it has.
    fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        let ended = waitpid(Some(self.pid), WaitOptions::NOHANG)?;
        Ok(ended.map(|(_, status)| ExitStatus::from_raw(status.as_raw())))
    }
}

/// The status of a worker that cannot be heard.
const DEAF: u8 = 1;

/// Reads both outputs to their ends.
fn listen(worker: &mut Worker, deadline: Instant) -> Result<(Vec<u8>, Vec<u8>), String> {
    let Worker { stdout, stderr, .. } = worker;
    let (mut said, mut complained) = (Vec::new(), Vec::new());
    let (mut stdout_open, mut stderr_open) = (true, true);
    let mut buffer = [0_u8; 8 * 1024];
    while stdout_open || stderr_open {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(format!("portcullis took longer than {} seconds", DEADLINE.as_secs()));
        }
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(0),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let mut fds = Vec::with_capacity(2);
        if stdout_open {
            fds.push(PollFd::new(stdout, PollFlags::IN));
        }
        if stderr_open {
            fds.push(PollFd::new(stderr, PollFlags::IN));
        }
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(format!("portcullis cannot wait for its worker: {error}")),
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        let mut ready = ready.into_iter();
        if stdout_open && ready.next() == Some(true) {
            stdout_open = take(stdout, &mut buffer, &mut said)?;
        }
        if stderr_open && ready.next() == Some(true) {
            stderr_open = take(stderr, &mut buffer, &mut complained)?;
        }
    }
    Ok((said, complained))
}

/// Takes what is there; false at the end.
fn take(from: &mut impl io::Read, buffer: &mut [u8], into: &mut Vec<u8>) -> Result<bool, String> {
    match from.read(buffer) {
        Ok(0) => Ok(false),
        Ok(count) => {
            into.extend(buffer.iter().take(count));
            if into.len() > MAX_ANSWER {
                return Err("the answer of portcullis has no end".to_owned());
            }
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
        Err(error) => Err(format!("portcullis cannot hear its worker: {error}")),
    }
}

/// Waits for the end of a worker whose outputs are closed: it is about to end, or has been killed.
fn wait(worker: &Worker, deadline: Instant) -> Result<ExitStatus, String> {
    loop {
        match worker.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_micros(20)),
            Ok(None) => {
                worker.kill();
                return Err(format!("portcullis took longer than {} seconds", DEADLINE.as_secs()));
            }
            Err(error) => return Err(format!("portcullis lost its worker: {error}")),
        }
    }
}

/// Takes the answer of a worker that ended as one that has answered; nothing else is one.
fn understand(ended: ExitStatus, stdout: Vec<u8>, stderr: Vec<u8>) -> Result<Answer, String> {
    let status = match ended.code() {
        Some(code) if code == i32::from(ANSWERED) => 0,
        Some(code) if code == i32::from(BLOCKED) => claude_code::BLOCK,
        Some(code) => return Err(format!("portcullis failed (status {code})")),
        None => {
            let signal = ended.signal().map_or_else(|| "?".to_owned(), |signal| signal.to_string());
            return Err(format!("portcullis failed (signal {signal})"));
        }
    };
    let (Ok(stdout), Ok(stderr)) = (String::from_utf8(stdout), String::from_utf8(stderr)) else {
        return Err("portcullis gave no usable answer".to_owned());
    };
    // A last look at the bytes: an answer is nothing at all, or one whole object.
    let is_whole = stdout.is_empty()
        || (stdout.starts_with("{\"hookSpecificOutput\":{\"hookEventName\":\"")
            && stdout.ends_with("}}\n"));
    if !is_whole {
        return Err("portcullis gave no usable answer".to_owned());
    }
    Ok(Answer { stdout, stderr, status })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_answer_counts() {
        let whole = b"{\"hookSpecificOutput\":{\"hookEventName\":\"PreToolUse\",\"x\":1}}\n";
        let exit = |code: u8| ExitStatus::from_raw(i32::from(code) << 8);
        for (ended, stdout, counts) in [
            (exit(ANSWERED), &whole[..], Some(0)),
            (exit(BLOCKED), &whole[..], Some(2)),
            (exit(ANSWERED), b"", Some(0)),
            (exit(ANSWERED), b"oops", None),
            (exit(ANSWERED), b"{\"hookSpecificOutput\":{\"hookEventName\":\"PreToolUse\"", None),
            (exit(ANSWERED), b"\xff", None),
            (exit(0), &whole[..], None),
            (exit(1), &whole[..], None),
            (exit(2), &whole[..], None),
            (exit(101), &whole[..], None),
            (exit(127), &whole[..], None),
            (ExitStatus::from_raw(6), &whole[..], None),
            (ExitStatus::from_raw(9), b"", None),
        ] {
            let answer = understand(ended, stdout.to_vec(), Vec::new());
            assert_eq!(answer.ok().map(|answer| answer.status), counts, "{ended:?} {stdout:?}");
        }
    }

    #[test]
    fn finds_the_event_without_a_parser() {
        let args = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(
            event_of(&args("--host claude-code --event PermissionRequest")),
            Some(Event::PermissionRequest)
        );
        assert_eq!(event_of(&args("--event Stop")), None);
        assert_eq!(event_of(&args("--event")), None);
    }
}
