//! The difference of two policies in every realm, held against the evaluator itself: rules and calls of
//! all kinds, in every mode. Where some call gets more, the difference has to say so.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_audit::{Direction, Limits, Question, Stage, diff};
use portcullis_model::{AbsPath, Decision, InputValue, Mode, Scope};
use portcullis_policy::{Layer, Place, Policy, assemble};
use portcullis_tests::choices::Choices;
use portcullis_tests::{environment, parallel};
use serde_json::{Value, json};

#[test]
fn no_call_gets_more_unless_the_difference_says_so() {
    let seed = environment::seed(21);
    let cases: Vec<u64> = (0..u64::from(environment::cases().min(3_000))).collect();
    let questions = questions();
    let results = parallel::map(&cases, |case| one(seed ^ (case << 20), &questions));
    let (mut changed, mut loosened) = (0, 0);
    let (mut doubtful, mut wrong) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(seen) => {
                changed += usize::from(seen.changed);
                loosened += usize::from(seen.loosened);
                doubtful.extend(seen.doubt);
            }
            Err(text) => wrong.push(text),
        }
    }
    println!(
        "{} pairs: {changed} differ, {loosened} give access; of the others {} are not proven",
        cases.len(),
        doubtful.len()
    );
    assert!(
        wrong.is_empty(),
        "{} of {}\n{}",
        wrong.len(),
        cases.len(),
        wrong.iter().take(5).cloned().collect::<Vec<_>>().join("\n")
    );
    assert!(changed * 2 > cases.len() && loosened * 4 > cases.len(), "{changed} {loosened}");
    // A proof that is never given is worth nothing.
    let shown = doubtful.iter().take(5).cloned().collect::<Vec<_>>().join("\n");
    assert!(doubtful.len() * 10 < cases.len(), "{} of {}\n{shown}", doubtful.len(), cases.len());
}

#[test]
fn what_leaves_the_sandbox_is_decided_by_the_rules() {
    let rules = |class: &str, rule: &str| {
        let list = |own: &str| if class == own { vec![rule.to_owned()] } else { Vec::new() };
        let mut lists = Lists { deny: list("deny"), ask: list("ask"), allow: list("allow") };
        if class != "allow" {
            lists.allow.push("Bash(ls)".to_owned());
        }
        lists
    };
    // A rule that is added, and what becomes of a command outside the sandbox by it.
    for (class, rule, command, was, is) in [
        ("allow", "Bash(ls)", "ls", Decision::Ask, Decision::Allow),
        ("allow", "Bash(a *)", "a $X", Decision::Ask, Decision::Allow),
        ("allow", "Bash", "ls", Decision::Ask, Decision::Allow),
        ("allow", "Bash(a && b)", "a && b", Decision::Ask, Decision::Allow),
        (
            "allow",
            "Bash(find . -exec a {} +)",
            "find . -exec a {} +",
            Decision::Ask,
            Decision::Allow,
        ),
        ("ask", "Bash", "ls", Decision::Allow, Decision::Ask),
        ("ask", "Bash(dangerouslyDisableSandbox:true)", "ls", Decision::Allow, Decision::Ask),
        ("deny", "Bash(dangerouslyDisableSandbox:true)", "ls", Decision::Allow, Decision::Deny),
    ] {
        let with = rules(class, rule);
        let mut without = with.clone();
        for list in [&mut without.deny, &mut without.ask, &mut without.allow] {
            list.retain(|own| own != rule);
        }
        let sandbox = json!({ "enabled": true });
        let [before, after] = [&without, &with].map(|lists| lists.policy(&sandbox));
        let stage = Stage { project: path("/p"), home: path("/h"), mode: None };
        let mut question = Question::bash(command);
        let yes = InputValue::Scalar("true".to_owned());
        question.input.0.insert("dangerouslyDisableSandbox".to_owned(), yes);
        let verdicts = [&before, &after].map(|policy| stage.ask(policy, &question).decision);
        assert_eq!(verdicts, [was, is], "{class} {rule}");
        for (old, new, cell) in [(&before, &after, (was, is)), (&after, &before, (is, was))] {
            let found = diff(old, new, &stage, &Limits::default());
            let said = found.flips.iter().any(|flip| (flip.cell.from, flip.cell.to) == cell);
            assert!(said, "{class} {rule}: {cell:?} is missed: {:?}", found.flips);
            assert!(found.doubts.is_empty(), "{class} {rule}: {:?}", found.doubts);
        }
    }
}

