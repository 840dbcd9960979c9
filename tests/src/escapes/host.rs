//! The host side of the throw-away machine: servers that must not be reached, a process that must not
//! be seen, and an editor that saves files while a probe runs.

use super::{Identity, fixture, world};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{PermissionsExt, lchown};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// An address of the kind clouds keep their metadata under; it belongs to this machine's loopback.
pub const METADATA: &str = "169.254.77.77";
/// An address that is nobody's, to send to.
const NOBODYS: &str = "192.0.2.1";
/// How many processes stand around the victim.
const CROWD: &str = "45";
/// How often the host looks for wishes.
const TICK: Duration = Duration::from_millis(5);
/// How long a killed process may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// The servers of the host.
#[derive(Debug)]
pub struct Host {
    /// The port of its TCP server, on both loopback addresses.
    pub tcp: u16,
    /// The port of its UDP server.
    pub udp: u16,
    /// Every process that belongs to the host.
    keep: BTreeSet<i32>,
}

/// Who the files that the host writes belong to.
static OWNER: AtomicU32 = AtomicU32::new(0);

impl Host {
    /// Starts everything that listens.
    pub fn start() -> io::Result<Self> {
        let output = helper("plant").args([METADATA, NOBODYS]).output()?;
        if !output.stderr.is_empty() {
            let complaint = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!("planting: {complaint}")));
        }
        let tcp = TcpListener::bind("127.0.0.1:0")?;
        let port = tcp.local_addr()?.port();
        serve_tcp(tcp);
        serve_tcp(TcpListener::bind(("::1", port))?);
        serve_tcp(TcpListener::bind((METADATA, 80))?);
        let udp = UdpSocket::bind("127.0.0.1:0")?;
        let udp_port = udp.local_addr()?.port();
        thread::spawn(move || {
            while let Ok((_, from)) = udp.recv_from(&mut [0; 512]) {
                udp.send_to(b"S", from).ok();
            }
        });

        fs::create_dir_all(fixture::RUNTIME)?;
        for path in ["/run/user/4321", "/run/user/0", "/tmp/.X11-unix", "/tmp/tmux-4321"] {
            fs::create_dir_all(path)?;
        }
        let user = Identity::User.number();
        // Where there is only one user, it is the one already.
        lchown("/run/user/4321", Some(user), Some(user)).ok();
        for path in [
            "/run/pc/host.sock",
            "/run/pc/allowed.sock",
            "/run/docker.sock",
            "/run/user/4321/bus",
            "/run/user/0/bus",
            "/tmp/.X11-unix/X0",
            "/tmp/tmux-4321/default",
        ] {
            serve_unix(UnixListener::bind(path)?);
            fs::set_permissions(path, Permissions::from_mode(0o777))?;
            lchown(path, Some(user), Some(user)).ok();
        }
        let datagrams = UnixDatagram::bind("/run/pc/host.dgram")?;
        fs::set_permissions("/run/pc/host.dgram", Permissions::from_mode(0o777))?;
        thread::spawn(move || while datagrams.recv(&mut [0; 512]).is_ok() {});
        let abstract_name = SocketAddr::from_abstract_name("pcabs")?;
        serve_unix(UnixListener::bind_addr(&abstract_name)?);
        let abstract_name = SocketAddr::from_abstract_name("pcabsd")?;
        let datagrams = UnixDatagram::bind_addr(&abstract_name)?;
        thread::spawn(move || while datagrams.recv(&mut [0; 512]).is_ok() {});

        thread::spawn(answer_wishes);
        Ok(Self { tcp: port, udp: udp_port, keep: processes()? })
    }

    /// Plants the fixture anew for one probe, with a fresh victim.
    pub fn prepare(identity: Identity) -> io::Result<Victim> {
        OWNER.store(identity.number(), Ordering::Relaxed);
        fixture::plant(identity)?;
        fixture::plant_second_name()?;
        let mut command = Command::new(format!("{}/carrier", world::HELPERS));
        // The carrier changes the user and becomes no other process: the victim is its child.
        command.args([&identity.number().to_string(), fixture::HOME]);
        command.arg(format!("{}/pchostvictim", world::HELPERS));
        command.args(["/home/pc/.ssh/id_rsa", "/home/ctl/signalled", CROWD]);
        command.current_dir(fixture::PROJECT).env_clear();
        command.env("PCVICTIM", "PCSECRET").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut line = [0; 6];
        let mut stdout = child.stdout.take().ok_or_else(|| io::Error::other("no pipe"))?;
        stdout.read_exact(&mut line)?;
        let number = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id()))?;
        let number = number.trim().parse().map_err(io::Error::other)?;
        Ok(Victim { carrier: child, number })
    }

    /// Ends every process that is not the host's own, and collects what ended.
    pub fn sweep(&self) -> io::Result<()> {
        let started = Instant::now();
        loop {
            while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
            let strays: Vec<_> = processes()?.difference(&self.keep).copied().collect();
            if strays.is_empty() {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                let what = strays.iter().map(|stray| status(*stray)).collect::<Vec<_>>();
                return Err(io::Error::other(format!("these do not end: {}", what.join(", "))));
            }
            for stray in strays.into_iter().filter_map(Pid::from_raw) {
                // It may have ended by itself.
                kill_process(stray, Signal::KILL).ok();
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// The process that must not be touched.
#[derive(Debug)]
pub struct Victim {
    carrier: Child,
    /// Its process number.
    pub number: i32,
}

impl Victim {
    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        let state = fs::read_to_string(format!("/proc/{}/stat", self.number)).unwrap_or_default();
        state.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
    }

    /// Ends it.
    pub fn end(mut self) -> io::Result<()> {
        if let Some(process) = Pid::from_raw(self.number) {
            kill_process(process, Signal::KILL).ok();
        }
        self.carrier.kill()?;
        self.carrier.wait().map(drop)
    }
}

fn helper(name: &str) -> Command {
    let mut command = Command::new(format!("{}/{name}", world::HELPERS));
    command.stdin(Stdio::null());
    command
}

fn serve_tcp(listener: TcpListener) {
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // The other side may be gone already.
            stream.write_all(b"S").ok();
        }
    });
}

