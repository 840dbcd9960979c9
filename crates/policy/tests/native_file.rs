//! `portcullis.toml`: what it sets, what it cannot, and what is said where it is broken.

use crate::common::{effects, path, place};
use portcullis_model::Scope;
use portcullis_policy::{Layer, Policy, PrivateAddresses, assemble};

fn native(scope: Scope, text: &str) -> Layer {
    Layer::new(scope, "portcullis.toml", text, path("/home/dev/.claude"))
}

fn policy(layers: &[Layer]) -> Policy {
    assemble(layers, &place())
}

#[test]
fn sets_what_the_key_in_settings_sets() {
    let text = "# why\nscrubEnv = true\nlog = '~/x.jsonl'\nprivateAddresses = \"deny\"\npreapprovedHosts = false\n";
    let json = "{\"portcullis\":{\"scrubEnv\":true,\"log\":\"~/x.jsonl\",\"privateAddresses\":\"deny\",\
        \"preapprovedHosts\":false}}";
    let said = policy(&[native(Scope::User, text)]);
    assert_eq!(effects(&said), "");
    let same = policy(&[Layer::new(Scope::User, "settings.json", json, path("/home/dev/.claude"))]);
    assert_eq!(said.native.log.value, same.native.log.value);
    assert_eq!(said.native.scrub_env.value, same.native.scrub_env.value);
    assert_eq!(said.native.private_addresses.value, PrivateAddresses::Deny);
    assert_eq!((said.preapproved_hosts, same.preapproved_hosts), (false, false));
    let source = said.native.scrub_env.source.unwrap();
    assert_eq!((source.file.as_str(), source.line, source.column), ("portcullis.toml", 2, 1));
}

#[test]
fn keeps_to_the_trust_of_its_layer() {
    let project = policy(&[native(Scope::Project, "allowNested = true\nlog = \"/tmp/x\"\n")]);
    assert!(!project.native.allow_nested.value && project.native.log.value.is_none());
    let user = policy(&[native(Scope::User, "managedSandboxEscapeOnly = true\n")]);
    assert!(!user.native.managed_sandbox_escape_only.value);
    let managed = policy(&[native(Scope::Managed, "managedSandboxEscapeOnly = true\n")]);
    assert!(managed.native.managed_sandbox_escape_only.value);
    let untrusted =
        Layer { trusted: false, ..native(Scope::Project, "privateAddresses = \"allow\"\n") };
    assert_eq!(policy(&[untrusted]).native.private_addresses.value, PrivateAddresses::Exact);
}

#[test]
fn says_what_is_wrong_and_where() {
    for (text, want) in [
        (
            "preaprovedHosts = false\n",
            "1:1 warning unknown-key: `portcullis.preaprovedHosts` is not a known key and has no \
             effect -- did you mean `preapprovedHosts`?\n",
        ),
        (
            "scrubEnv = \"yes\"\n",
            "1:12 error wrong-type: `portcullis.scrubEnv` has to be `true` or `false`, not a string; \
             it counts as `true` -- write `true` or `false`\n",
        ),
        (
            "\nlog = 2026-01-01\n",
            "2:7 error wrong-type: `portcullis.log` has to be the path of a file, not a date; nothing \
             is logged -- write the path of a file\n",
        ),
        (
            "[permissions]\ndeny = [\"Bash\"]\n",
            "1:2 error misplaced-key: `permissions` has no effect in a `portcullis.toml`, and every \
             call asks until it is moved -- write it in the `settings.json` beside this file\nclosed every tool: `portcullis.toml`: `permissions` has no \
             effect in a `portcullis.toml`\n",
        ),
        (
            "deny = [\"Bash\"]\n",
            "1:1 error misplaced-key: `deny` has no effect in a `portcullis.toml`, and every call asks \
             until it is moved -- write it under `permissions` in the `settings.json` beside this \
             file\nclosed every tool: `portcullis.toml`: `deny` has no \
             effect in a `portcullis.toml`\n",
        ),
        (
            "[portcullis]\nscrubEnv = true\n",
            "1:2 error misplaced-key: `portcullis` has no effect in a `portcullis.toml`, and every call \
             asks until it is moved -- write its keys at the top of this file\nclosed every tool: `portcullis.toml`: `portcullis` has no effect in \
             a `portcullis.toml`\n",
        ),
    ] {
        let found = effects(&policy(&[native(Scope::User, text)]));
        assert_eq!(found, want, "{text}");
    }
}

#[test]
fn broken_text_fails_closed() {
    for text in [
        "scrubEnv = tru\n",
        "= 1\n",
        "[x\n",
        "a = 1\na = 2\n",
        "log = \"x\n",
        "scrubEnv\n",
        "\u{0}",
    ] {
        let grants = Layer::new(
            Scope::User,
            "settings.json",
            "{\"permissions\":{\"allow\":[\"Bash\"]}}",
            path("/home/dev/.claude"),
        );
        let policy = policy(&[grants, native(Scope::User, text)]);
        assert!(policy.closed.iter().any(|closed| closed.tool.is_none()), "{text:?}");
        let found = policy.diagnostics.iter().filter(|found| found.code == "toml-syntax");
        let messages: Vec<&str> = found.clone().map(|found| found.message.as_str()).collect();
        let effect = "every call asks until it is fixed";
        assert!(messages.iter().any(|message| message.contains(effect)), "{text:?} {messages:?}");
        assert!(found.clone().all(|found| !found.message.contains('\n') && found.span.is_some()));
    }
    let deep = format!("log = {}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(!policy(&[native(Scope::User, &deep)]).closed.is_empty());
}

#[test]
fn a_locked_switch_holds_in_a_broken_file() {
    let policy = policy(&[native(Scope::Managed, "managedSandboxEscapeOnly = true\nx =\n")]);
    assert!(policy.native.managed_sandbox_escape_only.value);
}