#[test]
fn a_list_of_excluded_commands_is_compared_by_what_it_means() {
    let rules = Lists { deny: vec!["Bash(rm *)".to_owned()], ask: vec![], allow: vec![] };
    let policy = |excluded: &[&str], auto: bool| {
        rules.policy(&json!({
            "enabled": true, "autoAllowBashIfSandboxed": auto, "excludedCommands": excluded,
        }))
    };
    let stage = Stage { project: path("/p"), home: path("/h"), mode: None };
    for (old, new, auto, direction, flip) in [
        (&["docker *"][..], &["docker *", "docker run *"][..], true, None, None),
        (&["a", "a *"], &["a *"], true, None, None),
        (&[], &["docker *"], true, Some(Direction::Looser), Some((Decision::Allow, Decision::Ask))),
        // Held in the sandbox, it needs no permission.
        (&["docker *"], &[], true, Some(Direction::Mixed), Some((Decision::Ask, Decision::Allow))),
        (&["docker *"], &[], false, Some(Direction::Tighter), None),
        (&["a *"], &["b *"], false, Some(Direction::Mixed), None),
    ] {
        let (before, after) = (policy(old, auto), policy(new, auto));
        let found = diff(&before, &after, &stage, &Limits::default());
        let at = format!("{old:?} {new:?} {found:?}");
        assert!(found.doubts.is_empty(), "{at}");
        assert_eq!(found.settings.first().map(|change| change.direction), direction, "{at}");
        let cells: Vec<_> = found.flips.iter().map(|f| (f.cell.from, f.cell.to)).collect();
        assert_eq!(cells, Vec::from_iter(flip), "{at}");
        for change in &found.settings {
            let question = change.example.as_ref().unwrap();
            let [held, holds] = [&before, &after].map(|p| stage.ask(p, question).sandboxed);
            assert_ne!(held, holds, "{at}");
        }
    }
}

#[test]
fn a_directory_taken_away_may_let_its_removal_run() {
    let policy = |allow: &[&str], directories: &[&str], mode: &str| {
        let settings = json!({ "permissions": {
            "allow": allow, "additionalDirectories": directories, "defaultMode": mode,
        } });
        let layer = Layer::new(Scope::User, "s.json", settings.to_string(), path("/h/.claude"));
        assemble(&[layer], &Place { start: path("/p"), project_root: path("/p"), home: path("/h") })
    };
    let stage = Stage { project: path("/p"), home: path("/h"), mode: None };
    for (allow, mode, gives) in [
        (&[][..], "default", false),
        (&["Read(//d/**)"], "default", false),
        // `git rm` is a removal, too.
        (&["Bash(git *)"], "default", true),
        (&[], "bypassPermissions", true),
        (&["Bash(rm *)", "Edit(//srv/d/**)"], "default", true),
        (&["Bash(rm -r /srv/d/*)", "Edit(//srv/d/**)"], "default", true),
        (&["Bash(*)"], "default", true),
        (&["Bash"], "default", true),
    ] {
        let (with, without) = (policy(allow, &["/srv/d"], mode), policy(allow, &[], mode));
        let found = diff(&with, &without, &stage, &Limits::default());
        assert_eq!(found.gives_access(), gives, "{allow:?} {mode}: {found:?}");
        let removal = Question::bash("rm -r /srv/d/*");
        let [was, is] = [&with, &without].map(|policy| stage.decision(policy, &removal));
        assert!(is >= was || found.gives_access(), "{allow:?} {mode}: {was} to {is}");
    }
}

