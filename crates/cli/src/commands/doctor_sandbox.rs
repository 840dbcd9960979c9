//! What this machine can enforce, for `doctor`.

use super::doctor::{Grade, Report};
use crate::render::profile::{backend_meaning, enforcement_json, guarantee_word, holding_words};
use crate::run::{available, weakest_of};
use crate::session::Session;
use portcullis_model::AbsPath;
use portcullis_profile::{Place, SandboxProfile};
use portcullis_sandbox::{
    Backend, Capabilities, Enforcement, Holding, Request, TEMPORARY, prepare, probe,
};
use serde_json::{Value, json};

const TOPIC: &str = "sandbox";

/// Adds what can be enforced to a report, and gives the same as JSON.
pub(super) fn sandbox(session: &Session, report: &mut Report) -> Value {
    let capabilities = probe();
    let policy = &session.policy;
    let weakest = weakest_of(policy);
    let usable = available(&capabilities, weakest);
    for (backend, obstacle) in &capabilities.backends {
        let name = format!("{}: {}", backend.word(), backend_meaning(*backend));
        match obstacle {
            None => report.add(TOPIC, Grade::Good, name, ""),
            Some(obstacle) => {
                // What nobody asked for is no fault, and a weaker way is only a way.
                let grade = match (*policy.sandbox.enabled, usable) {
                    (true, None) if *backend <= weakest => Grade::Error,
                    (false, None) if *backend <= weakest => Grade::Warning,
                    (_, _) => Grade::Note,
                };
                let (cause, cure) = obstacle.split_once("; ").unwrap_or((obstacle, ""));
                report.add(TOPIC, grade, format!("{name}: {cause}"), cure);
            }
        }
    }
    let landlock = format!("Landlock: version {} of its interface", capabilities.landlock);
    match capabilities.landlock {
        0 => report.add(
            TOPIC,
            Grade::Warning,
            "Landlock: this kernel has none, or it is switched off",
            "add `landlock` to the `lsm=` list of the kernel command line",
        ),
        1..LANDLOCK_TRUNCATE => report.add(
            TOPIC,
            Grade::Note,
            format!("{landlock}, which does not know truncation"),
            "use a kernel from 6.2 on where the namespaces cannot be had",
        ),
        _ => report.add(TOPIC, Grade::Good, landlock, ""),
    }
    if !capabilities.supervision {
        report.add(
            TOPIC,
            Grade::Warning,
            "supervised calls: a filter around this process already has a supervisor",
            "start portcullis outside the other sandbox",
        );
    }
    let enforcement = usable.and_then(|_| enforcement(session, &capabilities));
    if let Some(enforcement) = &enforcement {
        for (guarantee, holding) in &enforcement.guarantees {
            let name = guarantee_word(*guarantee);
            let (state, why) = holding_words(holding);
            let message = match why {
                None => format!("{name}: {state}"),
                Some(why) => format!("{name}: {state}: {why}"),
            };
            let grade = match holding {
                Holding::Held => Grade::Good,
                Holding::Weaker(_) | Holding::Missing(_) => Grade::Note,
            };
            report.add(TOPIC, grade, message, "");
        }
    }
    if *policy.sandbox.enabled && usable.is_none() && !*policy.sandbox.fail_if_unavailable {
        report.add(
            TOPIC,
            Grade::Warning,
            "`sandbox.enabled` is on, and commands run without a sandbox all the same",
            "set `sandbox.failIfUnavailable` to keep them from running",
        );
    }
    let backends: Vec<Value> = capabilities
        .backends
        .iter()
        .map(|(backend, obstacle)| {
            json!({
                "backend": backend.word(),
                "means": backend_meaning(*backend),
                "usable": obstacle.is_none(),
                "obstacle": obstacle,
            })
        })
        .collect();
    json!({
        "backends": backends,
        "landlock": capabilities.landlock,
        "supervision": capabilities.supervision,
        "required": weakest.word(),
        "best": capabilities.best().map(Backend::word),
        "usable": usable.map(Backend::word),
        "enforcement": enforcement.as_ref().map(enforcement_json),
    })
}

/// What would be enforced of the session's own policy.
fn enforcement(session: &Session, capabilities: &Capabilities) -> Option<Enforcement> {
    let surroundings = &session.surroundings;
    let temporary = AbsPath::parse(TEMPORARY).ok()?;
    let place = Place::new(surroundings.project_root.clone(), surroundings.home.clone(), temporary);
    let profile = SandboxProfile::derive(&session.policy, &place);
    let mut request = Request::new(profile, "true", surroundings.cwd.clone(), Vec::new());
    request.weakest = weakest_of(&session.policy);
    Some(prepare(request, capabilities).ok()?.enforcement().clone())
}

/// From this version on, truncating a file is a right of its own.
const LANDLOCK_TRUNCATE: u32 = 3;
