//! Which rules can go without any verdict changing.

use crate::{Audit, Fix};
use portcullis_model::{RuleClass, Source};

/// A rule to take out of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Removal {
    /// Where it is written.
    pub source: Source,
    /// The list it stands in.
    pub class: RuleClass,
    /// Its text.
    pub text: String,
    /// The id of the finding that says so.
    pub id: &'static str,
}

/// The removals that an audit found safe, each place once. Whoever applies them compares the policy
/// before and after and writes nothing unless the difference is empty.
pub fn removals(audit: &Audit) -> Vec<Removal> {
    let mut out: Vec<Removal> = audit
        .findings
        .iter()
        .filter(|finding| finding.fix == Some(Fix::Remove))
        .filter_map(|finding| {
            let rule = finding.rule.as_ref()?;
            Some(Removal {
                source: rule.source.clone(),
                class: rule.class,
                text: rule.text.clone(),
                id: finding.kind.id,
            })
        })
        .collect();
    out.sort();
    out.dedup_by(|a, b| a.source == b.source && a.class == b.class && a.text == b.text);
    out
}
