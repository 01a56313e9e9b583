use makyo_base::DefectKind;
use proptest::prelude::*;

use super::{events, sources};

fn lines(text: &str) -> (usize, Vec<(DefectKind, String)>) {
    let found = events(sources(), text);
    (found.lines.len(), found.defects.iter().map(|d| (d.kind, d.detail.clone())).collect())
}

const RECORD: &str = r#"{"time":"2025-01-01T00:00:00Z","user":"ann","src":"192.0.2.1"}"#;

#[test]
fn json_in_every_arrangement() {
    for text in [
        format!("{RECORD}\n{RECORD}"),
        format!("{RECORD}{RECORD}"),
        format!("[{RECORD},{RECORD}]"),
        format!("[{RECORD}]\n[{RECORD}]"),
        format!("{{\"@odata.context\":\"x\",\"value\":[{RECORD},{RECORD}],\"@odata.count\":2}}"),
        format!("{{\"records\":[{RECORD}]}}\n{{\"records\":[{RECORD}]}}"),
        format!("\u{feff}{RECORD}\r\n\r\n{RECORD}\r\n"),
    ] {
        assert_eq!(lines(&text), (2, vec![]), "{text}");
    }
}

#[test]
fn answers_of_search_engines_are_unwrapped() {
    let hits = format!(
        "{{\"took\":1,\"hits\":{{\"total\":{{\"value\":2}},\"hits\":[{{\"_index\":\"i\",\"_source\":{RECORD}}},{{\"_index\":\"i\",\"_source\":{RECORD}}}]}}}}"
    );
    let results = format!(
        "{{\"preview\":false,\"result\":{RECORD}}}\n{{\"preview\":false,\"result\":{RECORD}}}"
    );
    for text in [hits, results] {
        let found = events(sources(), &text);
        assert_eq!((found.lines.len(), found.defects.len()), (2, 0), "{text}");
        assert!(found.lines[0].contains("\"ip\":\"192.0.2.1\""), "{}", found.lines[0]);
    }
}

#[test]
fn what_an_export_leaves_out_is_said() {
    let page = format!("{{\"@odata.nextLink\":\"y\",\"value\":[{RECORD}]}}");
    let (count, defects) = lines(&page);
    assert_eq!((count, defects[0].0), (1, DefectKind::Truncated));
    let blank = "RecordId,CreationDate,RecordType,Operation,UserId,AuditData\n3,2022-06-13T13:51:00Z,15,UserLoginFailed,ann@agency.example,\n";
    let (count, defects) = lines(blank);
    assert_eq!((count, defects[0].0), (1, DefectKind::Malformed));
    let (count, defects) = lines("{\"user\":\"ann\",\"src\":\"192.0.2.1\"}");
    assert_eq!((count, defects.len()), (1, 1), "a record without a time is said");
    let (count, defects) = lines(&"[".repeat(100_000));
    assert_eq!((count, defects[0].0), (0, DefectKind::Limit));
}

const PACKET: &str = "Mon Mar  3 09:12:03 2025\n\tUser-Name = \"ann\"\n\tNAS-Port-Type = Virtual\n\tAcct-Status-Type = Start\n\tFramed-IP-Address = 10.99.0.14\n\tTimestamp = 1740960723\n";

#[test]
fn a_block_of_attributes_is_one_record() {
    for text in [
        format!("{PACKET}\n{PACKET}\n"),
        format!("{PACKET}\n{}", PACKET.trim_end()),
        format!("{PACKET}{PACKET}"),
        format!("{PACKET}\n\n\0\0\n{PACKET}").replace('\n', "\r\n"),
    ] {
        let found = events(sources(), &text);
        assert_eq!(found.lines.len(), 2, "{text:?}");
        assert!(found.lines.iter().all(|line| line.contains("\"Tunnel Activity\"")), "{text:?}");
        assert!(found.lines[1].contains("2025-03-03T00:12:03Z"), "{}", found.lines[1]);
    }
    // A line of a log may be a time alone, and may begin with a tab.
    let (count, _) =
        lines("Mon Mar  3 09:12:03 2025\nMar  3 10:00:00 gw1 app: user=ann src=192.0.2.1\n");
    assert_eq!(count, 1);
    let many = "\tUser-Name = \"ann\"\n".repeat(5000);
    let (count, defects) = lines(&format!("{PACKET}{many}"));
    assert_eq!((count, defects.len(), defects[0].0), (1, 1, DefectKind::Limit));
}

