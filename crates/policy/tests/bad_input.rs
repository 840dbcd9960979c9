//! Every kind of broken settings: the message, its place, and what is closed or lost.

use crate::common::{effects, layer, place};
use portcullis_model::Scope;
use portcullis_policy::assemble;
use std::collections::BTreeSet;

#[test]
fn broken_settings_say_what_is_wrong_and_fail_closed() {
    let mut names = BTreeSet::new();
    let mut failures: Vec<String> = Vec::new();
    for case in TABLE.split("====\n").skip(1).filter(|case| !case.is_empty()) {
        let (head, rest) = case.split_once('\n').unwrap();
        let (text, want) = rest.split_once("\n----\n").unwrap();
        let (name, scope) = head.split_once(' ').unwrap();
        assert!(names.insert(name), "{name} is there twice");
        let policy = assemble(&[layer(self::scope(scope), text)], &place());
        let found = effects(&policy);
        if found != want {
            failures.push(format!("{name}\n{text}\n---- wanted\n{want}---- found\n{found}\n"));
        }
    }
    assert!(names.len() >= 65, "the table is read");
    assert!(failures.is_empty(), "\n{}", failures.concat());
}

fn scope(word: &str) -> Scope {
    [Scope::User, Scope::Project, Scope::Local, Scope::CommandLine, Scope::Managed]
        .into_iter()
        .find(|scope| scope.word() == word)
        .unwrap()
}

const TABLE: &str = include_str!("tables/bad_input.txt");
