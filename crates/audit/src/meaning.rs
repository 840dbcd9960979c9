//! What a policy means for commands of a working day.

use crate::diff::everyday;
use crate::tables::everyday::EVERYDAY;
use crate::{Question, Stage};
use portcullis_model::{Decision, Verdict};
use portcullis_policy::Policy;

/// One call of a working day and what becomes of it.
#[derive(Clone, Debug)]
pub struct Meaning {
    /// What it stands for, in a few words.
    pub what: &'static str,
    /// The call.
    pub question: Question,
    /// What becomes of it.
    pub decision: Decision,
    /// Why.
    pub verdict: Verdict,
}

/// What a policy means for each call of a working day.
pub fn meaning(policy: &Policy, stage: &Stage) -> Vec<Meaning> {
    everyday(stage.project.as_str(), stage.home.as_str())
        .into_iter()
        .zip(EVERYDAY)
        .map(|(question, (_, _, what))| {
            let verdict = stage.ask(policy, &question);
            Meaning { what, question, decision: verdict.decision, verdict }
        })
        .collect()
}
