//! What is kept of a message for the mail analytic, and passwords from one mail for another.

use std::io::{Cursor, Write as _};

use makyo_base::{
    Artifact, ArtifactId, ArtifactKind, Column, Decoded, Defect, RecordSink, Stop, Value,
    parse_json, sha256,
};

use super::sources;
use crate::format::mail::words::words;
use crate::{DecodeOptions, PasswordBook, decode, decode_text, gather_passwords};

#[derive(Default)]
struct Kept {
    features: Vec<String>,
    natives: Vec<String>,
    defects: Vec<Defect>,
}

impl RecordSink for Kept {
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop> {
        self.features.push(record.event.text(Column::Features).unwrap_or_default().to_owned());
        self.natives.push(makyo_base::to_json(&Value::Object(record.native.clone())));
        Ok(())
    }

    fn defect(&mut self, defect: Defect) {
        self.defects.push(defect);
    }
}

fn features(mail: &str) -> Value<'static> {
    let mut kept = Kept::default();
    decode_text("m.eml", mail, sources(), &DecodeOptions::default(), &mut kept)
        .expect("never stops");
    let text = kept.features.pop().expect("a message");
    parse_json(&text).expect("JSON").into_owned()
}

fn text(features: &Value<'_>, name: &str) -> String {
    let value = features.as_object().and_then(|object| object.get(name));
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn list(features: &Value<'_>, name: &str) -> Vec<String> {
    match features.as_object().and_then(|object| object.get(name)) {
        Some(Value::List(list)) => {
            list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

const HEAD: &str = "Authentication-Results: mx.agency.example; spf=pass; dmarc=pass\r\nAuthentication-Results: evil.example; dkim=pass\r\nFrom: \"Hayashi\" <hayashi@institute.example>\r\nTo: ando@agency.example\r\nDate: Mon, 3 Mar 2025 09:02:11 +0800\r\nMessage-ID: <1@institute.example>\r\nX-Mailer: eM Client/10.0\r\nMIME-Version: 1.0\r\n";

#[test]
fn the_words_are_read() {
    assert!(words().is_whole());
}

#[test]
fn program_clock_subject_and_receivers_results() {
    let mail = format!(
        "{HEAD}Subject: =?ISO-2022-JP?B?GyRCQmZPUTMkNi0bKEI=?=\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n勉強会のご案内です。台湾海峡について。いつもお世話になっております。\r\n"
    );
    let found = features(&mail);
    assert_eq!(text(&found, "client"), "em client");
    assert_eq!(text(&found, "zone"), "+0800");
    assert_eq!(text(&found, "language"), "ja");
    assert_eq!(
        (text(&found, "spf"), text(&found, "dkim")),
        ("pass".into(), String::new()),
        "only the own receiver counts"
    );
    assert_eq!(list(&found, "topics"), ["taiwan"]);
    assert!(list(&found, "calls").contains(&"invitation".to_owned()));
}

#[test]
fn links_out_of_their_wrappings() {
    let wrapped = "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Ffiles.example%2Fa%2Fpanel.zip&data=1 https://urldefense.com/v3/__https://other.example/b.iso__;!!x https://institute.example/page";
    let mail = format!("{HEAD}Subject: s\r\n\r\nsee {wrapped}\r\npassword: tw2025\r\n");
    let found = features(&mail);
    assert_eq!(
        list(&found, "file_links"),
        ["https://files.example/a/panel.zip", "https://other.example/b.iso"]
    );
    assert_eq!(list(&found, "foreign_hosts"), ["files.example", "other.example"]);
}

fn mail_with(name: &str, bytes: &[u8], date: &str, body: &str) -> String {
    use base64::Engine as _;
    let coded = base64::engine::general_purpose::STANDARD.encode(bytes);
    format!(
        "From: secretariat@society.example\r\nTo: ando@agency.example\r\nSubject: s\r\nDate: {date}\r\nMessage-ID: <{name}@society.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n--b\r\nContent-Type: application/zip; name={name}\r\nContent-Disposition: attachment; filename={name}\r\nContent-Transfer-Encoding: base64\r\n\r\n{coded}\r\n--b--\r\n"
    )
}

#[test]
fn the_password_comes_in_the_next_mail() {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .with_aes_encryption(zip::AesMode::Aes256, "Kasumi-0305");
    writer.start_file("案内.docx", options).expect("memory");
    writer.write_all(b"inert").expect("memory");
    let archive = writer.finish().expect("memory").into_inner();
    let first =
        mail_with("annai.zip", &archive, "Wed, 05 Mar 2025 10:04:32 +0900", "資料をお送りします。");
    let second = "From: secretariat@society.example\r\nTo: ando@agency.example\r\nSubject: s\r\nDate: Wed, 05 Mar 2025 10:05:54 +0900\r\nMessage-ID: <2@society.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n解凍パスワードは「Kasumi-0305」です。\r\n";
    let folder = tempfile::tempdir().expect("a folder");
    let mut opened = Vec::new();
    let mut book = PasswordBook::default();
    let artifacts: Vec<(Artifact, std::path::PathBuf)> =
        [("1.eml", first.as_str()), ("2.eml", second)]
            .into_iter()
            .map(|(name, content)| {
                let path = folder.path().join(name);
                std::fs::write(&path, content).expect("written");
                let id = ArtifactId(sha256(content.as_bytes()));
                let size_bytes = content.len() as u64;
                (
                    Artifact { id, path: name.to_owned(), size_bytes, kind: ArtifactKind::Message },
                    path,
                )
            })
            .collect();
    let without = {
        let mut kept = Kept::default();
        let (artifact, path) = &artifacts[0];
        decode(artifact, path, sources(), &DecodeOptions::default(), &mut kept)
            .expect("never stops");
        kept
    };
    assert_eq!(without.defects.len(), 1, "a closed archive is told: {:?}", without.defects);
    for (artifact, path) in &artifacts {
        gather_passwords(artifact, path, &mut book);
    }
    let options = DecodeOptions { passwords: book, ..DecodeOptions::default() };
    for (artifact, path) in &artifacts {
        let mut kept = Kept::default();
        decode(artifact, path, sources(), &options, &mut kept).expect("never stops");
        assert_eq!(kept.defects, []);
        opened.push(kept.natives[0].clone());
    }
    assert!(
        opened[0].contains("\"opened_with\":\"Kasumi-0305\"")
            && opened[0].contains("annai.zip!案内.docx")
    );
}
