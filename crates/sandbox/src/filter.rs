//! The table of system calls as a program for the kernel.
//!
//! When a filter is installed, the kernel runs it once for every call there is to find those that are
//! always allowed. A search tree keeps that cheap, and with it the start of every command.

use crate::Failure;
use crate::tables::system_calls::{ARCHITECTURE, LAST_REVIEWED, NATIVE_ROWS, ROWS, X32};
use libc::{
    BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W,
    SECCOMP_RET_ALLOW, SECCOMP_RET_DATA, SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS, sock_filter,
};

/// A system call and what becomes of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Its number.
    pub(crate) number: u32,
    /// What becomes of it.
    pub(crate) answer: Answer,
    /// Why.
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reviews the table"))]
    pub(crate) reason: &'static str,
    /// Where it holds.
    pub(crate) holds: Holds,
}

/// Where a row of the table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Always.
    Always,
    /// Unless namespaces may be made inside.
    UnlessNested,
    /// Where processes and what they share are not an own set: without namespaces.
    AmongOthers,
}

/// What becomes of a call. Of arguments, the low 32 bits count: for all of these the kernel itself looks
/// at no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It fails.
    Errno(i32),
    /// It fails if an argument has any of these bits.
    IfBits { argument: u32, bits: u32, errno: i32 },
    /// It fails if an argument is one of these.
    IfOneOf { argument: u32, values: &'static [u32], errno: i32 },
    /// It fails if two arguments each have any of these bits.
    IfBoth { first: (u32, u32), second: (u32, u32), errno: i32 },
    /// It fails for every address family but the ones that are confined.
    Socket,
}

/// What the filter depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Whether namespaces may be made inside.
    pub(crate) nested: bool,
    /// Which sockets for the internet there are.
    pub(crate) internet: Internet,
    /// Whether the command is among processes that are not its own.
    pub(crate) among_others: bool,
}

/// Which sockets for the internet there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Internet {
    /// All: the network around is confined, or meant.
    Open,
    /// None.
    Closed,
}

/// The program.
pub(crate) fn program(choice: Choice) -> Result<Vec<sock_filter>, Failure> {
    let mut rows: Vec<Row> = ROWS
        .iter()
        .chain(NATIVE_ROWS)
        .filter(|row| match row.holds {
            Holds::Always => true,
            Holds::UnlessNested => !choice.nested,
            Holds::AmongOthers => choice.among_others,
        })
        .copied()
        .collect();
    rows.sort_by_key(|row| row.number);
    let mut program = vec![
        load(ARCHITECTURE_OFFSET),
        jump(BPF_JEQ, ARCHITECTURE, 1, 0),
        ret(SECCOMP_RET_KILL_PROCESS),
        load(NUMBER_OFFSET),
    ];
    if cfg!(target_arch = "x86_64") {
        program.extend([jump(BPF_JGE, X32, 0, 1), ret(SECCOMP_RET_KILL_PROCESS)]);
    }
    // SECURITY: a call nobody has looked at does not exist. Programs cope: older kernels have none of
    // them either.
    program.extend([jump(BPF_JGT, LAST_REVIEWED, 0, 1), ret(errno(libc::ENOSYS))]);
    search(&rows, choice, &mut program)?;
    Ok(program)
}

/// A search tree over rows sorted by number. Its depth is the logarithm of their count.
fn search(rows: &[Row], choice: Choice, program: &mut Vec<sock_filter>) -> Result<(), Failure> {
    let start = program.len();
    if let [row] = rows {
        program.push(jump(BPF_JEQ, row.number, 0, 0));
        answer(row.answer, choice, program);
        let over = length(program, start)?;
        if let Some(test) = program.get_mut(start) {
            test.jf = over;
        }
        program.push(ret(SECCOMP_RET_ALLOW));
        return Ok(());
    }
    let (low, high) = rows.split_at(rows.len() / 2);
    let Some(middle) = high.first() else {
        program.push(ret(SECCOMP_RET_ALLOW));
        return Ok(());
    };
    program.push(jump(BPF_JGE, middle.number, 0, 0));
    search(low, choice, program)?;
    let over = length(program, start)?;
    if let Some(test) = program.get_mut(start) {
        test.jt = over;
    }
    search(high, choice, program)
}