#[test]
fn where_a_setting_is_written_is_no_change() {
    let settings = json!({ "sandbox": {
        "enabled": true,
        "credentials": {
            "files": [{ "path": "~/.netrc", "mode": "deny" }],
            "envVars": [{ "name": "TOKEN", "mode": "deny" }],
        },
        "network": { "allowedDomains": ["x.example"], "deniedDomains": ["y.example"] },
        "filesystem": { "denyRead": ["~/.ssh"] },
        "excludedCommands": ["docker *"],
    } });
    let policy = |text: String| {
        let layer = Layer::new(Scope::User, "s.json", text, path("/h/.claude"));
        assemble(&[layer], &Place { start: path("/p"), project_root: path("/p"), home: path("/h") })
    };
    let (old, new) = (policy(settings.to_string()), policy(format!("\n\n{settings:#}")));
    assert!(!old.sandbox.credentials.files.is_empty() && !old.sandbox.network.allowed.is_empty());
    let stage = Stage { project: path("/p"), home: path("/h"), mode: None };
    let found = diff(&old, &new, &stage, &Limits::default());
    assert!(found.is_empty(), "{found:?}");
}

struct Seen {
    changed: bool,
    loosened: bool,
    /// What was left open although no call got more.
    doubt: Option<String>,
}

fn one(seed: u64, questions: &[Question]) -> Result<Seen, String> {
    let mut choices = Choices::Seeded(seed);
    let old = Lists::of(&mut choices);
    let mut new = old.clone();
    for _ in 0..=choices.below(2) {
        let list = match choices.below(3) {
            0 => &mut new.deny,
            1 => &mut new.ask,
            _ => &mut new.allow,
        };
        if list.is_empty() || choices.one_in(2) {
            list.push(choices.text(RULES).to_owned());
        } else {
            let place = choices.below(list.len());
            list.remove(place);
        }
    }
    let modes = [
        None,
        None,
        Some(Mode::AcceptEdits),
        Some(Mode::Plan),
        Some(Mode::DontAsk),
        Some(Mode::Auto),
        Some(Mode::BypassPermissions),
    ];
    let stage = Stage { project: path("/p"), home: path("/h"), mode: *choices.pick(&modes) };
    let (enabled, lets_out) = (choices.one_in(3), !choices.one_in(4));
    let mut excluded: Vec<&str> = (0..choices.below(3)).map(|_| choices.text(EXCLUDED)).collect();
    let sandbox = |excluded: &[&str]| {
        json!({
            "enabled": enabled,
            "allowUnsandboxedCommands": lets_out,
            "excludedCommands": excluded,
        })
    };
    let was = sandbox(&excluded);
    if choices.one_in(2) {
        if excluded.is_empty() || choices.one_in(2) {
            excluded.push(choices.text(EXCLUDED));
        } else {
            excluded.remove(choices.below(excluded.len()));
        }
    }
    let is = sandbox(&excluded);
    let (before, after) = (old.policy(&was), new.policy(&is));
    let at = |what: &str| {
        format!("{what}\n  in {:?}\n  before {old:?} {was}\n  after {new:?} {is}", stage.mode)
    };
    let found = diff(&before, &after, &stage, &Limits::default());
    let back = diff(&after, &before, &stage, &Limits::default());
    if found.is_empty() != back.is_empty() {
        return Err(at("one direction is empty, the other is not"));
    }
    for flip in &found.flips {
        for change in &flip.changes {
            let verdicts = [&before, &after].map(|p| stage.ask(p, &change.question).decision);
            if verdicts != [flip.cell.from, flip.cell.to] {
                return Err(at(&format!("`{}` does not replay", change.question.display())));
            }
        }
    }
    let mut seen = Seen { changed: false, loosened: false, doubt: None };
    for (index, question) in questions.iter().enumerate() {
        let [was, is] = [&before, &after].map(|p| stage.decision(p, question));
        // Where only the decision is asked for, it is the one of the whole verdict.
        if index % 5 == choices.below(5) {
            let [held, holds] = [&before, &after].map(|p| stage.ask(p, question));
            if [held.decision, holds.decision] != [was, is] {
                return Err(at(&format!("`{}` is not decided alike", question.display())));
            }
            if held.sandboxed && !holds.sandboxed && is != Decision::Deny && !found.gives_access() {
                return Err(at(&format!("`{}` leaves the sandbox", question.display())));
            }
        }
        seen.changed |= was != is;
        seen.loosened |= is < was;
        if was != is && found.is_empty() {
            return Err(at(&format!("`{}` goes from {was} to {is}", question.display())));
        }
        if is < was && !found.gives_access() {
            return Err(at(&format!("`{}` gets more: {was} to {is}", question.display())));
        }
        if is > was && !back.gives_access() {
            return Err(at(&format!("`{}` gets less: {was} to {is}", question.display())));
        }
    }
    // What a setting does beside verdicts is no doubt.
    let rules_alone = found.settings.is_empty();
    if rules_alone && found.gives_access() && found.flips.iter().all(|f| f.cell.to > f.cell.from) {
        seen.doubt = Some(at(&format!("{:?}", found.doubts)));
    }
    Ok(seen)
}

