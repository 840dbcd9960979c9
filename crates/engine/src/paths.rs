//! Paths against rules and working directories.

use portcullis_facts::{Access, AccessFact, Accessor, Answers, Found, Place, Real, glob_directory};
use portcullis_model::{AbsPath, Certainty, RuleClass, TextPiece, TextSet};
use portcullis_policy::{FileTool, Policy, PolicyRule, Rules};
use portcullis_rules::tables::protected::protected_part;
use portcullis_rules::{Match, PathMatcher, PathPart, PathSet, fold_name, path_parts};
use std::borrow::Cow;

/// The tool whose path rules speak about an access.
pub(crate) fn rule_tools(access: Access) -> &'static [FileTool] {
    match access {
        Access::Read => &[FileTool::Read],
        // A Read deny also forbids writing: an edit shows what it replaces.
        Access::Write | Access::Remove => &[FileTool::Edit, FileTool::Read],
    }
}

/// What the paths of an access may be, every one that must be covered or may be forbidden.
#[derive(Debug)]
pub(crate) enum Spelling<'a> {
    Path(&'a AbsPath),
    Glob(&'a str),
    Texts(&'a TextSet),
}

/// Every spelling of the places an access may touch.
fn spellings<'a>(place: &'a Place, answers: &'a Answers) -> Vec<Spelling<'a>> {
    let mut out = Vec::new();
    let push = |out: &mut Vec<Spelling<'a>>, path: &'a AbsPath| {
        let mut held = Vec::new();
        push_spellings(&mut held, path, answers);
        out.extend(held.into_iter().map(Spelling::Path));
    };
    match place {
        Place::Known(paths) => paths.iter().for_each(|path| push(&mut out, path)),
        Place::Glob(globs) => {
            for glob in globs {
                out.push(Spelling::Glob(glob));
                for path in answers.globs.get(glob).into_iter().flatten() {
                    push(&mut out, path);
                }
            }
        }
        Place::Unknown(texts) => out.push(Spelling::Texts(texts)),
        Place::Free => {}
    }
    out
}

fn literal_start(glob: &str) -> (String, &str) {
    let mut literal = String::new();
    let mut chars = glob.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '\\' => literal.extend(chars.next().map(|(_, c)| c)),
            '*' | '?' | '[' => return (literal, glob.get(index..).unwrap_or("")),
            '(' | '@' | '+' | '!' if glob.get(index..).is_some_and(|rest| rest.contains('(')) => {
                return (literal, glob.get(index..).unwrap_or(""));
            }
            c => literal.push(c),
        }
    }
    (literal, "")
}

/// How a deny or ask rule for paths matches an access. Either spelling counts, case does not.
pub(crate) fn restricts(rule: &PolicyRule, access: &AccessFact, answers: &Answers) -> Match {
    let Some(matcher) = &rule.paths else { return Match::No };
    if access.found.is_some() {
        return below(rule, access, answers);
    }
    let mut best = Match::No;
    let mut resolved_glob = false;
    if let Place::Glob(globs) = &access.place {
        resolved_glob = !answers.blind && globs.iter().all(|glob| answers.globs.contains_key(glob));
        if globs
            .iter()
            .filter_map(|glob| unmatched(glob, answers))
            .any(|path| matcher.matches_folded(&path))
        {
            return Match::Certain;
        }
    }
    if led_elsewhere(access, answers) {
        best = matcher.possible(&anywhere_behind(&access.text));
    }
    for spelling in spellings(&access.place, answers) {
        let found = match spelling {
            Spelling::Path(path) if matcher.matches_folded(path) => Match::Certain,
            Spelling::Path(_) => Match::No,
            Spelling::Glob(glob) => match matcher.possible_glob(glob) {
                // What the glob really matches was looked up and is judged path by path.
                Match::Possible if resolved_glob => Match::No,
                found @ (Match::No | Match::Possible | Match::Certain) => found,
            },
            Spelling::Texts(texts) => matcher.possible(texts),
        };
        best = best.max(found);
    }
    if best == Match::No && access.recursive {
        best = below(rule, access, answers);
    }
    best
}

/// What bash hands on where a glob matches nothing: its own text.
fn unmatched(glob: &str, answers: &Answers) -> Option<AbsPath> {
    let (literal, rest) = literal_start(glob);
    let nothing = answers.globs.get(glob).is_some_and(Vec::is_empty);
    nothing.then(|| AbsPath::parse(&format!("{literal}{}", rest.replace('\\', ""))).ok()).flatten()
}

