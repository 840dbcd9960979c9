//! Files that the same text writes and then runs.
//!
//! What such a file holds is judged where the text shows it (`echo x > f; sh f`) and counts as any
//! command where it does not.

use crate::command::Shell;
use crate::forms::basename;
use crate::globs::glob_may_match;
use crate::outputs::output_of_commands;
use crate::payload::read_as_code;
use crate::peel::{Inner, table_name};
use crate::place::place_of;
use crate::state::{Cwd, State};
use crate::tables::interpreters::interpreter;
use crate::walk::{Stdin, Walker};
use crate::{Access, AccessFact, Accessor, Arg, Origin, Place, Weight};
use portcullis_model::{AbsPath, Certainty, Reason, Span};
use portcullis_shell::{Command, Descriptor, RedirectOp, Simple, Target};

/// A file that is run.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) place: Place,
    pub(crate) span: Span,
    pub(crate) runner: Runner,
    pub(crate) cwd: Cwd,
}

/// What runs a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    /// A shell of its own, whatever the first line says.
    Shell,
    /// The kernel, which looks at the first line.
    Kernel,
    /// An interpreter or compiler of this name.
    Code(String),
    /// An interpreter of this name, which may load any file with one of these endings.
    Loader(&'static str, &'static [&'static str]),
    /// A shell that goes on with what the file leaves behind.
    Source,
    /// Something whose reading of the file is not modelled.
    Other,
    /// The same, of any file in a directory.
    Below,
    /// Make, which gives the lines of its recipes to a shell.
    Make,
}

/// Text that a redirect gives a file.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    /// The index of the write.
    pub(crate) access: usize,
    pub(crate) text: String,
}

