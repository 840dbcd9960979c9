//! One simple command: what is under its wrappers, what it does, and which files it touches.

use crate::changes::patched;
use crate::doubt::{Content, names_in, variables_of};
use crate::expand::{Nothing, Value};
use crate::facts::{AccessFact, RemovalFact, RemovalTarget};
use crate::forms::{basename, push_deny_forms, push_forms, without_assignments};
use crate::inspect::{Inspection, inspect};
use crate::option_files;
use crate::payload::{
    git_alias, read_as_code, runs_any_command, starts_programs, tests_a_subscript,
};
use crate::peel::{Inner, Strength, peel};
use crate::place::{climbed, climbs, moved_to, place_of};
use crate::runs::{Run, Runner};
use crate::search::{self, Search};
use crate::set::set_by_builtin;
use crate::spelling::{is_under_unknown, obscured, under_variable};
use crate::state::{Cwd, Flow, Reach, State, argument_lists};
use crate::tables::builtins::{Directory, builtin_effect};
use crate::tables::git_options::git_without_globals;
use crate::tables::interpreters::interpreter;
use crate::walk::{Stdin, Walker, safe_assignment};
use crate::{Access, Accessor, Arg, CdFact, CommandFact, Form, Origin, Place};
use portcullis_model::{Certainty, Reason, Span, TextPiece, TextSet};
use portcullis_shell::{Assign, Part, Script, Simple, Word};
use std::borrow::Cow;

/// Wrappers inside wrappers are taken off this often.
const MAX_WRAPPERS: usize = 40;
/// What surrounds the words of a command.
pub(crate) struct Shell<'a> {
    pub(crate) span: Span,
    pub(crate) assigns: &'a [Assign],
    pub(crate) source: Option<(&'a str, &'a str)>,
    pub(crate) processes: Vec<&'a Script>,
    pub(crate) under_variable: bool,
    obscured: Option<&'static str>,
    /// The variables in its words, where nothing else in them is unknown.
    doubts: Option<Vec<String>>,
}

impl Shell<'_> {
    pub(crate) fn bare(span: Span) -> Self {
        Self {
            span,
            assigns: &[],
            source: None,
            processes: Vec::new(),
            under_variable: false,
            obscured: None,
            doubts: None,
        }
    }
}

