//! What was denied, as the supervisor tells the launcher.
//!
//! A report is one datagram on a `SOCK_SEQPACKET` pair, so that a reader never sees half of one and a
//! supervisor that dies leaves nothing torn. A full pair loses reports, never requests: what was lost is
//! counted and told with the next one.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// One denied access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// When, since 1970.
    pub time: Duration,
    /// What denied it.
    pub layer: String,
    /// The call.
    pub operation: String,
    /// The path as the program wrote it.
    pub asked: String,
    /// The path as it resolved.
    pub resolved: String,
    /// The rule and where it is written; empty when no rule allows the access.
    pub rule: String,
    /// The thread, as the launcher's process namespace numbers it.
    pub pid: u32,
    /// The program.
    pub program: String,
    /// What the program was told.
    pub errno: i32,
    /// Equal denials that were not told one by one since the last report, and reports that were lost.
    pub suppressed: u64,
}

impl Denial {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend(self.time.as_secs().to_le_bytes());
        bytes.extend(self.time.subsec_nanos().to_le_bytes());
        bytes.extend(self.pid.to_le_bytes());
        bytes.extend(self.errno.to_le_bytes());
        bytes.extend(self.suppressed.to_le_bytes());
        for text in
            [&self.layer, &self.operation, &self.asked, &self.resolved, &self.rule, &self.program]
        {
            // A path has at most 4,096 bytes, a rule a few hundred; longer text is cut to what the length fits.
            let text = text.as_bytes();
            let text = text.get(..usize::from(u16::MAX)).unwrap_or(text);
            bytes.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes());
            bytes.extend(text);
        }
        bytes
    }

    fn decode(mut bytes: &[u8]) -> Option<Self> {
        let seconds = u64::from_le_bytes(*take(&mut bytes)?);
        let nanoseconds = u32::from_le_bytes(*take(&mut bytes)?);
        let pid = u32::from_le_bytes(*take(&mut bytes)?);
        let errno = i32::from_le_bytes(*take(&mut bytes)?);
        let suppressed = u64::from_le_bytes(*take(&mut bytes)?);
        Some(Self {
            time: Duration::new(seconds, nanoseconds.min(999_999_999)),
            layer: text(&mut bytes)?,
            operation: text(&mut bytes)?,
            asked: text(&mut bytes)?,
            resolved: text(&mut bytes)?,
            rule: text(&mut bytes)?,
            pid,
            program: text(&mut bytes)?,
            errno,
            suppressed,
        })
    }
}

fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(head)
}

fn text(bytes: &mut &[u8]) -> Option<String> {
    let length = usize::from(u16::from_le_bytes(*take(bytes)?));
    let (head, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(String::from_utf8_lossy(head).into_owned())
}

/// Makes a pair: where the supervisor writes, and where the launcher reads.
pub fn channel() -> io::Result<(ReportWriter, ReportReader)> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (reading, writing) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    Ok((ReportWriter::new(writing), ReportReader(reading)))
}

/// Where the launcher reads reports. Pollable; readable at its end too.
#[derive(Debug)]
pub struct ReportReader(OwnedFd);

impl ReportReader {
    /// Takes the next report; `None` when none is there now.
    pub fn next_report(&self) -> Option<Denial> {
        let mut buffer = vec![0; LONGEST];
        loop {
            let flags = rustix::net::RecvFlags::DONTWAIT;
            match rustix::net::recv(&self.0, buffer.as_mut_slice(), flags) {
                Ok((0, _)) => return None,
                // A report that does not decode was not written by us; the next one may be.
                Ok((length, _)) => {
                    if let Some(denial) = Denial::decode(buffer.get(..length)?) {
                        return Some(denial);
                    }
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return None,
            }
        }
    }
}

impl AsFd for ReportReader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Where the supervisor writes reports.
#[derive(Debug)]
pub struct ReportWriter {
    socket: OwnedFd,
    told: Mutex<Told>,
}

/// What was told lately.
#[derive(Debug, Default)]
struct Told {
    recent: VecDeque<(Instant, u64)>,
    suppressed: u64,
}

impl AsFd for ReportWriter {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl ReportWriter {
    fn new(socket: OwnedFd) -> Self {
        Self { socket, told: Mutex::default() }
    }

    /// Tells the launcher, unless the same was told just now. Never waits.
    pub(crate) fn tell(&self, mut denial: Denial) {
        let Ok(mut told) = self.told.lock() else { return };
        let now = Instant::now();
        let key = fingerprint(&denial);
        while told.recent.front().is_some_and(|(at, _)| now.duration_since(*at) > REPEATED) {
            told.recent.pop_front();
        }
        if told.recent.len() >= REMEMBERED || told.recent.iter().any(|(_, known)| *known == key) {
            told.suppressed = told.suppressed.saturating_add(1);
            return;
        }
        denial.suppressed = told.suppressed;
        let flags = rustix::net::SendFlags::DONTWAIT | rustix::net::SendFlags::NOSIGNAL;
        match rustix::net::send(&self.socket, &denial.encode(), flags) {
            Ok(_) => {
                told.suppressed = 0;
                told.recent.push_back((now, key));
            }
            Err(_) => told.suppressed = told.suppressed.saturating_add(1),
        }
    }
}

/// The time of a denial.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// What makes two denials equal, hashed (FNV-1a): a collision costs one line of a report.
fn fingerprint(denial: &Denial) -> u64 {
    let texts = [&denial.operation, &denial.asked, &denial.resolved, &denial.program];
    let bytes = texts.into_iter().flat_map(|text| text.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Equal denials within this time are one.
const REPEATED: Duration = Duration::from_secs(5);
/// Different denials within that time; more are only counted.
const REMEMBERED: usize = 512;
/// The longest report: six texts and the numbers.
const LONGEST: usize = 28 + 6 * (2 + 65_535);

#[cfg(test)]
mod tests {
    use super::*;

    fn denial(asked: &str) -> Denial {
        Denial {
            time: Duration::new(5, 7),
            layer: "supervisor".into(),
            operation: "openat".into(),
            asked: asked.into(),
            resolved: "/p/.env".into(),
            rule: "deny rule Read(.env)".into(),
            pid: 9,
            program: "/bin/cat".into(),
            errno: 13,
            suppressed: 0,
        }
    }

    #[test]
    fn a_report_arrives_as_it_was_told() {
        let (writer, reader) = channel().unwrap();
        writer.tell(denial("a\nb"));
        assert_eq!(reader.next_report(), Some(denial("a\nb")));
        assert_eq!(reader.next_report(), None);
    }

    #[test]
    fn a_flood_is_counted_and_bounded() {
        let (writer, reader) = channel().unwrap();
        for _ in 0..1_000 {
            writer.tell(denial("same"));
        }
        for number in 0..10_000 {
            writer.tell(denial(&format!("other {number}")));
        }
        assert_eq!(reader.next_report(), Some(denial("same")));
        assert_eq!(reader.next_report().map(|told| told.suppressed), Some(999));
        let told = std::iter::from_fn(|| reader.next_report()).count();
        assert!(told < REMEMBERED, "{told}");
        assert!(writer.told.lock().unwrap().recent.len() <= REMEMBERED);
    }
}
