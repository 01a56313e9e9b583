//! From what the user named to a sorted list of artifacts.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use makyo_base::{Artifact, ArtifactId, ArtifactKind, Defect, DefectKind, Position, Sha256Writer};
use thiserror::Error;

use crate::archive::unpack;
use crate::capped::read_capped;
use crate::recognise::{SNIFF_BYTES, recognise};

/// What archives may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Archives in archives.
    pub depth_max: usize,
    /// Members of one archive.
    pub members_max: usize,
    /// Bytes that all members of one file on disk may expand to.
    pub expanded_bytes_max: u64,
    /// How many times its packed size a member may expand to, once it is larger than
    /// `ratio_floor_bytes`. Logs pack 10 to 60 times; a bomb 1,000 times and more.
    pub ratio_max: u64,
    /// Members up to this size are never a bomb.
    pub ratio_floor_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            depth_max: 6,
            members_max: 500_000,
            expanded_bytes_max: 512 << 30,
            ratio_max: 300,
            ratio_floor_bytes: 16 << 20,
        }
    }
}

/// One artifact and where its bytes can be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Collected {
    /// The artifact.
    pub artifact: Artifact,
    /// The file that holds its bytes: the evidence itself, or a spooled copy of a member.
    pub location: PathBuf,
    /// Other places where the same bytes were found.
    pub also: Vec<String>,
}

/// All artifacts, sorted by id, and what could not be read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Collection {
    /// Artifacts that hold records (or nothing that is known); containers are unpacked.
    pub artifacts: Vec<Collected>,
    /// Archives, for the manifest.
    pub containers: Vec<Artifact>,
    /// What could not be read, sorted.
    pub defects: Vec<Defect>,
}

/// The run cannot go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CollectError {
    /// A path that the user named is not there.
    #[error("cannot open evidence: `{path}`: {reason}")]
    Missing {
        /// The path.
        path: String,
        /// The system's reason.
        reason: io::Error,
    },
    /// The spool folder cannot be written.
    #[error("cannot write the spool folder: `{path}`: {reason}")]
    Spool {
        /// The path.
        path: String,
        /// The system's reason.
        reason: io::Error,
    },
}

/// Walks what the user named, unpacks archives into `spool`, hashes and recognises every file.
///
/// Symbolic links are followed where the user names one, not inside a folder. `progress` is told
/// each file's path and size.
///
/// # Errors
/// If a named path is not there or the spool cannot be written. Anything else that cannot be read
/// is a defect.
pub fn collect(
    paths: &[PathBuf],
    spool: &Path,
    limits: &Limits,
    progress: &mut dyn FnMut(&str, u64),
) -> Result<Collection, CollectError> {
    let mut walk = Walk {
        spool,
        limits,
        spooled: 0,
        found: BTreeMap::new(),
        containers: Vec::new(),
        defects: Vec::new(),
        progress,
    };
    for path in paths {
        let missing = |reason| CollectError::Missing { path: path.display().to_string(), reason };
        let kind = std::fs::metadata(path).map_err(missing)?;
        let name = path.to_string_lossy().into_owned();
        if kind.is_dir() {
            walk.folder(path, &name)?;
        } else if kind.is_file() {
            walk.file(path, &name)?;
        } else {
            walk.defect(&name, DefectKind::NotFollowed, NOT_A_FILE);
        }
    }
    Ok(walk.finish())
}

pub(crate) struct Walk<'a> {
    pub(crate) spool: &'a Path,
    pub(crate) limits: &'a Limits,
    spooled: u64,
    found: BTreeMap<ArtifactId, Collected>,
    containers: Vec<Artifact>,
    defects: Vec<Defect>,
    progress: &'a mut dyn FnMut(&str, u64),
}

/// What is left of a file's allowance for unpacking.
pub(crate) struct Allowance {
    pub(crate) bytes: u64,
    pub(crate) depth: usize,
}