impl Walker<'_> {
    /// Notes what a command's output redirect writes, where its text alone tells.
    pub(crate) fn note_content(&mut self, simple: &Simple, first_access: usize, state: &State) {
        let [written] = self.out.accesses.get(first_access..).unwrap_or(&[]) else { return };
        if written.access != Access::Write || !state.functions.is_empty() {
            return;
        }
        let plain = simple.redirects.iter().all(|redirect| match &redirect.target {
            Target::HereDoc(_) => true,
            Target::Word(_) => match redirect.op {
                RedirectOp::HereString => true,
                RedirectOp::Write | RedirectOp::Clobber => match &redirect.descriptor {
                    Descriptor::Default => true,
                    Descriptor::Number(number) => number == "1",
                    Descriptor::Variable(_) => false,
                },
                RedirectOp::Read
                | RedirectOp::ReadWrite
                | RedirectOp::Append
                | RedirectOp::WriteBoth
                | RedirectOp::AppendBoth
                | RedirectOp::DupRead
                | RedirectOp::DupWrite
                | RedirectOp::HereDoc
                | RedirectOp::HereDocTabs => false,
            },
        });
        if !plain || !simple.assigns.is_empty() {
            return;
        }
        let command = [Command::Simple(simple.clone())];
        // What `echo` makes of a backslash depends on the shell.
        if let Some(text) = output_of_commands(&command, &crate::expand::Nothing)
            && !text.contains('\\')
        {
            self.out.contents.push(Content { access: first_access, text });
        }
    }

    /// Files whose contents the command runs: the program itself, scripts of interpreters.
    pub(crate) fn files_run(&mut self, argv: &[Arg], span: Span, state: &State) {
        let Some(name) = argv.first().and_then(Arg::known) else { return };
        let mut push = |text: &str, runner: Runner| {
            let arg = Arg::Known(text.to_owned());
            let place = place_of(&arg, &state.cwd, &self.call.home);
            self.out.runs.push(Run { place, span, runner, cwd: state.cwd.clone() });
        };
        if name.contains('/') {
            push(name, Runner::Kernel);
        }
        let base = basename(name);
        let (standing, by) = standing_files(base);
        for file in standing {
            push(file, by.clone());
        }
        if let Some(loader) = loader_of(base) {
            push(".", loader);
        }
        if let Some(runner) = runner_of(base) {
            // `sed`, `awk` and one-line editors run what `-f` names; their operands are data.
            let filters = matches!(&runner, Runner::Code(name) if name == "sed" || name == "awk");
            let data = filters || interpreter(argv).is_some_and(|found| !found.code.is_empty());
            let mut named = !data;
            for text in argv.iter().skip(1).filter_map(Arg::known) {
                // `-nf script` is a cluster.
                let names = text.starts_with('-') && !text.starts_with("--") && text.ends_with('f');
                let given = std::mem::replace(&mut named, !data || names || text == "--file");
                if !given && !text.starts_with("-f") && !text.starts_with("--file=") {
                    continue;
                }
                let file = text.strip_prefix('-').map_or(text, |option| {
                    let attached = option.strip_prefix('f').unwrap_or(option);
                    option.split_once('=').map_or(attached, |(_, file)| file)
                });
                // `gcc @options`, `sqlite3 '.read file'`
                if let Some(options) = file.strip_prefix('@') {
                    push(options, Runner::Other);
                }
                if runner == Runner::Other {
                    file.split_ascii_whitespace().for_each(|word| push(word, Runner::Other));
                } else {
                    push(file, runner.clone());
                }
            }
        }
        let mut below = |text: &str| push(text, Runner::Below);
        let words: Vec<&str> = argv.iter().skip(1).filter_map(Arg::known).collect();
        match base {
            // Hooks, subcommands and more settings come from where a setting says.
            "git" => git_directories(&words).into_iter().for_each(&mut below),
            // `-B` names where the compiler's own programs are, `-C` where the makefile is.
            "gcc" | "cc" | "g++" | "c++" | "clang" | "clang++" => {
                values_of(&words, "-B").into_iter().for_each(&mut below);
            }
            "make" | "gmake" => {
                for directory in
                    values_of(&words, "-C").into_iter().chain(values_of(&words, "--directory"))
                {
                    for file in standing {
                        push(&format!("{directory}/{file}"), Runner::Make);
                    }
                }
            }
            _ => {}
        }
        if let Some(runner) = runner_of(base)
            .filter(|_| interpreter(argv).is_some_and(|found| !found.code.is_empty()))
        {
            // `perl -e 'do "./f"'`
            for code in interpreter(argv).map(|found| found.code).unwrap_or_default() {
                let Some(code) = code.known().filter(|code| loads_files(code)) else { continue };
                for name in code.split(['"', '\'', '`']).skip(1).step_by(2).take(8) {
                    if !name.is_empty() && !name.contains(char::is_whitespace) {
                        push(name, runner.clone());
                    }
                }
            }
        }
    }

    /// A file that the same text writes and then runs holds unknown commands, unless the text shows
    /// what it holds.
    pub(crate) fn written_and_run(&mut self) {
        let trusted = self.out.obstacles.iter().all(|obstacle| {
            obstacle.weight == Weight::Note && obstacle.reason != Reason::EnvHijack
        });
        let mut judged: Vec<(AbsPath, Runner)> = Vec::new();
        let mut position = 0;
        // Judging a file may add more writes and more files that are run.
        while let Some(run) = self.out.runs.get(position).cloned() {
            position += 1;
            for (path, text) in self.shown(&run).filter(|_| trusted).unwrap_or_default() {
                let key = (path, run.runner.clone());
                if !judged.contains(&key) {
                    judged.push(key);
                    self.judge_content(&text, &run);
                }
            }
        }
        let mut spans = Vec::new();
        if self.writes_through_a_link() {
            // Another name was written: which file that is, is not known.
            spans.extend(self.out.runs.iter().map(|run| run.span));
        }
        let codes = if self.out.runs.is_empty() { Vec::new() } else { self.writing_codes() };
        for run in &self.out.runs {
            let written = self.out.accesses.iter().any(|access| self.writes(access, run));
            let shown = trusted && self.shown(run).is_some();
            if (written && !shown) || code_names(&codes, run) {
                spans.push(run.span);
            }
        }
        let path =
            self.out.obstacles.iter().find(|obstacle| {
                obstacle.reason == Reason::EnvHijack && obstacle.detail == "`PATH`"
            });
        if let Some(path) = path {
            // With a path of its own, any name may be a file written here.
            let writes = self.out.accesses.iter().any(|access| {
                access.access == Access::Write
                    && !access.guessed
                    && access.place != Place::Free
                    && self.gives_content(access)
            });
            spans.extend(writes.then_some(path.span));
        }
        for span in spans {
            self.unknown(span);
        }
    }

    /// What a file that is run holds, where the writes show it. Of one file only one write counts:
    /// what several leave behind depends on which of them ran.
    fn shown(&self, run: &Run) -> Option<Vec<(AbsPath, String)>> {
        let mut found: Vec<(AbsPath, String)> = Vec::new();
        for (index, access) in self.out.accesses.iter().enumerate() {
            if !self.writes(access, run) {
                continue;
            }
            let content = self.out.contents.iter().find(|content| content.access == index)?;
            let Place::Known(paths) = &access.place else { return None };
            let [path] = paths.as_slice() else { return None };
            let exact = match (&run.place, &run.runner) {
                (_, Runner::Loader(..)) => true,
                (Place::Known(run), _) => run == paths,
                (Place::Glob(_) | Place::Unknown(_) | Place::Free, _) => false,
            };
            if !exact || found.iter().any(|(known, _)| known == path) {
                return None;
            }
            found.push((path.clone(), content.text.clone()));
        }
        (!found.is_empty()).then_some(found)
    }

    /// Code given to interpreters that may write files.
    fn writing_codes(&self) -> Vec<String> {
        let given = self.out.commands.iter().filter_map(|fact| interpreter(&fact.argv));
        given
            .flat_map(|found| found.code)
            .filter_map(|code| code.known().filter(|code| may_write(code)).map(str::to_owned))
            .collect()
    }

    /// Whether a name that `ln` makes is written as well (`ln f g; echo x > g; sh f`).
    fn writes_through_a_link(&self) -> bool {
        let links = |access: &AccessFact| {
            let Accessor::Operand(index) = access.by else { return false };
            let argv = self.out.commands.get(index).map(|fact| &fact.argv);
            argv.is_some_and(|argv| {
                let words = || argv.iter().filter_map(Arg::known);
                let copies = words().any(|word| word.rsplit('/').next() == Some("cp"));
                let flag = |word: &str| {
                    word.starts_with('-')
                        && (word.contains("link") || !word.starts_with("--"))
                        && word.contains(['l', 's'])
                };
                words().any(|word| matches!(word.rsplit('/').next(), Some("ln" | "link" | "mount")))
                    || (copies && words().any(flag))
            })
        };
        let writes = || {
            self.out.accesses.iter().filter(|access| {
                access.access == Access::Write && !access.guessed && access.place != Place::Free
            })
        };
        writes().filter(|access| links(access)).any(|made| {
            writes().any(|other| !links(other) && may_be_same(&other.place, &made.place))
        })
    }

    /// Whether this access may write the file that is run.
    fn writes(&self, access: &AccessFact, run: &Run) -> bool {
        let same = match &run.runner {
            Runner::Loader(_, endings) => ends_in(&access.place, endings),
            Runner::Below if is_below(&access.place, &run.place) => true,
            Runner::Shell
            | Runner::Kernel
            | Runner::Code(_)
            | Runner::Source
            | Runner::Other
            | Runner::Make
            | Runner::Below => may_be_same(&run.place, &access.place),
        };
        access.access == Access::Write && !access.guessed && same && self.gives_content(access)
    }

    /// Whether a write gives the file new content; `chmod +x f` does not.
    fn gives_content(&self, access: &AccessFact) -> bool {
        let Accessor::Operand(index) = access.by else { return true };
        let argv =
            self.out.commands.get(index).map(|fact| fact.peeled.last().unwrap_or(&fact.argv));
        let name = argv.and_then(|argv| argv.first()).and_then(Arg::known).unwrap_or("");
        let name = name.rsplit('/').next().unwrap_or(name);
        !matches!(name, "chmod" | "chown" | "chgrp" | "touch" | "mkdir")
    }

    fn judge_content(&mut self, text: &str, run: &Run) {
        let runner = match &run.runner {
            Runner::Kernel => first_line(text),
            Runner::Loader(name, _) => Runner::Code((*name).to_owned()),
            Runner::Shell
            | Runner::Code(_)
            | Runner::Source
            | Runner::Other
            | Runner::Make
            | Runner::Below => run.runner.clone(),
        };
        let script = || vec![(Inner::Script(Arg::Known(text.to_owned())), Certainty::Certain)];
        let (carried, any) = match runner {
            Runner::Shell | Runner::Kernel => (script(), false),
            Runner::Make => recipes(text),
            // What it defines is not followed.
            Runner::Source => (script(), true),
            Runner::Code(name) => {
                let state = State::fresh(run.cwd.clone(), self.call);
                self.guess_code(text, run.span, &state);
                (read_as_code(table_name(&name), text), false)
            }
            Runner::Loader(..) | Runner::Other | Runner::Below => (Vec::new(), true),
        };
        if any {
            self.unknown(run.span);
        }
        let mut state = State { positional: None, ..State::fresh(run.cwd.clone(), self.call) };
        let outer = std::mem::replace(&mut self.origin, Origin::Payload);
        for (inner, sure) in carried {
            let shell = Shell::bare(run.span);
            self.carried(&inner, sure, &shell, &Stdin::Inherited, &mut state, false);
        }
        self.origin = outer;
    }
}

