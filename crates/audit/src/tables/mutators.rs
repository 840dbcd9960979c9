//! Other ways to write the same command. Each does what the original does when bash runs it.

/// A command as words.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// The whole command.
    pub text: &'a str,
    /// The program.
    pub program: &'a str,
    /// What follows it, without the blank.
    pub rest: &'a str,
}

impl<'a> Written<'a> {
    /// Cuts a command after its program.
    pub fn new(text: &'a str) -> Self {
        let (program, rest) = text.split_once(' ').unwrap_or((text, ""));
        Self { text, program, rest }
    }

    fn with(&self, program: &str) -> String {
        if self.rest.is_empty() { program.to_owned() } else { format!("{program} {}", self.rest) }
    }

    fn words(&self) -> Vec<&'a str> {
        self.rest.split(' ').filter(|word| !word.is_empty()).collect()
    }
}

/// One way.
#[derive(Clone, Copy, Debug)]
pub struct Mutator {
    /// Its name in reports.
    pub name: &'static str,
    /// The command written that way; nothing where the way does not apply.
    pub rewrite: fn(&Written<'_>) -> Vec<String>,
}

const fn way(name: &'static str, rewrite: fn(&Written<'_>) -> Vec<String>) -> Mutator {
    Mutator { name, rewrite }
}

/// Every way.
pub const MUTATORS: &[Mutator] = &[
    way("absolute path", |c| {
        plain(c).map(|p| c.with(&format!("/usr/bin/{p}"))).into_iter().collect()
    }),
    way("backslash", |c| plain(c).map(|p| c.with(&format!("\\{p}"))).into_iter().collect()),
    way("split by quotes", |c| {
        split(c).map(|(a, b)| c.with(&format!("{a}''{b}"))).into_iter().collect()
    }),
    way("in quotes", |c| plain(c).map(|p| c.with(&format!("\"{p}\""))).into_iter().collect()),
    way("ANSI-C quotes", |c| {
        let Some((a, b)) = split(c) else { return Vec::new() };
        let hex: Vec<String> = a.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
        let hex = hex.concat();
        vec![c.with(&format!("$'{hex}'{b}"))]
    }),
    way("line continuation", |c| {
        split(c).map(|(a, b)| c.with(&format!("{a}\\\n{b}"))).into_iter().collect()
    }),
    way("more blanks", |c| {
        if c.rest.is_empty() {
            vec![format!("  {}", c.text)]
        } else {
            vec![format!("{}  \t{}", c.program, c.rest)]
        }
    }),
    way("quoted argument", |c| {
        let words = c.words();
        let Some((last, before)) = words.split_last() else { return Vec::new() };
        let Some(first) = last.chars().next().filter(char::is_ascii_alphanumeric) else {
            return Vec::new();
        };
        let rest = last.get(1..).unwrap_or("");
        let mut all = vec![c.program.to_owned()];
        all.extend(before.iter().map(|word| (*word).to_owned()));
        all.push(format!("\"{first}\"{rest}"));
        vec![all.join(" ")]
    }),
    way("command", |c| vec![format!("command {}", c.text)]),
    way("exec", |c| vec![format!("exec {}", c.text)]),
    way("env", |c| vec![format!("env {}", c.text), format!("env -i A=1 {}", c.text)]),
    way("assignment before", |c| {
        vec![format!("A=1 {}", c.text), format!("PATH=/x:$PATH {}", c.text)]
    }),
    way("timeout", |c| {
        vec![format!("timeout 5 {}", c.text), format!("timeout -k 1 5s {}", c.text)]
    }),
    way("nohup, nice", |c| vec![format!("nohup {}", c.text), format!("nice -n 5 {}", c.text)]),
    way("setsid, stdbuf", |c| vec![format!("setsid {}", c.text), format!("stdbuf -o0 {}", c.text)]),
    way("sudo", |c| {
        vec![
            format!("sudo {}", c.text),
            format!("sudo -u root -- {}", c.text),
            format!("doas {}", c.text),
        ]
    }),
    way("busybox", |c| {
        if plain(c).is_some() { vec![format!("busybox {}", c.text)] } else { Vec::new() }
    }),
    way("xargs", |c| {
        vec![format!("echo x | xargs {}", c.text), format!("echo x | xargs -n1 {}", c.text)]
    }),
    way("find -exec", |c| {
        vec![
            format!("find . -name x -exec {} \\;", c.text),
            format!("find . -execdir {} {{}} +", c.text),
        ]
    }),
    way("sh -c", |c| {
        vec![format!("sh -c {}", single(c.text)), format!("bash -lc {}", single(c.text))]
    }),
    way("eval", |c| vec![format!("eval {}", c.text), format!("eval {}", single(c.text))]),
    way("here-document", |c| {
        vec![format!("bash <<'E'\n{}\nE", c.text), format!("sh <<< {}", single(c.text))]
    }),
    way("pipe to a shell", |c| {
        vec![
            format!("echo {} | sh", single(c.text)),
            format!("printf %s {} | bash", single(c.text)),
        ]
    }),
    way("after another", |c| {
        vec![
            format!("true && {}", c.text),
            format!("cd . ; {}", c.text),
            format!("false || {}", c.text),
            format!("true\n{}", c.text),
        ]
    }),
    way("in a pipe", |c| vec![format!("{} | cat", c.text), format!("yes | {}", c.text)]),
    way("in the background", |c| vec![format!("{} & wait", c.text)]),
    way("in a group", |c| vec![format!("( {} )", c.text), format!("{{ {}; }}", c.text)]),
    way("in a compound", |c| {
        vec![
            format!("if true; then {}; fi", c.text),
            format!("for i in 1; do {}; done", c.text),
            format!("while {}; do break; done", c.text),
            format!("case x in x) {} ;; esac", c.text),
        ]
    }),
    way("in a function", |c| vec![format!("f() {{ {}; }}; f", c.text)]),
    way("in a substitution", |c| {
        vec![
            format!("echo $({})", c.text),
            format!("echo \"`{}`\"", c.text),
            format!("cat <({})", c.text),
        ]
    }),
    way("in a parameter", |c| vec![format!("echo ${{x:-$({})}}", c.text)]),
    way("in a trap", |c| vec![format!("trap {} EXIT", single(c.text))]),
    way("coproc, time", |c| {
        vec![format!("coproc {}", c.text), format!("time -p {}", c.text), format!("! {}", c.text)]
    }),
    way("name in a variable", |c| {
        plain(c).map(|p| format!("c={p}; {}", c.with("$c"))).into_iter().collect()
    }),
    way("name from a command", |c| {
        plain(c).map(|p| c.with(&format!("$(echo {p})"))).into_iter().collect()
    }),
    way("brace expansion", |c| {
        let words = c.words();
        if plain(c).is_none()
            || words.is_empty()
            || words.iter().any(|word| word.contains([',', '{', '}']))
        {
            return Vec::new();
        }
        vec![format!("{{{},{}}}", c.program, words.join(","))]
    }),
    way("redirection inside", |c| {
        vec![format!("> /dev/null {}", c.text), format!("{} 2>&1", c.text)]
    }),
    way("flags apart", |c| {
        c.words()
            .iter()
            .enumerate()
            .find_map(|(at, word)| {
                let letters = word.strip_prefix('-').filter(|l| {
                    l.len() > 1
                        && l.chars().all(|c| c.is_ascii_alphabetic())
                        && SPLITS.contains(&c.program)
                })?;
                let apart: Vec<String> =
                    letters.chars().map(|letter| format!("-{letter}")).collect();
                Some(replaced(c, at, &apart.join(" ")))
            })
            .into_iter()
            .collect()
    }),
    way("flags turned", |c| {
        c.words()
            .iter()
            .enumerate()
            .find_map(|(at, word)| {
                let letters = word.strip_prefix('-').filter(|l| {
                    l.len() > 1
                        && l.chars().all(|c| c.is_ascii_alphabetic())
                        && SPLITS.contains(&c.program)
                })?;
                let turned: String = letters.chars().rev().collect();
                Some(replaced(c, at, &format!("-{turned}")))
            })
            .into_iter()
            .collect()
    }),
    way("long flags", |c| {
        c.words()
            .iter()
            .enumerate()
            .filter_map(|(at, word)| {
                let (_, _, other) = LONG
                    .iter()
                    .find(|(program, short, _)| *program == c.program && short == word)?;
                Some(replaced(c, at, other))
            })
            .collect()
    }),
    way("global options", |c| match c.program {
        "git" => vec![
            c.with("git -C ."),
            c.with("git -c a.b=c"),
            c.with("git --no-pager"),
            c.with("git --git-dir=.git"),
        ],
        "npm" => vec![c.with("npm --silent")],
        "docker" => vec![c.with("docker --log-level error")],
        "kubectl" => vec![c.with("kubectl -n x")],
        "gh" => Vec::new(),
        _ => Vec::new(),
    }),
    way("runner", |c| {
        if plain(c).is_some() {
            vec![format!("npx {}", c.text), format!("docker run x {}", c.text)]
        } else {
            Vec::new()
        }
    }),
    way("parallel, watch", |c| {
        vec![format!("parallel {} ::: x", c.text), format!("watch -n1 {}", c.text)]
    }),
    way("script, flock", |c| {
        vec![format!("script -qc {} /dev/null", single(c.text)), format!("flock /x {}", c.text)]
    }),
];

