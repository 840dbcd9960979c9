//! The variables of a command.

use crate::tables::credentials::CREDENTIALS;
use crate::tables::variables::LOADERS;
use crate::{Environment, Hidden, Origin, Place, VariableRule};
use portcullis_policy::{Policy, Protection};

pub(super) fn derive(policy: &Policy, place: &Place) -> Environment {
    let mut rules = Vec::new();
    // A deny of one layer holds whatever another one masks, so denies come first.
    for wanted in [Hidden::Unset, Hidden::Sentinel] {
        for variable in &policy.sandbox.credentials.variables {
            let hidden = match &variable.protection {
                Protection::Deny => Hidden::Unset,
                Protection::Mask(_) => Hidden::Sentinel,
            };
            if hidden == wanted {
                let origin = Origin::Setting {
                    key: "sandbox.credentials.envVars",
                    text: variable.name.clone(),
                    source: variable.source.clone(),
                };
                rules.push(VariableRule { name: variable.name.clone(), hidden, origin });
            }
        }
    }
    rules.extend(LOADERS.iter().map(unset));
    // SECURITY: either may turn scrubbing on; a variable that says `0` does not undo the setting.
    if place.scrub_environment == Some(true) || *policy.native.scrub_env {
        rules.extend(CREDENTIALS.iter().map(unset));
    }
    let temporary = place.temporary.as_str();
    let set = [
        ("TMPDIR", temporary.to_owned()),
        ("TMP", temporary.to_owned()),
        ("TEMP", temporary.to_owned()),
        // zsh keeps here-documents under this name, elsewhere than in $TMPDIR.
        ("TMPPREFIX", format!("{temporary}/zsh")),
    ];
    let set = set.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Environment { rules, set }
}

fn unset((name, source): &(&'static str, &'static str)) -> VariableRule {
    VariableRule {
        name: (*name).to_owned(),
        hidden: Hidden::Unset,
        origin: Origin::BuiltIn(source),
    }
}
