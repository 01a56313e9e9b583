//! SHA-256, the one hash of makyo: artifacts, record identities, finding ids.

use std::io;

use sha2::{Digest as _, Sha256};

/// SHA-256 of some bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

/// A content-derived id: `PREFIX-` and 16 hexadecimal digits over all parts, in order.
#[must_use]
pub fn short_id(prefix: &str, parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        // The length in front keeps `ab`,`c` apart from `a`,`bc`.
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let mut id = format!("{prefix}-{}", hex(&digest));
    id.truncate(prefix.len() + 17);
    id
}

/// Hashes what is written through it.
#[derive(Debug, Default, Clone)]
pub struct Sha256Writer {
    hasher: Sha256,
    /// Bytes written so far.
    pub size_bytes: u64,
}

impl Sha256Writer {
    /// The digest of all that was written.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.hasher.finalize().into()
    }
}

impl io::Write for Sha256Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.size_bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