#[test]
fn lines_that_end_with_a_carriage_return_alone() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("old.csv");
    let text = "time,user\r2025-01-01T00:00:00Z,ann\r2025-01-01T00:00:01Z,bob\r";
    // The last line was appended after the file was hashed.
    std::fs::write(&path, format!("{text}2025-01-01T00:00:02Z,eve\r")).expect("written");
    let artifact = makyo_base::Artifact {
        id: makyo_base::ArtifactId([0; 32]),
        path: "old.csv".into(),
        size_bytes: text.len() as u64,
        kind: makyo_base::ArtifactKind::Csv,
    };
    let mut out = crate::TextEvents::default();
    crate::decode(&artifact, &path, sources(), &crate::DecodeOptions::default(), &mut out)
        .expect("never stops");
    assert_eq!(out.lines.len(), 2);
}

#[test]
fn a_list_inside_a_record_is_no_envelope() {
    let text = r#"{"time":"2025-01-01T00:00:00Z","user":"ann","events":[1,2],"records":[]}"#;
    assert_eq!(lines(text).0, 1);
}

#[test]
fn json_finds_its_way_after_damage() {
    let (count, defects) = lines(&format!(
        "{RECORD}\n{{\"a\":\"cut\n{RECORD}\n{{\"a\":1,\n{RECORD}\ngarbage\n{RECORD}\n{{\"a\":"
    ));
    assert_eq!(count, 4);
    let kinds: Vec<DefectKind> = defects.iter().map(|defect| defect.0).collect();
    assert_eq!(
        kinds,
        [
            DefectKind::Malformed,
            DefectKind::Malformed,
            DefectKind::Malformed,
            DefectKind::Truncated
        ]
    );
}

#[test]
fn a_ten_megabyte_line_is_named_and_the_rest_is_read() {
    let long = "x".repeat(10 << 20);
    let (count, defects) = lines(&format!("{RECORD}\n{{\"a\":\"{long}\"}}\n{RECORD}\n"));
    assert_eq!((count, defects[0].0), (2, DefectKind::Limit));
    let text = format!(
        "2025-01-01T00:00:00Z host app: user=a src=192.0.2.1\n{long}\n2025-01-01T00:00:01Z host app: user=a src=192.0.2.1\n"
    );
    let (count, defects) = lines(&text);
    assert_eq!((count, defects[0].0), (2, DefectKind::Limit));
}

