//! Many connections: descriptors and memory stay flat. One test, because it counts what the process has.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_proxy::{Handover, Limits, Listener, NetworkPolicy};
use portcullis_tests::proxy::client::Client;
use portcullis_tests::proxy::upstream::Behaviour;
use portcullis_tests::proxy::world::{Reach, Setup, World};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn many_connections_leave_nothing_behind() {
    let most = raise_descriptors();
    slow_readers_and_long_bodies_fill_no_memory();
    idle_connections_leave_room_for_others(most);
    sandboxes_end_and_the_others_go_on();
    every_descriptor_comes_back();
}

fn world(behaviour: Behaviour, limits: Limits) -> World {
    let mut policy = NetworkPolicy::default();
    policy.allow("api.example.com", true);
    let setup = Setup {
        others: Some(IpAddr::from([93, 184, 216, 34])),
        outside: Reach::Server(behaviour),
        limits,
        forgets: true,
        ..Setup::default()
    };
    World::start(setup, policy).unwrap()
}

fn tunnel(world: &World) -> Client {
    tunnel_at(world.address)
}

fn tunnel_at(address: SocketAddr) -> Client {
    let mut client = Client::connect(address).unwrap();
    client.send(b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.response().unwrap().status, 200);
    client
}

fn idle_connections_leave_room_for_others(most: u64) {
    // Each has two ends in this process.
    let room = usize::try_from(most.saturating_sub(200) / 2).unwrap();
    let count = room.min(10_000);
    if count < 10_000 {
        say(&format!(
            "SKIP 10,000 idle connections: this process may open {most} descriptors, so {count}"
        ));
    }
    let limits = Limits {
        connections: count + 10,
        handshake: Duration::from_secs(300),
        ..Limits::default()
    };
    let world = world(Behaviour::Echo, limits);
    let before = memory();
    let idle: Vec<_> = (0..count)
        .map(|_| {
            let mut client = Client::connect(world.address).unwrap();
            client.send(b"C");
            client
        })
        .collect();
    settle(|| world.proxy.connections() == count);
    let grown = memory().saturating_sub(before);
    say(&format!("{count} idle connections: {grown} KiB"));
    assert!(grown < 200 * 1024, "{grown} KiB");
    let started = Instant::now();
    let mut client = tunnel(&world);
    client.send(b"ping");
    assert_eq!(client.exactly(4), b"ping");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    drop(idle);
    drop(client);
    settle(|| world.proxy.connections() == 0);
    world.proxy.close();
}

fn slow_readers_and_long_bodies_fill_no_memory() {
    let source = world(Behaviour::Source(1 << 30), Limits::default());
    let held: Vec<_> = (0..8).map(|_| tunnel(&source)).collect();
    thread::sleep(Duration::from_millis(300));
    let before = memory();
    thread::sleep(Duration::from_secs(1));
    let grown = memory().saturating_sub(before);
    assert!(grown < 8 * 512, "slow readers: {grown} KiB");
    drop(held);
    source.proxy.close();

    let sink = world(Behaviour::Http, Limits::default());
    let mut client = Client::connect(sink.address).unwrap();
    client.send(
        b"POST http://api.example.com/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n",
    );
    let block = vec![b'x'; 1 << 20];
    // The first MiB is kept by the server of the test.
    for _ in 0..16 {
        assert!(client.send(&block));
    }
    let before = memory();
    for _ in 0..256 {
        assert!(client.send(&block));
    }
    let grown = memory().saturating_sub(before);
    assert!(grown < 1024, "a long body: {grown} KiB");
    sink.proxy.close();
}

fn sandboxes_end_and_the_others_go_on() {
    let world = world(Behaviour::Echo, Limits::default());
    let mut stays = tunnel(&world);
    // Only now does the server have its end.
    stays.send(b"ping");
    assert_eq!(stays.exactly(4), b"ping");
    let before = descriptors();
    for _ in 0..30 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stub = UdpSocket::bind("127.0.0.1:0").unwrap();
        world.proxy.add(Handover::new("passing", Listener::Proxy(listener))).unwrap();
        world.proxy.add(Handover::new("passing", Listener::Dns(stub))).unwrap();
        let mut clients: Vec<_> = (0..10).map(|_| tunnel_at(address)).collect();
        let mut waiting = Client::connect(address).unwrap();
        waiting.send(b"CONN");
        clients.push(waiting);
        world.proxy.remove("passing").unwrap();
        assert!(clients.iter_mut().all(|client| client.ends_within(Duration::from_secs(5))));
        assert!(Client::connect(address).is_err(), "somebody still listens");
        assert_eq!(world.proxy.connections(), 1);
    }
    stays.send(b"ping");
    assert_eq!(stays.exactly(4), b"ping");
    // The server's ends of the tunnels close a moment later.
    settle(|| descriptors() <= before);
    world.proxy.remove("nobody").unwrap();
    world.proxy.close();
}

fn every_descriptor_comes_back() {
    let full = std::env::var("PORTCULLIS_FULL").is_ok_and(|value| value == "1");
    let count = if full { 100_000 } else { 3_000 };
    say(&format!("{count} connections"));
    let world = world(Behaviour::Echo, Limits::default());
    let round = |count: usize| {
        thread::scope(|scope| {
            for part in 0..4 {
                let world = &world;
                scope.spawn(move || {
                    for index in 0..count / 4 {
                        converse(world, part + index);
                    }
                });
            }
        });
        settle(|| world.proxy.connections() == 0);
    };
    round(1_000);
    // The servers of the test are done a moment later.
    thread::sleep(Duration::from_millis(500));
    let (descriptors, resident) = (descriptors(), memory());
    round(count);
    settle(|| self::descriptors() <= descriptors);
    assert!(self::descriptors() <= descriptors, "{} and then {}", descriptors, self::descriptors());
    let grown = memory().saturating_sub(resident);
    say(&format!("{grown} KiB more after {count} connections"));
    // However many there were: a leaked connection would cost some KiB.
    assert!(grown < 8 * 1024, "{grown} KiB");
    world.proxy.close();
    // The server's listener and what the test harness has stay.
    assert!(self::descriptors() < descriptors, "closing gave nothing back");
}

/// Ends in each of the ways clients end.
fn converse(world: &World, index: usize) {
    match index % 6 {
        0 | 1 => {
            let mut client = tunnel(world);
            client.send(b"ping");
            assert_eq!(client.exactly(4), b"ping");
        }
        2 => {
            let mut client = tunnel(world);
            client.send(b"ping");
            client.exactly(4);
            client.reset();
        }
        3 => {
            let mut client = tunnel(world);
            client.send(b"ping");
            client.finish();
            assert_eq!(client.rest(), b"ping");
        }
        4 => {
            let mut client = Client::connect(world.address).unwrap();
            client.send(b"CONNECT evil.test:443 HTTP/1.1\r\nHost: x\r\n\r\n");
            assert_eq!(client.response().unwrap().status, 403);
        }
        _ => {
            let mut client = Client::connect(world.address).unwrap();
            client.send(b"CONN");
        }
    }
}

#[expect(clippy::print_stdout, reason = "a skip and what was measured are printed")]
fn say(text: &str) {
    println!("{text}");
}

fn settle(done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() && started.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(20));
    }
    assert!(done(), "still not after {:?}", started.elapsed());
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Resident memory of the process in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Raises the soft limit to the hard one; gives it.
fn raise_descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(65_536).min(65_536);
    setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: limit.maximum }).unwrap();
    most
}
