use std::io::Write as _;
use std::net::IpAddr;

use makyo_base::{
    Artifact, ArtifactId, ArtifactKind, Cell, Column, DAY_NS, Decoded, EntityKind, Event,
    FindingSource, Level, Object, Position, Value, parse_time,
};
use proptest::prelude::*;

use super::{guards, weights};
use crate::{
    Indicator, IndicatorKind, IndicatorSet, IndicatorValue, Intel, Observed, Standing,
    later_than_evidence, read_indicators,
};

fn read(text: &str) -> Intel {
    read_indicators("list", text.as_bytes(), &guards())
}

fn shown(intel: &Intel) -> Vec<String> {
    let mut shown: Vec<String> = intel
        .indicators
        .iter()
        .map(|one| {
            let values: Vec<String> = one.values.iter().map(ToString::to_string).collect();
            let port = one.port.map(|port| format!(":{port}")).unwrap_or_default();
            format!("{} {}{port}", one.kind().word(), values.join(" & "))
        })
        .collect();
    shown.sort();
    shown
}

fn problems(intel: &Intel) -> Vec<String> {
    intel.problems.iter().map(|one| format!("{}: {}", one.line, one.message)).collect()
}

fn event(cells: &[(Column, &str)]) -> Event<'static> {
    let mut event = Event::default();
    for (column, text) in cells {
        event.put(*column, Cell::Text((*text).to_owned().into()));
    }
    event
}

fn at(mut event: Event<'static>, time: &str) -> Event<'static> {
    event.put(Column::Time, Cell::Time(parse_time(time).expect("time")));
    event
}

/// Ids of the indicators met, and the number of expired ones.
fn met(intel: &Intel, event: &Event<'_>) -> (Vec<String>, u64) {
    let set = IndicatorSet::compile(intel.indicators.clone());
    let mut found = Vec::new();
    let expired = set.matches(event, &mut |one| found.push(one.indicator.title.clone()));
    (found, expired)
}

#[test]
fn a_list_is_read_with_comments_and_defanged_values() {
    let intel = read(
        "# from a colleague\n198[.]51.100.7  # controller\nhxxps://Evil[.]example/a/B?c=1\n\
         bad(dot)example\n203.0.113.0/24\n[2001:db8::7]:443\nlure.docx.lnk\nann@bad[.]example\n\
         d41d8cd98f00b204e9800998ecf8427f;loader\n203.0.113.9:8443\n",
    );
    assert_eq!(problems(&intel), Vec::<String>::new());
    assert_eq!(
        shown(&intel),
        [
            "address 198.51.100.7",
            "address 2001:db8::7:443",
            "address 203.0.113.9:8443",
            "domain bad.example",
            "email_address ann@bad.example",
            "file_name lure.docx.lnk",
            "md5 d41d8cd98f00b204e9800998ecf8427f",
            "network 203.0.113.0/24",
            "url evil.example/a/B?c=1",
        ]
    );
    let titles: Vec<&str> = intel.indicators.iter().map(|one| one.title.as_str()).collect();
    assert!(titles.contains(&"controller") && titles.contains(&"loader"), "{titles:?}");
    assert!(intel.indicators.iter().all(|one| one.line > 0 && one.file == "list"));
}

#[test]
fn what_a_list_holds_besides_is_named_with_its_line() {
    let intel = read("two words\n198.51.100.7\nHKCU\\Software\\License\n300.1.2.3\n");
    assert_eq!(shown(&intel), ["address 198.51.100.7"]);
    let lines: Vec<usize> = intel.problems.iter().map(|one| one.line).collect();
    assert_eq!(lines, [1, 3, 4], "{:?}", problems(&intel));
}

#[test]
fn columns_are_found_by_name() {
    let intel = read(
        "First Seen,Type,Indicator,Description,Last_Seen,Source,Confidence\n\
         2024-03-01,ipv4,198.51.100.7,\"tier 2, first\",2024-06-01,Example CERT,high\n\
         ,FileHash-SHA256,00000000000000000000000000000000000000000000000000000000000000ff,x,,,\n\
         ,hash,000000000000000000000000000000ff,y,,,20\n\
         ,mutex,Global\\x,z,,,\n\
         ,domain,not a name,z,,,\n",
    );
    assert_eq!(
        shown(&intel),
        [
            "address 198.51.100.7",
            "md5 000000000000000000000000000000ff",
            "sha256 00000000000000000000000000000000000000000000000000000000000000ff",
        ]
    );
    let first = intel.indicators.iter().find(|one| one.kind() == IndicatorKind::Address);
    let first = first.expect("address");
    assert_eq!((first.title.as_str(), first.source.as_str()), ("tier 2, first", "Example CERT"));
    assert_eq!((first.confidence, first.line), (Some(85), 2));
    assert_eq!(first.from, parse_time("2024-03-01T00:00:00Z"));
    assert_eq!(
        problems(&intel),
        [
            "5: kind of indicator is not used: `mutex`",
            "6: not a value of kind domain: `not a name`"
        ]
    );
}

#[test]
fn other_delimiters_and_gzip_are_told_by_content() {
    let text = "ioc;type\nbad.example;hostname\n";
    assert_eq!(shown(&read(text)), ["domain bad.example"]);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).expect("memory");
    let packed = packed.finish().expect("memory");
    assert_eq!(shown(&read_indicators("l.gz", &packed, &guards())), ["domain bad.example"]);
    let broken = read_indicators("l.gz", &packed[..packed.len() / 2], &guards());
    assert_eq!((broken.indicators.len(), broken.problems.len()), (0, 1));
    let latin = read_indicators("l", b"bad.example # \xe9", &guards());
    assert_eq!((latin.indicators.len(), latin.problems.len()), (0, 1));
}

