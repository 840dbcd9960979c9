//! Walks a program in the order bash runs it and collects what it would do.
//!
//! Recursion follows the tree of [`Program`], which the reader bounds, and payloads, which
//! [`MAX_PAYLOADS`] bounds.

use crate::command::Shell;
use crate::descriptors::Descriptors;
use crate::doubt::{Content as Held, Doubts, named_in};
use crate::expand::{Value, expand};
use crate::facts::{AccessFact, AssignmentFact, ObstacleFact, RedirectFact};
use crate::outputs::{lists_names, output_of_command, text_of};
use crate::place::place_of;
use crate::runs::{Content, Run};
use crate::search::{self, Search};
use crate::state::{Cwd, Flow, Reach, State};
use crate::tables::environment::{hijacking_variable, safe_variable};
use crate::tables::variables::{
    holds_a_command, holds_options, loads_what_it_names, runs_what_it_names,
};
use crate::{Arg, CommandFact, Origin, Weight};
use portcullis_model::{Reason, Span, ToolCall};
use portcullis_shell::{
    AndOr, Arith, Assign, AssignValue, Command, Compound, Connector, Part, Pipeline, Program,
    Script, Simple, Target, Word,
};
use std::collections::BTreeSet;
use std::rc::Rc;

/// Payloads inside payloads are followed this deep (`bash -c 'bash -c "…"'`).
pub(crate) const MAX_PAYLOADS: usize = 5;
/// More commands than this are not listed one by one; the rest is one unknown command.
pub(crate) const MAX_COMMANDS: usize = 4000;

/// What was collected.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub(crate) commands: Vec<CommandFact>,
    pub(crate) accesses: Vec<AccessFact>,
    pub(crate) redirects: Vec<RedirectFact>,
    pub(crate) assignments: Vec<AssignmentFact>,
    pub(crate) obstacles: Vec<ObstacleFact>,
    /// What is in `obstacles`, to find it fast.
    noted: BTreeSet<ObstacleFact>,
    /// Files that are run: a script given to a shell, or a program named by its path.
    pub(crate) runs: Vec<Run>,
    /// What redirects write, where the text shows it.
    pub(crate) contents: Vec<Content>,
    /// Which descriptors those files have.
    pub(crate) descriptors: Descriptors,
    /// Commands whose operands hang on variables only, with the number of values each has there.
    pub(crate) settling: Vec<(usize, Vec<(String, usize)>)>,
}

impl Collected {
    /// Keeps an obstacle, once.
    pub(crate) fn note(&mut self, fact: ObstacleFact) {
        if self.noted.insert(fact.clone()) {
            self.obstacles.push(fact);
        }
    }

    fn mark(&self) -> [usize; 8] {
        [
            self.commands.len(),
            self.accesses.len(),
            self.redirects.len(),
            self.assignments.len(),
            self.obstacles.len(),
            self.runs.len(),
            self.contents.len(),
            self.settling.len(),
        ]
    }

    fn rewind(&mut self, mark: [usize; 8]) {
        let [commands, accesses, redirects, assignments, obstacles, runs, contents, settling] =
            mark;
        self.settling.truncate(settling);
        self.commands.truncate(commands);
        self.accesses.truncate(accesses);
        self.descriptors.opened.retain(|(_, access)| *access < accesses);
        self.redirects.truncate(redirects);
        self.assignments.truncate(assignments);
        for forgotten in self.obstacles.drain(obstacles.min(self.obstacles.len())..) {
            self.noted.remove(&forgotten);
        }
        self.runs.truncate(runs);
        self.contents.truncate(contents);
    }
}

/// What a command reads as its input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stdin {
    /// What the call itself has.
    Inherited,
    /// A pipe or file of unknown content.
    Unknown,
    /// Names of files that lie below some places.
    Names(Search),
    /// This text.
    Known(String),
}