impl Walker<'_> {
    /// A command with words: the command as written, and as its variables make it.
    pub(crate) fn words(&mut self, simple: &Simple, stdin: &Stdin, state: &mut State) -> Flow {
        let declaration = simple.words.first().and_then(Word::known).is_some_and(|name| {
            matches!(name.as_str(), "declare" | "typeset" | "local" | "export" | "readonly")
        });
        let written = argument_lists(&simple.words, declaration, &Nothing, &Nothing);
        let Some(written) = written.into_iter().next() else { return Flow::stays(&state.cwd) };
        let shell = Shell {
            span: self.carrier.unwrap_or(simple.span),
            assigns: &simple.assigns,
            source: Some((&simple.source, &simple.words_source)),
            processes: processes(simple),
            under_variable: simple.words.iter().any(under_variable),
            obscured: obscured(simple),
            doubts: variables_of(&simple.words),
        };
        let open = written.iter().any(|arg| arg.known().is_none());
        let mut resolved = Cow::Borrowed(written.as_slice());
        if open && simple.words.iter().any(names_a_place) {
            let places = state.lookup(Reach::Places);
            let lists = argument_lists(&simple.words, declaration, &places, &places);
            resolved = lists.into_iter().next().map_or(resolved, Cow::Owned);
        }
        let index = self.out.commands.len();
        let flow = self.listed(&written, &resolved, &shell, stdin, state);
        if open {
            if let Some(names) = names_in(&simple.words).filter(|_| simple.words.len() <= 48) {
                let counted = |name: String| {
                    let count = state.variables.get(&name).len();
                    (name, count)
                };
                self.out.settling.push((index, names.into_iter().map(counted).collect()));
            }
            let known = state.lookup(Reach::Text);
            let mut names = state.lookup(Reach::Text);
            names.unset_is_empty = true;
            let refined = argument_lists(&simple.words, declaration, &known, &names);
            let outer = self.origin;
            if outer == Origin::Written {
                self.origin = Origin::Refined;
            }
            for argv in refined {
                if argv != written && *argv != *resolved && !argv.is_empty() {
                    let shell = Shell::bare(shell.span);
                    // `eval "$x"` changes the shell it runs in.
                    self.argv(&argv, &shell, stdin, state);
                }
            }
            self.origin = outer;
        }
        flow
    }

    /// A command that has no source text of its own.
    pub(crate) fn argv(
        &mut self,
        argv: &[Arg],
        shell: &Shell<'_>,
        stdin: &Stdin,
        state: &mut State,
    ) -> Flow {
        self.listed(argv, argv, shell, stdin, state)
    }

    /// A command whose program is only known when it runs: any command, on any of its words.
    fn unknown_program(&mut self, argv: &[Arg], span: Span, state: &State) {
        self.unknown(span);
        for arg in argv.iter().skip(1).filter(|arg| arg.known().is_some()) {
            let place = place_of(arg, &state.cwd, &self.call.home);
            self.may_touch(arg.known().unwrap_or(""), &place, span);
        }
    }

    /// Any command at all.
    pub(crate) fn unknown(&mut self, span: Span) {
        let argv = [Arg::many()];
        let known = self
            .out
            .commands
            .iter()
            .any(|fact| fact.span == span && fact.argv == argv && !fact.needs_cover());
        if !known {
            let mut fact = empty_fact(span, Origin::Payload);
            fact.argv = argv.to_vec();
            fact.guessed = self.guessing;
            fact.forms.push(Form::restricting(TextSet::anything()));
            // SECURITY: any command is also any file: `curl x | sh` may read what a rule forbids.
            self.may_touch("any file", &Place::Unknown(TextSet::anything()), span);
            self.out.commands.push(fact);
        }
    }

    /// What the command that comes next may read or write: a guess, for deny and ask rules only.
    fn may_touch(&mut self, text: &str, place: &Place, span: Span) {
        for access in [Access::Read, Access::Write] {
            let index = self.out.commands.len();
            let fact = AccessFact::guess(access, index, text, span, place.clone());
            self.out.accesses.push(AccessFact { dynamic: true, ..fact });
        }
    }

    fn listed(
        &mut self,
        written: &[Arg],
        resolved: &[Arg],
        shell: &Shell<'_>,
        stdin: &Stdin,
        state: &mut State,
    ) -> Flow {
        let mut search = self.search.take();
        if written.is_empty() {
            return Flow::stays(&state.cwd);
        }
        if let Stdin::Names(listed) = stdin {
            search = search.or_else(|| search::through_xargs(listed, written));
        }
        let index = self.out.commands.len();
        let mut fact = empty_fact(shell.span, self.origin);
        fact.guessed = self.guessing;
        fact.enclosed = self.enclosed;
        fact.substituted = self.substituted;
        fact.nested = self.nested > 0;
        fact.obscured = self.obscured.or(shell.obscured);
        fact.argv = written.to_vec();
        fact.safe_assignments = shell.assigns.iter().all(safe_assignment);
        fact.bare_globs = option_files::bare_globs(resolved, &state.cwd);
        if written.first().is_some_and(|name| name.known().is_none()) {
            fact.obstacles.push(Reason::DynamicCommandName);
            self.unknown_program(written, shell.span, state);
        }
        if let Some(name) = written.first().and_then(Arg::known) {
            if self.call.shadowed.iter().any(|shadowed| shadowed == name) {
                self.obstacle(Reason::Shadowed, shell.span, &format!("`{name}`"));
                fact.obstacles.push(Reason::Shadowed);
            }
            if name.contains('/') {
                let place = place_of(&Arg::Known(name.to_owned()), &state.cwd, &self.call.home);
                if is_process_file(&place) {
                    // `/proc/self/exe -c …` is the shell itself; what else stands there is unknown.
                    self.unknown(shell.span);
                }
                let cwd = state.cwd.clone();
                self.out.runs.push(Run { place, span: shell.span, runner: Runner::Kernel, cwd });
            }
            if name.starts_with([' ', '\t']) {
                self.obstacle(Reason::EscapedBlank, shell.span, "");
            }
            if name.contains([' ', '\t', '\n']) {
                // `"curl x"` and `\ curl x` run a file of that odd name, but a person who denied
                // `curl` means them too.
                let mut text = name.trim().to_owned();
                let rest = Arg::canonical(written.get(1..).unwrap_or(&[]));
                let mut texts = TextSet::default();
                if !rest.pieces().is_empty() {
                    text.push(' ');
                }
                texts.push(TextPiece::Literal(text));
                for piece in rest.pieces() {
                    texts.push(piece.clone());
                }
                fact.forms.push(Form::restricting(texts));
            }
        }
        self.whole_forms(&mut fact, written, shell);

        // Wrappers that every rule class looks through: the same command, shorter.
        let (mut current, mut inside) = (Cow::Borrowed(written), Cow::Borrowed(resolved));
        let mut clean = fact.safe_assignments;
        let mut carried: Vec<(Inner, Certainty)> = Vec::new();
        let (mut directory_changed, mut transparent, mut peeled_any) = (false, true, false);
        // What the command runs in: wrappers may change directory first.
        let mut elsewhere = state.clone();
        let mut parameters: Vec<Arg> = Vec::new();
        // What `find` and `xargs` hand to the commands they run.
        let mut handed = search.clone();
        // What options of the wrappers read and write.
        let mut outside: Vec<Inspection> = Vec::new();
        for layer in 0.. {
            let Some(peeled) = peel(&current) else { break };
            if layer >= MAX_WRAPPERS {
                // SECURITY: what is under more wrappers than anyone writes is any command.
                carried.push((Inner::Script(Arg::many()), Certainty::Certain));
                break;
            }
            for reason in &peeled.obstacles {
                self.obstacle(*reason, shell.span, &format!("`{}`", peeled.wrapper));
            }
            fact.exact_only |= peeled.exact_only;
            for (name, value) in &peeled.assigns {
                self.hijack(name, shell.span);
                self.held(name, Content::of_text(value.known()));
                if let Some(text) = value.known() {
                    self.command_value(name, text, shell.span, state);
                }
            }
            if let Some(arg) = &peeled.changes_directory {
                directory_changed = true;
                elsewhere.cwd = moved_to(arg, &elsewhere.cwd, &self.call.home);
            }
            let outer = inspect(&by_name(if peeled_any { &current } else { resolved }));
            if !outer.paths.is_empty() && peeled.wrapper != "find" {
                outside.push(outer);
            }
            if peeled.wrapper == "find" && !self.doubts.redefines && self.call.shadowed.is_empty() {
                handed = search::of_find(&current, &elsewhere.cwd, &self.call.home);
            }
            let differs = inside != current;
            let resolved_peeled = if differs { peel(&inside) } else { None };
            let mut peeled = peeled;
            if differs {
                // `docker run -v $PWD:/w image`: where the call runs is known, so fewer are possible.
                peeled.possible =
                    resolved_peeled.as_ref().map_or_else(Vec::new, |found| found.possible.clone());
            }
            parameters.clone_from(match &resolved_peeled {
                Some(found) => &found.parameters,
                None => &peeled.parameters,
            });
            let only = match peeled.inner.as_slice() {
                [Inner::Argv(inner)] if peeled.strength == Strength::Every => Some(inner.clone()),
                _ => None,
            };
            if let Some(inner) = only
                && !inner.is_empty()
            {
                transparent &= matches!(peeled.wrapper, "command" | "builtin" | "noglob");
                peeled_any = true;
                fact.peeled.push(inner.clone());
                clean &= peeled.obstacles.is_empty();
                carried
                    .extend(peeled.possible.into_iter().map(|inner| (inner, Certainty::Possible)));
                push_forms(&mut fact, &inner, clean);
                inside = Cow::Owned(match resolved_peeled {
                    Some(peeled) => match peeled.inner.into_iter().next() {
                        Some(Inner::Argv(inner)) => inner,
                        _ => inner.clone(),
                    },
                    None => inner.clone(),
                });
                if peeled.wrapper == "xargs"
                    && let Stdin::Known(text) = stdin
                {
                    inside = Cow::Owned(with_input(&inside, text));
                }
                current = Cow::Owned(inner);
                continue;
            }
            let resolved_inner = match resolved_peeled {
                Some(found) => found.inner,
                None if differs => Vec::new(),
                None => peeled.inner,
            };
            if peeled.wrapper == "xargs"
                && let Stdin::Known(text) = stdin
            {
                for inner in &resolved_inner {
                    if let Inner::Argv(argv) = inner {
                        let filled = Inner::Argv(with_input(argv, text));
                        carried.push((filled, Certainty::Possible));
                    }
                }
            }
            carried.extend(resolved_inner.into_iter().map(|inner| (inner, Certainty::Certain)));
            carried.extend(peeled.possible.into_iter().map(|inner| (inner, Certainty::Possible)));
            break;
        }
        // `timeout 5 NODE_ENV=x npm test`: bash does not look at assignments here, but a person
        // who denied `npm test` means this too.
        let bare = without_assignments(&current);
        if bare.len() < current.len() && !bare.is_empty() {
            push_deny_forms(&mut fact, bare);
        }

        // What `~` and `$HOME` mean is known, so the command is looked at with them filled in.
        // A program named by its path is never read-only, but its files are judged all the same.
        let mut located = inspect(&by_name(&inside));
        if current.first().and_then(Arg::known).is_some_and(|name| name.contains('/')) {
            located.read_only = inspect(&inside).read_only;
            located.edits = false;
        }
        if let Some(git) = git_without_globals(&by_name(&inside))
            && git.argv.len() < inside.len()
        {
            if let Some(directory) = &git.directory {
                elsewhere.cwd = moved_to(directory, &elsewhere.cwd, &self.call.home);
            }
            // Its files are held against deny and ask rules; nothing more is known of this form.
            let mut without = inspect(&git.argv);
            (without.read_only, without.edits) = (located.read_only, false);
            without.file_command = false;
            located = without;
        }
        // The read-only tables speak about some wrappers themselves (`xargs grep x`).
        let unchanged = if !clean {
            Err("an assignment or wrapper option before it is not known to be safe")
        } else if directory_changed {
            Err("it runs in another directory")
        } else {
            Ok(())
        };
        describe(&mut fact, &located, &current, unchanged);
        if !transparent {
            fact.read_only = Err("the wrapper in front of it is not read-only".to_owned());
        }
        if peeled_any {
            for form in &mut fact.forms {
                form.wrapped |= form.whole;
            }
            let unpeeled = inspect(resolved);
            if unpeeled.read_only.is_ok() && fact.safe_assignments {
                let input = self.words_from(stdin);
                fact.read_only = input.and_then(|()| match stdin {
                    Stdin::Known(_) => located.read_only.clone().map_err(|no| no.why.into_owned()),
                    Stdin::Inherited | Stdin::Unknown | Stdin::Names(_) => Ok(()),
                });
                fact.file_command = located.file_command;
                if !matches!(stdin, Stdin::Known(_)) {
                    located = unpeeled;
                }
            }
        }
        let code = interpreter(&current);
        if let Some(code) = &code {
            self.obstacle(code.reason, shell.span, &format!("`{}`", code.name));
            // A literal command in the call that starts it is as good as written.
            carried.extend(code.possible.iter().cloned().map(|inner| (inner, Certainty::Certain)));
            let starts = code.code.iter().filter_map(Arg::known).any(starts_programs);
            if starts && code.possible.is_empty() {
                // It starts a program whose name no literal tells.
                carried.push((Inner::Script(Arg::many()), Certainty::Possible));
            }
            if code.reason == Reason::InterpreterStdin {
                match stdin {
                    Stdin::Known(text) => carried.extend(read_as_code(code.name, text)),
                    Stdin::Unknown | Stdin::Names(_) => {
                        carried.push((Inner::Script(Arg::many()), Certainty::Certain));
                    }
                    Stdin::Inherited => {}
                }
            }
        }
        self.files_run(&inside, shell.span, &elsewhere);
        if runs_any_command(&inside, stdin, !shell.processes.is_empty()) {
            self.unknown(shell.span);
        }
        if tests_a_subscript(&inside) {
            self.obstacle(Reason::ArithDynamic, shell.span, "");
        }
        let guessed = self.guesses_of(&carried, &inside, stdin, shell, &elsewhere);
        if let Some(value) = git_alias(&inside) {
            let text = value.strip_prefix('!').map_or(format!("git {value}"), str::to_owned);
            self.possible_script(&text, shell.span, &elsewhere);
        }
        let effect = builtin_effect(&inside);
        for reason in &effect.reasons {
            self.doubts.redefines |= matches!(reason, Reason::EvalFamily | Reason::ShellOption);
            match shell.doubts.as_deref().filter(|_| only_by_unknown_words(&inside, *reason)) {
                Some(names) => self.doubt(*reason, shell.span, "", names),
                None => self.obstacle(*reason, shell.span, ""),
            }
            fact.obstacles.push(*reason);
        }
        fact.obstacles.sort();
        fact.obstacles.dedup();
        let flow = self.directory(&effect.directory, &mut fact, state);
        let wrapped = self.depth > 0 || fact.origin != Origin::Written;
        if let Some(removal) = &located.removal {
            fact.removal = Some(RemovalFact {
                kind: removal.kind,
                under_variable: shell.under_variable
                    || removal.targets.iter().any(|(_, arg)| is_under_unknown(arg)),
                targets: removal
                    .targets
                    .iter()
                    .map(|(_, arg)| RemovalTarget {
                        arg: arg.clone(),
                        place: place_of(arg, &elsewhere.cwd, &self.call.home),
                        cwd: match &elsewhere.cwd {
                            Cwd::Known(paths) => Some(paths.to_vec()),
                            Cwd::Unknown => None,
                        },
                    })
                    .collect(),
            });
        }
        self.out.commands.push(fact);
        self.operands(index, &located, search.as_ref(), shell.span, wrapped, &elsewhere);
        if !located.complete && self.origin != Origin::Lossy {
            self.guesses(index, &inside, stdin, shell.span, &elsewhere);
        }
        let known = match stdin {
            Stdin::Known(text) => Some(text.as_str()),
            Stdin::Inherited | Stdin::Unknown | Stdin::Names(_) => None,
        };
        for file in patched(&inside, known) {
            let place = place_of(&file, &elsewhere.cwd, &self.call.home);
            let name = file.known().unwrap_or_default();
            let fact = AccessFact::guess(Access::Write, index, name, shell.span, place);
            self.out.accesses.push(AccessFact { recursive: true, ..fact });
        }
        if self.origin != Origin::Lossy {
            self.hands_over(index, resolved, shell.span, state);
            if peeled_any {
                self.hands_over(index, &inside, shell.span, &elsewhere);
            }
        }
        for outer in &outside {
            self.operands(index, outer, search.as_ref(), shell.span, true, state);
        }
        set_by_builtin(&inside, stdin, &effect.assigns, state);
        for (name, value) in &effect.assigns {
            let value_known = value.as_ref().and_then(Arg::known);
            let given: Vec<Value> =
                value_known.map(|text| Value::Scalar(text.to_owned())).into_iter().collect();
            self.doubts.given(name, &given);
            self.hijack(name, shell.span);
            self.held(name, Content::of_text(value.as_ref().and_then(Arg::known)));
            self.integer(name, value.as_ref().and_then(Arg::known), shell.span);
            if let Some(text) = value.as_ref().and_then(Arg::known) {
                self.command_value(name, text, shell.span, state);
                state.assign(name, false, vec![Value::Scalar(text.to_owned())]);
            }
        }
        let mut parameters = parameters.iter().map(|arg| arg.known().map(str::to_owned));
        elsewhere.zero = parameters.next().flatten();
        elsewhere.positional =
            elsewhere.zero.is_some().then(|| parameters.collect::<Option<_>>()).flatten();
        for (inner, sure) in carried {
            self.search = handed.clone().filter(|_| matches!(inner, Inner::Argv(_)));
            self.carried(&inner, sure, shell, stdin, &mut elsewhere, false);
            self.search = None;
        }
        for inner in guessed {
            let outer = std::mem::replace(&mut self.guessing, true);
            self.carried(&inner, Certainty::Possible, shell, stdin, &mut elsewhere, false);
            self.guessing = outer;
        }
        for payload in &effect.payloads {
            self.carried(payload, Certainty::Certain, shell, stdin, state, true);
        }
        self.call_function(&inside, shell, stdin, state);
        flow
    }

    /// Whether the words `xargs` takes from its input are known, or names of files that another
    /// command was let to list.
    fn words_from(&self, stdin: &Stdin) -> Result<(), String> {
        match stdin {
            Stdin::Inherited | Stdin::Known(_) => Ok(()),
            Stdin::Unknown | Stdin::Names(_) if self.lists_names => Ok(()),
            Stdin::Unknown | Stdin::Names(_) => {
                Err("words from its input may name any file".to_owned())
            }
        }
    }

    /// What the command becomes: directory changes.
    fn directory(
        &mut self,
        directory: &Directory,
        fact: &mut CommandFact,
        state: &mut State,
    ) -> Flow {
        let target = match directory {
            Directory::Stays => return Flow::stays(&state.cwd),
            Directory::Home => Some(vec![self.call.home.clone()]),
            Directory::Unknown => None,
            Directory::To(arg) => match place_of(arg, &state.cwd, &self.call.home) {
                Place::Known(paths) => Some(paths),
                Place::Glob(_) | Place::Unknown(_) | Place::Free => None,
            },
        };
        let stays = match (&target, &state.cwd) {
            (Some(targets), Cwd::Known(paths)) => {
                targets.as_slice() == &**paths && paths.len() == 1
            }
            _ => false,
        };
        fact.cd = Some(CdFact { targets: target.clone(), stays });
        let success = target.map_or(Cwd::Unknown, |paths| Cwd::Known(paths.into()));
        Flow { success, failure: state.cwd.clone() }
    }

    fn operands(
        &mut self,
        index: usize,
        inspection: &Inspection,
        search: Option<&Search>,
        span: Span,
        carried: bool,
        state: &State,
    ) {
        let Some(fact) = self.out.commands.get(index) else { return };
        let written = fact.argv.clone();
        for used in &inspection.paths {
            let text = match &used.arg {
                Arg::Known(text) | Arg::Glob(text) => text.clone(),
                Arg::One { prefix, suffix } | Arg::Many { prefix, suffix } => {
                    format!("{prefix}…{suffix}")
                }
            };
            let relative = used.arg.known().is_some_and(|text| !text.starts_with('/'));
            if relative && state.cwd == Cwd::Unknown && !carried {
                self.obstacle(Reason::CwdUnknown, span, &format!("`{text}`"));
            }
            let spelled = written.iter().any(|arg| {
                arg.known().is_some_and(|word| used.arg.known().is_some_and(|t| word.ends_with(t)))
            });
            let written_out = AccessFact {
                access: used.access,
                by: Accessor::Operand(index),
                climbs: used.arg.known().is_some_and(climbs),
                climbed: match &used.arg {
                    Arg::Known(text) | Arg::Glob(text) => climbed(text, &state.cwd),
                    Arg::One { .. } | Arg::Many { .. } => Vec::new(),
                },
                dynamic: used.arg.known().is_none() || !spelled,
                guessed: false,
                settled: false,
                text,
                span,
                place: place_of(&used.arg, &state.cwd, &self.call.home),
                recursive: used.recursive,
                visible_only: used.visible_only,
                found: None,
                carried: carried || used.implied,
            };
            let is_found = !used.recursive && [Arg::one(), Arg::many()].contains(&used.arg);
            if let Some(search) = search.filter(|_| is_found) {
                // Deny and ask rules look at what the search may find; whether all of it may be touched
                // without a rule is asked of the unknown words.
                let found = AccessFact {
                    place: Place::Known(search.starts.clone()),
                    recursive: true,
                    found: Some(search.found.clone()),
                    carried: true,
                    ..written_out.clone()
                };
                // What is linked to can be written through the link.
                if matches!(written.first().and_then(Arg::known), Some("ln" | "link")) {
                    self.out.accesses.push(AccessFact { access: Access::Write, ..found.clone() });
                }
                self.out.accesses.push(found);
                self.out.accesses.push(AccessFact { settled: true, ..written_out });
            } else {
                self.out.accesses.push(written_out);
            }
        }
    }
}

