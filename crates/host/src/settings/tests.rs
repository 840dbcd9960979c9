//! Discovery over real files in a directory of its own.

use super::*;
use portcullis_policy::{Policy, assemble};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use tempfile::TempDir;

/// A machine with a home, a project outside of it, and managed settings.
struct Disk {
    root: TempDir,
}

impl Disk {
    fn new() -> Self {
        let disk = Self { root: TempDir::new().unwrap() };
        fs::create_dir_all(disk.path("home")).unwrap();
        fs::create_dir_all(disk.path("proj")).unwrap();
        disk
    }

    fn path(&self, name: &str) -> String {
        let root = fs::canonicalize(self.root.path()).unwrap();
        root.join(name).to_str().unwrap().to_owned()
    }

    fn abs(&self, name: &str) -> AbsPath {
        AbsPath::parse(&self.path(name)).unwrap()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// A repository as `git init` leaves it, with an index that lists these files.
    fn repository(&self, name: &str, tracked: &[&str]) -> &Self {
        fs::create_dir_all(self.path(&format!("{name}/.git/objects"))).unwrap();
        fs::create_dir_all(self.path(&format!("{name}/.git/refs"))).unwrap();
        self.write(&format!("{name}/.git/HEAD"), "ref: refs/heads/main\n");
        self.write(&format!("{name}/.git/index"), index(2, tracked))
    }

    /// A worktree as `git worktree add` leaves it.
    fn worktree(&self, main: &str, name: &str) -> &Self {
        let record = format!("{main}/.git/worktrees/{name}");
        self.write(&format!("{record}/HEAD"), "ref: refs/heads/topic\n");
        self.write(&format!("{record}/commondir"), "../..\n");
        self.write(&format!("{record}/gitdir"), format!("{}/.git\n", self.path(name)));
        self.write(&format!("{record}/index"), index(2, &[]));
        self.write(&format!("{name}/.git"), format!("gitdir: {}\n", self.path(&record)))
    }

    /// Has the user accept the trust dialog for a directory.
    fn trust(&self, name: &str) -> &Self {
        let state = json!({
            "numStartups": 3,
            "projects": { self.path(name): { "hasTrustDialogAccepted": true, "allowedTools": [] } }
        });
        self.write("home/.claude.json", state.to_string())
    }

    fn options(&self, start: &str) -> Options {
        let mut options = Options::new(self.abs(start), self.abs("home"));
        options.managed_dir = self.abs("managed");
        options
    }

    /// `scope file trusted anchor` of every layer, as found from a directory.
    fn found(&self, start: &str) -> Vec<String> {
        self.shown(&discover(&self.options(start)))
    }

    fn shown(&self, layers: &[Layer]) -> Vec<String> {
        let root = self.path("");
        let short =
            |text: &str| text.strip_prefix(root.trim_end_matches('/')).unwrap_or(text).to_owned();
        let show = |layer: &Layer| {
            let trusted = if layer.trusted { "trusted" } else { "held" };
            let broken =
                layer.unreadable.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            let dir = if layer.dir == AbsPath::root() {
                "/".to_owned()
            } else {
                short(layer.dir.as_str())
            };
            format!("{} {} {trusted} {dir}{broken}", layer.scope, short(&layer.file))
        };
        layers.iter().map(show).collect()
    }
}

fn policy_of(options: &Options) -> Policy {
    assemble(&discover(options), &options.place())
}

/// An index in the form of gitformat-index(5), as far as it is looked at: entries of 62 bytes and a
/// name, padded by one to eight NUL bytes to a multiple of eight.
fn index(version: u8, names: &[&str]) -> Vec<u8> {
    let mut bytes = b"DIRC\0\0\0".to_vec();
    bytes.push(version);
    bytes.extend([0, 0, 0, u8::try_from(names.len()).unwrap()]);
    for name in names {
        let mut entry = vec![1; 62];
        entry.extend(name.as_bytes());
        entry.resize((entry.len() / 8 + 1) * 8, 0);
        bytes.extend(entry);
    }
    bytes.extend([7; 20]);
    bytes
}

#[test]
fn finds_nothing_on_an_empty_disk() {
    assert_eq!(Disk::new().found("proj"), Vec::<String>::new());
}

#[test]
fn finds_every_file_in_its_place() {
    let disk = Disk::new();
    disk.write("managed/managed-settings.json", "{}")
        .write("managed/managed-settings.d/20-b.json", "{}")
        .write("managed/managed-settings.d/10-a.json", "{}")
        .write("managed/managed-settings.d/.hidden.json", "{}")
        .write("managed/managed-settings.d/notes.txt", "no settings")
        .write("proj/.claude/settings.local.json", "{}")
        .write("proj/.claude/settings.json", "{}")
        .write("home/.claude/settings.json", "{}");
    assert_eq!(
        disk.found("proj"),
        [
            "managed /managed/managed-settings.json trusted /",
            "managed /managed/managed-settings.d/10-a.json trusted /",
            "managed /managed/managed-settings.d/20-b.json trusted /",
            "local /proj/.claude/settings.local.json trusted /proj",
            "project /proj/.claude/settings.json held /proj",
            "user /home/.claude/settings.json trusted /home/.claude",
        ]
    );
}

#[test]
fn finds_a_native_file_beside_every_settings_file() {
    let disk = Disk::new();
    disk.repository("proj", &[])
        .write("managed/portcullis.toml", "managedSandboxEscapeOnly = true")
        .write("proj/.claude/portcullis.local.toml", "privateAddresses = \"deny\"")
        .write("proj/.claude/portcullis.toml", "allowNested = true")
        .write("proj/.claude/settings.json", "{}")
        .write("home/.claude/settings.json", r#"{"portcullis":{"preapprovedHosts":true}}"#)
        .write("home/.claude/portcullis.toml", "preapprovedHosts = false");
    assert_eq!(
        disk.found("proj"),
        [
            "managed /managed/portcullis.toml trusted /",
            "local /proj/.claude/portcullis.local.toml trusted /proj",
            "project /proj/.claude/settings.json held /proj",
            "project /proj/.claude/portcullis.toml held /proj",
            "user /home/.claude/settings.json trusted /home/.claude",
            "user /home/.claude/portcullis.toml trusted /home/.claude",
        ]
    );
    let policy = policy_of(&disk.options("proj"));
    assert!(policy.native.managed_sandbox_escape_only.value);
    assert!(!policy.native.allow_nested.value && !policy.preapproved_hosts);
    assert!(policy.closed.is_empty());
    disk.write("proj/.claude/portcullis.toml", "allowNested =");
    assert!(!policy_of(&disk.options("proj")).closed.is_empty());
}

#[test]
fn a_tracked_native_local_file_waits_for_trust() {
    let disk = Disk::new();
    disk.repository("proj", &[".claude/portcullis.local.toml"])
        .write("proj/.claude/settings.local.json", "{}")
        .write("proj/.claude/portcullis.local.toml", "");
    assert_eq!(
        disk.found("proj"),
        [
            "local /proj/.claude/settings.local.json trusted /proj",
            "local /proj/.claude/portcullis.local.toml held /proj",
        ]
    );
}

#[test]
fn reads_user_settings_where_the_variable_says() {
    let disk = Disk::new();
    disk.write("conf/settings.json", "{}").write("home/.claude/settings.json", "{}");
    let mut options = disk.options("proj");
    options.config_dir = Some(disk.abs("conf"));
    assert_eq!(disk.shown(&discover(&options)), ["user /conf/settings.json trusted /conf"]);
}

#[test]
fn later_managed_files_override_earlier_ones() {
    let disk = Disk::new();
    disk.write(
        "managed/managed-settings.json",
        r#"{"permissions":{"defaultMode":"plan","deny":["Bash(a)"]}}"#,
    )
    .write(
        "managed/managed-settings.d/10.json",
        r#"{"permissions":{"defaultMode":"dontAsk","deny":["Bash(b)"]}}"#,
    )
    .write("extra.json", r#"{"permissions":{"deny":["Bash(c)"]}}"#);
    let mut options = disk.options("proj");
    options.managed_files = vec![disk.abs("extra.json")];
    let policy = policy_of(&options);
    assert_eq!(policy.default_mode.map(|(mode, _)| mode), Some(Mode::DontAsk));
    assert_eq!(policy.deny.list.len(), 3);
}

#[test]
fn a_file_that_cannot_be_read_closes_its_layer() {
    let disk = Disk::new();
    fs::create_dir_all(disk.path("managed/managed-settings.json")).unwrap();
    disk.write("home/.claude/settings.json", b"{\"permissions\":{\"deny\":[\"Bash(\xff)\"]}}");
    fs::create_dir_all(disk.path("proj/.claude")).unwrap();
    symlink("nowhere", disk.path("proj/.claude/settings.json")).unwrap();
    let fifo = disk.path("proj/.claude/settings.local.json");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    assert_eq!(
        disk.found("proj"),
        [
            "managed /managed/managed-settings.json trusted / (it is not a regular file)",
            "local /proj/.claude/settings.local.json trusted /proj (it is not a regular file)",
            "project /proj/.claude/settings.json held /proj (it is a link to a file that is not there)",
            "user /home/.claude/settings.json trusted /home/.claude (it is not UTF-8)",
        ]
    );
    let policy = policy_of(&disk.options("proj"));
    assert_eq!(policy.closed.iter().filter(|closed| closed.tool.is_none()).count(), 4);
    assert_eq!(policy.deny.list.len(), 1, "what can be read of the denies holds");
}

#[test]
fn a_file_larger_than_any_settings_closes_its_layer() {
    let disk = Disk::new();
    disk.write("home/.claude/settings.json", vec![b' '; (4 << 20) + 1]);
    assert_eq!(
        disk.found("proj"),
        ["user /home/.claude/settings.json trusted /home/.claude (it is larger than 4 MiB)"]
    );
}

#[test]
fn a_file_in_place_of_a_directory_is_no_settings() {
    let disk = Disk::new();
    disk.write("proj/.claude", "a file").write("managed", "a file");
    assert_eq!(disk.found("proj"), Vec::<String>::new());
}

#[test]
fn the_trust_dialog_lets_the_project_grant() {
    let disk = Disk::new();
    disk.write("proj/.claude/settings.json", "{}").trust("proj");
    assert_eq!(disk.found("proj"), ["project /proj/.claude/settings.json trusted /proj"]);
    // Trust in a directory above, or beside it, is no trust in this one.
    for other in ["", "proj2", "proj/sub"] {
        disk.trust(other);
        assert_eq!(
            disk.found("proj"),
            ["project /proj/.claude/settings.json held /proj"],
            "{other}"
        );
    }
}

#[test]
fn a_broken_trust_file_trusts_nothing() {
    let disk = Disk::new();
    disk.write("proj/.claude/settings.json", "{}");
    let key = disk.path("proj");
    for text in [
        "not json".to_owned(),
        "[]".to_owned(),
        json!({ "projects": { &key: { "hasTrustDialogAccepted": "true" } } }).to_string(),
        json!({ "projects": { &key: { "hasTrustDialogAccepted": false } } }).to_string(),
        json!({ "projects": { &key: true } }).to_string(),
        json!({ "projects": [&key] }).to_string(),
        json!({ &key: { "hasTrustDialogAccepted": true } }).to_string(),
    ] {
        disk.write("home/.claude.json", &text);
        assert_eq!(
            disk.found("proj"),
            ["project /proj/.claude/settings.json held /proj"],
            "{text}"
        );
    }
}

#[test]
fn a_recorded_file_is_trusted_until_it_changes() {
    let disk = Disk::new();
    disk.write("proj/.claude/settings.json", "{}");
    let options = disk.options("proj");
    let file = disk.abs("proj/.claude/settings.json");
    let record = TrustRecord::read(&options.trust_record).with(&file, b"{}");
    disk.write("home/.config/portcullis/trust.json", record.to_json().unwrap());
    assert_eq!(TrustRecord::read(&options.trust_record), record);
    assert_eq!(
        record.to_json().unwrap(),
        format!(
            "{{\n  \"version\": 1,\n  \"files\": {{\n    \"{file}\": \"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"\n  }}\n}}\n"
        )
    );
    assert_eq!(disk.found("proj"), ["project /proj/.claude/settings.json trusted /proj"]);
    disk.write("proj/.claude/settings.json", "{ }");
    assert_eq!(disk.found("proj"), ["project /proj/.claude/settings.json held /proj"]);
    assert!(!record.without(&file).holds(&file, b"{}"));
    let other = r#"{"version": 2, "files": {}}"#;
    disk.write("home/.config/portcullis/trust.json", other);
    assert_eq!(TrustRecord::read(&options.trust_record), TrustRecord::default());
}

