//! From a request to its answer.

use super::judge::Unlisted;
use super::metadata::{Object, Times};
use super::resolve::{Final, Found};
use super::tables::FCHMODAT2;
use super::target::Target;
use super::{Answer, Shared};
use crate::sys::notify::Notification;
use portcullis_profile::{Access, Kind};
use rustix::fs::{FileType, ResolveFlags};
use rustix::io::Errno;
use std::io;
use std::os::fd::AsFd;

impl Shared {
    /// Answers requests until there are no more, or the thread is one too many.
    pub(super) fn serve(&self) {
        loop {
            let call = match self.crew.receive(|| self.listener.receive()) {
                Some(Ok(call)) => call,
                // ENOENT is a caller that died before it was read, and, since 6.11, the end of all of them.
                Some(Err(error)) if is_passing(&error) && !self.is_over() => continue,
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
            Ok(Answer::File(file, closes)) => {
                let given = self.listener.answer_with_file(id, file.as_fd(), closes);
                self.or_refuse(id, given)
            }
            Ok(Answer::FileToWrite(file, closes)) => {
                let given = self.listener.close_and_answer(id, file, closes);
                self.or_refuse(id, given)
            }
            Err(error) => self.listener.refuse(id, error.raw_os_error()),
        }
    }

    /// The program's table is full, or it is gone; in that case this fails too.
    fn or_refuse(&self, id: u64, given: io::Result<()>) -> io::Result<()> {
        given
            .or_else(|error| self.listener.refuse(id, error.raw_os_error().unwrap_or(libc::EMFILE)))
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
            libc::SYS_umask => {
                self.shared.umasks.forget();
                Ok(Answer::Proceed)
            }
            _ => self.answer_metadata(),
        }
    }

    fn answer_metadata(&self) -> Result<Answer, Errno> {
        let (here, follow, keep) = (libc::AT_FDCWD, Final::Follow, Final::Keep);
        let opened = Object::Open(self.integer(0));
        match self.call.call {
            libc::SYS_fchmod => self.change_mode(opened, self.integer(1)),
            libc::SYS_fchmodat => {
                let object = Object::Named(self.integer(0), 1, follow);
                self.change_mode(object, self.integer(2))
            }
            FCHMODAT2 => self.change_mode(self.object_at(1, self.integer(3))?, self.integer(2)),
            libc::SYS_fchown => self.change_owner(opened, self.integer(1), self.integer(2)),
            libc::SYS_fchownat => {
                let object = self.object_at(1, self.integer(4))?;
                self.change_owner(object, self.integer(2), self.integer(3))
            }
            libc::SYS_utimensat => {
                let object = self.object_at(1, self.integer(3))?;
                self.change_times(object, 2, Times::Nanoseconds)
            }
            libc::SYS_setxattr => self.set_attribute(Object::Named(here, 0, follow)),
            libc::SYS_lsetxattr => self.set_attribute(Object::Named(here, 0, keep)),
            libc::SYS_fsetxattr => self.set_attribute(opened),
            libc::SYS_removexattr => self.remove_attribute(Object::Named(here, 0, follow)),
            libc::SYS_lremovexattr => self.remove_attribute(Object::Named(here, 0, keep)),
            libc::SYS_fremovexattr => self.remove_attribute(opened),
            _ => self.answer_older(),
        }
    }

    /// Calls that newer architectures do not have.
    #[cfg(not(target_arch = "x86_64"))]
    fn answer_older(&self) -> Result<Answer, Errno> {
        Err(Errno::NOSYS)
    }

    /// Calls that newer architectures do not have.
    #[cfg(target_arch = "x86_64")]
    fn answer_older(&self) -> Result<Answer, Errno> {
        let here = libc::AT_FDCWD;
        let (followed, kept) =
            (Object::Named(here, 0, Final::Follow), Object::Named(here, 0, Final::Keep));
        match self.call.call {
            libc::SYS_chmod => self.change_mode(followed, self.integer(1)),
            libc::SYS_chown => self.change_owner(followed, self.integer(1), self.integer(2)),
            libc::SYS_lchown => self.change_owner(kept, self.integer(1), self.integer(2)),
            libc::SYS_utime => self.change_times(followed, 1, Times::Seconds),
            libc::SYS_utimes => self.change_times(followed, 1, Times::Microseconds),
            libc::SYS_futimesat => self.change_times(self.object_at(1, 0)?, 2, Times::Microseconds),
            libc::SYS_open => self.open(here, 0, self.integer(1), self.argument(2)),
            libc::SYS_creat => {
                let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC;
                self.open(here, 0, flags, self.argument(1))
            }
            libc::SYS_mkdir => self.make_directory(here, 0, self.integer(1)),
            libc::SYS_mknod => self.make_node(here, 0, self.integer(1)),
            libc::SYS_symlink => self.make_link(0, here, 1),
            libc::SYS_link => self.link((here, 0), (here, 1), 0),
            libc::SYS_rename => self.rename((here, 0), (here, 1), 0),
            libc::SYS_unlink => self.remove(here, 0, 0),
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
        let (found, asked) = if path.is_empty() && flags & libc::AT_EMPTY_PATH != 0 {
            let object = self.descriptor(descriptor)?;
            let name = self.shared.name_of(object.as_fd())?;
            (Found { object, name, direct: true }, None)
        } else {
            let keeps = flags & libc::AT_SYMLINK_NOFOLLOW != 0;
            let last = if keeps { Final::Keep } else { Final::Follow };
            let base = self.base(descriptor, &path)?;
            let found = self.find(&base, &path, last, ResolveFlags::empty())?;
            let asked = (!found.direct).then(|| self.asked(&base, &path));
            (found, asked)
        };
        self.still_waits()?;
        if FileType::from_raw_mode(found.stat()?.st_mode) == FileType::RegularFile {
            self.judge(&found.name, asked.as_ref(), Access::Read, Kind::File, Unlisted::Ruled)?;
        }
        Ok(Answer::Proceed)
    }
}