/// Ends with a return on every way.
fn answer(answer: Answer, choice: Choice, program: &mut Vec<sock_filter>) {
    let allow = ret(SECCOMP_RET_ALLOW);
    match answer {
        Answer::Errno(code) => program.push(ret(errno(code))),
        Answer::IfBits { argument, bits, errno: code } => program.extend([
            load(argument_offset(argument)),
            jump(BPF_JSET, bits, 0, 1),
            ret(errno(code)),
            allow,
        ]),
        Answer::IfOneOf { argument, values, errno: code } => {
            program.push(load(argument_offset(argument)));
            for value in values {
                program.extend([jump(BPF_JEQ, *value, 0, 1), ret(errno(code))]);
            }
            program.push(allow);
        }
        Answer::IfBoth { first, second, errno: code } => program.extend([
            load(argument_offset(first.0)),
            jump(BPF_JSET, first.1, 0, 3),
            load(argument_offset(second.0)),
            jump(BPF_JSET, second.1, 0, 1),
            ret(errno(code)),
            allow,
        ]),
        Answer::Socket => {
            program.push(load(argument_offset(0)));
            let families: &[i32] = match choice.internet {
                Internet::Open => &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6],
                Internet::Closed => &[libc::AF_UNIX],
            };
            for family in families {
                program.extend([jump(BPF_JEQ, family.cast_unsigned(), 0, 1), allow]);
            }
            program.extend([
                jump(BPF_JEQ, libc::AF_NETLINK.cast_unsigned(), 0, 3),
                load(argument_offset(2)),
                jump(BPF_JEQ, libc::NETLINK_ROUTE.cast_unsigned(), 0, 1),
                allow,
                ret(errno(libc::EAFNOSUPPORT)),
            ]);
        }
    }
}

/// How many instructions stand behind the one at `start`.
fn length(program: &[sock_filter], start: usize) -> Result<u8, Failure> {
    let too_long = || Failure::new("the table of system calls is too long for its filter");
    u8::try_from(program.len() - start - 1).ok().ok_or_else(too_long)
}

/// linux/seccomp.h, `struct seccomp_data`.
const NUMBER_OFFSET: u32 = 0;
const ARCHITECTURE_OFFSET: u32 = 4;

/// The low half of an argument.
const fn argument_offset(argument: u32) -> u32 {
    let low = if cfg!(target_endian = "big") { 4 } else { 0 };
    16 + 8 * argument + low
}

const fn errno(code: i32) -> u32 {
    SECCOMP_RET_ERRNO | (code.cast_unsigned() & SECCOMP_RET_DATA)
}

const fn load(offset: u32) -> sock_filter {
    instruction(BPF_LD | BPF_W | BPF_ABS, 0, 0, offset)
}

const fn jump(test: u32, value: u32, then: u8, otherwise: u8) -> sock_filter {
    instruction(BPF_JMP | test | BPF_K, then, otherwise, value)
}

const fn ret(action: u32) -> sock_filter {
    instruction(BPF_RET | BPF_K, 0, 0, action)
}