/// The rules of a policy.
#[derive(Clone, Debug)]
struct Lists {
    deny: Vec<String>,
    ask: Vec<String>,
    allow: Vec<String>,
}

impl Lists {
    fn of(choices: &mut Choices<'_>) -> Self {
        let mut list = |most: usize| -> Vec<String> {
            (0..choices.below(most + 1)).map(|_| choices.text(RULES).to_owned()).collect()
        };
        Self { deny: list(3), ask: list(3), allow: list(5) }
    }

    fn policy(&self, sandbox: &Value) -> Policy {
        let settings = json!({
            "permissions": { "deny": self.deny, "ask": self.ask, "allow": self.allow },
            "sandbox": sandbox,
        });
        let layer = Layer::new(Scope::Project, "s.json", format!("{settings:#}"), path("/p"));
        assemble(&[layer], &Place { start: path("/p"), project_root: path("/p"), home: path("/h") })
    }
}

fn path(text: &str) -> AbsPath {
    AbsPath::parse(text).unwrap()
}

/// Rules of every kind.
const RULES: &[&str] = &[
    "Bash",
    "Bash(*)",
    "Bash(ls *)",
    "Bash(ls)",
    "Bash(cat *)",
    "Bash(git *)",
    "Bash(git log *)",
    "Bash(git push *)",
    "Bash(timeout *)",
    "Bash(watch *)",
    "Bash(find *)",
    "Bash(find . -exec a {} +)",
    "Bash(npm run *)",
    "Bash(npm run a)",
    "Bash(npm * a)",
    "Bash(* --v)",
    "Bash(*)",
    "Bash(a && b)",
    "Bash(a * | b)",
    "Bash(echo \"a b\")",
    "Bash(echo 'a' *)",
    "Bash(X=1 a *)",
    "Bash(rm *)",
    "Bash(mkdir *)",
    "Bash(python3 *)",
    "Bash(dangerouslyDisableSandbox:true)",
    "Bash(run_in_background:true)",
    "Monitor",
    "Read",
    "Edit",
    "Write",
    "Grep",
    "NotebookEdit",
    "Read(src/**)",
    "Edit(src/**)",
    "Edit(src/a)",
    "Read(*.key)",
    "Edit(*.key)",
    "Read(//etc/**)",
    "Edit(//etc/hosts)",
    "Edit(.git/**)",
    "Read([a-c]*)",
    "WebFetch",
    "WebFetch(domain:x.example)",
    "WebFetch(domain:*.example)",
    "WebFetch(domain:docs.rs)",
    "WebFetch(domain:*)",
    "Agent",
    "Agent(Explore)",
    "Agent(E*)",
    "Agent(model:opus)",
    "Agent(model:*)",
    "Skill",
    "Skill(deploy)",
    "Skill(a:*)",
    "Skill(a:deploy)",
    "mcp__s",
    "mcp__s__t",
    "mcp__s__*",
    "mcp__s__t(x:1*)",
    "mcp__*",
    "*",
    "TodoWrite",
    "WebSearch",
    "Cd",
    "Cd(src)",
    "Cd(//etc/**)",
];

