//! What a layer without trust, or one that cannot be read, can still do: restrict, and nothing else.

use crate::common::{layer, path, place, texts, untrusted};
use portcullis_model::{Mode, Scope};
use portcullis_policy::{Layer, Policy, Protection, assemble};

/// Everything a layer can grant, beside something that restricts.
const GRANTS: &str = r#"{
  "permissions": {
    "deny": ["Bash(d)"], "ask": ["Bash(a)"], "allow": ["Bash(l)"],
    "additionalDirectories": ["/srv"], "defaultMode": "bypassPermissions"
  },
  "sandbox": {
    "enabled": true, "autoAllowBashIfSandboxed": true, "allowUnsandboxedCommands": true,
    "enableWeakerNestedSandbox": true, "excludedCommands": ["*"], "ignoreViolations": {"*": ["/"]},
    "filesystem": {"allowWrite": ["/"], "allowRead": ["/"], "denyRead": ["~/.ssh"], "denyWrite": ["/etc"]},
    "network": {
      "allowedDomains": ["ok.example"], "deniedDomains": ["bad.example"], "allowUnixSockets": ["/s"],
      "allowAllUnixSockets": true, "allowLocalBinding": true, "httpProxyPort": 1, "socksProxyPort": 2
    },
    "credentials": {
      "files": [{"path": "~/.f", "mode": "deny"}], "envVars": [{"name": "T", "mode": "deny"}]
    }
  },
  "portcullis": {"preapprovedHosts": true}
}"#;

/// What a user set to be strict.
const STRICT_USER: &str = r#"{
  "permissions": {"defaultMode": "plan"},
  "sandbox": {"autoAllowBashIfSandboxed": false, "allowUnsandboxedCommands": false},
  "portcullis": {"preapprovedHosts": false}
}"#;

fn only_restricts(policy: &Policy) {
    assert_eq!(texts(&policy.deny), ["Bash(d)"]);
    assert_eq!(texts(&policy.ask), ["Bash(a)"]);
    assert!(policy.allow.is_empty());
    assert_eq!(policy.directories, []);
    let sandbox = &policy.sandbox;
    assert!(!*sandbox.auto_allow && !*sandbox.weaker_nested);
    assert_eq!((sandbox.excluded.len(), sandbox.ignored_violations.len()), (0, 0));
    let files = &sandbox.filesystem;
    assert_eq!((files.allow_write.len(), files.allow_read.len()), (0, 0));
    assert_eq!((files.deny_read.len(), files.deny_write.len()), (1, 1));
    let network = &sandbox.network;
    assert_eq!(
        (network.allowed.len(), network.unix_sockets.len(), network.denied.len()),
        (0, 0, 1)
    );
    assert!(!*network.all_unix_sockets && !*network.local_binding);
    assert_eq!((*network.http_proxy_port, *network.socks_proxy_port), (None, None));
    assert_eq!(sandbox.credentials.files.len(), 1);
    assert_eq!(sandbox.credentials.variables[0].protection, Protection::Deny);
}

#[test]
fn a_layer_without_trust_only_restricts() {
    for scope in [Scope::Project, Scope::Local, Scope::User, Scope::CommandLine] {
        let policy = assemble(&[untrusted(scope, GRANTS)], &place());
        only_restricts(&policy);
        assert_eq!(policy.default_mode, None);
        assert_eq!(policy.closed, []);
        let policy =
            assemble(&[untrusted(scope, GRANTS), layer(Scope::User, STRICT_USER)], &place());
        only_restricts(&policy);
        assert_eq!(policy.default_mode.map(|(mode, _)| mode), Some(Mode::Plan));
        assert!(!*policy.sandbox.allow_unsandboxed && !policy.preapproved_hosts);
    }
}

