//! The entry: one tool call to its facts.

use crate::doubt::Doubts;
use crate::facts::AccessFact;
use crate::globs::glob_directory;
use crate::place::{Through, climbed, through_process};
use crate::state::{Cwd, State};
use crate::tables::tools::{Content, content_of};
use crate::walk::{Collected, Stdin, Walker};
use crate::web::host_of;
use crate::{Access, Accessor, Action, Facts, Origin, Place, Probe, Weight};
use portcullis_model::{AbsPath, Reason, Span, TextSet, ToolCall};
use portcullis_shell::Program;
use std::collections::BTreeSet;

/// Works out what a call would do.
///
/// `program` is what [`portcullis_shell::parse`] made of the command, for tools that run one; without
/// it their text counts as unknown. Paths are resolved by text only; every question that takes a
/// disk is in [`Facts::probes`].
pub fn gather(call: &ToolCall, program: Option<&Program>) -> Facts {
    let mut facts = Facts {
        call: call.clone(),
        action: Action::Other,
        commands: Vec::new(),
        accesses: Vec::new(),
        redirects: Vec::new(),
        assignments: Vec::new(),
        obstacles: Vec::new(),
        display_flags: Vec::new(),
        probes: Vec::new(),
    };
    match content_of(&call.tool) {
        Content::Command(field) => shell(&mut facts, call, field, program),
        Content::Reads(field) => file(&mut facts, call, field, Access::Read),
        Content::Searches(field) => {
            facts.action = Action::File;
            let base = call.input.text(field).unwrap_or(".");
            match call.input.text("pattern").filter(|_| call.tool == "Glob") {
                Some(pattern) => match searched(base, pattern) {
                    Some(text) => tool_access(&mut facts, call, &text, Access::Read, true),
                    None => anywhere(&mut facts, Access::Read, pattern),
                },
                None => tool_access(&mut facts, call, base, Access::Read, true),
            }
        }
        Content::Writes(field) => file(&mut facts, call, field, Access::Write),
        Content::Fetches(field) => {
            facts.action = match call.input.text(field) {
                Some(url) => Action::Fetch(host_of(url)),
                None => {
                    Action::Malformed(format!("`{}` without a text field `{field}`", call.tool))
                }
            };
        }
        Content::ChangesTo(field) => {
            facts.action = match call.input.text(field) {
                Some(text) => {
                    let text = text.to_owned();
                    tool_access(&mut facts, call, &text, Access::Read, false);
                    Action::Directory
                }
                None => {
                    Action::Malformed(format!("`{}` without a text field `{field}`", call.tool))
                }
            };
        }
        Content::Nothing => {}
    }
    facts.probes = probes(&facts);
    facts
}

/// The directory below which everything lies that a file pattern can match; `None` where a `..` or an
/// alternative may lead anywhere.
fn searched(base: &str, pattern: &str) -> Option<String> {
    let end = pattern.find(['*', '?', '[', '{', '(', '!', '\\']).unwrap_or(pattern.len());
    let (literal, rest) = pattern.split_at_checked(end)?;
    // Braces and parentheses hold alternatives, each of which may start anew.
    let marks = ['{', ',', '}', '(', '|', ')'];
    let away = |part: &str| part == ".." || part.starts_with(['/', '~']) || part.starts_with("../");
    let climbs = |part: &str| part.split(['/', '\\']).any(|name| name == "..");
    if rest.split(marks).any(climbs)
        || rest.split(marks).skip(1).any(away)
        || pattern.split('/').any(may_be_parent)
    {
        return None;
    }
    let directory = literal.rsplit_once('/').map(|(directory, _)| directory);
    Some(match directory {
        // No component of it is literal.
        None if !rest.is_empty() => base.to_owned(),
        None => format!("{base}/{literal}"),
        Some("") => "/".to_owned(),
        Some(directory) if directory.starts_with('/') || directory.starts_with('~') => {
            directory.to_owned()
        }
        Some(directory) => format!("{base}/{directory}"),
    })
}

/// Whether a component is put together so that it may be `..`: `{,.}.`, `[.][.]`, `.?`, `..\`. `..` itself is
/// read where it stands, and `.*` means names that start with a dot.
fn may_be_parent(name: &str) -> bool {
    let special = |c: char| "?*[](){},|!@+\\^".contains(c);
    let text: String = name.chars().filter(|c| !special(*c)).collect();
    name.contains(special)
        && !name.starts_with('*')
        && name != ".*"
        && !text.is_empty()
        && text.chars().all(|c| c == '.')
}

/// An access to what is not known.
fn anywhere(facts: &mut Facts, access: Access, text: &str) {
    facts.accesses.push(AccessFact {
        access,
        by: Accessor::Tool,
        text: text.to_owned(),
        span: Span::default(),
        place: Place::Unknown(TextSet::anything()),
        recursive: true,
        found: None,
        visible_only: false,
        carried: false,
        climbs: true,
        climbed: Vec::new(),
        dynamic: false,
        guessed: false,
        settled: false,
    });
}

fn file(facts: &mut Facts, call: &ToolCall, field: &str, access: Access) {
    match call.input.text(field) {
        Some(text) if !text.is_empty() => {
            facts.action = Action::File;
            let text = text.to_owned();
            tool_access(facts, call, &text, access, false);
        }
        _ => {
            facts.action =
                Action::Malformed(format!("`{}` without a text field `{field}`", call.tool));
        }
    }
}