#[expect(clippy::struct_excessive_bools, reason = "independent facts about where it stands")]
pub(crate) struct Walker<'a> {
    pub(crate) call: &'a ToolCall,
    pub(crate) out: Collected,
    /// How many payloads deep.
    pub(crate) depth: usize,
    /// How many function calls deep.
    pub(crate) calls: usize,
    /// What commands found here count as.
    pub(crate) origin: Origin,
    /// Inside a payload: the span of what carries it.
    pub(crate) carrier: Option<Span>,
    /// Inside syntax that the built-in allowance for read-only commands does not reach into.
    pub(crate) enclosed: bool,
    /// Inside a command or process substitution.
    pub(crate) substituted: bool,
    /// What a command reads that nothing else is given to: the input of what it stands in.
    pub(crate) input: Stdin,
    /// The input lists names of files that another command was let to see.
    pub(crate) lists_names: bool,
    /// What the unknown words of the command that comes next are.
    pub(crate) search: Option<Search>,
    /// How many compound commands deep.
    pub(crate) nested: usize,
    /// What variables were given, and what hangs on it.
    pub(crate) doubts: Doubts,
    /// Inside syntax that narrow rules do not reach into.
    pub(crate) obscured: Option<&'static str>,
    /// Inside what was guessed to be a command: no guesses are made from it.
    pub(crate) guessing: bool,
}

