//! What holds for every text and every set of layers.

use crate::common::{layer, place};
use portcullis_model::{RuleRef, Scope};
use portcullis_policy::{Layer, Policy, Rules, assemble};
use proptest::prelude::*;

fn scope() -> impl Strategy<Value = Scope> {
    prop::sample::select(vec![
        Scope::User,
        Scope::Project,
        Scope::Local,
        Scope::CommandLine,
        Scope::Managed,
    ])
}

/// Pieces of settings files, to be strung together in any order.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "'",
    "//",
    "/*",
    "*/",
    "\n",
    " ",
    "#",
    "true",
    "null",
    "-1e5",
    "\"permissions\":{",
    "\"deny\":[",
    "\"ask\":[",
    "\"allow\":[",
    "\"Bash(rm *)\"",
    "\"Read(/x)\"",
    "\"Bash(\"",
    "\"mcp__*\"",
    "\"\\ud83d\"",
    "\"sandbox\":{",
    "\"enabled\":",
    "\"filesystem\":{",
    "\"denyRead\":[",
    "\"~/.ssh\"",
    "\"network\":{",
    "\"deniedDomains\":[",
    "\"[::1]:0\"",
    "\"credentials\":{",
    "\"files\":[",
    "\"envVars\":[",
    "\"mode\":\"mask\"",
    "\"defaultMode\":",
    "\"auto\"",
    "\"allowManagedPermissionRulesOnly\":",
    "\u{feff}",
    "é",
    "\0",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::collection::vec(prop::sample::select(PIECES), 0..40)
            .prop_map(|pieces| pieces.concat()),
        prop::sample::select(SETTINGS).prop_map(str::to_owned),
        // A good file cut short, or with one character too many.
        (prop::sample::select(SETTINGS), any::<prop::sample::Index>(), any::<char>()).prop_map(
            |(text, index, extra)| {
                let (at, _) = text.char_indices().nth(index.index(text.chars().count())).unwrap();
                let (head, tail) = text.split_at(at);
                if extra.is_alphabetic() { head.to_owned() } else { format!("{head}{extra}{tail}") }
            }
        ),
    ]
}

const SETTINGS: &[&str] = &[
    r#"{"permissions":{"deny":["Bash(rm *)","Read(.env)"],"ask":["Bash(git push *)"],"allow":["Bash(ls)"]}}"#,
    r#"{"allowManagedPermissionRulesOnly":true,"permissions":{"deny":["WebFetch"],"allow":["Bash"]}}"#,
    r#"{"sandbox":{"network":{"allowManagedDomainsOnly":true,"deniedDomains":["a.example"]},"filesystem":{"allowManagedReadPathsOnly":true,"denyRead":["~/.ssh"]}}}"#,
    r#"{"permissions":{"ask":["mcp__*","Edit(/src/**)"],"deny":"Bash(x)","defaultMode":"plan"},"sandbox":{"enabled":true}}"#,
];

fn any_layer() -> impl Strategy<Value = Layer> {
    (scope(), text(), any::<bool>(), any::<bool>()).prop_map(|(scope, text, trusted, broken)| {
        Layer {
            trusted,
            unreadable: (broken && text.len() % 7 == 0).then(|| "broken".to_owned()),
            ..layer(scope, &text)
        }
    })
}

fn references(rules: &Rules) -> Vec<&RuleRef> {
    let mut references: Vec<&RuleRef> = rules.list.iter().map(|rule| &rule.reference).collect();
    references.sort();
    references
}

fn holds_all<T: Ord>(all: &[T], some: &[T]) -> bool {
    some.iter().all(|one| all.contains(one))
}

