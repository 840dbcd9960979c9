mod common;
use common::*;
use portcullis_model::Scope::*;
use portcullis_policy::assemble;
#[test]
fn probe() {
    let cases = std::fs::read_to_string("/tmp/cases.txt").unwrap();
    let mut out = String::new();
    for case in cases.split("\n====\n") {
        let (head, text) = case.split_once('\n').unwrap();
        let mut words = head.split(' ');
        let scope = match words.next().unwrap() {
            "user" => User,
            "project" => Project,
            "local" => Local,
            "cli" => CommandLine,
            "managed" => Managed,
            o => panic!("{o}"),
        };
        let mut l = layer(scope, text.trim_end_matches('\n'));
        let rest: Vec<&str> = words.collect();
        if rest.first() == Some(&"untrusted") {
            l.trusted = false;
        }
        let policy = assemble(&[l], &place());
        out += &format!("{head}\n{text}\n----\n{}\n====\n", effects(&policy));
    }
    std::fs::write("/tmp/cases_out.txt", out).unwrap();
}