/// What was read in its arguments. `unchanged`: nothing in front of it changes what they mean, or
/// what does.
fn describe(
    fact: &mut CommandFact,
    inspection: &Inspection,
    current: &[Arg],
    unchanged: Result<(), &'static str>,
) {
    fact.edits = inspection.edits && unchanged.is_ok();
    fact.read_only = match unchanged {
        Ok(()) => inspection.read_only.clone().map_err(|no| no.why.into_owned()),
        Err(why) => Err(why.to_owned()),
    };
    fact.file_command = inspection.file_command;
    fact.git = current.first().and_then(Arg::known).is_some_and(|name| basename(name) == "git");
}

/// Whether a builtin is refused only for words that are not known.
fn only_by_unknown_words(argv: &[Arg], reason: Reason) -> bool {
    let tame = |arg: &Arg| Arg::Known(arg.known().unwrap_or("0").to_owned());
    let tamed: Vec<Arg> = argv.iter().map(tame).collect();
    matches!(tamed.first().and_then(Arg::known), Some("test" | "["))
        && !builtin_effect(&tamed).reasons.contains(&reason)
}

/// The command as if its program stood without a directory.
fn by_name(argv: &[Arg]) -> Cow<'_, [Arg]> {
    match argv.split_first() {
        Some((Arg::Known(name), rest)) if name.contains('/') => {
            let short = Arg::Known(basename(name).to_owned());
            Cow::Owned(std::iter::once(short).chain(rest.iter().cloned()).collect())
        }
        Some(_) | None => Cow::Borrowed(argv),
    }
}