/// Whether a `..` of the path climbs out of where a link leads, and so to another place than the text says. A
/// missing answer counts as a link.
pub(crate) fn led_elsewhere(access: &AccessFact, answers: &Answers) -> bool {
    access.climbed.iter().any(|left| {
        let real = |path: &AbsPath| answers.real.get(path).map(|real| real.path.clone());
        let above = left.parent().and_then(|parent| real(&parent));
        above.is_none() || real(left).and_then(|path| path.parent()) != above
    })
}

/// Any path that ends as a text does behind its last `..`.
fn anywhere_behind(text: &str) -> TextSet {
    let behind = text.rsplit_once("..").map_or("", |(_, behind)| behind);
    let plain = !behind.contains(['*', '?', '[', '(', '…']);
    let mut set = TextSet::default();
    set.push(TextPiece::Literal(String::new()));
    set.push(TextPiece::Anything);
    set.push(TextPiece::Literal(if plain { behind.to_owned() } else { String::new() }));
    set
}

/// A directory that is read with all it holds: does the rule forbid something below?
fn below(rule: &PolicyRule, access: &AccessFact, answers: &Answers) -> Match {
    let Some(matcher) = &rule.paths else { return Match::No };
    let directories = match &access.place {
        Place::Known(paths) => paths.clone(),
        Place::Glob(globs) => globs
            .iter()
            .flat_map(|glob| match answers.globs.get(glob) {
                Some(paths) => paths.clone(),
                None => glob_directory(glob).into_iter().collect(),
            })
            .collect(),
        Place::Unknown(_) | Place::Free => return Match::No,
    };
    let mut best = Match::No;
    if let Some(found) = &access.found {
        return among(matcher, found, &directories, answers);
    }
    for directory in &directories {
        let found = match answers.below.get(directory).filter(|_| !answers.blind) {
            // Whether the program really comes to it is not known: it may skip or filter.
            Some(paths)
                if paths.iter().any(|path| {
                    let hidden = access.visible_only
                        && path
                            .below(directory)
                            .is_some_and(|rest| rest.split('/').any(|name| name.starts_with('.')));
                    !hidden && matcher.matches_folded(path)
                }) =>
            {
                Match::Possible
            }
            Some(_) => Match::No,
            None if matcher.may_match_below(directory) => Match::Possible,
            None => Match::No,
        };
        best = best.max(found);
    }
    best
}

/// What a search may hand on: does the rule forbid some of it, by its name or where it leads?
///
/// What lies in a directory that it hands on counts too: many programs go into what they are given.
fn among(matcher: &PathMatcher, found: &Found, starts: &[AbsPath], answers: &Answers) -> Match {
    let globs: Vec<Vec<PathPart>> = found.names.iter().map(|name| parts_of(name)).collect();
    let picked = |name: &str| {
        globs.is_empty()
            || globs.iter().any(|parts| match parts.as_slice() {
                [PathPart::Name(literal)] => fold_name(literal) == fold_name(name),
                [PathPart::Glob(glob)] => glob.matches(name, true),
                // What is no glob of one name here may be one there.
                _ => true,
            })
    };
    let forbidden = |path: &AbsPath| {
        let mut spelled = Vec::new();
        push_spellings(&mut spelled, path, answers);
        spelled.into_iter().any(|path| matcher.matches_folded(path))
    };
    let is_any = |path: &AbsPath| {
        let text = path.as_str();
        found.is_cut && text.contains(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '\\'))
    };
    let counts = |path: &AbsPath| is_any(path) || forbidden(path);
    let possible = starts.iter().any(|start| {
        if answers.blind {
            return matcher.may_match_below(start);
        }
        let Some(paths) = answers.below.get(start) else { return true };
        let base = answers.real.get(start).map_or(start, |real| &real.path);
        let is_among = |path: &AbsPath| {
            path.below(base).is_none_or(|rest| rest.split('/').any(picked)) && counts(path)
        };
        // Where the start itself is handed on, so is all of it.
        let whole = start.name().is_none_or(picked);
        (whole && counts(start)) || paths.iter().any(|path| whole && counts(path) || is_among(path))
    });
    if possible { Match::Possible } else { Match::No }
}

/// A glob of `find` as the matcher of paths reads it; nothing where the two may differ.
fn parts_of(name: &str) -> Vec<PathPart> {
    if name.contains(|c: char| c.is_whitespace() || c == '\\') {
        return Vec::new();
    }
    path_parts(name).unwrap_or_default()
}