impl Walk<'_> {
    fn finish(mut self) -> Collection {
        self.defects.sort();
        self.defects.dedup();
        self.containers.sort_by(|a, b| (a.id, &a.path).cmp(&(b.id, &b.path)));
        Collection {
            artifacts: self.found.into_values().collect(),
            containers: self.containers,
            defects: self.defects,
        }
    }

    pub(crate) fn defect(&mut self, file: &str, kind: DefectKind, detail: impl Into<String>) {
        let file = file.to_owned();
        self.defects.push(Defect { file, position: Position::Whole, kind, detail: detail.into() });
    }

    fn folder(&mut self, folder: &Path, name: &str) -> Result<(), CollectError> {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(reason) => {
                self.defect(
                    name,
                    DefectKind::Unreadable,
                    format!("folder cannot be read: {reason}"),
                );
                return Ok(());
            }
        };
        let mut children: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        children.sort();
        for child in children {
            let leaf = child.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let child_name = format!("{}/{leaf}", name.trim_end_matches('/'));
            let kind = match std::fs::symlink_metadata(&child) {
                Ok(metadata) => metadata.file_type(),
                Err(reason) => {
                    self.defect(&child_name, DefectKind::Unreadable, reason.to_string());
                    continue;
                }
            };
            if kind.is_symlink() {
                let detail = describe_link(folder, &child);
                self.defect(&child_name, DefectKind::NotFollowed, detail);
            } else if kind.is_dir() {
                self.folder(&child, &child_name)?;
            } else if kind.is_file() {
                self.file(&child, &child_name)?;
            } else {
                self.defect(&child_name, DefectKind::NotFollowed, NOT_A_FILE);
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: &str) -> Result<(), CollectError> {
        let allowance = Allowance { bytes: self.limits.expanded_bytes_max, depth: 0 };
        self.artifact(path, name, allowance).map(|_| ())
    }

    /// Hashes and recognises one file; a container is unpacked, anything else is kept. Returns
    /// what is left of the allowance.
    pub(crate) fn artifact(
        &mut self,
        path: &Path,
        name: &str,
        allowance: Allowance,
    ) -> Result<u64, CollectError> {
        let (id, size_bytes, head) = match hash(path) {
            Ok(hashed) => hashed,
            Err(reason) => {
                self.defect(name, DefectKind::Unreadable, format!("file cannot be read: {reason}"));
                return Ok(allowance.bytes);
            }
        };
        (self.progress)(name, size_bytes);
        let kind = recognise(&head);
        let artifact = Artifact { id, path: name.to_owned(), size_bytes, kind };
        if kind.is_container() {
            self.containers.push(artifact);
            if allowance.depth >= self.limits.depth_max {
                let detail = format!("archives are nested deeper than {}", self.limits.depth_max);
                self.defect(name, DefectKind::Limit, detail);
                return Ok(allowance.bytes);
            }
            return unpack(self, path, name, kind, allowance);
        }
        match kind {
            ArtifactKind::Empty => self.defect(name, DefectKind::Empty, "file is empty"),
            ArtifactKind::Unknown => {
                let detail =
                    format!("format is not recognised (first bytes: {})", first_bytes(&head));
                self.defect(name, DefectKind::Unrecognised, detail);
            }
            _ => {}
        }
        self.keep(artifact, path);
        Ok(allowance.bytes)
    }

    fn keep(&mut self, artifact: Artifact, path: &Path) {
        match self.found.get_mut(&artifact.id) {
            None => {
                let location = path.to_owned();
                self.found.insert(artifact.id, Collected { artifact, location, also: Vec::new() });
            }
            Some(known) => {
                // The smallest name is the artifact's, whatever the order on the command line.
                let mut other = artifact.path;
                if other < known.artifact.path {
                    std::mem::swap(&mut other, &mut known.artifact.path);
                }
                known.also.push(other);
                known.also.sort();
                known.also.dedup();
            }
        }
    }

    /// A new file of our own naming in the spool folder.
    pub(crate) fn spool_file(&mut self) -> Result<(File, PathBuf), CollectError> {
        let path = self.spool.join(format!("{:08}", self.spooled));
        self.spooled += 1;
        let file = File::create(&path)
            .map_err(|reason| CollectError::Spool { path: path.display().to_string(), reason })?;
        Ok((file, path))
    }
}

const NOT_A_FILE: &str = "not a regular file: pipes, sockets and devices are not read";

fn describe_link(folder: &Path, link: &Path) -> String {
    let target = std::fs::read_link(link).unwrap_or_default();
    let resolved = std::fs::canonicalize(link);
    let here = std::fs::canonicalize(folder);
    let is_loop = matches!((&resolved, &here), (Ok(to), Ok(from)) if from.starts_with(to));
    let what =
        if is_loop { "symbolic link to a folder that holds it (a loop)" } else { "symbolic link" };
    format!(
        "{what}, not followed: `{}`; name its target as evidence to have it read",
        target.display()
    )
}

fn first_bytes(head: &[u8]) -> String {
    makyo_base::hex(head.get(..head.len().min(8)).unwrap_or_default())
}

fn hash(path: &Path) -> io::Result<(ArtifactId, u64, Vec<u8>)> {
    let mut file = File::open(path)?;
    let (head, _) = read_capped(&mut file, SNIFF_BYTES)?;
    let mut file = File::open(path)?;
    let mut hasher = Sha256Writer::default();
    copy(&mut file, &mut hasher)?;
    let size_bytes = hasher.size_bytes;
    Ok((ArtifactId(hasher.finish()), size_bytes, head))
}

/// Copies with a large buffer; hashing is then bound by the hash.
pub(crate) fn copy(from: &mut dyn Read, to: &mut dyn io::Write) -> io::Result<u64> {
    let mut buffer = vec![0; 256 * 1024];
    let mut total = 0;
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        to.write_all(buffer.get(..count).unwrap_or_default())?;
        total += count as u64;
    }
}