#[test]
fn a_tracked_local_file_waits_for_trust() {
    let disk = Disk::new();
    disk.repository("proj", &["README.md"]).write("proj/.claude/settings.local.json", "{}");
    let trusted = ["local /proj/.claude/settings.local.json trusted /proj"];
    let held = ["local /proj/.claude/settings.local.json held /proj"];
    assert_eq!(disk.found("proj"), trusted);
    for (what, bytes) in [
        ("tracked", index(2, &[".claude/settings.local.json", "README.md"])),
        ("extended entries", index(3, &[".claude/settings.local.json"])),
        ("another case", index(2, &[".Claude/settings.local.json"])),
        ("a sparse directory", index(2, &[".claude/"])),
        ("paths are not spelled out", index(4, &["README.md"])),
        ("no index", b"nothing".to_vec()),
    ] {
        disk.write("proj/.git/index", bytes);
        assert_eq!(disk.found("proj"), held, "{what}");
    }
    disk.write("proj/.git/index", index(2, &[]));
    disk.write("proj/.git/sharedindex.0123", index(2, &[".claude/settings.local.json"]));
    assert_eq!(disk.found("proj"), held, "split index");
    disk.trust("proj");
    assert_eq!(disk.found("proj"), trusted);
}

#[test]
fn local_settings_behind_a_link_wait_for_trust() {
    let disk = Disk::new();
    disk.repository("proj", &[]).write("proj/shared/settings.local.json", "{}");
    symlink("shared", disk.path("proj/.claude")).unwrap();
    assert_eq!(disk.found("proj"), ["local /proj/.claude/settings.local.json held /proj"]);
    disk.trust("proj");
    assert_eq!(disk.found("proj"), ["local /proj/.claude/settings.local.json trusted /proj"]);
}

