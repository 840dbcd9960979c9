//! Unix sockets under the supervisor.

use crate::support::{SOCKETS, World, anywhere, path, rule};
use portcullis_profile::{Access, Effect, Reach};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const ROLE: &str = "PORTCULLIS_TEST_SUBJECT";

fn subject(role: &str, directory: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "sockets::the_program_under_the_filter", "--nocapture"]);
    command.env(ROLE, role).current_dir(directory);
    command
}

#[test]
fn the_program_under_the_filter() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    match role.as_str() {
        "outside" => outside(),
        "inside" => inside(),
        other => panic!("no role {other}"),
    }
    println!("DONE {role}");
}

#[test]
fn sockets_outside_are_reached_only_where_allowed() {
    let (dir, host) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let denied = UnixListener::bind(host.path().join("denied")).unwrap();
    let allowed = UnixListener::bind(host.path().join("allowed")).unwrap();
    let datagrams = UnixDatagram::bind(host.path().join("datagrams")).unwrap();
    let planted = UnixListener::bind(dir.path().join("planted")).unwrap();
    let name = format!("portcullis-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let hidden = UnixListener::bind_addr(&address).unwrap();
    for listener in [&denied, &planted, &hidden, &allowed] {
        listener.set_nonblocking(true).unwrap();
    }
    datagrams.set_nonblocking(true).unwrap();
    symlink(host.path(), dir.path().join("host")).unwrap();
    let mut world = World::writing(dir.path(), SOCKETS);
    let reach = Reach::Path(path(&host.path().join("allowed")));
    world.sockets.push(rule(Access::Write, Effect::Allow, reach));
    let (output, denials) =
        world.run(subject("outside", dir.path()).env("ABSTRACT", &name).env("HOST", host.path()));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("DONE outside") && !text.contains("LEAK"), "{text}");
    assert!(text.contains("allowed works"), "{text}\n{denials:#?}");
    assert!(denied.accept().is_err() && planted.accept().is_err() && hidden.accept().is_err());
    assert!(allowed.accept().is_ok());
    assert!(datagrams.recv(&mut [0; 8]).is_err());
    assert!(denials.iter().any(|denial| denial.operation == "connect"), "{denials:#?}");
    assert!(denials.iter().any(|denial| denial.operation == "sendto"), "{denials:#?}");
}

fn outside() {
    let host = std::env::var("HOST").unwrap();
    let tell = |way: &str, worked: bool| {
        if worked {
            println!("LEAK {way}");
        }
    };
    tell("path", UnixStream::connect(format!("{host}/denied")).is_ok());
    tell("symlink", UnixStream::connect("host/denied").is_ok());
    let held = rustix::fs::open(
        format!("{host}/denied"),
        rustix::fs::OFlags::PATH,
        rustix::fs::Mode::empty(),
    )
    .unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&held);
    tell("descriptor", UnixStream::connect(format!("/proc/self/fd/{number}")).is_ok());
    tell("planted", UnixStream::connect("planted").is_ok());
    let name = std::env::var("ABSTRACT").unwrap();
    let address = SocketAddr::from_abstract_name(name).unwrap();
    tell("abstract", UnixStream::connect_addr(&address).is_ok());
    let datagram = UnixDatagram::unbound().unwrap();
    tell("sendto", datagram.send_to(b"x", format!("{host}/datagrams")).is_ok());
    tell("datagram connect", datagram.connect(format!("{host}/datagrams")).is_ok());
    let (one, _two) = UnixDatagram::pair().unwrap();
    tell("socketpair", one.send_to(b"x", "host/datagrams").is_ok());
    if UnixStream::connect(format!("{host}/allowed")).is_ok() {
        println!("allowed works");
    }
}

#[test]
fn sockets_inside_work() {
    let dir = TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join(".git/hooks")).unwrap();
    let world = World::writing(dir.path(), SOCKETS)
        .deny(Access::Write, anywhere(dir.path(), &[".git", "hooks"]));
    let (output, denials) = world.run(&mut subject("inside", dir.path()));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("DONE inside"), "{text}\n{errors}\n{denials:#?}");
    assert!(!dir.path().join(".git/hooks/socket").exists());
}

