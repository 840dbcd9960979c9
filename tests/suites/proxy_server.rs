//! The running proxy: conversations byte by byte, questions, the DNS stub, connections that are caught.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_proxy::{
    Answer, ControlChannel, Handover, Limits, Listener, NetworkPolicy, Outside, Proxy, Unlisted,
};
use portcullis_tests::parallel;
use portcullis_tests::proxy::client::Client;
use portcullis_tests::proxy::hello::Hello;
use portcullis_tests::proxy::upstream::Behaviour;
use portcullis_tests::proxy::world::{Reach, Setup, World};
use portcullis_tests::tables::wire::{Server, Step, WIRES, Want, Wire};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn every_conversation_ends_as_it_must() {
    assert!(WIRES.len() >= 300);
    let problems = parallel::map_on(8, WIRES, |wire| {
        converse(wire).err().map(|problem| format!("{}: {problem}\n", wire.about))
    });
    let problems: String = problems.into_iter().flatten().collect();
    assert!(problems.is_empty(), "{problems}");
}

fn converse(wire: &Wire) -> Result<(), String> {
    let behaviour = match wire.server {
        Server::Http => Behaviour::Http,
        Server::Echo => Behaviour::Echo,
        Server::Says(bytes) => Behaviour::Answer(bytes.to_vec()),
        Server::Floods(bytes, count) => {
            Behaviour::Answer([bytes.to_vec(), vec![b'a'; count]].concat())
        }
        Server::Banner(bytes) => Behaviour::Banner(bytes.to_vec()),
        Server::Reset => Behaviour::Reset,
    };
    let mut policy = NetworkPolicy::default();
    for entry in ["api.example.com", "*.wild.test", "10.9.8.7", "port.test:8443"] {
        assert!(policy.allow(entry, true).is_empty());
    }
    for entry in ["evil.wild.test", "*.wild.test:25"] {
        assert!(policy.deny(entry).is_empty());
    }
    let setup = Setup {
        others: Some(IpAddr::from([93, 184, 216, 34])),
        outside: Reach::Server(behaviour),
        ..Setup::default()
    };
    let world = World::start(setup, policy).map_err(|error| error.to_string())?;
    let mut client = Client::connect(world.address).map_err(|error| error.to_string())?;
    client.patience(Duration::from_secs(6));
    let opens = matches!(wire.want, Want::Tunnel(_) | Want::Cut);
    for (index, step) in wire.steps.iter().enumerate() {
        match step {
            Step::Send(bytes) => drop(client.send(bytes)),
            Step::Many(byte, count) => drop(client.send(&vec![*byte; *count])),
            Step::Again(bytes, count) => drop(client.send(&bytes.repeat(*count))),
            Step::Drip(bytes) => {
                for byte in *bytes {
                    client.send(&[*byte]);
                    thread::sleep(Duration::from_millis(2));
                }
            }
            Step::Hello(name) => drop(client.send(&Hello::to(name).bytes())),
            Step::Wait(millis) => thread::sleep(Duration::from_millis(*millis)),
            Step::Finish => client.finish(),
        }
        if opens && index == 0 {
            let response = client.response().ok_or("no answer to CONNECT")?;
            if response.status != 200 {
                return Err(format!("{response:?}"));
            }
        }
    }
    check(wire, &world, &mut client)?;
    // Whoever was refused caused no lookup and no dial.
    let dials = world.record.dials().len();
    let lookups = world.record.lookups().len();
    let idle = match wire.want {
        Want::Refused(..) | Want::Says(_) | Want::Closed => true,
        Want::Answers(_, wanted) => {
            if dials != wanted {
                return Err(format!("{dials} dials, wanted {wanted}"));
            }
            false
        }
        Want::Fails(..)
        | Want::Tunnel(_)
        | Want::Cut
        | Want::SaysAfterDial(_)
        | Want::SaysThenCut(_)
        | Want::BreaksOff(_)
        | Want::Forwards(..) => {
            if dials == 0 {
                return Err("nothing was dialled".to_owned());
            }
            false
        }
    };
    if idle && (dials, lookups) != (0, 0) {
        return Err(format!("{dials} dials and {lookups} lookups for what is not allowed"));
    }
    world.proxy.close();
    Ok(())
}

