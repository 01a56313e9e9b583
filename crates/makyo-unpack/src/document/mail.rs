//! Messages inside of messages, and the bundles that Outlook makes.

use mail_parser::{MessageParser, MimeHeaders as _};

use crate::bytes::{name_text, slice, u32_at, until_zero};
use crate::tree::Walker;

const PARTS_MAX: usize = 512;
const FIELDS_MAX: usize = 10_000;

pub(crate) fn open(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    let Some(message) = MessageParser::default().parse(bytes) else {
        return walker.unread(index, "no message headers are found in it");
    };
    for (count, part) in message.attachments().enumerate() {
        if count >= PARTS_MAX {
            return walker.unread(index, &format!("it has more than {PARTS_MAX} attachments"));
        }
        let name = part.attachment_name().unwrap_or("(unnamed)");
        walker.child(index, name, part.contents().to_vec());
    }
}

/// The bundle (MS-OXTNEF): fields with a level, an id, a size and a sum.
pub(crate) fn open_tnef(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    let mut at = 6_usize;
    let mut name = String::new();
    let mut content: Option<Vec<u8>> = None;
    for _ in 0..FIELDS_MAX {
        let (Some(id), Some(size)) = (u32_at(bytes, at + 1), u32_at(bytes, at + 5)) else { break };
        let Some(data) = slice(bytes, at + 9, size as usize) else {
            walker.unread(index, "it breaks off");
            break;
        };
        match id {
            // A new attachment begins.
            0x0006_9002 => {
                if let Some(content) = content.take() {
                    walker.child(index, &name, content);
                }
                name.clear();
            }
            0x0001_8010 => name = name_text(until_zero(data)),
            0x0006_800f => content = Some(data.to_vec()),
            _ => {}
        }
        at = at.saturating_add(11).saturating_add(size as usize);
    }
    if let Some(content) = content {
        walker.child(index, &name, content);
    }
}