fn stix(pattern: &str, more: &str) -> Intel {
    let pattern = pattern.replace('\\', "\\\\").replace('"', "\\\"");
    read(&format!(
        r#"{{"type":"bundle","id":"bundle--1","objects":[
        {{"type":"identity","id":"identity--1","name":"Example CERT"}},
        {{"type":"indicator","id":"indicator--1","created_by_ref":"identity--1","name":"n",
          "pattern_type":"stix","pattern":"{pattern}"{more}}}]}}"#
    ))
}

#[test]
fn stix_patterns_of_published_kinds_are_read() {
    let md5 = "000000000000000000000000000000ff";
    let sha1 = "00000000000000000000000000000000000000ff";
    let cases: &[(&str, &[&str])] = &[
        ("[ipv4-addr:value = '198.51.100.7']", &["address 198.51.100.7"]),
        ("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", &["network 198.51.100.0/24"]),
        (
            "[ipv4-addr:value IN ('198.51.100.7', '198.51.100.8')] OR [domain-name:value = 'bad.example']",
            &["address 198.51.100.7", "address 198.51.100.8", "domain bad.example"],
        ),
        ("([url:value = 'http://bad.example/it\\'s'])", &["url bad.example/it's"]),
        (
            "[file:name = 'a.dll' AND (file:hashes.'SHA-1' = 'SHA1' OR file:hashes.MD5 = 'MD5')]",
            &["md5 MD5 & a.dll", "sha1 SHA1 & a.dll"],
        ),
        ("[file:hashes.'SHA-1' = 'SHA1' AND file:hashes.MD5 = 'MD5']", &["md5 MD5", "sha1 SHA1"]),
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443]",
            &["address 198.51.100.7:443"],
        ),
        (
            "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'Evil/1.0 (x)']",
            &["user_agent evil/1.0 (x)"],
        ),
        ("[email-message:from_ref.value = 'Ann@Bad.example']", &["email_address ann@bad.example"]),
    ];
    for (pattern, want) in cases {
        let intel = stix(
            &pattern.replace("SHA1'", &format!("{sha1}'")).replace("'MD5'", &format!("'{md5}'")),
            "",
        );
        let want: Vec<String> =
            want.iter().map(|one| one.replace("SHA1", sha1).replace("MD5", md5)).collect();
        assert_eq!(shown(&intel), want, "{pattern}: {:?}", problems(&intel));
        assert!(intel.indicators.iter().all(|one| one.source == "Example CERT"));
    }
}

