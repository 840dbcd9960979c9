//! What the arguments of one command tell about it: a line a case.
//!
//! Words are separated by blanks; `␣` is a blank inside a word. An unquoted-looking `*` makes the
//! word a glob (`\*` is the character), `$X` is one unknown word and `$@` any number of them, with
//! known text around them as their start and end.

use portcullis_facts::{Access, Arg, Inspection, inspect};

fn argument(word: &str) -> Arg {
    let text = word.replace('␣', " ");
    if let Some((prefix, suffix)) = text.split_once("$X") {
        return Arg::One { prefix: prefix.to_owned(), suffix: suffix.to_owned() };
    }
    if let Some((prefix, suffix)) = text.split_once("$@") {
        return Arg::Many { prefix: prefix.to_owned(), suffix: suffix.to_owned() };
    }
    if text.replace("\\*", "").contains('*') {
        Arg::Glob(text)
    } else {
        Arg::Known(text.replace("\\*", "*"))
    }
}

fn look(line: &str) -> Inspection {
    inspect(&line.split(' ').filter(|word| !word.is_empty()).map(argument).collect::<Vec<_>>())
}

/// `r:` read, `w:` written, `d:` removed, with a `+` where everything below is meant.
fn paths(line: &str) -> String {
    let shown = look(line).paths.into_iter().map(|used| {
        let kind = match used.access {
            Access::Read => 'r',
            Access::Write => 'w',
            Access::Remove => 'd',
        };
        let below = if used.recursive { "+" } else { "" };
        let text = match used.arg {
            Arg::Known(text) | Arg::Glob(text) => text,
            Arg::One { prefix, suffix } => format!("{prefix}$X{suffix}"),
            Arg::Many { prefix, suffix } => format!("{prefix}$@{suffix}"),
        };
        format!("{kind}{below}:{text}")
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn knows_what_only_reads() {
    for line in "
        cat src/app.ts
        cat -n -- -x
        cat -
        ls -la src docs
        ls --color=auto
        ls --help
        ls *.ts
        cat secrets/*
        head -20 f
        head -n 5 f
        head --lines=5 f
        tail -n +3 f
        tail -c5 f
        wc -l src/*.ts
        grep -rn foo src
        grep -f pat x
        grep -A3 -B 3 -5 foo x
        rg -n foo -g \\*.ts
        find . -maxdepth 2 -type d -not ( -name a -o -name b )
        find . -printf %p
        find src docs
        sort -u -k2,3 -t: x
        uniq -c
        cut -d / -f1 a
        sed -n 1,5p x
        sed -n -e 1p -e $p x
        sed s/a/b/
        jq . x
        jq -r --arg a b .x[$a] f
        date +%s
        date -d yesterday
        hostname -f
        history 10
        ps aux
        ps -ef
        ps -eo pid,cmd
        ps axo pid,command
        ps -p 12
        man ls
        man 3 printf
        ip addr
        ip -br link show dev eth0
        ip route get 1.1.1.1
        printf %s␣x a
        printf -- -v
        echo -e a *
        [ -f x ]
        command -v ls
        xargs
        xargs grep foo
        xargs -0 -n 5 wc -l
        cd
        cd -
        cd src
        node --version
        python --version
        tput cols
        tree -L 2
        base64 -d x
        file x
        git status
        git status --porcelain
        git log --oneline -5
        git log -S foo --format=%h␣%s
        git diff HEAD --word-diff
        git diff --no-index a b
        git show HEAD:src/app.ts
        git branch -a
        git branch --list feat/\\*
        git tag -l v\\*
        git stash list
        git stash show -p
        git reflog
        git reflog show HEAD
        git remote -v
        git config --get user.name
        git worktree list
        git ls-files -- \\*.ts
        git grep -n foo -- src
        git blame -L 1,2 x
        docker ps -a --format x
        docker logs -n 5 x
    "
    .lines()
    .map(str::trim)
    .filter(|line| !line.is_empty())
    {
        assert_eq!(look(line).read_only, Ok(()), "{line}");
    }
}

#[test]
fn knows_what_may_do_more() {
    for line in "
        /bin/ls
        ./ls
        LS
        foo --help
        ls --colo
        ls --recursiv
        ls --unheard-of
        ls -y
        cat $X
        cat $@
        echo $X
        echo pre$X
        head -n $X f
        head -n * f
        grep --regex=x f
        find . -exec ls {} ;
        find . -execdir ls {} +
        find . -ok x ;
        find . -delete
        find . -fprint x
        find . -fprintf x %p
        find . -name *.ts
        find . -printf -delete
        find -name x src
        sort -o x y
        sort -uox y
        sort --output=x y
        sort -T /tmp x
        sort --compress-program=x y
        sort --compress-progra=x y
        sort *
        uniq a
        uniq a b
        join a b
        tty
        comm a/* b
        base64 *
        file -C
        file -f x
        file -m a b
        file *
        rg --pre x foo
        rg -z foo
        rg --hostname-bin x foo
        rg --files
        tree -o x
        tree -Lo 2 x
        tree -R -L 1
        sed s/a/b/ x
        sed 1d x
        sed -n /a/,/b/p x
        sed -i s/a/b/ x
        sed -n -i.bak p x
        sed --in-place=.bak s/a/b/ x
        sed -f x y
        sed s/a/b/w␣out
        sed s/a/b/e
        sed -n -e 1p -e w␣out x
        sed -n 1p *
        sed
        jq -f x y
        jq --rawfile a b . x
        jq --slurpfile a b . x
        jq -L lib . x
        jq env x
        jq $ENV.HOME
        jq import␣\"a\"␣as␣$b;␣. x
        jq . .env
        date -s x
        date 01010000
        hostname x
        hostname -F x
        history -c
        history -w x
        ps e
        ps auxe
        ps -auxe
        ps axo environ
        man -P x ls
        man -H ls
        man ./x
        ip link set lo up
        ip netns exec a b
        ip -batch x
        ifconfig eth0 down
        ss -K
        lsof -D w
        lsof -C -D w
        printf -v X a
        printf *
        [ -v a[$(x)] ]
        test -v a
        command ls
        xargs ls
        xargs rm
        xargs -I{} cat {}
        xargs -a x grep foo
        xargs find .
        node
        node x.js
        node -e 1
        python --version x
        python3 -V
        tput init
        tput reset
        git
        git --version
        git -c core.pager=x log
        git -C x status
        git --no-pager log
        git log --output=x
        git log --outpu=x
        git log *
        git log --show-signature
        git log --format=%G?
        git for-each-ref --format=%(signature)
        git diff --ext-diff
        git diff --textconv
        git diff -U --output=x
        git show --output x
        git branch foo
        git branch -a foo
        git branch -l foo
        git branch --merged foo
        git branch -D foo
        git branch --list -D foo
        git tag v1
        git tag -n v1
        git tag -d v1
        git remote add a b
        git remote show origin
        git remote update
        git config user.name
        git config user.name x
        git config --list
        git config --get a --unset
        git config -f x --get a
        git stash
        git stash pop
        git stash list x
        git reflog expire --all
        git reflog delete x
        git ls-remote origin
        git ls-remote --upload-pack=x
        git grep -O foo
        git grep --open-files-in-pager=x foo
        git cat-file --filters HEAD:x
        git cat-file --textconv HEAD:x
        git worktree add x
        git rev-parse --parseopt
        docker -H x ps
        docker --context x ps
        docker run x
        docker ps x
        gh pr list
        awk 1 x
        tee x
        less x
        tar tf x
    "
    .lines()
    .map(str::trim)
    .filter(|line| !line.is_empty())
    {
        assert!(look(line).read_only.is_err(), "{line}");
    }
}

#[test]
fn takes_no_flag_for_a_value() {
    // With a version of the program whose flag takes no value, these would write or run.
    for line in
        ["sort -k -ox y", "tree -L -R", "git log -n --output=x", "date -d -s", "rg -e --pre=x foo"]
    {
        assert!(look(line).read_only.is_err(), "{line}");
    }
    // Where every flag only reads it makes no difference.
    for line in ["head -n -5 x", "cut -f -3 x", "grep -e -x y"] {
        assert_eq!(look(line).read_only, Ok(()), "{line}");
    }
}

#[test]
fn says_why_and_which_argument() {
    for (line, index, why) in [
        ("sort a -o x", 3, "`sort` writes what this flag names"),
        ("git log --output=x", 2, "`git log` writes what this flag names"),
        ("git frobnicate", 0, "`git frobnicate` is not known to only read"),
        ("/bin/ls", 0, "`/bin/ls` is a file, not the program of that name"),
        ("rm x", 0, "`rm` changes files"),
        ("find . -exec x ;", 2, "`-exec` runs programs"),
        ("xargs -n 1 rm", 3, "`xargs` runs this with words from its input"),
        ("echo a $X", 2, "an argument is only known when it runs"),
        ("sort *", 1, "a file the glob finds could be named like a flag of `sort`"),
        ("hostname x", 1, "`hostname` takes no operand when it only reads"),
    ] {
        let found = look(line).read_only.unwrap_err();
        assert_eq!((found.why.as_ref(), found.index), (why, index), "{line}");
    }
}

#[test]
fn finds_the_paths() {
    for (line, want) in [
        ("cat a b", "r:a r:b"),
        ("cat - a", "r:a"),
        ("cat -- -n", "r:-n"),
        ("cat src/*", "r:src/*"),
        ("cat $X b", "r:$X r:b"),
        ("ls", "r:."),
        ("ls a", "r:a"),
        ("cd", "r:~"),
        ("cd -", ""),
        ("cd a", "r:a"),
        ("grep x a", "r:a"),
        ("grep -e x a", "r:a"),
        ("grep -f p a", "r:p r:a"),
        ("grep -fp a", "r:p r:a"),
        ("grep --file=p a", "r:p r:a"),
        ("grep --file=$X a", "r:$X r:a"),
        ("grep -r x", "r+:."),
        ("grep x -r a", "r+:a"),
        ("grep x", ""),
        ("rg x", "r+:."),
        ("rg x a", "r+:a"),
        ("find", "r:."),
        ("find a b -newer c", "r:a r:b r:c"),
        ("find a -delete", "r:a d+:a"),
        ("find a -fprint o", "r:a w:o"),
        ("sort -o x y", "w:x r:y"),
        ("sort --output=x y", "w:x r:y"),
        ("uniq a b", "r:a w:b"),
        ("xxd a b", "r:a w:b"),
        ("diff -r a b", "r+:a r+:b"),
        ("sed -n 1p a", "r:a"),
        ("sed -e 1p a", "r:a"),
        ("sed -i s/a/b/ x", "r:x w:x"),
        ("sed -i.bak s/a/b/ x", "r:x w:x w:x.bak"),
        ("sed -f s x", "r:s r:x"),
        ("awk 1 a", "r:a"),
        ("awk -f p a", "r:p r:a"),
        ("jq . a", "r:a"),
        ("cp a b", "r:a w:b/a w:b"),
        ("cp a b d/", "r:a w:d/a r:b w:d/b w:d/"),
        ("cp -r a b", "r+:a w+:b/a w+:b"),
        ("cp -t d x/a", "w:d r:x/a w:d/a"),
        ("cp --target-directory=d a", "w:d r:a w:d/a"),
        ("mv a b", "r+:a d+:a w+:b/a w+:b"),
        ("rm -rf a", "d+:a"),
        ("rm -- -a", "d:-a"),
        ("rmdir a", "d:a"),
        ("mkdir -p a", "w:a"),
        ("touch -r a b", "r:a w:b"),
        ("tee -a x", "w:x"),
        ("dd if=a of=b bs=1", "r:a w:b"),
        ("chmod +x a", "w:a"),
        ("chmod --reference=r a", "r:r w:a"),
        ("ln -s a b", "r:a w:b/a w:b"),
        ("tar cf x a", "w:x r+:a"),
        ("tar -xzf x -C d", "w+:d r:x"),
        ("tar --create --file=x a", "w:x r+:a"),
        ("curl -T a http://x", "r:a"),
        ("curl -d @a http://x", "r:a"),
        ("curl -F f=@a http://x", "r:a"),
        ("curl -o a http://x", "w:a"),
        ("curl file:///a", "r:/a"),
        ("scp a h:", "r:a"),
        ("scp -r a h:b", "r+:a"),
        ("scp h:a b", "w:b"),
        ("openssl enc -in a -out b", "r:a w:b"),
        ("node a.js b", "r:a.js"),
        (". ./x", "r:./x"),
        ("git diff a", "r:a"),
        ("git diff HEAD:a", "r:a"),
        ("git show HEAD:src/a", "r:src/a"),
        ("git log -- a", "r:a"),
        ("git log --output=x", "w:x"),
        ("git add a", "r+:a"),
        ("xargs grep x a", "r:$@ r:a"),
        ("xargs echo a", ""),
        ("curl -O http://x/a/b", "w:b"),
        ("curl -sSLO --output-dir d http://x/b?c", "w:d/b"),
        ("curl -XPOST http://x/b", ""),
        ("wget http://x/a/b", "w:b"),
        ("wget -P d http://x/b", "w:d w:d/b"),
        ("wget -O a http://x/b", "w:a"),
        ("gunzip a.gz", "r:a.gz w:a.gz w:a"),
        ("gzip a", "r:a w:a w:a.gz"),
        ("git diff --no-index a b", "r+:a r+:b"),
        ("npm run a", ""),
    ] {
        assert_eq!(paths(line), want, "{line}");
    }
}

#[test]
fn names_what_a_copy_makes() {
    // Into a directory, a copy takes its old name along: this one becomes a hook.
    assert!(paths("cp x/pre-commit .git/hooks").contains("w:.git/hooks/pre-commit"));
    // What a directory holds cannot be told from its name.
    for line in ["cp -r x/. .", "cp -r .. y", "cp -rT x .", "mv x/. .", "cp --parents a/b c"] {
        assert!(!look(line).edits, "{line}");
    }
}

#[test]
fn knows_the_edits() {
    for line in [
        "mkdir -p a/b",
        "touch a",
        "rm -rf a",
        "rmdir a",
        "mv a b",
        "cp -r a b",
        "cp -t d a",
        "sed -i s/a/b/ x",
        "sed -i.bak s/a/b/g x",
        "sed s/a/b/ x",
        "sed -E s/a/b/g x",
    ] {
        assert!(look(line).edits, "{line}");
    }
    for line in [
        "cat a",
        "rm $X",
        "rm *",
        "rm --unheard-of a",
        "rm --no-preserve-root a",
        "rmdir -p a",
        "cp a *",
        "mv $@ b",
        "tee a",
        "chmod +x a",
        "ln -s a b",
        "sed 1d x",
        "sed s/a/b/e x",
        "sed s/a/b/w␣o x",
        "sed -n 1p;w␣o x",
        "sed -f s x",
        "sed -i../../* s/a/b/ x",
        "sed -i s/a/b/ *",
    ] {
        assert!(!look(line).edits, "{line}");
    }
}

#[test]
fn knows_removals() {
    for (line, targets, recursive) in [
        ("rm -rf a b", 2, true),
        ("rm a", 1, false),
        ("rmdir a", 1, false),
        ("rm -r -- -x", 1, true),
    ] {
        let removal = look(line).removal.unwrap();
        assert_eq!((removal.targets.len(), removal.recursive), (targets, recursive), "{line}");
    }
    assert_eq!(look("rm $X/*").removal.unwrap().targets.len(), 1);
    assert!(look("unlink a").removal.is_none());
}

#[test]
fn tells_file_commands_and_complete_lists() {
    for (line, file_command, complete) in [
        ("cat a", true, true),
        ("cat --unheard-of a", true, false),
        ("cat $@", true, false),
        ("awk 1 a", true, false),
        ("less a", true, false),
        ("chmod +x a", true, true),
        ("du -sh /", false, true),
        ("echo a", false, true),
        ("git diff a", true, true),
        ("git add a", false, false),
        ("tar cf x a", false, false),
        ("node --version", false, true),
        ("node x", false, false),
        ("npm test", false, false),
        ("xargs grep x", false, false),
    ] {
        let found = look(line);
        assert_eq!((found.file_command, found.complete), (file_command, complete), "{line}");
    }
}