#[test]
fn csv_with_quotes_line_breaks_and_json_inside() {
    let text = "time,user,detail\n2025-01-01T00:00:00Z,ann,\"a \"\"b\"\"\nc, d\"\n2025-01-01T00:00:01Z,bob,x\n";
    let found = events(sources(), text);
    assert_eq!(found.lines.len(), 2);
    assert!(found.lines[0].contains(r#""detail":"a \"b\"\nc, d""#), "{}", found.lines[0]);
    let (count, defects) =
        lines("time,user\n2025-01-01T00:00:00Z,ann,extra\n2025-01-01T00:00:00Z,\"cut");
    assert_eq!(count, 1);
    assert_eq!(
        defects.iter().map(|d| d.0).collect::<Vec<_>>(),
        [DefectKind::Malformed, DefectKind::Truncated]
    );
}

#[test]
fn syslog_headers_come_off() {
    let found = events(
        sources(),
        "<134>1 2021-10-19T09:10:35+02:00 gw1 vpn 12 - [x@1 a=\"b\"] action=login user=ann src=192.0.2.1\n<134>Oct 19 09:10:36 gw1 vpn[12]: action=login user=bob src=192.0.2.2\n",
    );
    assert!(
        found.lines[0].contains(r#""syslog.host":"gw1""#)
            && found.lines[0].contains(r#""syslog.sd.x@1.a":"b""#),
        "{}",
        found.lines[0]
    );
    // The line without a year takes the one of the line before.
    assert!(found.lines[1].contains("2021-10-19T09:10:36Z"), "{}", found.lines[1]);
}

#[test]
fn cef_and_leef() {
    let cef = "CEF:0|Example|Gate|1.0|100|login \\| ok|5|rt=1741047121000 src=192.0.2.1 suser=ann msg=two words cs1Label=policy cs1=main";
    let found = events(sources(), &format!("Oct 19 2021 09:10:35 gw {cef}\n"));
    let line = &found.lines[0];
    assert!(
        line.contains(r#""cef.name":"login | ok""#) && line.contains(r#""policy":"main""#),
        "{line}"
    );
    assert!(line.contains(r#""product":{"name":"Gate","vendor_name":"Example"}"#), "{line}");
    let found = events(
        sources(),
        "LEEF:2.0|Example|Gate|1.0|login|^|src=192.0.2.1^usrName=ann^devTime=2025-01-01T00:00:00Z\n",
    );
    assert!(found.lines[0].contains(r#""src_endpoint":{"ip":"192.0.2.1"}"#), "{}", found.lines[0]);
}

#[test]
fn w3c_fields_name_the_columns() {
    let found = events(
        sources(),
        "#Software: Example\n#Fields: date time c-ip cs-username sc-status\n2025-01-01 00:00:05 192.0.2.1 ann 200\n",
    );
    assert!(
        found.lines[0].contains("2025-01-01T00:00:05Z") && found.lines[0].contains("192.0.2.1"),
        "{}",
        found.lines[0]
    );
}

#[test]
fn zeek_rows_survive_missing_columns_and_new_headers() {
    let text = "#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state\n1379288667.7\tC1\t192.0.2.1\t1\t192.0.2.2\t2\ttcp\tSF\n#fields\tts\tuid\tid.orig_h\n1379288668.7\tC2\t192.0.2.1\n1379288669.7\tC3\n";
    let (count, defects) = lines(text);
    assert_eq!(count, 3);
    assert_eq!(defects.len(), 1);
}

/// Files larger than what is looked at to recognise them lose nothing, in any encoding.
#[test]
fn large_files_are_read_to_the_last_byte() {
    let records: Vec<String> = (0..4000)
        .map(|n| {
            format!("{{\"time\":\"2025-01-01T00:00:00Z\",\"user\":\"u{n}\",\"src\":\"192.0.2.1\"}}")
        })
        .collect();
    let text = records.join("\n");
    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let sources = sources();
    let folder = tempfile::tempdir().expect("folder");
    for (name, bytes) in [("utf8", text.as_bytes()), ("utf16", &utf16)] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        let artifact = makyo_base::Artifact {
            id: makyo_base::ArtifactId([0; 32]),
            path: name.into(),
            size_bytes: bytes.len() as u64,
            kind: makyo_base::ArtifactKind::Json,
        };
        let mut out = crate::TextEvents::default();
        crate::decode(&artifact, &path, sources, &crate::DecodeOptions::default(), &mut out)
            .expect("never stops");
        assert_eq!(out.defects, vec![], "{name}");
        assert_eq!(out.lines.len(), 4000, "{name}");
        assert!(out.lines[3999].contains("u3999"));
    }
}

#[test]
fn prose_is_no_log() {
    let (count, defects) =
        lines("This is a note to whoever reads it.\nIt has two lines, and a = b.\n");
    assert_eq!((count, defects[0].0), (0, DefectKind::Unrecognised));
}

#[test]
fn an_mbox_is_split_and_stuffed_lines_come_back() {
    let message = "From: a@example.org\nTo: b@example.org\nSubject: s\nMessage-ID: <1@example.org>\nDate: Mon, 3 Mar 2025 10:01:58 +0900\n\n>From here on.\n";
    let text = format!(
        "From a@example.org Mon Mar  3 01:00:00 2025\n{message}\nFrom a@example.org Mon Mar  3 02:00:00 2025\n{message}"
    );
    let found = events(sources(), &text);
    assert_eq!(found.lines.len(), 2);
    assert!(
        found.lines[0].contains("From here on.") && !found.lines[0].contains(">From"),
        "{}",
        found.lines[0]
    );
}

#[test]
fn names_of_one_directory_are_one() {
    let record = |domain: &str| {
        format!(
            r#"{{"Channel":"Security","EventID":4624,"Computer":"fs01.ad.agency.example","TimeCreated":"2025-01-01T00:00:00Z","TargetUserName":"Mori","TargetDomainName":"{domain}","IpAddress":"10.0.0.5"}}"#
        )
    };
    let found =
        events(sources(), &format!("{}\n{}", record("AGENCY"), record("ad.agency.example")));
    assert!(
        found.lines.iter().all(|line| line.contains(r#""account":"agency\\mori""#)),
        "{:?}",
        found.lines
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_panics(text in "[\\x00-\\x7f\u{feff}\u{3042}]{0,300}", start in 0usize..8) {
        let starts = ["", "{", "[{\"a\":", "a,b\n", "#separator \\x09\n#fields\ta\tb\n", "#Fields: a b\n", "From a b c 2024\n", "Received: x\nFrom: a\nTo: b\nSubject: c\n"];
        let _ = lines(&format!("{}{}", starts[start], text));
    }

    #[test]
    fn json_records_do_not_depend_on_their_arrangement(values in proptest::collection::vec("[a-z \"\\\\{}\\[\\],:]{0,12}", 1..6)) {
        let records: Vec<String> = values
            .iter()
            .map(|value| {
                let mut object = makyo_base::Object::default();
                object.push("user", makyo_base::Value::text(value.as_str()));
                makyo_base::to_json(&makyo_base::Value::Object(object))
            })
            .collect();
        let alone = events(sources(), &records.join("\n"));
        let array = events(sources(), &format!("[{}]", records.join(" ,\n")));
        prop_assert_eq!(alone.lines, array.lines);
    }
}

/// A day of an appliance, in the form that most of them write.
fn appliance_line(minute: usize) -> String {
    format!(
        "<134>Mar  3 2025 08:{minute:02}:01 gw7 : %ASA-6-113039: Group <STAFF> User <p{minute:02}> IP <198.51.100.{minute}> AnyConnect parent session started.\n"
    )
}

#[test]
fn null_bytes_in_a_line_lose_only_themselves() {
    let mut text: String = (0..20).map(appliance_line).collect();
    text.insert_str(text.len() / 2, "\0\0\0");
    let found = events(sources(), &text);
    assert_eq!(found.lines.len(), 20, "{:?}", found.defects);
    let whole = found.lines.iter().filter(|line| line.contains("\"Tunnel Activity\"")).count();
    assert!(whole >= 19, "{whole} of 20 are understood");
}

#[test]
fn lines_that_are_there_twice_have_one_identity() {
    #[derive(Default)]
    struct Identities(Vec<[u8; 16]>);
    impl makyo_base::RecordSink for Identities {
        fn record(&mut self, record: makyo_base::Decoded<'_>) -> Result<(), makyo_base::Stop> {
            self.0.push(record.event.identity);
            Ok(())
        }
        fn defect(&mut self, _: makyo_base::Defect) {}
    }
    let text = [appliance_line(1), appliance_line(2), appliance_line(1)].concat();
    let mut found = Identities::default();
    let options = crate::DecodeOptions::default();
    crate::decode_text("twice", &text, sources(), &options, &mut found).expect("never stops");
    assert_eq!(found.0.len(), 3);
    assert_eq!(found.0[0], found.0[2]);
    assert_ne!(found.0[0], found.0[1]);
}

fn times(text: &str) -> Vec<String> {
    let time = |line: &String| {
        let (_, rest) = line.split_once("\"time\":\"").unwrap_or_default();
        rest.split('"').next().unwrap_or_default().to_owned()
    };
    events(sources(), text).lines.iter().map(time).collect()
}

/// Some lines have an offset, some have none, all in one file.
#[test]
fn zones_are_mixed_in_one_file() {
    let line = |time: &str| {
        format!(
            "<38>1 {time} gw openvpn 12 - - hanako/198.51.100.7:5000 MULTI: Learn: 10.99.0.7 -> hanako/198.51.100.7:5000\n"
        )
    };
    let text = [
        line("2025-03-03T09:00:00+09:00"),
        line("2025-03-03T00:00:00Z"),
        line("2025-03-02T19:00:00-05:00"),
    ]
    .concat();
    assert_eq!(times(&text), ["2025-03-03T00:00:00Z"; 3]);
}

/// Syslog leaves the year out: after the first of January it is the next one.
#[test]
fn the_year_rolls_over() {
    let text = "\
<30>1 2024-12-31T23:50:00Z gw openvpn 12 - - hanako/198.51.100.7:5000 MULTI: Learn: 10.99.0.7 -> hanako/198.51.100.7:5000
<30>Dec 31 23:59:58 gw openvpn[12]: hanako/198.51.100.7:5000 MULTI: Learn: 10.99.0.7 -> hanako/198.51.100.7:5000
<30>Jan  1 00:00:02 gw openvpn[12]: hanako/198.51.100.7:5000 MULTI: Learn: 10.99.0.7 -> hanako/198.51.100.7:5000
";
    let found = times(text);
    assert_eq!(
        found,
        ["2024-12-31T23:50:00Z", "2024-12-31T23:59:58Z", "2025-01-01T00:00:02Z"],
        "{found:?}"
    );
}

#[test]
fn addresses_of_both_protocols_are_read() {
    let text = "\
<30>1 2025-03-03T00:00:00Z gw fw - - - devname=\"fgt\" devid=\"FG100E\" logid=\"0101039424\" type=\"event\" subtype=\"vpn\" eventtime=1740960000000000000 action=\"ssl-login\" user=\"hanako\" remip=2001:db8::7 tunnelip=10.99.0.7 tunnelid=5
";
    let found = events(sources(), text);
    assert!(found.lines[0].contains("\"ip\":\"2001:db8::7\""), "{}", found.lines[0]);
}

/// What ties the lines of a session is kept within a file and for each device apart.
#[test]
fn lines_of_a_session_are_joined_by_its_number() {
    let line = |host: &str, text: &str| {
        format!(
            "<141>2025-03-03T09:10:01+09:00 {host} notice apmd[1]: 01490500:5: /Common/vpn:Common:1a2b3c4d: {text}\n"
        )
    };
    let tunnel = "Assigned PPP Dynamic IPv4: 10.8.0.6 ID: 3 Tunnel Type: VPN";
    let text = [
        line("big1", "New session from client IP 203.0.113.9 (ST=Tokyo) at VIP 192.0.2.10"),
        line("big1", "Username 'hanako'"),
        line("big2", tunnel),
        line("big1", tunnel),
    ]
    .concat();
    let found = events(sources(), &text);
    assert!(!found.lines[2].contains("hanako"), "{}", found.lines[2]);
    assert!(found.lines[3].contains("\"name\":\"hanako\""), "{}", found.lines[3]);
    assert!(found.lines[3].contains("\"ip\":\"203.0.113.9\""), "{}", found.lines[3]);
}
