//! The notify filter: which calls wait for the supervisor, built from what a run needs.
//!
//! The program searches the call numbers by halves, so that a call nobody guards passes after a handful of
//! comparisons, and tells calls apart by registers only: what a pointer leads to may change after it was
//! looked at.

use super::tables::{ROWS, Row};
use crate::sys::notify::Instruction;
use std::collections::BTreeMap;

/// What has to be guarded by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each guard is wanted or not, whatever the others are"
)]
pub struct Guards {
    /// Creating, renaming, linking, removing and opening to write: wherever something is writable.
    pub create: bool,
    /// Every open and exec: where a pattern, or a path the host may replace, may not be read.
    pub read: bool,
    /// Mode, owner, times and extended attributes: where no mount keeps them.
    pub metadata: bool,
    /// Addresses of unix sockets.
    pub sockets: bool,
}

/// Which guard wants a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// [`Guards::create`].
    Create,
    /// [`Guards::read`].
    Read,
    /// [`Guards::metadata`].
    Metadata,
    /// [`Guards::sockets`].
    Sockets,
}

/// When a call is trapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Always.
    Always,
    /// When the flags in this argument open for more than reading. A mere `O_PATH` never is.
    OpensToWrite(u32),
    /// When the flags in this argument open at all, that is without `O_PATH`.
    Opens(u32),
    /// When this argument is not null.
    Present(u32),
    /// Never: the call does not exist, so that a program takes the older one.
    Absent,
}

/// Builds the program for `guards`; `None` when nothing has to be guarded.
pub fn program(guards: Guards) -> Option<Vec<Instruction>> {
    // The later row of a call wins: the read guard's open replaces the create guard's.
    let mut wanted = BTreeMap::new();
    for Row { call, guard, when, .. } in ROWS {
        let is_wanted = match guard {
            Guard::Create => guards.create,
            Guard::Read => guards.read,
            Guard::Metadata => guards.metadata,
            Guard::Sockets => guards.sockets,
        };
        if let (true, Ok(number)) = (is_wanted, u32::try_from(*call)) {
            wanted.insert(number, *when);
        }
    }
    if wanted.is_empty() {
        return None;
    }
    let wanted: Vec<(u32, When)> = wanted.into_iter().collect();
    let mut instructions = vec![
        load(ARCHITECTURE),
        jump(libc::BPF_JEQ, NATIVE, 1, 0),
        // SECURITY: int 0x80 has other numbers for the same calls; without this check it walks past every
        // trap. Pinned by `a_foreign_call_is_killed`.
        finish(libc::SECCOMP_RET_KILL_PROCESS),
        load(NUMBER),
    ];
    if cfg!(target_arch = "x86_64") {
        // x32 calls carry the native architecture and a bit in the number.
        instructions.push(jump(libc::BPF_JGE, 0x4000_0000, 0, 1));
        instructions.push(finish(libc::SECCOMP_RET_KILL_PROCESS));
    }
    instructions.extend(search(&wanted));
    Some(instructions)
}

/// Code that finds the loaded number among `wanted` and returns on every way out.
fn search(wanted: &[(u32, When)]) -> Vec<Instruction> {
    match wanted {
        [] => vec![finish(libc::SECCOMP_RET_ALLOW)],
        [(number, when)] => {
            let mut code =
                vec![jump(libc::BPF_JEQ, *number, 1, 0), finish(libc::SECCOMP_RET_ALLOW)];
            code.extend(leaf(*when));
            code
        }
        several => {
            let (low, high) = several.split_at(several.len() / 2);
            let first_high = high.first().map_or(0, |(number, _)| *number);
            let low = search(low);
            // An offset has eight bits. A longer low half would need an unconditional jump; the tables
            // are far from it, and a test holds that.
            let distance = u8::try_from(low.len()).unwrap_or(u8::MAX);
            let mut code = vec![jump(libc::BPF_JGE, first_high, distance, 0)];
            code.extend(low);
            code.extend(search(high));
            code
        }
    }
}

fn leaf(when: When) -> Vec<Instruction> {
    let trap = finish(libc::SECCOMP_RET_USER_NOTIF);
    let allow = finish(libc::SECCOMP_RET_ALLOW);
    match when {
        When::Always => vec![trap],
        When::Absent => vec![finish(libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned())],
        When::OpensToWrite(argument) => vec![
            load(low_half(argument)),
            jump(libc::BPF_JSET, libc::O_PATH.cast_unsigned(), 1, 0),
            jump(libc::BPF_JSET, WRITING, 1, 0),
            allow,
            trap,
        ],
        When::Opens(argument) => vec![
            load(low_half(argument)),
            jump(libc::BPF_JSET, libc::O_PATH.cast_unsigned(), 0, 1),
            allow,
            trap,
        ],
        When::Present(argument) => vec![
            load(low_half(argument)),
            jump(libc::BPF_JEQ, 0, 0, 3),
            load(high_half(argument)),
            jump(libc::BPF_JEQ, 0, 0, 1),
            allow,
            trap,
        ],
    }
}

fn load(offset: u32) -> Instruction {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, offset)
}

fn jump(test: u32, value: u32, yes: u8, no: u8) -> Instruction {
    instruction(libc::BPF_JMP | test | libc::BPF_K, yes, no, value)
}

fn finish(action: u32) -> Instruction {
    instruction(libc::BPF_RET | libc::BPF_K, 0, 0, action)
}