#[test]
fn the_same_layer_with_trust_grants() {
    let policy = assemble(&[layer(Scope::Project, GRANTS)], &place());
    assert_eq!(policy.diagnostics, []);
    assert_eq!(texts(&policy.allow), ["Bash(l)"]);
    assert_eq!(policy.directories.len(), 1);
    assert_eq!(policy.default_mode.map(|(mode, _)| mode), Some(Mode::BypassPermissions));
    let sandbox = &policy.sandbox;
    assert!(*sandbox.enabled && *sandbox.auto_allow && *sandbox.weaker_nested);
    assert_eq!((sandbox.excluded.len(), sandbox.ignored_violations.len()), (1, 1));
    assert_eq!(sandbox.filesystem.allow_write.len(), 1);
    assert_eq!(sandbox.network.allowed.len(), 1);
    assert_eq!(*sandbox.network.http_proxy_port, Some(1));
}

#[test]
fn a_managed_layer_needs_no_trust() {
    let policy = assemble(&[untrusted(Scope::Managed, GRANTS)], &place());
    assert_eq!(texts(&policy.allow), ["Bash(l)"]);
    assert_eq!(policy.diagnostics, []);
}

#[test]
fn a_layer_that_is_no_json_only_restricts_and_closes_everything() {
    for scope in [Scope::Project, Scope::Local, Scope::User, Scope::CommandLine, Scope::Managed] {
        let text = GRANTS.replacen('{', "{ // a comment\n", 1);
        let policy = assemble(&[layer(scope, &text)], &place());
        only_restricts(&policy);
        assert!(policy.closed.iter().any(|closed| closed.tool.is_none()), "{scope}");
        assert_eq!(policy.diagnostics.len(), 1, "one thing is wrong: {scope}");
    }
}

#[test]
fn a_layer_that_could_only_be_read_in_part_only_restricts_and_closes_everything() {
    for scope in [Scope::Project, Scope::User, Scope::Managed] {
        let unreadable = Some("it is not UTF-8".to_owned());
        let policy = assemble(&[Layer { unreadable, ..layer(scope, GRANTS) }], &place());
        only_restricts(&policy);
        assert!(policy.closed[0].tool.is_none());
        assert_eq!(policy.diagnostics.len(), 1);
        assert_eq!(policy.diagnostics[0].code, "unreadable");
        let unreadable = Some("permission denied".to_owned());
        let policy = assemble(&[Layer { unreadable, ..layer(scope, "") }], &place());
        assert!(policy.closed[0].tool.is_none());
        assert_eq!(policy.diagnostics.len(), 1);
    }
}

#[test]
fn what_was_restricted_when_a_layer_was_whole_holds_on_while_it_is_broken() {
    for scope in [Scope::Project, Scope::User, Scope::Managed] {
        let broken = |text: &str, kept: Option<&str>| {
            let last_good = kept.map(str::to_owned);
            assemble(&[Layer { last_good, ..layer(scope, text) }], &place())
        };
        let policy = broken("{", Some(GRANTS));
        only_restricts(&policy);
        assert_eq!(texts(&policy.deny), texts(&broken(GRANTS, None).deny), "{scope}");
        assert!(policy.closed.iter().any(|closed| closed.tool.is_none()), "{scope}");
        assert_eq!(policy.diagnostics, broken("{", None).diagnostics, "told once: {scope}");
        let source = &policy.deny.list[0].reference.source;
        assert!(source.file.starts_with("last good version of "), "{}", source.file);
        // A whole layer says what counts; what it said before does not.
        let whole = broken("{}", Some(GRANTS));
        assert!(whole.deny.is_empty() && whole.closed.is_empty(), "{scope}");
    }
}

