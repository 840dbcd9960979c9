//! Names texts by their content.

use sha2::{Digest as _, Sha256};

/// `sha256:` and the hash of some bytes in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        text.extend([format!("{byte:02x}")]);
    }
    text
}
