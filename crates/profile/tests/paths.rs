//! What mounts and guards are told.

use crate::deriving::{place, policy};
use portcullis_model::AbsPath;
use portcullis_profile::{CompiledFiles, SandboxProfile};

fn compiled(settings: &str) -> CompiledFiles {
    CompiledFiles::new(SandboxProfile::derive(&policy(settings), &place()).files)
}

#[test]
fn a_read_guard_is_needed_for_names_that_may_change() {
    let everywhere = |_: &AbsPath| true;
    let nowhere = |_: &AbsPath| false;
    let file = compiled(r#"{"sandbox":{"filesystem":{"denyRead":["/etc/shadow"]}}}"#);
    assert!(!compiled("{}").needs_read_guard(everywhere));
    assert!(file.needs_read_guard(everywhere));
    assert!(!file.needs_read_guard(nowhere));
    assert!(
        compiled(r#"{"sandbox":{"filesystem":{"denyRead":["/**/.env"]}}}"#)
            .needs_read_guard(nowhere)
    );
    assert!(
        !compiled(r#"{"sandbox":{"filesystem":{"denyRead":["/**/.env"],"disabled":true}}}"#)
            .needs_read_guard(everywhere)
    );
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
