//! Where the time of an evaluation goes: parse, gather, decide, and all of it together.
//!
//! The first argument is a file with one request a line, as `portcullis batch` reads them; the
//! second says how often to go through it.

use portcullis_engine::Options;
use portcullis_host::disk::Entry;
use portcullis_host::{EvaluateOptions, ListedDisk};
use portcullis_model::{AbsPath, InputValue, Mode, Scope, ToolCall, ToolInput};
use portcullis_policy::{Layer, Place, assemble};
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

#[expect(clippy::print_stdout, reason = "its output is what it is for")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("which file of requests?")?;
    let rounds = arguments.next().map_or(Ok(20), |rounds| rounds.parse::<usize>())?;
    let requests = std::fs::read_to_string(file)?;
    let commands =
        requests.lines().take(MAX_COMMANDS).map(command).collect::<Result<Vec<_>, _>>()?;

    let project = AbsPath::parse("/home/dev/proj")?;
    let home = AbsPath::parse("/home/dev")?;
    let policy = assemble(
        &[Layer::new(Scope::CommandLine, "x", SETTINGS, project.clone())],
        &Place { start: project.clone(), project_root: project.clone(), home: home.clone() },
    );
    let mut disk = ListedDisk::default();
    disk.add(AbsPath::parse("/home/dev/proj/x")?, Entry::File);

    let mut phases =
        [("parse", vec![]), ("gather", vec![]), ("decide", vec![]), ("evaluate", vec![])];
    for command in (0..rounds).flat_map(|_| &commands) {
        let text = InputValue::Text(command.clone());
        let call = ToolCall {
            tool: "Bash".to_owned(),
            input: ToolInput([("command".to_owned(), text)].into_iter().collect()),
            cwd: project.clone(),
            project_root: project.clone(),
            home: home.clone(),
            mode: Mode::Default,
            additional_directories: vec![],
            sandboxed: None,
            hook_answers: vec![],
            shadowed: vec![],
        };
        let start = Instant::now();
        let program = portcullis_shell::parse(command, &portcullis_shell::Options::default());
        let parsed = Instant::now();
        let facts = portcullis_facts::gather(&call, Some(&program));
        let gathered = Instant::now();
        let answers = portcullis_facts::Answers::default();
        let asked = Instant::now();
        let verdict = portcullis_engine::decide(&policy, &facts, &answers, Options::default());
        let decided = Instant::now();
        black_box(verdict.decision);
        let again = Instant::now();
        let whole = portcullis_host::evaluate(&policy, &call, &disk, EvaluateOptions::default());
        black_box(whole.verdict.decision);
        let evaluated = Instant::now();
        let spent = [parsed - start, gathered - parsed, decided - asked, evaluated - again];
        for ((_, times), time) in phases.iter_mut().zip(spent) {
            times.push(time.as_nanos());
        }
    }
    for (name, times) in &mut phases {
        times.sort_unstable();
        let at = |tenths: usize| times.get(times.len() * tenths / 10).copied().unwrap_or_default();
        println!("{name} median {} p90 {}", at(5), at(9));
    }
    Ok(())
}

/// The command of one request.
fn command(line: &str) -> Result<String, Box<dyn Error>> {
    let request: serde_json::Value = serde_json::from_str(line)?;
    let command = request.pointer("/tool_input/command").and_then(serde_json::Value::as_str);
    Ok(command.ok_or("a request without a command")?.to_owned())
}

/// More requests than this are left out.
const MAX_COMMANDS: usize = 384;

const SETTINGS: &str = r#"{"permissions":{"allow":["Bash(git *)","Bash(npm *)"],"deny":["Bash(curl *)","Read(.env)"],"ask":["Bash(git push *)"]}}"#;
