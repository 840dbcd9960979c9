//! Tools that name a file or a directory, and the rules for paths that shell commands share.

use super::{Judge, Prompt, builtin};
use crate::paths::{grants, path_rules, protected, restricts};
use portcullis_facts::{Access, AccessFact, Accessor, Place};
use portcullis_model::{Because, Certainty, Mode, RuleClass, Subject, SubjectKind};
use portcullis_policy::Rules;
use portcullis_rules::{Match, Specifier};

impl<'a> Judge<'a> {
    pub(super) fn files(&mut self) {
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
            let inside = self.directories.hold(access, self.answers);
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

    pub(super) fn directory(&mut self) {
        let policy = self.policy;
        let facts = self.facts;
        for access in &facts.accesses {
            let subject =
                Subject { kind: SubjectKind::Directory, text: self.place_text(access), span: None };
            let matching = |rules: &'a Rules| {
                rules
                    .for_tool("Cd")
                    .filter(|rule| matches!(rule.rule.specifier(), Specifier::Directory(_)))
                    .map(|rule| (rule, restricts(rule, access, self.answers)))
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
                Specifier::Directory(_) => grants(rule, access, self.answers),
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
            } else if !listed && self.directories.hold(access, self.answers) {
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

    /// Deny and ask rules for a path; whether one of them settles it.
    pub(super) fn restricted(&mut self, subject: &Subject, access: &AccessFact) -> bool {
        let policy = self.policy;
        let tool = self.facts.call.tool.as_str();
        if access.settled {
            // What its variables hold is judged beside it.
            return false;
        }
        let mut settled = false;
        for (class, rules) in [(RuleClass::Deny, &policy.deny), (RuleClass::Ask, &policy.ask)] {
            for (rule, sure) in path_rules(rules, class, access, tool, self.answers) {
                let sure = if access.guessed { Certainty::Possible } else { sure };
                self.restrict(subject, class, rule, sure);
                settled = true;
            }
            let bare = if access.access == Access::Read { "Read" } else { "Edit" };
            if access.by != Accessor::Tool && class == RuleClass::Deny {
                // A bare deny of the file tools means their files too.
                for rule in rules.about_calls(bare) {
                    if matches!(rule.rule.specifier(), Specifier::Whole) {
                        let sure =
                            if access.guessed { Certainty::Possible } else { Certainty::Certain };
                        self.restrict(subject, class, rule, sure);
                        settled = true;
                    }
                }
            }
        }
        settled
    }

    pub(super) fn place_text(&self, access: &AccessFact) -> String {
        let real = match &access.place {
            Place::Known(paths) => paths.first().map(|path| (path, self.answers.real.get(path))),
            Place::Glob(_) | Place::Unknown(_) | Place::Free => None,
        };
        match real {
            // `find src -exec cat {} +`
            Some((start, _)) if access.found.is_some() => format!("what is found below {start}"),
            Some((path, Some(real))) if real.path != *path => format!("{path} -> {}", real.path),
            Some((path, _)) => path.to_string(),
            None => access.text.clone(),
        }
    }
}
