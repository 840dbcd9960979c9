//! How layers add up: which rules, switches and entries count.

use crate::common::{layer, path, place, texts};
use portcullis_model::{Mode, Scope};
use portcullis_policy::{Layer, Place, Policy, Protection, Setting, assemble};

const USER: Scope = Scope::User;
const PROJECT: Scope = Scope::Project;
const LOCAL: Scope = Scope::Local;
const CLI: Scope = Scope::CommandLine;
const MANAGED: Scope = Scope::Managed;

fn merged(layers: &[(Scope, &str)]) -> Policy {
    let layers: Vec<Layer> = layers.iter().map(|(scope, text)| layer(*scope, text)).collect();
    assemble(&layers, &place())
}

fn said<T: Copy>(setting: &Setting<T>) -> (T, Option<Scope>) {
    (setting.value, setting.source.as_ref().map(|source| source.scope))
}

#[test]
fn rules_of_every_layer_add_up_highest_first() {
    let rules = |name: &str| {
        format!(
            r#"{{"permissions":{{"deny":["Bash(d{name})"],"ask":["Bash(a{name})"],"allow":["Bash(l{name})"]}}}}"#
        )
    };
    let texts_of: Vec<String> =
        ["user", "cli", "managed", "project", "local"].iter().map(|name| rules(name)).collect();
    let scopes = [USER, CLI, MANAGED, PROJECT, LOCAL];
    let layers: Vec<Layer> =
        scopes.iter().zip(&texts_of).map(|(scope, text)| layer(*scope, text)).collect();
    let policy = assemble(&layers, &place());
    let want = |letter: &str| {
        ["managed", "cli", "local", "project", "user"].map(|name| format!("Bash({letter}{name})"))
    };
    assert_eq!(texts(&policy.deny), want("d"));
    assert_eq!(texts(&policy.ask), want("a"));
    assert_eq!(texts(&policy.allow), want("l"));
    assert_eq!(policy.diagnostics, []);
    assert_eq!(policy.closed, []);
}

#[test]
fn a_rule_knows_where_it_is_written() {
    let text = "{\n  \"permissions\": {\n    \"deny\": [\"é\", \"Bash(rm *)\"]\n  }\n}";
    let policy = merged(&[(PROJECT, text)]);
    let rule = &policy.deny.list[1].reference;
    assert_eq!(rule.source.to_string(), "project.json:3:19 (project)");
    assert_eq!(rule.text, "Bash(rm *)");
}

#[test]
fn the_highest_layer_that_sets_a_switch_decides() {
    let on = r#"{"sandbox":{"enabled":true,"failIfUnavailable":true,"autoAllowBashIfSandboxed":true,"allowUnsandboxedCommands":true,"enableWeakerNestedSandbox":true,"network":{"allowAllUnixSockets":true,"allowLocalBinding":true}}}"#;
    let off = on.replace("true", "false");
    let values = |policy: &Policy| {
        let sandbox = &policy.sandbox;
        [
            &sandbox.enabled,
            &sandbox.fail_if_unavailable,
            &sandbox.auto_allow,
            &sandbox.allow_unsandboxed,
            &sandbox.weaker_nested,
            &sandbox.network.all_unix_sockets,
            &sandbox.network.local_binding,
        ]
        .map(said)
    };
    let defaults = [false, false, true, true, false, false, false];
    assert_eq!(values(&merged(&[])), defaults.map(|value| (value, None)));
    let order = [USER, PROJECT, LOCAL, CLI, MANAGED];
    for (low, lower) in order.iter().enumerate() {
        for higher in order.iter().skip(low + 1) {
            let policy = merged(&[(*lower, on), (*higher, &off)]);
            assert_eq!(values(&policy), [(false, Some(*higher)); 7], "{lower} {higher}");
            let policy = merged(&[(*higher, on), (*lower, &off)]);
            assert_eq!(values(&policy), [(true, Some(*higher)); 7], "{lower} {higher}");
        }
    }
}

