//! What rules speak about, realm by realm: which rules of both policies go into one product, and which
//! kinds of call their combinations decide.

use super::commands::{commands, is_about_leaving};
use super::hunt::{Meanings, Sides, View, hunt};
use super::universe::{Branches, Grammar, Texts, Tree};
use super::{Changed, Search, excluded};
use crate::Question;
use crate::cover::{command_of, is_whole};
use crate::realm::Realm;
use portcullis_engine::tables::{preapproved, quiet};
use portcullis_model::{AbsPath, Decision, InputValue, Mode, RuleClass, quote_word};
use portcullis_policy::{Policy, PolicyRule, Rules};
use portcullis_rules::automaton::Bundle;
use std::collections::{BTreeMap, BTreeSet};

/// Compares every realm that some changed rule speaks about.
pub(super) fn compare(search: &mut Search<'_>, changed: &Changed<'_>) {
    let any = |speaks: &dyn Fn(&PolicyRule) -> bool| changed.rules().any(speaks);
    let whole = |tools: &[&str]| {
        any(&|rule| is_whole(rule) && tools.iter().any(|tool| rule.rule.tool().matches(tool)))
    };
    if any(&|rule| command_of(rule).is_some() || is_about_leaving(rule))
        || whole(COMMAND_TOOLS)
        || excluded::differ(search.old, search.new)
    {
        commands(search);
    }
    if any(&|rule| matches!(Realm::of(rule), Realm::Read(_) | Realm::Edit(_))) || whole(FILE_TOOLS)
    {
        files(search);
    }
    if any(&|rule| matches!(Realm::of(rule), Realm::Directory(_))) || whole(&["Cd"]) {
        directories(search);
    }
    if any(&|rule| matches!(Realm::of(rule), Realm::Host(_))) || whole(&["WebFetch"]) {
        hosts(search);
    }
    for (tool, field) in NAMED {
        if any(&|rule| matches!(Realm::of(rule), Realm::Name(_)) && rule.rule.tool().matches(tool))
            || whole(&[tool])
        {
            names(search, tool, field);
        }
    }
    if any(&|rule| matches!(Realm::of(rule), Realm::Parameter(..))) {
        parameters(search);
    }
    if any(&is_whole) {
        tools(search);
    }
}

/// The classes of rules with the list of a policy.
fn lists(policy: &Policy) -> [(RuleClass, &Rules); 3] {
    [
        (RuleClass::Deny, &policy.deny),
        (RuleClass::Ask, &policy.ask),
        (RuleClass::Allow, &policy.allow),
    ]
}

/// Three marks in a row, one a class.
pub(super) fn sides(first: u32) -> Sides {
    Sides { deny: 1 << first, ask: 2 << first, allow: 4 << first, excluded: 0 }
}

pub(super) fn both(left: Sides, right: Sides) -> Sides {
    Sides {
        deny: left.deny | right.deny,
        ask: left.ask | right.ask,
        allow: left.allow | right.allow,
        excluded: left.excluded | right.excluded,
    }
}

fn mark(sides: Sides, class: RuleClass) -> u64 {
    match class {
        RuleClass::Deny => sides.deny,
        RuleClass::Ask => sides.ask,
        RuleClass::Allow => sides.allow,
    }
}

