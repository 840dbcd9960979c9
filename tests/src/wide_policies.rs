//! Policies of many rules, as settings of teams have them: what benches and the growth curve measure.

use portcullis_model::{AbsPath, Scope};
use portcullis_policy::{Layer, Place, Policy, assemble};
use serde_json::json;

/// Programs, subcommands and tails as settings of teams have them; `turn` makes another policy.
pub fn policy(count: usize, turn: usize) -> Policy {
    let programs = [
        "git",
        "npm",
        "cargo",
        "docker",
        "kubectl",
        "gh",
        "terraform",
        "aws",
        "make",
        "go",
        "pip",
        "yarn",
        "jq",
        "helm",
        "psql",
    ];
    let verbs =
        ["get", "list", "show", "create", "delete", "apply", "run", "test", "build", "push"];
    let (mut allow, mut ask, mut deny) = (vec![], vec![], vec![]);
    for index in 0..count {
        let at = index * 7 + turn * 3;
        let program = programs[at % programs.len()];
        let verb = verbs[at / programs.len() % verbs.len()];
        let number = index / 50 + turn * 1_000;
        let text = match index % 4 {
            0 => format!("Bash({program} {verb} item{number} *)"),
            1 => format!("Bash({program} {verb} item{number}-x{index})"),
            2 => format!("Bash({program} {verb} * --flag{index})"),
            _ => format!("Bash({program} {verb}-{number}:*)"),
        };
        match index % 10 {
            0 | 1 => deny.push(text),
            2 => ask.push(text),
            _ => allow.push(text),
        }
    }
    let settings = json!({ "permissions": { "allow": allow, "ask": ask, "deny": deny } });
    let layer =
        Layer::new(Scope::Project, "settings.json", format!("{settings:#}"), AbsPath::root());
    assemble(
        &[layer],
        &Place { start: AbsPath::root(), project_root: AbsPath::root(), home: AbsPath::root() },
    )
}
