//! System calls a command has no business with: what they get for an answer, and why.
//!
//! What is not listed is allowed, up to the last call that was looked at ([`LAST_REVIEWED`]): later ones do
//! not exist for a command.

use super::super::filter::{Answer, Holds, Row};

/// The last call of Linux 6.18, `file_setattr`. The numbers are the same on every architecture since 424.
pub(crate) const LAST_REVIEWED: u32 = 469;

const PERM: Answer = Answer::Errno(libc::EPERM);
const NOSYS: Answer = Answer::Errno(libc::ENOSYS);

const NEW_NAMESPACE: u32 = (libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP)
    .cast_unsigned();
/// Bits that `clone` reads as a part of the signal.
const NEW_TIME_NAMESPACE: u32 = 0x80;

const SET_ID: u32 = libc::S_ISUID | libc::S_ISGID;
const CREATE: u32 = libc::O_CREAT.cast_unsigned();

/// Calls of every architecture.
pub(crate) const ROWS: &[Row] = &[
    // Ways around every filter of system calls.
    row(libc::SYS_io_uring_setup, NOSYS, "does other calls unseen by filters"),
    row(libc::SYS_io_uring_enter, NOSYS, "does other calls unseen by filters"),
    row(libc::SYS_io_uring_register, NOSYS, "does other calls unseen by filters"),
    row(libc::SYS_clone3, NOSYS, "its flags lie in memory; libraries fall back to clone"),
    // New namespaces bring capabilities and with them most of the kernel's attack surface.
    nesting(
        libc::SYS_clone,
        Answer::IfBits { argument: 0, bits: NEW_NAMESPACE, errno: libc::EPERM },
    ),
    nesting(
        libc::SYS_unshare,
        Answer::IfBits {
            argument: 0,
            bits: NEW_NAMESPACE | NEW_TIME_NAMESPACE,
            errno: libc::EPERM,
        },
    ),
    nesting(libc::SYS_setns, PERM),
    nesting(libc::SYS_chroot, PERM),
    // Rules about files are rules about paths; mounts give files other paths.
    row(libc::SYS_mount, PERM, "gives files other paths"),
    row(libc::SYS_umount2, PERM, "uncovers what is hidden"),
    row(libc::SYS_pivot_root, PERM, "gives files other paths"),
    row(libc::SYS_open_tree, PERM, "gives files other paths"),
    row(libc::SYS_move_mount, PERM, "gives files other paths"),
    row(libc::SYS_fsopen, PERM, "gives files other paths"),
    row(libc::SYS_fsconfig, PERM, "gives files other paths"),
    row(libc::SYS_fsmount, PERM, "gives files other paths"),
    row(libc::SYS_fspick, PERM, "gives files other paths"),
    row(libc::SYS_mount_setattr, PERM, "makes what is read-only writable"),
    row(OPEN_TREE_ATTR, PERM, "gives files other paths"),
    row(libc::SYS_open_by_handle_at, PERM, "opens files without a path"),
    // Stores that outlive and cross the sandbox.
    row(libc::SYS_keyctl, PERM, "keyrings are shared by every process of a user"),
    row(libc::SYS_add_key, PERM, "keyrings are shared by every process of a user"),
    row(libc::SYS_request_key, PERM, "keyrings are shared by every process of a user"),
    // Large interfaces that exploits of the kernel start from.
    row(libc::SYS_bpf, PERM, "loads programs into the kernel"),
    row(libc::SYS_perf_event_open, PERM, "observes the whole machine"),
    row(libc::SYS_userfaultfd, PERM, "stops the kernel, and a supervisor, in the middle of a copy"),
    row(libc::SYS_syslog, PERM, "reads the kernel's log and with it addresses"),
    row(libc::SYS_lookup_dcookie, PERM, "profiles the whole machine"),
    row(libc::SYS_fanotify_init, PERM, "watches files by filesystem, not by path"),
    row(libc::SYS_quotactl, PERM, "administers filesystems"),
    row(QUOTACTL_FD, PERM, "administers filesystems"),
    row(libc::SYS_acct, PERM, "administers the machine"),
    row(libc::SYS_swapon, PERM, "administers the machine"),
    row(libc::SYS_swapoff, PERM, "administers the machine"),
    row(libc::SYS_reboot, PERM, "administers the machine"),
    row(libc::SYS_kexec_load, PERM, "replaces the kernel"),
    row(libc::SYS_kexec_file_load, PERM, "replaces the kernel"),
    row(libc::SYS_init_module, PERM, "extends the kernel"),
    row(libc::SYS_finit_module, PERM, "extends the kernel"),
    row(libc::SYS_delete_module, PERM, "changes the kernel"),
    row(libc::SYS_settimeofday, PERM, "sets the clock of the machine"),
    row(libc::SYS_clock_settime, PERM, "sets the clock of the machine"),
    row(libc::SYS_sethostname, PERM, "names the machine"),
    row(libc::SYS_setdomainname, PERM, "names the machine"),
    row(libc::SYS_vhangup, PERM, "takes the terminal from others"),
    row(libc::SYS_nfsservctl, NOSYS, "gone since Linux 3.1"),
    // The terminal is the caller's, and what is typed into it is run outside.
    // And files are changed by requests to descriptors that were only opened to read.
    row(
        libc::SYS_ioctl,
        Answer::IfOneOf { argument: 1, values: REQUESTS, errno: libc::EPERM },
        "types into the caller's terminal, or changes what is open to read; the kernel looks at 32 bits, and so does this",
    ),
    // Files that outlive the sandbox and carry the rights of their owner to whoever runs them.
    row(libc::SYS_fchmod, SET_ID_1, "makes set-user-id files"),
    row(libc::SYS_fchmodat, SET_ID_2, "makes set-user-id files"),
    row(FCHMODAT2, SET_ID_2, "makes set-user-id files"),
    row(libc::SYS_mknodat, SET_ID_2, "makes set-user-id files"),
    row(
        libc::SYS_openat,
        Answer::IfBoth { first: (2, CREATE), second: (3, SET_ID), errno: libc::EPERM },
        "makes set-user-id files",
    ),
    // What processes of one user share, where a namespace does not keep them apart.
    among_others(libc::SYS_shmget, NOSYS, SHARED),
    among_others(libc::SYS_shmat, NOSYS, SHARED),
    among_others(libc::SYS_shmctl, NOSYS, SHARED),
    among_others(libc::SYS_msgget, NOSYS, SHARED),
    among_others(libc::SYS_msgsnd, NOSYS, SHARED),
    among_others(libc::SYS_msgrcv, NOSYS, SHARED),
    among_others(libc::SYS_msgctl, NOSYS, SHARED),
    among_others(libc::SYS_semget, NOSYS, SHARED),
    among_others(libc::SYS_semop, NOSYS, SHARED),
    among_others(libc::SYS_semtimedop, NOSYS, SHARED),
    among_others(libc::SYS_semctl, NOSYS, SHARED),
    among_others(libc::SYS_mq_open, NOSYS, SHARED),
    among_others(libc::SYS_mq_unlink, NOSYS, SHARED),
    among_others(
        libc::SYS_prlimit64,
        // 0 is the caller.
        Answer::IfBits { argument: 0, bits: u32::MAX, errno: libc::EPERM },
        "a limit on the time of another process ends it",
    ),
    // Address families: pathname sockets are supervised, the network is an own one, and of netlink only
    // routes and links can be asked for.
    Row {
        number: number(libc::SYS_socket),
        answer: Answer::Socket,
        reason: "vsock, packet, crypto and the like are not confined by the network namespace",
        holds: Holds::Always,
    },
];

