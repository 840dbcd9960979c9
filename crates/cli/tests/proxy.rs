//! `portcullis proxy` and `portcullis connect`, as processes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "the other suites use the rest")]
mod support;

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use support::Place;

/// A proxy process and where it listens.
struct Running {
    child: Child,
    address: String,
    variables: Vec<(String, String)>,
    out: BufReader<ChildStdout>,
    input: Option<ChildStdin>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[expect(clippy::zombie_processes, reason = "the one that is returned waits when it is dropped")]
fn start(mut command: Command) -> Running {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let input = child.stdin.take();
    loop {
        let mut line = String::new();
        assert!(out.read_line(&mut line).unwrap() > 0, "the proxy ended");
        let message: Value = serde_json::from_str(&line).unwrap();
        if message["type"] == "listening" {
            let variables = message["environment"].as_object().unwrap().iter();
            let variables =
                variables.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
            let address = message["address"].as_str().unwrap().to_owned();
            return Running { child, address, variables: variables.collect(), out, input };
        }
    }
}

fn proxy(place: &Place, args: &[&str]) -> Running {
    let mut all = vec!["--json", "proxy"];
    all.extend(args);
    start(place.command(&all))
}

/// A server that answers every request with `reached`.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                let mut head = Vec::new();
                while !head.windows(4).any(|part| part == b"\r\n\r\n") {
                    match stream.read(&mut buffer) {
                        Ok(0) | Err(_) => return,
                        Ok(length) => head.extend_from_slice(&buffer[..length]),
                    }
                }
                let answer =
                    b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nreached";
                stream.write_all(answer).ok();
            });
        }
    });
    port
}

fn talk(address: &str, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok();
    answer
}

