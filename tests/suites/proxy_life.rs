//! What ends when: sandboxes within a running proxy, clients that vanish, servers that never answer.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_proxy::{Handover, Limits, Listener, NetworkPolicy};
use portcullis_tests::proxy::client::Client;
use portcullis_tests::proxy::upstream::Behaviour;
use portcullis_tests::proxy::world::{Reach, Setup, World};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

fn world(behaviour: Behaviour) -> World {
    let mut policy = NetworkPolicy::default();
    policy.allow("api.example.com", true);
    let setup = Setup {
        others: Some(IpAddr::from([93, 184, 216, 34])),
        outside: Reach::Server(behaviour),
        limits: Limits { handshake: Duration::from_secs(120), ..Limits::default() },
        ..Setup::default()
    };
    World::start(setup, policy).unwrap()
}

fn tunnel(to: SocketAddr) -> Client {
    let mut client = Client::connect(to).unwrap();
    client.send(b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.response().unwrap().status, 200);
    client
}

fn ends(world: &World) -> bool {
    let started = Instant::now();
    while world.proxy.connections() > 0 && started.elapsed() < Duration::from_secs(10) {
        thread::sleep(Duration::from_millis(10));
    }
    world.proxy.connections() == 0
}

#[test]
fn a_client_that_vanishes_behind_its_end_is_noticed() {
    // A server that goes on after the client's end keeps the other direction open, with nothing to say.
    let deaf = world(Behaviour::Deaf);
    let client = tunnel(deaf.address);
    client.finish();
    thread::sleep(Duration::from_millis(200));
    assert_eq!(deaf.proxy.connections(), 1, "a client that only ended its side is still served");
    client.reset();
    assert!(ends(&deaf), "the tunnel stays open for nobody");
}

#[test]
fn a_client_that_vanishes_before_its_answer_is_noticed() {
    let silent = world(Behaviour::Sink);
    for request in [
        &b"GET http://api.example.com/ HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        b"POST http://api.example.com/ HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok",
    ] {
        let mut client = Client::connect(silent.address).unwrap();
        client.send(request);
        thread::sleep(Duration::from_millis(200));
        assert_eq!(silent.proxy.connections(), 1);
        client.reset();
        assert!(ends(&silent), "the request stays open for nobody");
    }
}

#[test]
fn what_one_sandbox_looks_up_changes_nothing_for_another() {
    let world = world(Behaviour::Echo);
    let address_in = |sandbox: &str| {
        let stub = UdpSocket::bind("127.0.0.1:0").unwrap();
        let at = stub.local_addr().unwrap();
        world.proxy.add(Handover::new(sandbox, Listener::Dns(stub))).unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let query = b"\x01\x02\x01\0\0\x01\0\0\0\0\0\0\x03api\x07example\x03com\0\0\x01\0\x01";
        socket.send_to(query, at).unwrap();
        let mut reply = [0; 512];
        let length = socket.recv(&mut reply).unwrap();
        let octets: [u8; 4] = reply[length - 4..length].try_into().unwrap();
        IpAddr::from(octets)
    };
    // The sandbox of the world's listener is named `test`.
    let other = address_in("other");
    let connect = |to: IpAddr| {
        let mut client = Client::connect(world.address).unwrap();
        client.send(format!("CONNECT {to}:443 HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        client.response().unwrap().status
    };
    assert_eq!(connect(other), 403);
    let own = address_in("test");
    assert_eq!(connect(own), 200);
    world.proxy.remove("other").unwrap();
    assert_eq!(connect(own), 200);
}