const SET_ID_1: Answer = Answer::IfBits { argument: 1, bits: SET_ID, errno: libc::EPERM };
const SET_ID_2: Answer = Answer::IfBits { argument: 2, bits: SET_ID, errno: libc::EPERM };

const REQUESTS: &[u32] = &[
    TIOCSTI,
    TIOCLINUX,
    FS_IOC_SETFLAGS,
    FS_IOC_FSSETXATTR,
    FS_IOC_ENABLE_VERITY,
    FS_IOC_SET_ENCRYPTION_POLICY,
    BTRFS_IOC_SNAP_CREATE,
    BTRFS_IOC_SUBVOL_CREATE,
    BTRFS_IOC_SNAP_DESTROY,
    BTRFS_IOC_SNAP_CREATE_V2,
    BTRFS_IOC_SUBVOL_CREATE_V2,
    BTRFS_IOC_SUBVOL_SETFLAGS,
    BTRFS_IOC_SNAP_DESTROY_V2,
];

const TIOCSTI: u32 = 0x5412;
const TIOCLINUX: u32 = 0x541c;
// linux/fs.h, linux/fsverity.h, linux/fscrypt.h: marks of a file, such as `chattr` sets.
const FS_IOC_SETFLAGS: u32 = 0x4008_6602;
const FS_IOC_FSSETXATTR: u32 = 0x401c_5820;
const FS_IOC_ENABLE_VERITY: u32 = 0x4080_6685;
const FS_IOC_SET_ENCRYPTION_POLICY: u32 = 0x800c_6613;
// linux/btrfs.h: names are made and removed in a directory.
const BTRFS_IOC_SNAP_CREATE: u32 = 0x5000_9401;
const BTRFS_IOC_SUBVOL_CREATE: u32 = 0x5000_940e;
const BTRFS_IOC_SNAP_DESTROY: u32 = 0x5000_940f;
const BTRFS_IOC_SNAP_CREATE_V2: u32 = 0x5000_9417;
const BTRFS_IOC_SUBVOL_CREATE_V2: u32 = 0x5000_9418;
const BTRFS_IOC_SUBVOL_SETFLAGS: u32 = 0x4008_941a;
const BTRFS_IOC_SNAP_DESTROY_V2: u32 = 0x5000_943f;

