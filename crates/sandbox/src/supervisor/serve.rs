//! From a request to its answer.

use super::resolve::Final;
use super::target::{Base, Target};
use super::{Answer, Shared};
use crate::sys::notify::Notification;
use portcullis_profile::{Access, Kind};
use rustix::fs::{FileType, ResolveFlags};
use rustix::io::Errno;
use std::io;

impl Shared {
    /// Answers requests until there are no more, or the thread is one too many.
    pub(super) fn serve(&self) {
        loop {
            let call = match self.crew.receive(|| self.listener.receive()) {
                Some(Ok(call)) => call,
                Some(Err(error)) if is_passing(&error) => continue,
                Some(Err(_)) | None => return,
            };
            self.crew.answer(call, || {
                let target = Target { shared: self, call };
                let answer = target.answer();
                // Whoever no longer waits needs no answer.
                self.give(call.id, answer).ok();
            });
        }
    }

    fn give(&self, id: u64, answer: Result<Answer, Errno>) -> io::Result<()> {
        match answer {
            Ok(Answer::Value(value)) => self.listener.answer(id, value),
            Ok(Answer::Proceed) => self.listener.proceed(id),
            Ok(Answer::File(file, close_on_exec)) => {
                use std::os::fd::AsFd;
                match self.listener.answer_with_file(id, file.as_fd(), close_on_exec) {
                    Ok(()) => Ok(()),
                    // The program's table is full, or it is gone; in that case this fails too.
                    Err(error) => {
                        let errno = error.raw_os_error().unwrap_or(libc::EMFILE);
                        self.listener.refuse(id, errno)
                    }
                }
            }
            Err(error) => self.listener.refuse(id, error.raw_os_error()),
        }
    }
}

/// Errors after which the next request is waited for: a signal, a caller that died.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINTR | libc::ENOENT))
}

impl Target<'_> {
    fn answer(&self) -> Result<Answer, Errno> {
        let Notification { call, .. } = self.call;
        let here = libc::AT_FDCWD;
        match call {
            libc::SYS_openat => self.open(self.integer(0), 1, self.integer(2), self.argument(3)),
            libc::SYS_openat2 => self.open_with_how(),
            libc::SYS_truncate => self.truncate(),
            libc::SYS_mkdirat => self.make_directory(self.integer(0), 1, self.integer(2)),
            libc::SYS_mknodat => self.make_node(self.integer(0), 1, self.integer(2)),
            libc::SYS_symlinkat => self.make_link(0, self.integer(1), 2),
            libc::SYS_linkat => {
                self.link((self.integer(0), 1), (self.integer(2), 3), self.integer(4))
            }
            libc::SYS_unlinkat => self.remove(self.integer(0), 1, self.integer(2)),
            libc::SYS_renameat => self.rename((self.integer(0), 1), (self.integer(2), 3), 0),
            libc::SYS_renameat2 => {
                let flags = self.integer(4).cast_unsigned();
                self.rename((self.integer(0), 1), (self.integer(2), 3), flags)
            }
            libc::SYS_bind => self.bind(),
            libc::SYS_connect => self.connect(),
            libc::SYS_sendto => self.send_to(),
            libc::SYS_sendmsg => self.send_message(),
            libc::SYS_sendmmsg => self.send_messages(),
            libc::SYS_execve => self.execute(here, 0, 0),
            libc::SYS_execveat => self.execute(self.integer(0), 1, self.integer(4)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_open => self.open(here, 0, self.integer(1), self.argument(2)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_creat => {
                let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC;
                self.open(here, 0, flags, self.argument(1))
            }
            #[cfg(target_arch = "x86_64")]
            libc::SYS_mkdir => self.make_directory(here, 0, self.integer(1)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_mknod => self.make_node(here, 0, self.integer(1)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_symlink => self.make_link(0, here, 1),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_link => self.link((here, 0), (here, 1), 0),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_rename => self.rename((here, 0), (here, 1), 0),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_unlink => self.remove(here, 0, 0),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_rmdir => self.remove(here, 0, libc::AT_REMOVEDIR),
            // The filter and this list are one table; a call in only one of them is not carried out.
            _ => Err(Errno::NOSYS),
        }
    }

    /// `execve`, `execveat`: looks at what is to run, and lets the kernel run it.
    ///
    /// SECURITY: nobody can run a program for another, so the kernel reads the path again, and a second
    /// thread may have changed it. What that gains is small: a script is opened by its interpreter, under
    /// this guard, and a file that is no program does not run. A program that must not even be run is
    /// held by mounts and Landlock.
    fn execute(&self, descriptor: i32, path: usize, flags: i32) -> Result<Answer, Errno> {
        let path = self.path(path)?;
        let found = if path.is_empty() && flags & libc::AT_EMPTY_PATH != 0 {
            let object = self.descriptor(descriptor)?;
            let name = self.shared.name_of(std::os::fd::AsFd::as_fd(&object))?;
            super::resolve::Found { object, name }
        } else {
            let last =
                if flags & libc::AT_SYMLINK_NOFOLLOW == 0 { Final::Follow } else { Final::Keep };
            let base = self.base(descriptor, &path)?;
            self.find(&base, &path, last, ResolveFlags::empty())?
        };
        self.still_waits()?;
        let base = if path.is_empty() { Base::Root } else { self.base(descriptor, &path)? };
        let asked = self.asked(&base, &path);
        if FileType::from_raw_mode(found.stat()?.st_mode) == FileType::RegularFile {
            let unlisted = super::judge::Unlisted::Ruled;
            self.judge(&found.name, &asked, Access::Read, Kind::File, unlisted)?;
        }
        Ok(Answer::Proceed)
    }
}
