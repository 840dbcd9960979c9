//! Probes that cannot get out even as they are, and why. They prove nothing, and do not count.

use crate::escapes::Identity;
use crate::escapes::options::Backend;

/// Where a reason holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// For everyone.
    Everyone,
    /// For an ordinary user.
    User,
    /// For root.
    Root,
}

impl Where {
    /// Where somebody is.
    pub fn of(identity: Identity) -> Self {
        match identity {
            Identity::User => Self::User,
            Identity::Root => Self::Root,
        }
    }
}

/// Why a probe cannot leak for somebody, where that is known.
pub fn cannot_leak(id: &str, somebody: Where) -> Option<&'static str> {
    CANNOT_LEAK
        .iter()
        .find(|(name, holds, _)| *name == id && (*holds == Where::Everyone || *holds == somebody))
        .map(|(_, _, reason)| *reason)
}

/// Why a probe does not show what it has to on a machine that lacks something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// The boundary says so: `--explain` has these words.
    Told(&'static str),
    /// It is not about the boundary, for this reason.
    Cannot(&'static str),
}

/// Why a probe need not show what it has to, where that is known of a kind of machine.
pub fn lacking(id: &str, machine: Backend, somebody: Where) -> Option<Lacking> {
    LACKING
        .iter()
        .find(|(name, on, holds, _)| {
            *name == id && *on == machine && (*holds == Where::Everyone || *holds == somebody)
        })
        .map(|(.., why)| *why)
}

const CANNOT_LEAK: &[(&str, Where, &str)] = &[
    ("rd-proc-fd", Where::Root, "it ends at once for root"),
    (
        "rd-own-initial-stack-env",
        Where::Everyone,
        "the shell opens the file and then becomes tr, and a replaced memory reads empty; own-env-self does it",
    ),
    (
        "rd-handle",
        Where::Root,
        "it asks the filesystem of `/`, where the home is not; own-handle-open does it",
    ),
    ("rd-case-fold", Where::Everyone, "the kernel has no case-folding filesystem (CONFIG_UNICODE)"),
    ("rd-handle", Where::User, "file handles need CAP_DAC_READ_SEARCH"),
    (
        "wr-otmpfile-linkat",
        Where::Everyone,
        "Python links without following here; own-otmpfile-link does it",
    ),
    ("wr-mknod-dev", Where::Everyone, "a user namespace makes no device nodes"),
    ("wr-proc-sys", Where::User, "the file is writable for root only"),
    ("net-af-alg", Where::Everyone, "the kernel has no AF_ALG (CONFIG_CRYPTO_USER_API)"),
    ("net-af-xdp", Where::User, "the socket needs CAP_NET_RAW"),
    ("net-setns-host", Where::User, "joining a namespace needs CAP_SYS_ADMIN over it"),
    ("ps-kill-all", Where::Root, "it does nothing for root"),
    ("sup-kill-supervisor", Where::Root, "it does nothing for root"),
    ("k-mount", Where::User, "mounting needs CAP_SYS_ADMIN"),
    ("k-new-mount-api", Where::User, "mounting needs CAP_SYS_ADMIN"),
    ("k-setns", Where::User, "joining a namespace needs CAP_SYS_ADMIN"),
    ("k-suid-sudo", Where::Everyone, "neither sudo nor pkexec is installed; own-suid does it"),
    ("k-x32", Where::Everyone, "the kernel has no x32 ABI (CONFIG_X86_X32_ABI)"),
    ("own-write-dev", Where::User, "the folder is writable for root only"),
    ("own-raw", Where::User, "the socket needs CAP_NET_RAW"),
    ("own-packet", Where::User, "the socket needs CAP_NET_RAW"),
    ("own-netlink-address", Where::User, "changing addresses needs CAP_NET_ADMIN"),
    ("own-hostname", Where::User, "changing the name needs CAP_SYS_ADMIN"),
    ("own-chroot", Where::User, "changing the root needs CAP_SYS_CHROOT"),
    ("own-suid", Where::Root, "root gains nothing from it"),
    ("own-unshare-net", Where::User, "the namespace needs CAP_SYS_ADMIN"),
    ("own-unshare-files-ns", Where::User, "the namespace needs CAP_SYS_ADMIN"),
    ("own-open-tree-clone", Where::User, "cloning mounts needs CAP_SYS_ADMIN"),
    ("own-mount-setattr", Where::User, "changing mounts needs CAP_SYS_ADMIN"),
    ("own-umount", Where::User, "unmounting needs CAP_SYS_ADMIN"),
    ("own-pivot-root", Where::User, "moving the root needs CAP_SYS_ADMIN"),
    ("own-handle-name", Where::User, "file handles need CAP_DAC_READ_SEARCH"),
    ("own-core-pattern", Where::User, "the file is writable for root only"),
    ("own-proc-sys-write", Where::User, "the files are writable for root only"),
    ("own-handle-open", Where::User, "file handles need CAP_DAC_READ_SEARCH"),
    ("own-become-other", Where::User, "becoming somebody else needs CAP_SETUID"),
    ("own-env-ps4", Where::Root, "bash takes no PS4 from the environment of root"),
];

const PROCESSES: Lacking = Lacking::Told("names and arguments of the user's processes can be read");
const AROUND: Lacking =
    Lacking::Told("names and arguments of the container's processes can be read");
const DEVICES: Lacking = Lacking::Told("other devices can be seen, but not opened");
const QUEUES: Lacking = Lacking::Told("System V memory and queues can be seen but not used");
const NO_OWN_USERS: Lacking = Lacking::Cannot("it takes a user namespace");
const EVERYONES_NUMBERS: Lacking =
    Lacking::Cannot("root sees the numbers of all, and can become nobody: own-become-other");
const NO_OWN_NETWORK: Lacking =
    Lacking::Told("no loopback inside either, and no abstract unix socket");

const LACKING: &[(&str, Backend, Where, Lacking)] = &[
    ("rd-cmdline-of-host", Backend::SharedProc, Where::Everyone, AROUND),
    ("ps-supervisor-visible", Backend::SharedProc, Where::Everyone, AROUND),
    ("own-proc-first", Backend::SharedProc, Where::Everyone, AROUND),
    (
        "own-own-children",
        Backend::SharedProc,
        Where::Everyone,
        Lacking::Cannot("`ps` looks for its number inside in the `/proc` of outside"),
    ),
    ("rd-cmdline-of-host", Backend::LandlockOnly, Where::Everyone, PROCESSES),
    ("ps-supervisor-visible", Backend::LandlockOnly, Where::Everyone, PROCESSES),
    ("ps-vm-readv", Backend::LandlockOnly, Where::Everyone, PROCESSES),
    ("own-proc-first", Backend::LandlockOnly, Where::Everyone, PROCESSES),
    ("own-sched-others", Backend::LandlockOnly, Where::Everyone, PROCESSES),
    ("tty-other-pts", Backend::LandlockOnly, Where::Everyone, DEVICES),
    ("k-dev-list", Backend::LandlockOnly, Where::Everyone, DEVICES),
    (
        "life-zombies",
        Backend::LandlockOnly,
        Where::Everyone,
        Lacking::Cannot("it counts the machine's, whose first process collects nobody"),
    ),
    ("k-caps-empty", Backend::LandlockOnly, Where::User, NO_OWN_USERS),
    ("own-caps-all", Backend::LandlockOnly, Where::User, NO_OWN_USERS),
    ("own-uid-map", Backend::Full, Where::Root, EVERYONES_NUMBERS),
    ("own-uid-map", Backend::SharedProc, Where::Root, EVERYONES_NUMBERS),
    ("own-uid-map", Backend::LandlockOnly, Where::Everyone, NO_OWN_USERS),
    (
        "own-write-shm",
        Backend::LandlockOnly,
        Where::Everyone,
        Lacking::Told("`/dev/shm` is shared"),
    ),
    ("ps-sysv-shm", Backend::LandlockOnly, Where::Everyone, QUEUES),
    ("own-msg-queue", Backend::LandlockOnly, Where::Everyone, QUEUES),
    ("own-loopback", Backend::LandlockOnly, Where::Everyone, NO_OWN_NETWORK),
    ("own-unix-own-abstract", Backend::LandlockOnly, Where::Everyone, NO_OWN_NETWORK),
];
