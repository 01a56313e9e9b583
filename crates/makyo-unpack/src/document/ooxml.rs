//! Office documents that are ZIP archives: where they lead, and what is packed into them.

use super::is_remote;
use crate::bytes::has;
use crate::tree::Walker;

/// Whether a part is looked at: what only lays a page out is not.
pub(crate) fn wants(name: &str) -> bool {
    let lower = name.to_lowercase();
    if lower.ends_with(".rels") {
        return true;
    }
    if lower.ends_with(".xml") {
        return lower.ends_with("document.xml")
            || lower.contains("macrosheets/")
            || lower.contains("externallink");
    }
    !is_picture(&lower)
}

fn is_picture(lower: &str) -> bool {
    [".png", ".jpg", ".jpeg", ".gif", ".emf", ".wmf", ".svg", ".tif", ".tiff", ".fntdata", ".odttf"]
        .iter()
        .any(|end| lower.ends_with(end))
        && lower.contains("/media/")
        || lower.contains("printersettings")
        || lower.starts_with("thumbnails/")
}

/// One part of the document.
pub(crate) fn part(walker: &mut Walker<'_>, index: usize, name: &str, content: Vec<u8>) {
    let lower = name.to_lowercase();
    if lower.ends_with(".rels") {
        relations(walker, index, &String::from_utf8_lossy(&content));
    } else if lower.ends_with("document.xml") {
        if has(&content, b"DDEAUTO") {
            walker.fact(index, "command_field", "DDEAUTO");
        }
    } else if lower.contains("macrosheets/") {
        walker.fact(index, "macro_sheet", name);
    } else if !lower.ends_with(".xml") {
        walker.child(index, name, content);
    }
}

fn relations(walker: &mut Walker<'_>, index: usize, text: &str) {
    for element in text.split("<Relationship ").skip(1).take(4096) {
        let element = element.split('>').next().unwrap_or_default();
        let kind = attribute(element, "Type").unwrap_or_default();
        let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
        let Some(target) = attribute(element, "Target") else { continue };
        let is_external = attribute(element, "TargetMode")
            .is_some_and(|mode| mode.eq_ignore_ascii_case("external"));
        if !is_external || !is_remote(&target) {
            continue;
        }
        walker.link(index, &target);
        match kind.as_str() {
            "attachedTemplate" => walker.fact(index, "external_template", &target),
            "oleObject" | "frame" | "subDocument" | "externalLinkPath" | "aFChunk" => {
                walker.fact(index, "external_object", &target);
            }
            "image" => walker.fact(index, "external_image", &target),
            _ => {}
        }
    }
}

fn attribute(element: &str, name: &str) -> Option<String> {
    let (_, rest) = element.split_once(&format!("{name}=\""))?;
    let value = rest.split('"').next()?;
    Some(value.replace("&amp;", "&"))
}
