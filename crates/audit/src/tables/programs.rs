//! Programs whose names start like others: what a star without a blank before it reaches.

/// Names a rule like `ls*` may reach by mistake, sorted.
pub const PROGRAMS: &[&str] = &[
    "awk", "base64", "bash", "bunx", "bzip2", "cargo-make", "cat", "catchsegv", "chmod", "chown", "cmake", "cp",
    "cpio", "curl", "cut", "dd", "deno", "df", "dig", "docker", "docker-compose", "du", "echo",
    "ed", "env", "eval", "exec", "find", "findmnt", "ftp", "gcc", "gdb", "gh", "git", "git-shell", "gitk", "go",
    "gofmt", "gpg", "grep", "gunzip", "gzip", "head", "headscale", "java", "javac", "jq", "kill", "killall",
    "kubectl", "less", "ln", "ls", "lsattr", "lsblk", "lsmod", "lsof", "make", "makepkg", "man", "mandb", "mkdir",
    "mkfs", "mkfs.ext4", "mv", "nc", "ncat", "node", "nodejs", "npm", "npx", "nslookup", "openssl", "patch", "perl", "php",
    "ping", "pip", "pip3", "pipx", "pkill", "pnpm", "pnpx", "ps", "psql", "pwd", "pwdx", "pytest", "python",
    "python3", "rake", "rm", "rmdir", "rmmod", "rsync", "ruby", "sed", "sendmail", "sh", "shred",
    "shutdown", "sort", "source", "ssh", "ssh-keygen", "su", "sudo", "tail", "tailscale", "tar", "tee", "test", "time",
    "timeout", "touch", "truncate", "unlink", "unzip", "vi", "vim", "watch", "wc", "wget", "which",
    "xargs", "yarn", "yarnpkg", "zip", "zsh",
];