#[test]
fn a_layer_is_whole_when_it_can_be_read_in_full() {
    let whole = |text: &str| layer(Scope::User, text).is_whole();
    assert!(whole("{}") && whole(GRANTS) && whole(r#"{"permissions": {"deny": 3}}"#));
    assert!(
        !whole("") && !whole("[]") && !whole("{\"permissions\": {},}") && !whole("{ // why\n}")
    );
    let unreadable = Some("permission denied".to_owned());
    assert!(!Layer { unreadable, ..layer(Scope::User, "{}") }.is_whole());
    let native = |text: &str| Layer::new(Scope::User, "/h/portcullis.toml", text, path("/h"));
    assert!(native("scrubEnv = true").is_whole() && !native("scrubEnv = ").is_whole());
}

#[test]
fn a_broken_layer_leaves_the_others_as_they_are() {
    let good = r#"{"permissions":{"deny":["Bash(d)"],"allow":["Bash(l)"]}}"#;
    let policy = assemble(&[layer(Scope::User, good), layer(Scope::Project, "{")], &place());
    assert_eq!(texts(&policy.deny), ["Bash(d)"]);
    assert_eq!(texts(&policy.allow), ["Bash(l)"]);
    assert_eq!(policy.closed.len(), 1);
}

#[test]
fn without_trust_a_mode_counts_where_it_is_stricter() {
    let mode = |word: &str| format!(r#"{{"permissions":{{"defaultMode":"{word}"}}}}"#);
    let modes = ["bypassPermissions", "acceptEdits", "default", "plan", "dontAsk"];
    for (user_rank, user) in modes.iter().enumerate() {
        for (project_rank, project) in modes.iter().enumerate() {
            let layers =
                [layer(Scope::User, &mode(user)), untrusted(Scope::Project, &mode(project))];
            let policy = assemble(&layers, &place());
            let decided = policy.default_mode.map(|(mode, _)| mode.word());
            let want = if project_rank > user_rank && project_rank > 1 { project } else { user };
            assert_eq!(decided, Some(*want), "user {user}, project {project}");
        }
    }
}

#[test]
fn keys_a_repository_can_never_set_do_not_count_even_with_trust() {
    let text = r#"{
      "permissions": {"defaultMode": "auto"},
      "sandbox": {
        "allowAppleEvents": true,
        "filesystem": {"disabled": true},
        "network": {"strictAllowlist": true, "tlsTerminate": {}},
        "credentials": {
          "files": [{"path": "~/.f", "mode": "mask"}], "envVars": [{"name": "T", "mode": "mask"}],
          "allowPlaintextInject": true, "sigv4": {"presigned": "passthrough"},
          "awsPairs": [{"accessKeyIdVar": "A", "secretAccessKeyVar": "B"}]
        }
      },
      "portcullis": {"log": "/tmp/log"}
    }"#;
    for scope in [Scope::Project, Scope::Local] {
        let policy = assemble(&[layer(scope, text)], &place());
        let empty = assemble(&[], &place());
        assert_eq!(policy.sandbox, empty.sandbox);
        assert_eq!(policy.native, empty.native);
        assert_eq!(policy.default_mode, None);
        let codes: Vec<&str> = policy.diagnostics.iter().map(|found| found.code).collect();
        assert_eq!(codes, ["not-from-project"; 11]);
    }
    for scope in [Scope::User, Scope::CommandLine, Scope::Managed] {
        let policy = assemble(&[layer(scope, text)], &place());
        assert_eq!(policy.default_mode.map(|(mode, _)| mode), Some(Mode::Auto));
        let sandbox = &policy.sandbox;
        assert!(*sandbox.filesystem.disabled && *sandbox.network.strict);
        assert!(sandbox.network.tls_termination.value.is_some());
        assert!(*sandbox.credentials.plaintext_inject);
        assert_eq!((sandbox.credentials.files.len(), sandbox.credentials.aws_pairs.len()), (1, 1));
        assert_eq!(policy.native.log.as_deref(), Some("/tmp/log"));
        let codes: Vec<&str> = policy.diagnostics.iter().map(|found| found.code).collect();
        assert_eq!(codes, ["no-effect"]);
    }
}

#[test]
fn a_hostile_file_is_cut_short_and_closes_everything() {
    let many =
        |entry: &str| format!(r#"{{"permissions":{{"deny":[{}"Bash(d)"]}}}}"#, entry.repeat(5000));
    for entry in ["5,", "\"Bash(\",", "\"Nothing(\","] {
        let policy = assemble(&[layer(Scope::Project, &many(entry))], &place());
        assert_eq!((policy.diagnostics.len(), policy.closed.len()), (201, 201), "{entry}");
        assert_eq!(policy.diagnostics[200].message, "4800 more things are wrong in this file");
        assert!(policy.closed[200].tool.is_none(), "{entry}");
        assert_eq!(texts(&policy.deny), ["Bash(d)"]);
    }
}
