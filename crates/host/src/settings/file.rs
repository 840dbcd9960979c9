//! Reading a settings file without being held up by it.

use portcullis_model::AbsPath;
use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// What a path turned out to hold.
#[derive(Debug)]
pub(super) enum FileText {
    /// There is no such file.
    Absent,
    /// The whole content.
    Read(Vec<u8>),
    /// There is something, and why it cannot be read.
    Unreadable(String),
}

/// Reads a whole file.
pub(super) fn read(path: &AbsPath) -> FileText {
    let path = Path::new(path.as_str());
    match read_limited(path, MAX_BYTES) {
        Ok(bytes) => FileText::Read(bytes),
        // A dangling link is not the same as no file: something was meant to be here.
        Err(error) if is_absence(&error) && fs::symlink_metadata(path).is_err() => FileText::Absent,
        Err(error) => FileText::Unreadable(describe(&error)),
    }
}

/// The names in a directory; none where there is no directory.
pub(super) fn names(directory: &AbsPath) -> Result<Vec<String>, String> {
    let entries = match fs::read_dir(directory.as_str()) {
        Ok(entries) => entries,
        Err(error) if is_absence(&error) => return Ok(Vec::new()),
        Err(error) => return Err(describe(&error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| describe(&error))?.file_name();
        let name = name.into_string().map_err(|name| {
            format!("it holds a file whose name is not UTF-8: {}", name.to_string_lossy())
        })?;
        names.push(name);
    }
    Ok(names)
}

/// Whether the path itself is a symlink; a path that cannot be looked at counts as one.
pub(super) fn is_symlink(path: &AbsPath) -> bool {
    match fs::symlink_metadata(path.as_str()) {
        Ok(metadata) => metadata.is_symlink(),
        Err(error) => !is_absence(&error),
    }
}

/// Whether the path belongs to the user this process runs as.
pub(super) fn is_ours(path: &Path) -> bool {
    let user = fs::metadata("/proc/self").map(|process| process.uid());
    let owner = fs::symlink_metadata(path).map(|file| file.uid());
    matches!((user, owner), (Ok(user), Ok(owner)) if user == owner)
}

/// Opens a regular file; what is anything else, or becomes it meanwhile, is an error.
///
/// SECURITY: opening a FIFO that lies in a repository would wait for a writer for ever, and some hosts let
/// a call through when its hook does not answer.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"))
}

/// Reads a regular file of at most this many bytes; a longer one is an error.
pub(super) fn read_limited(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(length).is_ok_and(|length| length > most) {
        let message = format!("it is larger than {} MiB", most >> 20);
        return Err(io::Error::new(ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn describe(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::NotFound => "it is a link to a file that is not there".to_owned(),
        _ => error.to_string(),
    }
}

/// More than any settings file; the reader of the text has the same limit.
const MAX_BYTES: u64 = 4 << 20;
