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
use portcullis_host::settings::Policies;
use portcullis_sandbox::{EndSignals, give_back_program};
use serde_json::json;
use std::io::{self, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Serves until the process is told to end; then takes the socket away.
pub(crate) fn serve(args: &ServeArgs, as_json: bool) -> Result<Reply, Failure> {
    let surroundings = Surroundings::of_process(&args.policy)?;
    let path = door::path(args.socket.as_deref(), &surroundings.cwd)?;
    let session = Session::open(&args.policy, surroundings)?;
    let defaults = check::defaults(&session, &args.policy, args.facts);
    let policies = Mutex::new(Policies::live(session.options));
    let connections = AtomicUsize::new(0);
    let server = Arc::new(Server { defaults, policies, connections });
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
    policies: Mutex<Policies>,
    connections: AtomicUsize,
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
        let before = self.connections.fetch_add(1, Ordering::Relaxed);
        let refused = if before < MOST_CONNECTIONS {
            door::refusal(stream)
        } else {
            let message = format!("more than {MOST_CONNECTIONS} connections are open");
            Some(Unread::new("too-many-connections", message))
        };
        if let Some(refused) = refused {
            let _gone = writeln!(output, "{}", refused.json());
        } else {
            let mut input = BufReader::new(stream);
            let _gone = converse(&mut input, &mut output, |line| self.answer(line));
        }
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// The answer to one line, whatever happens: a client reads as many answers as it wrote lines.
    fn answer(&self, line: &str) -> String {
        let answered = catch_unwind(AssertUnwindSafe(|| {
            let started = Instant::now();
            let request = {
                let mut policies = self.policies.lock().unwrap_or_else(PoisonError::into_inner);
                Request::read(line, &self.defaults, &mut policies)
            };
            match request {
                Ok(request) => {
                    let evaluation = request.evaluate(&self.defaults);
                    log(&request, &evaluation, started);
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
}

/// Logs a decision that the settings on disk made, where they name a log. The log never changes a
/// decision.
fn log(request: &Request, evaluation: &Evaluation, started: Instant) {
    if !request.known.is_discovered || request.listed.is_some() {
        return;
    }
    let known = &request.known;
    let logged = log_of(&known.policy, &request.call.home).and_then(|log| {
        log.map_or(Ok(()), |log| {
            write_log(&log, "serve", &known.layers, &request.call, evaluation, started)
        })
    });
    if let Err(failure) = logged {
        let text = Reply::failure(&failure, false, Palette::PLAIN).stderr;
        let _unheard = say(&mut io::stderr(), &text);
    }
}

/// More agents than one user runs; each holds a thread.
const MOST_CONNECTIONS: usize = 64;

/// What the reader of a command line that is as deep as it may be needs, with room to spare.
const STACK: usize = 8 << 20;

/// How long to wait where no connection can be taken.
const PAUSE: Duration = Duration::from_millis(50);
