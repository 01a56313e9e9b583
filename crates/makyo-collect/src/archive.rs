//! Archives unpacked member by member into the spool, with limits against bombs.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use makyo_base::{ArtifactKind, DefectKind};

use crate::capped::Capped;
use crate::collection::{Allowance, CollectError, Walk, copy};

/// Unpacks one container; returns what is left of the allowance in bytes.
pub(crate) fn unpack(
    walk: &mut Walk<'_>,
    path: &Path,
    name: &str,
    kind: ArtifactKind,
    allowance: Allowance,
) -> Result<u64, CollectError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(reason) => {
            walk.defect(name, DefectKind::Unreadable, reason.to_string());
            return Ok(allowance.bytes);
        }
    };
    let packed = file.metadata().map(|metadata| metadata.len()).unwrap_or_default();
    let mut unpacking = Unpacking { walk, name, left: allowance.bytes, depth: allowance.depth + 1 };
    match kind {
        ArtifactKind::Gzip => {
            let mut stream = flate2::bufread::MultiGzDecoder::new(BufReader::new(file));
            unpacking.member(&stem(name, &[".gz", ".gzip", ".tgz"]), &mut stream, packed)?;
        }
        ArtifactKind::Zstd => match zstd::stream::read::Decoder::new(file) {
            Ok(mut stream) => {
                unpacking.member(&stem(name, &[".zst", ".zstd"]), &mut stream, packed)?;
            }
            Err(reason) => unpacking.walk.defect(name, DefectKind::Malformed, reason.to_string()),
        },
        ArtifactKind::Zip => unpacking.zip(file)?,
        _ => unpacking.tar(file)?,
    }
    Ok(unpacking.left)
}

struct Unpacking<'w, 'a, 'n> {
    walk: &'w mut Walk<'a>,
    name: &'n str,
    left: u64,
    depth: usize,
}

impl Unpacking<'_, '_, '_> {
    /// Spools one member and takes it in. What came before a cut is kept, and the cut is said.
    fn member(
        &mut self,
        member: &str,
        from: &mut dyn Read,
        packed: u64,
    ) -> Result<(), CollectError> {
        let member_name = format!("{}!{}", self.name, printable(member));
        let limits = self.walk.limits;
        let by_ratio = packed.saturating_mul(limits.ratio_max).max(limits.ratio_floor_bytes);
        let mut capped = Capped::new(from, by_ratio.min(self.left));
        let (mut to, path) = self.walk.spool_file()?;
        let result = copy(&mut capped, &mut to);
        drop(to);
        let size = std::fs::metadata(&path).map(|metadata| metadata.len()).unwrap_or_default();
        if capped.is_over() {
            let _ = std::fs::remove_file(&path);
            let detail = format!(
                "archive member expands beyond the limit ({packed} packed bytes to more than {size}): taken for a decompression bomb, not read"
            );
            self.walk.defect(&member_name, DefectKind::Limit, detail);
            return Ok(());
        }
        if let Err(reason) = result {
            let kind = match reason.kind() {
                io::ErrorKind::UnexpectedEof => DefectKind::Truncated,
                _ => DefectKind::Malformed,
            };
            let detail = format!(
                "archive member is damaged after {size} unpacked bytes; what came before was read: {reason}"
            );
            self.walk.defect(&member_name, kind, detail);
            if size == 0 {
                let _ = std::fs::remove_file(&path);
                return Ok(());
            }
        }
        self.left = self.left.saturating_sub(size);
        let allowance = Allowance { bytes: self.left, depth: self.depth };
        self.left = self.walk.artifact(&path, &member_name, allowance)?;
        Ok(())
    }

    fn zip(&mut self, file: File) -> Result<(), CollectError> {
        let mut archive = match zip::ZipArchive::new(BufReader::new(file)) {
            Ok(archive) => archive,
            Err(reason) => {
                let detail = format!("ZIP archive cannot be opened (cut or damaged): {reason}");
                self.walk.defect(self.name, DefectKind::Malformed, detail);
                return Ok(());
            }
        };
        for index in 0..archive.len() {
            if self.too_many(index) {
                break;
            }
            let mut entry = match archive.by_index(index) {
                Ok(entry) => entry,
                Err(reason) => {
                    let kind = match reason {
                        zip::result::ZipError::UnsupportedArchive(text)
                            if text.contains("assword") =>
                        {
                            DefectKind::Encrypted
                        }
                        _ => DefectKind::Malformed,
                    };
                    let detail = format!("ZIP member {index} cannot be read: {reason}");
                    self.walk.defect(self.name, kind, detail);
                    continue;
                }
            };
            let member = entry
                .name()
                .map(|name| name.into_owned())
                .unwrap_or_else(|_| format!("member-{index}"));
            if entry.is_dir() {
                continue;
            }
            if entry.is_symlink() {
                self.link(&member);
                continue;
            }
            let packed = entry.compressed_size();
            self.member(&member, &mut entry, packed)?;
        }
        Ok(())
    }

    fn tar(&mut self, file: File) -> Result<(), CollectError> {
        let mut archive = tar::Archive::new(BufReader::new(file));
        let entries = match archive.entries() {
            Ok(entries) => entries,
            Err(reason) => {
                self.walk.defect(self.name, DefectKind::Malformed, reason.to_string());
                return Ok(());
            }
        };
        for (index, entry) in entries.enumerate() {
            if self.too_many(index) {
                break;
            }
            let mut entry = match entry {
                Ok(entry) => entry,
                Err(reason) => {
                    // Without a sound header the next member cannot be found.
                    let detail = format!("tar archive is damaged after {index} members: {reason}");
                    self.walk.defect(self.name, DefectKind::Truncated, detail);
                    break;
                }
            };
            let member = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let kind = entry.header().entry_type();
            if kind.is_symlink() || kind.is_hard_link() {
                self.link(&member);
            } else if kind.is_file() {
                let packed = entry.size();
                self.member(&member, &mut entry, packed)?;
            }
        }
        Ok(())
    }

    fn link(&mut self, member: &str) {
        let name = format!("{}!{}", self.name, printable(member));
        self.walk.defect(&name, DefectKind::NotFollowed, "link in an archive, not followed");
    }

    fn too_many(&mut self, index: usize) -> bool {
        let over = index >= self.walk.limits.members_max;
        if over {
            let detail = format!(
                "archive has more than {} members; the rest was not read",
                self.walk.limits.members_max
            );
            self.walk.defect(self.name, DefectKind::Limit, detail);
        }
        over
    }
}

/// The name inside a stream that carries only one file.
fn stem(name: &str, endings: &[&str]) -> String {
    let leaf = name.rsplit(['/', '!']).next().unwrap_or(name);
    endings.iter().find_map(|ending| leaf.strip_suffix(ending)).unwrap_or("content").to_owned()
}

/// A member's name as it may be shown: no control characters, and `..` stays visible as text
/// because the name is never used as a path.
fn printable(name: &str) -> String {
    name.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