/// The files that a program runs or reads commands from without being told, and how it reads them.
fn standing_files(name: &str) -> (&'static [&'static str], Runner) {
    let files: &[&str] = match name {
        "make" | "gmake" => return (&["Makefile", "makefile", "GNUmakefile"], Runner::Make),
        "cargo" => {
            let files = &["build.rs", "src/main.rs", "src/lib.rs"];
            return (files, Runner::Code("rustc".to_owned()));
        }
        "go" => return (&["main.go", "main_test.go", "gen.go"], Runner::Code("go".to_owned())),
        "pytest" | "py.test" | "pylint" | "nox" | "invoke" | "inv" | "fab" | "pip" | "pip3"
        | "uv" => {
            let files =
                &["conftest.py", "setup.py", "noxfile.py", "tasks.py", "fabfile.py", "pylintrc"];
            return (files, Runner::Code("python".to_owned()));
        }
        "rake" => return (&["Rakefile", "rakefile"], Runner::Code("ruby".to_owned())),
        "vagrant" => return (&["Vagrantfile"], Runner::Code("ruby".to_owned())),
        "just" => &["justfile", ".justfile", "Justfile"],
        "npm" | "yarn" | "pnpm" | "bun" => &["package.json"],
        "ansible-playbook" => &["ansible.cfg"],
        "bazel" => &["BUILD", "BUILD.bazel", "WORKSPACE"],
        "cmake" => &["CMakeLists.txt", "CMakePresets.json"],
        "deno" => &["deno.json", "deno.jsonc"],
        "docker" | "podman" | "nerdctl" | "buildah" | "docker-compose" => &[
            "Dockerfile",
            "Containerfile",
            "compose.yaml",
            "compose.yml",
            "docker-compose.yaml",
            "docker-compose.yml",
        ],
        "foreman" | "honcho" | "overmind" => &["Procfile"],
        "gradle" | "gradlew" => {
            &["build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts"]
        }
        "meson" => &["meson.build"],
        "mvn" | "mvnw" => &["pom.xml"],
        "ninja" => &["build.ninja"],
        "node" => &["package.json"],
        "nodemon" => &["nodemon.json", "package.json"],
        "sbt" => &["build.sbt"],
        "task" | "go-task" => &["Taskfile.yml", "Taskfile.yaml"],
        "terraform" | "tofu" => &["main.tf"],
        "tox" => &["tox.ini", "tox.toml"],
        _ => &[],
    };
    (files, Runner::Other)
}