fn check(wire: &Wire, world: &World, client: &mut Client) -> Result<(), String> {
    match wire.want {
        Want::Refused(status, code) | Want::Fails(status, code) => {
            let response = client.response().ok_or("no answer")?;
            let found = (response.status, response.header("X-Proxy-Error").unwrap_or_default());
            if found != (status, code) {
                return Err(format!("{response:?}"));
            }
            if client.ends_within(Duration::from_secs(4)) {
                Ok(())
            } else {
                Err("stays open".to_owned())
            }
        }
        Want::Answers(statuses, _) => {
            for status in statuses {
                let response = client.response().ok_or("an answer is missing")?;
                if response.status != *status {
                    return Err(format!("wanted {status}: {response:?}"));
                }
            }
            Ok(())
        }
        Want::Tunnel(bytes) => {
            let found = client.exactly(bytes.len());
            if found == bytes {
                Ok(())
            } else {
                Err(format!("{:?}", String::from_utf8_lossy(&found)))
            }
        }
        Want::Cut => {
            if !client.ends_within(Duration::from_secs(7)) {
                return Err("stays open".to_owned());
            }
            nothing_got_out(world)
        }
        Want::Says(bytes) | Want::SaysAfterDial(bytes) => {
            let found = client.exactly(bytes.len());
            if found == bytes {
                Ok(())
            } else {
                Err(format!("{:?}", String::from_utf8_lossy(&found)))
            }
        }
        Want::SaysThenCut(bytes) => {
            let found = client.exactly(bytes.len());
            if found != bytes || !client.ends_within(Duration::from_secs(7)) {
                return Err(format!("{:?}, or stays open", String::from_utf8_lossy(&found)));
            }
            nothing_got_out(world)
        }
        Want::BreaksOff(without) => {
            if !client.ends_within(Duration::from_secs(7)) {
                return Err("answers, or stays open".to_owned());
            }
            let received = String::from_utf8_lossy(&world.seen.received()).into_owned();
            if received.contains(without) { Err(received) } else { Ok(()) }
        }
        Want::Closed => {
            if client.ends_within(Duration::from_secs(4)) {
                Ok(())
            } else {
                Err("stays open".to_owned())
            }
        }
        Want::Forwards(with, without) => {
            let response = client.response().ok_or("no answer")?;
            let received = String::from_utf8_lossy(&world.seen.received()).into_owned();
            let fits = received.contains(with) && !received.contains(without);
            if fits && response.status == 200 {
                Ok(())
            } else {
                Err(format!("{received:?} {response:?}"))
            }
        }
    }
}

fn nothing_got_out(world: &World) -> Result<(), String> {
    thread::sleep(Duration::from_millis(50));
    let leaked = world.seen.received();
    if leaked.is_empty() { Ok(()) } else { Err(format!("{leaked:?} got out")) }
}

fn asking(answer: Option<Answer>, after: Duration, limits: Limits) -> World {
    let setup = Setup {
        others: Some(IpAddr::from([93, 184, 216, 34])),
        outside: Reach::Server(Behaviour::Echo),
        answer: Some((answer, after)),
        limits,
        ..Setup::default()
    };
    World::start(setup, NetworkPolicy::default()).unwrap()
}