#[test]
fn within_a_scope_the_later_layer_decides() {
    let policy = merged(&[
        (
            MANAGED,
            r#"{"sandbox":{"enabled":true},"permissions":{"defaultMode":"plan","deny":["Bash(a)"]}}"#,
        ),
        (
            MANAGED,
            r#"{"sandbox":{"enabled":false},"permissions":{"defaultMode":"dontAsk","deny":["Bash(b)"]}}"#,
        ),
    ]);
    assert!(!*policy.sandbox.enabled);
    assert_eq!(policy.default_mode.map(|(mode, _)| mode), Some(Mode::DontAsk));
    assert_eq!(texts(&policy.deny), ["Bash(b)", "Bash(a)"]);
}

#[test]
fn the_highest_layer_with_a_mode_decides() {
    let mode = |mode: &str| format!(r#"{{"permissions":{{"defaultMode":"{mode}"}}}}"#);
    let decided = |layers: &[(Scope, &str)]| {
        let layers: Vec<Layer> =
            layers.iter().map(|(scope, word)| layer(*scope, &mode(word))).collect();
        assemble(&layers, &place()).default_mode.map(|(mode, source)| (mode, source.scope))
    };
    assert_eq!(decided(&[]), None);
    assert_eq!(decided(&[(USER, "acceptEdits")]), Some((Mode::AcceptEdits, USER)));
    assert_eq!(decided(&[(USER, "auto")]), Some((Mode::Auto, USER)));
    assert_eq!(decided(&[(USER, "manual")]), Some((Mode::Default, USER)));
    assert_eq!(
        decided(&[(USER, "plan"), (PROJECT, "bypassPermissions")]),
        Some((Mode::BypassPermissions, PROJECT))
    );
    assert_eq!(decided(&[(PROJECT, "auto"), (USER, "plan")]), Some((Mode::Plan, USER)));
    assert_eq!(decided(&[(LOCAL, "auto")]), None);
    assert_eq!(decided(&[(CLI, "plan"), (MANAGED, "default")]), Some((Mode::Default, MANAGED)));
    // What cannot be read hides lower, looser words.
    assert_eq!(decided(&[(USER, "acceptEdits"), (LOCAL, "plann")]), Some((Mode::Default, LOCAL)));
}

#[test]
fn any_layer_can_lock_a_mode() {
    for scope in [USER, PROJECT, LOCAL, CLI, MANAGED] {
        for (text, bypass, auto) in [
            (r#"{"permissions":{"disableBypassPermissionsMode":"disable"}}"#, true, false),
            (r#"{"permissions":{"disableAutoMode":"disable"}}"#, false, true),
            (r#"{"disableAutoMode":"disable"}"#, false, true),
            (r#"{"disableAutoMode":false}"#, false, true),
            (r#"{"disableBypassPermissionsMode":"disable"}"#, false, false),
        ] {
            let locked = Layer { trusted: false, ..layer(scope, text) };
            let policy = assemble(&[locked], &place());
            assert_eq!(policy.bypass_disabled.is_some(), bypass, "{scope} {text}");
            assert_eq!(policy.auto_disabled.is_some(), auto, "{scope} {text}");
        }
    }
}

#[test]
fn only_managed_rules_allow_under_the_managed_lock() {
    let rules = r#"{"permissions":{"deny":["Bash(d)"],"ask":["Bash(a)"],"allow":["Bash(l)"]}}"#;
    let locked = r#"{"allowManagedPermissionRulesOnly":true,"permissions":{"allow":["Bash(m)"]}}"#;
    let policy = merged(&[(USER, rules), (CLI, rules), (MANAGED, locked)]);
    assert_eq!(texts(&policy.allow), ["Bash(m)"]);
    // What restricts is never taken away by a lock.
    assert_eq!(texts(&policy.deny), ["Bash(d)", "Bash(d)"]);
    assert_eq!(texts(&policy.ask), ["Bash(a)", "Bash(a)"]);
    assert_eq!(policy.rules_locked.map(|source| source.scope), Some(MANAGED));
    let codes: Vec<&str> = policy.diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(codes, ["managed-rules-only", "managed-rules-only"]);

    for scope in [USER, PROJECT, LOCAL, CLI] {
        let policy = merged(&[(scope, locked), (USER, rules)]);
        assert_eq!(policy.allow.list.len(), 2, "{scope} cannot lock");
        assert_eq!(policy.rules_locked, None);
    }
}

#[test]
fn only_managed_domains_are_allowed_under_the_managed_lock() {
    let user = r#"{"permissions":{"allow":["WebFetch(domain:u.example)","WebFetch","Bash(l)"]},"sandbox":{"network":{"allowedDomains":["u.example"],"deniedDomains":["bad.example"]}}}"#;
    let locked = r#"{"permissions":{"allow":["WebFetch(domain:m.example)"]},"sandbox":{"network":{"allowManagedDomainsOnly":true,"allowedDomains":["m.example"]}}}"#;
    let policy = merged(&[(USER, user), (MANAGED, locked)]);
    assert_eq!(texts(&policy.allow), ["WebFetch(domain:m.example)", "Bash(l)"]);
    let hosts: Vec<&str> = policy.sandbox.network.allowed.iter().map(|d| d.host.as_str()).collect();
    assert_eq!(hosts, ["m.example"]);
    assert_eq!(policy.sandbox.network.denied.len(), 1);
    assert_eq!(said(&policy.sandbox.network.managed_only), (true, Some(MANAGED)));
    let policy = merged(&[(USER, user), (CLI, locked)]);
    assert_eq!((policy.allow.list.len(), policy.sandbox.network.allowed.len()), (4, 2));
}

#[test]
fn a_lock_that_cannot_be_read_is_on() {
    for value in ["\"true\"", "1", "null", "[]", "{}", "\"false\"", "0"] {
        let text = format!(
            r#"{{"allowManagedPermissionRulesOnly":{value},"sandbox":{{"network":{{"allowManagedDomainsOnly":{value}}},"filesystem":{{"allowManagedReadPathsOnly":{value}}}}},"portcullis":{{"managedExcludedCommandsOnly":{value},"managedSandboxEscapeOnly":{value}}}}}"#
        );
        let user = r#"{"permissions":{"allow":["Bash(l)"]},"sandbox":{"excludedCommands":["x"],"filesystem":{"allowRead":["/r"]},"network":{"allowedDomains":["u.example"]}}}"#;
        let policy = merged(&[(MANAGED, &text), (USER, user)]);
        assert!(policy.rules_locked.is_some(), "{value}");
        assert!(policy.allow.is_empty(), "{value}");
        let sandbox = &policy.sandbox;
        assert!(*sandbox.network.managed_only && *sandbox.filesystem.managed_read_only, "{value}");
        assert_eq!(sandbox.network.allowed, [], "{value}");
        assert_eq!(sandbox.filesystem.allow_read, [], "{value}");
        assert_eq!(sandbox.excluded, [], "{value}");
        assert!(!*sandbox.allow_unsandboxed, "{value}");
        assert_eq!(policy.diagnostics.iter().filter(|d| d.code == "wrong-type").count(), 5);
    }
}

#[test]
fn a_switch_that_cannot_be_read_counts_as_the_stricter_value() {
    for scope in [USER, PROJECT, LOCAL, CLI, MANAGED] {
        let wrong = r#"{"sandbox":{"enabled":"true","failIfUnavailable":0,"autoAllowBashIfSandboxed":"false","allowUnsandboxedCommands":null,"enableWeakerNestedSandbox":"true","network":{"allowAllUnixSockets":1,"allowLocalBinding":[]}},"portcullis":{"preapprovedHosts":"no"}}"#;
        let policy = merged(&[(scope, wrong)]);
        let sandbox = &policy.sandbox;
        assert!(*sandbox.enabled && *sandbox.fail_if_unavailable);
        assert!(!*sandbox.auto_allow && !*sandbox.allow_unsandboxed && !*sandbox.weaker_nested);
        assert!(!*sandbox.network.all_unix_sockets && !*sandbox.network.local_binding);
        assert!(!policy.preapproved_hosts);
    }
    // Turning the sandbox on by mistake grants no commands.
    let policy = merged(&[
        (USER, r#"{"sandbox":{"autoAllowBashIfSandboxed":true}}"#),
        (PROJECT, r#"{"sandbox":{"enabled":"on"}}"#),
    ]);
    assert!(*policy.sandbox.enabled && !*policy.sandbox.auto_allow);
    let policy = merged(&[
        (USER, r#"{"sandbox":{"enabled":"on"}}"#),
        (PROJECT, r#"{"sandbox":{"enabled":true}}"#),
    ]);
    assert!(*policy.sandbox.enabled && *policy.sandbox.auto_allow, "the higher layer is clear");
}

#[test]
fn written_twice_the_stricter_switch_counts() {
    for text in [
        r#"{"sandbox":{"allowUnsandboxedCommands":false,"allowUnsandboxedCommands":true}}"#,
        r#"{"sandbox":{"allowUnsandboxedCommands":true,"allowUnsandboxedCommands":false}}"#,
        r#"{"sandbox":{"allowUnsandboxedCommands":false},"sandbox":{"allowUnsandboxedCommands":true}}"#,
    ] {
        let policy = merged(&[(USER, text)]);
        assert!(!*policy.sandbox.allow_unsandboxed, "{text}");
        assert_eq!(policy.diagnostics[0].code, "duplicate-key", "{text}");
    }
}

#[test]
fn sandbox_lists_merge_and_paths_start_where_their_file_says() {
    let text = r#"{"sandbox":{"filesystem":{"allowWrite":["out","./out/","/tmp/**","//var//x/","~/a/**","~",".","..","a/**/*.log","**","/"]}}}"#;
    let place = Place {
        start: path("/home/dev/proj/sub"),
        project_root: path("/home/dev/proj"),
        home: path("/home/dev"),
    };
    let paths = |layer: Layer| {
        let policy = assemble(&[layer], &place);
        assert_eq!(policy.diagnostics, []);
        let written = policy.sandbox.filesystem.allow_write;
        written.iter().map(|entry| entry.path.as_str().to_owned()).collect::<Vec<_>>()
    };
    let absolute = ["/tmp", "/var/x", "/home/dev/a", "/home/dev"];
    let of = |anchor: &str, parent: &str| {
        let mut all = vec![format!("{anchor}/out"), format!("{anchor}/out")];
        all.extend(absolute.map(str::to_owned));
        all.extend([anchor.to_owned(), parent.to_owned(), format!("{anchor}/a/**/*.log")]);
        all.extend([anchor.to_owned(), "/".to_owned()]);
        all
    };
    let project = of("/home/dev/proj", "/home/dev");
    assert_eq!(paths(layer(PROJECT, text)), project);
    assert_eq!(paths(Layer { dir: path("/home/dev/proj/sub"), ..layer(LOCAL, text) }), project);
    assert_eq!(paths(layer(USER, text)), of("/home/dev/.claude", "/home/dev"));
    assert_eq!(paths(Layer { dir: path("/conf"), ..layer(CLI, text) }), of("/conf", "/"));

    let policy = merged(&[
        (
            USER,
            r#"{"sandbox":{"filesystem":{"denyRead":["~/.ssh"],"denyWrite":["/etc"],"allowRead":["/u"]}}}"#,
        ),
        (
            PROJECT,
            r#"{"sandbox":{"filesystem":{"denyRead":["*.pem"],"denyWrite":["/usr"],"allowRead":["/p"]}}}"#,
        ),
    ]);
    let files = &policy.sandbox.filesystem;
    let shown: Vec<(&str, bool)> =
        files.deny_read.iter().map(|entry| (entry.path.as_str(), entry.wildcard)).collect();
    assert_eq!(shown, [("/home/dev/proj/*.pem", true), ("/home/dev/.ssh", false)]);
    assert_eq!((files.deny_write.len(), files.allow_read.len()), (2, 2));
    assert_eq!(files.deny_read[1].source.to_string(), "user.json:1:39 (user)");
    assert_eq!(files.deny_read[1].text, "~/.ssh");
}

#[test]
fn wildcards_in_the_anchor_are_no_wildcards_of_the_entry() {
    let text = r#"{"sandbox":{"filesystem":{"denyRead":["a","*.pem"]}}}"#;
    let place = Place { project_root: path("/srv/[x]"), ..place() };
    let policy = assemble(&[layer(PROJECT, text)], &place);
    let entries = &policy.sandbox.filesystem.deny_read;
    assert_eq!((entries[0].path.as_str(), entries[0].wildcard), ("/srv/[x]/a", false));
    assert_eq!((entries[1].path.as_str(), entries[1].wildcard), (r"/srv/\[x\]/*.pem", true));
}

#[test]
fn managed_settings_that_isolate_files_keep_them_isolated() {
    let off = r#"{"sandbox":{"filesystem":{"disabled":true}}}"#;
    let disabled = |layers: &[(Scope, &str)]| *merged(layers).sandbox.filesystem.disabled;
    assert!(disabled(&[(USER, off)]));
    assert!(disabled(&[(CLI, off)]));
    assert!(disabled(&[(MANAGED, off)]));
    assert!(!disabled(&[(PROJECT, off)]));
    assert!(!disabled(&[(LOCAL, off)]));
    assert!(disabled(&[(USER, off), (MANAGED, r#"{"sandbox":{"enabled":true}}"#)]));
    for managed in [
        r#"{"sandbox":{"filesystem":{"denyRead":["~/.ssh"]}}}"#,
        r#"{"sandbox":{"filesystem":{}}}"#,
        r#"{"sandbox":{"credentials":{"files":[{"path":"~/.x","mode":"deny"}]}}}"#,
    ] {
        assert!(!disabled(&[(USER, off), (MANAGED, managed)]), "{managed}");
    }
}

#[test]
fn one_strict_layer_makes_the_allowlist_strict() {
    let strict =
        |value: bool| format!(r#"{{"sandbox":{{"network":{{"strictAllowlist":{value}}}}}}}"#);
    let (on, off) = (strict(true), strict(false));
    for (layers, want) in [
        ([(USER, on.as_str()), (MANAGED, off.as_str())], true),
        ([(USER, &off), (MANAGED, &on)], true),
        ([(USER, &off), (MANAGED, &off)], false),
        ([(PROJECT, &on), (USER, &off)], false),
    ] {
        assert_eq!(*merged(&layers).sandbox.network.strict, want, "{layers:?}");
    }
}

#[test]
fn managed_settings_can_keep_exclusions_and_escapes_to_themselves() {
    let user = r#"{"sandbox":{"excludedCommands":["docker *"],"allowUnsandboxedCommands":true}}"#;
    let policy = merged(&[
        (USER, user),
        (
            MANAGED,
            r#"{"portcullis":{"managedExcludedCommandsOnly":true},"sandbox":{"excludedCommands":["make *"]}}"#,
        ),
    ]);
    let excluded: Vec<&str> =
        policy.sandbox.excluded.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(excluded, ["make *"]);
    assert!(*policy.sandbox.allow_unsandboxed);
    let lock = r#"{"portcullis":{"managedSandboxEscapeOnly":true}}"#;
    assert_eq!(
        said(&merged(&[(USER, user), (MANAGED, lock)]).sandbox.allow_unsandboxed),
        (false, Some(MANAGED))
    );
    assert!(!*merged(&[(MANAGED, lock)]).sandbox.allow_unsandboxed);
    let open = r#"{"portcullis":{"managedSandboxEscapeOnly":true},"sandbox":{"allowUnsandboxedCommands":true}}"#;
    assert!(*merged(&[(USER, user), (MANAGED, open)]).sandbox.allow_unsandboxed);
}

#[test]
fn scalars_of_the_network_come_from_the_highest_layer() {
    let policy = merged(&[
        (
            USER,
            r#"{"sandbox":{"network":{"httpProxyPort":3128,"socksProxyPort":1080,"tlsTerminate":{}}}}"#,
        ),
        (
            CLI,
            r#"{"sandbox":{"network":{"httpProxyPort":8080,"tlsTerminate":{"caCertPath":"/c.pem","caKeyPath":"~/k.pem"}}}}"#,
        ),
    ]);
    let network = &policy.sandbox.network;
    assert_eq!((*network.http_proxy_port, *network.socks_proxy_port), (Some(8080), Some(1080)));
    let tls = network.tls_termination.value.as_ref().unwrap();
    assert_eq!(tls.ca_cert.as_ref().unwrap().path, path("/c.pem"));
    assert_eq!(tls.ca_key.as_ref().unwrap().path, path("/home/dev/k.pem"));
}

#[test]
fn domains_are_read_with_their_ports() {
    let text = r#"{"sandbox":{"network":{"allowedDomains":["GitHub.com.","*.npmjs.org:443","127.0.0.1:80","[::1]","[::1]:443"]}}}"#;
    let policy = merged(&[(USER, text)]);
    assert_eq!(policy.diagnostics, []);
    let found: Vec<(&str, Option<u16>)> =
        policy.sandbox.network.allowed.iter().map(|d| (d.host.as_str(), d.port)).collect();
    assert_eq!(
        found,
        [
            ("github.com", None),
            ("*.npmjs.org", Some(443)),
            ("127.0.0.1", Some(80)),
            ("::1", None),
            ("::1", Some(443)),
        ]
    );
}

#[test]
fn a_repository_only_narrows_private_addresses() {
    use portcullis_policy::PrivateAddresses::{Allow, Deny, Exact};
    let said = |word: &str| format!(r#"{{"portcullis":{{"privateAddresses":"{word}"}}}}"#);
    for (user, project, want) in [
        (None, None, Exact),
        (Some("allow"), None, Allow),
        (None, Some("allow"), Exact),
        (Some("allow"), Some("deny"), Deny),
        (Some("deny"), Some("allow"), Deny),
        (Some("deny"), Some("exact"), Deny),
        (Some("allow"), Some("exact"), Exact),
    ] {
        let texts: Vec<_> = [(USER, user), (PROJECT, project)]
            .into_iter()
            .filter_map(|(scope, word)| Some((scope, said(word?))))
            .collect();
        let layers: Vec<_> = texts.iter().map(|(scope, text)| (*scope, text.as_str())).collect();
        let policy = merged(&layers);
        assert_eq!(policy.native.private_addresses.value, want, "{user:?} {project:?}");
    }
    let broken = merged(&[(USER, &said("some"))]);
    let codes: Vec<_> = broken.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, ["wrong-value"]);
}

#[test]
fn doubtful_domains_are_read_strictly_and_named() {
    let text = r#"{"sandbox":{"network":{"allowedDomains":["*","::1","::1:443"],"deniedDomains":["::1:443","127.1"]}}}"#;
    let policy = merged(&[(USER, text)]);
    let codes: Vec<&str> = policy.diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["broad-domain", "bad-domain", "unreliable-domain", "unreliable-domain"]);
    let show = |list: &[portcullis_policy::SandboxDomain]| -> Vec<(String, Option<u16>)> {
        list.iter().map(|d| (d.host.clone(), d.port)).collect()
    };
    let network = &policy.sandbox.network;
    assert_eq!(show(&network.allowed), [("*".to_owned(), None), ("::1".to_owned(), Some(443))]);
    let denied = [("::1", Some(443)), ("::1:443", None), ("127.0.0.1", None)];
    assert_eq!(show(&network.denied), denied.map(|(host, port)| (host.to_owned(), port)));
}

#[test]
fn a_denied_credential_is_masked_by_no_layer() {
    let deny = r#"{"sandbox":{"credentials":{"files":[{"path":"~/.f","mode":"deny"}],"envVars":[{"name":"T","mode":"deny"}]}}}"#;
    let mask = r#"{"sandbox":{"credentials":{"files":[{"path":"/home/dev/.f","mode":"mask"},{"path":"~/.g","mode":"mask"}],"envVars":[{"name":"T","mode":"mask"},{"name":"U","mode":"mask","injectHosts":["a.example"]}]}}}"#;
    for layers in [
        [(USER, deny), (MANAGED, mask)],
        [(USER, mask), (MANAGED, deny)],
        [(PROJECT, deny), (USER, mask)],
    ] {
        let credentials = merged(&layers).sandbox.credentials;
        let mut files: Vec<(String, bool)> = credentials
            .files
            .iter()
            .map(|file| (file.path.path.to_string(), file.protection == Protection::Deny))
            .collect();
        files.sort();
        assert_eq!(files, [("/home/dev/.f".to_owned(), true), ("/home/dev/.g".to_owned(), false)]);
        let mut variables: Vec<(String, bool)> = credentials
            .variables
            .iter()
            .map(|variable| (variable.name.clone(), variable.protection == Protection::Deny))
            .collect();
        variables.sort();
        assert_eq!(variables, [("T".to_owned(), true), ("U".to_owned(), false)]);
    }
}

#[test]
fn directories_add_up() {
    let text =
        r#"{"permissions":{"additionalDirectories":["../docs/","/srv","~/x","~","~//etc",".."]}}"#;
    let policy =
        merged(&[(USER, text), (CLI, r#"{"permissions":{"additionalDirectories":["/a"]}}"#)]);
    let found: Vec<&str> = policy.directories.iter().map(|found| found.path.as_str()).collect();
    assert_eq!(
        found,
        ["/a", "/home/dev/docs", "/srv", "/home/dev/x", "/home/dev", "/home/dev/etc", "/home/dev"]
    );
    assert_eq!(policy.directories[0].source.to_string(), "cli.json:1:42 (cli)");
}

#[test]
fn a_flag_names_no_line() {
    let flag = Layer {
        file: "--deny".to_owned(),
        ..layer(CLI, r#"{"permissions":{"deny":["Bash(rm *)", 5]}}"#)
    };
    let policy = assemble(&[flag], &place());
    assert_eq!(policy.deny.list[0].reference.source.to_string(), "--deny (cli)");
    let diagnostic = &policy.diagnostics[0];
    assert_eq!((diagnostic.span, diagnostic.line_text.as_deref()), (None, None));
    assert_eq!(diagnostic.source.to_string(), "--deny (cli)");
}

#[test]
fn a_diagnostic_shows_its_line() {
    let text = "{\r\n  \"permissions\": {\"defaultMode\": \"nope\"}\r\n}";
    let policy = merged(&[(USER, text)]);
    let diagnostic = &policy.diagnostics[0];
    assert_eq!(
        diagnostic.line_text.as_deref(),
        Some("  \"permissions\": {\"defaultMode\": \"nope\"}")
    );
    assert_eq!(diagnostic.span.unwrap().of(text), "\"nope\"");
    assert_eq!((diagnostic.source.line, diagnostic.source.column), (2, 34));
}
