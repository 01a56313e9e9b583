//! Documents that carry more than they show, and such that do not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::build::{Lock, compound, facts, has, module, object, program, tree, zip};
use crate::Kind;

fn office(relations: &str) -> Vec<u8> {
    let types = b"<?xml version=\"1.0\"?><Types/>";
    zip(
        &[
            ("[Content_Types].xml", types),
            ("word/_rels/settings.xml.rels", relations.as_bytes()),
            ("word/document.xml", b"<w:document/>"),
        ],
        Lock::None,
    )
}

#[test]
fn a_template_from_elsewhere() {
    let relation = |kind: &str, target: &str| {
        format!(
            "<Relationships><Relationship Id=\"r1\" Type=\"http://schemas.example/{kind}\" Target=\"{target}\" TargetMode=\"External\"/></Relationships>"
        )
    };
    let found =
        tree("a.docx", &office(&relation("attachedTemplate", "https://template.invalid/t.dotm")));
    assert!(has(&found, "external_template"));
    assert_eq!(found.objects[0].links, ["https://template.invalid/t.dotm"]);
    let quiet = tree("a.docx", &office(&relation("hyperlink", "https://partner.example/")));
    assert_eq!(facts(&quiet), Vec::<&str>::new(), "a link in a document is no template");
    let own = tree("a.docx", &office(&relation("attachedTemplate", "Normal.dotm")));
    assert_eq!(facts(&own), Vec::<&str>::new(), "a template on the own disk");
}

#[test]
fn macros_by_what_they_would_do() {
    let with = |text: &str| compound(&[("/Macros/VBA/a", module(text).as_slice())]);
    let alone = tree("a.doc", &with("Sub AutoOpen()\r\nShell \"nothing.invalid\"\r\nEnd Sub\r\n"));
    assert!(has(&alone, "macro_acts_alone"), "{:?}", facts(&alone));
    let asked = tree("a.doc", &with("Sub Layout()\r\nx = 1\r\nEnd Sub\r\n"));
    assert_eq!(facts(&asked), ["macro"]);
    let empty = tree("a.doc", &with(""));
    assert_eq!(facts(&empty), Vec::<&str>::new(), "a module without code");
    let stomped = compound(&[("/Macros/VBA/a", vec![7_u8; 8000].as_slice())]);
    assert!(has(&tree("a.doc", &stomped), "macro_without_text"));
}

