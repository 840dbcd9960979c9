//! `portcullis serve`, as a process: what it answers, what it keeps, who it talks to, what it leaves.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::Place;

/// A daemon and its socket.
struct Daemon {
    child: Child,
    socket: PathBuf,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        self.child.wait().unwrap();
    }
}

impl Daemon {
    fn start(place: &Place, args: &[&str]) -> Self {
        let socket = place.path().join("s.sock");
        let all = [&["--json", "serve", "--socket", socket.to_str().unwrap()], args].concat();
        Self::of(place.command(&all))
    }

    fn of(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let announced: Value = serde_json::from_str(&line).expect("it says where it serves");
        Self { child, socket: PathBuf::from(announced["socket"].as_str().unwrap()) }
    }

    fn connect(&self) -> Client {
        let stream = UnixStream::connect(&self.socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Client { answers: BufReader::new(stream.try_clone().unwrap()), stream }
    }

    /// Tells it to end and waits: what it wrote to the error output.
    fn end(mut self) -> String {
        let ended = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(ended.success());
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.child.stderr.take().unwrap(), &mut said).unwrap();
        assert!(self.child.wait().unwrap().success());
        said
    }
}

struct Client {
    stream: UnixStream,
    answers: BufReader<UnixStream>,
}

impl Client {
    fn say(&mut self, text: impl AsRef<[u8]>) {
        self.stream.write_all(text.as_ref()).unwrap();
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("an answer")
    }

    fn ask(&mut self, question: &Value) -> Value {
        self.say(format!("{question}\n"));
        self.hear()
    }

    /// The decision about a command, and what decided.
    fn bash(&mut self, command: &str) -> (String, String) {
        let said = self.ask(&json!({ "tool_name": "Bash", "tool_input": { "command": command } }));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&said["decision"]), text(&said["reason"]))
    }

    fn decision(&mut self, command: &str) -> String {
        self.bash(command).0
    }
}

const SETTINGS: &str =
    r#"{"permissions": {"deny": ["Bash(curl *)"], "ask": ["Bash(make *)"], "allow": ["Bash"]}}"#;

#[test]
fn answers_lines_as_the_batch_does() {
    let place = Place::new();
    place.write("home/.claude/settings.json", SETTINGS);
    let daemon = Daemon::start(&place, &[]);
    let lines = concat!(
        "{\"id\": 1, \"tool_name\": \"Bash\", \"tool_input\": {\"command\": \"curl x\"}}\n",
        "\n{\"id\": 2, \"tool_name\": \"Bash\", \"tool_input\": {\"command\": \"make\"}}\nnonsense\n",
        "{\"id\": 3}\n{\"id\": \"four\", \"tool_name\": \"Bash\", \"tool_input\": {\"command\": \"x\"},",
        " \"settings\": {\"permissions\": {\"deny\": [\"Bash(x)\"]}}}\n\u{ff}\n",
        "{\"id\": 5, \"tool_name\": \"Read\", \"tool_input\": {\"file_path\": \"/etc/passwd\"},",
        " \"cwd\": \"/\", \"fs\": {\"files\": [\"/etc/passwd\"]}}"
    );
    let mut client = daemon.connect();
    client.say(lines);
    client.stream.shutdown(Shutdown::Write).unwrap();
    let heard: Vec<Value> =
        client.answers.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    let batch = place.run_with(&["check", "--batch"], lines);
    let batch: Vec<Value> =
        batch.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let plain = |answers: Vec<Value>| -> Vec<Value> {
        let timeless = |mut answer: Value| {
            answer.as_object_mut().unwrap().remove("micros");
            answer
        };
        answers.into_iter().map(timeless).collect()
    };
    let heard = plain(heard);
    assert_eq!(heard, plain(batch));
    let decisions: Vec<&Value> = heard.iter().map(|answer| &answer["decision"]).collect();
    assert_eq!(heard.len(), 7);
    assert_eq!(decisions[0], "deny");
    assert_eq!(decisions[4], "deny");
    assert_eq!(daemon.end(), "");
}