#[test]
fn a_pattern_that_is_not_wholly_understood_is_refused_by_its_id() {
    for pattern in [
        "[ipv4-addr:value = '198.51.100.7'] AND [domain-name:value = 'bad.example']",
        "[ipv4-addr:value = '198.51.100.7'] FOLLOWEDBY [domain-name:value = 'bad.example']",
        "[ipv4-addr:value = '198.51.100.7'] WITHIN 5 SECONDS",
        "[ipv4-addr:value != '198.51.100.7']",
        "[domain-name:value LIKE '%.example']",
        "[NOT ipv4-addr:value = '198.51.100.7']",
        "[file:size = 5 AND file:name = 'evil.dll']",
        "[windows-registry-key:key = 'HKCU']",
        "[network-traffic:dst_port = 443]",
        "[ipv4-addr:value = '198.51.100.7'",
        "[ipv4-addr:value = '198.51.100.7]",
        "",
        "[",
    ] {
        let intel = stix(pattern, "");
        assert_eq!(shown(&intel), Vec::<String>::new(), "{pattern}");
        assert_eq!(intel.problems.len(), 1, "{pattern}");
        assert!(intel.problems[0].message.contains("indicator--1"), "{:?}", problems(&intel));
    }
    let deep = format!(
        "{}ipv4-addr:value = '198.51.100.7'{}",
        "[".to_owned() + &"(".repeat(500),
        ")".repeat(500)
    );
    assert_eq!(stix(&deep, "").indicators, []);
    let wide: Vec<String> = (0..200).map(|at| format!("'198.51.100.{at}'")).collect();
    let wide = wide.join(",");
    let wide = format!("[ipv4-addr:value IN ({wide}) AND ipv4-addr:value IN ({wide})]");
    assert!(stix(&wide, "").problems[0].message.contains("alternatives"));
}

#[test]
fn revoked_and_foreign_patterns_are_named() {
    let good = "[domain-name:value = 'bad.example']";
    assert!(stix(good, r#","revoked":true"#).problems[0].message.contains("revoked"));
    assert_eq!(stix(good, r#","revoked":false"#).indicators.len(), 1);
    let yara = read(
        r#"[{"type":"indicator","id":"indicator--2","pattern_type":"yara","pattern":"rule x"}]"#,
    );
    assert!(yara.problems[0].message.contains("`yara`"));
    // The last version of an object counts.
    let two = read(
        r#"{"objects":[
        {"type":"indicator","id":"indicator--3","modified":"2024-05-01T00:00:00Z","revoked":true,"pattern":"[domain-name:value = 'bad.example']"},
        {"type":"indicator","id":"indicator--3","modified":"2024-04-01T00:00:00Z","pattern":"[domain-name:value = 'bad.example']"}]}"#,
    );
    assert_eq!((two.indicators.len(), two.problems.len()), (0, 1));
}

#[test]
fn misp_events_and_objects_are_read() {
    let intel = read(
        r#"{"response":[{"Event":{"info":"Campaign","Orgc":{"name":"Example CERT"},
        "Tag":[{"name":"misp-galaxy:mitre-attack-pattern=\"Spearphishing Link - T1566.002\""}],
        "Attribute":[
          {"uuid":"a1","type":"ip-dst","value":"198.51.100.7","to_ids":true,"first_seen":"2024-03-01T00:00:00Z","last_seen":"2024-04-01T00:00:00Z","comment":"tier 1"},
          {"uuid":"a2","type":"ip-dst|port","value":"198.51.100.8|8443","to_ids":"1"},
          {"uuid":"a3","type":"domain|ip","value":"bad.example|198.51.100.9","to_ids":true},
          {"uuid":"a4","type":"ip-dst","value":"198.51.100.10","to_ids":false},
          {"uuid":"a5","type":"mutex","value":"x","to_ids":true},
          {"uuid":"a6","type":"domain","value":"gone.example","to_ids":true,"deleted":true}],
        "Object":[{"name":"file","Attribute":[
          {"uuid":"a7","type":"filename|sha256","value":"a.exe|00000000000000000000000000000000000000000000000000000000000000ff","to_ids":true},
          {"uuid":"a8","type":"user-agent","value":"Evil/1.0","to_ids":true},
          {"uuid":"a9","type":"email-subject","value":"Invitation to the panel","to_ids":true}]}]}}]}"#,
    );
    assert_eq!(
        shown(&intel),
        [
            "address 198.51.100.7",
            "address 198.51.100.8:8443",
            "address 198.51.100.9",
            "domain bad.example",
            "email_subject invitation to the panel",
            "sha256 00000000000000000000000000000000000000000000000000000000000000ff",
            "user_agent evil/1.0",
        ]
    );
    let first = &intel.indicators[0];
    assert_eq!((first.id.as_str(), first.title.as_str()), ("a1", "tier 1"));
    assert_eq!(first.source, "Example CERT: Campaign");
    assert_eq!(first.techniques, ["T1566.002"]);
    let told = problems(&intel).join("\n");
    for id in ["a4", "a5", "a6"] {
        assert!(told.contains(&format!("`{id}`")), "{told}");
    }
    assert_eq!(intel.problems.len(), 3);
}

