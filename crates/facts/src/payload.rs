//! What other commands carry: scripts given as text, on the input or in a file, and functions.

use crate::command::{Shell, is_process_file};
use crate::forms::basename;
use crate::outputs::output_of_script;
use crate::peel::Inner;
use crate::place::place_of;
use crate::runs::{Run, Runner};
use crate::state::{Reach, State};
use crate::tables::interpreters::calls_of;
use crate::walk::{MAX_PAYLOADS, Stdin, Walker};
use crate::{Arg, Origin, Place};
use portcullis_model::{Certainty, Span};

/// Function calls inside function calls are followed this deep.
const MAX_CALLS: usize = 3;

impl Walker<'_> {
    /// What another command runs. `same_shell`: in the shell itself, so it changes its state.
    pub(crate) fn carried(
        &mut self,
        inner: &Inner,
        sure: Certainty,
        shell: &Shell<'_>,
        stdin: &Stdin,
        state: &mut State,
        same_shell: bool,
    ) {
        if self.depth >= MAX_PAYLOADS {
            self.unknown(shell.span);
            return;
        }
        let outer = (self.origin, self.carrier, self.depth);
        self.origin = match self.origin {
            Origin::Lossy => Origin::Lossy,
            Origin::SecondReader => Origin::SecondReader,
            Origin::Written | Origin::Payload | Origin::Refined => Origin::Payload,
        };
        self.carrier = Some(shell.span);
        self.depth += 1;
        let before = self.out.commands.len();
        match inner {
            Inner::Argv(argv) => {
                // Which words were spelled so is not known here, that some were is.
                let mut inner = Shell::bare(shell.span);
                inner.under_variable = shell.under_variable;
                self.argv(argv, &inner, stdin, &mut state.clone());
            }
            Inner::Script(arg) => match arg.known() {
                Some(text) => self.text(text, stdin, shell.span, state, same_shell),
                None => self.unknown(shell.span),
            },
            Inner::Stdin => self.input(stdin, shell, state),
            Inner::File(arg) => self.file(arg, shell, stdin, state, same_shell),
        }
        if sure == Certainty::Possible {
            for fact in self.out.commands.iter_mut().skip(before) {
                fact.possible = true;
            }
        }
        (self.origin, self.carrier, self.depth) = outer;
    }

    /// Text that may be run as a command.
    pub(crate) fn possible_script(&mut self, text: &str, span: Span, state: &State) {
        let inner = Inner::Script(Arg::Known(text.to_owned()));
        self.carried(
            &inner,
            Certainty::Possible,
            &Shell::bare(span),
            &Stdin::Inherited,
            &mut State { positional: None, ..state.clone() },
            false,
        );
    }

    fn text(&mut self, text: &str, stdin: &Stdin, span: Span, state: &mut State, same_shell: bool) {
        let program = portcullis_shell::parse(text, &portcullis_shell::Options::default());
        let unreadable = program.script.statements.is_empty() && !program.obstacles.is_empty();
        let outer = match stdin {
            Stdin::Inherited => self.input.clone(),
            given @ (Stdin::Unknown | Stdin::Names(_) | Stdin::Known(_)) => {
                std::mem::replace(&mut self.input, given.clone())
            }
        };
        if same_shell {
            let flow = self.program(&program, state);
            state.cwd = state.cwd.or(&flow.either());
        } else {
            self.program(&program, &mut state.clone());
        }
        self.input = outer;
        if unreadable {
            self.unknown(span);
        }
    }

    fn input(&mut self, stdin: &Stdin, shell: &Shell<'_>, state: &mut State) {
        match stdin {
            Stdin::Known(text) => self.text(text, &Stdin::Unknown, shell.span, state, false),
            Stdin::Unknown | Stdin::Names(_) | Stdin::Inherited => self.unknown(shell.span),
        }
    }

    fn file(
        &mut self,
        arg: &Arg,
        shell: &Shell<'_>,
        stdin: &Stdin,
        state: &mut State,
        same_shell: bool,
    ) {
        let place = place_of(arg, &state.cwd, &self.call.home);
        let is_input = match &place {
            Place::Known(paths) => {
                paths.iter().any(|path| matches!(path.as_str(), "/dev/stdin" | "/dev/fd/0"))
            }
            Place::Glob(_) | Place::Unknown(_) | Place::Free => false,
        };
        match arg.known() {
            Some("-") => self.input(stdin, shell, state),
            Some(_) if is_input => self.input(stdin, shell, state),
            Some(_) if is_process_file(&place) => self.unknown(shell.span),
            Some(_) => self.out.runs.push(Run {
                place,
                span: shell.span,
                runner: if same_shell { Runner::Source } else { Runner::Shell },
                cwd: state.cwd.clone(),
            }),
            None => {
                // `bash <(echo …)`: what the substitution prints is run.
                let texts: Vec<Option<String>> = shell
                    .processes
                    .iter()
                    .map(|script| output_of_script(script, &state.lookup(Reach::Text)))
                    .collect();
                if texts.is_empty() || texts.iter().any(Option::is_none) {
                    self.unknown(shell.span);
                }
                for text in texts.into_iter().flatten() {
                    self.text(&text, stdin, shell.span, state, same_shell);
                }
            }
        }
    }

    /// A call of a function defined in the same text, judged by its body with its arguments.
    pub(crate) fn call_function(
        &mut self,
        argv: &[Arg],
        shell: &Shell<'_>,
        stdin: &Stdin,
        state: &mut State,
    ) {
        let Some((name, args)) = argv.split_first() else { return };
        let Some(body) = name.known().and_then(|name| state.functions.get(name)).cloned() else {
            return;
        };
        if self.calls >= MAX_CALLS {
            return;
        }
        let outer = (self.origin, self.carrier, self.calls);
        if self.origin == Origin::Written {
            self.origin = Origin::Payload;
        }
        self.carrier = Some(shell.span);
        self.calls += 1;
        let mut inside = state.clone();
        inside.positional =
            args.iter().map(|arg| arg.known().map(str::to_owned)).collect::<Option<_>>();
        self.command(&body, &mut inside, stdin);
        state.variables = inside.variables;
        state.cwd = state.cwd.or(&inside.cwd);
        (self.origin, self.carrier, self.calls) = outer;
    }
}