impl Walker<'_> {
    pub(crate) fn program(&mut self, program: &Program, state: &mut State) -> Flow {
        for obstacle in &program.obstacles {
            let name = named_in(&obstacle.detail);
            match name.filter(|_| obstacle.reason == Reason::ArithDynamic) {
                Some(name) => {
                    self.doubt(obstacle.reason, obstacle.span, &obstacle.detail, &[name]);
                }
                None => self.obstacle(obstacle.reason, obstacle.span, &obstacle.detail),
            }
        }
        let flow = self.script(&program.script, state);
        for (words, origin) in program
            .second_opinion
            .iter()
            .map(|words| (words, Origin::SecondReader))
            .chain(program.lossy.iter().take(MAX_COMMANDS).map(|words| (words, Origin::Lossy)))
        {
            // Of a text that could not be read, and so asks anyway, a start is enough.
            let argv: Vec<Arg> = words.iter().take(MAX_COMMANDS).cloned().map(Arg::Known).collect();
            let outer = std::mem::replace(&mut self.origin, origin);
            let span = self.carrier.unwrap_or_default();
            self.argv(&argv, &Shell::bare(span), &Stdin::Unknown, &mut state.clone());
            self.origin = outer;
        }
        flow
    }

    pub(crate) fn obstacle(&mut self, reason: Reason, span: Span, detail: &str) {
        if self.guessing {
            // What may not even be a command says nothing about the text.
            return;
        }
        let fact = self.obstacle_fact(reason, span, detail);
        self.doubts.firm(&fact);
        self.out.note(fact);
    }

    pub(crate) fn obstacle_fact(&self, reason: Reason, span: Span, detail: &str) -> ObstacleFact {
        let span = self.carrier.unwrap_or(span);
        let mut weight = weight(reason);
        // What a payload holds does not change how the text around it reads; but a payload that
        // cannot be read may hold any command.
        if self.origin != Origin::Written {
            weight = match weight {
                Weight::Note | Weight::NeedsBare => Weight::Note,
                Weight::Opaque | Weight::Unreadable => Weight::Opaque,
            };
        }
        ObstacleFact { reason, span, detail: detail.to_owned(), weight }
    }

    pub(crate) fn script(&mut self, script: &Script, state: &mut State) -> Flow {
        let mut flow = Flow::stays(&state.cwd);
        for statement in &script.statements {
            if statement.background {
                self.and_or(&statement.list, &mut state.clone());
                flow = Flow::stays(&state.cwd);
            } else {
                flow = self.and_or(&statement.list, state);
                state.cwd = flow.either();
            }
        }
        flow
    }

    fn subshell(&mut self, script: &Script, state: &State) {
        let outer = std::mem::replace(&mut self.substituted, true);
        self.script(script, &mut state.clone());
        self.substituted = outer;
    }

    fn and_or(&mut self, list: &AndOr, state: &mut State) -> Flow {
        let mut flow = self.pipeline(&list.first, state);
        for (connector, pipeline) in &list.rest {
            let (entered, skipped) = match connector {
                Connector::And => (flow.success.clone(), flow.failure.clone()),
                Connector::Or => (flow.failure.clone(), flow.success.clone()),
            };
            state.cwd = entered;
            let next = self.pipeline(pipeline, state);
            flow = match connector {
                Connector::And => {
                    Flow { success: next.success, failure: skipped.or(&next.failure) }
                }
                Connector::Or => Flow { success: skipped.or(&next.success), failure: next.failure },
            };
        }
        flow
    }

    fn pipeline(&mut self, pipeline: &Pipeline, state: &mut State) -> Flow {
        let outer = self.enclosed;
        // A here-document that feeds a pipeline asks in the reference client, so it asks here.
        let feeds = pipeline.commands.len() > 1
            && pipeline.commands.iter().any(|command| match command {
                Command::Simple(simple) => simple
                    .redirects
                    .iter()
                    .any(|redirect| matches!(redirect.target, Target::HereDoc(_))),
                Command::Compound { .. } => false,
            });
        self.enclosed |= pipeline.timed || feeds;
        let flow = match pipeline.commands.as_slice() {
            [command] => self.command(command, state, &Stdin::Inherited),
            commands => {
                let mut stdin = Stdin::Inherited;
                for (index, command) in commands.iter().enumerate() {
                    self.lists_names = lists_names(commands.get(..index).unwrap_or(&[]));
                    self.command(command, &mut state.clone(), &stdin);
                    let lookup = state.lookup(Reach::Text);
                    let output = match &stdin {
                        Stdin::Inherited => output_of_command(command, None, &lookup),
                        Stdin::Known(text) => output_of_command(command, Some(text), &lookup),
                        Stdin::Unknown | Stdin::Names(_) => None,
                    };
                    let so_far = commands.get(..=index).unwrap_or(&[]);
                    stdin = match output {
                        Some(text) => Stdin::Known(text),
                        None => self.search_of(so_far, state).map_or(Stdin::Unknown, Stdin::Names),
                    };
                }
                self.lists_names = false;
                Flow::stays(&state.cwd)
            }
        };
        self.enclosed = outer;
        if pipeline.negated { Flow { success: flow.failure, failure: flow.success } } else { flow }
    }

    /// What a pipeline prints, where it is names of files that its programs find.
    fn search_of(&self, commands: &[Command], state: &State) -> Option<Search> {
        // Where a name may mean something else, a program of that name says nothing.
        let is_sure = !self.doubts.redefines && self.call.shadowed.is_empty();
        is_sure.then(|| search::printed(commands, &state.cwd, &self.call.home)).flatten()
    }

    pub(crate) fn command(&mut self, command: &Command, state: &mut State, stdin: &Stdin) -> Flow {
        match command {
            Command::Simple(simple) => self.simple(simple, state, stdin),
            Command::Compound { kind, redirects, span } => {
                let stdin = self.redirects(redirects, None, state).unwrap_or_else(|| stdin.clone());
                let outer = (self.enclosed, self.obscured);
                let (enclosed, obscured) = match kind {
                    Compound::If { .. } | Compound::While { .. } | Compound::Arith(_) => {
                        (false, None)
                    }
                    Compound::Subshell(_)
                    | Compound::For { .. }
                    | Compound::Function { .. }
                    | Compound::Coproc { .. } => (true, None),
                    Compound::Group(_) => (true, Some("it stands in a `{ }` group")),
                    Compound::ForArith { .. } => (true, Some("it stands in a `for ((` loop")),
                    Compound::Case { .. } => (true, Some("it stands in a `case`")),
                    Compound::Test(_) => (true, Some("it stands in a `[[ ]]` test")),
                };
                self.enclosed |= enclosed;
                self.obscured = self.obscured.or(obscured);
                self.nested += 1;
                let input = if stdin == Stdin::Inherited {
                    self.input.clone()
                } else {
                    std::mem::replace(&mut self.input, stdin.clone())
                };
                let flow = self.compound(kind, *span, state, &stdin);
                self.input = input;
                self.nested -= 1;
                (self.enclosed, self.obscured) = outer;
                flow
            }
        }
    }

    fn compound(&mut self, kind: &Compound, span: Span, state: &mut State, stdin: &Stdin) -> Flow {
        match kind {
            Compound::Group(script) => {
                // The commands of a group share its input; what one of them reads is unknown.
                self.with_input(script, state, stdin)
            }
            Compound::Subshell(script) => {
                self.with_input(script, &mut state.clone(), stdin);
                Flow::stays(&state.cwd)
            }
            Compound::If { arms, otherwise } => {
                let mut after: Option<Cwd> = None;
                for (condition, body) in arms {
                    let flow = self.script(condition, state);
                    let mut inside = state.clone();
                    inside.cwd = flow.success;
                    self.script(body, &mut inside);
                    state.variables = inside.variables;
                    state.functions = inside.functions;
                    after = Some(after.map_or(inside.cwd.clone(), |cwd| cwd.or(&inside.cwd)));
                    state.cwd = flow.failure;
                }
                if let Some(body) = otherwise {
                    self.script(body, state);
                }
                let cwd = after.map_or(state.cwd.clone(), |cwd| cwd.or(&state.cwd));
                state.cwd = cwd;
                Flow::stays(&state.cwd)
            }
            Compound::While { condition, body, .. } => {
                self.repeated(&[condition, body], state);
                Flow::stays(&state.cwd)
            }
            Compound::For { name, words, body, .. } => {
                let mut values = Vec::new();
                if words.is_none() {
                    self.held(name, Held::Any);
                }
                for word in words.iter().flatten() {
                    self.word(word, state);
                    self.held_word(name, word);
                    for args in expand(word, true, &state.lookup(Reach::Text)) {
                        values.extend(args.iter().filter_map(|arg| match arg {
                            Arg::Known(text) => Some(Value::Scalar(text.clone())),
                            Arg::Glob(glob) => Some(Value::Pattern(glob.clone())),
                            Arg::One { .. } | Arg::Many { .. } => None,
                        }));
                    }
                    if !word
                        .parts
                        .iter()
                        .all(|part| matches!(part, Part::Text { .. } | Part::Glob(_)))
                    {
                        self.doubts.given(name, &[]);
                    }
                }
                self.doubts.given(name, &values);
                self.hijack(name, span);
                self.integer(name, None, span);
                state.assign(name, false, values);
                self.repeated(&[body], state);
                Flow::stays(&state.cwd)
            }
            Compound::ForArith { expressions, body } => {
                for arith in expressions {
                    self.arith(arith, state);
                }
                self.repeated(&[body], state);
                Flow::stays(&state.cwd)
            }
            Compound::Case { word, arms } => {
                self.word(word, state);
                let mut after = state.cwd.clone();
                for arm in arms {
                    for pattern in &arm.patterns {
                        self.word(pattern, state);
                    }
                    let mut inside = state.clone();
                    self.script(&arm.body, &mut inside);
                    state.variables = inside.variables;
                    state.functions = inside.functions;
                    after = after.or(&inside.cwd);
                }
                state.cwd = after;
                Flow::stays(&state.cwd)
            }
            Compound::Function { name, body } => {
                self.doubts.redefines = true;
                let body = Rc::new((**body).clone());
                Rc::make_mut(&mut state.functions).insert(name.clone(), Rc::clone(&body));
                let mut inside = state.clone();
                inside.positional = None;
                self.command(&body, &mut inside, &Stdin::Unknown);
                Flow::stays(&state.cwd)
            }
            Compound::Coproc { body, .. } => {
                self.command(body, &mut state.clone(), &Stdin::Unknown);
                Flow::stays(&state.cwd)
            }
            Compound::Test(words) => {
                for word in words {
                    self.word(word, state);
                }
                Flow::stays(&state.cwd)
            }
            Compound::Arith(arith) => {
                self.arith(arith, state);
                Flow::stays(&state.cwd)
            }
        }
    }

    /// A body whose only command reads the given input; with several, what each reads is unknown.
    fn with_input(&mut self, script: &Script, state: &mut State, stdin: &Stdin) -> Flow {
        if *stdin == Stdin::Inherited {
            return self.script(script, state);
        }
        if let [statement] = script.statements.as_slice()
            && statement.list.rest.is_empty()
            && let [command] = statement.list.first.commands.as_slice()
        {
            return self.command(command, state, stdin);
        }
        let mut flow = Flow::stays(&state.cwd);
        for statement in &script.statements {
            let firsts = std::iter::once(&statement.list.first)
                .chain(statement.list.rest.iter().map(|(_, pipeline)| pipeline));
            // A shell anywhere in here may read what the group was given.
            for pipeline in firsts {
                if let [command @ Command::Simple(_)] = pipeline.commands.as_slice() {
                    flow = self.command(command, state, stdin);
                } else {
                    flow = self.pipeline(pipeline, state);
                }
                state.cwd = state.cwd.or(&flow.either());
            }
        }
        flow
    }

    /// A loop: what it changes may hold at its start already. A loop that changes directory is
    /// walked again with an unknown one; a second look costs at most the square of the nesting.
    fn repeated(&mut self, scripts: &[&Script], state: &mut State) {
        let before = state.cwd.clone();
        let mark = self.out.mark();
        let mut probe = state.clone();
        for script in scripts {
            self.script(script, &mut probe);
        }
        if probe.cwd != before && before != Cwd::Unknown {
            self.out.rewind(mark);
            state.cwd = Cwd::Unknown;
            for script in scripts {
                self.script(script, state);
            }
            state.cwd = Cwd::Unknown;
        } else {
            *state = probe;
        }
    }

    pub(crate) fn hijack(&mut self, name: &str, span: Span) {
        if hijacking_variable(name) {
            self.obstacle(Reason::EnvHijack, span, &format!("`{name}`"));
        }
        self.doubts.redefines |= name == "PATH";
        if name == "GLOBIGNORE" {
            // Setting it makes globs match names that start with a dot.
            self.obstacle(Reason::ShellOption, span, "`GLOBIGNORE`");
        }
        if runs_what_it_names(name) {
            self.unknown(self.carrier.unwrap_or(span));
        }
    }

    /// A variable that bash gives a value of its own: assigning it evaluates arithmetic.
    pub(crate) fn integer(&mut self, name: &str, value: Option<&str>, span: Span) {
        let special = matches!(
            name,
            "RANDOM"
                | "SRANDOM"
                | "SECONDS"
                | "HISTCMD"
                | "OPTIND"
                | "LINENO"
                | "BASHPID"
                | "EPOCHSECONDS"
                | "EPOCHREALTIME"
                | "BASH_ARGV0"
                | "COMP_WORDBREAKS"
        );
        let plain = value.is_some_and(|text| text.trim().parse::<i64>().is_ok());
        if special && !plain {
            self.obstacle(Reason::ArithDynamic, span, &format!("`{name}`"));
        }
    }

    /// The value of a variable that some program runs as a command.
    pub(crate) fn command_value(&mut self, name: &str, value: &str, span: Span, state: &State) {
        let span = self.carrier.unwrap_or(span);
        if holds_a_command(name) {
            let text = value.trim_start_matches('|').to_owned();
            self.possible_script(&text, span, state);
        }
        if holds_options(name) {
            // `GOFLAGS=-toolexec=curl`, `LESS='+!curl x'`
            for text in value.split(['=', '!']).skip(1) {
                self.possible_script(text, span, state);
            }
        }
        if let Some(runner) = loads_what_it_names(name) {
            for piece in value.split([':', ' ', ',', '=']).filter(|piece| !piece.is_empty()) {
                let arg = Arg::Known(piece.to_owned());
                let place = place_of(&arg, &state.cwd, &self.call.home);
                let cwd = state.cwd.clone();
                self.out.runs.push(Run { place, span, runner: runner.clone(), cwd });
            }
        }
    }

    fn assignment(&mut self, assign: &Assign, state: &mut State) {
        if let Some(subscript) = &assign.subscript {
            self.evaluated(subscript, state);
        }
        let values: Vec<Value> = match &assign.value {
            AssignValue::Scalar(word) => {
                self.word(word, state);
                expand(word, false, &state.lookup(Reach::Text))
                    .into_iter()
                    .filter_map(|args| match args.as_slice() {
                        [] => Some(String::new()),
                        [Arg::Known(text)] => Some(text.clone()),
                        _ => None,
                    })
                    .map(Value::Scalar)
                    .collect()
            }
            AssignValue::Array(words) => {
                let mut items = Some(Vec::new());
                for word in words {
                    self.word(word, state);
                    let alternatives = expand(word, true, &state.lookup(Reach::Text));
                    let texts = match alternatives.as_slice() {
                        [args] => args.iter().map(|arg| arg.known().map(str::to_owned)).collect(),
                        _ => None::<Vec<String>>,
                    };
                    items = items.zip(texts).map(|(mut items, texts)| {
                        items.extend(texts.into_iter().map(element));
                        items
                    });
                }
                items.map(Value::Array).into_iter().collect()
            }
        };
        self.hijack(&assign.name, assign.span);
        match &assign.value {
            AssignValue::Scalar(word) => self.held_word(&assign.name, word),
            AssignValue::Array(words) => {
                for word in words {
                    self.held_word(&assign.name, word);
                }
            }
        }
        if values.is_empty() {
            self.integer(&assign.name, None, assign.span);
        }
        for value in &values {
            if let Value::Scalar(text) = value {
                self.integer(&assign.name, Some(text), assign.span);
            }
        }
        for value in &values {
            if let Value::Scalar(text) = value {
                self.command_value(&assign.name, text, assign.span, state);
            }
        }
        if assign.append || assign.subscript.is_some() {
            self.doubts.given(&assign.name, &[]);
        }
        self.doubts.given(&assign.name, &values);
        if assign.subscript.is_some() {
            let items = values
                .into_iter()
                .map(|value| match value {
                    Value::Scalar(text) => Value::Array(vec![text]),
                    other @ (Value::Array(_) | Value::Pattern(_)) => other,
                })
                .collect();
            state.assign(&assign.name, true, items);
        } else {
            state.assign(&assign.name, assign.append, values);
        }
    }

    fn simple(&mut self, simple: &Simple, state: &mut State, stdin: &Stdin) -> Flow {
        if self.out.commands.len() > MAX_COMMANDS {
            self.obstacle(Reason::TooLong, simple.span, "too many commands");
            return Flow { success: Cwd::Unknown, failure: Cwd::Unknown };
        }
        for assign in &simple.assigns {
            self.assignment(assign, state);
        }
        for word in &simple.words {
            self.word(word, state);
        }
        if simple.words.is_empty() {
            self.redirects(&simple.redirects, None, state);
            if self.origin == Origin::Written {
                for assign in &simple.assigns {
                    self.out.assignments.push(AssignmentFact {
                        text: assign.name.clone(),
                        span: self.carrier.unwrap_or(assign.span),
                        safe: safe_assignment(assign) && !locale(&assign.name),
                    });
                }
            }
            return Flow::stays(&state.cwd);
        }
        let index = self.out.commands.len();
        let first_access = self.out.accesses.len();
        let own = self.redirects(&simple.redirects, Some(index), state);
        if *stdin == Stdin::Inherited || own.is_some() {
            self.note_content(simple, first_access, state);
        }
        let given = own.clone().unwrap_or_else(|| stdin.clone());
        let stdin = if given == Stdin::Inherited { self.input.clone() } else { given };
        let flow = self.words(simple, &stdin, state);
        let replaces =
            simple.words.first().and_then(Word::known).is_some_and(|name| name == "exec");
        if replaces && simple.words.len() == 1 && !simple.redirects.is_empty() {
            self.obstacle(Reason::ExecRedirect, simple.span, "");
        }
        if replaces && let Some(own) = own {
            // `exec <…` sets what every later command reads.
            self.input = own;
        }
        flow
    }

    /// Everything that runs while a word is expanded.
    pub(crate) fn word(&mut self, word: &Word, state: &mut State) {
        self.parts(&word.parts, state);
    }

    /// An expression, which may assign to any name in it.
    fn arith(&mut self, arith: &Arith, state: &mut State) {
        let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        for word in arith.text.split(|c| !name(c)).filter(|word| !word.is_empty()) {
            self.doubts.given(word, &[]);
        }
        self.expression(&arith.text);
        self.parts(&arith.parts, state);
    }

    fn parts(&mut self, parts: &[Part], state: &mut State) {
        for part in parts {
            match part {
                Part::Subst { script, .. } | Part::Process { script, output: false } => {
                    self.subshell(script, state);
                }
                Part::Process { script, output: true } => {
                    // It reads what the command around it writes.
                    let outer = std::mem::replace(&mut self.input, Stdin::Unknown);
                    self.subshell(script, state);
                    self.input = outer;
                }
                Part::Param { expansion, .. } => {
                    if let Some(subscript) = &expansion.subscript {
                        self.evaluated(subscript, state);
                    }
                    for operand in &expansion.operands {
                        if expansion.operator == ":" {
                            self.evaluated(operand, state);
                        } else {
                            self.word(operand, state);
                        }
                    }
                    if matches!(expansion.operator.as_str(), ":=" | "=") {
                        self.doubts.given(&expansion.name, &[]);
                        self.hijack(&expansion.name, Span::default());
                        for operand in &expansion.operands {
                            self.held_word(&expansion.name, operand);
                        }
                        self.integer(&expansion.name, None, Span::default());
                        if let Some(text) = expansion
                            .operands
                            .first()
                            .and_then(|word| text_of(word, &state.lookup(Reach::Text)))
                        {
                            state.assign(&expansion.name, false, vec![Value::Scalar(text)]);
                        }
                    }
                }
                Part::Arith { arith, .. } => self.arith(arith, state),
                Part::Array(words) => {
                    for word in words {
                        self.word(word, state);
                    }
                }
                Part::Text { .. } | Part::Glob(_) | Part::Tilde(_) | Part::Unreadable { .. } => {}
            }
        }
    }
}

