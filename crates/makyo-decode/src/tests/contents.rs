//! What lies inside messages is handed on, after its message and with what is known of it.

use makyo_base::{Content, Decoded, Defect, Position, RecordSink, Stop, parse_time};

use super::sources;

#[derive(Default)]
struct Kept {
    order: Vec<String>,
    contents: Vec<(String, Vec<u8>, makyo_base::Holder, Position)>,
    defects: Vec<Defect>,
}

impl RecordSink for Kept {
    fn record(&mut self, _record: Decoded<'_>) -> Result<(), Stop> {
        self.order.push("record".into());
        Ok(())
    }

    fn content(&mut self, content: Content<'_>) -> Result<(), Stop> {
        self.order.push(content.name.to_owned());
        self.contents.push((
            content.name.to_owned(),
            content.bytes.to_vec(),
            content.holder.clone(),
            content.position,
        ));
        Ok(())
    }

    fn defect(&mut self, defect: Defect) {
        self.defects.push(defect);
    }
}

fn keep(text: &str) -> Kept {
    let mut kept = Kept::default();
    crate::decode_text("m.eml", text, sources(), &crate::DecodeOptions::default(), &mut kept)
        .expect("never stops");
    kept
}

fn part(name: &str, text: &str) -> String {
    format!(
        "--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\r\n{text}\r\n"
    )
}

const HEAD: &str = "From: Ann <Ann@partner.example>\r\nTo: bob@agency.example, eve@agency.example\r\nSubject: s\r\nDate: Mon, 3 Mar 2025 10:01:58 +0900\r\nMIME-Version: 1.0\r\n";

fn mixed(id: &str, parts: &str) -> String {
    format!(
        "{HEAD}Message-ID: <{id}@partner.example>\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n{parts}--b--\r\n"
    )
}

#[test]
fn attachments_follow_their_message_decoded() {
    let coded = "--b\r\nContent-Type: application/octet-stream; name=\"a.bin\"\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAw==\r\n";
    let kept = keep(&mixed("1", &(part("x.wsb", "<Configuration>") + coded)));
    assert_eq!(kept.order, ["record", "x.wsb", "a.bin"]);
    let (_, bytes, holder, position) = &kept.contents[1];
    assert_eq!(bytes, &[0, 1, 2, 3]);
    assert_eq!(*position, Position::Record(1));
    assert_eq!(holder.sender, "ann@partner.example");
    assert_eq!(holder.message_uid, "1@partner.example");
    assert_eq!(holder.recipients, ["bob@agency.example", "eve@agency.example"]);
    assert_eq!(holder.time, parse_time("2025-03-03T01:01:58Z"));
    assert_eq!(kept.defects, []);
}

#[test]
fn a_forwarded_message_is_opened_and_a_broken_archive_is_told() {
    let inner = mixed("2", &part("y.lnk", "inert")).replace("--b", "--i").replace("\"b\"", "\"i\"");
    let forwarded = format!(
        "--b\r\nContent-Type: message/rfc822; name=\"f.eml\"\r\nContent-Disposition: attachment; filename=\"f.eml\"\r\n\r\n{inner}\r\n"
    );
    let kept = keep(&mixed("1", &(forwarded + &part("z.zip", "PK\u{3}\u{4}"))));
    assert_eq!(kept.order, ["record", "f.eml", "z.zip", "f.eml!y.lnk"]);
    assert_eq!(kept.defects.len(), 1, "the archive is only a beginning: {:?}", kept.defects);
    assert_eq!(kept.contents[1].2.message_uid, "1@partner.example", "of the message that came in");
}

#[test]
fn messages_without_attachments_hand_on_nothing() {
    let plain = format!("{HEAD}Message-ID: <1@partner.example>\r\n\r\nhello\r\n");
    assert_eq!(keep(&plain).order, ["record"]);
    let records = "{\"time\":\"2025-01-01T00:00:00Z\",\"user\":\"ann\",\"src\":\"192.0.2.1\"}";
    assert_eq!(keep(records).order, ["record"]);
}

#[test]
fn what_is_not_handed_on_is_said() {
    let many: String = (0..600).map(|number| part(&format!("{number}.txt"), "x")).collect();
    let kept = keep(&mixed("1", &many));
    assert_eq!(kept.contents.len(), 500);
    assert_eq!(kept.defects.len(), 1, "{:?}", kept.defects);
}