#[test]
fn what_is_everywhere_is_refused() {
    for value in [
        "127.0.0.1",
        "0.0.0.0",
        "169.254.1.1",
        "224.0.0.1",
        "10.1.2.3",
        "fd00::1",
        "8.8.8.8",
        "8.8.8.0/24",
        "198.0.0.0/8",
        "2001::/16",
        "10.0.0.0/16",
        "www.google.com",
        "ctldl.windowsupdate.com",
        "windowsupdate.com",
        "fs01.corp",
        "MSBuild.exe",
        "d41d8cd98f00b204e9800998ecf8427e",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "http://www.google.com/",
    ] {
        let intel = read(value);
        assert_eq!((intel.indicators.len(), intel.problems.len()), (0, 1), "{value}");
    }
    for value in [
        "198.51.100.7",
        "192.0.2.0/24",
        "198.51.0.0/16",
        "2001:db8::/32",
        "www.google.com.bad.example",
        "evil.dll",
        "http://drive.google.com/file/d/x",
    ] {
        let intel = read(value);
        assert_eq!((intel.indicators.len(), intel.problems.len()), (1, 0), "{value}");
    }
}

#[test]
fn an_own_list_may_name_inside_things_and_allow_more() {
    let mut own = guards().with_internal();
    assert_eq!(read_indicators("l", b"10.1.2.3\nfs01.corp\n", &own).indicators.len(), 2);
    assert_eq!(read_indicators("l", b"127.0.0.1\n", &own).indicators.len(), 0);
    own.merge_allow_list("mine.yml", "addresses: [198.51.100.0/24]\ndomains: [good.example]\n")
        .expect("in order");
    let intel = read_indicators("l", b"198.51.100.7\nwww.good.example\n203.0.113.1\n", &own);
    assert_eq!(shown(&intel), ["address 203.0.113.1"]);
    let wrong = own.merge_allow_list("mine.yml", "adresses: [198.51.100.7]\nhashes: [xyz]\n");
    assert_eq!(wrong.expect_err("two mistakes").len(), 2);
}

#[test]
fn a_common_value_beside_a_telling_one_is_no_harm() {
    let intel = stix(
        "[file:name = 'MSBuild.exe' AND file:hashes.MD5 = '000000000000000000000000000000ff']",
        "",
    );
    assert_eq!(shown(&intel), ["md5 000000000000000000000000000000ff & msbuild.exe"]);
}

#[test]
fn a_domain_matches_below_and_a_shared_parent_only_itself() {
    let intel = read("bad.example\nddns.net\nevil.ddns.net\n");
    let shared: Vec<&Indicator> = intel.indicators.iter().filter(|one| one.shared).collect();
    assert_eq!(shared.len(), 1);
    let ask = |host: &str| met(&intel, &event(&[(Column::QueryHostname, host)])).0;
    assert_eq!(ask("bad.example"), ["bad.example"]);
    assert_eq!(ask("a.b.BAD.example."), ["bad.example"]);
    assert_eq!(ask("notbad.example"), Vec::<String>::new());
    assert_eq!(ask("bad.example.org"), Vec::<String>::new());
    assert_eq!(ask("ddns.net"), ["ddns.net"]);
    assert_eq!(ask("stranger.ddns.net"), Vec::<String>::new());
    assert_eq!(ask("x.evil.ddns.net"), ["evil.ddns.net"]);
    // Everybody at a mail provider has its domain.
    let mail = read("gmail.com\nbad.example\n");
    let from = |address: &str| met(&mail, &event(&[(Column::EmailFrom, address)])).0;
    assert_eq!(from("ann@gmail.com"), Vec::<String>::new());
    assert_eq!(from("ann@mail.bad.example"), ["bad.example"]);
}