fn serve_unix(listener: UnixListener) {
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            stream.write_all(b"S").ok();
        }
    });
}

/// Does what probes ask the host for, as a person's editor or build would do it meanwhile.
fn answer_wishes() {
    loop {
        for (wish, grant) in WISHES {
            let path = Path::new(fixture::CONTROL).join(wish);
            if path.exists() {
                let granted = grant();
                // The probe sees that the wish is gone, and goes on.
                if granted.is_ok() {
                    fs::remove_file(&path).ok();
                }
            }
        }
        thread::sleep(TICK);
    }
}

type Wish = (&'static str, fn() -> io::Result<()>);

const WISHES: &[Wish] = &[
    ("want-new-env", || {
        fs::create_dir_all("/home/pc/proj/late")?;
        save("/home/pc/proj/late/.env")
    }),
    ("want-saved-env", || save("/home/pc/proj/.env")),
    ("want-saved-key", || save("/home/pc/.ssh/id_rsa")),
    ("want-new-ssh", || {
        fs::rename("/home/pc/.ssh", "/home/pc/.ssh-old")?;
        fs::create_dir("/home/pc/.ssh")?;
        save("/home/pc/.ssh/id_rsa")
    }),
    ("want-new-secrets", || {
        fs::rename("/home/pc/proj/secrets", "/home/other/moved-away")?;
        fs::create_dir("/home/pc/proj/secrets")?;
        save("/home/pc/proj/secrets/one")
    }),
    ("want-renamed-sub", || {
        fs::rename("/home/pc/proj/sub", "/home/pc/proj/renamed")?;
        save("/home/pc/proj/renamed/deep/.env")
    }),
    ("want-restless-sub", || {
        // Away to where no rule denies what is in it, and back, all the time.
        for _ in 0..1000 {
            fs::rename("/home/pc/proj/sub", "/home/pc/sub")?;
            thread::sleep(Duration::from_micros(100));
            fs::rename("/home/pc/sub", "/home/pc/proj/sub")?;
            thread::sleep(Duration::from_micros(100));
        }
        Ok(())
    }),
    ("want-new-git", || {
        fs::rename("/home/pc/proj/.git", "/home/pc/git-old")?;
        fs::create_dir_all("/home/pc/proj/.git/hooks")?;
        fs::write("/home/pc/proj/.git/config", "[core]\n")?;
        for path in ["/home/pc/proj/.git", "/home/pc/proj/.git/hooks", "/home/pc/proj/.git/config"]
        {
            own(path)?;
        }
        Ok(())
    }),
    ("want-look-tmp", || look("/tmp/pc-new", "seen-tmp")),
    ("want-look-shm", || look("/dev/shm/pc-new", "seen-shm")),
    ("want-look-dev", || look("/dev/pc-new", "seen-dev")),
    ("want-saved-frozen", || save("/home/pc/proj/frozen/file")),
];

/// Tells a probe whether the host sees what it wrote, and removes it.
fn look(path: &str, mark: &str) -> io::Result<()> {
    if Path::new(path).exists() {
        fs::remove_file(path)?;
        fs::write(Path::new(fixture::CONTROL).join(mark), "")?;
    }
    Ok(())
}

/// Writes a secret beside a file and renames it into place, as editors save.
fn save(path: &str) -> io::Result<()> {
    let beside = format!("{path}.saving");
    fs::write(&beside, "TOKEN=PCSECRET\n")?;
    own(&beside)?;
    if let Some(folder) = Path::new(path).parent() {
        own(folder)?;
    }
    fs::rename(beside, path)
}

fn own(path: impl AsRef<Path>) -> io::Result<()> {
    let owner = OWNER.load(Ordering::Relaxed);
    lchown(path, Some(owner), Some(owner))
}

fn status(process: i32) -> String {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    text.lines().take(7).collect::<Vec<_>>().join(" ")
}

fn processes() -> io::Result<BTreeSet<i32>> {
    let names = fs::read_dir("/proc")?.flatten();
    Ok(names.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}