/// The program, where it is a plain name.
fn plain<'a>(c: &Written<'a>) -> Option<&'a str> {
    let name = c.program;
    let fits =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    fits.then_some(name)
}

/// The program cut behind its first character.
fn split<'a>(c: &Written<'a>) -> Option<(&'a str, &'a str)> {
    let name = plain(c).filter(|name| name.len() > 1)?;
    name.split_at_checked(1)
}

/// In single quotes.
fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn replaced(c: &Written<'_>, at: usize, by: &str) -> String {
    let words: Vec<&str> = c
        .words()
        .into_iter()
        .enumerate()
        .map(|(index, word)| if index == at { by } else { word })
        .collect();
    format!("{} {}", c.program, words.join(" "))
}

/// Programs whose one-letter flags may be written apart.
const SPLITS: &[&str] = &["rm", "chmod", "chown", "cp", "ls", "kill", "tar", "git"];

/// Short flags with their long names.
const LONG: &[(&str, &str, &str)] = &[
    ("rm", "-rf", "--recursive --force"),
    ("rm", "-r", "--recursive"),
    ("rm", "-f", "--force"),
    ("rm", "-fr", "--force --recursive"),
    ("chmod", "-R", "--recursive"),
    ("chown", "-R", "--recursive"),
    ("cp", "-r", "--recursive"),
    ("curl", "-o", "--output"),
    ("curl", "-X", "--request"),
    ("curl", "-d", "--data"),
    ("wget", "-O", "--output-document"),
];
