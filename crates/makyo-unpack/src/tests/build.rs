//! Makes containers with nothing harmful in them.

use std::io::{Cursor, Write as _};

use zip::unstable::write::FileOptionsExt as _;
use zip::write::SimpleFileOptions;
use zip::{AesMode, ZipWriter};

use crate::{Limits, Object, Part, Tree, unpack};

pub(super) fn tree(name: &str, bytes: &[u8]) -> Tree {
    with_passwords(name, bytes, &[])
}

pub(super) fn with_passwords(name: &str, bytes: &[u8], passwords: &[&str]) -> Tree {
    let passwords: Vec<String> = passwords.iter().map(|one| (*one).to_owned()).collect();
    unpack(&[Part { name, declared: "", bytes }], &passwords, &Limits::default())
}

pub(super) fn facts(tree: &Tree) -> Vec<&'static str> {
    let mut ids: Vec<&'static str> =
        tree.objects.iter().flat_map(|object| &object.facts).map(|fact| fact.id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

pub(super) fn has(tree: &Tree, id: &str) -> bool {
    facts(tree).contains(&id)
}

pub(super) fn object<'a>(tree: &'a Tree, path: &str) -> &'a Object {
    let found = tree.objects.iter().find(|object| object.path == path);
    found.unwrap_or_else(|| panic!("{path} in {:?}", paths(tree)))
}

pub(super) fn paths(tree: &Tree) -> Vec<&str> {
    tree.objects.iter().map(|object| object.path.as_str()).collect()
}