#[test]
fn a_change_of_the_settings_holds_for_the_next_call() {
    let place = Place::new();
    let daemon = Daemon::start(&place, &[]);
    let mut client = daemon.connect();
    assert_eq!(client.decision("curl x"), "ask");
    place.write("home/.claude/settings.json", r#"{"permissions": {"allow": ["Bash"]}}"#);
    assert_eq!(client.decision("curl x"), "allow");
    // Of the same length, within the same tick of the clock.
    for _ in 0..50 {
        place.write("home/.claude/settings.json", r#"{"permissions": {"deny" : ["Bash"]}}"#);
        assert_eq!(client.decision("curl x"), "deny");
        place.write("home/.claude/settings.json", r#"{"permissions": {"allow": ["Bash"]}}"#);
        assert_eq!(client.decision("curl x"), "allow");
    }
    place.write("project/.claude/settings.json", r#"{"permissions": {"deny": ["Bash(curl *)"]}}"#);
    assert_eq!(client.decision("curl x"), "deny");
    fs::remove_file(place.project().join(".claude/settings.json")).unwrap();
    assert_eq!(client.decision("curl x"), "allow");
}

#[test]
fn what_was_denied_stays_denied_while_a_file_is_broken() {
    let place = Place::new();
    let file = "home/.claude/settings.json";
    place.write(file, SETTINGS);
    let daemon = Daemon::start(&place, &[]);
    let mut client = daemon.connect();
    assert_eq!(client.decision("ls -l | wc"), "allow");
    for broken in ["", "{", "[]", "{\"permissions\": {\"allow\": [\"Bash\"],}}", "\u{0}"] {
        place.write(file, broken);
        let (decision, reason) = client.bash("curl x");
        assert_eq!(decision, "deny", "{broken:?}");
        assert!(reason.contains("last good version of"), "{reason}");
        assert_eq!(client.decision("ls -l | wc"), "ask", "{broken:?}");
        // A process of its own has nothing to remember.
        assert_eq!(place.run(&["check", "curl x"]).status, Some(10), "{broken:?}");
    }
    fs::remove_file(place.path().join(file)).unwrap();
    std::os::unix::fs::symlink("nowhere", place.path().join(file)).unwrap();
    assert_eq!(client.decision("curl x"), "deny", "a link to nothing is not an absent file");
    fs::remove_file(place.path().join(file)).unwrap();
    place.write(file, r#"{"permissions": {"allow": ["Bash"]}}"#);
    assert_eq!(client.decision("curl x"), "allow", "whole again, it says what counts");
}

#[test]
fn path_rules_hold_on_too_whatever_became_of_the_file() {
    let place = Place::new();
    let file = place.project().join(".claude/settings.json");
    let settings = r#"{"permissions": {"deny": ["Read(/secret/**)"]}}"#;
    place.write("project/.claude/settings.json", settings).write("project/secret/key", "");
    let daemon = Daemon::start(&place, &[]);
    let mut client = daemon.connect();
    let read = json!({ "tool_name": "Read", "tool_input": { "file_path": "secret/key" } });
    assert_eq!(client.ask(&read)["decision"], "deny");
    fs::remove_file(&file).unwrap();
    for what in ["a directory", "a FIFO", "a link to nothing"] {
        match what {
            "a directory" => fs::create_dir(&file).unwrap(),
            "a FIFO" => assert!(Command::new("mkfifo").arg(&file).status().unwrap().success()),
            _ => std::os::unix::fs::symlink("nowhere", &file).unwrap(),
        }
        assert_eq!(client.ask(&read)["decision"], "deny", "{what}");
        if fs::remove_file(&file).is_err() {
            fs::remove_dir(&file).unwrap();
        }
    }
    assert_eq!(client.ask(&read)["decision"], "allow", "an absent file says nothing");
}

#[test]
fn where_a_project_was_said_no_directory_makes_another() {
    let place = Place::new();
    place.write("project/sub/.claude/settings.json", "{}").write("project/secret/f", "");
    let sub = place.project().join("sub").to_str().unwrap().to_owned();
    let root = place.project().to_str().unwrap().to_owned();
    let question = |command: &str, cwd: &str| json!({ "tool_name": "Bash", "tool_input": { "command": command }, "cwd": cwd });
    let deny = r#"{"permissions": {"deny": ["Bash(echo *)"]}}"#;
    place.write("project/.claude/settings.json", deny);
    let daemon = Daemon::start(&place, &["--project-root", &root]);
    assert_eq!(daemon.connect().ask(&question("echo x", &sub))["decision"], "deny");
    drop(daemon);
    // A rule that starts at the project does so for every directory in it.
    fs::remove_file(place.project().join("sub/.claude/settings.json")).unwrap();
    let daemon = Daemon::start(&place, &["--no-discovery", "--deny", "Read(/secret/**)"]);
    assert_eq!(daemon.connect().ask(&question("cat ../secret/f", &sub))["decision"], "deny");
    drop(daemon);
    // The project of a call without a directory is looked for when it is made.
    fs::remove_file(place.project().join(".claude/settings.json")).unwrap();
    let daemon = Daemon::start(&place, &["--cwd", &sub]);
    let mut client = daemon.connect();
    assert_eq!(client.decision("echo x"), "allow");
    place.write("project/.claude/settings.json", deny);
    assert_eq!(client.decision("echo x"), "deny");
}

#[test]
fn no_line_holds_up_or_ends_what_others_ask() {
    let place = Place::new();
    let daemon = Daemon::start(&place, &[]);
    let trap = place.path().join("trap");
    fs::create_dir_all(trap.join(".claude")).unwrap();
    for name in [".claude.json", ".claude/settings.json"] {
        assert!(Command::new("mkfifo").arg(trap.join(name)).status().unwrap().success());
    }
    let long = "/a".repeat(20_000);
    let line = |field: &str, value: Value| {
        let mut line = json!({ "tool_name": "Bash", "tool_input": { "command": "ls" } });
        line[field] = value;
        line
    };
    let many: Vec<&str> = vec!["d"; 30_000];
    let rules: Vec<String> = (0..60_000).map(|rule| format!("Bash(t{rule} *)")).collect();
    for (question, code) in [
        (line("home", json!(trap)), None),
        (line("project_root", json!(trap)), None),
        (line("cwd", json!(long)), Some("bad-path")),
        (line("home", json!(long)), Some("bad-path")),
        (line("additional_directories", json!([long])), Some("bad-path")),
        (line("additional_directories", json!(many)), Some("bad-list")),
        (line("fs", json!({ "files": many })), Some("bad-list")),
        (line("settings", json!({ "permissions": { "deny": rules } })), None),
    ] {
        let mut hostile = daemon.connect();
        hostile.say(format!("{question}\n"));
        let started = Instant::now();
        assert_eq!(daemon.connect().decision("ls"), "allow");
        assert!(started.elapsed() < Duration::from_secs(10), "held up");
        let answer = hostile.hear();
        match code {
            Some(code) => assert_eq!(answer["error"]["code"], code),
            None => assert!(answer["decision"].is_string(), "{answer}"),
        }
    }
}

#[test]
fn a_call_is_judged_by_the_settings_of_its_own_project() {
    let place = Place::new();
    let settings = r#"{"permissions": {"deny": ["Bash(echo *)"]}}"#;
    place.write("project/.claude/settings.json", settings).write("other/deep/file", "");
    let settings = r#"{"permissions": {"deny": ["Bash(printf *)"]}}"#;
    place.write("other/.claude/settings.json", settings);
    let daemon = Daemon::start(&place, &[]);
    let ask = |fields: Value, command: &str| {
        let mut line = json!({ "tool_name": "Bash", "tool_input": { "command": command } });
        line.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let heard = daemon.connect().ask(&line)["decision"].clone();
        let batch = place.run_with(&["check", "--batch"], format!("{line}\n"));
        let batch: Value = serde_json::from_str(&batch.stdout).unwrap();
        assert_eq!(batch["decision"], heard, "{line}");
        heard
    };
    let at = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    assert_eq!(ask(json!({}), "echo x"), "deny");
    assert_eq!(ask(json!({}), "printf x"), "allow");
    for fields in [
        json!({ "project_root": at("other") }),
        json!({ "cwd": at("other") }),
        json!({ "cwd": at("other/deep") }),
    ] {
        assert_eq!(ask(fields.clone(), "printf x"), "deny", "{fields}");
        assert_eq!(ask(fields.clone(), "echo x"), "allow", "{fields}");
    }
    assert_eq!(ask(json!({ "home": at("other") }), "printf x"), "deny", "its user settings");
}

#[test]
fn many_ask_at_once_and_one_that_breaks_off_disturbs_nobody() {
    let place = Place::new();
    place.write("home/.claude/settings.json", SETTINGS);
    let daemon = Daemon::start(&place, &[]);
    let mut broken_off = daemon.connect();
    broken_off.say("{\"tool_name\": \"Bash\",");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = daemon.connect();
                for _ in 0..50 {
                    assert_eq!(client.decision("curl x"), "deny");
                    assert_eq!(client.decision("ls"), "allow");
                }
            });
        }
    });
    drop(broken_off);
    assert_eq!(daemon.connect().decision("ls"), "allow");
}

