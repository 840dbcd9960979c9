//! Shell commands: each part of one, and every file it touches.

use super::{Confinement, Judge, Prompt, builtin};
use crate::commands::{Grant, allowing, restricting};
use crate::critical::critical_removal;
use crate::paths::{led_elsewhere, path_rules, protected};
use portcullis_facts::{
    Access, AccessFact, Accessor, CommandFact, Origin, Place, Weight, option_file,
};
use portcullis_model::{Because, Certainty, Mode, Reason, RuleClass, Span, Subject, SubjectKind};
use portcullis_policy::{PolicyRule, Rules};
use portcullis_rules::Specifier;

impl<'a> Judge<'a> {
    pub(super) fn shell(&mut self, text: &str, empty: bool) {
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
            if self.settled() {
                return;
            }
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
        let (command_rules, path_rules) = (self.restricts_commands(), self.restricts_paths());
        match weight {
            Weight::Note => {}
            Weight::NeedsBare => match bare {
                Some(rule) => self.allow_by(subject, rule),
                None if self.contained() && self.mode == Mode::DontAsk => {
                    self.ask(subject, because, Prompt::Lasting);
                }
                None => self.ask(subject, because, Prompt::Unmatched),
            },
            Weight::Opaque if command_rules || path_rules => {
                self.ask(subject, because, Prompt::Lasting);
            }
            Weight::Opaque => match bare {
                Some(rule) => self.allow_by(subject, rule),
                None => self.ask(subject, because, Prompt::Unmatched),
            },
            Weight::Unreadable if self.contained() && !command_rules && !path_rules => {
                self.ask(subject, because, Prompt::Unmatched);
            }
            Weight::Unreadable => self.ask(subject, because, Prompt::Lasting),
        }
    }

    fn command(&mut self, index: usize, fact: &CommandFact, whole: Option<&'a PolicyRule>) {
        let policy = self.policy;
        let subject =
            Subject { kind: SubjectKind::Command, text: fact.display(), span: Some(fact.span) };
        for (rule, sure) in restricting(&policy.deny, fact, self.options.decision_only) {
            if sure == Certainty::Certain || fact.origin != Origin::Lossy {
                self.restrict(&subject, RuleClass::Deny, rule, sure);
            }
        }
        if fact.origin == Origin::Lossy || self.settled() {
            return;
        }
        for (rule, sure) in restricting(&policy.ask, fact, self.options.decision_only) {
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
        if let Some(name) = option_file(fact, &self.facts.accesses, self.answers) {
            self.option_file(&subject, name);
        }
        if !fact.needs_cover() {
            return;
        }
        let tool = self.tool_names();
        // A bare rule of any of the names comes first: one more allow rule must not make less run.
        let bare = tool.iter().find_map(|name| self.bare(name));
        let bare = bare.filter(|_| self.mode != Mode::Auto).map(|rule| (rule, Grant::Bare));
        let allowed = bare
            .or_else(|| tool.iter().find_map(|name| allowing(&policy.allow, name, fact, self.mode)))
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

    /// A glob brings in a file whose name the program takes for an option, which may make it run anything
    /// (`tar cf x *` beside a file `--checkpoint-action=exec=…`).
    fn option_file(&mut self, subject: &Subject, name: &str) {
        let text = format!("a glob brings in the file `{name}`, which is taken for an option");
        let because = builtin("option-file", text);
        if self.restricts_commands() || self.restricts_paths() {
            self.ask(subject.clone(), because, Prompt::Lasting);
        } else if !self.tool_names().iter().any(|name| self.bare(name).is_some()) {
            self.ask(subject.clone(), because, Prompt::Unmatched);
        }
    }

    fn restricts_commands(&self) -> bool {
        let is_command = |r: &PolicyRule| matches!(r.rule.specifier(), Specifier::Command(_));
        [&self.policy.deny, &self.policy.ask]
            .into_iter()
            .any(|rules| self.tool_names().iter().any(|name| rules.any_for_tool(name, is_command)))
    }

    fn restricts_paths(&self) -> bool {
        [&self.policy.deny, &self.policy.ask]
            .into_iter()
            .any(|rules| ["Read", "Edit"].iter().any(|name| rules.any_for_tool(name, |_| true)))
    }

    /// A command that no rule covers: what is built in, what the mode says.
    fn uncovered(&mut self, subject: Subject, fact: &CommandFact, elsewhere: Option<String>) {
        let read_only = match &fact.read_only {
            Ok(()) if self.confinement == Confinement::Left => {
                Err("it asks to leave the sandbox".to_owned())
            }
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
        let edits =
            fact.edits && self.mode == Mode::AcceptEdits && self.confinement != Confinement::Left;
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
                let lasting = self.contained() && self.mode == Mode::DontAsk && unread;
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
            if self.directories.hold(access, self.answers) {
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
        if self.restricted(&subject, access) {
            return;
        }
        // What a payload or a wrapper carries writes a protected path like anything else.
        if writes && !access.guessed {
            if let Some(part) = protected(access, self.answers) {
                let why = format!("`{part}` is a protected path; no allow rule covers writing it");
                self.ask(subject, builtin("protected-path", why), Prompt::Protected);
                return;
            }
            if led_elsewhere(access, self.answers) {
                let why =
                    "its `..` climbs out of a symlink, and what that leads to may be protected";
                self.ask(subject, builtin("symlink-out", why), Prompt::Protected);
                return;
            }
        }
        if access.carried {
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
        let inside = self.directories.hold(access, self.answers);
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
}

fn whole_match<'p>(rules: &'p Rules, text: &str) -> Option<&'p PolicyRule> {
    if !text.contains(['&', '|', ';', '\n']) {
        return None;
    }
    rules.command_lines().find(|rule| match rule.rule.specifier() {
        Specifier::Command(pattern) => pattern.matches_whole(text),
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
