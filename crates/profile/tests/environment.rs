//! Which variables reach a command.

use crate::deriving::{place, policy};
use portcullis_profile::{Hidden, SandboxProfile, sentinel};

fn seen(settings: &str, scrub: Option<bool>, variables: &[(&str, &str)]) -> Vec<String> {
    let place = portcullis_profile::Place { scrub_environment: scrub, ..place() };
    let profile = SandboxProfile::derive(&policy(settings), &place);
    let pairs = variables.iter().map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec()));
    let applied = profile.environment.apply(pairs);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    applied.kept.iter().map(|(name, value)| format!("{}={}", text(name), text(value))).collect()
}

const OURS: [&str; 4] =
    ["TMPDIR=/tmp/pc-1", "TMP=/tmp/pc-1", "TEMP=/tmp/pc-1", "TMPPREFIX=/tmp/pc-1/zsh"];

#[test]
fn loaders_never_pass() {
    let variables = [
        ("LD_PRELOAD", "/x.so"),
        ("LD_AUDIT", "/x.so"),
        ("BASH_ENV", "/x"),
        ("ENV", "/x"),
        ("BASH_FUNC_ls%%", "() { :; }"),
        ("PS4", "$(x)"),
        ("GIT_SSH_COMMAND", "x"),
        ("GIT_CONFIG_COUNT", "1"),
        ("NODE_OPTIONS", "--require x"),
        ("PERL5OPT", "-Mx"),
        ("PATH", "/bin"),
        ("GIT_AUTHOR_NAME", "me"),
        ("ENVIRONMENT", "test"),
        ("TMPDIR", "/elsewhere"),
    ];
    let mut want = vec!["PATH=/bin", "GIT_AUTHOR_NAME=me", "ENVIRONMENT=test"];
    want.extend(OURS);
    assert_eq!(seen("{}", None, &variables), want);
}

#[test]
fn credentials_pass_until_scrubbing_is_on() {
    let variables = [("ANTHROPIC_API_KEY", "k"), ("AWS_SESSION_TOKEN", "t"), ("AWS_REGION", "r")];
    let kept = |settings, scrub| seen(settings, scrub, &variables).len() - OURS.len();
    let on = r#"{"portcullis":{"scrubEnv":true}}"#;
    assert_eq!(kept("{}", None), 3);
    assert_eq!(kept("{}", Some(false)), 3);
    assert_eq!(kept("{}", Some(true)), 1);
    assert_eq!(kept(on, None), 1);
    // Off in the environment does not undo what the settings say.
    assert_eq!(kept(on, Some(false)), 1);
}

#[test]
fn entries_are_unset_or_masked() {
    let settings = r#"{"sandbox":{"network":{"allowedDomains":["example.org"],"tlsTerminate":{}},
        "credentials":{"envVars":[
        {"name":"GITHUB_TOKEN","mode":"mask"},{"name":"SECRET","mode":"deny"}]}}}"#;
    let secret = "ghp_0123456789abcdefghijABCDEFGHIJ";
    let kept = seen(settings, Some(true), &[("GITHUB_TOKEN", secret), ("SECRET", "s")]);
    assert_eq!(kept.len(), 1 + OURS.len(), "{kept:?}");
    let value = kept[0].strip_prefix("GITHUB_TOKEN=").unwrap();
    assert_eq!(value.len(), secret.len());
    assert!(value.starts_with("ghp_portcullis"), "{value}");
}

#[test]
fn a_sentinel_holds_nothing_of_the_secret() {
    for (secret, want) in [
        ("hunter2", "portcul"),
        ("sk-ant-api03-abcdefgh", "sk-ant-api03-portcull"),
        ("sk-ant-api03-abc", "sk-ant-portcullis"),
        ("", ""),
    ] {
        let made = String::from_utf8(sentinel(secret.as_bytes())).unwrap();
        assert_eq!(made.len(), secret.len());
        assert!(made.starts_with(want.get(..made.len().min(want.len())).unwrap()), "{made}");
    }
}

#[test]
fn a_hidden_variable_is_named_without_its_value() {
    let profile = SandboxProfile::derive(&policy("{}"), &place());
    let applied = profile.environment.apply([(b"LD_PRELOAD".to_vec(), b"/secret.so".to_vec())]);
    assert_eq!(applied.hidden.len(), 1);
    let (name, rule) = &applied.hidden[0];
    assert_eq!((name.as_slice(), rule.hidden), (&b"LD_PRELOAD"[..], Hidden::Unset));
    assert!(!format!("{applied:?}").contains("secret"), "{applied:?}");
}
