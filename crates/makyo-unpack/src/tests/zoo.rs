//! Each container is opened, and what is closed says so.

use super::build::{
    Lock, cabinet, disk, facts, has, image, object, paths, program, seven_zip, shortcut, tree,
    with_passwords, zip,
};
use crate::Kind;

const LURE: &str = "日米同盟勉強会_案内.docx.lnk";

fn lure() -> Vec<u8> {
    shortcut("C:\\nowhere\\cmd.exe", "/c nothing.invalid", b"")
}

#[test]
fn a_shortcut_in_an_archive_in_an_archive() {
    let inner = zip(&[(LURE, &lure())], Lock::None);
    let tree = tree("a.zip", &zip(&[("inner.zip", &inner)], Lock::None));
    assert_eq!(paths(&tree), ["a.zip", "a.zip!inner.zip", &format!("a.zip!inner.zip!{LURE}")]);
    for id in ["shortcut_in_container", "double_extension", "shortcut_starts_interpreter"] {
        assert!(has(&tree, id), "{id} in {:?}", facts(&tree));
    }
    let shortcut = &tree.objects[2];
    assert_eq!((shortcut.kind, shortcut.parent), (Kind::Lnk, Some(1)));
    let maker = shortcut.facts.iter().find(|fact| fact.id == "shortcut_maker").expect("a maker");
    assert_eq!(maker.detail, "machine desktop-0000, hardware address 00:53:01:02:03:04");
    assert!(tree.objects.iter().all(|object| object.unread.is_none()));
}

#[test]
fn locked_archives_open_with_the_right_word_only() {
    for lock in [Lock::Old("Pw2025!"), Lock::Aes("Pw2025!")] {
        let archive = zip(&[("案内.docx", b"inert text"), (LURE, &lure())], lock);
        let closed = with_passwords("a.zip", &archive, &["no", "pw2025!"]);
        assert!(has(&closed, "encrypted") && has(&closed, "closed_with_dangerous_name"));
        assert!(object(&closed, "a.zip").unread.is_some());
        assert!(object(&closed, "a.zip!案内.docx").unread.is_some());
        assert!(object(&closed, "a.zip!案内.docx").sha256.is_empty());
        let open = with_passwords("a.zip", &archive, &["no", "Pw2025!"]);
        assert_eq!(object(&open, "a.zip").opened_with.as_deref(), Some("Pw2025!"));
        assert_eq!(object(&open, "a.zip").unread, None);
        assert!(has(&open, "shortcut_in_container"));
    }
}

#[test]
fn images_and_disks_are_walked() {
    let found = tree("material.iso", &image(LURE, &lure(), true));
    assert_eq!(object(&found, &format!("material.iso!{LURE}")).kind, Kind::Lnk);
    assert!(has(&found, "disk_image") && has(&found, "hidden_member"));
    let found = tree("material.vhd", &disk(b"LIST    LNK", &lure()));
    assert_eq!(object(&found, "material.vhd!LIST.LNK").kind, Kind::Lnk);
    assert!(has(&found, "shortcut_in_container") && has(&found, "disk_image"));
}

#[test]
fn a_program_that_unpacks_itself() {
    let archive = zip(&[("viewer.exe", &program(b"")), ("helper.dll", &program(b""))], Lock::None);
    let found = tree("会合資料.pdf .exe", &program(&archive));
    for id in
        ["self_extracting", "program_in_container", "library_beside_program", "double_extension"]
    {
        assert!(has(&found, id), "{id} in {:?}", facts(&found));
    }
}

#[test]
fn a_file_behind_a_shortcut_is_an_object() {
    let behind = zip(&[("a.txt", b"inert")], Lock::None);
    let found = tree("a.lnk", &shortcut("x.exe", &" ".repeat(60), &behind));
    assert!(has(&found, "shortcut_carries_file") && has(&found, "shortcut_hides_command"));
    assert_eq!(paths(&found), ["a.lnk", "a.lnk!behind.zip", "a.lnk!behind.zip!a.txt"]);
}

#[test]
fn rar_archives_are_listed_and_said_to_be_closed() {
    let name = "名簿.lnk".as_bytes();
    let mut file = vec![0, 0, 5, 3, 0];
    file.splice(0..0, [2_u8, 0]);
    // Header: kind 2, no flags; then file flags, size, attributes, compression, system, name.
    let mut body = vec![2, 0, 0, 5, 0x20, 0, 0, name.len() as u8];
    body.extend_from_slice(name);
    let mut rar = b"Rar!\x1a\x07\x01\0".to_vec();
    for block in [vec![1, 0, 0], body] {
        rar.extend_from_slice(&[0; 4]);
        rar.push(block.len() as u8);
        rar.extend(block);
    }
    let found = tree("a.rar", &rar);
    assert!(object(&found, "a.rar!名簿.lnk").unread.is_some());
    assert!(has(&found, "closed_with_dangerous_name"));
}

#[test]
fn the_same_message_gives_the_same_tree() {
    let archive =
        zip(&[(LURE, &lure()), ("b.iso", &image("x.exe", &program(b""), false))], Lock::Aes("k"));
    let once = with_passwords("a.zip", &archive, &["k"]);
    assert_eq!(once, with_passwords("a.zip", &archive, &["k"]));
}

#[test]
fn ordinary_attachments_say_nothing() {
    for (name, bytes) in [
        ("minutes.txt", b"As agreed.\n".to_vec()),
        (
            "programme.zip",
            zip(&[("programme.docx", b"inert"), ("map.png", b"\x89PNG")], Lock::None),
        ),
        ("patch.diff", b"--- a\n+++ b\n".to_vec()),
        ("plan.pdf", b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n".to_vec()),
    ] {
        let found = tree(name, &bytes);
        assert_eq!(facts(&found), Vec::<&str>::new(), "{name}");
        assert!(found.objects.iter().all(|object| object.unread.is_none()), "{name}");
    }
}

#[test]
fn seven_zip_and_cabinets_are_opened() {
    let found = tree("a.7z", &seven_zip(LURE, &lure(), ""));
    assert!(has(&found, "shortcut_in_container"), "{:?} {:?}", facts(&found), found.objects[0]);
    let locked = seven_zip(LURE, &lure(), "tw2025");
    let closed = with_passwords("a.7z", &locked, &["no"]);
    assert!(has(&closed, "encrypted_names") && closed.objects[0].unread.is_some());
    let open = with_passwords("a.7z", &locked, &["no", "tw2025"]);
    assert!(has(&open, "shortcut_in_container"));
    assert_eq!(open.objects[0].opened_with.as_deref(), Some("tw2025"));
    let found = tree("a.cab", &cabinet("a.lnk", &lure()));
    assert!(has(&found, "shortcut_in_container"));
}