fn ask(world: &World, target: &str) -> u16 {
    let mut client = Client::connect(world.address).unwrap();
    client.send(format!("CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    client.response().map_or(0, |response| response.status)
}

#[test]
fn equal_questions_are_put_once_and_a_yes_lasts() {
    let world = asking(Some(Answer::Allow), Duration::from_millis(300), Limits::default());
    thread::scope(|scope| {
        let asked: Vec<_> = (0..20)
            .map(|index| {
                let world = &world;
                scope.spawn(move || ask(world, &format!("New.example.com:{}", 1000 + index % 3)))
            })
            .collect();
        assert!(asked.into_iter().all(|asked| asked.join().unwrap() == 200));
    });
    assert_eq!(world.record.questions().len(), 1);
    assert_eq!(ask(&world, "new.example.com:22"), 200);
    assert_eq!(world.record.questions().len(), 1);
    assert_eq!(world.record.questions()[0].rule(), "WebFetch(domain:new.example.com)");
}

#[test]
fn an_answer_counts_also_when_the_client_is_gone() {
    let world = asking(Some(Answer::Allow), Duration::from_millis(300), Limits::default());
    let mut client = Client::connect(world.address).unwrap();
    client.send(b"CONNECT new.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n");
    thread::sleep(Duration::from_millis(100));
    client.reset();
    thread::sleep(Duration::from_millis(400));
    assert_eq!(world.record.dials(), []);
    assert_eq!(ask(&world, "new.example.com:443"), 200);
    assert_eq!(world.record.questions().len(), 1);
}

#[test]
fn too_many_questions_and_late_answers_deny() {
    let limits = Limits { pending_asks: 2, ask: Duration::from_millis(600), ..Limits::default() };
    let world = asking(None, Duration::ZERO, limits);
    thread::scope(|scope| {
        let asked: Vec<_> = (0..4)
            .map(|index| {
                let world = &world;
                scope.spawn(move || ask(world, &format!("h{index}.example.com:443")))
            })
            .collect();
        let mut found: Vec<u16> = asked.into_iter().map(|asked| asked.join().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, [403, 403, 503, 503]);
    });
    assert_eq!((world.record.dials(), world.record.lookups()), (Vec::new(), Vec::new()));
}

#[test]
fn a_yes_opens_no_private_address() {
    let setup = Setup {
        others: Some(IpAddr::from([10, 0, 0, 1])),
        outside: Reach::Server(Behaviour::Echo),
        answer: Some((Some(Answer::Allow), Duration::ZERO)),
        ..Setup::default()
    };
    let world = World::start(setup, NetworkPolicy::default()).unwrap();
    assert_eq!(ask(&world, "new.example.com:443"), 403);
    for literal in ["10.0.0.1:80", "127.0.0.1:80", "[::1]:80", "169.254.169.254:80", "localhost:80"]
    {
        assert_eq!(ask(&world, literal), 403, "{literal}");
    }
    // Only the name was asked about: a yes to the others would have opened nothing.
    assert_eq!(world.record.questions().len(), 1);
    assert_eq!(world.record.dials(), []);
}

/// Runs a proxy with a control channel whose other end is `agent`.
fn with_channel(agent: impl FnOnce(UnixStream) + Send + 'static, target: &str) -> u16 {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let agent = thread::spawn(move || agent(theirs));
    let channel = ControlChannel::start(ours.try_clone().unwrap(), ours).unwrap();
    let base = asking(None, Duration::ZERO, Limits::default());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let outside = Outside {
        decider: Some(Arc::new(channel)),
        ..Outside::system(Arc::clone(&base.record) as Arc<dyn portcullis_proxy::Reports>)
    };
    let limits = Limits { ask: Duration::from_secs(5), ..Limits::default() };
    let handover = Handover::new("box", Listener::Proxy(listener));
    let mut policy = NetworkPolicy::default();
    // Nothing is resolved or dialled for real: an allowed address of this machine refuses.
    assert!(policy.deny("denied.example").is_empty());
    let proxy = Proxy::serve(vec![handover], policy, limits, outside).unwrap();
    let mut client = Client::connect(address).unwrap();
    client.send(format!("CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    let status = client.response().map_or(0, |response| response.status);
    proxy.close();
    agent.join().unwrap();
    status
}

#[test]
fn only_a_clear_yes_on_the_control_channel_is_a_yes() {
    for (answer, status) in [
        // `.invalid` never resolves (RFC 6761), so a yes ends at the lookup.
        (r#"{"type":"answer","id":ID,"answer":"allow"}"#, 502),
        (r#"{"type":"answer","id":ID,"answer":"always"}"#, 502),
        (r#"{"type":"answer","id":ID,"answer":"deny"}"#, 403),
        (r#"{"type":"answer","id":ID,"answer":"Allow"}"#, 403),
        (r#"{"type":"answer","id":ID,"answer":true}"#, 403),
        (r#"{"type":"answer","id":ID}"#, 403),
        ("CLOSE", 403),
    ] {
        let found = with_channel(
            move |mut stream| {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                assert!(lines.next().unwrap().unwrap().contains(r#""type":"hello""#));
                let question: serde_json::Value =
                    serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
                assert_eq!(question["host"], "new.invalid");
                assert_eq!(question["port"], 443);
                assert_eq!(question["sandbox"], "box");
                // Answers to no question and lines that are no JSON change nothing.
                if answer != "CLOSE" {
                    stream
                        .write_all(
                            b"{\"type\":\"answer\",\"id\":999,\"answer\":\"allow\"}\nnonsense\n",
                        )
                        .unwrap();
                    let line = answer.replace("ID", &question["id"].to_string());
                    stream.write_all(format!("{line}\n").as_bytes()).unwrap();
                }
            },
            "new.invalid:443",
        );
        assert_eq!(found, status, "{answer}");
    }
}

#[test]
fn the_stub_answers_what_may_be_reached_and_asks_nobody() {
    let mut policy = NetworkPolicy::default();
    policy.unlisted = Unlisted::Locked;
    policy.allow("api.example.com", true);
    let setup = Setup { outside: Reach::Server(Behaviour::Echo), ..Setup::default() };
    let world =
        World::start(Setup { others: Some(IpAddr::from([93, 184, 216, 34])), ..setup }, policy)
            .unwrap();
    let stub = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = stub.local_addr().unwrap();
    world.proxy.add(Handover::new("test", Listener::Dns(stub))).unwrap();
    let query = |name: &str| {
        let mut bytes = vec![1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            bytes.push(u8::try_from(label.len()).unwrap());
            bytes.extend(label.as_bytes());
        }
        bytes.extend([0, 0, 1, 0, 1]);
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        socket.send_to(&bytes, at).unwrap();
        let mut reply = [0; 512];
        let length = socket.recv(&mut reply).unwrap();
        reply[..length].to_vec()
    };
    let denied = query("evil.test");
    assert_eq!((denied[3] & 15, denied[7]), (3, 0));
    let allowed = query("api.example.com");
    assert_eq!((allowed[3] & 15, allowed[7]), (0, 1));
    let address = &allowed[allowed.len() - 4..];
    assert_eq!(&address[..2], [198, 18]);
    assert_eq!(world.record.lookups(), Vec::<String>::new());
    // A client that looked the name up itself gets what the name gets.
    let target = format!("{}.{}.{}.{}:443", address[0], address[1], address[2], address[3]);
    assert_eq!(ask(&world, &target), 200);
    assert_eq!(world.record.lookups(), ["api.example.com"]);
    assert_eq!(ask(&world, "198.18.77.77:443"), 403);
}

#[test]
fn caught_connections_go_where_they_meant_to() {
    for (allowed, works) in [(true, true), (false, false)] {
        let mut policy = NetworkPolicy::default();
        if allowed {
            policy.allow("127.0.0.1", true);
        }
        let setup = Setup { outside: Reach::Server(Behaviour::Echo), ..Setup::default() };
        let world = World::start(setup, policy).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        world.proxy.add(Handover::new("test", Listener::Transparent(listener))).unwrap();
        let mut client = Client::connect(at).unwrap();
        client.send(b"ping");
        assert_eq!(client.exactly(4) == b"ping", works);
        assert_eq!(world.record.dials(), if works { vec![at] } else { Vec::new() });
        // The same connection with a hello for somebody else is cut.
        let mut client = Client::connect(at).unwrap();
        client.send(&Hello::to("evil.test").bytes());
        assert!(client.ends_within(Duration::from_secs(5)));
    }
}

#[test]
fn connections_end_with_the_proxy_and_it_closes_quickly() {
    let mut policy = NetworkPolicy::default();
    policy.allow("api.example.com", true);
    let setup = Setup {
        others: Some(IpAddr::from([93, 184, 216, 34])),
        outside: Reach::Server(Behaviour::Echo),
        ..Setup::default()
    };
    let world = World::start(setup, policy).unwrap();
    let mut clients: Vec<_> = (0..20)
        .map(|_| {
            let mut client = Client::connect(world.address).unwrap();
            client.send(b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n");
            assert_eq!(client.response().unwrap().status, 200);
            client
        })
        .collect();
    let started = Instant::now();
    world.proxy.close();
    assert!(started.elapsed() < Duration::from_secs(2));
    assert!(clients.iter_mut().all(|client| client.ends_within(Duration::from_secs(2))));
    assert!(Client::connect(world.address).is_err());
}