/// Whether an allow rule for paths covers an access: every path, both as written and as resolved.
pub(crate) fn grants(rule: &PolicyRule, access: &AccessFact, answers: &Answers) -> bool {
    let Some(matcher) = &rule.paths else { return false };
    let Place::Known(paths) = &access.place else { return false };
    !paths.is_empty()
        && !led_elsewhere(access, answers)
        && paths.iter().all(|path| {
            answers
                .real
                .get(path)
                .is_some_and(|real| matcher.matches(path) && matcher.matches(&real.path))
        })
}

/// The rules of one list that speak about an access by path, with how they match.
pub(crate) fn path_rules<'p>(
    rules: &'p Rules,
    class: RuleClass,
    access: &AccessFact,
    tool: &str,
    answers: &Answers,
) -> Vec<(&'p PolicyRule, Certainty)> {
    let mut out: Vec<(&PolicyRule, Certainty)> = Vec::new();
    // NotebookEdit is not covered by a Read deny.
    let tools: &[FileTool] = match (class, access.access) {
        // Edit grants Read to the tools that read; what a shell command reads needs a Read rule.
        (RuleClass::Allow, Access::Read) if access.by == Accessor::Tool => {
            &[FileTool::Read, FileTool::Edit]
        }
        (RuleClass::Allow, Access::Read) => &[FileTool::Read],
        (RuleClass::Allow | RuleClass::Ask, Access::Write | Access::Remove) => &[FileTool::Edit],
        (RuleClass::Deny, Access::Write | Access::Remove) if tool == "NotebookEdit" => {
            &[FileTool::Edit]
        }
        (RuleClass::Deny | RuleClass::Ask, kind) => rule_tools(kind),
    };
    for (position, tool) in tools.iter().enumerate() {
        for index in candidates(rules.paths_of(*tool), class, access, answers).iter() {
            let Some(rule) = rules.list.get(*index) else { continue };
            let found = match class {
                RuleClass::Allow if grants(rule, access, answers) => Match::Certain,
                RuleClass::Allow => Match::No,
                RuleClass::Ask | RuleClass::Deny => restricts(rule, access, answers),
            };
            let certainty = match found {
                Match::No => continue,
                Match::Possible => Certainty::Possible,
                Match::Certain => Certainty::Certain,
            };
            // A rule for `*` means both tools.
            let known = position > 0 && out.iter().any(|(known, _)| std::ptr::eq(*known, rule));
            if !known {
                out.push((rule, certainty));
            }
        }
    }
    out
}

/// The places of the rules that may say something about an access: all that do, and maybe more.
fn candidates<'s>(
    set: &'s PathSet,
    class: RuleClass,
    access: &AccessFact,
    answers: &Answers,
) -> Cow<'s, [usize]> {
    let every = Cow::Borrowed(set.all());
    if class != RuleClass::Allow && led_elsewhere(access, answers) {
        return every;
    }
    match (&access.place, class) {
        // An allow rule has to cover each of the paths.
        (Place::Known(paths), RuleClass::Allow) => {
            paths.first().map_or(Cow::Borrowed(&[]), |path| set.at(path))
        }
        (Place::Glob(_) | Place::Unknown(_), RuleClass::Allow) | (Place::Free, _) => {
            Cow::Borrowed(&[])
        }
        (Place::Unknown(_), RuleClass::Ask | RuleClass::Deny) => every,
        (Place::Known(paths), RuleClass::Ask | RuleClass::Deny) => {
            let mut held: Vec<&AbsPath> = Vec::new();
            // The words of a search may be cut, and its links lead elsewhere.
            if access.found.is_some() {
                return every;
            }
            for path in paths {
                push_spellings(&mut held, path, answers);
                if access.recursive {
                    match answers.below.get(path) {
                        Some(below) => held.extend(below),
                        None => return every,
                    }
                }
            }
            set.at_any(held)
        }
        (Place::Glob(globs), RuleClass::Ask | RuleClass::Deny) => {
            let [glob] = globs.as_slice() else { return every };
            let mut held: Vec<&AbsPath> = Vec::new();
            let Some(paths) = answers.globs.get(glob) else { return every };
            for path in paths {
                push_spellings(&mut held, path, answers);
                if access.recursive {
                    match answers.below.get(path) {
                        Some(below) => held.extend(below),
                        None => return every,
                    }
                }
            }
            let (by_text, by_match) = (set.at_glob(glob), set.at_any(held));
            let mut both = [&*by_text, &*by_match].concat();
            both.sort_unstable();
            both.dedup();
            Cow::Owned(both)
        }
    }
}

