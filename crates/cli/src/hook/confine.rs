//! A Bash call put inside the sandbox: what runs instead of the command as it was sent.

use crate::args::{HookArgs, PolicyArgs};
use crate::failure::Failure;
use crate::run::{available, program_path, weakest_of};
use portcullis_host::claude_code::with_command;
use portcullis_model::ToolCall;
use portcullis_policy::Policy;
use portcullis_sandbox::probe;
use serde_json::Value;

/// Where a call runs that the verdict has inside the sandbox.
pub(super) enum Confinement {
    /// Inside.
    Here,
    /// Outside, because there is no sandbox here and the settings let it pass; the text says why.
    Outside(String),
    /// Nowhere: `failIfUnavailable` is on.
    Refused(Failure),
}

/// Whether a sandbox as strong as the settings ask for can be built here.
pub(super) fn confinement(policy: &Policy) -> Confinement {
    let capabilities = probe();
    if available(&capabilities, weakest_of(policy)).is_some() {
        return Confinement::Here;
    }
    let obstacle = capabilities.backends.iter().find_map(|(_, obstacle)| obstacle.clone());
    let obstacle = obstacle.unwrap_or_else(|| "nothing it needs is there".to_owned());
    let why = format!("the sandbox cannot be built here: {obstacle}");
    if *policy.sandbox.fail_if_unavailable {
        let hint = "`sandbox.failIfUnavailable` keeps commands from running without it";
        return Confinement::Refused(Failure::input(why).hint(hint));
    }
    Confinement::Outside(why)
}

/// The input that runs the command of a call inside the sandbox.
pub(super) fn input(
    payload: &[u8],
    call: &ToolCall,
    args: &HookArgs,
    policy: &Policy,
) -> Result<Value, Failure> {
    let program = program_path()
        .ok_or_else(|| Failure::internal("the path of portcullis itself cannot be told"))?;
    let command = call
        .input
        .text("command")
        .ok_or_else(|| Failure::input("the call has no command to run in the sandbox"))?;
    let line = line(program.as_str(), command, call, &args.policy);
    // Where nothing may leave the host's own sandbox, the host would not listen.
    let leaves = *policy.sandbox.allow_unsandboxed;
    with_command(payload, &line, leaves)
        .ok_or_else(|| Failure::internal("the confined command cannot be put into the call"))
}

/// The command line: the same flags that made the policy of the verdict, and the command as one word.
fn line(program: &str, command: &str, call: &ToolCall, args: &PolicyArgs) -> String {
    let mut line = format!("{} run", quoted(program));
    let mut flag = |name: &str, value: &str| {
        line.push_str(&format!(" {name} {}", quoted(value)));
    };
    for (name, values) in [
        ("--policy", &args.policies),
        ("--settings", &args.settings),
        ("--add-dir", &args.add_dirs),
        ("--allow", &args.allow),
        ("--ask", &args.ask),
        ("--deny", &args.deny),
    ] {
        for value in values {
            flag(name, value);
        }
    }
    for directory in &call.additional_directories {
        flag("--add-dir", directory.as_str());
    }
    if let Some(home) = &args.home {
        flag("--home", home);
    }
    flag("--project-root", call.project_root.as_str());
    if args.no_discovery {
        line.push_str(" --no-discovery");
    }
    line.push_str(" -- bash -c ");
    line.push_str(&quoted(command));
    line
}

/// One word of any shell: between single quotes nothing is special but the quote itself.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_model::{AbsPath, Mode, ToolInput};

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for word in [
            "plain",
            "",
            "it's",
            "'",
            "''",
            "a b",
            "$HOME `id` $(id) \\ \" ! # ~ * ? [a] {a,b} ; & | < > ()",
            "line\nbreak\ttab",
            "-n",
            "é😀",
            "trailing\\",
            "a=b",
            "\u{1}",
        ] {
            let script = format!("printf '%s.' {}", quoted(word));
            let output =
                std::process::Command::new("/bin/sh").arg("-c").arg(&script).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{word}."), "{script}");
        }
    }

    #[test]
    fn the_line_carries_the_flags_of_the_hook() {
        let path = |text| AbsPath::parse(text).unwrap();
        let call = ToolCall {
            tool: "Bash".to_owned(),
            input: ToolInput::default(),
            cwd: path("/p/sub"),
            project_root: path("/p"),
            home: path("/home/u"),
            mode: Mode::Default,
            additional_directories: vec![path("/x y")],
            sandboxed: None,
            hook_answers: Vec::new(),
            shadowed: Vec::new(),
        };
        let args = PolicyArgs {
            policies: vec!["/etc/team.json".to_owned()],
            deny: vec!["Read(~/.ssh/**)".to_owned()],
            no_discovery: true,
            ..PolicyArgs::default()
        };
        assert_eq!(
            line("/opt/portcullis", "echo 'hi' && ls", &call, &args),
            "/opt/portcullis run --policy /etc/team.json --deny 'Read(~/.ssh/**)' --add-dir '/x y' \
             --project-root /p --no-discovery -- bash -c 'echo '\\''hi'\\'' && ls'"
        );
    }
}