/// Whether code that may write files names the file that is run.
fn code_names(codes: &[String], run: &Run) -> bool {
    let Place::Known(paths) = &run.place else { return false };
    let names: Vec<&str> =
        paths.iter().filter_map(|path| path.as_str().rsplit('/').next()).collect();
    codes
        .iter()
        .any(|code| code.split(['"', '\'', '`', '/', '>']).any(|part| names.contains(&part.trim())))
}

/// Directories and files from which git takes programs and settings.
fn git_directories<'a>(words: &[&'a str]) -> Vec<&'a str> {
    const KEYS: &[&str] =
        &["hookspath", "include.path", "templatedir", "--template", "--exec-path"];
    let names = |text: &str| {
        let lower = text.to_ascii_lowercase();
        KEYS.iter().any(|key| lower.ends_with(key))
            || (lower.starts_with("includeif.") && lower.rsplit('.').next() == Some("path"))
    };
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        match word.split_once('=') {
            Some((key, value)) if names(key) => found.push(value),
            None if names(word) => found.extend(words.get(index + 1).copied()),
            Some(_) | None => {}
        }
    }
    found
}

/// The values of an option, attached or not.
fn values_of<'a>(words: &[&'a str], option: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        match word.strip_prefix(option) {
            Some("") => found.extend(words.get(index + 1).copied()),
            Some(attached) => found.push(attached.trim_start_matches('=')),
            None => {}
        }
    }
    found
}