/// What `xargs` makes of a command when its input is known.
fn with_input(argv: &[Arg], text: &str) -> Vec<Arg> {
    const MOST: usize = 256;
    let mut words = text
        .split_whitespace()
        .map(|word| word.replace(['\'', '"', '\\'], ""))
        .filter(|word| !word.is_empty())
        .take(MOST);
    let first = words.next();
    let mut out = Vec::new();
    for arg in argv {
        match (arg, &first) {
            // `-I{}`: the place of one line.
            (Arg::One { prefix, suffix }, Some(first)) => {
                out.push(Arg::Known(format!("{prefix}{first}{suffix}")));
            }
            (Arg::Many { prefix, suffix }, _) if prefix.is_empty() && suffix.is_empty() => {
                out.extend(first.iter().cloned().map(Arg::Known));
                out.extend(words.by_ref().map(Arg::Known));
            }
            (other, _) => out.push(other.clone()),
        }
    }
    out
}

/// A place under `/proc` or `/dev/fd`: what stands there depends on the process that looks.
pub(crate) fn is_process_file(place: &Place) -> bool {
    match place {
        Place::Known(paths) => paths.iter().any(|path| {
            path.as_str().starts_with("/proc/") || path.as_str().starts_with("/dev/fd/")
        }),
        Place::Glob(_) | Place::Unknown(_) | Place::Free => false,
    }
}

