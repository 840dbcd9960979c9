//! The supervisor alone: real programs under the real filter, no namespaces.

use crate::support::{CREATE, READ, World, anywhere, is_alone};
use portcullis_profile::Access;
use std::fs;
use tempfile::TempDir;

fn project() -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join(".git/hooks")).unwrap();
    fs::write(dir.path().join("ok.txt"), "fine\n").unwrap();
    fs::write(dir.path().join(".env"), "PCSECRET\n").unwrap();
    dir
}

fn protected(dir: &TempDir) -> World {
    let root = dir.path();
    World::writing(root, CREATE)
        .deny(Access::Write, anywhere(root, &[".git", "hooks"]))
        .deny(Access::Write, anywhere(root, &[".mcp.json"]))
}

#[test]
fn ordinary_work_works() {
    let dir = project();
    let script = r"
        echo one > new && cat new
        echo two >> new && wc -l < new
        mkdir -p a/b/c && ls a/b && mv new a/b/c/moved && cat a/b/c/moved
        ln a/b/c/moved hard && ln -s a/b/c/moved soft && cat soft hard | wc -l
        echo three > soft && cat a/b/c/moved
        rm hard soft && rm -r a && ls
        echo hello > /dev/null && echo err >&2
        mkfifo ff && rm ff
        umask 027; : > masked; mkdir maskdir; stat -c %a masked maskdir
        echo x > ./nope/x
        echo end";
    let (text, denials) = protected(&dir).shell(dir.path(), script);
    let expected = "one\n2\nc\none\ntwo\n4\nthree\nok.txt\n640\n750\nend\nerr\n";
    let rest = text.strip_prefix(expected).unwrap_or_else(|| panic!("{text}\n{denials:#?}"));
    assert!(rest.contains("./nope/x: No such file or directory"), "{rest}");
    assert_eq!(denials, []);
}

#[test]
fn protected_names_cannot_be_made_in_any_way() {
    let dir = project();
    let script = r"
        echo x > .git/hooks/pre-commit && echo LEAK open
        ln -s /bin/true .git/hooks/post && echo LEAK symlink
        ln ok.txt .git/hooks/hard && echo LEAK link
        mkdir .git/hooks/d && echo LEAK mkdir
        mkfifo .git/hooks/ff && echo LEAK mknod
        cp ok.txt c && mv c .git/hooks/c && echo LEAK rename
        mkdir -p sub/.git/hooks && echo LEAK deep
        mkdir sub/.GIT/hooks && echo LEAK case
        mkdir h && mkdir h/hooks && mv -T h/hooks .git/hooks 2>/dev/null && echo LEAK dir
        ln -s .git/hooks way && echo x > way/pre-push && echo LEAK through
        cd .git && echo x > hooks/pre-push && echo LEAK relative; cd ..
        cd .git/hooks && echo x > ./pre-push && echo LEAK inside; cd ../..
        echo x > .mcp.json && echo LEAK mcp
        ln -s .mcp.json dangling && echo x > dangling && echo LEAK dangling
        mkdir pre && mkdir pre/hooks && mv -T pre sub/.git 2>/dev/null; [ -e sub/.git/hooks ] && echo LEAK swap
        echo x > /etc/portcullis-test && echo LEAK outside
        find . -name .mcp.json -o -path '*hooks/*'
        echo end";
    let (text, denials) = protected(&dir).shell(dir.path(), script);
    assert!(!text.contains("LEAK"), "{text}");
    assert!(text.contains("end\n"), "{text}");
    assert!(denials.len() >= 12, "{denials:#?}\n{text}");
    let first = denials.first().unwrap();
    assert_eq!(first.operation, "openat");
    assert_eq!(first.rule, "built in: a test");
    assert!(first.program.ends_with("bash"), "{first:?}");
    assert!(first.resolved.ends_with(".git/hooks/pre-commit"), "{first:?}");
    assert_eq!(fs::read_dir(dir.path().join(".git/hooks")).unwrap().count(), 0);
}

#[test]
fn denied_reads_fail_under_every_name() {
    let dir = project();
    let script = r"
        cat .env; cat ./sub/../.env; bash .env
        ln -s .env link; cat link; ln .env hard; cat hard
        mv .env plain; cat plain
        cat /proc/self/cwd/.env; cat /proc/$$/cwd/.env; cat < .env
        exec 9< ok.txt; cat /proc/self/fd/9 /dev/fd/9 > /dev/null && echo fds work
        echo piped | cat /dev/stdin
        echo to stdout > /dev/stdout
        mkdir later; echo PCSECRET > later/x; mv later/x later/.env; cat later/.env; cat later/x
        cat ok.txt; cat missing
        echo end";
    let world =
        World::writing(dir.path(), READ).deny(Access::Read, anywhere(dir.path(), &[".env"]));
    let (text, denials) = world.shell(dir.path(), script);
    assert!(text.contains("fds work\npiped\nto stdout\n"), "{text}");
    assert!(text.contains("fine\n"), "{text}");
    assert!(text.contains("missing: No such file or directory"), "{text}");
    // Once from `later/x`, which was not denied when it had that name.
    assert_eq!(text.matches("PCSECRET").count(), 1, "{text}");
    assert!(denials.len() >= 6, "{denials:#?}");
}