#[test]
fn packed_files_in_documents() {
    let mut native = vec![0, 0, 0, 0, 2, 0];
    native.extend_from_slice(b"list.exe\0C:\\list.exe\0\0\0\x03\0");
    native.extend_from_slice(&3_u32.to_le_bytes());
    native.extend_from_slice(b"c:\0");
    native.extend_from_slice(&5_u32.to_le_bytes());
    native.extend_from_slice(b"inert");
    let found = tree("a.doc", &compound(&[("/ObjectPool/1/\u{1}Ole10Native", native.as_slice())]));
    assert!(has(&found, "packed_program"));
    let digits: String = {
        let mut object = vec![1, 5, 0, 0, 2, 0, 0, 0];
        object.extend_from_slice(&8_u32.to_le_bytes());
        object.extend_from_slice(b"Package\0");
        object.extend_from_slice(&[0; 8]);
        object.extend_from_slice(&(native.len() as u32).to_le_bytes());
        object.extend_from_slice(&native);
        object.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let rtf = format!("{{\\rtf1{{\\object\\objemb\\objupdate{{\\*\\objdata {digits}}}}}}}");
    let found = tree("a.doc", rtf.as_bytes());
    assert!(has(&found, "packed_program") && has(&found, "object_updates_itself"));
    assert_eq!(object(&found, "a.doc!list.exe").sha256.len(), 64);
    let template = b"{\\rtf1{\\*\\template http://template.invalid/a}}";
    assert!(has(&tree("a.rtf", template), "external_template"));
}

#[test]
fn a_page_that_carries_an_archive() {
    let archive = zip(&[("a.exe", &program(&[7; 4000]))], Lock::None);
    let page = format!(
        "<html><script>var d='{}';URL.createObjectURL(new Blob([atob(d)]));</script></html>",
        STANDARD.encode(zip(&[("b.zip", &archive), ("c.bin", &noise(3000))], Lock::None))
    );
    let found = tree("a.html", page.as_bytes());
    assert!(has(&found, "page_makes_file") && has(&found, "program_in_container"));
    let login = b"<html><form><input type=\"password\"></form></html>";
    assert_eq!(facts(&tree("a.htm", login)), ["page_asks_password"]);
}

/// Bytes that do not shrink.
fn noise(count: u32) -> Vec<u8> {
    let mut state = 1_u32;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect()
}

#[test]
fn actions_of_pdf_documents() {
    let page = b"%PDF-1.4\n1 0 obj\n<< /OpenAction << /S /J#61vaScript /JS (x) >> /URI (https://files.example/a.zip) >>\nendobj\n";
    let found = tree("a.pdf", page);
    assert!(has(&found, "document_script_alone"));
    assert_eq!(found.objects[0].links, ["https://files.example/a.zip"]);
    let launch = b"%PDF-1.4\n1 0 obj\n<< /S /Launch /F (x) >>\nendobj\n";
    assert!(has(&tree("a.pdf", launch), "document_starts_program"));
    assert!(tree("a.pdf", b"%PDF-1.4\n<< /Encrypt 5 0 R >>").objects[0].unread.is_some());
}

#[test]
fn notes_settings_and_false_certificates() {
    let mut notes = crate::kind::ONENOTE.to_vec();
    notes.resize(1024, 0);
    notes.extend_from_slice(&[
        0xe7, 0x16, 0xe3, 0xbd, 0x65, 0x26, 0x11, 0x45, 0xa4, 0xc4, 0x8d, 0x4d, 0x0b, 0x7a, 0x9e,
        0xac,
    ]);
    let content = program(b"");
    notes.extend_from_slice(&(content.len() as u64).to_le_bytes());
    notes.extend_from_slice(&[0; 12]);
    notes.extend_from_slice(&content);
    assert!(has(&tree("a.one", &notes), "file_in_notes"));
    let sandbox =
        b"<Configuration><LogonCommand><Command>nothing</Command></LogonCommand></Configuration>";
    assert!(has(&tree("a.wsb", sandbox), "sandbox_settings"));
    assert!(has(&tree("a.rdp", b"full address:s:198.51.100.7\r\n"), "remote_desktop_settings"));
    assert!(has(
        &tree("a.url", b"[InternetShortcut]\r\nURL=file://198.51.100.7/a/b.exe\r\n"),
        "link_file_to_share"
    ));
    let page = b"[InternetShortcut]\r\nURL=https://partner.example/\r\n";
    assert_eq!(facts(&tree("a.url", page)), ["link_file"]);
    let text = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(&content)
    );
    let found = tree("a.txt", text.as_bytes());
    assert!(has(&found, "certificate_is_none"));
    assert_eq!(object(&found, "a.txt!decoded").kind, Kind::Pe);
}

#[test]
fn outlook_messages_hold_attachments() {
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let bytes = compound(&[
        ("/__properties_version1.0", &[0_u8; 32]),
        ("/__attach_version1.0_#00000000/__substg1.0_37010102", b"inert"),
        ("/__attach_version1.0_#00000000/__substg1.0_3707001F", &wide("資料.lnk")),
    ]);
    let found = tree("a.msg", &bytes);
    assert_eq!(found.objects[0].kind, Kind::Msg);
    assert_eq!(found.objects[1].name, "資料.lnk");
}

#[test]
fn names_against_content() {
    assert!(has(&tree("programme.pdf", &zip(&[("a.txt", b"x")], Lock::None)), "type_mismatch"));
    assert!(!has(&tree("programme.zip", &zip(&[("a.txt", b"x")], Lock::None)), "type_mismatch"));
    assert!(!has(&tree("photo.jpg", b"cut off and changed"), "type_mismatch"));
}
