//! `serve`: a daemon on a unix socket, for whoever asks too often to start a process for each call.

mod door;

use super::{check, log_of, say, write_log};
use crate::args::ServeArgs;
use crate::console::{Palette, Reply};
use crate::failure::{Failure, Status};
use crate::lines::converse;
use crate::session::{Session, Surroundings, plain};
use door::Door;
use portcullis_host::Evaluation;
use portcullis_host::batch::{Defaults, Request, Unread};
use portcullis_host::settings::{Good, Options, Policies};
use portcullis_sandbox::{EndSignals, give_back_program};
use serde_json::json;
use std::io::{self, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Serves until the process is told to end; then takes the socket away.
pub(crate) fn serve(args: &ServeArgs, as_json: bool) -> Result<Reply, Failure> {
    let surroundings = Surroundings::of_process(&args.policy)?;
    let path = door::path(args.socket.as_deref(), &surroundings.cwd)?;
    let session = Session::open(&args.policy, surroundings)?;
    let server = Arc::new(Server {
        defaults: check::defaults(&session, &args.policy, args.facts),
        options: session.options,
        good: Good::default(),
        connections: AtomicUsize::new(0),
        complained: AtomicBool::new(false),
    });
    let unsettled = |failure: portcullis_sandbox::Failure| Failure::internal(failure.to_string());
    let ends = EndSignals::receive().map_err(unsettled)?;
    let (door, listener) = Door::open(path)?;
    let shown = door.path().display().to_string();
    let announced = if as_json {
        format!("{}\n", json!({ "socket": shown }))
    } else {
        format!("serving at {shown}\n")
    };
    let accepting = thread::Builder::new().spawn(move || server.accept(&listener));
    let served = accepting
        .map_err(|error| Failure::internal(format!("cannot start a thread: {}", plain(&error))))
        .and_then(|_accepting| say(&mut io::stdout(), &announced))
        .and_then(|()| {
            // Reading flags and settings took more of the program than serving does.
            give_back_program();
            ends.wait().map_err(unsettled)
        });
    door.close();
    served.map(|()| Reply::text("", Status::Done))
}

#[derive(Debug)]
struct Server {
    defaults: Defaults,
    options: Options,
    good: Good,
    connections: AtomicUsize,
    /// A log could not be written, and that was said.
    complained: AtomicBool,
}

impl Server {
    fn accept(self: Arc<Self>, listener: &UnixListener) {
        loop {
            let Ok((stream, _)) = listener.accept() else {
                // Out of descriptors or memory: those who wait are served when others have gone.
                thread::sleep(PAUSE);
                continue;
            };
            let server = Arc::clone(&self);
            // Where no thread can be had, the connection is closed unanswered, which allows nothing.
            let _started =
                thread::Builder::new().stack_size(STACK).spawn(move || server.talk(&stream));
        }
    }

    /// Answers until the client or its connection ends; whoever goes away is told nothing more.
    fn talk(&self, stream: &UnixStream) {
        let mut output = stream;
        let counted = match door::refusal(stream) {
            Some(refused) => Err(refused),
            None => Counted::enter(&self.connections).ok_or_else(|| {
                let message = format!("more than {MOST_CONNECTIONS} connections are open");
                Unread::new("too-many-connections", message)
            }),
        };
        let _counted = match counted {
            Ok(counted) => counted,
            Err(refused) => {
                let _gone = writeln!(output, "{}", refused.json());
                return;
            }
        };
        // Of each connection its own, so that no line holds up the answers of others.
        let mut policies = Policies::live(self.options.clone(), self.good.clone());
        let mut input = BufReader::new(stream);
        let _gone = converse(&mut input, &mut output, |line| self.answer(line, &mut policies));
    }

    /// The answer to one line, whatever happens: a client reads as many answers as it wrote lines.
    fn answer(&self, line: &str, policies: &mut Policies) -> String {
        let answered = catch_unwind(AssertUnwindSafe(|| {
            let started = Instant::now();
            match Request::read(line, &self.defaults, policies) {
                Ok(request) => {
                    let evaluation = request.evaluate(&self.defaults);
                    self.log(&request, &evaluation, started);
                    request.json(&evaluation, &self.defaults, started)
                }
                Err(unread) => unread.json(),
            }
        }));
        answered
            .unwrap_or_else(|_panic| {
                Unread::new("internal", "portcullis failed in a way it should not").json()
            })
            .to_string()
    }

    /// Logs a decision that this user's settings on disk made, where they name a log. The log never changes
    /// a decision.
    fn log(&self, request: &Request, evaluation: &Evaluation, started: Instant) {
        let (known, home) = (&request.known, &self.defaults.home);
        // SECURITY: a line may name another home, and what stands there is not where this user logs.
        if !request.is_discovered || request.listed.is_some() || request.call.home != *home {
            return;
        }
        let logged = log_of(&known.policy, home).and_then(|log| {
            log.map_or(Ok(()), |log| {
                write_log(&log, "serve", &known.layers, &request.call, evaluation, started)
            })
        });
        // Said once: nobody may read it, and then the pipe fills up.
        if let Err(failure) = logged
            && !self.complained.swap(true, Ordering::Relaxed)
        {
            let text = Reply::failure(&failure, false, Palette::PLAIN).stderr;
            let _unheard = say(&mut io::stderr(), &text);
        }
    }
}

/// A connection that counts for as long as it is there.
struct Counted<'s>(&'s AtomicUsize);

impl<'s> Counted<'s> {
    fn enter(connections: &'s AtomicUsize) -> Option<Self> {
        let counted = Self(connections);
        (connections.fetch_add(1, Ordering::Relaxed) < MOST_CONNECTIONS).then_some(counted)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// More agents than one user runs; each holds a thread.
const MOST_CONNECTIONS: usize = 64;

/// What the reader of a command line that is as deep as it may be needs, with room to spare.
const STACK: usize = 8 << 20;

/// How long to wait where no connection can be taken.
const PAUSE: Duration = Duration::from_millis(50);