#[derive(Clone, Copy)]
pub(super) enum Lock<'a> {
    None,
    Old(&'a str),
    Aes(&'a str),
}

pub(super) fn zip(files: &[(&str, &[u8])], lock: Lock<'_>) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = SimpleFileOptions::default();
        match lock {
            Lock::None => writer.start_file(*name, options),
            Lock::Old(word) => {
                let options = options.with_deprecated_encryption(word.as_bytes());
                writer.start_file(*name, options.expect("a password"))
            }
            Lock::Aes(word) => {
                writer.start_file(*name, options.with_aes_encryption(AesMode::Aes256, word))
            }
        }
        .expect("memory");
        writer.write_all(content).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

/// A shortcut to nowhere: a header, arguments, and the maker's machine.
pub(super) fn shortcut(target: &str, arguments: &str, behind: &[u8]) -> Vec<u8> {
    let mut out = vec![0x4c, 0, 0, 0, 1, 0x14, 2, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
    // Relative path and arguments, both wide.
    out.extend_from_slice(&0xa8_u32.to_le_bytes());
    out.resize(0x4c, 0);
    for text in [target, arguments] {
        let units: Vec<u16> = text.encode_utf16().collect();
        out.extend_from_slice(&(units.len() as u16).to_le_bytes());
        out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
    }
    let mut tracker = Vec::new();
    tracker.extend_from_slice(&0x60_u32.to_le_bytes());
    tracker.extend_from_slice(&0xa000_0003_u32.to_le_bytes());
    tracker.extend_from_slice(&0x58_u32.to_le_bytes());
    tracker.extend_from_slice(&0_u32.to_le_bytes());
    tracker.extend_from_slice(b"desktop-0000\0\0\0\0");
    tracker.resize(32 + 16 + 10, 0);
    tracker.extend_from_slice(&[0, 0x53, 1, 2, 3, 4]);
    tracker.resize(0x60, 0);
    out.extend(tracker);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(behind);
    out
}

/// The header of a program without one.
pub(super) fn program(behind: &[u8]) -> Vec<u8> {
    let mut out = b"MZ".to_vec();
    out.resize(0x3c, 0);
    out.extend_from_slice(&0x40_u32.to_le_bytes());
    out.extend_from_slice(b"PE\0\0");
    out.extend_from_slice(&[0x64, 0x86, 1, 0]);
    out.resize(0x40 + 20, 0);
    out.extend_from_slice(&0_u16.to_le_bytes());
    out.resize(0x40 + 24, 0);
    out.resize(0x40 + 24 + 16, 0);
    out.extend_from_slice(&0x40_u32.to_le_bytes());
    out.extend_from_slice(&0x100_u32.to_le_bytes());
    out.resize(0x140, 0);
    out.extend_from_slice(behind);
    out
}

/// A Joliet image with one file, hidden or not.
pub(super) fn image(name: &str, content: &[u8], is_hidden: bool) -> Vec<u8> {
    let record = |sector: u32, size: u32, flags: u8, name: &[u8]| {
        let mut out = vec![0_u8; 33];
        out[2..6].copy_from_slice(&sector.to_le_bytes());
        out[10..14].copy_from_slice(&size.to_le_bytes());
        out[25] = flags;
        out[32] = name.len() as u8;
        out.extend_from_slice(name);
        out.resize(out.len().next_multiple_of(2), 0);
        out[0] = out.len() as u8;
        out
    };
    let mut out = vec![0_u8; 22 * 2048];
    let root = record(20, 2048, 2, &[0]);
    for (sector, kind) in [(16_usize, 1_u8), (17, 2), (18, 255)] {
        out[sector * 2048] = kind;
        out[sector * 2048 + 1..sector * 2048 + 6].copy_from_slice(b"CD001");
        out[sector * 2048 + 156..sector * 2048 + 156 + root.len()].copy_from_slice(&root);
    }
    out[17 * 2048 + 88..17 * 2048 + 91].copy_from_slice(b"%/E");
    let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let file = record(21, content.len() as u32, u8::from(is_hidden), &wide);
    out[20 * 2048..20 * 2048 + file.len()].copy_from_slice(&file);
    out.truncate(21 * 2048);
    out.extend_from_slice(content);
    out.resize(out.len().next_multiple_of(2048), 0);
    out
}

/// A fixed virtual disk with a FAT16 file system and one file of one cluster.
pub(super) fn disk(short: &[u8; 11], content: &[u8]) -> Vec<u8> {
    let mut out = vec![0_u8; 512 * 5000];
    out[3..11].copy_from_slice(b"MSDOS5.0");
    out[11..13].copy_from_slice(&512_u16.to_le_bytes());
    out[13] = 1;
    out[14..16].copy_from_slice(&1_u16.to_le_bytes());
    out[16] = 1;
    out[17..19].copy_from_slice(&16_u16.to_le_bytes());
    out[19..21].copy_from_slice(&5000_u16.to_le_bytes());
    out[22..24].copy_from_slice(&20_u16.to_le_bytes());
    out[54..62].copy_from_slice(b"FAT16   ");
    out[510] = 0x55;
    out[511] = 0xaa;
    out[512 + 4..512 + 6].copy_from_slice(&0xffff_u16.to_le_bytes());
    let root = 512 * 21;
    out[root..root + 11].copy_from_slice(short);
    out[root + 26..root + 28].copy_from_slice(&2_u16.to_le_bytes());
    out[root + 28..root + 32].copy_from_slice(&(content.len() as u32).to_le_bytes());
    let data = 512 * 22;
    out[data..data + content.len()].copy_from_slice(content);
    out.extend_from_slice(b"conectix");
    out.resize(512 * 5001, 0);
    out
}

/// A compound file with these streams.
pub(super) fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).expect("memory");
    for (path, content) in streams {
        if let Some((folder, _)) = path.rsplit_once('/').filter(|parts| !parts.0.is_empty()) {
            file.create_storage_all(folder).expect("memory");
        }
        file.create_stream(path).expect("memory").write_all(content).expect("memory");
    }
    file.into_inner().into_inner()
}

/// Text in the form of macros, without a copy in it.
pub(super) fn module(text: &str) -> Vec<u8> {
    let text = format!("Attribute VB_Name = \"a\"\r\n{text}");
    let mut out = vec![1];
    let mut chunk = Vec::new();
    for eight in text.as_bytes().chunks(8) {
        chunk.push(0);
        chunk.extend_from_slice(eight);
    }
    let header = 0xb000 | (chunk.len() as u16 - 1);
    out.extend_from_slice(&header.to_le_bytes());
    out.extend(chunk);
    out
}

/// A 7z archive; with a word its list is encrypted too.
pub(super) fn seven_zip(name: &str, content: &[u8], word: &str) -> Vec<u8> {
    use sevenz_rust2::encoder_options::AesEncoderOptions;
    use sevenz_rust2::{ArchiveEntry, ArchiveWriter, EncoderMethod};
    let mut writer = ArchiveWriter::new(Cursor::new(Vec::new())).expect("memory");
    if !word.is_empty() {
        let aes = AesEncoderOptions::new(word.into());
        writer.set_content_methods(vec![aes.into(), EncoderMethod::LZMA2.into()]);
        writer.set_encrypt_header(true);
    }
    writer.push_archive_entry(ArchiveEntry::new_file(name), Some(content)).expect("memory");
    writer.finish().expect("memory").into_inner()
}

/// A cabinet.
pub(super) fn cabinet(name: &str, content: &[u8]) -> Vec<u8> {
    let mut builder = cab::CabinetBuilder::new();
    builder.add_folder(cab::CompressionType::MsZip).add_file(name);
    let mut writer = builder.build(Cursor::new(Vec::new())).expect("memory");
    while let Some(mut file) = writer.next_file().expect("memory") {
        file.write_all(content).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}
