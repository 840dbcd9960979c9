//! Calls, rules and layers made from choices: what properties are tried on.

use crate::choices::Choices;
use crate::world::{HOME, PROJECT};
use serde_json::{Map, Value, json};

/// Rules of one layer, by class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// `permissions.allow`
    pub allow: Vec<String>,
    /// `permissions.ask`
    pub ask: Vec<String>,
    /// `permissions.deny`
    pub deny: Vec<String>,
}

impl Rules {
    /// The settings that hold them.
    pub fn settings(&self) -> Value {
        let Self { allow, ask, deny } = self;
        json!({ "permissions": { "allow": allow, "ask": ask, "deny": deny } })
    }
}

/// Rules of every class, most of them well-formed.
pub fn rules(choices: &mut Choices<'_>) -> Rules {
    let mut class = |most: usize| (0..choices.below(most + 1)).map(|_| rule(choices)).collect();
    Rules { allow: class(4), ask: class(2), deny: class(2) }
}

/// A rule: one that is likely to matter, or one put together from pieces.
pub fn rule(choices: &mut Choices<'_>) -> String {
    if choices.one_in(5) {
        let mut text = String::new();
        for _ in 0..=choices.below(3) {
            text.push_str(choices.text(PATTERN_PIECES));
        }
        return format!("Bash({text})");
    }
    choices.text(RULES).to_owned()
}

/// An allow rule that says nothing about wrappers, and does not start with a wildcard that a
/// wrapper in front could satisfy.
pub fn allow_of_plain_commands(choices: &mut Choices<'_>) -> String {
    choices.text(PLAIN_ALLOWS).to_owned()
}

/// A layer of any scope with these settings.
pub fn layer(choices: &mut Choices<'_>, settings: &Value) -> Value {
    let scope = choices.text(&["cli", "user", "project", "local", "managed"]);
    json!({ "scope": scope, "settings": settings })
}

/// A call of any tool in any mode, without layers.
pub fn call(choices: &mut Choices<'_>) -> Value {
    let (tool, input) = match choices.below(8) {
        0..4 => ("Bash", json!({ "command": script(choices) })),
        4 => ("Read", json!({ "file_path": choices.text(PATHS) })),
        5 => {
            let path = choices.text(PATHS);
            ("Edit", json!({ "file_path": path, "old_string": "a", "new_string": "b" }))
        }
        6 => ("WebFetch", json!({ "url": choices.text(URLS), "prompt": "x" })),
        _ => match choices.below(4) {
            0 => ("mcp__s__t", json!({ "a": "1" })),
            1 => ("Agent", json!({ "subagent_type": "x", "model": "opus" })),
            2 => ("WebSearch", json!({ "query": "x" })),
            _ => ("Write", json!({ "file_path": choices.text(PATHS), "content": "x" })),
        },
    };
    in_world(choices, tool, &input)
}

/// A Bash call of this command, in any mode, without layers.
pub fn bash_call(choices: &mut Choices<'_>, command: &str) -> Value {
    in_world(choices, "Bash", &json!({ "command": command }))
}

fn in_world(choices: &mut Choices<'_>, tool: &str, input: &Value) -> Value {
    let mode = choices.text(MODES);
    json!({
        "tool_name": tool,
        "tool_input": input,
        "cwd": PROJECT,
        "project_root": PROJECT,
        "home": HOME,
        "permission_mode": mode,
        "fs": {
            "dirs": [PROJECT, HOME, "/r/project/src", "/r/project/.git"],
            "files": ["/r/project/src/a.rs", "/r/project/.env", "/r/home/.ssh/id_rsa"],
            "symlinks": { "/r/project/link": "../home", "/r/project/key": "/r/home/.ssh/id_rsa" },
        },
    })
}

/// The same call with these layers.
pub fn with_layers(call: &Value, layers: &[Value]) -> Value {
    with_field(call, "layers", layers.to_vec().into())
}

/// The same call with another command.
pub fn with_command(call: &Value, command: &str) -> Value {
    with_field(call, "tool_input", json!({ "command": command }))
}

/// The same call with a field set.
pub fn with_field(call: &Value, name: &str, value: Value) -> Value {
    let mut fields: Map<String, Value> = call.as_object().cloned().unwrap_or_default();
    fields.insert(name.to_owned(), value);
    Value::Object(fields)
}

