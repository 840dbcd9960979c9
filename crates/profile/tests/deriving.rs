//! Settings in, what may be read and written out.

use portcullis_model::{AbsPath, Scope};
use portcullis_policy::{Layer, Place as Directories, Policy, assemble};
use portcullis_profile::{
    Access, CompiledFiles, Effect, Kind, NetworkAccess, Place, SandboxProfile, Standing,
};

pub(crate) fn path(text: &str) -> AbsPath {
    AbsPath::parse(text).unwrap()
}

/// A policy of one trusted user layer.
pub(crate) fn policy(settings: &str) -> Policy {
    let layer = Layer::new(Scope::User, "settings.json", settings, path("/home/u/.claude"));
    layers(&[layer])
}

fn layers(layers: &[Layer]) -> Policy {
    let directories = Directories {
        start: path("/home/u/p"),
        project_root: path("/home/u/p"),
        home: path("/home/u"),
    };
    assemble(layers, &directories)
}

pub(crate) fn place() -> Place {
    Place::new(path("/home/u/p"), path("/home/u"), path("/tmp/pc-1"))
}

/// Checks lines of `r`, `w` or `d` (make a directory), `+` or `-`, and a path.
fn check_at(settings: &str, place: &Place, wanted: &str) {
    let profile = SandboxProfile::derive(&policy(settings), place);
    let compiled = CompiledFiles::new(profile.files);
    let mut wrong = Vec::new();
    for line in wanted.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let (Some(access), Some(sign), Some(at)) = (words.next(), words.next(), words.next())
        else {
            panic!("{line}")
        };
        let (access, kind) = match access {
            "r" => (Access::Read, Kind::File),
            "w" => (Access::Write, Kind::File),
            "d" => (Access::Write, Kind::Directory),
            other => panic!("{other}"),
        };
        let judgement = compiled.judge_as(&path(at), access, kind);
        let want = if sign == "+" { Effect::Allow } else { Effect::Deny };
        if judgement.effect != want {
            let rule = judgement.rule.map(|rule| rule.origin.to_string());
            wrong.push(format!("{line}: {:?} because of {rule:?}", judgement.effect));
        }
    }
    assert!(wrong.is_empty(), "{settings}\n{wrong:#?}");
}

fn check(settings: &str, wanted: &str) {
    check_at(settings, &place(), wanted);
}

fn filesystem(keys: &str) -> String {
    format!(r#"{{"sandbox":{{"filesystem":{{{keys}}}}}}}"#)
}

#[test]
fn without_settings_the_project_is_written_and_everything_read() {
    check(
        "{}",
        "r + /etc/passwd
         r + /home/u/.ssh/id_rsa
         w + /home/u/p
         w + /home/u/p/src/a.rs
         w - /home/u/other
         w - /home/u/p2/x
         w - /etc/passwd
         w + /tmp/pc-1/x
         w - /tmp/x
         w + /dev/null
         w + /dev/tty
         w - /dev/sda
         w - /",
    );
}

#[test]
fn the_deepest_read_rule_wins_and_a_tie_denies() {
    check(
        &filesystem(
            r#""denyRead":["~/.ssh","~/a/b/c","~/tie"],"allowRead":["~/.ssh/known_hosts","~/a/b","~/a/b/c/d","~/tie"]"#,
        ),
        "r - /home/u/.ssh
         r - /home/u/.ssh/id_rsa
         r + /home/u/.ssh/known_hosts
         r - /home/u/.ssh/known_hosts2
         r + /home/u/a/b/x
         r - /home/u/a/b/c
         r - /home/u/a/b/c/x
         r + /home/u/a/b/c/d/x
         r - /home/u/tie
         r - /home/u/tie/x",
    );
}

#[test]
fn a_deny_holds_inside_a_broader_allow() {
    check(
        &filesystem(r#""denyRead":["/**/.env","/srv/*/key"],"allowRead":["/srv","~/p"]"#),
        "r - /home/u/p/.env
         r - /home/u/p/a/b/.env
         r - /home/u/p/.env/x
         r + /home/u/p/.envrc
         r - /srv/a/key
         r + /srv/a/b/key",
    );
}

#[test]
fn a_credential_is_never_readable() {
    check(
        r#"{"sandbox":{"credentials":{"files":[{"path":"~/.aws","mode":"deny"}]},
            "filesystem":{"allowRead":["~/.aws/config"],"allowWrite":["~/.aws"]}}}"#,
        "r - /home/u/.aws
         r - /home/u/.aws/config
         w - /home/u/.aws/config",
    );
}

