//! Runs a program in real bash, bounded in time and processes, as nobody where that is possible.
//!
//! A run owns a fresh folder: `home` is the working directory of the program, the rest is ours.
//! It has ended when nothing holds its output any more, so background commands are waited for.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Where bash is; the programs themselves get another PATH.
const BASH: &str = "/bin/bash";
/// How long a program may run. The longest of ours sleeps a tenth of a second; a loaded machine
/// needs some air.
const DEADLINE: Duration = Duration::from_secs(5);
/// The user and group called nobody: a program that does what it should not cannot hurt the machine.
const NOBODY: u32 = 65534;
/// Set before the program, by a shell that then becomes it. A program that forks without end stops
/// here (root would not, which is one more reason to run as nobody).
const LIMITS: &str =
    "ulimit -c 0 -u 2000 -f 4096 2>/dev/null; exec /bin/bash --norc --noprofile -c \"$1\"";

/// A fresh folder to run one program in.
#[derive(Debug)]
pub struct Run {
    folder: tempfile::TempDir,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, and everything it started too.
    Done,
    /// It was killed when its time was over.
    Overdue,
}

impl Run {
    /// Makes the folder.
    pub fn new() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("portcullis-run-").tempdir()?;
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        let run = Self { folder };
        run.folder_beside("home")?;
        Ok(run)
    }

    /// What the program sees as its working directory.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A file beside the working directory, which the program finds only if it is told.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file beside the working directory that the program may append to.
    pub fn write_beside(&self, name: &str, text: &str, mode: u32) -> io::Result<PathBuf> {
        let path = self.beside(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, Permissions::from_mode(mode))?;
        Ok(path)
    }

    /// Makes a folder beside the working directory that the program may write to.
    pub fn folder_beside(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.beside(name);
        fs::create_dir(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(0o777))?;
        Ok(path)
    }

    /// Runs a program to its end.
    pub fn execute<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        &self,
        program: &str,
        environment: impl IntoIterator<Item = (K, V)>,
    ) -> io::Result<Ending> {
        let mut command = Command::new(BASH);
        command.args(["--norc", "--noprofile", "-c", LIMITS, "limits", program]);
        command.env_clear().envs(environment).current_dir(self.home()).process_group(0);
        if is_root()? {
            command.uid(NOBODY).gid(NOBODY);
        }
        let (mut output, writer) = io::pipe()?;
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        let mut child = command.spawn()?;
        // The command holds write ends too; the output ends only when the last of them is closed.
        drop(command);
        let (sender, ended) = mpsc::channel();
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while output.read(&mut buffer).is_ok_and(|read| read > 0) {}
            // Nobody listens any more when the deadline has passed.
            sender.send(()).ok();
        });
        let ending = match ended.recv_timeout(DEADLINE) {
            Ok(()) => Ending::Done,
            Err(_) => Ending::Overdue,
        };
        self.end(&mut child, ending)?;
        if ending == Ending::Done {
            reader.join().ok();
        }
        Ok(ending)
    }

    /// The files below the working directory, with paths relative to it.
    pub fn files(&self) -> io::Result<Vec<String>> {
        let home = self.home();
        let mut found = Vec::new();
        let mut folders = vec![home.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                } else if let Ok(path) = entry.path().strip_prefix(&home) {
                    found.push(path.to_string_lossy().into_owned());
                }
            }
        }
        found.sort();
        Ok(found)
    }

    fn end(&self, child: &mut Child, ending: Ending) -> io::Result<()> {
        if ending == Ending::Overdue {
            kill(&format!("-{}", child.id()))?;
            // What left the process group still has its working directory below ours.
            for process in self.processes()? {
                kill(&process)?;
            }
        }
        child.wait().map(drop)
    }

    fn processes(&self) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let directory = fs::read_link(entry.path().join("cwd"));
            let ours = directory.is_ok_and(|path| path.starts_with(self.folder.path()));
            if ours && name.bytes().all(|byte| byte.is_ascii_digit()) {
                found.push(name);
            }
        }
        Ok(found)
    }
}

/// The path of a program this machine has, if it has it.
pub fn find_program(name: &str) -> Option<PathBuf> {
    ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
}

fn is_root() -> io::Result<bool> {
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

fn kill(target: &str) -> io::Result<()> {
    let mut command = Command::new(BASH);
    command.args(["-c", "kill -KILL -- \"$1\" 2>/dev/null", "kill", target]);
    command.status().map(drop)
}