/// Whether everything that restricts in `before` still does in `after`.
fn restricts_no_less(before: &Policy, after: &Policy) -> bool {
    let list = |policy: &Policy| {
        let files = &policy.sandbox.filesystem;
        let mut all: Vec<String> =
            files.deny_read.iter().map(|path| format!("r{path:?}")).collect();
        all.extend(files.deny_write.iter().map(|path| format!("w{path:?}")));
        all.extend(policy.sandbox.network.denied.iter().map(|host| format!("h{host:?}")));
        all.extend(policy.closed.iter().map(|closed| format!("c{closed:?}")));
        all
    };
    holds_all(&references(&after.deny), &references(&before.deny))
        && holds_all(&references(&after.ask), &references(&before.ask))
        && holds_all(&list(after), &list(before))
        && (before.bypass_disabled.is_none() || after.bypass_disabled.is_some())
        && (before.auto_disabled.is_none() || after.auto_disabled.is_some())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn assemble_is_total_and_places_are_in_the_text(layers in prop::collection::vec(any_layer(), 0..4)) {
        let policy = assemble(&layers, &place());
        for diagnostic in &policy.diagnostics {
            prop_assert!(!diagnostic.message.is_empty());
            prop_assert!(!diagnostic.message.contains('\n'));
            if let Some(span) = diagnostic.span {
                let fits = layers.iter().any(|layer| {
                    layer.scope == diagnostic.source.scope && layer.text.get(span.start..span.end).is_some()
                });
                prop_assert!(fits, "{diagnostic:?}");
            }
        }
    }

    #[test]
    fn another_layer_never_takes_a_restriction_away(
        layers in prop::collection::vec(any_layer(), 0..3),
        added in any_layer(),
        at in any::<prop::sample::Index>(),
    ) {
        let before = assemble(&layers, &place());
        let mut more = layers.clone();
        more.insert(at.index(layers.len() + 1), added);
        let after = assemble(&more, &place());
        prop_assert!(restricts_no_less(&before, &after));
    }

    #[test]
    fn what_was_kept_of_a_broken_layer_only_restricts(
        layers in prop::collection::vec(any_layer(), 1..3),
        kept in text(),
        at in any::<prop::sample::Index>(),
    ) {
        let before = assemble(&layers, &place());
        let mut more = layers;
        let at = at.index(more.len());
        let good = Layer { unreadable: None, text: kept.clone(), ..more[at].clone() };
        more[at].last_good = Some(kept);
        let after = assemble(&more, &place());
        prop_assert!(restricts_no_less(&before, &after));
        prop_assert!(holds_all(&references(&before.allow), &references(&after.allow)));
        if !more[at].is_whole() && good.is_whole() {
            let rules = |policy: &Policy| -> Vec<String> {
                policy.deny.list.iter().map(|rule| rule.reference.text.clone()).collect()
            };
            let good = assemble(&[good], &place());
            prop_assert!(holds_all(&rules(&after), &rules(&good)));
        }
    }

    #[test]
    fn a_layer_without_trust_grants_nothing(
        layers in prop::collection::vec(any_layer(), 0..3),
        added in any_layer(),
    ) {
        let before = assemble(&layers, &place());
        let mut more = layers;
        more.push(Layer { trusted: false, scope: Scope::Project, ..added });
        let after = assemble(&more, &place());
        prop_assert!(holds_all(&references(&before.allow), &references(&after.allow)));
        prop_assert!(after.directories.len() <= before.directories.len());
        let (before, after) = (&before.sandbox, &after.sandbox);
        prop_assert!(after.filesystem.allow_write.len() <= before.filesystem.allow_write.len());
        prop_assert!(after.filesystem.allow_read.len() <= before.filesystem.allow_read.len());
        prop_assert!(after.network.allowed.len() <= before.network.allowed.len());
        prop_assert!(after.excluded.len() <= before.excluded.len());
        // Sandboxed commands run without a rule only where they did so before.
        let runs_freely = |sandbox: &portcullis_policy::Sandbox| *sandbox.enabled && *sandbox.auto_allow;
        prop_assert!(!runs_freely(after) || runs_freely(before));
        prop_assert!(!*after.allow_unsandboxed || *before.allow_unsandboxed);
    }

    #[test]
    fn a_text_that_is_no_json_grants_nothing_and_asks(text in text(), scope in scope()) {
        let is_json = serde_json::from_str::<serde_json::Value>(text.trim_start_matches('\u{feff}')).is_ok();
        let policy = assemble(&[layer(scope, &text)], &place());
        let closes_all = policy.closed.iter().any(|closed| closed.tool.is_none());
        prop_assert!(is_json || closes_all, "not JSON, and open");
        if !is_json {
            prop_assert!(policy.allow.is_empty() && policy.directories.is_empty());
        }
        let strict = policy.diagnostics.iter().all(|found| !found.code.starts_with("json-"));
        prop_assert!(!is_json || strict, "JSON, and said to be none: {:?}", policy.diagnostics);
    }
}
