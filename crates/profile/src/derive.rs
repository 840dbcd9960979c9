//! Policy and place to profile.

mod environment;
mod files;
mod network;

use crate::{Origin, Place, SandboxProfile};
use portcullis_policy::{Policy, Setting};

impl SandboxProfile {
    /// The boundary that a policy draws around a command at a place. Pure and total.
    pub fn derive(policy: &Policy, place: &Place) -> Self {
        let sandbox = &policy.sandbox;
        Self {
            files: files::derive(policy, place),
            network: network::access(policy),
            sockets: network::sockets(policy, place),
            environment: environment::derive(policy, place),
            limits: crate::Limits::default(),
            nested: switch("portcullis.allowNested", &policy.native.allow_nested),
            shared_proc: switch("sandbox.enableWeakerNestedSandbox", &sandbox.weaker_nested),
            ignored: sandbox.ignored_violations.clone(),
        }
    }
}

/// Where a switch is written that is on.
fn switch(key: &'static str, setting: &Setting<bool>) -> Option<Origin> {
    let on = || match &setting.source {
        Some(source) => Origin::Setting { key, text: "true".to_owned(), source: source.clone() },
        None => Origin::BuiltIn(key),
    };
    setting.value.then(on)
}
