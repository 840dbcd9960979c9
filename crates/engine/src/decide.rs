//! One call to one verdict.

use crate::commands::{Grant, allowing, restricting};
use crate::critical::critical_removal;
use crate::paths::{WorkingDirectories, path_rules, protected};
use crate::suggest;
use crate::tables::{preapproved::is_preapproved, quiet::needs_no_permission};
use portcullis_facts::{
    Access, AccessFact, Accessor, Action, Answers, CommandFact, Facts, HostFact, Origin, Place,
    Weight,
};
use portcullis_model::{
    Because, Certainty, Decision, Finding, HookAnswer, Mode, NearMiss, Reason, Route, RuleClass,
    Span, Subject, SubjectKind, Verdict,
};
use portcullis_policy::{Policy, PolicyRule, Rules};
use portcullis_rules::{Match, Specifier};

/// What a caller wants beside the decision. Nothing here changes it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Also list the rules that nearly matched.
    pub near_misses: bool,
}

/// Decides one call: deny rules, then ask rules, then allow rules, then the tool's and mode's
/// default, subject by subject; the strictest subject decides.
pub fn decide(policy: &Policy, facts: &Facts, answers: &Answers, options: Options) -> Verdict {
    let mut judge = Judge::new(policy, facts, answers);
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
    judge.verdict(options)
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

struct Judge<'a> {
    policy: &'a Policy,
    facts: &'a Facts,
    answers: &'a Answers,
    mode: Mode,
    mode_locked: bool,
    directories: WorkingDirectories,
    /// The call runs inside the sandbox.
    sandboxed: bool,
    /// And that alone is enough to run it.
    contained: bool,
    /// The sandbox is on, and this call asks to leave it.
    leaves: bool,
    /// How many commands change directory.
    moves: usize,
    removes_tool: bool,
    findings: Vec<(Finding, Prompt)>,
}

fn builtin(code: &'static str, text: impl Into<String>) -> Because {
    Because::Builtin { code, text: text.into() }
}

