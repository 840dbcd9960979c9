//! Shell cases: command strings with the commands and files bash was seen to run and open.

use crate::case::{Case, Miss};
use crate::cover;
use crate::evaluate::{self, Answer, Argument, Redirect};
use crate::world::{HOME, PROJECT};
use serde::Deserialize;
use serde_json::{Value, json};

/// One command string.
#[derive(Clone, Debug, Deserialize)]
pub struct ShellCase {
    id: String,
    group: String,
    input: String,
    verdict: Expected,
    commands: Vec<Vec<Argument>>,
    redirects: Vec<Redirect>,
    #[serde(default)]
    inner: Vec<Vec<Argument>>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    note: String,
    #[serde(default)]
    bash_observed: Option<Vec<Vec<String>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expected {
    Ok,
    Refuse,
}

/// A Bash call in the default mode and without any rule.
pub fn bash_call(command: &str) -> Value {
    json!({
        "tool_name": "Bash",
        "tool_input": { "command": command },
        "cwd": PROJECT,
        "project_root": PROJECT,
        "home": HOME,
        "settings": {},
        "fs": { "dirs": [PROJECT, HOME], "files": [], "symlinks": {} },
    })
}

impl ShellCase {
    /// The command string.
    pub fn input(&self) -> &str {
        &self.input
    }

    /// What is wrong with an answer, if anything is.
    fn complaint(&self, answer: &Answer) -> Option<String> {
        match self.verdict {
            Expected::Ok => self.complaint_when_readable(answer),
            Expected::Refuse => self.complaint_when_refused(answer),
        }
    }

    fn complaint_when_readable(&self, answer: &Answer) -> Option<String> {
        if !answer.unanalyzable.is_empty() {
            return Some(format!("refused: {}", answer.unanalyzable.join(", ")));
        }
        let mut ours: Vec<_> = answer.commands.iter().map(|command| joined(command)).collect();
        for wanted in &self.commands {
            let found = ours.iter().position(|command| self.same_command(wanted, command));
            match found {
                Some(index) => drop(ours.remove(index)),
                None if cover::with_carried(&answer.commands).contains(wanted) => {}
                None => return Some(format!("misses the command {}", show(wanted))),
            }
        }
        // Beside what is written there may be what wrappers carry, and what unknown words turn out
        // to be when the same string says so.
        let extra = |command: &&Vec<Argument>| {
            !self.inner.contains(command)
                && !self.commands.iter().any(|wanted| refines(wanted, command))
        };
        if let Some(extra) = ours.iter().find(extra) {
            return Some(format!("invents the command {}", show(extra)));
        }
        let mut redirects: Vec<_> =
            answer.redirects.iter().filter(|each| opens_file(each)).collect();
        redirects.sort();
        let mut wanted: Vec<_> = self.redirects.iter().collect();
        wanted.sort();
        (redirects != wanted).then(|| format!("redirects are {redirects:?}"))
    }

    fn complaint_when_refused(&self, answer: &Answer) -> Option<String> {
        let reason = self.reason.as_deref().unwrap_or_default();
        if answer.unanalyzable.iter().any(|ours| ours == reason) {
            return None;
        }
        if !answer.unanalyzable.is_empty() {
            return Some(format!("refused as {}", answer.unanalyzable.join(", ")));
        }
        let Some(observed) = &self.bash_observed else {
            return Some("read in full, and nothing proves it right".to_owned());
        };
        let missed = observed.iter().find(|argv| !cover::any(&answer.commands, argv))?;
        Some(format!("read in full, but bash ran {missed:?}"))
    }

    /// Whether a command of ours is the wanted one, word for word.
    fn same_command(&self, wanted: &[Argument], ours: &[Argument]) -> bool {
        let lenient = self.note.contains("may also be left unknown");
        wanted.len() == ours.len()
            && wanted
                .iter()
                .zip(ours)
                .all(|(wanted, ours)| wanted == ours || lenient && *ours == Argument::Unknown(()))
    }

    fn expected(&self) -> String {
        let commands: Vec<_> = self.commands.iter().map(|command| show(command)).collect();
        match self.verdict {
            Expected::Ok => format!("{} redirects {:?}", commands.join(" "), self.redirects),
            Expected::Refuse => format!("refused as {}", self.reason.as_deref().unwrap_or("?")),
        }
    }
}

impl Case for ShellCase {
    fn id(&self) -> &str {
        &self.id
    }

    fn suite(&self) -> &str {
        &self.group
    }

    fn judge(&self) -> Result<(), Miss> {
        let miss = |ours: &str, detail: String| Miss {
            expected: self.expected(),
            ours: ours.to_owned(),
            detail,
            call: format!("{:?}", self.input.chars().take(300).collect::<String>()),
        };
        let answer = evaluate::ask_with_facts(&bash_call(&self.input));
        let answer = answer.map_err(|error| miss("error", error))?;
        let Some(complaint) = self.complaint(&answer) else { return Ok(()) };
        let ours = if answer.unanalyzable.is_empty() { "read" } else { "refused" };
        let commands: Vec<_> =
            answer.commands.iter().take(20).map(|command| show(command)).collect();
        Err(miss(ours, format!("{complaint}; commands {}", commands.join(" "))))
    }
}

/// The same command, any number of words and any number more being any number of words.
fn joined(command: &[Argument]) -> Vec<Argument> {
    let mut command = command.to_vec();
    command.dedup_by(|next, last| next == last && matches!(last, Argument::Splat { .. }));
    command
}

/// Whether a command is a wanted one with its unknown words known.
fn refines(wanted: &[Argument], command: &[Argument]) -> bool {
    let known = |argument: &Argument| match argument {
        Argument::Known(word) => Some(word.clone()),
        Argument::Splat { .. } | Argument::Unknown(()) => None,
    };
    let words: Option<Vec<_>> = command.iter().map(known).collect();
    wanted.iter().any(|argument| known(argument).is_none())
        && words.is_some_and(|words| cover::command(wanted, &words))
}

/// Here-documents and here-strings open no file.
fn opens_file(redirect: &Redirect) -> bool {
    !matches!(redirect.op.as_str(), "<<" | "<<-" | "<<<")
}

fn show(command: &[Argument]) -> String {
    let words: Vec<_> = command
        .iter()
        .map(|argument| match argument {
            Argument::Known(word) => format!("{word:?}"),
            Argument::Unknown(()) => "?".to_owned(),
            Argument::Splat { .. } => "…".to_owned(),
        })
        .collect();
    format!("[{}]", words.join(" "))
}
