//! Bodies of messages, re-framed on the way: what leaves is framed by us, whatever came in.

use crate::Framing;
use crate::limits::{CHUNK_LINE, TRAILERS};
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};

/// Bytes from a connection with what was read ahead.
pub(crate) struct Source<'s, 'h> {
    pub(crate) buffer: &'s mut Vec<u8>,
    pub(crate) from: &'s mut ReadHalf<'h>,
}

/// How a body is framed where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outgoing {
    /// As it is: nothing, so many bytes, or until the end.
    Plain,
    /// In chunks of ours.
    Chunked,
}

/// Copies one body.
pub(crate) async fn copy(
    source: &mut Source<'_, '_>,
    framing: Framing,
    to: &mut WriteHalf<'_>,
    outgoing: Outgoing,
    count: &mut u64,
) -> io::Result<()> {
    match framing {
        Framing::Empty => {}
        Framing::Length(length) => source.copy_exactly(length, to, Outgoing::Plain, count).await?,
        Framing::Chunked => source.copy_chunks(to, outgoing, count).await?,
        Framing::UntilClose => source.copy_all(to, outgoing, count).await?,
    }
    match outgoing {
        Outgoing::Plain => Ok(()),
        Outgoing::Chunked => to.write_all(b"0\r\n\r\n").await,
    }
}

impl Source<'_, '_> {
    /// Reads on; 0 at the end.
    pub(crate) async fn fill(&mut self) -> io::Result<usize> {
        self.buffer.reserve(READ);
        self.from.read_buf(self.buffer).await
    }

    async fn copy_exactly(
        &mut self,
        mut left: u64,
        to: &mut WriteHalf<'_>,
        outgoing: Outgoing,
        count: &mut u64,
    ) -> io::Result<()> {
        while left > 0 {
            if self.buffer.is_empty() && self.fill().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
            self.forward(length, to, outgoing, count).await?;
            left -= u64::try_from(length).unwrap_or(left).min(left);
        }
        Ok(())
    }

    async fn copy_all(
        &mut self,
        to: &mut WriteHalf<'_>,
        outgoing: Outgoing,
        count: &mut u64,
    ) -> io::Result<()> {
        loop {
            if self.buffer.is_empty() && self.fill().await? == 0 {
                return Ok(());
            }
            self.forward(self.buffer.len(), to, outgoing, count).await?;
        }
    }

    async fn copy_chunks(
        &mut self,
        to: &mut WriteHalf<'_>,
        outgoing: Outgoing,
        count: &mut u64,
    ) -> io::Result<()> {
        loop {
            let size = self.chunk_size().await?;
            if size == 0 {
                return self.skip_trailers().await;
            }
            self.copy_exactly(size, to, outgoing, count).await?;
            if self.line(2).await? != b"" {
                return Err(malformed("a chunk is longer than announced"));
            }
        }
    }

    /// The size of the chunk that comes, which stays unread.
    pub(crate) async fn peek_chunk(&mut self) -> io::Result<u64> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                return read_size(without_cr(self.buffer.get(..end).unwrap_or_default())?);
            }
            self.more(CHUNK_LINE).await?;
        }
    }

    /// Takes the end of a body without content.
    pub(crate) async fn skip_empty(&mut self) -> io::Result<()> {
        self.chunk_size().await?;
        self.skip_trailers().await
    }

    async fn chunk_size(&mut self) -> io::Result<u64> {
        let line = self.line(CHUNK_LINE).await?;
        read_size(&line)
    }

    /// Trailers are about this hop's framing or nobody's business; they are read and dropped.
    async fn skip_trailers(&mut self) -> io::Result<()> {
        let mut length = 0;
        loop {
            let line = self.line(TRAILERS).await?;
            length += line.len();
            if line.is_empty() {
                return Ok(());
            }
            if length > TRAILERS {
                return Err(malformed("its trailers are too long"));
            }
        }
    }

    async fn line(&mut self, most: usize) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = without_cr(self.buffer.get(..end).unwrap_or_default())?.to_vec();
                self.buffer.drain(..=end);
                return Ok(line);
            }
            self.more(most).await?;
        }
    }

    async fn more(&mut self, most: usize) -> io::Result<()> {
        if self.buffer.len() > most {
            return Err(malformed("a chunk line is too long"));
        }
        if self.fill().await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    async fn forward(
        &mut self,
        length: usize,
        to: &mut WriteHalf<'_>,
        outgoing: Outgoing,
        count: &mut u64,
    ) -> io::Result<()> {
        let bytes = self.buffer.get(..length).unwrap_or_default();
        match outgoing {
            Outgoing::Plain => to.write_all(bytes).await?,
            Outgoing::Chunked => {
                let mut chunk = format!("{length:x}\r\n").into_bytes();
                chunk.extend_from_slice(bytes);
                chunk.extend_from_slice(b"\r\n");
                to.write_all(&chunk).await?;
            }
        }
        *count += u64::try_from(length).unwrap_or(u64::MAX);
        self.buffer.drain(..length);
        Ok(())
    }
}

/// The size in a chunk line; extensions are dropped.
fn read_size(line: &[u8]) -> io::Result<u64> {
    if line.len() > CHUNK_LINE {
        return Err(malformed("a chunk line is too long"));
    }
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
    let hex = !digits.is_empty() && digits.len() <= 15 && digits.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(digits).ok().filter(|_| hex);
    text.and_then(|text| u64::from_str_radix(text, 16).ok())
        .ok_or_else(|| malformed("the size of a chunk is no number"))
}

fn without_cr(line: &[u8]) -> io::Result<&[u8]> {
    line.strip_suffix(b"\r")
        .filter(|line| !line.contains(&b'\r'))
        .ok_or_else(|| malformed("a chunk line does not end in CR LF"))
}

fn malformed(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// One read of a body.
const READ: usize = 16 << 10;