const OPEN_TREE_ATTR: libc::c_long = 467;
const QUOTACTL_FD: libc::c_long = 443;
const FCHMODAT2: libc::c_long = 452;

/// Calls only this architecture has.
#[cfg(target_arch = "x86_64")]
pub(crate) const NATIVE_ROWS: &[Row] = &[
    row(libc::SYS_chmod, SET_ID_1, "makes set-user-id files"),
    row(libc::SYS_creat, SET_ID_1, "makes set-user-id files"),
    row(libc::SYS_mknod, SET_ID_1, "makes set-user-id files"),
    row(
        libc::SYS_open,
        Answer::IfBoth { first: (1, CREATE), second: (2, SET_ID), errno: libc::EPERM },
        "makes set-user-id files",
    ),
    row(libc::SYS_uselib, NOSYS, "maps files without opening them"),
    row(libc::SYS_iopl, PERM, "talks to hardware"),
    row(libc::SYS_ioperm, PERM, "talks to hardware"),
    row(libc::SYS__sysctl, NOSYS, "gone since Linux 5.5"),
];

/// Calls only this architecture has.
#[cfg(target_arch = "aarch64")]
pub(crate) const NATIVE_ROWS: &[Row] = &[];

/// The architecture as filters see it, `AUDIT_ARCH_…` of linux/audit.h.
#[cfg(target_arch = "x86_64")]
pub(crate) const ARCHITECTURE: u32 = 0xc000_003e;
/// The architecture as filters see it, `AUDIT_ARCH_…` of linux/audit.h.
#[cfg(target_arch = "aarch64")]
pub(crate) const ARCHITECTURE: u32 = 0xc000_00b7;

/// The bit of calls of the x32 interface, which filters see as native.
pub(crate) const X32: u32 = 0x4000_0000;

const fn row(number_of: libc::c_long, answer: Answer, reason: &'static str) -> Row {
    Row { number: number(number_of), answer, reason, holds: Holds::Always }
}

/// Why memory and queues that are found by a number are closed where everyone's are there.
const SHARED: &str = "finds memory and messages of every process of the user";

const fn among_others(number_of: libc::c_long, answer: Answer, reason: &'static str) -> Row {
    Row { number: number(number_of), answer, reason, holds: Holds::AmongOthers }
}

const fn nesting(number_of: libc::c_long, answer: Answer) -> Row {
    let reason = "new namespaces bring capabilities, and most of the kernel with them";
    Row { number: number(number_of), answer, reason, holds: Holds::UnlessNested }
}

#[expect(clippy::cast_possible_truncation, reason = "the numbers are constants far below 2^32")]
const fn number(of: libc::c_long) -> u32 {
    of.cast_unsigned() as u32
}