#[test]
fn every_kind_is_found_in_its_columns() {
    let hash = "00000000000000000000000000000000000000000000000000000000000000ff";
    let intel = read(&format!(
        "198.51.100.7\n203.0.113.0/24\nhttp://bad.example/x\n{hash}\nevil.dll\nann@bad2.example\n2001:db8::7\n"
    ));
    let ask = |column, text: &str| met(&intel, &event(&[(column, text)])).0;
    let yes = |column, text: &str| assert_eq!(ask(column, text).len(), 1, "{column:?} {text}");
    let no = |column, text: &str| assert_eq!(ask(column, text).len(), 0, "{column:?} {text}");
    yes(Column::SrcIp, "198.51.100.7");
    yes(Column::DstIp, "::ffff:198.51.100.7");
    yes(Column::DstIp, "203.0.113.200");
    yes(Column::DstIp, "2001:db8::7");
    yes(Column::Answers, "192.0.2.1, 198.51.100.7");
    yes(Column::Url, "198.51.100.7:443");
    yes(Column::Url, "https://BAD.example:443/x#y");
    yes(Column::FileHash, &hash.to_uppercase());
    yes(Column::FileHash, &format!("{}, {hash}", "a".repeat(64)));
    yes(Column::ProcessPath, "C:\\Temp\\EVIL.dll");
    yes(Column::FileName, "a.docx, evil.dll");
    yes(Column::EmailFrom, "Ann@bad2.example");
    yes(Column::EmailTo, "x@y.example, ann@bad2.example");
    no(Column::SrcIp, "198.51.100.8");
    no(Column::DstIp, "203.0.114.0");
    no(Column::Url, "https://bad.example/X");
    no(Column::Url, "/x");
    no(Column::ProcessPath, "C:\\evil.dll\\good.dll");
    no(Column::Message, "198.51.100.7");
    let mut native = Object::default();
    let other = "000000000000000000000000000000ff";
    native.push("Hashes", Value::text(format!("MD5={other},SHA256={}", "a".repeat(64))));
    let set = IndicatorSet::compile(read(other).indicators);
    let artifact = artifact();
    let mut count = 0;
    set.matches_record(&decoded(&artifact, &native, Event::default()), &mut |_| count += 1);
    assert_eq!(count, 1);
}

fn artifact() -> Artifact {
    Artifact { id: ArtifactId([0; 32]), path: "f".into(), size_bytes: 1, kind: ArtifactKind::Json }
}

fn decoded<'a>(artifact: &'a Artifact, native: &'a Object<'a>, event: Event<'a>) -> Decoded<'a> {
    Decoded { artifact, position: Position::Record(7), source: 0, native, event }
}

#[test]
fn all_values_and_the_port_are_needed() {
    let intel = stix("[file:name = 'a.dll' AND domain-name:value = 'bad.example']", "");
    let both = [(Column::FileName, "a.dll"), (Column::QueryHostname, "bad.example")];
    assert_eq!(met(&intel, &event(&both)).0.len(), 1);
    assert_eq!(met(&intel, &event(&both[..1])).0.len(), 0);
    assert_eq!(met(&intel, &event(&both[1..])).0.len(), 0);
    let port = read("198.51.100.7:8443");
    let mut to = event(&[(Column::DstIp, "198.51.100.7")]);
    assert_eq!(met(&port, &to).0.len(), 0);
    to.put(Column::DstPort, Cell::Integer(8443));
    assert_eq!(met(&port, &to).0.len(), 1);
}

#[test]
fn windows_hold_with_a_month_on_either_side() {
    let head = "indicator,first_seen,last_seen\n";
    let intel = read(&format!(
        "{head}198.51.100.7,2024-03-01,2024-04-01\n000000000000000000000000000000ff,2024-03-01,2024-04-01\n"
    ));
    let ask = |time| met(&intel, &at(event(&[(Column::DstIp, "198.51.100.7")]), time));
    assert_eq!(ask("2024-03-15T00:00:00Z").0.len(), 1);
    assert_eq!(ask("2024-02-05T00:00:00Z").0.len(), 1);
    assert_eq!(ask("2024-04-28T00:00:00Z").0.len(), 1);
    assert_eq!(ask("2024-01-15T00:00:00Z"), (vec![], 1));
    assert_eq!(ask("2024-06-15T00:00:00Z"), (vec![], 1));
    // A hash names the same bytes for ever.
    let file = event(&[(Column::FileHash, "000000000000000000000000000000ff")]);
    assert_eq!(
        met(&intel, &at(file, "2026-01-01T00:00:00Z")),
        (vec!["000000000000000000000000000000ff".to_owned()], 0)
    );
}