#[test]
fn more_connections_than_there_may_be_are_told_so() {
    let place = Place::new();
    let daemon = Daemon::start(&place, &[]);
    let mut open: Vec<Client> = (0..64).map(|_| daemon.connect()).collect();
    for client in &mut open {
        assert_eq!(client.decision("ls"), "allow");
    }
    let refused = daemon.connect().hear();
    assert_eq!(refused["error"]["code"], "too-many-connections", "{refused}");
    drop(open.pop());
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let mut client = daemon.connect();
        // A refusal may have been sent and the connection closed before the question is.
        let line = json!({ "tool_name": "Bash", "tool_input": { "command": "ls" } });
        let _refused = client.stream.write_all(format!("{line}\n").as_bytes());
        if client.hear()["decision"] == "allow" {
            break;
        }
        assert!(Instant::now() < deadline, "the place of one that left is not given away");
    }
}

#[test]
fn the_socket_is_private_and_goes_when_the_daemon_ends() {
    let place = Place::new();
    let runtime = place.path().join("run");
    fs::create_dir(&runtime).unwrap();
    let mut command = place.command(&["serve", "--json"]);
    command.env("XDG_RUNTIME_DIR", &runtime);
    let daemon = Daemon::of(command);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(daemon.socket, runtime.join("portcullis/serve.sock"));
    assert_eq!(mode(&daemon.socket), 0o600);
    assert_eq!(mode(&runtime.join("portcullis")), 0o700);
    let socket = daemon.socket.clone();
    daemon.end();
    assert!(!socket.exists());
    // A socket somebody else made in its place is not taken away.
    let daemon = Daemon::start(&place, &[]);
    let socket = daemon.socket.clone();
    fs::remove_file(&socket).unwrap();
    let _other = UnixListener::bind(&socket).unwrap();
    daemon.end();
    assert!(socket.exists());
}

