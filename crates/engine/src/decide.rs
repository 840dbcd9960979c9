//! One call to one verdict.

mod files;
mod shell;
mod verdict;

use crate::paths::WorkingDirectories;
use crate::tables::{preapproved::is_preapproved, quiet::needs_no_permission};
use portcullis_facts::{Access, Action, Answers, Facts, HostFact, Origin};
use portcullis_model::{
    Because, Certainty, Decision, Finding, Mode, RuleClass, Subject, SubjectKind, Verdict,
};
use portcullis_policy::{Policy, PolicyRule};
use portcullis_rules::{Match, Specifier};
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What a caller wants beside the decision. Nothing here changes it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Also list the rules that nearly matched.
    pub near_misses: bool,
    /// Only the decision is wanted: what is found once something is denied is not named, and of rules
    /// that match alike only one is.
    pub decision_only: bool,
}

/// Decides one call: deny rules, then ask rules, then allow rules, then the tool's and mode's
/// default, subject by subject; the strictest subject decides.
pub fn decide(policy: &Policy, facts: &Facts, answers: &Answers, options: Options) -> Verdict {
    let mut judge = Judge::new(policy, facts, answers, options);
    judge.broken_policy();
    judge.tool_rules();
    match &facts.action {
        Action::Shell { command, empty, .. } => judge.shell(command, *empty),
        Action::File => judge.files(),
        Action::Fetch(host) => judge.fetch(host),
        Action::Directory => judge.directory(),
        Action::Malformed(text) => {
            let text = format!("the call cannot be read: {text}");
            judge.ask(judge.tool_subject(), builtin("malformed-call", text), Prompt::Lasting);
        }
        Action::Other => judge.other(),
    }
    judge.verdict()
}

/// Where an `ask` comes from, which is what may take it away again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prompt {
    /// Nothing matched: the mode, the sandbox or a hook may let it pass.
    Unmatched,
    /// A protected path: only bypass mode and the sandbox let it pass.
    Protected,
    /// An ask rule that matches certainly.
    Rule,
    /// Something no mode and no hook takes away.
    Lasting,
}

/// What the sandbox is to this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Confinement {
    /// The call runs without it.
    None,
    /// It is on, and this call asks to leave it.
    Left,
    /// The call runs inside it.
    Sandboxed,
    /// The call runs inside it, and that alone is enough to run it.
    Contained,
}

struct Judge<'a> {
    policy: &'a Policy,
    facts: &'a Facts,
    answers: &'a Answers,
    mode: Mode,
    mode_locked: bool,
    directories: WorkingDirectories,
    confinement: Confinement,
    /// How many commands change directory.
    moves: usize,
    removes_tool: bool,
    options: Options,
    findings: Vec<(Finding, Prompt)>,
    /// Digests of what is in `findings` with its place, to find it fast.
    seen: BTreeSet<(u64, usize)>,
}

fn builtin(code: &'static str, text: impl Into<String>) -> Because {
    Because::Builtin { code, text: text.into() }
}

impl<'a> Judge<'a> {
    fn new(policy: &'a Policy, facts: &'a Facts, answers: &'a Answers, options: Options) -> Self {
        let asked = facts.call.mode;
        let locked = match asked {
            Mode::BypassPermissions => policy.bypass_disabled.is_some(),
            Mode::Auto => policy.auto_disabled.is_some(),
            Mode::Default | Mode::AcceptEdits | Mode::Plan | Mode::DontAsk => false,
        };
        let mode = if locked { Mode::Default } else { asked };
        let sandbox = &policy.sandbox;
        let enabled = facts.call.sandboxed.unwrap_or(sandbox.enabled.value);
        let (shell, wants_out, text) = match &facts.action {
            Action::Shell { leave_sandbox, command, .. } => {
                (true, *leave_sandbox, command.as_str())
            }
            Action::File
            | Action::Fetch(_)
            | Action::Directory
            | Action::Other
            | Action::Malformed(_) => (false, false, ""),
        };
        let leaves = enabled && wants_out && sandbox.allow_unsandboxed.value;
        let all = sandbox.excluded.iter().any(|excluded| excluded.pattern.matches_text(text));
        let excluded = all
            || facts.commands.iter().any(|fact| {
                !fact.nested
                    && !fact.substituted
                    && fact.origin == Origin::Written
                    && fact.forms.iter().any(|form| {
                        sandbox.excluded.iter().any(|excluded| {
                            excluded.pattern.matches(&form.texts) != Match::No
                                || form
                                    .source
                                    .as_deref()
                                    .is_some_and(|s| excluded.pattern.matches_text(s))
                        })
                    })
            });
        let confinement = if leaves {
            Confinement::Left
        } else if !shell || !enabled || excluded {
            Confinement::None
        } else if sandbox.auto_allow.value && mode != Mode::Plan {
            Confinement::Contained
        } else {
            Confinement::Sandboxed
        };
        Self {
            policy,
            facts,
            answers,
            mode,
            mode_locked: locked,
            directories: WorkingDirectories::new(policy, facts, answers),
            confinement,
            moves: 0,
            removes_tool: false,
            options,
            findings: Vec::new(),
            seen: BTreeSet::new(),
        }
    }

