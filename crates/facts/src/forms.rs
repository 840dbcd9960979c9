//! The texts of a command that rules are matched against.

use crate::command::Shell;
use crate::tables::git_options::git_without_globals;
use crate::walk::Walker;
use crate::{Arg, CommandFact, Form, Origin};
use portcullis_model::{TextPiece, TextSet, quote_word};
use portcullis_shell::{Assign, AssignValue};

impl Walker<'_> {
    /// The texts of the whole command, nothing stripped but what is safe to strip.
    pub(crate) fn whole_forms(&self, fact: &mut CommandFact, argv: &[Arg], shell: &Shell<'_>) {
        let allows = self.origin == Origin::Written;
        let texts = Arg::canonical(argv);
        let (source, words_source) = match shell.source {
            Some((source, words)) => (Some(source.to_owned()), Some(words.to_owned())),
            None => (None, None),
        };
        if shell.assigns.is_empty() {
            // A source text that is the canonical text says nothing more.
            let source = words_source.filter(|text| texts.known() != Some(text));
            fact.forms.push(Form { texts, source, allows, whole: true, wrapped: false });
        } else {
            let mut full = TextSet::default();
            for assign in shell.assigns {
                push_assignment(&mut full, assign);
            }
            for piece in texts.pieces() {
                full.push(piece.clone());
            }
            fact.forms.push(Form { texts: full, source, allows, whole: true, wrapped: false });
            fact.forms.push(Form {
                texts,
                source: words_source,
                allows: allows && fact.safe_assignments,
                whole: false,
                wrapped: false,
            });
        }
        push_spellings(fact, argv);
        let bare = without_assignments(argv);
        if bare.len() < argv.len() && !bare.is_empty() {
            push_deny_forms(fact, bare);
        }
    }
}

/// The forms of a stripped command.
pub(crate) fn push_forms(fact: &mut CommandFact, argv: &[Arg], clean: bool) {
    let allows = fact.origin == Origin::Written && clean;
    fact.forms.push(Form {
        texts: Arg::canonical(argv),
        source: None,
        allows,
        whole: false,
        wrapped: false,
    });
    push_spellings(fact, argv);
}

pub(crate) fn push_deny_forms(fact: &mut CommandFact, argv: &[Arg]) {
    fact.forms.push(Form::restricting(Arg::canonical(argv)));
    push_spellings(fact, argv);
}

/// Other spellings that deny and ask rules match too: the program without its directory, git
/// without its global options.
fn push_spellings(fact: &mut CommandFact, argv: &[Arg]) {
    let Some((first, rest)) = argv.split_first() else { return };
    if let Some(name) = first.known()
        && name.contains('/')
        && !basename(name).is_empty()
    {
        let mut short = vec![Arg::Known(basename(name).to_owned())];
        short.extend(rest.iter().cloned());
        fact.forms.push(Form::restricting(Arg::canonical(&short)));
        if let Some(subcommand) = basename(name).strip_prefix("git-") {
            // Subcommands are programs of their own below git's own directory.
            let words = ["git", subcommand].map(|word| Arg::Known(word.to_owned()));
            let git: Vec<Arg> = words.into_iter().chain(rest.iter().cloned()).collect();
            fact.forms.push(Form::restricting(Arg::canonical(&git)));
        }
        if let Some(git) = git_without_globals(&short) {
            fact.forms.push(Form::restricting(Arg::canonical(&git.argv)));
        }
    } else if let Some(git) = git_without_globals(argv)
        && git.argv != argv
    {
        fact.forms.push(Form::restricting(Arg::canonical(&git.argv)));
    } else if let Arg::One { prefix, suffix } | Arg::Many { prefix, suffix } = first
        && (prefix.contains('/') || suffix.contains('/'))
    {
        // The directory of an unknown program is unknown, its name is what follows the last slash.
        let tail = suffix.rsplit_once('/').map(|(_, name)| name);
        let name = match tail {
            Some(name) if !name.is_empty() => Arg::Known(name.to_owned()),
            _ => Arg::One { prefix: String::new(), suffix: suffix.clone() },
        };
        let mut short = vec![name];
        short.extend(rest.iter().cloned());
        fact.forms.push(Form::restricting(Arg::canonical(&short)));
    }
}

fn push_assignment(set: &mut TextSet, assign: &Assign) {
    let operator = if assign.append { "+=" } else { "=" };
    set.push(TextPiece::Literal(assign.name.clone()));
    if assign.subscript.is_some() {
        set.push(TextPiece::Anything);
    }
    set.push(TextPiece::Literal(operator.to_owned()));
    match &assign.value {
        AssignValue::Scalar(word) => match word.known() {
            Some(text) if text.is_empty() => {}
            Some(text) => set.push(TextPiece::Literal(quote_word(&text))),
            None => set.push(TextPiece::InWord),
        },
        AssignValue::Array(_) => set.push(TextPiece::Anything),
    }
    set.push(TextPiece::Literal(" ".to_owned()));
}

pub(crate) fn without_assignments(argv: &[Arg]) -> &[Arg] {
    let mut rest = argv;
    while let Some((first, tail)) = rest.split_first() {
        let assigns = first.known().or(Some(first.prefix())).is_some_and(|text| {
            text.split_once('=').is_some_and(|(name, _)| {
                !name.is_empty()
                    && !name.starts_with(|c: char| c.is_ascii_digit())
                    && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            })
        });
        if !assigns {
            break;
        }
        rest = tail;
    }
    rest
}

/// The name of a program without its directory.
pub(crate) fn basename(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