fn get(address: &str, url: &str) -> String {
    talk(address, &format!("GET {url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
}

#[test]
fn serves_what_is_listed_and_logs_it() {
    let (place, port) = (Place::new(), server());
    place.write(
        "project/s.json",
        r#"{"sandbox":{"network":{"allowedDomains":["127.0.0.1"],"deniedDomains":["127.0.0.1:22"]}},"permissions":{"deny":["WebFetch(domain:evil.test)"]}}"#,
    );
    let running = proxy(&place, &["--settings", "s.json", "--log", "log", "--no-auth"]);
    assert!(
        get(&running.address, &format!("http://127.0.0.1:{port}/p?secret")).ends_with("reached")
    );
    assert!(get(&running.address, "http://127.0.0.1:22/").contains("blocked-by-denylist"));
    assert!(get(&running.address, "http://evil.test/").contains("blocked-by-denylist"));
    assert!(get(&running.address, "http://other.test/").contains("blocked-by-allowlist"));
    drop(running);
    let log = place.read("project/log");
    assert!(!log.contains("secret"), "{log}");
    let verdicts: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["verdict"].clone())
        .collect();
    assert_eq!(verdicts, ["allow", "closed", "deny", "deny", "deny"]);
    assert!(log.contains(r#""rule":"127.0.0.1:22""#), "{log}");
}

#[test]
fn wants_a_token_unless_told_otherwise() {
    let (place, port) = (Place::new(), server());
    let running = proxy(&place, &["--allow", "127.0.0.1"]);
    let url = format!("http://127.0.0.1:{port}/");
    assert!(get(&running.address, &url).starts_with("HTTP/1.1 407 "));
    let proxy = running.variables.iter().find(|(name, _)| name == "http_proxy").unwrap();
    let token = proxy.1.split(['@', ':']).nth(2).unwrap();
    assert_eq!(token.len(), 64);
    let mut helper = place.command(&["connect", "127.0.0.1", &port.to_string()]);
    helper.envs(running.variables.clone()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut helper = helper.spawn().unwrap();
    helper.stdin.take().unwrap().write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let output = helper.wait_with_output().unwrap();
    assert!(output.stdout.ends_with(b"reached"), "{output:?}");
    let refused = place.run(&["connect", "--proxy", &proxy.1, "evil.test", "22"]);
    assert_eq!(refused.status, Some(11), "{refused:?}");
    assert!(
        refused.stderr.contains("evil.test:22 is not on the list of allowed hosts"),
        "{refused:?}"
    );
}

#[test]
fn asks_over_its_standard_streams() {
    let (place, port) = (Place::new(), server());
    // Nothing but the host's name decides; localhost is never asked about, so the server is not reached.
    let mut running = proxy(&place, &["--ask", "stdio", "--no-auth"]);
    let address = running.address.clone();
    let client = thread::spawn(move || get(&address, &format!("http://new.invalid:{port}/")));
    let question = loop {
        let mut line = String::new();
        assert!(running.out.read_line(&mut line).unwrap() > 0);
        let message: Value = serde_json::from_str(&line).unwrap();
        if message["type"] == "ask" {
            break message;
        }
    };
    assert_eq!(question["host"], "new.invalid");
    let answer = format!("{{\"type\":\"answer\",\"id\":{},\"answer\":\"deny\"}}\n", question["id"]);
    running.input.as_mut().unwrap().write_all(answer.as_bytes()).unwrap();
    assert!(client.join().unwrap().contains("X-Proxy-Error: denied-by-user"));
    // The no holds for a while, without another question.
    assert!(get(&running.address, "http://new.invalid/").contains("denied-by-user"));
    // Whoever answered is gone: no more yes.
    drop(running.input.take());
    thread::sleep(Duration::from_millis(200));
    assert!(get(&running.address, "http://another.invalid/").contains("denied-by-user"));
}

#[test]
fn runs_out_of_descriptors_and_recovers() {
    let (place, port) = (Place::new(), server());
    let program = env!("CARGO_BIN_EXE_portcullis");
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "ulimit -n 64; exec \"$0\" --json proxy --no-auth --allow 127.0.0.1", program])
        .current_dir(place.project())
        .env_clear()
        .env("HOME", place.home());
    let running = start(shell);
    let url = format!("http://127.0.0.1:{port}/");
    assert!(get(&running.address, &url).ends_with("reached"));
    let idle: Vec<_> = (0..150)
        .map(|_| {
            let mut stream = TcpStream::connect(&running.address).unwrap();
            stream.write_all(b"G").ok();
            stream
        })
        .collect();
    thread::sleep(Duration::from_millis(500));
    let used = cpu_ticks(running.child.id());
    thread::sleep(Duration::from_secs(1));
    let spun = cpu_ticks(running.child.id()) - used;
    assert!(spun < 50, "{spun} ticks of a second were spent on accepting");
    drop(idle);
    let started = Instant::now();
    let mut reached = false;
    while !reached && started.elapsed() < Duration::from_secs(30) {
        reached = get(&running.address, &url).ends_with("reached");
    }
    assert!(reached, "it did not recover");
    let open = std::fs::read_dir(format!("/proc/{}/fd", running.child.id())).unwrap().count();
    assert!(open < 30, "{open} descriptors are still open");
}

fn cpu_ticks(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn says_in_one_line_what_is_wrong_and_what_to_do() {
    let place = Place::new();
    place.write("project/bad.json", r#"{"sandbox":{"network":{"deniedDomains":["https://x/"]}}}"#);
    for (args, message, hint) in [
        (&["proxy", "--listen", "0.0.0.0:1"] as &[&str], "would serve other machines", "127.0.0.1"),
        (&["proxy", "--listen", "3128"], "is no address", "127.0.0.1:3128"),
        (&["proxy", "--allow", "https://a/"], "it has a scheme", "example.org"),
        (&["proxy", "--allow", ""], "it is empty", "example.org"),
        (&["proxy", "--allow", "a.b:99999"], "has a bad port", "example.org"),
        (&["proxy", "--allow", "2001:db8::1"], "write `[2001:db8::1]`", "example.org"),
        (&["proxy", "--allow", "10.0.0.0/8"], "it has a path", "example.org"),
        (&["proxy", "--deny", "u@a"], "it has user information", "example.org"),
        (&["proxy", "--settings", "bad.json"], "it has a scheme", "example.org"),
        (&["proxy", "--settings", "gone.json"], "there is no such file", "--settings"),
        (&["proxy", "--mode", "yolo"], "is no permission mode", "bypassPermissions"),
        (&["proxy", "--ask", "bob"], "cannot be `bob`", "unix:PATH"),
        (&["proxy", "--ask", "unix:gone"], "cannot reach `gone`", "start whoever answers first"),
        (&["proxy", "--log", "gone/x"], "cannot log to `gone/x`", "--log"),
        (&["proxy", "--private-addresses", "some"], "cannot be `some`", "`exact`"),
        (&["proxy", "--upstream", "https://u:hunter2@p"], "is no proxy", "socks5h://"),
        (
            &["proxy", "--upstream", "http://p", "--no-proxy", "a/b"],
            "means nothing: `a/b`",
            "10.0.0.0/8",
        ),
        (&["connect", "a b", "22"], "is no destination", "github.com 22"),
        (&["connect", "a", "0"], "is no destination", "github.com 22"),
        (&["connect", "a", "22"], "no proxy is named", "ALL_PROXY"),
        (
            &["connect", "--proxy", "ftp://hunter2", "a", "22"],
            "is no proxy",
            "http://127.0.0.1:3128",
        ),
        (
            &["connect", "--proxy", "socks5h://127.0.0.1:1", "a", "22"],
            "names a SOCKS proxy",
            "http://",
        ),
        (
            &["connect", "--proxy", "http://127.0.0.1:1", "a", "22"],
            "cannot connect to the proxy",
            "port",
        ),
    ] {
        let run = place.run(args);
        assert!(matches!(run.status, Some(64 | 65 | 70)), "{args:?}: {run:?}");
        let lines: Vec<&str> =
            run.stderr.lines().filter(|line| !line.starts_with("warning")).collect();
        assert_eq!(lines.len(), 2, "{args:?}: {run:?}");
        assert!(lines[0].starts_with("error: ") && lines[0].contains(message), "{args:?}: {run:?}");
        assert!(lines[1].starts_with("hint: ") && lines[1].contains(hint), "{args:?}: {run:?}");
        assert!(!run.stderr.contains("hunter2"), "{args:?}: {run:?}");
        assert_eq!(run.stdout, "", "{args:?}");
    }
}