/// A name with a static value that is known to change nothing but how the program itself works.
pub(crate) fn safe_assignment(assign: &Assign) -> bool {
    if !safe_variable(&assign.name) || assign.append || assign.subscript.is_some() {
        return false;
    }
    match &assign.value {
        AssignValue::Scalar(word) => word.known().is_some_and(|text| !text.is_empty()),
        AssignValue::Array(_) => false,
    }
}

/// Locale variables change how bash itself reads what follows, so as a statement they need approval.
fn locale(name: &str) -> bool {
    name.starts_with("LC_") || name.starts_with("LANG") || name == "CHARSET"
}

/// `[i]=value` elements give the value.
fn element(text: String) -> String {
    match text.strip_prefix('[').and_then(|rest| rest.split_once("]=")) {
        Some((_, value)) => value.to_owned(),
        None => text,
    }
}

/// What a reason means for a decision.
fn weight(reason: Reason) -> Weight {
    match reason {
        Reason::SyntaxError
        | Reason::Unterminated
        | Reason::TooLong
        | Reason::TooDeep
        | Reason::ParseBudget
        | Reason::ControlChar
        | Reason::ConfusableSpace
        | Reason::ReaderDisagreement
        | Reason::UnsupportedSyntax => Weight::Unreadable,
        Reason::ArithDynamic
        | Reason::NameOperand
        | Reason::DeclareAttribute
        | Reason::PromptTransform
        | Reason::IndirectExpansion
        | Reason::ShellOption
        | Reason::Shadowed => Weight::Opaque,
        Reason::EscapedBlank
        | Reason::DynamicCommandName
        | Reason::DynamicRedirect
        | Reason::NetRedirect
        | Reason::ExecRedirect
        | Reason::FunctionDefinition
        | Reason::Coproc
        | Reason::EnvHijack
        | Reason::EvalFamily
        | Reason::SourceFile => Weight::NeedsBare,
        Reason::CwdUnknown
        | Reason::WrapperOption
        | Reason::ExecWrapper
        | Reason::InterpreterCode
        | Reason::InterpreterStdin
        | Reason::InterpreterDynamic
        | Reason::ConfigExec
        | Reason::Remote
        | Reason::Privilege => Weight::Note,
    }
}