#[test]
fn dates_that_cannot_be_are_said() {
    let head = "indicator,first_seen,last_seen\n";
    for (dates, word) in [
        ("2024-06-01,2024-03-01", "ends before it begins"),
        ("2004-06-01,2024-09-01", "longer than ten years"),
        ("yesterday,", "cannot be read"),
    ] {
        let intel = read(&format!("{head}198.51.100.7,{dates}\n"));
        assert!(problems(&intel)[0].contains(word), "{:?}", problems(&intel));
        assert!(intel.indicators[0].is_undated());
    }
    let intel = read(&format!("{head}198.51.100.7,2024-06-01,\n198.51.100.8,2024-01-01,\n"));
    assert_eq!(intel.problems, []);
    let last = parse_time("2024-03-01T00:00:00Z").expect("time");
    let later = later_than_evidence(&intel.indicators, last);
    assert_eq!(later.len(), 1);
    assert_eq!(later[0].line, 2);
    assert_eq!(later_than_evidence(&intel.indicators, last + 90 * DAY_NS), []);
}

#[test]
fn findings_weigh_by_kind_and_by_doubt() {
    let artifact = artifact();
    let native = Object::default();
    let find = |text: &str, cells: &[(Column, &str)]| {
        let set = IndicatorSet::compile(read(text).indicators);
        let record = decoded(&artifact, &native, at(event(cells), "2024-03-15T00:00:00Z"));
        let mut found = Vec::new();
        set.matches(&record.event, &mut |one| {
            found.push((one.standing, one.finding(&record, &weights())))
        });
        assert_eq!(found.len(), 1, "{text}");
        found.remove(0)
    };
    let to = [
        (Column::DstIp, "198.51.100.7"),
        (Column::Host, "fs01"),
        (Column::Account, "ann@agency.example"),
    ];
    let head = "indicator,first_seen,description,source,confidence,tags\n";
    let (_, dated) =
        find(&format!("{head}198.51.100.7,2024-03-01,controller,Example CERT,80,T1071.001\n"), &to);
    let (standing, undated) = find("198.51.100.7", &to);
    let (_, unsure) = find(&format!("{head}198.51.100.7,2024-03-01,,,20,\n"), &to);
    assert_eq!(
        (dated.source, dated.weight_db, dated.rule.level),
        (FindingSource::Indicator, 10.0, Level::Medium)
    );
    assert_eq!(
        (standing, undated.weight_db, undated.rule.level),
        (Standing::Undated, 5.0, Level::Low)
    );
    assert_eq!(unsure.weight_db, 7.0);
    assert_eq!(dated.techniques, ["T1071.001"]);
    assert_eq!(
        dated.text,
        "address `198.51.100.7` is an indicator of Example CERT, controller: on fs01, by ann@agency.example"
    );
    assert_eq!((dated.records.len(), dated.records[0].record), (1, 7));
    let addresses = dated.entities.iter().filter(|one| one.kind == EntityKind::Address).count();
    assert_eq!(addresses, 1, "{:?}", dated.entities);
    let (_, shared) = find("ddns.net", &[(Column::TlsSni, "ddns.net")]);
    assert_eq!((shared.weight_db, shared.rule.level), (0.0, Level::Informational));
    assert!(shared.text.contains("strangers share the name"), "{}", shared.text);
    assert!(
        shared.entities.iter().any(|one| one.kind == EntityKind::Domain && one.value == "ddns.net")
    );
    let (_, hash) = find(
        "000000000000000000000000000000ff",
        &[(Column::FileHash, "000000000000000000000000000000ff")],
    );
    assert_eq!((hash.weight_db, hash.rule.level), (18.0, Level::High));
}

#[test]
fn two_alternatives_of_one_indicator_are_one_match() {
    let intel = stix("[ipv4-addr:value = '198.51.100.7' OR domain-name:value = 'bad.example']", "");
    let both = event(&[(Column::DstIp, "198.51.100.7"), (Column::DstHostname, "bad.example")]);
    assert_eq!(met(&intel, &both).0.len(), 1);
}

