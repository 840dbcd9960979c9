//! One call through the house: read, gather, probe, decide.

use crate::disk::{Disk, Entry};
use portcullis_engine::Options;
use portcullis_facts::tables::tools::{Content, content_of};
use portcullis_facts::{Answers, Facts, Probe};
use portcullis_model::{AbsPath, ToolCall, Verdict};
use portcullis_policy::Policy;
use portcullis_shell::Program;

/// A verdict with everything it was made from.
#[derive(Debug)]
pub struct Evaluation {
    /// The verdict.
    pub verdict: Verdict,
    /// What the call would do.
    pub facts: Facts,
    /// What the disk answered: with the call and the policy, enough to decide again.
    pub answers: Answers,
}

/// Decides one call under a policy, asking `disk` what only a disk can answer.
pub fn evaluate(policy: &Policy, call: &ToolCall, disk: &dyn Disk, options: Options) -> Evaluation {
    let program = read(call);
    let facts = portcullis_facts::gather(call, program.as_ref());
    let answers = answer(policy, &facts, disk);
    let verdict = portcullis_engine::decide(policy, &facts, &answers, options);
    Evaluation { verdict, facts, answers }
}

/// Reads the command of a call that has one.
pub(crate) fn read(call: &ToolCall) -> Option<Program> {
    let Content::Command(field) = content_of(&call.tool) else { return None };
    let text = call.input.text(field)?;
    Some(portcullis_shell::parse(text, &portcullis_shell::Options::default()))
}

/// Answers the probes of the facts. What is not answered counts as the worst case.
pub(crate) fn answer(policy: &Policy, facts: &Facts, disk: &dyn Disk) -> Answers {
    let mut answers = Answers::default();
    for directory in &policy.directories {
        if let Some(real) = disk.real(&directory.path) {
            answers.real.insert(directory.path.clone(), real);
        }
    }
    let path_rules = [&policy.deny, &policy.ask]
        .into_iter()
        .any(|rules| ["Read", "Edit"].iter().any(|tool| rules.any_for_tool(tool, |_| true)));
    answers.blind = !disk.real(&facts.call.cwd).is_some_and(|real| {
        matches!(disk.entry(real.path.as_str()), Entry::Directory | Entry::Unknown)
    });
    let searches = facts.accesses.iter().any(|access| access.found.is_some());
    for probe in &facts.probes {
        match probe {
            Probe::Real(path) => {
                if let Some(real) = disk.real(path) {
                    answers.real.insert(path.clone(), real);
                }
            }
            Probe::Glob(glob) => {
                if let Some(paths) = disk.glob(glob) {
                    for path in &paths {
                        if let Some(real) = disk.real(path) {
                            answers.real.insert(path.clone(), real);
                        }
                    }
                    answers.globs.insert(glob.clone(), paths);
                }
            }
            Probe::Below(directory) => {
                let tree = if path_rules { disk.below(directory) } else { None };
                let Some(tree) = tree else { continue };
                // What a search hands on is opened, and links with it.
                if searches {
                    let real = |link: AbsPath| disk.real(&link).map(|real| (link, real));
                    let Some(led) = tree.links.into_iter().map(real).collect::<Option<Vec<_>>>()
                    else {
                        continue;
                    };
                    answers.real.extend(led);
                }
                answers.below.insert(directory.clone(), tree.paths);
            }
            Probe::Names(glob) => {
                if !answers.globs.contains_key(glob)
                    && let Some(paths) = disk.glob(glob)
                {
                    answers.globs.insert(glob.clone(), paths);
                }
            }
            // The matches of every glob were looked up before.
            Probe::BelowGlob(glob) => {
                let matches = answers.globs.get(glob).filter(|_| path_rules);
                let mut seen = 0;
                for directory in matches.cloned().into_iter().flatten() {
                    // Many large directories: what was not looked into counts as the worst case.
                    if seen > MOST_BELOW {
                        break;
                    }
                    if let Some(tree) = disk.below(&directory) {
                        seen += tree.paths.len() + 1;
                        answers.below.insert(directory, tree.paths);
                    }
                }
            }
        }
    }
    answers
}

/// Entries below all matches of one glob that are looked at.
const MOST_BELOW: usize = 10_000;