fn inside() {
    // A stream, by a name with a directory, and by a longer one.
    fs::create_dir("run").unwrap();
    let listener = UnixListener::bind("run/own.sock").unwrap();
    let mut client = UnixStream::connect("run/own.sock").unwrap();
    let (mut server, _) = listener.accept().unwrap();
    client.write_all(b"hello").unwrap();
    let mut buffer = [0; 5];
    server.read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"hello");
    assert!(UnixListener::bind("run/own.sock").is_err());
    assert!(UnixListener::bind(".git/hooks/socket").is_err());
    // Renamed, it is the same socket.
    fs::rename("run/own.sock", "moved.sock").unwrap();
    UnixStream::connect("moved.sock").unwrap();
    assert!(UnixStream::connect("run/own.sock").is_err());
    // Datagrams, with and without an address.
    let receiver = UnixDatagram::bind("datagrams").unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    sender.send_to(b"one", "datagrams").unwrap();
    sender.connect("datagrams").unwrap();
    sender.send(b"two").unwrap();
    let mut buffer = [0; 16];
    assert_eq!(receiver.recv(&mut buffer).unwrap(), 3);
    assert_eq!(receiver.recv(&mut buffer).unwrap(), 3);
    // A descriptor travels.
    let (one, two) = UnixStream::pair().unwrap();
    let (reading, writing) = std::io::pipe().unwrap();
    send_descriptor(&one, &writing);
    drop(writing);
    let received = receive_descriptor(&two);
    fs::File::from(received).write_all(b"through").unwrap();
    let mut text = String::new();
    let mut reading = reading;
    reading.read_to_string(&mut text).unwrap();
    assert_eq!(text, "through");
    // A full stream waits for its reader, and others are answered meanwhile.
    let (big, mut small) = UnixStream::pair().unwrap();
    let writer = std::thread::spawn(move || {
        let content = vec![7; 4 << 20];
        let mut rest = content.as_slice();
        while !rest.is_empty() {
            let vector = [std::io::IoSlice::new(rest)];
            let mut none = rustix::net::SendAncillaryBuffer::default();
            let flags = rustix::net::SendFlags::empty();
            let sent = rustix::net::sendmsg(&big, &vector, &mut none, flags).unwrap();
            rest = rest.split_at(sent).1;
        }
    });
    std::thread::sleep(std::time::Duration::from_millis(100));
    fs::write("meanwhile", "x").unwrap();
    let mut content = Vec::new();
    small.read_to_end(&mut content).unwrap();
    writer.join().unwrap();
    assert_eq!(content.len(), 4 << 20);
    // The internet family on loopback.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    client.write_all(b"tcp").unwrap();
    drop(client);
    let mut text = String::new();
    server.read_to_string(&mut text).unwrap();
    assert_eq!(text, "tcp");
    let (a, b) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    a.send_to(b"udp", b.local_addr().unwrap()).unwrap();
    assert_eq!(b.recv(&mut buffer).unwrap(), 3);
    // Refusals are the kernel's.
    let refused = UnixStream::connect("absent").unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::NotFound);
    let refused = UnixStream::connect("meanwhile").unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

fn send_descriptor(socket: &UnixStream, file: &std::io::PipeWriter) {
    use std::os::fd::AsFd;
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = rustix::net::SendAncillaryBuffer::new(&mut space);
    let files = [file.as_fd()];
    assert!(control.push(rustix::net::SendAncillaryMessage::ScmRights(&files)));
    let content = [std::io::IoSlice::new(b"x")];
    rustix::net::sendmsg(socket, &content, &mut control, rustix::net::SendFlags::empty()).unwrap();
}

fn receive_descriptor(socket: &UnixStream) -> std::os::fd::OwnedFd {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = rustix::net::RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let mut content = [std::io::IoSliceMut::new(&mut byte)];
    rustix::net::recvmsg(socket, &mut content, &mut control, rustix::net::RecvFlags::empty())
        .unwrap();
    control
        .drain()
        .find_map(|message| match message {
            rustix::net::RecvAncillaryMessage::ScmRights(mut files) => files.next(),
            _ => None,
        })
        .unwrap()
}
