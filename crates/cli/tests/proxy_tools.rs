//! Real tools through the proxy, with the environment that children get. What this machine lacks is
//! skipped with the reason.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "the other suites use the rest")]
mod support;

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use support::Place;

/// A tool, what shows that it is here, and a shell script that must print `reached` when it gets
/// `http://NAME/` through the proxy.
struct Tool {
    name: &'static str,
    probe: &'static str,
    script: &'static str,
    /// Whether it prints the reason of a refusal.
    explains: Option<&'static str>,
}

/// `$URL` is allowed, `$DENIED` is not; both are names that only the proxy can reach.
const TOOLS: &[Tool] = &[
    Tool {
        name: "curl",
        probe: "curl --version",
        script: "curl -sS $URL",
        explains: Some("curl -s $DENIED"),
    },
    Tool {
        name: "curl by CONNECT",
        probe: "curl --version",
        script: "curl -sS -p $URL",
        explains: None,
    },
    Tool {
        name: "curl by SOCKS",
        probe: "curl --version",
        script: "curl -sS -x $FTP_PROXY $URL",
        explains: None,
    },
    Tool {
        name: "wget",
        probe: "wget --version",
        script: "wget -qO- $URL",
        explains: Some("wget -O- $DENIED 2>&1"),
    },
    Tool {
        name: "git over http",
        probe: "git --version",
        // A server of the dumb protocol needs no more than a reference and a file.
        script: "git ls-remote ${URL}repo.git 2>&1 | grep -q 1111111111111111111111111111111111111111 && printf reached",
        explains: None,
    },
    Tool {
        name: "git over ssh",
        probe: "git --version && ssh -V",
        // The server is no ssh server: what shows is that the connection was made by our helper.
        script: "GIT_SSH_COMMAND=\"$GIT_SSH_COMMAND -o StrictHostKeyChecking=no -v\" git ls-remote ssh://git@$HOST:$PORT/x 2>&1 | grep -q 'kex_exchange_identification\\|banner' && printf reached",
        explains: None,
    },
    Tool {
        name: "ssh by ProxyCommand",
        probe: "ssh -V",
        script: "eval set -- \"$GIT_SSH_COMMAND\"; \"$@\" -o StrictHostKeyChecking=no -p $PORT git@$HOST true 2>&1 | grep -q 'kex_exchange_identification\\|banner' && printf reached",
        explains: Some(
            "eval set -- \"$GIT_SSH_COMMAND\"; \"$@\" -o StrictHostKeyChecking=no git@denied.invalid true 2>&1",
        ),
    },
    Tool {
        name: "socat",
        probe: "socat -V",
        script: "at=${http_proxy##*@}; user=${http_proxy#http://}; user=${user%%@*}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' | socat -t 10 - PROXY:${at%:*}:$HOST:80,proxyport=${at#*:},proxyauth=$user | tail -c 7",
        explains: Some(
            "at=${http_proxy##*@}; user=${http_proxy#http://}; user=${user%%@*}; socat - PROXY:${at%:*}:denied.invalid:80,proxyport=${at#*:},proxyauth=$user 2>&1 < /dev/null",
        ),
    },
    Tool {
        name: "aws",
        probe: "aws --version",
        script: "AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_MAX_ATTEMPTS=1 aws s3api list-buckets --region x --no-sign-request --endpoint-url $URL > /dev/null 2>&1; printf reached",
        explains: None,
    },
    Tool {
        name: "docker CLI",
        probe: "docker --version",
        script: "DOCKER_CONFIG=$(mktemp -d) docker -H tcp://$HOST:80 version > /dev/null 2>&1; printf reached",
        explains: None,
    },
    Tool {
        name: "python urllib",
        probe: "python3 --version",
        script: "python3 -c 'import os,urllib.request as u;print(u.urlopen(os.environ[\"URL\"]).read().decode(),end=\"\")'",
        explains: Some(
            "python3 -c 'import os,urllib.request as u,urllib.error as e\ntry: u.urlopen(os.environ[\"DENIED\"])\nexcept e.HTTPError as x: print(x)'",
        ),
    },
    Tool {
        name: "python requests",
        probe: "python3 -c 'import requests'",
        script: "python3 -c 'import os,requests;print(requests.get(os.environ[\"URL\"]).text,end=\"\")'",
        explains: None,
    },
    Tool {
        name: "python httpx",
        probe: "python3 -c 'import httpx'",
        script: "python3 -c 'import os,httpx;print(httpx.get(os.environ[\"URL\"]).text,end=\"\")'",
        explains: None,
    },
    Tool {
        name: "pip",
        probe: "python3 -m pip --version",
        script: "python3 -m pip download --no-deps --disable-pip-version-check --trusted-host $HOST -i ${URL}simple/ reachedpkg 2>&1 | grep -q 'No matching distribution' && printf reached",
        explains: None,
    },
    Tool {
        name: "node fetch",
        probe: "node -e 'const [a,b]=process.versions.node.split(\".\").map(Number);if(a<22||(a==22&&b<21))process.exit(1)'",
        script: "node -e 'fetch(process.env.URL).then(r=>r.text()).then(t=>process.stdout.write(t))' 2>/dev/null",
        explains: None,
    },
    Tool {
        name: "node http",
        probe: "node -e 'const [a,b]=process.versions.node.split(\".\").map(Number);if(a<22||(a==22&&b<21))process.exit(1)'",
        script: "node -e 'require(\"http\").get(process.env.URL,r=>r.on(\"data\",d=>process.stdout.write(d)))' 2>/dev/null",
        explains: None,
    },
    Tool {
        name: "npm",
        probe: "npm --version",
        script: "npm view reachedpkg --registry $URL --fetch-retries 0 version 2>&1 | grep -qi 'invalid json\\|JSON\\|not found\\|reached' && printf reached",
        explains: None,
    },
    Tool {
        name: "go",
        probe: "go version",
        script: "cd $(mktemp -d) && GOFLAGS=-mod=mod GOPROXY=$URL GONOSUMDB=* GONOSUMCHECK=1 go list -m -versions example.test/reached 2>&1 | grep -q 'example.test/reached' && printf reached",
        explains: None,
    },
    Tool {
        name: "java",
        probe: "java --list-modules | grep -q jdk.compiler",
        script: "cd $(mktemp -d) && printf '%s' 'public class R{public static void main(String[] a)throws Exception{System.out.write(new java.net.URL(System.getenv(\"URL\")).openStream().readAllBytes());System.out.flush();}}' > R.java && java R.java 2>/dev/null",
        explains: None,
    },
    Tool {
        name: "cargo",
        probe: "cargo --version",
        script: "cd $(mktemp -d) && mkdir -p src .cargo && printf '' > src/lib.rs && printf '[package]\\nname=\"x\"\\nversion=\"0.1.0\"\\n[dependencies]\\nreachedpkg={version=\"1\",registry=\"r\"}\\n' > Cargo.toml && printf '[registries.r]\\nindex=\"sparse+%s\"\\n' $URL > .cargo/config.toml && CARGO_HOME=$PWD/home cargo generate-lockfile 2>&1 | grep -qi 'config.json\\|expected value\\|json' && printf reached",
        explains: None,
    },
];