#[test]
fn a_denied_read_is_a_denied_write() {
    check(
        &filesystem(r#""denyRead":["./p/../p/secret","~/p/secret"]"#),
        "w - /home/u/p/secret/new",
    );
}

#[test]
fn deny_write_beats_allow_write_at_any_depth() {
    check(
        &filesystem(
            r#""allowWrite":["/srv/a/b","/srv/x/*/out"],"denyWrite":["/srv/a","/**/*.lock"]"#,
        ),
        "w - /srv/a/b/c
         w - /home/u/p/Cargo.lock
         w - /home/u/p/deep/x.lock
         w + /srv/x/1/out/f
         w - /srv/x/1/f
         w - /srv/x/1/out/.git/hooks/pre-commit
         w - /srv/x/1/out/sub/.bashrc",
    );
}

#[test]
fn a_bracket_is_a_name_and_a_class() {
    check(
        &filesystem(r#""denyWrite":["~/p/app/[id]","~/p/odd/[x"]"#),
        "w - /home/u/p/app/[id]/page.tsx
         w - /home/u/p/app/i/page.tsx
         w + /home/u/p/app/id/page.tsx
         w - /home/u/p/odd/[x/y",
    );
}

#[test]
fn protected_names_hold_below_every_root_in_any_case() {
    let settings = r#"{"sandbox":{"filesystem":{"allowWrite":["/srv/x"]}},"permissions":{"additionalDirectories":["/srv/y"],"allow":["Edit(//srv/z/**)"]}}"#;
    for root in ["/home/u/p", "/srv/x", "/srv/y", "/srv/z"] {
        let wanted: String = [
            ".bashrc",
            "a/b/c/.BashRC",
            ".mcp.json",
            ".vscode/tasks.json",
            "sub/.idea",
            ".claude/settings.json",
            ".claude/worktrees/a/.claude/settings.json",
            ".config/git/config",
            ".git/hooks/pre-commit",
            ".git/hooks",
            ".GIT/Hooks/x",
            "sub/.git/config",
            ".git/config.worktree",
            ".git/commondir",
            ".git/info/attributes",
            ".git/modules/m/hooks/x",
            ".git/modules/m/n/config",
            ".git/worktrees/w/commondir",
            ".git",
            "sub/.git",
            "HEAD",
            "sub/HEAD",
            ".claude",
            ".config",
            ".git/worktrees",
            ".git/worktrees/w",
            ".git/modules",
        ]
        .iter()
        .map(|name| format!("w - {root}/{name}\n"))
        .collect();
        check(settings, &wanted);
        let wanted: String = [
            "w + src/main.rs",
            "d + .git",
            "d + HEAD",
            "d + .claude",
            "d + .config",
            "d + .git/worktrees/w",
            "d + .git/modules/m",
            "d + .claude/worktrees",
            "w + .claude/worktrees/a/src/x",
            "w + .git/HEAD",
            "w + .git/index",
            "w + .git/objects/ab/cdef",
            "w + .git/refs/heads/config",
            "w + .git/logs/HEAD",
            "w + .git/refs/remotes/origin/HEAD",
            "w + .git/info/exclude",
            "w + .git/worktrees/w/HEAD",
            "w + .git/worktrees/w/index",
            "w + .git/worktrees/w/gitdir",
            "w + .gitignore",
            "w + .gitattributes",
            "w + hooks/useThing.ts",
            "w + config/app.json",
            "w + head",
            "w + .bashrc.d/x",
        ]
        .iter()
        .map(|line| line.replacen("+ ", &format!("+ {root}/"), 1) + "\n")
        .collect();
        check(settings, &wanted);
    }
}

#[test]
fn the_private_temporary_directory_may_hold_any_name() {
    let settings = filesystem(r#""allowWrite":["/tmp"],"denyRead":["/**/.env"]"#);
    check(
        &settings,
        "w + /tmp/pc-1/clone/.git/hooks/pre-commit
         w + /tmp/pc-1/clone/.git/config
         w + /tmp/pc-1/bare/HEAD
         w - /tmp/other/.git/config
         w - /tmp/pc-1/.env",
    );
}

#[test]
fn a_linked_worktree_writes_to_the_shared_repository() {
    let place = Place { common_git_directory: Some(path("/home/u/main/.git")), ..place() };
    check_at(
        "{}",
        &place,
        "w + /home/u/main/.git/objects/aa/bb
         w + /home/u/main/.git/HEAD
         w + /home/u/main/.git/worktrees/p/index
         w - /home/u/main/.git/config
         w - /home/u/main/.git/hooks/x
         w - /home/u/main/.git/worktrees/p/commondir
         w - /home/u/main/.git/modules/x/config
         w - /home/u/main/src/a
         w - /home/u/p/.git",
    );
}

#[test]
fn a_bare_repository_keeps_its_configuration() {
    let place = Place { bare_repositories: vec![path("/home/u/p")], ..place() };
    check_at(
        "{}",
        &place,
        "w - /home/u/p/config
         w - /home/u/p/hooks/update
         w + /home/u/p/objects/aa/bb
         w + /home/u/p/refs/heads/x",
    );
}

#[test]
fn own_files_are_never_written() {
    let place = Place {
        own_files: vec![path("/home/u/p/policy.json"), path("/home/u/.claude/settings.json")],
        ..place()
    };
    check_at(
        &filesystem(r#""allowWrite":["~"]"#),
        &place,
        "w - /home/u/p/policy.json
         w - /home/u/.claude/settings.json
         w + /home/u/p/policy.json5",
    );
}

#[test]
fn permission_rules_feed_the_lists() {
    let settings = r#"{"permissions":{
        "deny":["Read(./secrets/**)","Read(.env)","Read(~/.ssh/**)","Edit(/generated/**)","Read","Edit"],
        "allow":["Edit(//srv/out/**)","Edit(//srv/one.txt)","Edit(*.md)","Edit(//srv/*/x)"]}}"#;
    check(
        settings,
        "r - /home/u/p/secrets/a
         r - /home/u/p/.env
         r - /home/u/p/deep/.ENV
         r + /home/u/other/.env
         r - /home/u/.ssh/id_rsa
         w - /home/u/.claude/generated/x
         w + /srv/out/a/b
         w + /srv/one.txt
         w - /home/u/notes.md
         w - /srv/a/x
         r + /etc/passwd
         w + /home/u/p/src/x",
    );
}

#[test]
fn links_are_followed_for_denies_and_never_lift() {
    let mut place = place();
    for (from, to) in [
        ("/home/u/.ssh", "/data/ssh"),
        ("/home/u/p/build", "/home/u/.aws"),
        ("/srv/link", "/srv/real"),
        ("/var/run", "/run"),
    ] {
        place.real.insert(path(from), path(to));
    }
    check_at(
        &filesystem(
            r#""denyRead":["~/.ssh","/srv/real"],"allowRead":["/srv/link","/var/run/x"],
               "allowWrite":["~/p/build","/srv/link/w","/var/run/pc"]"#,
        ),
        &place,
        "r - /data/ssh/id_rsa
         r - /home/u/.ssh/id_rsa
         w - /home/u/.aws/credentials
         r - /srv/real
         w + /run/pc/x",
    );
}

#[test]
fn a_link_that_may_have_been_planted_grants_nothing() {
    // Each list, and where the link lies: in a directory that another entry allows.
    for (settings, link) in [
        (r#"{"permissions":{"additionalDirectories":["~/p/sub"]}}"#, "/home/u/p/sub"),
        (r#"{"permissions":{"allow":["Edit(//data/**)","Edit(//data/out/**)"]}}"#, "/data/out"),
        (
            r#"{"permissions":{"allow":["Edit(//data/**)"],"additionalDirectories":["/data/out"]}}"#,
            "/data/out",
        ),
        (
            r#"{"permissions":{"allow":["Edit(//data/**)"]},"sandbox":{"filesystem":{"allowWrite":["/data/out"]}}}"#,
            "/data/out",
        ),
        (
            r#"{"sandbox":{"filesystem":{"allowWrite":["/data/*/build","/data/x/build/out"]}}}"#,
            "/data/x/build/out",
        ),
        (
            r#"{"permissions":{"additionalDirectories":["/data"]},"sandbox":{"filesystem":{"allowWrite":["/data/out/*"]}}}"#,
            "/data/out",
        ),
        (
            r#"{"permissions":{"allow":["Edit(//data/**)"]},"sandbox":{"filesystem":{"denyRead":["~/.ssh"],"allowRead":["/data/out"]}}}"#,
            "/data/out",
        ),
    ] {
        let mut place = place();
        place.real.insert(path(link), path("/home/u/.ssh"));
        check_at(settings, &place, "w - /home/u/.ssh/x\nw - /home/u/.ssh");
        let read = if settings.contains("denyRead") { "r - /home/u/.ssh/x" } else { "" };
        check_at(settings, &place, read);
    }
}

#[test]
fn the_way_over_a_directory_that_may_be_written_grants_nothing() {
    let mut place = place();
    // `~/w` is the user's own link into the project, where `out` may have been made by a command.
    for (from, to) in [("/home/u/w", "/home/u/p"), ("/home/u/o", "/home/u/.ssh")] {
        place.real.insert(path(from), path(to));
    }
    place.real.insert(path("/home/u/w/out"), path("/home/u/.ssh"));
    place.hops.insert(path("/home/u/o"), vec![path("/home/u/p/out"), path("/home/u/.ssh")]);
    check_at(&filesystem(r#""allowWrite":["~/w/out"]"#), &place, "w - /home/u/.ssh/x");
    check_at(&filesystem(r#""allowWrite":["~/o"]"#), &place, "w - /home/u/.ssh/x");
    // The user's own links are followed.
    place.hops.insert(path("/home/u/o"), vec![path("/home/u/.ssh")]);
    check_at(&filesystem(r#""allowWrite":["~/o"]"#), &place, "w + /home/u/.ssh/x");
}

#[test]
fn case_counts_where_the_filesystem_counts_it() {
    let settings = filesystem(r#""denyRead":["~/Secret"]"#);
    check(&settings, "r + /home/u/secret\nr - /home/u/Secret");
    let place = Place { folds_case: true, ..place() };
    check_at(&settings, &place, "r - /home/u/secret/x\nr - /home/u/SECRET\nw - /home/u/p/head");
}

#[test]
fn a_project_may_not_open_its_own_boundary() {
    let text = r#"{"sandbox":{"filesystem":{"disabled":true,"allowWrite":["/etc"]}},"portcullis":{"allowNested":true}}"#;
    let mut layer = Layer::new(Scope::Project, "project.json", text, path("/home/u/p"));
    layer.trusted = false;
    let profile = SandboxProfile::derive(&layers(&[layer]), &place());
    assert_eq!(profile.files.disabled, None);
    assert_eq!(profile.nested, None);
    assert_eq!(profile.files.judge(&path("/etc/x"), Access::Write).effect, Effect::Deny);
}

#[test]
fn managed_read_paths_and_domains_stand_alone() {
    let managed = r#"{"sandbox":{"filesystem":{"allowManagedReadPathsOnly":true,"denyRead":["~/a"],"allowRead":["~/a/m"]},
        "network":{"allowManagedDomainsOnly":true,"allowedDomains":["m.example"]}}}"#;
    let user = r#"{"sandbox":{"filesystem":{"allowRead":["~/a/u"]},"network":{"allowedDomains":["u.example"],"deniedDomains":["d.example"]}},
        "permissions":{"allow":["WebFetch(domain:w.example)"],"deny":["WebFetch(domain:X.example.)"]}}"#;
    let policy = layers(&[
        Layer::new(Scope::Managed, "managed.json", managed, path("/etc/claude-code")),
        Layer::new(Scope::User, "user.json", user, path("/home/u/.claude")),
    ]);
    let profile = SandboxProfile::derive(&policy, &place());
    let reads = |at| profile.files.judge(&path(at), Access::Read).effect;
    assert_eq!((reads("/home/u/a/m"), reads("/home/u/a/u")), (Effect::Allow, Effect::Deny));
    let NetworkAccess::Domains { allowed, denied, strict } = profile.network else { panic!() };
    let hosts = |list: &[portcullis_policy::SandboxDomain]| -> Vec<String> {
        list.iter().map(|domain| domain.host.clone()).collect()
    };
    assert_eq!(hosts(&allowed), ["m.example"]);
    assert_eq!(hosts(&denied), ["d.example", "x.example"]);
    assert!(strict.is_some_and(|origin| origin.to_string().contains("allowManagedDomainsOnly")));
}

#[test]
fn without_a_domain_there_is_no_network() {
    let network = |settings| SandboxProfile::derive(&policy(settings), &place()).network;
    assert_eq!(network("{}"), NetworkAccess::None);
    assert_eq!(
        network(r#"{"sandbox":{"network":{"deniedDomains":["x.example"]}}}"#),
        NetworkAccess::None
    );
    let rules = r#"{"permissions":{"allow":["WebFetch(domain:*.example.org)","WebFetch"]}}"#;
    let NetworkAccess::Domains { allowed, .. } = network(rules) else { panic!() };
    assert_eq!(allowed.len(), 1);
    assert_eq!(allowed[0].host, "*.example.org");
}

#[test]
fn sockets_are_named_or_all() {
    let settings = r#"{"sandbox":{"network":{"allowUnixSockets":["/run/x.sock","~/run/*.sock"]}}}"#;
    let sockets = SandboxProfile::derive(&policy(settings), &place()).sockets;
    assert_eq!(sockets.all, None);
    let shown: Vec<String> = sockets.allowed.iter().map(|rule| rule.reach.to_string()).collect();
    assert_eq!(shown, ["/run/x.sock", "/home/u/run/*.sock"]);
    // The link lies in a directory that may be written.
    let linked = r#"{"permissions":{"additionalDirectories":["/data"]},"sandbox":{"network":{"allowUnixSockets":["/data/s"]}}}"#;
    let mut place = place();
    place.real.insert(path("/data/s"), path("/run/docker.sock"));
    let sockets = SandboxProfile::derive(&policy(linked), &place).sockets;
    let shown: Vec<String> = sockets.allowed.iter().map(|rule| rule.reach.to_string()).collect();
    assert_eq!(shown, ["/data/s"]);
    let all = r#"{"sandbox":{"network":{"allowAllUnixSockets":true}}}"#;
    assert!(SandboxProfile::derive(&policy(all), &place).sockets.all.is_some());
}

#[test]
fn files_that_are_not_isolated_are_all_possible() {
    check(&filesystem(r#""disabled":true,"denyRead":["/etc"]"#), "r + /etc/x\nw + /etc/x");
}

#[test]
fn every_rule_names_where_it_is_written() {
    let profile = SandboxProfile::derive(&policy(&filesystem(r#""denyWrite":["/srv"]"#)), &place());
    let judgement = profile.files.judge(&path("/srv/x"), Access::Write);
    let rule = judgement.rule.unwrap();
    assert_eq!(rule.standing, Standing::Ordinary);
    assert_eq!(
        rule.origin.to_string(),
        "sandbox.filesystem.denyWrite \"/srv\", settings.json:1:40 (user)"
    );
}