#[test]
fn local_settings_lie_at_the_root_of_the_repository() {
    let disk = Disk::new();
    disk.repository("proj", &[])
        .write("proj/.claude/settings.local.json", r#"{"permissions":{"defaultMode":"plan"}}"#)
        .write("proj/.claude/settings.json", "{}")
        .write(
            "proj/sub/.claude/settings.local.json",
            r#"{"permissions":{"defaultMode":"default"}}"#,
        )
        .write("proj/sub/.claude/settings.json", "{}")
        .trust("proj");
    assert_eq!(
        disk.found("proj/sub"),
        [
            "local /proj/sub/.claude/settings.local.json trusted /proj/sub",
            "local /proj/.claude/settings.local.json trusted /proj/sub",
            "project /proj/sub/.claude/settings.json trusted /proj/sub",
        ]
    );
    let policy = policy_of(&disk.options("proj/sub"));
    assert_eq!(policy.default_mode.map(|(mode, _)| mode), Some(Mode::Plan), "the root's counts");
}

#[test]
fn a_worktree_shares_settings_and_trust_with_its_main_checkout() {
    let disk = Disk::new();
    disk.repository("proj", &[])
        .worktree("proj", "topic")
        .write("proj/.claude/settings.local.json", "{}")
        .write("topic/.claude/settings.json", "{}")
        .trust("proj");
    assert_eq!(
        disk.found("topic"),
        [
            "local /proj/.claude/settings.local.json trusted /topic",
            "project /topic/.claude/settings.json trusted /topic",
        ]
    );
    // Without trust the main checkout's own index tells whether its local file is the user's.
    disk.trust("elsewhere");
    assert!(disk.found("topic")[0].contains("trusted"));
    disk.write("proj/.git/index", index(2, &[".claude/settings.local.json"]));
    assert!(disk.found("topic")[0].contains("held"));
}

#[test]
fn a_tree_that_only_claims_a_trusted_repository_gets_nothing_of_it() {
    let disk = Disk::new();
    disk.repository("proj", &[])
        .worktree("proj", "topic")
        .write("proj/.claude/settings.local.json", r#"{"permissions":{"allow":["Bash(proj)"]}}"#)
        .trust("proj");
    let held = ["project /evil/.claude/settings.json held /evil"];

    // It names the record of a real worktree, which names another tree back.
    let record = disk.path("proj/.git/worktrees/topic");
    disk.write("evil/.claude/settings.json", "{}")
        .write("evil/.git", format!("gitdir: {record}\n"));
    assert_eq!(disk.found("evil"), held);

    // It names the git directory itself.
    disk.write("evil/.git", format!("gitdir: {}\n", disk.path("proj/.git")));
    assert_eq!(disk.found("evil"), held);

    // It brings a record of its own, whose `commondir` names the trusted repository.
    disk.write("evil/.git", "gitdir: fake/worktrees/evil\n")
        .write("evil/fake/worktrees/evil/HEAD", "ref: refs/heads/main\n")
        .write("evil/fake/worktrees/evil/gitdir", format!("{}\n", disk.path("evil/.git")))
        .write("evil/fake/worktrees/evil/commondir", format!("{}\n", disk.path("proj/.git")));
    assert_eq!(disk.found("evil"), held);

    // It has a whole git directory with a `commondir` in it.
    fs::remove_file(disk.path("evil/.git")).unwrap();
    disk.repository("evil", &[])
        .write("evil/.git/commondir", format!("{}\n", disk.path("proj/.git")));
    assert_eq!(disk.found("evil"), held);

    // Its `.git` is a link to the trusted one.
    fs::remove_dir_all(disk.path("evil/.git")).unwrap();
    symlink(disk.path("proj/.git"), disk.path("evil/.git")).unwrap();
    assert_eq!(disk.found("evil"), held);
}

#[test]
fn a_repository_inside_a_trusted_one_needs_trust_of_its_own() {
    let disk = Disk::new();
    disk.repository("proj", &[])
        .repository("proj/vendor", &[])
        .write("proj/vendor/.claude/settings.json", "{}")
        .trust("proj");
    assert_eq!(
        disk.found("proj/vendor"),
        ["project /proj/vendor/.claude/settings.json held /proj/vendor"]
    );
    // A submodule has its git directory in the outer repository.
    fs::remove_dir_all(disk.path("proj/vendor/.git")).unwrap();
    disk.write("proj/.git/modules/vendor/HEAD", "ref: refs/heads/main\n")
        .write("proj/vendor/.git", "gitdir: ../.git/modules/vendor\n");
    assert_eq!(
        disk.found("proj/vendor"),
        ["project /proj/vendor/.claude/settings.json held /proj/vendor"]
    );
}

#[test]
fn trust_follows_where_the_project_really_is() {
    let disk = Disk::new();
    disk.repository("evil", &[]).write("evil/.claude/settings.json", "{}");
    symlink(disk.path("evil"), disk.path("link")).unwrap();
    disk.trust("link");
    assert_eq!(disk.found("link"), ["project /link/.claude/settings.json held /link"]);
    disk.trust("evil");
    assert_eq!(disk.found("link"), ["project /link/.claude/settings.json trusted /link"]);
}

#[test]
fn the_home_directory_is_no_project() {
    let disk = Disk::new();
    disk.repository("home", &[".claude/settings.local.json"])
        .write("home/.claude/settings.json", "{}")
        .write("home/.claude/settings.local.json", "{}")
        .write("home/work/.claude/settings.local.json", "{}");
    assert_eq!(
        disk.found("home"),
        [
            "local /home/.claude/settings.local.json trusted /home",
            "user /home/.claude/settings.json trusted /home/.claude",
        ]
    );
    // A repository over the home directory does not spread its local file over everything in it.
    assert_eq!(
        disk.found("home/work"),
        [
            "local /home/work/.claude/settings.local.json held /home/work",
            "user /home/.claude/settings.json trusted /home/.claude",
        ]
    );
}

#[test]
fn the_command_line_adds_layers() {
    let disk = Disk::new();
    disk.write("conf/extra.json", r#"{"permissions":{"deny":["Bash(file)"]}}"#);
    let mut options = disk.options("proj");
    options.settings = vec![
        "../conf/extra.json".to_owned(),
        r#" {"permissions":{"deny":["Bash(inline)"]}}"#.to_owned(),
        "missing.json".to_owned(),
    ];
    options.allow = vec!["Bash(ls)".to_owned()];
    options.ask = vec!["Bash(\"a\\b\")".to_owned()];
    options.deny = vec!["Bash(rm *)".to_owned(), "Bash(curl *)".to_owned()];
    options.mode = Some(Mode::Plan);
    options.add_directories = vec!["../conf".to_owned(), "~".to_owned()];
    let layers = discover(&options);
    assert_eq!(
        disk.shown(&layers),
        [
            "cli /conf/extra.json trusted /conf",
            "cli --settings trusted /proj",
            "cli /proj/missing.json trusted /proj (there is no such file)",
            "cli --allow trusted /proj",
            "cli --ask trusted /proj",
            "cli --deny trusted /proj",
            "cli --mode trusted /proj",
            "cli --add-dir trusted /proj",
        ]
    );
    let policy = assemble(&layers, &options.place());
    let places: Vec<String> =
        policy.deny.list.iter().map(|rule| rule.reference.source.to_string()).collect();
    let file = disk.path("conf/extra.json");
    assert_eq!(
        places,
        ["--deny (cli)", "--deny (cli)", "--settings (cli)", &format!("{file}:1:25 (cli)")]
    );
    assert_eq!(policy.ask.list[0].reference.text, "Bash(\"a\\b\")");
    assert_eq!(policy.default_mode.map(|(mode, _)| mode), Some(Mode::Plan));
    let directories: Vec<_> = policy.directories.iter().map(|found| &found.path).collect();
    assert_eq!(directories, [&disk.abs("conf"), &disk.abs("proj/~")]);
    assert_eq!(policy.closed.len(), 1, "the missing file");
}

#[test]
fn given_files_replace_discovered_ones() {
    let disk = Disk::new();
    disk.write("home/.claude/settings.json", "{}")
        .write("managed/managed-settings.json", "{}")
        .write("conf/policy.json", "{}");
    let mut options = disk.options("proj");
    options.files = Files::Given(vec![disk.path("conf/policy.json")]);
    options.allow = vec!["Bash(ls)".to_owned()];
    assert_eq!(
        disk.shown(&discover(&options)),
        ["cli /conf/policy.json trusted /proj", "cli --allow trusted /proj"]
    );
    options.files = Files::Nothing;
    assert_eq!(disk.shown(&discover(&options)), ["cli --allow trusted /proj"]);
}

/// `/DIR/up/repo/in`, with settings in `up`, in `repo` as asked, and a repository in `repo`.
fn project_found(settings_in: &[&str], repository: bool) -> String {
    let folder = TempDir::new().unwrap();
    let cwd = folder.path().join("up/repo/in");
    fs::create_dir_all(&cwd).unwrap();
    for holder in settings_in {
        let holder = folder.path().join(holder).join(".claude");
        fs::create_dir_all(&holder).unwrap();
        fs::write(holder.join("settings.json"), "{}").unwrap();
    }
    if repository {
        fs::create_dir(folder.path().join("up/repo/.git")).unwrap();
    }
    let path = |path: &Path| AbsPath::parse(path.to_str().unwrap()).unwrap();
    let root = project_root_of(&path(&cwd), &path(&folder.path().join("home")));
    let root = root.as_str().strip_prefix(folder.path().to_str().unwrap()).unwrap();
    root.trim_start_matches('/').to_owned()
}

#[test]
fn the_project_is_found_no_further_up_than_its_repository() {
    assert_eq!(project_found(&["up/repo"], true), "up/repo");
    assert_eq!(project_found(&["up"], false), "up");
    assert_eq!(project_found(&["up"], true), "up/repo/in");
    assert_eq!(project_found(&["up", "up/repo"], true), "up/repo");
    assert_eq!(project_found(&[], true), "up/repo/in");
}

#[test]
fn settings_of_somebody_else_do_not_make_a_project() {
    let folder = TempDir::new().unwrap();
    let (above, cwd) = (folder.path().join(".claude"), folder.path().join("in"));
    fs::create_dir(&above).unwrap();
    fs::create_dir(&cwd).unwrap();
    fs::write(above.join("settings.json"), "{}").unwrap();
    let path = |path: &Path| AbsPath::parse(path.to_str().unwrap()).unwrap();
    let root = || project_root_of(&path(&cwd), &path(&folder.path().join("home")));
    assert_eq!(root(), path(folder.path()));
    if std::os::unix::fs::chown(&above, Some(4321), None).is_err() {
        println!("SKIP: only root can give a directory away");
        return;
    }
    assert_eq!(root(), path(&cwd));
}