fn instruction(code: u32, yes: u8, no: u8, value: u32) -> Instruction {
    // Every code is one byte wide.
    Instruction { code: u16::try_from(code).unwrap_or(u16::MAX), jt: yes, jf: no, k: value }
}

const fn low_half(argument: u32) -> u32 {
    let start = ARGUMENTS + 8 * argument;
    if cfg!(target_endian = "little") { start } else { start + 4 }
}

const fn high_half(argument: u32) -> u32 {
    let start = ARGUMENTS + 8 * argument;
    if cfg!(target_endian = "little") { start + 4 } else { start }
}

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

/// `AUDIT_ARCH` of this build, from `linux/audit.h`.
#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xC000_00B7;

/// Flags that open for more than reading. `O_TMPFILE` includes `O_DIRECTORY`, which alone is harmless;
/// `O_TRUNC` truncates even with `O_RDONLY`.
const WRITING: u32 = (libc::O_WRONLY
    | libc::O_RDWR
    | libc::O_CREAT
    | libc::O_TRUNC
    | (libc::O_TMPFILE & !libc::O_DIRECTORY))
    .cast_unsigned();

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Guards = Guards { create: true, read: true, metadata: true, sockets: true };

    /// Runs a program as the kernel would, with every load in bounds and every jump forward.
    fn verdict(program: &[Instruction], arch: u32, call: u32, arguments: [u64; 6]) -> u32 {
        let mut data = Vec::new();
        data.extend(call.to_ne_bytes());
        data.extend(arch.to_ne_bytes());
        data.extend([0; 8]);
        data.extend(arguments.iter().flat_map(|argument| argument.to_ne_bytes()));
        let (mut at, mut held) = (0_usize, 0_u32);
        loop {
            let Instruction { code, jt, jf, k } = program[at];
            at += 1;
            let jump = |taken: bool| usize::from(if taken { jt } else { jf });
            match u32::from(code) {
                0x20 => {
                    let bytes = &data[usize::try_from(k).unwrap()..][..4];
                    held = u32::from_ne_bytes(bytes.try_into().unwrap());
                }
                0x15 => at += jump(held == k),
                0x35 => at += jump(held >= k),
                0x45 => at += jump(held & k != 0),
                0x06 => return k,
                other => panic!("code {other:#x}"),
            }
        }
    }

    fn number(call: i64) -> u32 {
        u32::try_from(call).unwrap()
    }

    #[test]
    fn every_call_is_trapped_as_its_row_says_and_no_other() {
        for guards in [ALL, Guards { create: true, ..Guards::default() }] {
            let program = program(guards).unwrap();
            for call in 0..600 {
                let rows: Vec<_> = ROWS
                    .iter()
                    .filter(|row| number(row.call) == call)
                    .filter(|row| guards == ALL || row.guard == Guard::Create)
                    .collect();
                let always = [!u64::from(libc::O_PATH.cast_unsigned()); 6];
                let got = verdict(&program, NATIVE, call, always);
                let expected = match rows.last().map(|row| row.when) {
                    None => libc::SECCOMP_RET_ALLOW,
                    Some(When::Absent) => libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned(),
                    Some(_) => libc::SECCOMP_RET_USER_NOTIF,
                };
                assert_eq!(got, expected, "call {call}");
            }
        }
    }

    #[test]
    fn flags_tell_opens_apart() {
        let create = program(Guards { create: true, ..Guards::default() }).unwrap();
        let read = program(ALL).unwrap();
        let open = |program: &[Instruction], flags: i32| {
            let flags = u64::from(flags.cast_unsigned());
            let got = verdict(program, NATIVE, number(libc::SYS_openat), [0, 0, flags, 0, 0, 0]);
            got == libc::SECCOMP_RET_USER_NOTIF
        };
        let plain = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_DIRECTORY | libc::O_NOFOLLOW;
        assert!(!open(&create, plain) && open(&read, plain));
        for flags in [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_TRUNC, libc::O_TMPFILE] {
            assert!(open(&create, flags) && open(&read, flags), "{flags:#o}");
        }
        // Flags that `O_PATH` makes the kernel ignore.
        assert!(!open(&create, libc::O_PATH | libc::O_CREAT) && !open(&read, libc::O_PATH));
    }

    #[test]
    fn an_address_is_told_from_none_by_all_its_bits() {
        let program = program(ALL).unwrap();
        let sendto = number(libc::SYS_sendto);
        for (address, trapped) in [(0, false), (1, true), (1 << 32, true), (1 << 63, true)] {
            let got = verdict(&program, NATIVE, sendto, [0, 0, 0, 0, address, 0]);
            assert_eq!(got == libc::SECCOMP_RET_USER_NOTIF, trapped, "{address:#x}");
        }
    }

    #[test]
    fn a_foreign_call_is_killed() {
        let program = program(ALL).unwrap();
        let i386 = 0x4000_0003;
        assert_eq!(verdict(&program, i386, 5, [0; 6]), libc::SECCOMP_RET_KILL_PROCESS);
        if cfg!(target_arch = "x86_64") {
            let x32 = 0x4000_0000 + number(libc::SYS_openat);
            assert_eq!(verdict(&program, NATIVE, x32, [0; 6]), libc::SECCOMP_RET_KILL_PROCESS);
        }
    }

    #[test]
    fn the_program_is_short_and_its_jumps_fit() {
        let program = program(ALL).unwrap();
        assert!(program.len() < 255, "{}", program.len());
        assert!(super::program(Guards::default()).is_none());
    }
}