fn processes(simple: &Simple) -> Vec<&Script> {
    simple
        .words
        .iter()
        .flat_map(|word| &word.parts)
        .filter_map(|part| match part {
            Part::Process { script, output: false } => Some(script),
            Part::Process { .. }
            | Part::Text { .. }
            | Part::Glob(_)
            | Part::Param { .. }
            | Part::Subst { .. }
            | Part::Arith { .. }
            | Part::Tilde(_)
            | Part::Array(_)
            | Part::Unreadable { .. } => None,
        })
        .collect()
}

fn empty_fact(span: Span, origin: Origin) -> CommandFact {
    CommandFact {
        span,
        argv: Vec::new(),
        peeled: Vec::new(),
        origin,
        possible: false,
        forms: Vec::new(),
        read_only: Err("the command is not known".to_owned()),
        cd: None,
        removal: None,
        edits: false,
        file_command: false,
        obstacles: Vec::new(),
        exact_only: false,
        safe_assignments: true,
        enclosed: false,
        substituted: false,
        nested: false,
        obscured: None,
        git: false,
        guessed: false,
        bare_globs: Vec::new(),
    }
}

/// Whether a word holds what is fixed by where the call runs: `~`, `$HOME`, `$PWD`.
fn names_a_place(word: &Word) -> bool {
    word.parts.iter().any(|part| match part {
        Part::Tilde(_) => true,
        Part::Param { expansion, .. } => matches!(expansion.name.as_str(), "HOME" | "PWD"),
        Part::Text { .. }
        | Part::Glob(_)
        | Part::Subst { .. }
        | Part::Process { .. }
        | Part::Arith { .. }
        | Part::Array(_)
        | Part::Unreadable { .. } => false,
    })
}
