//! The entry: everything there is to say about one policy.

use crate::checks;
use crate::{Finding, Question, Robustness, Stage};
use portcullis_facts::Facts;
use portcullis_model::{Decision, RuleRef, Verdict};
use portcullis_policy::{Policy, PolicyRule};
use portcullis_rules::automaton::Effort;
use std::cell::Cell;
use std::collections::BTreeSet;

/// What is looked at.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// Where questions are asked.
    pub stage: &'a Stage,
    /// Whether a text holds something that looks like a secret.
    pub looks_secret: &'a dyn Fn(&str) -> bool,
}

impl std::fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject").field("stage", self.stage).finish_non_exhaustive()
    }
}

/// How much work an audit may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps one proof may take; past it the finding is inconclusive.
    pub steps: usize,
    /// What the products of a comparison may take together; past it nothing is proven.
    pub product: Effort,
    /// Questions to the evaluator for what wide rules grant.
    pub grants: usize,
    /// Questions to the evaluator for what goes around denies; past it rules are tried with some of
    /// the ways only, and the robustness says how many.
    pub trials: usize,
}

impl Default for Limits {
    fn default() -> Self {
        // About a tenth of a second for a thousand rules.
        Self { steps: 400_000, product: PRODUCT, grants: 1_000, trials: 1_000 }
    }
}

impl Limits {
    /// No limit that an ordinary policy reaches: for reports that somebody waits for.
    pub const THOROUGH: Self = Self {
        steps: 20_000_000,
        product: Effort { states: 20_000_000, steps: 2_000_000_000 },
        grants: 1_000_000,
        trials: 1_000_000,
    };
}

/// Two million combinations of rules or about two seconds.
const PRODUCT: Effort = Effort { states: 2_000_000, steps: 100_000_000 };

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// The findings, by file and place.
    pub findings: Vec<Finding>,
    /// How denies hold against other spellings, in the order of the policy.
    pub robustness: Vec<Robustness>,
    /// How many rules were looked at.
    pub rules: usize,
    /// How many questions were put to the evaluator.
    pub questions: usize,
}

/// Looks at a policy from every side.
pub fn audit(subject: Subject<'_>, limits: &Limits) -> Audit {
    let asker = Asker { subject, asked: Cell::new(0), left: Cell::new(limits.grants) };
    let policy = subject.policy;
    let mut findings = checks::diagnostics::check(policy);
    findings.extend(checks::dead::check(&asker));
    let shadowed = checks::shadowed::check(&asker, limits);
    let idle: BTreeSet<&RuleRef> = shadowed.iter().filter_map(|f| f.rule.as_ref()).collect();
    let taken_back = |rule: &PolicyRule| idle.contains(&rule.reference);
    let removed = shadowed.iter().filter(|finding| finding.fix.is_some());
    let removed: BTreeSet<&RuleRef> = removed.filter_map(|f| f.rule.as_ref()).collect();
    let mut redundant = checks::redundant::check(&asker, limits);
    // A rule that never counts is not also superfluous.
    redundant.retain(|f| !f.rule.as_ref().is_some_and(|rule| removed.contains(rule)));
    findings.extend(checks::grants::check(&asker, &taken_back));
    asker.left.set(limits.trials);
    let (weak, robustness) = checks::weak::check(&asker);
    findings.extend(checks::process::check(&subject));
    findings.extend(shadowed);
    findings.extend(redundant);
    findings.extend(weak);
    findings.sort_by(|a, b| {
        (&a.source.file, a.source.line, a.source.column, a.kind.id)
            .cmp(&(&b.source.file, b.source.line, b.source.column, b.kind.id))
            .then_with(|| a.message.cmp(&b.message))
    });
    findings.dedup();
    let rules = [&policy.deny, &policy.ask, &policy.allow].map(|rules| rules.list.len());
    Audit { findings, robustness, rules: rules.iter().sum(), questions: asker.asked.get() }
}

/// Puts questions to the evaluator and counts them.
pub(crate) struct Asker<'a> {
    pub(crate) subject: Subject<'a>,
    asked: Cell<usize>,
    left: Cell<usize>,
}

impl<'a> Asker<'a> {
    pub(crate) fn policy(&self) -> &'a Policy {
        self.subject.policy
    }

    /// How many more questions may be asked.
    pub(crate) fn left(&self) -> usize {
        self.left.get()
    }

    pub(crate) fn facts(&self, question: &Question) -> Facts {
        self.subject.stage.facts(question)
    }

    pub(crate) fn judge(&self, facts: &Facts) -> Verdict {
        self.count();
        self.subject.stage.judge(self.subject.policy, facts)
    }

    /// As [`Self::judge`], naming no more than the decision takes.
    pub(crate) fn brief(&self, facts: &Facts) -> Verdict {
        self.count();
        self.subject.stage.brief(self.subject.policy, facts)
    }

    /// The decision alone.
    pub(crate) fn decision(&self, question: &Question) -> Decision {
        self.count();
        self.subject.stage.decision(self.subject.policy, question)
    }

    fn count(&self) {
        self.asked.set(self.asked.get() + 1);
        self.left.set(self.left.get().saturating_sub(1));
    }

    pub(crate) fn ask(&self, question: &Question) -> Verdict {
        self.judge(&self.facts(question))
    }

    /// Whether a call is allowed; `None` once no more may be asked.
    pub(crate) fn allows(&self, question: &Question) -> Option<bool> {
        (self.left() > 0).then(|| self.decision(question) == Decision::Allow)
    }
}

/// What one more allow rule would newly reach beside what it says: the findings about it alone.
pub fn reach(policy: &Policy, stage: &Stage, rule: &PolicyRule) -> Vec<Finding> {
    let mut with = policy.clone();
    with.allow = portcullis_policy::Rules::new(vec![rule.clone()]);
    let subject = Subject { policy: &with, stage, looks_secret: &|_| false };
    let limits = Limits::default();
    let asker = Asker { subject, asked: Cell::new(0), left: Cell::new(limits.grants) };
    let mut findings = checks::grants::check(&asker, &|_| false);
    findings.retain(|finding| finding.rule.as_ref() == Some(&rule.reference));
    findings
}