/// Whether a program runs commands that its arguments do not show: from its input, from a process
/// substitution, from a text option of its own.
pub(crate) fn runs_any_command(argv: &[Arg], stdin: &Stdin, substitution: bool) -> bool {
    let Some((name, args)) = argv.split_first() else { return false };
    let Some(name) = name.known() else { return false };
    let stem = basename(name).trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let known = || args.iter().filter_map(Arg::known);
    let fed = *stdin != Stdin::Inherited;
    let file_option = known().any(|text| {
        text.starts_with("--fi")
            || (text.starts_with('-') && !text.starts_with("--") && text.contains('f'))
    });
    let from_process = |dash: bool| {
        known().any(|text| {
            let text = text.trim_start_matches("--file=").trim_start_matches("--makefile=");
            let path = text.find('/').map_or("", |at| text.get(at..).unwrap_or(""));
            (dash && text == "-")
                || path.starts_with("/dev/stdin")
                || path.starts_with("/dev/fd")
                || path.starts_with("/proc/")
        })
    };
    match stem {
        "python" | "pypy" | "perl" | "ruby" | "node" | "php" | "lua" | "deno" | "bun" => {
            substitution || (fed && from_process(false))
        }
        // What a substitution prints is code or commands to them.
        "emacs" | "gdb" | "lldb" | "tmux" | "task" | "coverage" | "mpv" | "cmake" | "expect"
        | "tclsh" | "bpython" | "ipython" | "ansible-playbook"
            if substitution =>
        {
            true
        }
        "awk" | "gawk" | "mawk" | "sed" => {
            file_option && (substitution || (fed && from_process(true)))
        }
        "make" | "gmake" | "just" | "ninja" => {
            known().any(|text| text.starts_with("--ev") || text.starts_with("-E"))
                || (file_option && (substitution || fed))
        }
        "ed" | "red" | "ex" | "vi" | "vim" | "nvim" | "gdb" | "sqlite" | "psql" | "dc" | "m" => {
            fed || substitution
        }
        "tar" => args
            .first()
            .and_then(Arg::known)
            .is_some_and(|text| !text.starts_with('-') && text.contains(['I', 'F'])),
        "install" => known().any(|text| text.starts_with("--strip-p")),
        "git" => known().any(|text| text.starts_with("--config-e")),
        "alias" => known().any(|text| text.contains('=') && text.ends_with([' ', '\t'])),
        _ => false,
    }
}

/// `test` on an operand whose subscript holds a substitution evaluates it.
pub(crate) fn tests_a_subscript(argv: &[Arg]) -> bool {
    let Some((name, args)) = argv.split_first() else { return false };
    matches!(name.known(), Some("test" | "["))
        && args.iter().any(|arg| arg.known().is_none())
        && args
            .iter()
            .filter_map(Arg::known)
            .any(|text| text.contains('[') && (text.contains("$(") || text.contains('`')))
}

/// The value of a git alias that is defined here.
pub(crate) fn git_alias(argv: &[Arg]) -> Option<String> {
    let (name, args) = argv.split_first()?;
    if basename(name.known()?) != "git" || !args.iter().any(|arg| arg.known() == Some("config")) {
        return None;
    }
    let at =
        args.iter().position(|arg| arg.known().is_some_and(|text| text.starts_with("alias.")))?;
    args.get(at + 1)?.known().map(str::to_owned)
}

/// Whether code names a way to start programs.
pub(crate) fn starts_programs(code: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| code.contains(word));
    // A name put together at run time may be any of these.
    let computed = has(&["getattr", "__dict__", "vars(", "globals(", "send(", "dlopen", "dlsym"])
        && has(&["+", "join", "chr", "decode", "format", "%", "["]);
    computed
        || has(&[
            "system",
            "popen",
            "spawn",
            "subprocess",
            "child_process",
            "exec",
            "qx",
            "getline",
            "open3",
            "open2",
            "webbrowser",
            "__import__",
            "syscall",
            "fork",
            "ctypes",
        ])
}

/// What an interpreter runs of code it reads from its input.
pub(crate) fn read_as_code(name: &str, text: &str) -> Vec<(Inner, Certainty)> {
    let mut found: Vec<_> =
        calls_of(name, text).into_iter().map(|inner| (inner, Certainty::Certain)).collect();
    if found.is_empty() && starts_programs(text) {
        // It starts a program whose name no literal tells.
        found.push((Inner::Script(Arg::many()), Certainty::Possible));
    }
    found
}
