//! A terminal with a person at it who types and reads.

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long an answer may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A terminal with a program on it.
#[derive(Debug)]
pub struct Terminal {
    /// Nothing once it was hung up.
    master: Option<File>,
    over: Arc<AtomicBool>,
    reader: Option<thread::JoinHandle<()>>,
    child: Child,
    seen: Arc<Mutex<Vec<u8>>>,
    read: usize,
}

impl Terminal {
    /// Starts a program as the leader of a session on a terminal of its own.
    pub fn start(command: &Command) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let name = name.to_str().map_err(io::Error::other)?;
        let slave =
            OpenOptions::new().read(true).write(true).custom_flags(NO_CONTROLLING).open(name)?;
        std::os::unix::fs::fchown(&slave, Some(4321), Some(4321))?;
        let mut session = Command::new("setsid");
        session.args(["--ctty", "--wait"]).arg(command.get_program()).args(command.get_args());
        session.env_clear();
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                session.env(name, value);
            }
        }
        if let Some(folder) = command.get_current_dir() {
            session.current_dir(folder);
        }
        session.stdin(slave.try_clone()?).stdout(Stdio::from(slave.try_clone()?)).stderr(slave);
        let child = session.spawn()?;
        let master = File::from(master);
        let seen = Arc::new(Mutex::new(Vec::new()));
        // So that the reader can let go of it, and the terminal be hung up.
        rustix::io::ioctl_fionbio(&master, true)?;
        let mut from = master.try_clone()?;
        let into = Arc::clone(&seen);
        let over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&over);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while !stop.load(Ordering::Relaxed) {
                match from.read(&mut buffer) {
                    Ok(size @ 1..) => {
                        let read = buffer.get(..size).unwrap_or_default();
                        into.lock().unwrap_or_else(PoisonError::into_inner).extend(read);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        thread::sleep(Duration::from_millis(2));
                    }
                    // A terminal nobody holds open any more reads as an error.
                    Ok(_) | Err(_) => return,
                }
            }
        });
        Ok(Self { master: Some(master), over, reader: Some(reader), child, seen, read: 0 })
    }

    fn master(&self) -> io::Result<&File> {
        self.master.as_ref().ok_or_else(|| io::Error::other("it was hung up"))
    }

    /// Closes the person's side, as when a window is closed or a connection lost.
    pub fn hang_up(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            // It only reads.
            reader.join().ok();
        }
        self.master = None;
    }

    /// Types.
    pub fn write(&mut self, text: &str) -> io::Result<()> {
        (&mut self.master()?).write_all(text.as_bytes())
    }

    /// Reads on until a text appears, and says what came before it.
    pub fn wait_for(&mut self, text: &str) -> io::Result<String> {
        let started = Instant::now();
        loop {
            let all = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let fresh =
                String::from_utf8_lossy(all.get(self.read..).unwrap_or_default()).into_owned();
            if let Some(at) = fresh.find(text) {
                self.read += at + text.len();
                return Ok(fresh.chars().take(at).collect());
            }
            if started.elapsed() > PATIENCE {
                return Err(io::Error::other(format!("no `{text}` in: {fresh}")));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Makes the window another size.
    pub fn resize(&self, rows: u16, columns: u16) -> io::Result<()> {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        Ok(tcsetwinsize(self.master()?, size)?)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// `O_NOCTTY`: the terminal is for the program, not for us.
const NO_CONTROLLING: i32 = 0o400;