#[test]
fn tools_reach_what_is_allowed_and_nothing_else() {
    let place = Place::new();
    let (port, paths) = server();
    // Our server plays the upstream proxy, so that there is no way to the name but through proxies.
    let host = "reach.test";
    let upstream = format!("http://127.0.0.1:{port}");
    let args = ["--json", "proxy", "--allow", host, "--upstream", &upstream];
    let (mut guarded, with_token) = start(&place, &args);
    let (mut open, without) = start(&place, &[&args[..], &["--no-auth"]].concat());
    let mut ran = 0;
    let mut problems = Vec::new();
    for tool in TOOLS {
        let shell = |script: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", script]).stdin(Stdio::null());
            shell.current_dir(place.project());
            // Java sends no credentials it finds in its properties.
            let variables = if tool.name == "java" { &without } else { &with_token };
            for (name, value) in variables {
                shell.env(name, value.as_str().unwrap());
            }
            // The machine's own settings of these tools must not lead around the proxy.
            for name in
                ["CARGO_HTTP_CAINFO", "GIT_CONFIG_GLOBAL", "PIP_INDEX_URL", "PIP_CONFIG_FILE"]
            {
                shell.env_remove(name);
            }
            shell
                .env("HOST", host)
                .env("PORT", "22")
                .env("URL", format!("http://{host}/"))
                .env("DENIED", "http://denied.invalid/");
            shell.output().unwrap()
        };
        let present = Command::new("sh").args(["-c", tool.probe]).output().unwrap();
        if !present.status.success() {
            println!("SKIP {}: `{}` fails here", tool.name, tool.probe);
            continue;
        }
        ran += 1;
        let before = paths.lock().unwrap().len();
        let output = shell(tool.script);
        let reached = paths.lock().unwrap().len() > before || tool.name.contains("ssh");
        if output.stdout != b"reached" || !reached {
            problems.push(format!("{}: {output:?}", tool.name));
        }
        if let Some(script) = tool.explains {
            let output = shell(script);
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            if !said.contains("denied.invalid")
                || !said.contains("not on the list of allowed hosts")
            {
                problems.push(format!("{} does not say why: {output:?}", tool.name));
            }
        }
        println!("{} works", tool.name);
    }
    for child in [&mut guarded, &mut open] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(ran > 0, "no tool is here");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn start(place: &Place, args: &[&str]) -> (std::process::Child, serde_json::Map<String, Value>) {
    let mut command = place.command(args);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let message: Value = serde_json::from_str(&line).unwrap();
    (child, message["environment"].as_object().unwrap().clone())
}

/// A server that answers every request, with what git's dumb protocol wants where it is asked for.
fn server() -> (u16, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let paths = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&paths);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let seen = std::sync::Arc::clone(&seen);
            thread::spawn(move || answer(stream.unwrap(), &seen));
        }
    });
    (port, paths)
}

/// Answers a request, or opens a tunnel to itself and answers in there.
fn answer(mut stream: TcpStream, seen: &std::sync::Mutex<Vec<String>>) {
    while respond(&mut stream, seen) {}
}

fn respond(stream: &mut TcpStream, seen: &std::sync::Mutex<Vec<String>>) -> bool {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|part| part == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return false,
            Ok(length) => head.extend_from_slice(&buffer[..length]),
        }
        // An ssh client speaks first, and gets an answer that is no ssh.
        if head.starts_with(b"SSH-") {
            stream.write_all(b"no ssh here\r\n").ok();
            return false;
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    assert!(!head.to_ascii_lowercase().contains("proxy-authorization"), "the token left: {head}");
    if head.starts_with("CONNECT ") {
        assert!(head.starts_with("CONNECT reach.test:"), "{head}");
        return stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").is_ok();
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let body = if path.contains("info/refs") {
        "1111111111111111111111111111111111111111\trefs/heads/main\n"
    } else if path.contains("simple/") {
        "<html></html>"
    } else {
        "reached"
    };
    seen.lock().unwrap().push(path);
    let kind = if body.starts_with('<') { "text/html" } else { "text/plain" };
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).ok();
    false
}