#[test]
fn a_stale_socket_makes_room_and_a_served_one_does_not() {
    let place = Place::new();
    let daemon = Daemon::start(&place, &[]);
    let socket = daemon.socket.to_str().unwrap().to_owned();
    let second = place.run(&["serve", "--socket", &socket]);
    assert_eq!(second.status, Some(65));
    assert_eq!(
        place.plain(&second.stderr),
        "error: `/s.sock` is served already\nhint: name another socket by `--socket`\n"
    );
    assert_eq!(daemon.connect().decision("ls"), "allow");
    // Killed, it leaves its socket behind; the next one clears it away.
    drop(daemon);
    assert!(Path::new(&socket).exists());
    let daemon = Daemon::start(&place, &[]);
    assert_eq!(daemon.connect().decision("ls"), "allow");
}

#[test]
fn a_place_that_cannot_be_is_named_with_its_cure() {
    let place = Place::new();
    place.write("project/file", "kept");
    let shared = place.path().join("shared");
    fs::create_dir_all(shared.join("mine")).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).unwrap();
    let deep = "d/".repeat(60) + "s.sock";
    fs::create_dir_all(place.project().join(&deep).parent().unwrap()).unwrap();
    for (args, status, message) in [
        (
            &["serve"][..],
            65,
            "error: `XDG_RUNTIME_DIR` is not set, so there is no place for a socket\nhint: name one by `--socket`\n",
        ),
        (&["serve", "--socket", ""], 64, "error: `--socket` names no file: ``\n"),
        (
            &["serve", "--socket", "file"],
            65,
            "error: `/project/file` is there already and is no socket\nhint: name another socket by `--socket`\n",
        ),
        (
            &["serve", "--socket", "none/s"],
            65,
            "error: cannot make the socket `/project/none/s`: no such file or directory\n",
        ),
        (
            &["serve", "--socket", "../shared/s"],
            65,
            "error: others can replace files in `/shared`\nhint: name a socket in a directory that only you can write to\n",
        ),
        (
            &["serve", "--socket", "../shared/mine/s"],
            65,
            "error: others can replace files in `/shared`\nhint: name a socket in a directory that only you can write to\n",
        ),
    ] {
        let run = place.run(args);
        assert_eq!(run.status, Some(status), "{args:?} {run:?}");
        assert_eq!(place.plain(&run.stderr), message, "{args:?}");
        assert_eq!(run.stdout, "", "{args:?}");
    }
    let run = place.run(&["serve", "--socket", &deep]);
    assert_eq!(run.status, Some(65));
    assert!(run.stderr.contains("cannot make the socket"), "{}", run.stderr);
    assert_eq!(place.read("project/file"), "kept");
}