/// One to three commands, joined.
pub fn script(choices: &mut Choices<'_>) -> String {
    let mut text = String::new();
    for index in 0..=choices.below(3) {
        if index > 0 {
            text.push_str(choices.text(&["; ", " && ", " || ", " | ", " & ", "\n"]));
        }
        let command = match choices.below(4) {
            0 => choices.text(COMMANDS).to_owned(),
            1 => {
                let words = argv(choices);
                spell(choices, &words)
            }
            2 => format!("{}{}", choices.text(WRAPPERS), choices.text(COMMANDS)),
            _ => choices.text(ODD_COMMANDS).to_owned(),
        };
        text.push_str(&command);
    }
    text
}

/// The words of one command.
pub fn argv(choices: &mut Choices<'_>) -> Vec<String> {
    let mut words = vec![choices.text(PROGRAMS).to_owned()];
    words.extend(choices.some(WORDS, 4).into_iter().map(str::to_owned));
    words
}

/// Writes words so that bash reads them back, in one of many ways.
pub fn spell(choices: &mut Choices<'_>, argv: &[String]) -> String {
    let mut text = String::new();
    for (index, word) in argv.iter().enumerate() {
        if index > 0 {
            text.push_str(choices.text(&[" ", " ", "  ", "\t", " \\\n", "\\\n "]));
        }
        text.push_str(&spell_word(choices, word));
    }
    text
}

