//! What mounts and guards are told.

use crate::deriving::{place, policy};
use portcullis_profile::{CompiledFiles, SandboxProfile};

fn compiled(settings: &str) -> CompiledFiles {
    CompiledFiles::new(SandboxProfile::derive(&policy(settings), &place()).files)
}

#[test]
fn a_read_guard_is_needed_for_every_name_that_is_denied() {
    for (settings, wanted) in [
        ("{}", false),
        (r#"{"sandbox":{"filesystem":{"denyWrite":["/etc/shadow"]}}}"#, false),
        // Root replaces it too, and drops what covers it.
        (r#"{"sandbox":{"filesystem":{"denyRead":["/etc/shadow"]}}}"#, true),
        (r#"{"sandbox":{"filesystem":{"denyRead":["/**/.env"]}}}"#, true),
        (r#"{"sandbox":{"filesystem":{"denyRead":["/**/.env"],"disabled":true}}}"#, false),
    ] {
        assert_eq!(compiled(settings).needs_read_guard(), wanted, "{settings}");
    }
}

#[test]
fn patterns_name_the_nearest_path() {
    let files = compiled("{}");
    let near: Vec<String> = files.nearest().map(|(path, _)| path.to_string()).collect();
    for want in
        ["/home/u/p/.git/hooks", "/home/u/p/.git/config", "/home/u/p/.bashrc", "/home/u/p/.git"]
    {
        assert!(near.iter().any(|path| path == want), "{want} in {near:?}");
    }
}

#[test]
fn one_automaton_serves_every_root() {
    let one = compiled("{}");
    let many = compiled(
        r#"{"sandbox":{"filesystem":{"allowWrite":["/srv/a","/srv/b","/srv/c","/srv/d"]}}}"#,
    );
    let size = |files: &CompiledFiles| format!("{files:?}").matches("Node {").count();
    assert!(size(&many) < size(&one) + 20, "{} and {}", size(&one), size(&many));
}
