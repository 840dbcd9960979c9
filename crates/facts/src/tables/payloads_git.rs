//! The ways git runs other programs: settings given on the command line and a few subcommands.

use super::git_options::{GlobalSetting, read_globals, setting};
use super::payloads::GIT;
use crate::peel::finish;
use crate::{Arg, Inner, Peeled, Strength};
use portcullis_model::Reason;

/// Reads a git command; `None` when it runs nothing of its own.
pub(crate) fn peel_git(argv: &[Arg]) -> Option<Peeled> {
    let globals = read_globals(argv)?;
    let mut peeled = Peeled::new("git", Strength::DenyAsk);
    for row in GIT {
        let Some(reading) = row.grammar.read("git", &globals.rest) else { continue };
        if let Some(found) = finish(row, "git", reading) {
            peeled.inner.extend(found.inner);
            peeled.possible.extend(found.possible);
            for reason in found.obstacles {
                peeled.hinder(reason);
            }
        }
    }
    if let Some((_, words)) =
        globals.rest.split_first().filter(|(first, _)| first.known() == Some("for-each-repo"))
    {
        // Options of its own, then a git command for every repository.
        let words = words.iter().skip_while(|word| word.prefix().starts_with('-')).cloned();
        let git = [Arg::Known("git".to_owned())];
        peeled.inner.push(Inner::Argv(git.into_iter().chain(words).collect()));
    }
    for word in &globals.rest {
        if let Some((_, script)) = word.known().and_then(|text| text.split_once("ext::")) {
            peeled.inner.push(Inner::Script(Arg::Known(script.replace('%', ""))));
            peeled.hinder(Reason::ConfigExec);
        }
    }
    if globals.rest.first().and_then(Arg::known) == Some("config") {
        // What is set stays: a later command runs it.
        let words = globals.rest.iter().skip(1);
        let mut words = words.skip_while(|word| !is_key(word.prefix()));
        if let (Some(key), Some(value)) = (words.next(), words.next()) {
            let mut later = Peeled::new("git", Strength::DenyAsk);
            apply(key.prefix(), value, &[], &mut later);
            peeled.possible.extend(later.inner);
        }
    }
    for setting in globals.settings.into_iter().chain(settings_of_clone(&globals.rest)) {
        match setting {
            GlobalSetting::Unknown => peeled.hinder(Reason::ConfigExec),
            GlobalSetting::Pair { key, value } => {
                peeled.hinder(Reason::ConfigExec);
                apply(&key, &value, &globals.rest, &mut peeled);
            }
        }
    }
    let nothing = peeled.inner.is_empty() && peeled.possible.is_empty();
    (!nothing || !peeled.obstacles.is_empty()).then_some(peeled)
}

/// What `git clone -c key=value` sets in the new repository, in force while it is fetched.
fn settings_of_clone(words: &[Arg]) -> Vec<GlobalSetting> {
    let mut settings = Vec::new();
    let Some((Some("clone"), rest)) =
        words.split_first().map(|(first, rest)| (first.known(), rest))
    else {
        return settings;
    };
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        let lead = word.prefix();
        let (name, attached) = lead.split_once('=').map_or((lead, None), |(n, v)| (n, Some(v)));
        // git takes long names cut short, and short ones in one word.
        let long = name.len() > "--c".len() && "--config".starts_with(name);
        let flags = lead.strip_prefix('-').unwrap_or("").trim_start_matches(CLONE_FLAGS);
        let Some(value) = (if long { Some(attached) } else { flags.strip_prefix('c').map(Some) })
        else {
            continue;
        };
        let next = value.is_none_or(str::is_empty) && word.known().is_some();
        settings.extend(match (next, value) {
            (true, _) => rest.next().map(setting),
            (false, Some(value)) => Some(match word.known() {
                Some(_) => setting(&Arg::Known(value.to_owned())),
                None => GlobalSetting::Unknown,
            }),
            (false, None) => Some(GlobalSetting::Unknown),
        });
    }
    settings
}

/// The letters of git-clone(1) that take no value.
const CLONE_FLAGS: &[char] = &['l', 'n', 'q', 's', 'v', '4', '6'];

/// `section.name`, as in the arguments of `git config`.
fn is_key(word: &str) -> bool {
    !word.starts_with('-') && word.contains('.') && !word.starts_with(['/', '.'])
}