#[test]
fn a_plain_name_is_opened_as_the_kernel_would() {
    let dir = project();
    fs::create_dir_all(dir.path().join("in/ner")).unwrap();
    fs::write(dir.path().join("in/ner/file"), "inner\n").unwrap();
    let script = r"
        cat in/ner/file ./in/ner/file $PWD/in/ner/file
        cd in; cat ner/file; cd ner; cat file ../../ok.txt
        mkdir gone; cd gone; rmdir ../gone; cat ../file 2>&1 | sed 's/.*: //'; cat file 2>&1 | sed 's/.*: //'
        cd ../../..; mv in out; cat out/ner/file; cat in/ner/file 2>&1 | sed 's/.*: //'
        ls -d out/ner/; ls out; cat out 2>&1 | sed 's/.*: //'; cat ok.txt/ 2>&1 | sed 's/.*: //'
        mkfifo ff; (sleep 0.2; echo late > ff) & cat ff; wait; echo written
        (echo soon > ff) & sleep 0.3; cat ff; wait; echo written
        ln -s out way; cat way/ner/file; cat out/.env 2>&1 | sed 's/.*: //'";
    let shell = |read: bool| {
        let guards = if read { READ } else { CREATE };
        let world = World::writing(dir.path(), guards);
        world.deny(Access::Read, anywhere(dir.path(), &[".env"])).shell(dir.path(), script).0
    };
    let guarded = shell(true);
    fs::remove_file(dir.path().join("ff")).unwrap();
    fs::remove_file(dir.path().join("way")).unwrap();
    fs::rename(dir.path().join("out"), dir.path().join("in")).unwrap();
    assert_eq!(guarded, shell(false));
    assert!(guarded.matches("inner\n").count() >= 7, "{guarded}");
    assert_eq!(guarded.matches("written\n").count(), 2, "{guarded}");
}

#[test]
fn a_fifo_stalls_nobody_else() {
    if !is_alone("files::a_fifo_stalls_nobody_else") {
        return;
    }
    let dir = project();
    let script = r"
        mkfifo ff
        for i in 1 2 3 4 5 6 7 8; do (timeout 2 cat ff > /dev/null) & done
        sleep 0.3; start=$(date +%s%N)
        echo x > new; cat new ok.txt
        end=$(date +%s%N); [ $(( (end - start) / 1000000 )) -lt 1000 ] && echo quick
        wait
        trap 'echo trapped' USR1; (sleep 0.3; kill -USR1 $$; sleep 0.3; echo word > ff) &
        read line < ff; echo got $line
        wait; echo end";
    let world =
        World::writing(dir.path(), READ).deny(Access::Read, anywhere(dir.path(), &[".env"]));
    let start = std::time::Instant::now();
    let (text, _) = world.shell(dir.path(), script);
    assert!(text.contains("quick\n") && text.contains("end\n"), "{text}");
    assert!(text.contains("trapped\n") && text.contains("got word\n"), "{text}");
    assert!(start.elapsed() < std::time::Duration::from_secs(8), "{:?}", start.elapsed());
}

#[test]
fn a_writer_of_a_fifo_that_was_quick_is_read() {
    if !is_alone("files::a_writer_of_a_fifo_that_was_quick_is_read") {
        return;
    }
    let dir = project();
    let script = r"
        mkfifo ff
        for i in $(seq 400); do (echo late > ff) & timeout 5 cat ff || break; wait; done";
    let world =
        World::writing(dir.path(), READ).deny(Access::Read, anywhere(dir.path(), &[".env"]));
    let (text, _) = world.shell(dir.path(), script);
    assert_eq!(text.matches("late\n").count(), 400, "{text}");
}

#[test]
fn long_paths_are_cut_nowhere() {
    let dir = project();
    let script = r"
        p=$PWD; for i in $(seq 1500); do p=$p/.; done; cat $p/.env && echo LEAK
        cat $p/ok.txt
        p=$PWD; for i in $(seq 2100); do p=$p/.; done; cat $p/ok.txt; : > $p/new";
    let world =
        World::writing(dir.path(), READ).deny(Access::Read, anywhere(dir.path(), &[".env"]));
    let (text, _) = world.shell(dir.path(), script);
    assert!(!text.contains("LEAK") && !text.contains("PCSECRET"), "{text}");
    assert!(text.starts_with("fine\n"), "{text}");
    assert_eq!(text.matches("File name too long").count(), 2, "{text}");
}

#[test]
fn a_compiler_works() {
    let dir = project();
    fs::write(dir.path().join("a.c"), "#include <stdio.h>\nint main(void) { puts(\"hello\"); }\n")
        .unwrap();
    if std::process::Command::new("cc").arg("--version").output().is_err() {
        println!("SKIP: no C compiler");
        return;
    }
    let script = r"
        for i in 1 2 3 4; do (TMPDIR=$PWD cc -O1 -pipe -o a$i a.c) & done
        wait; ./a1; ./a4";
    let world =
        World::writing(dir.path(), READ).deny(Access::Read, anywhere(dir.path(), &[".env"]));
    let (text, denials) = world.shell(dir.path(), script);
    assert_eq!(text, "hello\nhello\n", "{denials:#?}");
}