#[test]
fn another_user_is_not_answered() {
    let place = Place::new();
    let daemon = Daemon::start(&place, &[]);
    // As if its owner had opened it to everybody.
    fs::set_permissions(&daemon.socket, fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let script = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); \
                  print(s.makefile().readline())";
    let mut command = Command::new("python3");
    let heard = command.args(["-c", script]).arg(&daemon.socket).env_clear().uid(65534).output();
    let Ok(heard) = heard else {
        println!("SKIP: only root can be somebody else, and python3 has to be there");
        return;
    };
    let said = String::from_utf8(heard.stdout).unwrap();
    assert!(said.contains("\"not-yours\""), "{said} {:?}", heard.stderr);
}

#[test]
fn decisions_are_logged_where_the_settings_name_a_log() {
    let place = Place::new();
    let log = place.path().join("decisions.log");
    let settings =
        json!({ "permissions": { "deny": ["Bash(curl *)"] }, "portcullis": { "log": log } });
    place.write("home/.claude/settings.json", settings.to_string());
    let daemon = Daemon::start(&place, &[]);
    let mut client = daemon.connect();
    assert_eq!(client.decision("curl x"), "deny");
    let inline = json!({ "tool_name": "Bash", "tool_input": { "command": "ls" }, "settings": {} });
    client.ask(&inline);
    let logged = place.read("decisions.log");
    assert_eq!(logged.lines().count(), 1, "what brings its own settings is not logged: {logged}");
    assert!(logged.contains("\"serve\"") && logged.contains("curl x"), "{logged}");
    // Nor where another home names it: a line may name any.
    let other = place.path().join("other.log");
    place.write(
        "other/.claude/settings.json",
        json!({ "portcullis": { "log": other } }).to_string(),
    );
    let elsewhere = place.path().join("other");
    let question =
        json!({ "tool_name": "Bash", "tool_input": { "command": "ls" }, "home": elsewhere });
    assert!(client.ask(&question)["decision"].is_string());
    assert!(!other.exists());
    // A log that cannot be written is said, once, and changes nothing.
    fs::remove_file(&log).unwrap();
    fs::create_dir(&log).unwrap();
    for _ in 0..3 {
        assert_eq!(client.decision("curl x"), "deny");
    }
    assert_eq!(daemon.end().matches("cannot log the decision").count(), 1);
}