fn tool_access(facts: &mut Facts, call: &ToolCall, text: &str, access: Access, recursive: bool) {
    // File tools expand a leading `~/` themselves.
    let path = match (text.strip_prefix("~/"), through_process(text)) {
        (Some(rest), _) => call.home.join(rest),
        (None, _) if text == "~" => Ok(call.home.clone()),
        (None, Some(Through::Root(rest))) => AbsPath::parse(&format!("/{rest}")),
        (None, Some(Through::Cwd(rest))) => call.cwd.join(&format!(".{rest}")),
        (None, Some(Through::Elsewhere)) => return anywhere(facts, access, text),
        (None, None) => call.cwd.join(text),
    };
    let Ok(path) = path else {
        facts.action = Action::Malformed(format!("`{text}` is not a path"));
        return;
    };
    facts.accesses.push(AccessFact {
        access,
        by: Accessor::Tool,
        text: text.to_owned(),
        span: Span::default(),
        place: Place::Known(vec![path]),
        recursive,
        found: None,
        visible_only: false,
        carried: false,
        climbs: false,
        // The host may take `..` back in the text, or leave that to the kernel.
        climbed: climbed(text, &Cwd::one(call.cwd.clone())),
        dynamic: false,
        guessed: false,
        settled: false,
    });
}

fn shell(facts: &mut Facts, call: &ToolCall, field: &str, program: Option<&Program>) {
    let Some(command) = call.input.text(field) else {
        facts.action = Action::Malformed(format!("`{}` without a text field `{field}`", call.tool));
        return;
    };
    let mut walker = Walker {
        call,
        out: Collected::default(),
        depth: 0,
        calls: 0,
        origin: Origin::Written,
        carrier: None,
        enclosed: false,
        substituted: false,
        nested: 0,
        lists_names: false,
        search: None,
        doubts: Doubts::default(),
        input: Stdin::Inherited,
        obscured: None,
        guessing: false,
    };
    match program {
        Some(program) => {
            let mut state = State::fresh(Cwd::one(call.cwd.clone()), call);
            walker.program(program, &mut state);
            facts.display_flags.clone_from(&program.display_flags);
        }
        None => walker.unknown(Span::new(0, command.len())),
    }
    for fact in &mut walker.out.obstacles {
        if walker.doubts.settled(fact) {
            fact.weight = fact.weight.min(Weight::NeedsBare);
        }
    }
    walker.settle();
    walker.through_descriptors();
    walker.written_and_run();
    let nothing = walker.out.commands.is_empty()
        && walker.out.accesses.is_empty()
        && walker.out.assignments.is_empty()
        && walker.out.obstacles.is_empty();
    let says_something = |line: &str| {
        let line = line.trim_start_matches([' ', '\t']);
        !line.is_empty() && !line.starts_with('#')
    };
    if nothing && command.split('\n').any(says_something) && !only_tests(program) {
        // SECURITY: nothing found in a text that says something is a failure of ours to read it,
        // never a reason to let it run.
        walker.unknown(Span::new(0, command.len()));
        walker.obstacle(
            Reason::UnsupportedSyntax,
            Span::new(0, command.len()),
            "nothing was found in it",
        );
    }
    let out = walker.out;
    facts.action = Action::Shell {
        command: command.to_owned(),
        leave_sandbox: call.input.is_true("dangerouslyDisableSandbox"),
        empty: out.commands.is_empty() && out.accesses.is_empty() && out.assignments.is_empty(),
    };
    facts.commands = out.commands;
    facts.accesses = out.accesses;
    facts.redirects = out.redirects;
    facts.assignments = out.assignments;
    facts.obstacles = out.obstacles;
}

/// Whether the text is made of `[[ … ]]`, `(( … ))` and the like, which run no command of their own.
fn only_tests(program: Option<&Program>) -> bool {
    program.is_some_and(|program| !program.script.statements.is_empty())
}

fn probes(facts: &Facts) -> Vec<Probe> {
    let mut probes = BTreeSet::new();
    let mut real = |path: &AbsPath| {
        probes.insert(Probe::Real(path.clone()));
    };
    real(&facts.call.project_root);
    real(&facts.call.cwd);
    real(&facts.call.home);
    for directory in &facts.call.additional_directories {
        real(directory);
    }
    for left in facts.accesses.iter().flat_map(|access| &access.climbed) {
        real(left);
        left.parent().iter().for_each(&mut real);
    }
    let places = facts.accesses.iter().map(|access| &access.place).chain(
        facts
            .commands
            .iter()
            .filter_map(|fact| fact.removal.as_ref())
            .flat_map(|removal| removal.targets.iter().map(|target| &target.place)),
    );
    let mut globs = BTreeSet::new();
    for place in places {
        match place {
            Place::Known(paths) => paths.iter().for_each(&mut real),
            Place::Glob(texts) => {
                texts.iter().filter_map(|text| glob_directory(text)).for_each(|path| real(&path));
                globs.extend(texts.iter().cloned().map(Probe::Glob));
            }
            Place::Unknown(_) | Place::Free => {}
        }
    }
    for fact in &facts.commands {
        globs.extend(fact.bare_globs.iter().cloned().map(Probe::Names));
        for target in fact.cd.iter().filter_map(|cd| cd.targets.as_ref()).flatten() {
            real(target);
        }
    }
    let below = facts.accesses.iter().filter(|access| access.recursive);
    let below: BTreeSet<Probe> = below
        .flat_map(|access| match &access.place {
            Place::Known(paths) => paths.iter().cloned().map(Probe::Below).collect(),
            Place::Glob(globs) => globs.iter().cloned().map(Probe::BelowGlob).collect(),
            Place::Unknown(_) | Place::Free => Vec::new(),
        })
        .collect();
    probes.into_iter().chain(globs).chain(below).collect()
}
