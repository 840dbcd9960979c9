//! The control channel: questions out, answers in, one JSON object a line. `docs/control-channel.md`
//! is its description.

use crate::ask::{Answer, Decide, Pending, Question};
use crate::limits::CHANNEL_LINE;
use crate::report::{Event, Reports};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use tokio::sync::oneshot;

/// A channel to whoever decides: a socket, or a pair of pipes.
///
/// SECURITY: only a clear yes is a yes. A line that cannot be read, an unknown word, an answer to no
/// question, the end of the channel: each means no.
#[derive(Clone)]
pub struct ControlChannel(Arc<Inner>);

struct Inner {
    out: mpsc::SyncSender<String>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    last: u64,
    closed: bool,
    answers: BTreeMap<u64, oneshot::Sender<Answer>>,
}

impl ControlChannel {
    /// Talks over a pair of streams; reads in a thread of its own until the input ends.
    pub fn start(
        input: impl Read + Send + 'static,
        mut output: impl Write + Send + 'static,
    ) -> io::Result<Self> {
        // Whoever does not read must not stop the traffic, so writing has a thread of its own.
        let (out, lines) = mpsc::sync_channel::<String>(QUEUE);
        thread::Builder::new().name("control-out".to_owned()).spawn(move || {
            for line in lines {
                if output.write_all(line.as_bytes()).and_then(|()| output.flush()).is_err() {
                    return;
                }
            }
        })?;
        let inner = Arc::new(Inner { out, waiting: Mutex::default() });
        let reader = Arc::clone(&inner);
        thread::Builder::new().name("control".to_owned()).spawn(move || {
            reader.read(input);
        })?;
        let hello = json!({ "type": "hello", "protocol": PROTOCOL });
        inner.send(&hello)?;
        Ok(Self(inner))
    }
}

impl Decide for ControlChannel {
    fn decide(&self, question: Question) -> Pending<Answer> {
        let (tell, answer) = oneshot::channel();
        let id = {
            let mut waiting = self.0.waiting();
            waiting.last += 1;
            let id = waiting.last;
            if !waiting.closed {
                waiting.answers.insert(id, tell);
            }
            id
        };
        let host = &question.destination.host;
        let mut message = json!({
            "type": "ask",
            "id": id,
            "host": host.to_string(),
            "port": question.destination.port.get(),
            "via": question.via,
            "sandbox": question.sandbox,
            "rule": question.rule(),
        });
        if let Some(object) = message.as_object_mut() {
            if let Some(unicode) = host.name().and_then(portcullis_rules::HostName::unicode) {
                object.insert("unicode".to_owned(), json!(unicode));
            }
            if let Some(command) = &question.command {
                object.insert("command".to_owned(), json!(command));
            }
        }
        if self.0.send(&message).is_err() {
            self.0.waiting().answers.remove(&id);
        }
        let withdraw = Withdraw { inner: Arc::clone(&self.0), id };
        Box::pin(async move {
            let answer = answer.await.unwrap_or(Answer::Unclear);
            drop(withdraw);
            answer
        })
    }
}

impl Reports for ControlChannel {
    fn report(&self, event: &Event) {
        let mut message = event.to_json();
        if let Some(object) = message.as_object_mut() {
            object.insert("type".to_owned(), json!("report"));
        }
        // Whoever listens may be gone; the traffic goes on.
        drop(self.0.send(&message));
    }
}

impl fmt::Debug for ControlChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlChannel").finish_non_exhaustive()
    }
}

/// Tells the other side when a question is not waited for any more.
struct Withdraw {
    inner: Arc<Inner>,
    id: u64,
}

impl Drop for Withdraw {
    fn drop(&mut self) {
        if self.inner.waiting().answers.remove(&self.id).is_some() {
            drop(self.inner.send(&json!({ "type": "withdrawn", "id": self.id })));
        }
    }
}

impl Inner {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails where the other side is gone, or so far behind that a question would never be seen.
    fn send(&self, message: &Value) -> io::Result<()> {
        let sent = self.out.try_send(format!("{message}\n"));
        sent.map_err(|_behind| io::ErrorKind::BrokenPipe.into())
    }

    fn read(&self, input: impl Read) {
        let mut input = BufReader::new(input);
        loop {
            let mut line = Vec::new();
            let most = u64::try_from(CHANNEL_LINE).unwrap_or(u64::MAX);
            match input.by_ref().take(most).read_until(b'\n', &mut line) {
                Ok(1..) if line.ends_with(b"\n") => self.take(&line),
                Ok(_) | Err(_) => break,
            }
        }
        let mut waiting = self.waiting();
        waiting.closed = true;
        // Dropped senders answer their questions with no.
        waiting.answers.clear();
    }

    fn take(&self, line: &[u8]) {
        let message: Value = serde_json::from_slice(line).unwrap_or_default();
        let text = |key: &str| message.get(key).and_then(Value::as_str);
        let Some(id) = message.get("id").and_then(Value::as_u64) else { return };
        if text("type") != Some("answer") {
            return;
        }
        let answer = match text("answer") {
            Some("allow") => Answer::Allow,
            Some("always") => Answer::Always,
            Some("deny") => Answer::Deny,
            Some(_) | None => Answer::Unclear,
        };
        if let Some(tell) = self.waiting().answers.remove(&id) {
            // Nobody waits for it any more.
            tell.send(answer).ok();
        }
    }
}

/// Lines that wait for a slow reader; further reports are dropped, further questions answered with no.
const QUEUE: usize = 1024;

/// The version of the protocol; raised when a message changes its meaning.
const PROTOCOL: u32 = 1;