    /// The sandbox alone is enough to run the call.
    fn contained(&self) -> bool {
        self.confinement == Confinement::Contained
    }

    /// Whether nothing that is still to come can change the decision, and nothing else is wanted:
    /// something is denied, which no hook and no mode takes away.
    fn settled(&self) -> bool {
        self.options.decision_only
            && self.findings.iter().any(|(finding, _)| finding.decision == Decision::Deny)
    }

    // What is found.

    fn tool_subject(&self) -> Subject {
        Subject { kind: SubjectKind::Tool, text: self.facts.call.tool.clone(), span: None }
    }

    fn push(
        &mut self,
        decision: Decision,
        because: Because,
        subject: Subject,
        certainty: Certainty,
        prompt: Prompt,
    ) {
        let finding = Finding { decision, because, subject, certainty };
        let mut hasher = DefaultHasher::new();
        finding.hash(&mut hasher);
        let mark = hasher.finish();
        let same = |(_, at): &(u64, usize)| {
            self.findings.get(*at).is_some_and(|(known, _)| *known == finding)
        };
        if !self.seen.range((mark, 0)..=(mark, usize::MAX)).any(same) {
            self.seen.insert((mark, self.findings.len()));
            self.findings.push((finding, prompt));
        }
    }

    fn allow(&mut self, subject: Subject, because: Because) {
        self.push(Decision::Allow, because, subject, Certainty::Certain, Prompt::Unmatched);
    }

    fn allow_by(&mut self, subject: Subject, rule: &PolicyRule) {
        self.allow(subject, Because::Rule(rule.reference.clone()));
    }

    fn ask(&mut self, subject: Subject, because: Because, prompt: Prompt) {
        let passes = match prompt {
            Prompt::Unmatched | Prompt::Protected if self.mode == Mode::BypassPermissions => {
                let text = "bypassPermissions runs what no rule stops".to_owned();
                Some(Because::Mode { mode: self.mode.word(), text })
            }
            Prompt::Unmatched | Prompt::Protected if self.contained() => Some(builtin(
                "sandboxed",
                "it runs inside the sandbox, and autoAllowBashIfSandboxed is on",
            )),
            Prompt::Unmatched | Prompt::Protected | Prompt::Rule | Prompt::Lasting => None,
        };
        match passes {
            Some(because) => self.allow(subject, because),
            None => self.push(Decision::Ask, because, subject, Certainty::Certain, prompt),
        }
    }

    fn restrict(
        &mut self,
        subject: &Subject,
        class: RuleClass,
        rule: &PolicyRule,
        sure: Certainty,
    ) {
        let decision = match (class, sure) {
            (RuleClass::Deny, Certainty::Certain) => Decision::Deny,
            (RuleClass::Deny, Certainty::Possible)
            | (RuleClass::Ask, Certainty::Certain | Certainty::Possible) => Decision::Ask,
            (RuleClass::Allow, _) => return,
        };
        let because = Because::Rule(rule.reference.clone());
        self.push(decision, because, subject.clone(), sure, Prompt::Rule);
    }

    // Whole tools.

    fn broken_policy(&mut self) {
        let policy = self.policy;
        let tool = self.facts.call.tool.clone();
        let reads = self.facts.accesses.iter().any(|access| access.access == Access::Read);
        let writes = self.facts.accesses.iter().any(|access| access.access != Access::Read);
        let shell = matches!(self.facts.action, Action::Shell { .. });
        for closed in &policy.closed {
            if closed.covers_tool(&tool)
                || (shell && closed.covers_tool("Bash"))
                || (reads && closed.covers_reads())
                || (writes && closed.covers_writes())
            {
                let because = Because::BrokenPolicy {
                    text: closed.text.clone(),
                    source: Some(closed.source.clone()),
                };
                self.ask(self.tool_subject(), because, Prompt::Lasting);
            }
        }
    }

