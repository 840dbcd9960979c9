//! Probes that cannot get out even as they are, and why. They prove nothing, and do not count.

use crate::escapes::Identity;

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

const CANNOT_LEAK: &[(&str, Where, &str)] = &[
    ("rd-proc-fd", Where::Root, "it ends at once for root"),
    (
        "rd-own-initial-stack-env",
        Where::Everyone,
        "the shell opens the file and then becomes tr, and a replaced memory reads empty; own-env-self does it",
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
    ("own-env-ps4", Where::Root, "bash takes no PS4 from the environment of root"),
];