/// The policies with the half that their marks stand in.
pub(super) fn halves<'a>(search: &Search<'a>) -> [(&'a Policy, u32); 2] {
    [(search.old, 0), (search.new, 32)]
}

/// The marks of rules for a tool as a whole, which every call of it has.
pub(super) fn whole_marks(search: &Search<'_>, tool: &str, own: Sides) -> u64 {
    marks_of_all(search, tool, own, |policy| search.is_contained(policy), is_whole)
}

pub(super) fn marks_of_all(
    search: &Search<'_>,
    tool: &str,
    own: Sides,
    contained: impl Fn(&Policy) -> bool,
    concerns: impl Fn(&PolicyRule) -> bool,
) -> u64 {
    let command = COMMAND_TOOLS.contains(&tool);
    let mut marks = 0;
    for (policy, shift) in halves(search) {
        let mode = search.mode(policy);
        for (class, rules) in lists(policy) {
            // Inside the sandbox a bare ask does not ask; auto mode honours no bare allow of commands.
            let idle = match class {
                RuleClass::Deny => false,
                RuleClass::Ask => command && contained(policy),
                RuleClass::Allow => mode == Mode::Auto && command,
            };
            let counts = |rule: &PolicyRule| concerns(rule) && !(idle && is_whole(rule));
            if rules.for_tool(tool).any(counts) {
                marks |= mark(own, class) << shift;
            }
        }
    }
    marks
}

/// What matching rules mean, with what a call means that no rule speaks about.
fn meanings(search: &Search<'_>, policy: &Policy, none: [Decision; 2]) -> Meanings {
    let mode = search.mode(policy);
    let asked = |decision: Decision| match (decision, mode) {
        (Decision::Ask, Mode::DontAsk) => Decision::Deny,
        (decision, _) => decision,
    };
    let unmatched = |decision: Decision| match (decision, mode) {
        (Decision::Ask, Mode::BypassPermissions) => Decision::Allow,
        (decision, _) => asked(decision),
    };
    Meanings {
        deny: Decision::Deny,
        ask: asked(Decision::Ask),
        allow: Decision::Allow,
        excluded: unmatched(Decision::Ask),
        none: none.map(unmatched),
    }
}

pub(super) fn both_meanings(
    search: &Search<'_>,
    none: impl Fn(&Policy) -> [Decision; 2],
) -> [Meanings; 2] {
    [search.old, search.new].map(|policy| meanings(search, policy, none(policy)))
}

/// The rules of both policies that `pick` gives something for, each once, with the marks of the halves
/// it stands in.
pub(super) fn marked<'a, T>(
    search: &Search<'a>,
    pick: impl Fn(&'a PolicyRule) -> Option<(T, Sides)>,
) -> Vec<(T, u64)> {
    let mut known: BTreeMap<(RuleClass, &str), Vec<(&PolicyRule, usize)>> = BTreeMap::new();
    let mut out: Vec<(T, u64)> = Vec::new();
    for (policy, shift) in halves(search) {
        for (class, rules) in lists(policy) {
            for rule in &rules.list {
                let Some((what, sides)) = pick(rule) else { continue };
                let marks = mark(sides, class) << shift;
                let same = known.entry((class, rule.rule.text())).or_default();
                let earlier = same.iter().find(|(other, _)| other.paths == rule.paths);
                if let Some((_, known)) = earlier.and_then(|(_, at)| out.get_mut(*at)) {
                    *known |= marks;
                } else {
                    same.push((rule, out.len()));
                    out.push((what, marks));
                }
            }
        }
    }
    out
}

/// Files, by tools and by commands.
fn files(search: &mut Search<'_>) {
    let (read, edit) = (sides(0), sides(3));
    let mut bundle = Bundle::default();
    let rules = marked(search, |rule| match Realm::of(rule) {
        Realm::Read(paths) => Some((paths, read)),
        Realm::Edit(paths) => Some((paths, edit)),
        Realm::Whole
        | Realm::Command(_)
        | Realm::Host(_)
        | Realm::Name(_)
        | Realm::Directory(_)
        | Realm::Parameter(..)
        | Realm::Nothing => None,
    });
    for (paths, marks) in rules {
        if !paths.has_exact_automaton() && marks & HALF != marks >> 32 {
            search.open("a changed rule has a class of characters outside ASCII");
        }
        bundle.add(&paths.automaton(), marks);
    }
    let mut sure = 0;
    let mut whole = BTreeMap::new();
    for (index, tool) in (2_u32..).zip(FILE_TOOLS) {
        let own = sides(index * 3);
        sure |= whole_marks(search, tool, own);
        whole.insert(*tool, own);
    }
    let of = |tool: &str| whole.get(tool).copied().unwrap_or_default();
    let bare = |tool: &str| of(tool).allow;
    let (own_read, own_edit) = (of("Read"), of("Edit"));
    // Commands have rules for commands, too: a bare `Bash` reaches where no path rule says anything.
    let bash = whole_marks(search, "Bash", sides(0));
    let runs = |half: u32| bash >> half & 5 == 4;
    let accepts = |policy: &Policy| search.mode(policy) == Mode::AcceptEdits;
    let reads = both_meanings(search, |_| [Decision::Ask, Decision::Allow]);
    let mut edits = both_meanings(search, |policy| {
        [Decision::Ask, if accepts(policy) { Decision::Allow } else { Decision::Ask }]
    });
    for (means, policy) in edits.iter_mut().zip([search.old, search.new]) {
        if search.mode(policy) == Mode::Plan {
            means.allow = Decision::Ask;
        }
    }
    let free = |half: u32, policy: &Policy| runs(half) || search.is_contained(policy);
    let by_command = |writes: bool| {
        halves(search).map(|(policy, half)| {
            let inside = !writes || accepts(policy);
            let none = if free(half, policy) {
                [Decision::Allow; 2]
            } else {
                [Decision::Ask, if inside { Decision::Allow } else { Decision::Ask }]
            };
            meanings(search, policy, none)
        })
    };
    let (command_reads, command_writes) = (by_command(false), by_command(true));
    let questions: Vec<_> = FILE_TOOLS
        .iter()
        .map(|tool| {
            move |text: &str| match *tool {
                "NotebookEdit" => vec![Question::of(tool, "notebook_path", text)],
                "Grep" | "Glob" | "LS" => vec![Question::of(tool, "path", text)],
                _ => vec![Question::of(tool, "file_path", text)],
            }
        })
        .collect();
    let reading = |text: &str| {
        let text = quote_word(text);
        ["cat", "head", "wc", "true <"].map(|with| Question::bash(format!("{with} {text}"))).into()
    };
    let writing = |text: &str| {
        let text = quote_word(text);
        ["true >", "echo x >", "printf x >"]
            .map(|with| Question::bash(format!("{with} {text}")))
            .into()
    };
    let mut views = Vec::new();
    for (tool, questions) in FILE_TOOLS.iter().zip(&questions) {
        let own = of(tool);
        let plain = matches!(*tool, "Read" | "Edit" | "NotebookEdit");
        if !plain && sure == 0 {
            // Without rules for whole tools, decided just like `Read` or `Edit`.
            continue;
        }
        let (sides, meanings) = match *tool {
            "Edit" | "Write" | "MultiEdit" => {
                let deny = edit.deny | read.deny | own.deny;
                (Sides { deny, ..both(edit, own) }, edits)
            }
            "NotebookEdit" => (both(edit, own), edits),
            _ => {
                let allow = read.allow | edit.allow | own.allow | bare("Read");
                (Sides { allow, ..both(read, own) }, reads)
            }
        };
        views.push(View { name: tool, sides, meanings, questions });
    }
    if bash & 1 == 0 || bash >> 32 & 1 == 0 {
        views.push(View {
            name: "files that commands read",
            sides: Sides { deny: read.deny | own_read.deny, ..read },
            meanings: command_reads,
            questions: &reading,
        });
        views.push(View {
            name: "files that commands write",
            sides: Sides {
                deny: read.deny | edit.deny | own_edit.deny,
                allow: edit.allow | own_edit.allow,
                ..edit
            },
            meanings: command_writes,
            questions: &writing,
        });
    }
    let inside = search.inside();
    let texts = Texts::paths(inside.iter().copied());
    hunt(search, &mut BTreeSet::new(), &views, &bundle, &texts, sure);
}

/// Directories that are changed to.
fn directories(search: &mut Search<'_>) {
    let (own, whole) = (sides(0), sides(3));
    let mut bundle = Bundle::default();
    let rules = marked(search, |rule| match Realm::of(rule) {
        Realm::Directory(paths) => Some((paths, own)),
        Realm::Whole
        | Realm::Command(_)
        | Realm::Read(_)
        | Realm::Edit(_)
        | Realm::Host(_)
        | Realm::Name(_)
        | Realm::Parameter(..)
        | Realm::Nothing => None,
    });
    for (paths, marks) in rules {
        bundle.add(&paths.automaton(), marks);
    }
    let sure = whole_marks(search, "Cd", whole);
    let listed = |policy: &Policy| policy.allow.for_tool("Cd").next().is_some();
    let meanings = both_meanings(search, |policy| {
        [Decision::Ask, if listed(policy) { Decision::Ask } else { Decision::Allow }]
    });
    let questions = |text: &str| vec![Question::of("Cd", "path", text)];
    let views = [View { name: "Cd", sides: both(own, whole), meanings, questions: &questions }];
    let inside = search.inside();
    let texts = Texts::paths(inside.iter().copied());
    if listed(search.old) != listed(search.new) {
        // An allowlist decides about every directory, those of no rule included.
        for path in inside.iter().copied().chain([&AbsPath::root()]) {
            search.ask(&Question::of("Cd", "path", path.as_str()));
        }
    }
    hunt(search, &mut BTreeSet::new(), &views, &bundle, &texts, sure);
}

/// Hosts that are fetched from.
fn hosts(search: &mut Search<'_>) {
    let (own, whole) = (sides(0), sides(3));
    let mut bundle = Bundle::default();
    for (pattern, marks) in marked(search, |rule| Some((Realm::of(rule).host()?, own))) {
        bundle.add(&pattern.automaton(), marks);
    }
    let sure = whole_marks(search, "WebFetch", whole);
    let meanings = both_meanings(search, |policy| {
        let listed = if policy.preapproved_hosts { Decision::Allow } else { Decision::Ask };
        [Decision::Ask, listed]
    });
    let questions = |text: &str| vec![Question::fetch(&format!("https://{text}/"))];
    let views =
        [View { name: "WebFetch", sides: both(own, whole), meanings, questions: &questions }];
    let tree = Tree::of(preapproved::preapproved_hosts().iter().copied());
    let texts = Texts::with(Grammar::Host, Branches::Word, tree);
    hunt(search, &mut BTreeSet::new(), &views, &bundle, &texts, sure);
}

/// Names of subagent types and skills.
fn names(search: &mut Search<'_>, tool: &'static str, field: &'static str) {
    let (own, whole) = (sides(0), sides(3));
    let mut bundle = Bundle::default();
    let rules = marked(search, |rule| {
        let name = Realm::of(rule).name().filter(|_| rule.rule.tool().matches(tool))?;
        Some((name, own))
    });
    for (name, marks) in rules {
        bundle.add(&name.automaton(), marks);
    }
    let sure = whole_marks(search, tool, whole);
    let meanings = both_meanings(search, |_| [unasked(tool); 2]);
    let questions = |text: &str| vec![Question::of(tool, field, text)];
    let views = [View { name: tool, sides: both(own, whole), meanings, questions: &questions }];
    let texts = Texts::of(Grammar::Line);
    hunt(search, &mut BTreeSet::new(), &views, &bundle, &texts, sure);
}

/// Fields of the input of tools, which only deny and ask rules look at.
fn parameters(search: &mut Search<'_>) {
    let mut pairs: BTreeSet<(String, String)> = BTreeSet::new();
    let mut tools = search.tool_names();
    tools.sort();
    for (policy, _) in halves(search) {
        for (_, rules) in lists(policy) {
            for rule in &rules.list {
                let Some((field, _)) = Realm::of(rule).parameter() else { continue };
                let meant = tools.iter().filter(|tool| rule.rule.tool().matches(tool));
                pairs.extend(meant.map(|tool| (tool.clone(), field.to_owned())));
            }
        }
    }
    for (tool, field) in pairs {
        let (own, whole) = (sides(0), sides(3));
        let mut bundle = Bundle::default();
        let rules = marked(search, |rule| {
            let (name, value) = Realm::of(rule).parameter()?;
            (name == field && rule.rule.tool().matches(&tool)).then_some((value, own))
        });
        for (value, marks) in rules {
            bundle.add_glob(value, marks);
        }
        let sure = whole_marks(search, &tool, whole);
        // What calls of these tools are about may be allowed by rules of another realm.
        let elsewhere = COMMAND_TOOLS.contains(&tool.as_str())
            || FILE_TOOLS.contains(&tool.as_str())
            || matches!(tool.as_str(), "Cd" | "WebFetch" | "Agent" | "Skill");
        let none = if elsewhere { Decision::Allow } else { unasked(&tool) };
        let meanings = both_meanings(search, |_| [none; 2]);
        let project = search.stage.project.clone();
        let questions = |text: &str| vec![with_field(&tool, &field, text, project.as_str())];
        let views = [View {
            name: "fields of tools",
            sides: both(own, whole),
            meanings,
            questions: &questions,
        }];
        let texts = Texts::of(Grammar::Line);
        hunt(search, &mut BTreeSet::new(), &views, &bundle, &texts, sure);
    }
}

/// Tools as a whole, but for those whose calls other realms look into.
fn tools(search: &mut Search<'_>) {
    let own = sides(0);
    let mut bundle = Bundle::default();
    for (tool, marks) in marked(search, |rule| is_whole(rule).then(|| (rule.rule.tool(), own))) {
        bundle.add(&tool.automaton(), marks);
    }
    let meanings = both_meanings(search, |_| [Decision::Ask, Decision::Allow]);
    let questions = |text: &str| {
        let special = COMMAND_TOOLS.contains(&text)
            || FILE_TOOLS.contains(&text)
            || matches!(text, "Cd" | "WebFetch");
        if special { Vec::new() } else { vec![Question::bare(text)] }
    };
    let views = [View { name: "tools", sides: own, meanings, questions: &questions }];
    let tree = Tree::of(quiet::quiet_tools().iter().copied());
    let texts = Texts::with(Grammar::Tool, Branches::Word, tree);
    hunt(search, &mut BTreeSet::new(), &views, &bundle, &texts, 0);
}

/// What becomes of a call of a tool that no rule speaks about.
fn unasked(tool: &str) -> Decision {
    if quiet::needs_no_permission(tool) { Decision::Allow } else { Decision::Ask }
}

/// A call of a tool with one more field.
fn with_field(tool: &str, field: &str, value: &str, project: &str) -> Question {
    let file = format!("{project}/x");
    let mut question = match tool {
        "Bash" | "Monitor" => Question::of(tool, "command", "ls"),
        "WebFetch" => Question::fetch("https://docs.rs/"),
        "NotebookEdit" => Question::of(tool, "notebook_path", file),
        "Read" | "Edit" | "Write" | "MultiEdit" => Question::of(tool, "file_path", file),
        "Grep" | "Glob" | "LS" | "Cd" => Question::of(tool, "path", project),
        _ => Question::bare(tool),
    };
    question.input.0.insert(field.to_owned(), InputValue::Text(value.to_owned()));
    question.text = format!("{field}={value}");
    question
}

/// The marks of one policy.
pub(super) const HALF: u64 = 0xffff_ffff;

/// Tools that run a command.
pub(super) const COMMAND_TOOLS: &[&str] = &["Bash", "Monitor"];

/// Tools whose file path rules decide.
const FILE_TOOLS: &[&str] =
    &["Read", "Edit", "NotebookEdit", "Write", "MultiEdit", "Grep", "Glob", "LS"];

/// Tools with names, and the field that holds them.
const NAMED: &[(&str, &str)] = &[("Agent", "subagent_type"), ("Skill", "skill")];