/// Whether code has a word in it with which other code is loaded.
fn loads_files(code: &str) -> bool {
    ["do ", "require", "load", "source", "runpy", "include", "exec(", "eval", "import("]
        .iter()
        .any(|word| code.contains(word))
}

/// Whether make runs what a variable of this name holds.
fn names_a_tool(name: &str) -> bool {
    let name = name.trim_end_matches([':', '?', '+', '!', ' ', '\t']);
    let tools = [
        "SHELL", "MAKE", "CC", "CXX", "CPP", "LD", "AR", "AS", "FC", "RM", "LEX", "YACC", "INSTALL",
    ];
    tools.contains(&name.trim())
}

/// What a makefile runs: the lines of its recipes. Also whether it may run more than they show.
fn recipes(text: &str) -> (Vec<(Inner, Certainty)>, bool) {
    let mut found = Vec::new();
    let mut any = false;
    for line in text.lines() {
        let behind = line.split_once(';').filter(|(rule, _)| rule.contains(':'));
        let recipe = line.strip_prefix('\t').or(behind.map(|(_, recipe)| recipe));
        let Some(recipe) = recipe else {
            let word = line.split_whitespace().next().unwrap_or("");
            // Functions, inclusions and settings of make itself may run anything.
            any |= line.contains('$')
                || matches!(
                    word,
                    "include" | "-include" | "sinclude" | "define" | "load" | "export"
                )
                || [".SHELL", ".RECIPE", ".ONESHELL"].iter().any(|start| line.starts_with(start))
                || line.split_once('=').is_some_and(|(name, _)| names_a_tool(name))
                || line.ends_with('\\');
            continue;
        };
        let recipe = recipe.trim_start_matches(['@', '-', '+', ' ', '\t']);
        let plain = recipe.replace("$$", "");
        any |= plain.contains('$') || plain.ends_with('\\');
        let script = Inner::Script(Arg::Known(recipe.replace("$$", "$")));
        found.push((script, Certainty::Certain));
    }
    (found, any)
}

/// Whether code has a word in it with which files are written.
pub(crate) fn may_write(code: &str) -> bool {
    const WORDS: &[&str] = &[
        "write",
        "Write",
        "\"w",
        "'w",
        "\"a",
        "'a",
        "\"x",
        "'x",
        "\"r+",
        "'r+",
        "+<",
        ">",
        "put",
        "dump",
        "save",
        "rename",
        "copy",
        "move",
        "mv(",
        "rm(",
        "unlink",
        "remove",
        "delete",
        "truncate",
        "touch",
        "append",
        "symlink",
        "link(",
        "retrieve",
        "to_csv",
        "filename=",
    ];
    WORDS.iter().any(|word| code.contains(word))
}

/// Who runs a file that is started by its path, by its first line.
fn first_line(text: &str) -> Runner {
    let line = text.lines().next().unwrap_or("");
    let Some(rest) = line.strip_prefix("#!") else { return Runner::Shell };
    let mut words = rest.split_ascii_whitespace();
    let mut name = words.next().unwrap_or("").rsplit('/').next().unwrap_or("");
    if name == "env" {
        name = words.next().unwrap_or("");
    }
    match table_name(name) {
        "sh" | "bash" | "dash" | "ash" | "ksh" | "zsh" => Runner::Shell,
        name @ ("python" | "pypy" | "perl" | "ruby" | "node" | "php" | "lua") => {
            Runner::Code(name.to_owned())
        }
        _ => Runner::Other,
    }
}

