//! What is planted before every probe: a home with secrets, projects, a control folder.

use super::{Identity, world};
use serde_json::{Value, json};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

/// The home, with what must not be read.
pub const HOME: &str = "/home/pc";
/// The project in it, where probes start.
pub const PROJECT: &str = "/home/pc/proj";
/// A second project, outside the home.
pub const OUTSIDE: &str = "/home/out";
/// Where probes ask the host for something.
pub const CONTROL: &str = "/home/ctl";
/// A folder nobody said anything about.
pub const OTHER: &str = "/home/other";
/// Sockets of the host.
pub const RUNTIME: &str = "/run/pc";

/// Removes what is there and plants everything anew.
pub fn plant(identity: Identity) -> io::Result<()> {
    if !world::is_inside() {
        return Err(io::Error::other("this plants only in a throw-away machine"));
    }
    for entry in fs::read_dir("/home")? {
        let path = entry?.path();
        // A symbolic link is removed, never followed.
        if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(&path)?;
        } else if path != Path::new(world::MARKER) {
            fs::remove_file(&path)?;
        }
    }
    for folder in [HOME, OUTSIDE, CONTROL, OTHER] {
        fs::create_dir(folder)?;
    }
    plant_home()?;
    plant_project(Path::new(PROJECT))?;
    plant_project(Path::new(OUTSIDE))?;
    let others = [
        ("notes", "fine\n"),
        ("readonly/deep/file", "fine\n"),
        ("granted/file", "fine\n"),
        ("granted/no/file", "fine\n"),
        ("bashenv", "PC_SOURCED=1\n"),
    ];
    write_all(Path::new(OTHER), &others)?;
    give(Path::new("/home"), identity.number())?;
    for project in [PROJECT, OUTSIDE] {
        // Files that changed hands look changed, and git would read denied ones to compare.
        git(Path::new(project), &["update-index", "--refresh"])?;
        let index = Path::new(project).join(".git/index");
        lchown(index, Some(identity.number()), Some(identity.number()))?;
    }
    // A program of root, as every machine has some.
    fs::copy(Path::new(world::HELPERS).join("root"), "/home/other/suid-root")?;
    chown("/home/other/suid-root", Some(0), Some(0))?;
    fs::set_permissions("/home/other/suid-root", Permissions::from_mode(0o4755))?;
    fs::write("/proc/sys/user/max_user_namespaces", "60000\n")
}

/// Gives a file that may not be written a second name, in the project. Every run says that it is there.
pub fn plant_second_name() -> io::Result<()> {
    fs::hard_link("/home/pc/prelinked-src", "/home/pc/proj/prelinked")
}

/// The user's settings: what the sandbox has to hold.
pub fn settings() -> Value {
    json!({
        "permissions": {
            "additionalDirectories": [OUTSIDE],
            "deny": ["Read(~/by-rule/**)", "Edit(//home/pc/proj/no-edit/**)"],
        },
        "sandbox": {
            "enabled": true,
            "filesystem": {
                "allowWrite": [CONTROL, "/home/other/granted"],
                "denyWrite": ["~/prelinked-src", "/home/pc/proj/frozen", "/home/pc/proj/**/*.lock-me", "/home/other/granted/no"],
                "denyRead": ["~/.ssh", "~/deny", "~/deny/a/ok/no", "/home/pc/proj/**/.env", "/home/out/**/.env", "/home/pc/proj/secrets"],
                "allowRead": ["~/deny/a/ok", "~"],
            },
            "network": {
                "allowedDomains": [],
                "allowUnixSockets": ["/run/pc/allowed.sock"],
            },
            "credentials": {
                "files": [{ "path": "~/.aws/credentials", "mode": "deny" }],
                "envVars": [{ "name": "PC_TOKEN", "mode": "deny" }],
            },
        },
        "portcullis": { "scrubEnv": true },
    })
}

fn plant_home() -> io::Result<()> {
    let home = Path::new(HOME);
    let key = "-----BEGIN PRIVATE KEY-----\nPCSECRET\n-----END PRIVATE KEY-----\n";
    let settings = serde_json::to_string_pretty(&settings())?;
    write_all(
        home,
        &[
            (".ssh/id_rsa", key),
            (".ssh/known_hosts", "PCSECRET\n"),
            (".aws/credentials", "aws_secret_access_key = PCSECRET\n"),
            (".bashrc", "# bashrc\n"),
            (".profile", "# profile\n"),
            (
                ".gitconfig",
                "[user]\n\tname = Probe\n\temail = probe@example.org\n[init]\n\tdefaultBranch = main\n",
            ),
            (".claude/settings.json", &settings),
            ("by-rule/secret", "PCSECRET\n"),
            ("deny/x", "PCSECRET\n"),
            ("deny/a/y", "PCSECRET\n"),
            ("deny/a/ok/f", "FINE\n"),
            ("deny/a/ok/no/z", "PCSECRET\n"),
            ("prelinked-src", "source\n"),
            ("plain", "fine\n"),
        ],
    )?;
    fs::set_permissions(home.join(".ssh"), Permissions::from_mode(0o700))?;
    fs::set_permissions(home.join(".ssh/id_rsa"), Permissions::from_mode(0o600))
}

fn plant_project(project: &Path) -> io::Result<()> {
    write_all(
        project,
        &[
            ("ok.txt", "fine\n"),
            (".env", "PCSECRET\nTOKEN=PCSECRET\n"),
            ("sub/deep/.env", "TOKEN=PCSECRET\n"),
            ("sub/deep/plain", "fine\n"),
            ("secrets/one", "PCSECRET\n"),
            ("secrets/tool", "#!/bin/sh\necho PCTOOL\n"),
            ("no-edit/file", "fine\n"),
            ("frozen/file", "fine\n"),
            ("src/main.c", "int main(void) { return 0; }\n"),
            ("Makefile", "all:\n\techo made\n"),
            (".claude/settings.json", "{}\n"),
            (".mise.toml", "\n"),
        ],
    )?;
    fs::set_permissions(project.join("secrets/tool"), Permissions::from_mode(0o755))?;
    git(project, &["init", "-q", "--template="])?;
    git(project, &["add", "-A"])?;
    // Of a directory that may not be entered, git could not tell what became of a tracked file.
    git(project, &["rm", "-rq", "--cached", "secrets"])?;
    git(project, &["commit", "-q", "-m", "planted"])?;
    // Empty, so that another folder can be moved in its place.
    fs::create_dir(project.join(".git/hooks"))?;
    symlink("ok.txt", project.join("link-to-ok"))
}

fn git(project: &Path, words: &[&str]) -> io::Result<()> {
    let mut command = Command::new("git");
    command.args(["-c", "safe.directory=*"]).args(words).current_dir(project).env("HOME", HOME);
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).output()?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    output.status.success().then_some(()).ok_or_else(|| io::Error::other(complaint))
}

fn write_all(below: &Path, files: &[(&str, &str)]) -> io::Result<()> {
    for (name, text) in files {
        let path = below.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text)?;
        // Git reads a file again that is as young as its index, in whole seconds; nobody works so fast.
        File::options().write(true).open(&path)?.set_modified(SystemTime::now() - AGE)?;
    }
    Ok(())
}

/// How old everything planted is.
const AGE: Duration = Duration::from_secs(3600);

fn give(folder: &Path, to: u32) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        lchown(entry.path(), Some(to), Some(to))?;
        if entry.file_type()?.is_dir() {
            give(&entry.path(), to)?;
        }
    }
    Ok(())
}
