//! 7z archives.

use std::io::{Cursor, Read};

use sevenz_rust2::{Archive, ArchiveReader, Password};

use super::{Cut, ENTRIES_MAX, read_within};
use crate::tree::Walker;

/// Deriving a key is slow by design, so few passwords are tried.
const TRIES_MAX: usize = 6;
const MEMORY_KB_MAX: usize = 64 << 10;

pub(crate) fn open(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    let plain =
        Archive::read_with_memory_limit(&mut Cursor::new(bytes), &Password::empty(), MEMORY_KB_MAX);
    let (names, locked_names) = match &plain {
        Ok(archive) => {
            let locked = (0..archive.files.len()).any(|at| archive.is_file_encrypted(at));
            let names: Vec<(String, u64)> = archive
                .files
                .iter()
                .filter(|file| file.has_stream())
                .take(ENTRIES_MAX)
                .map(|file| (file.name().to_owned(), file.size()))
                .collect();
            if !locked {
                return extract(walker, index, bytes, &Password::empty(), &names)
                    .unwrap_or_default();
            }
            (names, false)
        }
        Err(error) => {
            let locked = matches!(
                error,
                sevenz_rust2::Error::PasswordRequired | sevenz_rust2::Error::MaybeBadPassword(_)
            );
            if !locked {
                return walker.unread(index, &format!("its list is broken: {error}"));
            }
            (Vec::new(), true)
        }
    };
    walker.fact(index, "encrypted", "");
    if locked_names {
        walker.fact(index, "encrypted_names", "");
    }
    for word in walker.passwords(TRIES_MAX) {
        let password = Password::from(word.as_str());
        if extract(walker, index, bytes, &password, &names).is_some() {
            return walker.opened_with(index, &word);
        }
    }
    let reason = "it is encrypted, and no password in the mails opens it";
    walker.unread(index, reason);
    for (name, size) in names {
        walker.closed(index, &name, size, reason);
    }
}

/// Whether the password fitted. With one that does not, nothing is added.
fn extract(
    walker: &mut Walker<'_>,
    index: usize,
    bytes: &[u8],
    password: &Password,
    names: &[(String, u64)],
) -> Option<()> {
    let source = Cursor::new(bytes);
    let mut reader =
        ArchiveReader::new_with_memory_limit(source, password.clone(), MEMORY_KB_MAX).ok()?;
    reader.set_thread_count(1);
    let mut found: Vec<(String, Vec<u8>)> = Vec::new();
    let mut cut = None;
    let mut sum = 0;
    let is_locked = !password.is_empty();
    let done = reader.for_each_entries(|entry, stream| {
        if !entry.has_stream() {
            return Ok(true);
        }
        let (room, reason) = walker.room(bytes.len());
        let mut within: &mut dyn Read = stream;
        match read_within(walker, bytes.len(), &mut within) {
            Ok(content) if sum + content.len() <= room && found.len() < ENTRIES_MAX => {
                sum += content.len();
                found.push((entry.name().to_owned(), content));
                Ok(true)
            }
            Ok(_) => {
                cut = Some(reason);
                Ok(false)
            }
            Err(Cut::Limit(reason)) => {
                cut = Some(reason);
                Ok(false)
            }
            Err(Cut::Broken(reason)) => Err(std::io::Error::other(reason).into()),
        }
    });
    if is_locked && done.is_err() && found.is_empty() {
        return None;
    }
    if let Err(error) = done {
        cut = Some(format!("it breaks off: {error}"));
    }
    for (name, content) in &found {
        walker.child(index, name, content.clone());
    }
    if let Some(reason) = cut {
        walker.unread(index, &reason);
        for (name, size) in names.iter().filter(|name| !found.iter().any(|one| one.0 == name.0)) {
            walker.closed(index, name, *size, &reason);
        }
    }
    Some(())
}