/// A path and every other one it leads to or through.
fn push_spellings<'a>(out: &mut Vec<&'a AbsPath>, path: &'a AbsPath, answers: &'a Answers) {
    out.push(path);
    if let Some(Real { path: real, hops }) = answers.real.get(path) {
        if real != path {
            out.push(real);
        }
        out.extend(hops.iter().filter(|hop| *hop != path && *hop != real));
    }
}

/// The directories a session works in, as written and resolved.
pub(crate) struct WorkingDirectories {
    all: Vec<AbsPath>,
    /// Without the project itself, as written.
    pub(crate) additional: Vec<AbsPath>,
}

impl WorkingDirectories {
    pub(crate) fn new(policy: &Policy, facts: &portcullis_facts::Facts, answers: &Answers) -> Self {
        let additional: Vec<AbsPath> = facts
            .call
            .additional_directories
            .iter()
            .cloned()
            .chain(policy.directories.iter().map(|directory| directory.path.clone()))
            .collect();
        let mut all = Vec::new();
        for directory in std::iter::once(&facts.call.project_root).chain(&additional) {
            all.push(directory.clone());
            if let Some(real) = answers.real.get(directory)
                && real.path != *directory
            {
                all.push(real.path.clone());
            }
        }
        Self { all, additional }
    }

    fn holds(&self, path: &AbsPath) -> bool {
        self.all.iter().any(|directory| path.is_within(directory))
    }

    /// Whether everything an access may touch lies inside, as written and as resolved. A missing
    /// answer counts as outside.
    pub(crate) fn hold(&self, access: &AccessFact, answers: &Answers) -> bool {
        if led_elsewhere(access, answers) {
            return false;
        }
        let inside = |path: &AbsPath| {
            self.holds(path) && answers.real.get(path).is_some_and(|real| self.holds(&real.path))
        };
        match &access.place {
            Place::Known(paths) => !paths.is_empty() && paths.iter().all(inside),
            Place::Glob(globs) => globs.iter().all(|glob| {
                let (literal, _) = literal_start(glob);
                let directory = literal.rsplit_once('/').map_or("/", |(directory, _)| directory);
                let Ok(directory) = AbsPath::parse(&format!("{directory}/")) else { return false };
                // A `*` matches no `..`, so what it matches stays below.
                let climbs = glob.contains("..");
                // The directory it starts in may be a link that leads out.
                let starts_inside = glob_directory(glob).is_some_and(|start| inside(&start));
                !climbs
                    && self.holds(&directory)
                    && starts_inside
                    && answers.globs.get(glob).is_some_and(|paths| paths.iter().all(inside))
            }),
            Place::Unknown(_) => false,
            Place::Free => true,
        }
    }

    /// Written inside, but a symlink leads out.
    pub(crate) fn led_out(&self, place: &Place, answers: &Answers) -> bool {
        match place {
            Place::Known(paths) => paths.iter().any(|path| {
                self.holds(path)
                    && answers.real.get(path).is_some_and(|real| !self.holds(&real.path))
            }),
            Place::Glob(_) | Place::Unknown(_) | Place::Free => false,
        }
    }
}

/// The protected part of any spelling of what an access may touch.
pub(crate) fn protected(access: &AccessFact, answers: &Answers) -> Option<&'static str> {
    spellings(&access.place, answers).iter().find_map(|spelling| match spelling {
        Spelling::Path(path) => protected_part(path),
        // Literal names stay what they are, whatever the rest matches.
        Spelling::Glob(glob) => {
            AbsPath::parse(&glob.replace('\\', "")).ok().and_then(|path| protected_part(&path))
        }
        Spelling::Texts(texts) => known_end(texts)
            .and_then(|path| protected_part(&path))
            .or_else(|| known_start(&access.text).and_then(|path| protected_part(&path))),
    })
}

/// The directory that a path with an unknown rest is written to start with: `.git/"$x"`.
fn known_start(text: &str) -> Option<AbsPath> {
    let (directory, _) = text.split_once('…')?.0.rsplit_once('/')?;
    AbsPath::parse(&format!("/{directory}/")).ok()
}

/// The names that every text of a set ends in, below wherever.
fn known_end(texts: &TextSet) -> Option<AbsPath> {
    let TextPiece::Literal(end) = texts.pieces().last()? else { return None };
    AbsPath::parse(end.get(end.find('/')?..)?).ok()
}
