//! What is wrong with how a policy is kept.

use crate::Finding;
use crate::audit::Subject;
use crate::tables::catalogue::{OPEN_MODE, SECRET_IN_RULE};
use portcullis_model::{Mode, Scope};

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let policy = subject.policy;
    let mut findings = Vec::new();
    if let Some((mode, source)) = &policy.default_mode {
        let open = match mode {
            Mode::BypassPermissions | Mode::Auto => true,
            Mode::Default | Mode::AcceptEdits | Mode::Plan | Mode::DontAsk => false,
        };
        // A committed file, or one that is going to be: a layer named on the command line.
        let committed = match source.scope {
            Scope::Project | Scope::CommandLine => !source.file.starts_with('-'),
            Scope::User | Scope::Local | Scope::Managed => false,
        };
        if open && committed {
            let message = format!("sessions start in mode `{}`", mode.word());
            findings.push(Finding::at(&OPEN_MODE, source.clone(), message));
        }
    }
    for rule in [&policy.deny, &policy.ask, &policy.allow].into_iter().flat_map(|rules| &rules.list)
    {
        if (subject.looks_secret)(&rule.reference.text) {
            let message = "the rule holds what looks like a secret";
            findings.push(Finding::about(&SECRET_IN_RULE, &rule.reference, message));
        }
    }
    findings
}