fn ends_in(place: &Place, endings: &[&str]) -> bool {
    match place {
        Place::Known(paths) => {
            paths.iter().any(|path| endings.iter().any(|end| path.as_str().ends_with(end)))
        }
        Place::Glob(globs) => globs
            .iter()
            .any(|glob| endings.iter().any(|end| glob.ends_with(end) || glob.ends_with('*'))),
        Place::Unknown(_) | Place::Free => false,
    }
}

fn is_below(written: &Place, directory: &Place) -> bool {
    match (written, directory) {
        (Place::Known(a), Place::Known(b)) => {
            a.iter().any(|written| b.iter().any(|directory| written.is_within(directory)))
        }
        (Place::Glob(_) | Place::Unknown(_), _) | (_, Place::Glob(_) | Place::Unknown(_)) => true,
        (Place::Free, _) | (_, Place::Free) => false,
    }
}

fn may_be_same(run: &Place, written: &Place) -> bool {
    match (run, written) {
        (Place::Known(a), Place::Known(b)) => {
            // A directory that files are copied into counts too.
            a.iter().any(|run| b.iter().any(|written| run.is_within(written)))
        }
        (Place::Known(paths), Place::Glob(globs)) | (Place::Glob(globs), Place::Known(paths)) => {
            globs.iter().any(|glob| paths.iter().any(|path| glob_may_match(glob, path)))
        }
        (_, Place::Free) | (Place::Free, _) => false,
        (Place::Unknown(_), _) | (_, Place::Unknown(_)) | (Place::Glob(_), Place::Glob(_)) => true,
    }
}

/// Who reads a file that is given to a program, by the program's name.
pub(crate) fn runner_of(name: &str) -> Option<Runner> {
    let name = table_name(name);
    Some(match name {
        "python" | "pypy" | "perl" | "ruby" | "node" | "php" | "lua" | "luajit" | "awk" | "sed" => {
            Runner::Code(name.to_owned())
        }
        "deno" | "bun" => Runner::Code("node".to_owned()),
        // What is compiled is most often run next.
        "gcc" | "cc" | "clang" | "g++" | "c++" | "clang++" | "tcc" | "rustc" | "go" | "javac"
        | "ghc" | "swiftc" | "nim" | "zig" | "tsc" | "gfortran" => Runner::Code(name.to_owned()),
        "env" | "nice" | "xargs" => Runner::Kernel,
        "make" | "gmake" => Runner::Make,
        "vim" | "vi" | "ex" | "ed" | "tclsh" | "expect" | "gdb" | "java" | "ninja" | "just"
        | "m4" | "bc" | "dc" | "sqlite3" | "psql" | "R" | "Rscript" | "julia" | "guile"
        | "swipl" | "octave" | "crontab" | "at" | "batch" | "patch" | "tmux" | "screen" | "ssh"
        | "scp" | "sftp" | "emacs" | "nvim" | "lldb" | "mysql" | "rake" | "gnuplot" | "cmake"
        | "ansible-playbook" | "elixir" | "groovy" | "scala" => Runner::Other,
        _ => return None,
    })
}

/// The files an interpreter loads without their being named, by the interpreter's name.
pub(crate) fn loader_of(name: &str) -> Option<Runner> {
    Some(match table_name(name) {
        "python" | "pypy" => Runner::Loader("python", &[".py", ".pth"]),
        "node" | "bun" | "deno" => Runner::Loader("node", &[".js", ".mjs", ".cjs", ".ts", ".mts"]),
        "ruby" => Runner::Loader("ruby", &[".rb"]),
        "perl" => Runner::Loader("perl", &[".pm", ".pl"]),
        "php" => Runner::Loader("php", &[".php"]),
        "lua" | "luajit" => Runner::Loader("lua", &[".lua"]),
        _ => return None,
    })
}