fn spell_word(choices: &mut Choices<'_>, word: &str) -> String {
    let plain = !word.is_empty()
        && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=,%+@".contains(c));
    match choices.below(6) {
        0 => format!("'{}'", word.replace('\'', "'\\''")),
        1 => {
            let mut escaped = String::new();
            for c in word.chars() {
                if "\\\"$`".contains(c) {
                    escaped.push('\\');
                }
                escaped.push(c);
            }
            format!("\"{escaped}\"")
        }
        2 => {
            let escape = |c: char| match c {
                '\'' | '\\' => format!("\\{c}"),
                c if c.is_ascii_lowercase() => format!("\\x{:02x}", u32::from(c)),
                c => c.to_string(),
            };
            format!("$'{}'", word.chars().map(escape).collect::<String>())
        }
        3 if !word.is_empty() => word
            .chars()
            .map(|c| if c == '\n' { "'\n'".to_owned() } else { format!("\\{c}") })
            .collect(),
        4 if plain => {
            // Quotes around a part of it.
            let at = choices.below(word.len());
            let (head, tail) = word.split_at(at);
            format!("{head}'{tail}'")
        }
        _ if plain => word.to_owned(),
        _ => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// Wrappers that change neither what is run nor with which words, nor on which machine.
pub const WRAPPERS: &[&str] = &[
    "timeout 5 ",
    "timeout -k 1 5 ",
    "nice ",
    "nice -n 5 ",
    "nohup ",
    "stdbuf -o0 ",
    "time ",
    "command ",
    "env ",
    "env A=1 ",
    "sudo ",
    "sudo -u root ",
    "doas ",
    "setsid ",
    "ionice -c 3 ",
    "taskset 1 ",
    "exec ",
    "strace -f ",
    "chroot / ",
    "systemd-run ",
    "unbuffer ",
    "fakeroot ",
    "npx ",
    "uv run ",
    "timeout 5 nice env A=1 sudo ",
];

/// Assignments in front of a command.
pub const PREFIXES: &[&str] = &[
    "A=1 ",
    "NODE_ENV=test ",
    "CI=1 LANG=C ",
    "PATH=/tmp ",
    "LD_PRELOAD=./x.so ",
    "A='b c' ",
    "A= ",
    "GIT_PAGER=less ",
    "RUST_LOG=$x ",
    "A+=1 ",
    "A=$(one) ",
];

const MODES: &[&str] = &[
    "default",
    "default",
    "default",
    "acceptEdits",
    "plan",
    "auto",
    "dontAsk",
    "bypassPermissions",
];

const RULES: &[&str] = &[
    "Bash",
    "Bash(*)",
    "Bash(npm *)",
    "Bash(npm run *)",
    "Bash(npm run build)",
    "Bash(npm:*)",
    "Bash(git push *)",
    "Bash(git *)",
    "Bash(rm *)",
    "Bash(curl *)",
    "Bash(* --force)",
    "Bash(cat *)",
    "Bash(ls*)",
    "Bash(sudo *)",
    "Bash(timeout *)",
    "Bash(echo *)",
    "Bash(make)",
    "Bash(cp *)",
    "Bash(sed *)",
    "Bash(find *)",
    "Bash(npm run build && make)",
    "Bash(run_in_background:true)",
    "Read",
    "Read(.env)",
    "Read(src/**)",
    "Read(~/.ssh/**)",
    "Read(//r/**)",
    "Read(/src/*)",
    "Read(*.rs)",
    "Edit",
    "Edit(src/**)",
    "Edit(//etc/**)",
    "Edit(.git/**)",
    "Edit(/**)",
    "Write",
    "Write(src/**)",
    "WebFetch",
    "WebFetch(domain:example.com)",
    "WebFetch(domain:*.example.com)",
    "WebFetch(domain:*)",
    "mcp__s",
    "mcp__s__*",
    "mcp__s__t",
    "mcp__*",
    "Agent(x)",
    "Agent(model:opus)",
    "WebSearch",
    "Cd(/r/**)",
    "*",
    "B*",
    "Bash(",
    "Bash()",
    "bash",
    "Bash(:*)",
    "Read()",
    "Read(!x)",
    "",
    "Bash(npm *) x",
];

const PLAIN_ALLOWS: &[&str] = &[
    "Bash",
    "Bash(npm *)",
    "Bash(npm run *)",
    "Bash(npm run build)",
    "Bash(git push *)",
    "Bash(git:*)",
    "Bash(rm *)",
    "Bash(make)",
    "Bash(cat *)",
    "Bash(cp *)",
    "Read",
    "Edit",
    "Edit(src/**)",
    "Read(//r/**)",
];

const PATTERN_PIECES: &[&str] = &[
    "npm", "git", "rm", " ", "*", " *", ":*", "run", "build", "\\*", "-f", "x", "\\(", "/", "é",
    "  ", "?",
];

const PROGRAMS: &[&str] = &[
    "npm", "git", "rm", "curl", "make", "cat", "ls", "echo", "cp", "sed", "find", "rmdir", "./curl",
];

const WORDS: &[&str] = &[
    "run",
    "build",
    "push",
    "--force",
    "-f",
    "src/a.rs",
    ".env",
    "x",
    "a b",
    "",
    "$x",
    "*",
    "'",
    "\"",
    "\\",
    "#",
    "~/.ssh/id_rsa",
    "/",
    "/etc/passwd",
    ";",
    "&&",
    "é",
    "-n",
    "p",
    "a\nb",
    "{a,b}",
    "--",
    "../up",
];

const COMMANDS: &[&str] = &[
    "npm run build",
    "npm test",
    "git push origin main",
    "git status",
    "git -C src push",
    "rm -rf src",
    "rm -rf /",
    "curl http://example.com",
    "make",
    "make all",
    "cat .env",
    "cat src/a.rs",
    "ls",
    "ls -la src",
    "echo hi",
    "cp src/a.rs /etc/x",
    "sed -n 1p src/a.rs",
    "sed -i s/a/b/ src/a.rs",
    "find . -delete",
    "find . -name x",
    "touch src/new",
    "cd src",
    "cd /etc",
    "echo a > src/out",
    "cat < .env",
    "true",
];

const ODD_COMMANDS: &[&str] = &[
    "$x",
    "npm run \"$x\"",
    "npm $x build",
    "rm $(cat list)",
    "echo `curl x`",
    "eval 'rm -rf src'",
    "bash -c 'curl x'",
    "sh -c \"$x\"",
    "f() { curl x; }; f",
    "for i in 1; do rm $i; done",
    "curl x &",
    "cat <<E\n$(curl x)\nE",
    "cat <<'E'\ncurl x\nE",
    "echo \"unterminated",
    "((x))",
    "echo ${x:-$(curl x)}",
    "xargs curl < list",
    "find . -exec rm {} ;",
    "python3 -c 'print(1)'",
    "x=curl; $x y",
    "",
    "# nothing",
    "cat *.rs",
    "git push \\\n--force",
    "npm run build && make",
    "> src/out",
    "echo a > $x",
    "if x; then y",
];

const PATHS: &[&str] = &[
    "/r/project/src/a.rs",
    "/r/project/.env",
    "/r/project/.git/config",
    "/r/project/link/.ssh/id_rsa",
    "/r/project/key",
    "/etc/passwd",
    "/r/home/.ssh/id_rsa",
    "/r/project/src/../.env",
    "src/a.rs",
    "/r/project/SRC/A.RS",
    "/r/project/new.rs",
    "~/.ssh/id_rsa",
    "",
    "/",
];

const URLS: &[&str] = &[
    "https://example.com/x",
    "https://www.example.com/",
    "http://example.com.",
    "https://EXAMPLE.com",
    "https://example.com.evil.org/",
    "https://user@example.com/",
    "ftp://example.com",
    "x",
    "",
    "https://example.com\\@evil.org/",
    "https://docs.rs/x",
];