fn any_value() -> impl Strategy<Value = IndicatorValue> {
    let name = "[ab]{1,2}(\\.[ab]{1,2}){1,3}";
    prop_oneof![
        (0_u32..64).prop_map(|low| IndicatorValue::Address(IpAddr::from([203, 0, 113, low as u8]))),
        (0_u16..8).prop_map(|low| IndicatorValue::Address(IpAddr::from([
            0x2001, 0xdb8, 0, 0, 0, 0, 0, low
        ]))),
        (0_u8..64, 24_u8..32).prop_map(|(low, prefix)| {
            let net = ipnet::Ipv4Net::new([203, 0, 113, low].into(), prefix).expect("prefix");
            IndicatorValue::Network(net.trunc().into())
        }),
        name.prop_map(IndicatorValue::Domain),
        name.prop_map(IndicatorValue::Host),
        (0_u8..8).prop_map(|byte| IndicatorValue::Md5([byte; 16])),
        (0_u8..8).prop_map(|byte| IndicatorValue::Sha256([byte; 32])),
        "[ab]{1,2}\\.dll".prop_map(IndicatorValue::FileName),
        "[ab]\\.x/[aB]{0,2}".prop_map(IndicatorValue::Url),
    ]
}

fn indicator(value: IndicatorValue, number: usize) -> Indicator {
    Indicator {
        id: format!("i{number:03}"),
        values: vec![value],
        port: None,
        title: String::new(),
        source: String::new(),
        from: None,
        until: None,
        confidence: None,
        labels: vec![],
        techniques: vec![],
        tactics: vec![],
        shared: false,
        file: String::new(),
        line: 0,
    }
}

fn look_up(set: &IndicatorSet, observed: Observed<'_>) -> Vec<String> {
    let mut found = Vec::new();
    set.names(observed, &mut |one| found.push(one.id.clone()));
    found.sort();
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn tables_give_what_a_scan_gives(
        values in proptest::collection::vec(any_value(), 0..60),
        low in 0_u8..64, short in 0_u16..8, name in "[abAB]{1,2}(\\.[ab]{1,2}){0,4}\\.?",
        file in "[abAB]{1,2}\\.dll", url in "(https?://)?[abA]\\.x(:80)?/[aB]{0,2}", byte in 0_u8..9,
    ) {
        let indicators: Vec<Indicator> =
            values.iter().cloned().enumerate().map(|(number, value)| indicator(value, number)).collect();
        let set = IndicatorSet::compile(indicators);
        let (long, middle) = ([byte; 32], [byte; 16]);
        for observed in [
            Observed::Address(IpAddr::from([203, 0, 113, low])),
            Observed::Address(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, short])),
            Observed::Host(&name),
            Observed::MailDomain(&name),
            Observed::FileName(&file),
            Observed::Url(&url),
            Observed::Hash(&long),
            Observed::Hash(&middle),
        ] {
            let want: Vec<String> = values
                .iter()
                .enumerate()
                .filter(|(_, value)| value.covers(observed))
                .map(|(number, _)| format!("i{number:03}"))
                .collect();
            prop_assert_eq!(look_up(&set, observed), want, "{:?}", observed);
        }
    }

    #[test]
    fn readers_never_panic(text in "\\PC{0,200}") {
        read(&text);
        stix(&text, "");
    }

    #[test]
    fn readers_never_panic_near_their_formats(
        words in proptest::collection::vec(
            prop_oneof![
                Just("["), Just("]"), Just("("), Just(")"), Just("="), Just("IN"), Just("AND"),
                Just("OR"), Just("'"), Just("file:name"), Just("ipv4-addr:value"), Just("'198.51.100.7'"),
                Just(","), Just("indicator,type\n"), Just("\n"), Just("ip,198.51.100.7"), Just("{"), Just("}"),
                Just("\"Event\":"), Just("\"Attribute\":[{\"type\":\"url\",\"value\":\"x\",\"to_ids\":true}]"),
                Just("[.]"), Just("hxxp://"), Just("\\"), Just("é"), Just("|"), Just(";")
            ], 0..24)
    ) {
        let text = words.concat();
        read(&text);
        stix(&words.join(" "), "");
    }

    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_indicators("l", &bytes, &guards());
        let mut packed = vec![0x1f, 0x8b];
        packed.extend(bytes);
        let _ = read_indicators("l", &packed, &guards());
    }

    #[test]
    fn order_of_indicators_does_not_matter(mut values in proptest::collection::vec(any_value(), 0..20)) {
        let make = |values: &[IndicatorValue]| IndicatorSet::compile(
            values.iter().map(|value| indicator(value.clone(), 0)).collect());
        let forward = make(&values).indicators().to_vec();
        values.reverse();
        let backward = make(&values);
        prop_assert_eq!(backward.indicators(), forward.as_slice());
    }
}
