//! From findings to the answer: hooks, the mode, the reason.

use super::{Confinement, Judge, Prompt};
use crate::suggest;
use portcullis_model::{
    Because, Certainty, Decision, Finding, HookAnswer, Mode, NearMiss, Route, Verdict,
};

impl Judge<'_> {
    pub(super) fn verdict(mut self) -> Verdict {
        let near_misses: Vec<NearMiss> = if self.options.near_misses {
            suggest::near_misses(self.policy, self.facts, self.answers)
        } else {
            Vec::new()
        };
        let suggestions = {
            let asks: Vec<&Finding> = self
                .findings
                .iter()
                .filter(|(finding, prompt)| {
                    finding.decision == Decision::Ask && *prompt == Prompt::Unmatched
                })
                .map(|(finding, _)| finding)
                .collect();
            let stopped = self.findings.iter().any(|(finding, prompt)| {
                finding.decision == Decision::Deny
                    || (finding.decision == Decision::Ask && *prompt != Prompt::Unmatched)
            });
            if stopped { Vec::new() } else { suggest::suggestions(&asks, self.facts, self.mode) }
        };
        let hook = self.facts.call.hook_answers.iter().copied().max_by_key(|answer| match answer {
            HookAnswer::Allow => 0,
            HookAnswer::Ask => 1,
            HookAnswer::Defer => 2,
            HookAnswer::Deny => 3,
        });
        let mut route = None;
        match hook {
            Some(HookAnswer::Deny) => self.hooked(Decision::Deny, "deny"),
            Some(HookAnswer::Ask) => self.hooked(Decision::Ask, "ask"),
            Some(HookAnswer::Defer) => {
                self.hooked(Decision::Ask, "defer");
                route = Some(Route::Defer);
            }
            Some(HookAnswer::Allow) => {
                for (finding, prompt) in &mut self.findings {
                    if finding.decision == Decision::Ask && *prompt == Prompt::Unmatched {
                        finding.decision = Decision::Allow;
                        finding.because = Because::Hook { answer: "allow" };
                    }
                }
            }
            None => {}
        }
        if self.findings.is_empty() {
            let text = "no part of the call was judged".to_owned();
            let subject = self.tool_subject();
            self.push(
                Decision::Ask,
                Because::Bug { text },
                subject,
                Certainty::Certain,
                Prompt::Lasting,
            );
        }
        let mut decision =
            self.findings.iter().map(|(f, _)| f.decision).max().unwrap_or(Decision::Ask);
        let by_rule = self
            .findings
            .iter()
            .any(|(finding, prompt)| finding.decision == Decision::Ask && *prompt == Prompt::Rule);
        if decision == Decision::Ask && self.mode == Mode::Auto && !by_rule && route.is_none() {
            route = Some(Route::Classifier);
        }
        self.findings.sort_by(|(a, _), (b, _)| {
            b.decision.cmp(&a.decision).then_with(|| a.subject.span.cmp(&b.subject.span))
        });
        if decision == Decision::Ask && self.mode == Mode::DontAsk {
            decision = Decision::Deny;
            route = None;
            let text = "dontAsk denies what would ask".to_owned();
            let because = Because::Mode { mode: self.mode.word(), text };
            let subject = self.tool_subject();
            let finding = Finding { decision, because, subject, certainty: Certainty::Certain };
            self.findings.insert(0, (finding, Prompt::Lasting));
        }
        if decision != Decision::Ask {
            route = None;
        }
        let findings: Vec<Finding> =
            self.findings.into_iter().map(|(finding, _)| finding).collect();
        let mut reason = suggest::reason(decision, &findings);
        if self.mode_locked {
            reason.push_str("; the mode is locked to default");
        }
        Verdict {
            decision,
            route,
            removes_tool: self.removes_tool,
            sandboxed: match self.confinement {
                Confinement::Sandboxed | Confinement::Contained => true,
                Confinement::None | Confinement::Left => false,
            },
            reason,
            findings,
            near_misses,
            suggestions: if decision == Decision::Ask { suggestions } else { Vec::new() },
        }
    }

    fn hooked(&mut self, decision: Decision, answer: &'static str) {
        let subject = self.tool_subject();
        self.push(decision, Because::Hook { answer }, subject, Certainty::Certain, Prompt::Rule);
    }
}
