use std::io;

use makyo_base::ArtifactKind;
use proptest::prelude::*;

use crate::{FlowFormat, Input, Options, Results, analyse, flow_format};

fn input(name: &str, format: FlowFormat, bytes: &[u8]) -> Input<'static> {
    let bytes = bytes.to_vec();
    Input::Text {
        name: name.to_owned(),
        format,
        open: Box::new(move || Ok(Box::new(io::Cursor::new(bytes.clone())) as Box<dyn io::Read>)),
    }
}

fn run(inputs: Vec<Input<'_>>) -> Results {
    analyse(inputs, &Options::default()).unwrap()
}

const HEAD: &str = "#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes\tresp_bytes\tconn_state\n";

fn row(at: f64, target: &str) -> String {
    format!("{at:.6}\tCx\t10.0.0.7\t4{:04}\t{target}\t443\ttcp\t612\t204\tSF\n", (at as u64) % 9999)
}

fn beacon(count: u32) -> String {
    (0..count).map(|n| row(1_740_960_000.0 + f64::from(n) * 60.0, "198.51.100.9")).collect()
}

#[test]
fn a_beacon_leads_back_to_its_lines() {
    let text = format!("{HEAD}{}", beacon(40));
    let results = run(vec![input("conn.log", FlowFormat::Zeek, text.as_bytes())]);
    assert_eq!((results.flows, results.channels), (40, 1));
    let one = results.beacons.first().unwrap();
    assert_eq!(one.target.to_string(), "198.51.100.9");
    let lines: Vec<u64> = one.records.iter().map(|record| record.record).collect();
    // Three lines of header come first.
    assert_eq!(lines, [4, 17, 30, 43]);
}

#[test]
fn a_file_twice_and_a_flow_in_two_files_count_once() {
    let text = format!("{HEAD}{}", beacon(40));
    let once = run(vec![input("a.log", FlowFormat::Zeek, text.as_bytes())]);
    let rotated: String = beacon(40).lines().skip(20).map(|line| format!("{line}\n")).collect();
    let again = run(vec![
        input("a.log", FlowFormat::Zeek, text.as_bytes()),
        input("b.log", FlowFormat::Zeek, text.as_bytes()),
        input("c.log", FlowFormat::Zeek, format!("{HEAD}{rotated}").as_bytes()),
    ]);
    assert_eq!(once.flows, again.flows);
    assert_eq!(again.duplicates, 60);
    assert_eq!(once.beacons.first().unwrap().nlp, again.beacons.first().unwrap().nlp);
}

#[test]
fn the_order_of_files_the_threads_and_the_memory_do_not_matter() {
    let texts: Vec<(String, String)> = (0..6)
        .map(|n| {
            let rows: String = (0..200)
                .map(|m| {
                    row(
                        1_740_960_000.0 + f64::from(n * 211 + m * 17),
                        &format!("2001:db8::{}", (n * m) % 13),
                    )
                })
                .collect();
            (format!("{n}.log"), format!("{HEAD}{rows}"))
        })
        .collect();
    let inputs = |reverse: bool| {
        let mut all: Vec<Input<'static>> = texts
            .iter()
            .map(|(name, text)| input(name, FlowFormat::Zeek, text.as_bytes()))
            .collect();
        if reverse {
            all.reverse();
        }
        all
    };
    let one = run(inputs(false));
    let options = Options { threads: 3, memory_bytes: 4096, ..Options::default() };
    let other = analyse(inputs(true), &options).unwrap();
    assert_eq!(one, other);
    assert!(one.flows > 1000);
}

#[test]
fn damaged_files_are_survived_and_told() {
    let mut text = format!("{HEAD}{}", beacon(10)).into_bytes();
    text.extend_from_slice(b"1740960000.0\tCx\t10.0\n\0\0\0\n");
    text.extend_from_slice(&vec![b'x'; 10 << 20]);
    text.push(b'\n');
    // A header again, in another order and without a column.
    text.extend_from_slice(b"#fields\tid.resp_h\tts\tid.orig_h\tid.resp_p\tproto\n");
    text.extend_from_slice(b"2001:db8::5\t1740961000.5\t10.0.0.8\t80\ttcp\n");
    text.extend_from_slice(b"198.51.100.9\t17409");
    let results = run(vec![input("conn.log", FlowFormat::Zeek, &text)]);
    assert_eq!(results.flows, 11);
    let kinds: Vec<&str> = results.unread.iter().map(|one| one.kind.word()).collect();
    assert!(kinds.contains(&"limit") && kinds.contains(&"malformed"), "{kinds:?}");
    assert!(kinds.contains(&"truncated"), "{kinds:?}");
}

#[test]
fn columns_that_will_not_do_are_told() {
    let text = "#path\tconn\n#fields\tuid\tproto\nCx\ttcp\n";
    let results = run(vec![input("conn.log", FlowFormat::Zeek, text.as_bytes())]);
    assert_eq!(results.flows, 0);
    assert!(results.unread.iter().any(|one| one.detail.contains("#fields")));
}