    /// The names whose rules speak about the tool as a whole.
    fn tool_names(&self) -> Vec<&'a str> {
        let tool = self.facts.call.tool.as_str();
        match self.facts.action {
            Action::Shell { .. } if tool != "Bash" => vec![tool, "Bash"],
            Action::Shell { .. }
            | Action::File
            | Action::Fetch(_)
            | Action::Directory
            | Action::Other
            | Action::Malformed(_) => vec![tool],
        }
    }

    fn tool_rules(&mut self) {
        let policy = self.policy;
        for (class, rules) in [(RuleClass::Deny, &policy.deny), (RuleClass::Ask, &policy.ask)] {
            for name in self.tool_names() {
                for rule in rules.about_calls(name) {
                    if !self.concerns_tool(rule) {
                        continue;
                    }
                    let whole = matches!(rule.rule.specifier(), Specifier::Whole);
                    if class == RuleClass::Ask && whole && self.contained() {
                        // A bare ask means "ask before it runs on this machine".
                        continue;
                    }
                    self.removes_tool |= class == RuleClass::Deny && whole;
                    self.restrict(&self.tool_subject(), class, rule, Certainty::Certain);
                }
            }
        }
    }

    fn concerns_tool(&self, rule: &PolicyRule) -> bool {
        let input = &self.facts.call.input;
        match rule.rule.specifier() {
            Specifier::Whole => true,
            Specifier::Parameter { name, value } => input
                .0
                .get(name.as_str())
                .and_then(|field| field.scalar())
                .is_some_and(|text| value.matches(text)),
            Specifier::Name(pattern) => ["subagent_type", "skill", "name", "command"]
                .iter()
                .find_map(|field| input.text(field))
                .is_some_and(|text| pattern.matches(text)),
            Specifier::Nothing
            | Specifier::Inert
            | Specifier::Command(_)
            | Specifier::Path(_)
            | Specifier::Domain(_)
            | Specifier::Directory(_) => false,
        }
    }

    /// The bare allow rule for a tool.
    fn bare(&self, tool: &str) -> Option<&'a PolicyRule> {
        let whole = |rule: &&PolicyRule| matches!(rule.rule.specifier(), Specifier::Whole);
        self.policy.allow.about_calls(tool).find(whole)
    }

    fn other(&mut self) {
        let policy = self.policy;
        let subject = self.tool_subject();
        let names = self.tool_names();
        let allowed = names
            .iter()
            .find_map(|name| policy.allow.about_calls(name).find(|rule| self.concerns_tool(rule)));
        if let Some(rule) = allowed {
            self.allow_by(subject, rule);
        } else if needs_no_permission(&self.facts.call.tool) {
            self.allow(subject, builtin("no-permission-needed", "this tool needs no permission"));
        } else {
            self.ask(subject, builtin("no-rule", "no rule covers this tool"), Prompt::Unmatched);
        }
    }

    fn fetch(&mut self, fact: &HostFact) {
        let policy = self.policy;
        let subject = Subject {
            kind: SubjectKind::Host,
            text: fact.host.clone().unwrap_or_else(|| fact.url.clone()),
            span: None,
        };
        for (class, rules) in [(RuleClass::Deny, &policy.deny), (RuleClass::Ask, &policy.ask)] {
            for rule in rules.for_tool("WebFetch") {
                let Specifier::Domain(pattern) = rule.rule.specifier() else { continue };
                let mut hosts = fact.host.iter().chain(&fact.other_hosts);
                // Without a host only a rule for every host can mean it.
                let every = fact.host.is_none() && pattern.is_everything();
                if every || hosts.any(|host| pattern.matches(host)) {
                    self.restrict(&subject, class, rule, Certainty::Certain);
                }
            }
        }
        if let Some(problem) = &fact.problem {
            self.ask(subject, builtin("odd-url", problem.clone()), Prompt::Unmatched);
            return;
        }
        let host = fact.host.as_deref().unwrap_or("");
        let rule = policy.allow.for_tool("WebFetch").find(|rule| match rule.rule.specifier() {
            Specifier::Whole => true,
            Specifier::Domain(pattern) => pattern.matches(host),
            Specifier::Nothing
            | Specifier::Inert
            | Specifier::Command(_)
            | Specifier::Path(_)
            | Specifier::Parameter { .. }
            | Specifier::Name(_)
            | Specifier::Directory(_) => false,
        });
        if let Some(rule) = rule {
            self.allow_by(subject, rule);
        } else if policy.preapproved_hosts && is_preapproved(host) {
            self.allow(
                subject,
                builtin("preapproved-host", "a documentation host on the built-in list"),
            );
        } else {
            let why = "no WebFetch rule covers this host";
            self.ask(subject, builtin("no-rule", why), Prompt::Unmatched);
        }
    }
}