impl<'a> Judge<'a> {
    fn new(policy: &'a Policy, facts: &'a Facts, answers: &'a Answers) -> Self {
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
        let sandboxed = shell && enabled && !leaves && !excluded;
        Self {
            policy,
            facts,
            answers,
            mode,
            mode_locked: locked,
            directories: WorkingDirectories::new(policy, facts, answers),
            sandboxed,
            contained: sandboxed && sandbox.auto_allow.value && mode != Mode::Plan,
            leaves,
            moves: 0,
            removes_tool: false,
            findings: Vec::new(),
        }
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
        if !self.findings.iter().any(|(known, _)| *known == finding) {
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
            Prompt::Unmatched | Prompt::Protected if self.contained => Some(builtin(
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
                for rule in rules.for_tool(name) {
                    if !self.concerns_tool(rule) {
                        continue;
                    }
                    let whole = matches!(rule.rule.specifier(), Specifier::Whole);
                    if class == RuleClass::Ask && whole && self.contained {
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
        self.policy.allow.for_tool(tool).find(whole)
    }

    fn other(&mut self) {
        let policy = self.policy;
        let subject = self.tool_subject();
        let names = self.tool_names();
        let allowed = names
            .iter()
            .find_map(|name| policy.allow.for_tool(name).find(|rule| self.concerns_tool(rule)));
        if let Some(rule) = allowed {
            self.allow_by(subject, rule);
        } else if needs_no_permission(&self.facts.call.tool) {
            self.allow(subject, builtin("no-permission-needed", "this tool needs no permission"));
        } else {
            self.ask(subject, builtin("no-rule", "no rule covers this tool"), Prompt::Unmatched);
        }
    }

    // Shell commands.

    fn shell(&mut self, text: &str, empty: bool) {
        self.whole_command(text);
        let facts = self.facts;
        let bare = self.tool_names().iter().find_map(|name| self.bare(name));
        let bare = bare.filter(|_| self.mode != Mode::Auto);
        let whole = self.whole_allow(text);
        self.moves = facts
            .commands
            .iter()
            .filter(|fact| fact.origin == Origin::Written)
            .filter(|fact| fact.cd.as_ref().is_some_and(|cd| !cd.stays))
            .count();
        for obstacle in &facts.obstacles {
            self.obstacle(obstacle.reason, obstacle.weight, obstacle.span, &obstacle.detail, bare);
        }
        for (index, fact) in facts.commands.iter().enumerate() {
            self.command(index, fact, whole);
        }
        for assignment in &facts.assignments {
            let subject = Subject {
                kind: SubjectKind::Command,
                text: format!("{}=…", assignment.text),
                span: Some(assignment.span),
            };
            if assignment.safe {
                self.allow(
                    subject,
                    builtin("safe-variable", "the variable is known to be harmless"),
                );
            } else if let Some(rule) = bare.or(whole) {
                self.allow_by(subject, rule);
            } else {
                let text = "the variable may change what later commands do";
                self.ask(subject, builtin("assignment", text), Prompt::Unmatched);
            }
        }
        for access in &facts.accesses {
            self.shell_access(access, bare, whole);
        }
        if self.findings.is_empty() && empty && facts.obstacles.is_empty() {
            self.allow(self.tool_subject(), builtin("nothing-to-run", "there is nothing to run"));
        }
    }

    /// Rules whose text holds separators match the identical whole command only.
    fn whole_command(&mut self, text: &str) {
        let policy = self.policy;
        let subject = Subject {
            kind: SubjectKind::Command,
            text: text.to_owned(),
            span: Some(Span::new(0, text.len())),
        };
        for (class, rules) in [(RuleClass::Deny, &policy.deny), (RuleClass::Ask, &policy.ask)] {
            if let Some(rule) = whole_match(rules, text) {
                self.restrict(&subject, class, rule, Certainty::Certain);
            }
        }
    }

    fn whole_allow(&self, text: &str) -> Option<&'a PolicyRule> {
        whole_match(&self.policy.allow, text)
    }

    fn obstacle(
        &mut self,
        reason: Reason,
        weight: Weight,
        span: Span,
        detail: &str,
        bare: Option<&PolicyRule>,
    ) {
        let text = if detail.is_empty() { reason.meaning().to_owned() } else { detail.to_owned() };
        let subject = Subject { kind: SubjectKind::Command, text, span: Some(span) };
        let because = Because::Unanalyzable(reason);
        let command_rules = [&self.policy.deny, &self.policy.ask].into_iter().any(|rules| {
            self.tool_names().iter().any(|name| {
                rules.for_tool(name).any(|r| matches!(r.rule.specifier(), Specifier::Command(_)))
            })
        });
        let path_rules = [&self.policy.deny, &self.policy.ask]
            .into_iter()
            .any(|rules| ["Read", "Edit"].iter().any(|name| rules.for_tool(name).next().is_some()));
        match weight {
            Weight::Note => {}
            Weight::NeedsBare => match bare {
                Some(rule) => self.allow_by(subject, rule),
                None if self.contained && self.mode == Mode::DontAsk => {
                    self.ask(subject, because, Prompt::Lasting);
                }
                None => self.ask(subject, because, Prompt::Unmatched),
            },
            Weight::Opaque if command_rules => self.ask(subject, because, Prompt::Lasting),
            Weight::Opaque => match bare {
                Some(rule) => self.allow_by(subject, rule),
                None => self.ask(subject, because, Prompt::Unmatched),
            },
            Weight::Unreadable if self.contained && !command_rules && !path_rules => {
                self.ask(subject, because, Prompt::Unmatched);
            }
            Weight::Unreadable => self.ask(subject, because, Prompt::Lasting),
        }
    }

    fn command(&mut self, index: usize, fact: &CommandFact, whole: Option<&'a PolicyRule>) {
        let policy = self.policy;
        let subject =
            Subject { kind: SubjectKind::Command, text: fact.display(), span: Some(fact.span) };
        let denied = restricting(&policy.deny, fact);
        for (rule, sure) in &denied {
            if *sure == Certainty::Certain || fact.origin != Origin::Lossy {
                self.restrict(&subject, RuleClass::Deny, rule, *sure);
            }
        }
        if fact.origin == Origin::Lossy {
            return;
        }
        for (rule, sure) in restricting(&policy.ask, fact) {
            self.restrict(&subject, RuleClass::Ask, rule, sure);
        }
        let call = &self.facts.call;
        let critical = critical_removal(
            fact,
            &call.home,
            &call.cwd,
            &self.directories.additional,
            self.answers,
        );
        if let Some(why) = critical {
            self.ask(subject.clone(), builtin("critical-removal", why), Prompt::Lasting);
        }
        if !fact.needs_cover() {
            return;
        }
        let tool = self.tool_names();
        let allowed = tool
            .iter()
            .find_map(|name| allowing(&policy.allow, name, fact, self.mode))
            .or_else(|| whole.map(|rule| (rule, Grant::Command)));
        let elsewhere = self.operand_outside(index, fact);
        match (allowed, elsewhere) {
            (Some((rule, Grant::Bare)), _) | (Some((rule, Grant::Exact)), None) => {
                self.allow_by(subject, rule);
            }
            (Some((_, Grant::Wrapped | Grant::Command)), _) if fact.obscured.is_some() => {
                let why = fact.obscured.unwrap_or("");
                self.ask(subject, builtin("obscured", why), Prompt::Unmatched);
            }
            (Some((rule, Grant::Wrapped)), _) | (Some((rule, Grant::Command)), None) => {
                self.allow_by(subject, rule);
            }
            (Some((_, Grant::Command | Grant::Exact)), Some(why)) => {
                self.ask(subject, builtin("outside", why), Prompt::Unmatched);
            }
            (None, elsewhere) => self.uncovered(subject, fact, elsewhere),
        }
    }

    /// A command that no rule covers: what is built in, what the mode says.
    fn uncovered(&mut self, subject: Subject, fact: &CommandFact, elsewhere: Option<String>) {
        let read_only = match &fact.read_only {
            Ok(()) if self.leaves => Err("it asks to leave the sandbox".to_owned()),
            Ok(()) if fact.obscured.is_some() => Err(fact.obscured.unwrap_or("").to_owned()),
            Ok(()) if fact.enclosed => Err("it stands in a loop, group or function".to_owned()),
            Ok(()) if fact.cd.as_ref().is_some_and(|cd| !cd.stays) && self.moves > 1 => {
                Err("the directory changes more than once".to_owned())
            }
            Ok(()) if fact.git && self.moves > 0 => {
                Err("it runs git after `cd`, where that directory's configuration and hooks apply"
                    .to_owned())
            }
            other => other.clone(),
        };
        let edits = fact.edits && self.mode == Mode::AcceptEdits && !self.leaves;
        match (read_only, elsewhere) {
            (Ok(()), None) => {
                self.allow(
                    subject,
                    builtin("read-only", "it only reads, inside the working directories"),
                );
            }
            (_, None) if edits => {
                let text = "acceptEdits runs file commands inside the working directories";
                let because = Because::Mode { mode: self.mode.word(), text: text.to_owned() };
                self.allow(subject, because);
            }
            (Ok(()), Some(why)) => self.ask(subject, builtin("outside", why), Prompt::Unmatched),
            (Err(_), Some(why)) if edits => {
                self.ask(subject, builtin("outside", why), Prompt::Unmatched);
            }
            (Err(why), _) => {
                let unread =
                    fact.exact_only || !fact.obstacles.is_empty() || !fact.safe_assignments;
                // Nobody is there to see what an opaque command tries inside the sandbox.
                let lasting = self.contained && self.mode == Mode::DontAsk && unread;
                let prompt = if lasting { Prompt::Lasting } else { Prompt::Unmatched };
                self.ask(subject, builtin("no-rule", format!("no rule covers it; {why}")), prompt);
            }
        }
    }

    /// Why an operand keeps a command from being covered by less than a bare `Bash`.
    fn operand_outside(&self, index: usize, fact: &CommandFact) -> Option<String> {
        if !fact.file_command && !fact.edits {
            return None;
        }
        let writes_any = self.facts.accesses.iter().any(|access| {
            access.by == Accessor::Operand(index)
                && !access.carried
                && access.access != Access::Read
        });
        self.facts.accesses.iter().find_map(|access| {
            if access.by != Accessor::Operand(index) || access.carried {
                return None;
            }
            let text = &access.text;
            if access.climbs {
                return Some(format!(
                    "`{text}` climbs with `..` after a name, where a symlink may lead"
                ));
            }
            if writes_any && matches!(access.place, Place::Glob(_) | Place::Unknown(_)) {
                return Some(format!("which files `{text}` names is only known when it runs"));
            }
            if self.directories.hold(&access.place, self.answers) {
                return None;
            }
            let rules = path_rules(
                &self.policy.allow,
                RuleClass::Allow,
                access,
                &self.facts.call.tool,
                self.answers,
            );
            if !rules.is_empty() {
                return None;
            }
            Some(format!("`{text}` is not inside the working directories"))
        })
    }

    /// A file that a redirect or an operand touches.
    fn shell_access(
        &mut self,
        access: &AccessFact,
        bare: Option<&'a PolicyRule>,
        whole: Option<&'a PolicyRule>,
    ) {
        if access.place == Place::Free {
            return;
        }
        let writes = access.access != Access::Read;
        let kind = if writes { SubjectKind::Write } else { SubjectKind::Read };
        let subject = Subject { kind, text: self.place_text(access), span: Some(access.span) };
        let operand = match access.by {
            Accessor::Operand(_) => true,
            Accessor::Redirect(_) | Accessor::Tool => false,
        };
        if self.restricted(&subject, access) || access.carried {
            return;
        }
        if writes && let Some(part) = protected(access, self.answers) {
            let why = format!("`{part}` is a protected path; no allow rule covers writing it");
            self.ask(subject, builtin("protected-path", why), Prompt::Protected);
            return;
        }
        let writing = writes || self.writes_too(access);
        if writing && self.directories.led_out(&access.place, self.answers) {
            let why = "a symlink leads it out of the working directories";
            self.ask(subject, builtin("symlink-out", why), Prompt::Unmatched);
            return;
        }
        if operand {
            return;
        }
        if let Some(rule) = bare {
            self.allow_by(subject, rule);
            return;
        }
        let odd = access.dynamic || access.climbs;
        let rules = path_rules(
            &self.policy.allow,
            RuleClass::Allow,
            access,
            &self.facts.call.tool,
            self.answers,
        );
        let tool = if writes { "Edit" } else { "Read" };
        let rule = rules.first().map(|(rule, _)| *rule).or_else(|| self.bare(tool)).or(whole);
        let inside = self.directories.hold(&access.place, self.answers);
        if let Some(rule) = rule.filter(|_| !odd) {
            self.allow_by(subject, rule);
        } else if !odd && inside && !writes {
            self.allow(
                subject,
                builtin("working-directory", "it lies inside the working directories"),
            );
        } else if !odd && inside && self.mode == Mode::AcceptEdits && self.moves == 0 {
            let text = "acceptEdits writes inside the working directories".to_owned();
            self.allow(subject, Because::Mode { mode: self.mode.word(), text });
        } else {
            let why = match (odd, inside, writes) {
                (true, _, _) => "which file that is, is only known when it runs",
                (false, true, _) if self.moves > 0 => "it writes after a change of directory",
                (false, true, _) => "no Edit rule covers this file",
                (false, false, true) => "it writes outside the working directories",
                (false, false, false) => "it reads outside the working directories",
            };
            self.ask(subject, builtin("redirect", why), Prompt::Unmatched);
        }
    }

    /// Whether the command this operand belongs to writes another one.
    fn writes_too(&self, access: &AccessFact) -> bool {
        matches!(access.by, Accessor::Operand(_))
            && self
                .facts
                .accesses
                .iter()
                .any(|other| other.by == access.by && other.access != Access::Read)
    }

    /// Deny and ask rules for a path; whether one of them settles it.
    fn restricted(&mut self, subject: &Subject, access: &AccessFact) -> bool {
        let policy = self.policy;
        let tool = self.facts.call.tool.as_str();
        let mut settled = false;
        for (class, rules) in [(RuleClass::Deny, &policy.deny), (RuleClass::Ask, &policy.ask)] {
            for (rule, sure) in path_rules(rules, class, access, tool, self.answers) {
                self.restrict(subject, class, rule, sure);
                settled = true;
            }
            let bare = if access.access == Access::Read { "Read" } else { "Edit" };
            if access.by != Accessor::Tool && class == RuleClass::Deny {
                // A bare deny of the file tools means their files too.
                for rule in rules.for_tool(bare) {
                    if matches!(rule.rule.specifier(), Specifier::Whole) {
                        self.restrict(subject, class, rule, Certainty::Certain);
                        settled = true;
                    }
                }
            }
        }
        settled
    }

    fn place_text(&self, access: &AccessFact) -> String {
        let real = match &access.place {
            Place::Known(paths) => paths.first().map(|path| (path, self.answers.real.get(path))),
            Place::Glob(_) | Place::Unknown(_) | Place::Free => None,
        };
        match real {
            Some((path, Some(real))) if real.path != *path => format!("{path} -> {}", real.path),
            Some((path, _)) => path.to_string(),
            None => access.text.clone(),
        }
    }

    // Files, hosts, directories.

    fn files(&mut self) {
        let facts = self.facts;
        let tool = facts.call.tool.as_str();
        for access in &facts.accesses {
            let writes = access.access != Access::Read;
            let kind = if writes { SubjectKind::Write } else { SubjectKind::Read };
            let subject = Subject { kind, text: self.place_text(access), span: None };
            self.restricted(&subject, access);
            if writes && let Some(part) = protected(access, self.answers) {
                let why = format!("`{part}` is a protected path; no allow rule covers writing it");
                self.ask(subject, builtin("protected-path", why), Prompt::Protected);
                continue;
            }
            let inside = self.directories.hold(&access.place, self.answers);
            let rules =
                path_rules(&self.policy.allow, RuleClass::Allow, access, tool, self.answers);
            let searching = if writes { None } else { self.bare("Read") };
            let rule =
                rules.first().map(|(rule, _)| *rule).or_else(|| self.bare(tool)).or(searching);
            if writes && self.mode == Mode::Plan {
                let text = "plan mode edits nothing".to_owned();
                let because = Because::Mode { mode: self.mode.word(), text };
                self.ask(subject, because, Prompt::Unmatched);
            } else if let Some(rule) = rule {
                self.allow_by(subject, rule);
            } else if inside && !writes {
                let text = "it lies inside the working directories";
                self.allow(subject, builtin("working-directory", text));
            } else if inside && self.mode == Mode::AcceptEdits {
                let text = "acceptEdits edits inside the working directories".to_owned();
                self.allow(subject, Because::Mode { mode: self.mode.word(), text });
            } else if inside {
                self.ask(subject, builtin("no-rule", "no Edit rule covers it"), Prompt::Unmatched);
            } else {
                let why = "it lies outside the working directories and no rule covers it";
                self.ask(subject, builtin("outside", why), Prompt::Unmatched);
            }
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

    fn directory(&mut self) {
        let policy = self.policy;
        let facts = self.facts;
        for access in &facts.accesses {
            let subject =
                Subject { kind: SubjectKind::Directory, text: self.place_text(access), span: None };
            let matching = |rules: &'a Rules| {
                rules
                    .for_tool("Cd")
                    .filter(|rule| matches!(rule.rule.specifier(), Specifier::Directory(_)))
                    .map(|rule| (rule, crate::paths::restricts(rule, access, self.answers)))
                    .filter(|(_, found)| *found != Match::No)
                    .collect::<Vec<_>>()
            };
            for (class, rules) in [(RuleClass::Deny, &policy.deny), (RuleClass::Ask, &policy.ask)] {
                for (rule, found) in matching(rules) {
                    let sure = match found {
                        Match::Certain => Certainty::Certain,
                        Match::Possible | Match::No => Certainty::Possible,
                    };
                    self.restrict(&subject, class, rule, sure);
                }
            }
            let mut allowlist = policy.allow.for_tool("Cd").peekable();
            let listed = allowlist.peek().is_some();
            let rule = allowlist.find(|rule| match rule.rule.specifier() {
                Specifier::Whole => true,
                Specifier::Directory(_) => crate::paths::grants(rule, access, self.answers),
                Specifier::Nothing
                | Specifier::Inert
                | Specifier::Command(_)
                | Specifier::Path(_)
                | Specifier::Domain(_)
                | Specifier::Parameter { .. }
                | Specifier::Name(_) => false,
            });
            if let Some(rule) = rule {
                self.allow_by(subject, rule);
            } else if !listed && self.directories.hold(&access.place, self.answers) {
                let text = "it lies inside the working directories";
                self.allow(subject, builtin("working-directory", text));
            } else {
                let why = if listed {
                    "Cd rules are an allowlist, and none covers this directory"
                } else {
                    "it lies outside the working directories"
                };
                self.ask(subject, builtin("no-rule", why), Prompt::Unmatched);
            }
        }
    }

    // The answer.

    fn verdict(mut self, options: Options) -> Verdict {
        let near_misses: Vec<NearMiss> = if options.near_misses {
            suggest::near_misses(self.policy, self.facts)
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
            sandboxed: self.sandboxed,
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

fn whole_match<'p>(rules: &'p Rules, text: &str) -> Option<&'p PolicyRule> {
    if !text.contains(['&', '|', ';', '\n']) {
        return None;
    }
    rules.for_tool("Bash").find(|rule| match rule.rule.specifier() {
        Specifier::Command(pattern) => pattern.holds_separators() && pattern.matches_whole(text),
        Specifier::Whole
        | Specifier::Nothing
        | Specifier::Inert
        | Specifier::Path(_)
        | Specifier::Domain(_)
        | Specifier::Parameter { .. }
        | Specifier::Name(_)
        | Specifier::Directory(_) => false,
    })
}