/// Adds what a setting makes git run.
fn apply(key: &str, value: &Arg, rest: &[Arg], peeled: &mut Peeled) {
    if let Some((_, script)) = key.split_once("ext::") {
        // `url.ext::command.insteadOf=x`: addresses that start with `x` run the command.
        let script = script.rsplit_once('.').map_or(script, |(script, _)| script);
        peeled.inner.push(Inner::Script(Arg::Known(script.replace('%', ""))));
    }
    if let Some((_, script)) = value.known().and_then(|text| text.split_once("ext::")) {
        peeled.inner.push(Inner::Script(Arg::Known(script.replace('%', ""))));
    }
    let key = key.to_ascii_lowercase();
    if let Some(alias) = key.strip_prefix("alias.") {
        let name = alias.strip_suffix(".command").unwrap_or(alias);
        let used = rest.first().and_then(Arg::known) == Some(name);
        let Some(text) = value.known() else {
            peeled.inner.push(Inner::Script(Arg::one()));
            return;
        };
        if let Some(script) = text.strip_prefix('!') {
            peeled.inner.push(Inner::Script(Arg::Known(script.to_owned())));
        } else if used {
            let mut inner = vec![Arg::Known("git".to_owned())];
            inner.extend(text.split_ascii_whitespace().map(|word| Arg::Known(word.to_owned())));
            inner.extend(rest.iter().skip(1).cloned());
            peeled.inner.push(Inner::Argv(inner));
        }
        return;
    }
    if key == "help.autocorrect" {
        // Any subcommand may be meant by another spelling.
        let words = [Arg::Known("git".to_owned()), Arg::one()].into_iter();
        peeled.possible.push(Inner::Argv(words.chain(rest.iter().skip(1).cloned()).collect()));
        return;
    }
    let runs = RUNNING_SETTINGS.iter().any(|(start, end)| {
        key.starts_with(start) && key.ends_with(end) && key.len() >= start.len() + end.len()
    });
    if !runs {
        return;
    }
    match value {
        Arg::Known(text) if matches!(text.as_str(), "" | "true" | "false" | "cat") => {}
        Arg::Known(text) => {
            let script = text.strip_prefix('!').unwrap_or(text);
            peeled.inner.push(Inner::Script(Arg::Known(script.to_owned())));
        }
        Arg::One { .. } | Arg::Glob(_) | Arg::Many { .. } => {
            peeled.inner.push(Inner::Script(Arg::one()));
        }
    }
}

/// Settings whose value git runs: how the key starts and ends, in lower case (git-config(1)).
const RUNNING_SETTINGS: &[(&str, &str)] = &[
    ("browser.", ".cmd"),
    ("browser.", ".path"),
    ("core.alternaterefscommand", ""),
    ("core.askpass", ""),
    ("core.editor", ""),
    ("core.fsmonitor", ""),
    ("core.gitproxy", ""),
    ("core.pager", ""),
    ("core.sshcommand", ""),
    ("credential.", "helper"),
    ("diff.", ".command"),
    ("diff.", ".textconv"),
    ("diff.external", ""),
    ("difftool.", ".cmd"),
    ("difftool.", ".path"),
    ("filter.", ".clean"),
    ("filter.", ".process"),
    ("filter.", ".smudge"),
    ("gpg.", "program"),
    ("gpg.ssh.defaultkeycommand", ""),
    ("guitool.", ".cmd"),
    ("hook.", ".command"),
    ("imap.tunnel", ""),
    ("interactive.difffilter", ""),
    ("man.", ".cmd"),
    ("man.", ".path"),
    ("merge.", ".driver"),
    ("mergetool.", ".cmd"),
    ("mergetool.", ".path"),
    ("pack.packobjectshook", ""),
    ("pager.", ""),
    ("remote.", ".receivepack"),
    ("remote.", ".uploadpack"),
    ("remote.", ".vcs"),
    ("sendemail.", "cmd"),
    ("sequence.editor", ""),
    ("submodule.", ".update"),
    ("tar.", ".command"),
    ("trailer.", ".cmd"),
    ("trailer.", ".command"),
    ("uploadpack.packobjectshook", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_stand_in_order_and_lower_case() {
        assert!(RUNNING_SETTINGS.is_sorted_by(|a, b| a < b));
        for (start, end) in RUNNING_SETTINGS {
            assert!(!format!("{start}{end}").contains(|c: char| c.is_ascii_uppercase()), "{start}");
        }
    }
}
