//! Asking somebody about a host: equal questions are put once, and answers are remembered.

use crate::limits::{Limits, REMEMBERED};
use crate::{Destination, Refusal};
use portcullis_rules::Host;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// Something that will be there later.
pub type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Who is asked about hosts on no list.
pub trait Decide: Send + Sync {
    /// Puts a question. Dropping the answer withdraws it.
    fn decide(&self, question: Question) -> Pending<Answer>;
}

/// A question about a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Where the first client that asks wants to go. The answer is about the host.
    pub destination: Destination,
    /// The way it asked.
    pub via: &'static str,
    /// Its sandbox.
    pub sandbox: String,
    /// Its command.
    pub command: Option<String>,
}

impl Question {
    /// The rule that a lasting yes amounts to.
    pub fn rule(&self) -> String {
        format!("WebFetch(domain:{})", self.destination.host)
    }
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// Yes, for this session.
    Allow,
    /// Yes, and whoever answered keeps the rule.
    Always,
    /// No.
    Deny,
    /// There was no clear answer, which means no.
    Unclear,
}

/// Puts questions and remembers answers.
pub(crate) struct Broker {
    decider: Option<Arc<dyn Decide>>,
    limits: Limits,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    allowed: BTreeSet<Host>,
    /// A no holds for the command that asked; without a name for it, until a time.
    denied: BTreeMap<(Host, Option<String>), Instant>,
    pending: BTreeMap<(Host, Option<String>), watch::Receiver<Option<Outcome>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Yes,
    No,
    Late,
}

impl Broker {
    pub(crate) fn new(decider: Option<Arc<dyn Decide>>, limits: Limits) -> Self {
        Self { decider, limits, state: Arc::default() }
    }

    /// Whether there is somebody to ask.
    pub(crate) fn can_ask(&self) -> bool {
        self.decider.is_some()
    }

    /// Whether somebody said yes to a host.
    pub(crate) fn has_allowed(&self, host: &Host) -> bool {
        self.state().allowed.contains(host)
    }

    /// Waits for the answer about a host.
    pub(crate) async fn ask(&self, question: Question) -> Result<(), Refusal> {
        let to = question.destination.clone();
        let Some(decider) = &self.decider else { return Err(Refusal::NotListed(to)) };
        let key = (to.host.clone(), question.command.clone());
        let mut answer = {
            let mut state = self.state();
            if state.allowed.contains(&to.host) {
                return Ok(());
            }
            if state.denied.get(&key).is_some_and(|until| *until > Instant::now()) {
                return Err(Refusal::DeniedByUser(to));
            }
            match state.pending.get(&key) {
                Some(answer) => answer.clone(),
                None if state.pending.len() >= self.limits.pending_asks => {
                    return Err(Refusal::TooManyAsks(to));
                }
                None => {
                    let answer = self.put(decider, question, key.clone());
                    state.pending.insert(key, answer.clone());
                    answer
                }
            }
        };
        let outcome = answer.wait_for(Option::is_some).await.ok().and_then(|outcome| *outcome);
        match outcome {
            Some(Outcome::Yes) => Ok(()),
            Some(Outcome::Late) => Err(Refusal::AskTimeout(to)),
            Some(Outcome::No) | None => Err(Refusal::DeniedByUser(to)),
        }
    }

    /// Asks in a task of its own: an answer counts also when the client that caused it is gone.
    fn put(
        &self,
        decider: &Arc<dyn Decide>,
        question: Question,
        key: (Host, Option<String>),
    ) -> watch::Receiver<Option<Outcome>> {
        let (tell, answer) = watch::channel(None);
        let (state, limits) = (Arc::clone(&self.state), self.limits.clone());
        let decision = decider.decide(question);
        tokio::spawn(async move {
            let outcome = match timeout(limits.ask, decision).await {
                Ok(Answer::Allow | Answer::Always) => Outcome::Yes,
                Ok(Answer::Deny | Answer::Unclear) => Outcome::No,
                Err(_) => Outcome::Late,
            };
            {
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                state.pending.remove(&key);
                state.remember(key, outcome, &limits);
            }
            tell.send_replace(Some(outcome));
        });
        answer
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remember(&mut self, key: (Host, Option<String>), outcome: Outcome, limits: &Limits) {
        match outcome {
            Outcome::Yes if self.allowed.len() < REMEMBERED => {
                self.allowed.insert(key.0);
            }
            Outcome::No => {
                let now = Instant::now();
                self.denied.retain(|_, until| *until > now);
                if self.denied.len() < REMEMBERED {
                    let lasts = match key.1 {
                        // A command ends at some time; its name is never used again.
                        Some(_) => limits.ask.max(COMMAND),
                        None => limits.remember_no,
                    };
                    self.denied.insert(key, now + lasts);
                }
            }
            Outcome::Yes | Outcome::Late => {}
        }
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").finish_non_exhaustive()
    }
}

/// Longer than any command runs.
const COMMAND: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