#[expect(clippy::cast_possible_truncation, reason = "the codes are constants below 2^16")]
const fn instruction(code: u32, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt, jf, k }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a program over a call, as the kernel would.
    fn run(program: &[sock_filter], architecture: u32, number: u32, arguments: [u64; 6]) -> u32 {
        let mut data = vec![number, architecture, 0, 0];
        for argument in arguments {
            data.push(u32::try_from(argument & 0xffff_ffff).unwrap());
            data.push(u32::try_from(argument >> 32).unwrap());
        }
        let (mut at, mut accumulator) = (0_usize, 0_u32);
        loop {
            let now = program[at];
            let code = u32::from(now.code);
            at += 1;
            let hit = if code == BPF_LD | BPF_W | BPF_ABS {
                accumulator = data[usize::try_from(now.k / 4).unwrap()];
                continue;
            } else if code == BPF_RET | BPF_K {
                return now.k;
            } else if code == BPF_JMP | BPF_JEQ | BPF_K {
                accumulator == now.k
            } else if code == BPF_JMP | BPF_JGE | BPF_K {
                accumulator >= now.k
            } else if code == BPF_JMP | BPF_JGT | BPF_K {
                accumulator > now.k
            } else if code == BPF_JMP | BPF_JSET | BPF_K {
                accumulator & now.k != 0
            } else {
                panic!("unknown instruction {code:#x}");
            };
            at += usize::from(if hit { now.jt } else { now.jf });
        }
    }

    const OPEN: Choice = Choice { nested: false, internet: Internet::Open, among_others: false };

    #[test]
    fn every_number_gets_the_answer_of_the_table() {
        for among_others in [false, true] {
            check_every_number(Choice { among_others, ..OPEN });
        }
    }

    fn check_every_number(choice: Choice) {
        let program = program(choice).unwrap();
        for number in 0..=1024 {
            let row = ROWS.iter().chain(NATIVE_ROWS).find(|row| {
                let there = choice.among_others || row.holds != Holds::AmongOthers;
                row.number == number && there
            });
            let got = run(&program, ARCHITECTURE, number, [0; 6]);
            let want = match row.map(|row| row.answer) {
                _ if number > LAST_REVIEWED => errno(libc::ENOSYS),
                None => SECCOMP_RET_ALLOW,
                Some(Answer::Errno(code)) => errno(code),
                Some(Answer::Socket) => errno(libc::EAFNOSUPPORT),
                Some(Answer::IfBits { .. } | Answer::IfOneOf { .. } | Answer::IfBoth { .. }) => {
                    SECCOMP_RET_ALLOW
                }
            };
            assert_eq!(got, want, "call {number}");
            let foreign = run(&program, 0x4000_0003, number, [0; 6]);
            assert_eq!(foreign, SECCOMP_RET_KILL_PROCESS, "foreign call {number}");
            if cfg!(target_arch = "x86_64") {
                let x32 = run(&program, ARCHITECTURE, number | X32, [0; 6]);
                assert_eq!(x32, SECCOMP_RET_KILL_PROCESS, "x32 call {number}");
            }
        }
    }

    #[test]
    fn arguments_are_looked_at_where_the_table_says() {
        let program = program(OPEN).unwrap();
        let call = |number: libc::c_long, arguments: [u64; 6]| {
            run(&program, ARCHITECTURE, u32::try_from(number).unwrap(), arguments)
        };
        let denied = errno(libc::EPERM);
        for high in [0, 1 << 32, u64::MAX << 32] {
            assert_eq!(call(libc::SYS_ioctl, [0, 0x5412 | high, 0, 0, 0, 0]), denied);
            assert_eq!(call(libc::SYS_ioctl, [0, 0x541c | high, 0, 0, 0, 0]), denied);
            // FS_IOC_SETFLAGS, BTRFS_IOC_SUBVOL_CREATE.
            assert_eq!(call(libc::SYS_ioctl, [0, 0x4008_6602 | high, 0, 0, 0, 0]), denied);
            assert_eq!(call(libc::SYS_ioctl, [0, 0x5000_940e | high, 0, 0, 0, 0]), denied);
            assert_eq!(call(libc::SYS_unshare, [0x1000_0000 | high, 0, 0, 0, 0, 0]), denied);
            assert_eq!(call(libc::SYS_clone, [0x1000_0011 | high, 0, 0, 0, 0, 0]), denied);
            assert_eq!(call(libc::SYS_fchmod, [0, 0o4755 | high, 0, 0, 0, 0]), denied);
            assert_eq!(call(libc::SYS_fchmodat, [0, 0, 0o2755 | high, 0, 0, 0]), denied);
            assert_eq!(call(libc::SYS_openat, [0, 0, 0o101 | high, 0o4755, 0, 0]), denied);
        }
        let allowed = SECCOMP_RET_ALLOW;
        assert_eq!(call(libc::SYS_ioctl, [0, 0x5401, 0, 0, 0, 0]), allowed);
        // FS_IOC_GETFLAGS, FICLONE.
        assert_eq!(call(libc::SYS_ioctl, [0, 0x8008_6601, 0, 0, 0, 0]), allowed);
        assert_eq!(call(libc::SYS_ioctl, [0, 0x4004_9409, 0, 0, 0, 0]), allowed);
        assert_eq!(call(libc::SYS_clone, [17, 0, 0, 0, 0, 0]), allowed);
        assert_eq!(call(libc::SYS_fchmod, [0, 0o755, 0, 0, 0, 0]), allowed);
        // Without O_CREAT the mode is whatever happens to be in the register.
        assert_eq!(call(libc::SYS_openat, [0, 0, 0, 0o4755, 0, 0]), allowed);
        assert_eq!(call(libc::SYS_openat, [0, 0, 0o101, 0o755, 0, 0]), allowed);
        for (family, protocol, want) in [
            (1, 0, allowed),
            (2, 0, allowed),
            (10, 6, allowed),
            (16, 0, allowed),
            (16, 9, errno(libc::EAFNOSUPPORT)),
            (17, 0, errno(libc::EAFNOSUPPORT)),
            (38, 0, errno(libc::EAFNOSUPPORT)),
            (40, 0, errno(libc::EAFNOSUPPORT)),
            (44, 0, errno(libc::EAFNOSUPPORT)),
        ] {
            assert_eq!(call(libc::SYS_socket, [family, 1, protocol, 0, 0, 0]), want, "{family}");
        }
    }

    #[test]
    fn choices_open_and_close_what_they_say() {
        let number = |call: libc::c_long| u32::try_from(call).unwrap();
        let nested = program(Choice { nested: true, ..OPEN }).unwrap();
        let arguments = [0x1000_0000, 0, 0, 0, 0, 0];
        assert_eq!(
            run(&nested, ARCHITECTURE, number(libc::SYS_unshare), arguments),
            SECCOMP_RET_ALLOW
        );
        assert_eq!(
            run(&nested, ARCHITECTURE, number(libc::SYS_mount), arguments),
            errno(libc::EPERM)
        );
        let closed = program(Choice { internet: Internet::Closed, ..OPEN }).unwrap();
        assert_eq!(
            run(&closed, ARCHITECTURE, number(libc::SYS_socket), [2, 1, 0, 0, 0, 0]),
            errno(libc::EAFNOSUPPORT)
        );
    }

    #[test]
    fn no_call_is_listed_twice_and_every_row_has_a_reason() {
        let mut numbers: Vec<u32> = ROWS.iter().chain(NATIVE_ROWS).map(|row| row.number).collect();
        numbers.sort_unstable();
        let all = numbers.len();
        numbers.dedup();
        assert_eq!(numbers.len(), all);
        assert!(ROWS.iter().chain(NATIVE_ROWS).all(|row| !row.reason.is_empty()));
    }
}