#[test]
fn zeek_and_suricata_json_are_read_and_numbered_in_order() {
    let text = concat!(
        "[\n",
        "{\"ts\":1740960000.5,\"id.orig_h\":\"10.0.0.1\",\"id.orig_p\":5,\"id.resp_h\":\"10.0.0.2\",\"id.resp_p\":445,\"proto\":\"tcp\",\"conn_state\":\"SF\"},\n",
        "{\"ts\":\"2025-03-03T00:00:10Z\",\"_path\":\"conn\",\"id.orig_h\":\"10.0.0.1\",\"id.resp_h\":\"10.0.0.2\",\"id.resp_p\":446,\"proto\":\"tcp\",\"conn_state\":\"S0\"},\n",
        "{\"broken\":\n",
        "{\"event_type\":\"flow\",\"timestamp\":\"2025-03-03T09:00:20+0900\",\"src_ip\":\"10.0.0.1\",\"dest_ip\":\"10.0.0.3\",\"dest_port\":80,\"proto\":\"TCP\",\"flow\":{\"bytes_toserver\":10,\"bytes_toclient\":20,\"pkts_toclient\":1,\"start\":\"2025-03-03T09:00:15+0900\",\"state\":\"closed\"}}\n",
        "]\n",
    );
    let results = run(vec![input("x.json", FlowFormat::Json, text.as_bytes())]);
    assert_eq!(results.flows, 3);
    assert_eq!(results.last, makyo_base::parse_time("2025-03-03T00:00:15Z"));
    assert_eq!(results.unread.first().unwrap().record, 3);
}

#[test]
fn objects_over_several_lines_are_left_to_decoding() {
    let text = "{\n  \"ts\": 1,\n  \"id.orig_h\": \"10.0.0.1\"\n}\n{\n \"a\": 1\n}\n";
    let results = run(vec![input("x.json", FlowFormat::Json, text.as_bytes())]);
    assert_eq!(results.refused, ["x.json"]);
}

#[test]
fn netflow_of_both_versions_and_argus_are_read() {
    let old = "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt\n2025-03-03 00:00:00.100,x,1,10.0.0.1,198.51.100.1,5000,443,TCP,...AP.SF,0,0,1,100,0,0\nSummary\nflows,bytes\n1,100\n";
    let new = "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes\n2025-03-03 00:00:00.200,1,TCP,198.51.100.1,443,10.0.0.1,5000,1,900\n";
    let argus = "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes\n2025/03/03 00:00:01.5,1,tcp,10.0.0.1,5001,->,198.51.100.1,443,FSPA_FSPA,0,0,2,300,100\n";
    let results = run(vec![
        input("old.csv", FlowFormat::Csv, old.as_bytes()),
        input("new.csv", FlowFormat::Csv, new.as_bytes()),
        input("argus.csv", FlowFormat::Csv, argus.as_bytes()),
    ]);
    // The answer of 1.7 was turned round, so all three are one channel.
    assert_eq!((results.flows, results.channels), (3, 1));
    assert!(results.unread.is_empty(), "{:?}", results.unread);
}

#[test]
fn flow_logs_are_told_by_content() {
    let of = |kind, head: &str| flow_format(kind, head.as_bytes());
    assert_eq!(of(ArtifactKind::Zeek, HEAD), Some(FlowFormat::Zeek));
    assert_eq!(of(ArtifactKind::Zeek, "#path\tssl\n#fields\tts\tid.orig_h\tversion\n"), None);
    assert_eq!(of(ArtifactKind::Csv, "Time,User,IP\n"), None);
    assert_eq!(
        of(ArtifactKind::Json, "{\"ts\":1,\"id.orig_h\":\"x\",\"version\":\"TLSv12\"}"),
        None
    );
}

#[test]
fn a_time_of_another_year_is_its_own() {
    let rows = row(1_735_689_590.0, "198.51.100.9") + &row(1_735_689_610.0, "198.51.100.9");
    let results =
        run(vec![input("conn.log", FlowFormat::Zeek, format!("{HEAD}{rows}").as_bytes())]);
    assert_eq!(results.first, makyo_base::parse_time("2024-12-31T23:59:50Z"));
    assert_eq!(results.last, makyo_base::parse_time("2025-01-01T00:00:10Z"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for format in [FlowFormat::Zeek, FlowFormat::Json, FlowFormat::Csv] {
            let mut text = bytes.clone();
            run(vec![input("x", format, &text)]);
            let mut headed = HEAD.as_bytes().to_vec();
            headed.append(&mut text);
            run(vec![input("x", format, &headed)]);
        }
    }

    #[test]
    fn cut_anywhere_gives_what_was_whole(at in 0_usize..3000) {
        let text = format!("{HEAD}{}", beacon(40));
        let cut = text.as_bytes().get(..at.min(text.len())).unwrap_or_default();
        let whole = cut.iter().filter(|byte| **byte == b'\n').count().saturating_sub(3);
        let results = run(vec![input("x", FlowFormat::Zeek, cut)]);
        prop_assert!(results.flows as usize == whole || results.flows as usize == whole + 1);
    }
}
