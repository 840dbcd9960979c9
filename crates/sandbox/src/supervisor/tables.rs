//! The trapped calls, each with the reason it is trapped.

use super::filter::{Guard, When};

/// One trapped call.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its number.
    pub call: i64,
    /// Its name in reports.
    pub name: &'static str,
    /// Who wants it.
    pub guard: Guard,
    /// When it is trapped.
    pub when: When,
    /// What it could do unseen.
    pub reason: &'static str,
}

const fn row(call: i64, name: &'static str, guard: Guard, when: When, reason: &'static str) -> Row {
    Row { call, name, guard, when, reason }
}

/// The name of a trapped call.
pub fn name_of(call: i64) -> &'static str {
    ROWS.iter().find(|row| row.call == call).map_or("unknown call", |row| row.name)
}

/// Every trapped call. Where a call has two rows the later one holds when both guards are wanted.
pub const ROWS: &[Row] = &[
    // Opening to write.
    row(libc::SYS_openat, "openat", Guard::Create, When::OpensToWrite(2), "creates and truncates"),
    row(
        libc::SYS_openat2,
        "openat2",
        Guard::Create,
        When::Always,
        "its flags are behind a pointer",
    ),
    row(libc::SYS_truncate, "truncate", Guard::Create, When::Always, "empties a file by name"),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_open, "open", Guard::Create, When::OpensToWrite(1), "creates and truncates"),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_creat, "creat", Guard::Create, When::Always, "creates and truncates"),
    // Making names.
    row(libc::SYS_mkdirat, "mkdirat", Guard::Create, When::Always, "creates"),
    row(
        libc::SYS_umask,
        "umask",
        Guard::Create,
        When::Always,
        "what was read of it is no longer so",
    ),
    row(libc::SYS_mknodat, "mknodat", Guard::Create, When::Always, "creates"),
    row(libc::SYS_symlinkat, "symlinkat", Guard::Create, When::Always, "creates"),
    row(libc::SYS_linkat, "linkat", Guard::Create, When::Always, "gives a file another name"),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_mkdir, "mkdir", Guard::Create, When::Always, "creates"),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_mknod, "mknod", Guard::Create, When::Always, "creates"),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_symlink, "symlink", Guard::Create, When::Always, "creates"),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_link, "link", Guard::Create, When::Always, "gives a file another name"),
    // Moving and removing names.
    row(libc::SYS_renameat2, "renameat2", Guard::Create, When::Always, "moves and exchanges"),
    row(libc::SYS_unlinkat, "unlinkat", Guard::Create, When::Always, "removes"),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_rename, "rename", Guard::Create, When::Always, "moves"),
    row(libc::SYS_renameat, "renameat", Guard::Create, When::Always, "moves"),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_unlink, "unlink", Guard::Create, When::Always, "removes"),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_rmdir, "rmdir", Guard::Create, When::Always, "removes"),
    // Reading.
    row(libc::SYS_openat, "openat", Guard::Read, When::Opens(2), "reads"),
    row(libc::SYS_openat2, "openat2", Guard::Read, When::Always, "reads"),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_open, "open", Guard::Read, When::Opens(1), "reads"),
    row(libc::SYS_execve, "execve", Guard::Read, When::Always, "running is reading"),
    row(libc::SYS_execveat, "execveat", Guard::Read, When::Always, "running is reading"),
    // Metadata.
    row(libc::SYS_fchmodat, "fchmodat", Guard::Metadata, When::Always, "changes the mode"),
    row(FCHMODAT2, "fchmodat2", Guard::Metadata, When::Always, "changes the mode"),
    row(
        libc::SYS_fchmod,
        "fchmod",
        Guard::Metadata,
        When::Always,
        "works on a file opened to read",
    ),
    row(libc::SYS_fchownat, "fchownat", Guard::Metadata, When::Always, "changes the owner"),
    row(
        libc::SYS_fchown,
        "fchown",
        Guard::Metadata,
        When::Always,
        "works on a file opened to read",
    ),
    row(libc::SYS_utimensat, "utimensat", Guard::Metadata, When::Always, "changes times"),
    row(libc::SYS_setxattr, "setxattr", Guard::Metadata, When::Always, "changes attributes"),
    row(libc::SYS_lsetxattr, "lsetxattr", Guard::Metadata, When::Always, "changes attributes"),
    row(libc::SYS_fsetxattr, "fsetxattr", Guard::Metadata, When::Always, "changes attributes"),
    row(libc::SYS_removexattr, "removexattr", Guard::Metadata, When::Always, "changes attributes"),
    row(
        libc::SYS_lremovexattr,
        "lremovexattr",
        Guard::Metadata,
        When::Always,
        "changes attributes",
    ),
    row(
        libc::SYS_fremovexattr,
        "fremovexattr",
        Guard::Metadata,
        When::Always,
        "changes attributes",
    ),
    row(SETXATTRAT, "setxattrat", Guard::Metadata, When::Absent, "the older calls are guarded"),
    row(
        REMOVEXATTRAT,
        "removexattrat",
        Guard::Metadata,
        When::Absent,
        "the older calls are guarded",
    ),
    row(FILE_SETATTR, "file_setattr", Guard::Metadata, When::Absent, "changes attributes"),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_chmod, "chmod", Guard::Metadata, When::Always, "changes the mode"),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_chown, "chown", Guard::Metadata, When::Always, "changes the owner"),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_lchown, "lchown", Guard::Metadata, When::Always, "changes the owner"),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_utime, "utime", Guard::Metadata, When::Always, "changes times"),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_utimes, "utimes", Guard::Metadata, When::Always, "changes times"),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_futimesat, "futimesat", Guard::Metadata, When::Always, "changes times"),
    // Addresses of unix sockets. A null address sends to the peer that was checked at connect.
    row(libc::SYS_bind, "bind", Guard::Create, When::Always, "creates a socket file"),
    row(libc::SYS_bind, "bind", Guard::Sockets, When::Always, "what it makes may be connected to"),
    row(
        libc::SYS_connect,
        "connect",
        Guard::Sockets,
        When::Always,
        "its address is behind a pointer",
    ),
    row(libc::SYS_sendto, "sendto", Guard::Sockets, When::Present(4), "sends to an address"),
    row(
        libc::SYS_sendmsg,
        "sendmsg",
        Guard::Sockets,
        When::Always,
        "its address is behind a pointer",
    ),
    row(
        libc::SYS_sendmmsg,
        "sendmmsg",
        Guard::Sockets,
        When::Always,
        "its addresses are behind pointers",
    ),
];

/// Calls newer than the C library's table; the numbers are the same on every architecture.
pub const FCHMODAT2: i64 = 452;
const SETXATTRAT: i64 = 463;
const REMOVEXATTRAT: i64 = 466;
const FILE_SETATTR: i64 = 469;
