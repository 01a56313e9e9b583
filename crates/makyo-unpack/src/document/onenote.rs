//! OneNote sections: the files that lie in them behind a picture.

use crate::bytes::{slice, u64_at};
use crate::kind::{Kind, kind_of};
use crate::tree::Walker;

/// Begins an object of stored file data (MS-ONESTORE 2.6.13).
const FILE_DATA: [u8; 16] = [
    0xe7, 0x16, 0xe3, 0xbd, 0x65, 0x26, 0x11, 0x45, 0xa4, 0xc4, 0x8d, 0x4d, 0x0b, 0x7a, 0x9e, 0xac,
];
const FILES_MAX: usize = 256;

pub(crate) fn open(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    for (count, at) in memchr::memmem::find_iter(bytes, &FILE_DATA).enumerate() {
        if count >= FILES_MAX {
            return walker.unread(index, &format!("it has more than {FILES_MAX} files"));
        }
        let size = u64_at(bytes, at + 16).and_then(|size| usize::try_from(size).ok());
        let Some(content) = size.and_then(|size| slice(bytes, at + 36, size)) else {
            walker.unread(index, "a file in it is broken");
            continue;
        };
        let name = format!("file {}", count + 1);
        // Inside a section a file has no name of its own here, and so text may be a script.
        let kind = kind_of(&name, content);
        if !matches!(kind, Kind::Image | Kind::Empty | Kind::Media) {
            walker.fact(index, "file_in_notes", kind.says());
        }
        walker.child(index, &name, content.to_vec());
    }
}
