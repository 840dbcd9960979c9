//! The entry: layers to policy.

use crate::{Layer, Native, Place, Policy, Rules, Sandbox};

/// Merges every layer into one policy. Pure and total; the order of `layers` only counts within
/// one scope.
pub fn assemble(layers: &[Layer], place: &Place) -> Policy {
    let _ = (layers, place);
    Policy {
        deny: Rules::default(),
        ask: Rules::default(),
        allow: Rules::default(),
        sandbox: Sandbox::default(),
        directories: Vec::new(),
        default_mode: None,
        bypass_disabled: None,
        auto_disabled: None,
        rules_locked: None,
        closed: Vec::new(),
        preapproved_hosts: true,
        native: Native::default(),
        diagnostics: Vec::new(),
    }
}