/// Commands that run outside the sandbox.
const EXCLUDED: &[&str] = &[
    "docker *",
    "docker",
    "ls *",
    "cat *",
    "git *",
    "git log *",
    "npm run *",
    "*",
    "echo \"a b\"",
];

/// Calls of every kind.
fn questions() -> Vec<Question> {
    let commands = [
        "docker",
        "docker x",
        "docker $X",
        "cat x | docker x",
        "bash -c 'docker x'",
        "cat src/a; docker x > /etc/x",
        "ls",
        "ls a",
        "ls /etc",
        "cat a",
        "cat a.key",
        "cat src/a",
        "cat /etc/hosts",
        "cat *",
        "git log",
        "git log a --v",
        "git push",
        "git push a",
        "timeout 5 a",
        "timeout 5 ls",
        "watch ls",
        "watch a",
        "find . -exec a {} +",
        "find . -exec rm {} +",
        "find . -name a",
        "npm run a",
        "npm run b",
        "npm test a",
        "npm run $X",
        "npm run \"$(b)\"",
        "b --v",
        "$X --v",
        "a && b",
        "a x | b",
        "a; b",
        "echo \"a b\"",
        "echo a b c",
        "echo a c",
        "X=1 a b",
        "rm a",
        "rm -rf /",
        "rm -rf .",
        "mkdir a",
        "mkdir /etc/a",
        "python3 x.py",
        "bash -c 'git push'",
        "for i in a; do ls; done",
        "for i in a; do git push; done",
        "echo x > a",
        "echo x > src/a",
        "echo x > a.key",
        "echo x > /etc/hosts",
        "echo x > $X",
        "true < a.key",
        "$X",
        "if",
        "eval \"$X\"",
        "x",
        "sudo x",
        "/bin/ls a",
        "LANG=C ls",
    ];
    let mut out: Vec<Question> = commands.iter().map(|text| Question::bash(*text)).collect();
    out.extend(commands.iter().take(12).map(|text| Question::of("Monitor", "command", *text)));
    // What asks to leave the sandbox is decided by the rules alone.
    for mut question in out.clone() {
        let yes = InputValue::Scalar("true".to_owned());
        question.input.0.insert("dangerouslyDisableSandbox".to_owned(), yes);
        question.text.push_str(" outside");
        out.push(question);
    }
    for file in
        ["/p/a", "/p/src/a", "/p/src/b/c", "/p/a.key", "/p/.git/x", "/etc/hosts", "/x", "/p/b"]
    {
        for tool in ["Read", "Edit", "Write", "MultiEdit"] {
            out.push(Question::of(tool, "file_path", file));
        }
        out.push(Question::of("NotebookEdit", "notebook_path", file));
        out.push(Question::of("Grep", "path", file));
        out.push(Question::of("Cd", "path", file));
    }
    for host in ["x.example", "y.example", "a.b.example", "docs.rs", "127.0.0.1", "x"] {
        out.push(Question::fetch(&format!("https://{host}/")));
    }
    for name in ["Explore", "Enter", "a:deploy", "deploy", "x"] {
        out.push(Question::of("Agent", "subagent_type", name));
        out.push(Question::of("Skill", "skill", name));
    }
    for tool in
        ["mcp__s", "mcp__s__t", "mcp__s__u", "mcp__t__t", "TodoWrite", "WebSearch", "Task", "X"]
    {
        out.push(Question::bare(tool));
    }
    for (question, field, value) in [
        (Question::of("Agent", "subagent_type", "x"), "model", "opus"),
        (Question::of("Agent", "subagent_type", "Explore"), "model", "haiku"),
        (Question::bare("mcp__s__t"), "x", "12"),
        (Question::bare("mcp__s__t"), "x", "2"),
        (Question::bash("x"), "run_in_background", "true"),
    ] {
        let mut question = question;
        question.input.0.insert(field.to_owned(), InputValue::Scalar(value.to_owned()));
        question.text.extend([" ", field, "=", value]);
        out.push(question);
    }
    out
}
