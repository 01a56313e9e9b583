//! What detects besides single rules: correlations, filters, placeholders, indicators, YARA rules;
//! and the options of `detect`. Each from both sides.

use std::fs;
use std::path::Path;

use makyo_base::{Object, Value, parse_json};

use crate::{assert_same_case, makyo, show, stderr, stdout, text};

fn write(folder: &Path, name: &str, content: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
    fs::write(path, content).expect("written");
}

/// Failed logons of an account, one a minute.
fn failures(folder: &Path, name: &str, account: &str, host: &str, count: usize) {
    let lines: String = (0..count)
        .map(|n| format!("{{\"Channel\":\"Security\",\"Provider_Name\":\"Microsoft-Windows-Security-Auditing\",\"EventID\":4625,\"Computer\":\"{host}.agency.example\",\"TimeCreated\":\"2025-01-01T00:{n:02}:00Z\",\"EventRecordID\":{n},\"TargetUserName\":\"{account}\",\"IpAddress\":\"198.51.100.7\"}}\n"))
        .collect();
    write(folder, name, &lines);
}

const RULES: &str = "title: failed logon
id: 11111111-0000-0000-0000-000000000001
name: failed_logon
level: low
logsource: {product: windows, service: security}
detection:
  s: {EventID: 4625, TargetUserName|contains: a}
  condition: s
---
title: many failed logons
id: 11111111-0000-0000-0000-000000000002
level: high
correlation:
  type: event_count
  rules: [failed_logon]
  group-by: [TargetUserName]
  timespan: 10m
  condition: {gte: 5}
";

fn lines(text: &str) -> Vec<Object<'static>> {
    text.lines()
        .map(|line| match parse_json(line).expect("JSON").into_owned() {
            Value::Object(object) => object,
            other => panic!("not an object: {other:?}"),
        })
        .collect()
}

fn titles(text: &str) -> Vec<String> {
    lines(text)
        .iter()
        .map(|line| {
            crate::text(line.get("rule").and_then(Value::as_object).expect("rule"), "title")
        })
        .collect()
}

#[test]
fn a_correlation_is_one_line_and_its_rules_are_silent() {
    let folder = tempfile::tempdir().expect("folder");
    let here = folder.path();
    write(here, "rules.yml", RULES);
    failures(here, "e/many.jsonl", "alice", "fs01", 6);
    failures(here, "e/few.jsonl", "carla", "fs02", 4);
    let run = makyo(here, &["detect", "e", "--rules", "rules.yml", "--fail-on", "high"]);
    assert_eq!(run.status.code(), Some(1), "{}", stderr(&run));
    let found = lines(&stdout(&run));
    assert_eq!(titles(&stdout(&run)), ["many failed logons"], "{}", stderr(&run));
    let Some(Value::List(records)) = found[0].get("records") else { panic!("no records") };
    assert_eq!(records.len(), 6);
    assert_eq!(found[0].get("evidence"), records.first());
    let few = makyo(here, &["detect", "e/few.jsonl", "--rules", "rules.yml", "--fail-on", "low"]);
    assert_eq!((few.status.code(), stdout(&few)), (Some(0), String::new()));
}

#[test]
fn correlations_of_a_case_do_not_depend_on_threads() {
    let folder = tempfile::tempdir().expect("folder");
    let here = folder.path();
    write(here, "rules.yml", RULES);
    // The hits of one group lie in several files.
    for part in 0..4 {
        failures(here, &format!("e/{part}.jsonl"), "alice", &format!("fs{part}"), 2);
    }
    for (threads, case) in [("1", "one"), ("3", "three")] {
        let run = makyo(
            here,
            &["investigate", "e", "--rules", "rules.yml", "--threads", threads, "--case", case],
        );
        assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    }
    assert_same_case(&here.join("one"), &here.join("three"));
    let findings = show(here, "findings", "one");
    let of = |title: &str| {
        findings
            .iter()
            .filter(|row| {
                text(row.get("rule").and_then(Value::as_object).expect("rule"), "title") == title
            })
            .count()
    };
    assert_eq!((of("many failed logons"), of("failed logon")), (1, 0));
}

#[test]
fn output_does_not_depend_on_threads() {
    let folder = tempfile::tempdir().expect("folder");
    let here = folder.path();
    write(
        here,
        "rules.yml",
        &RULES.replace("  condition: {gte: 5}", "  condition: {gte: 5}\n  generate: true"),
    );
    for part in 0..6 {
        failures(here, &format!("e/{part}.jsonl"), "alice", &format!("fs{part}"), 3 + part);
    }
    write(here, "e/broken.jsonl", "{\"Channel\":\n");
    let run = |threads: &str| {
        let run = makyo(here, &["detect", "e", "--rules", "rules.yml", "--threads", threads]);
        (stdout(&run), stderr(&run))
    };
    let one = run("1");
    assert!(one.0.lines().count() > 30, "{}", one.1);
    assert_eq!(one, run("3"));
}

#[test]
fn filters_narrow_rules_and_placeholders_get_values() {
    let folder = tempfile::tempdir().expect("folder");
    let here = folder.path();
    failures(here, "e/a.jsonl", "alice", "fs01", 1);
    failures(here, "e/b.jsonl", "svc-scan", "fs02", 1);
    write(
        here,
        "r/rule.yml",
        "title: any\nid: 22222222-0000-0000-0000-000000000001\nlogsource: {product: windows, service: security}\ndetection:\n  s: {EventID: 4625}\n  condition: s\n",
    );
    let found = |arguments: &[&str]| {
        let run = makyo(here, &[&["detect", "e"], arguments].concat());
        (stdout(&run).lines().count(), stderr(&run))
    };
    assert_eq!(found(&["--rules", "r"]).0, 2);
    write(
        here,
        "r/filter.yml",
        "title: own scanner\nlogsource: {product: windows, service: security}\nfilter:\n  rules: [22222222-0000-0000-0000-000000000001, gone]\n  s: {TargetUserName|expand: '%scanners%'}\n  condition: not s\n",
    );
    let (count, told) = found(&["--rules", "r"]);
    assert!(count == 2 && told.contains("placeholder has no values: `scanners`"), "{told}");
    write(here, "p.yml", "placeholders: {scanners: [svc-scan]}\n");
    let (count, told) = found(&["--rules", "r", "--placeholders", "p.yml"]);
    assert_eq!(count, 1, "{told}");
    assert!(told.contains("filter without effect: ") && told.contains("`gone`"), "{told}");
}

#[test]
fn indicators_are_matched_in_both_commands_and_what_is_refused_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    let here = folder.path();
    failures(here, "e/a.jsonl", "alice", "fs01", 1);
    write(
        here,
        "none.yml",
        "title: none\nlogsource: {product: windows, service: security}\ndetection:\n  s: {EventID: 1}\n  condition: s\n",
    );
    write(here, "intel/list.txt", "198.51.100.7\n10.0.0.1\n");
    write(here, "other.txt", "198.51.100.8\n");
    let run = makyo(here, &["detect", "e", "--rules", "none.yml", "--intel", "intel"]);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    assert_eq!(stdout(&run).lines().count(), 1, "{}", stderr(&run));
    assert!(stdout(&run).contains("198.51.100.7"), "{}", stdout(&run));
    assert!(
        stderr(&run)
            .contains("indicator not used: intel/list.txt:2: indicator `10.0.0.1` is refused: "),
        "{}",
        stderr(&run)
    );
    let quiet = makyo(here, &["detect", "e", "--rules", "none.yml", "--intel", "other.txt"]);
    assert_eq!(stdout(&quiet), "", "{}", stderr(&quiet));

    for (list, case, expected) in [("intel", "hit", 1), ("other.txt", "miss", 0)] {
        let run = makyo(here, &["investigate", "e", "--intel", list, "--case", case]);
        assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
        let findings = show(here, "findings", case);
        let count = findings.iter().filter(|row| text(row, "source") == "indicator").count();
        assert_eq!(count, expected, "{list}");
        let manifest = fs::read_to_string(here.join(case).join("case.json")).expect("manifest");
        assert!(manifest.contains("\"intel\":\""), "{manifest}");
    }
}

#[test]
fn yara_rules_see_attachments_and_files_that_are_no_logs() {
    let folder = tempfile::tempdir().expect("folder");
    let here = folder.path();
    write(
        here,
        "r/x.yar",
        "rule inert { meta: title = \"inert words\" level = \"high\" strings: $a = \"inert words\" condition: $a }",
    );
    write(here, "r/bad.yar", "rule bad { condition: $gone }");
    let mail = |body: &str| {
        format!(
            "From: ann@partner.example\r\nTo: bob@agency.example\r\nSubject: s\r\nDate: Wed, 01 Jan 2025 00:00:00 +0000\r\nMessage-ID: <1@partner.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\n{body}\r\n--b--\r\n"
        )
    };
    write(here, "e/m.eml", &mail("some inert words here"));
    write(here, "q/m.eml", &mail("nothing"));
    fs::write(here.join("e/x.bin"), b"\x00\x01\x02\xff\xfe inert words \x00\x00\x03")
        .expect("written");
    let run = makyo(here, &["detect", "e", "--rules", "r"]);
    assert_eq!(titles(&stdout(&run)), ["inert words", "inert words"], "{}", stderr(&run));
    assert!(stdout(&run).contains("a.bin") && stdout(&run).contains("x.bin"), "{}", stdout(&run));
    assert!(stderr(&run).contains("rule not loaded: r/bad.yar:1: "), "{}", stderr(&run));
    let quiet = makyo(here, &["detect", "q", "--rules", "r"]);
    assert_eq!(stdout(&quiet), "", "{}", stderr(&quiet));
    let run = makyo(here, &["investigate", "e", "--rules", "r", "--case", "c"]);
    assert_eq!(run.status.code(), Some(3), "{}", stderr(&run));
    let findings = show(here, "findings", "c");
    assert_eq!(findings.iter().filter(|row| text(row, "source") == "yara").count(), 2);
}

#[test]
fn filters_of_detect_choose_records_and_rules() {
    let folder = tempfile::tempdir().expect("folder");
    let here = folder.path();
    failures(here, "e/a.jsonl", "alice", "fs01", 6);
    failures(here, "e/b.jsonl", "carla", "dc01", 6);
    write(
        here,
        "rules.yml",
        &RULES.replace("  condition: {gte: 5}", "  condition: {gte: 5}\n  generate: true"),
    );
    let count = |arguments: &[&str]| {
        let run = makyo(here, &[&["detect", "e", "--rules", "rules.yml"], arguments].concat());
        assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
        stdout(&run).lines().count()
    };
    assert_eq!(count(&[]), 14);
    assert_eq!(count(&["--from", "2025-01-01T00:03:00Z"]), 6, "the correlation sees too few");
    assert_eq!(count(&["--to", "2024-12-31"]), 0);
    assert_eq!(count(&["--from", "2025-01-01", "--to", "2025-01-01"]), 14);
    assert_eq!(count(&["--host", "FS*"]), 7);
    assert_eq!(count(&["--host", "fs*", "--host", "dc01"]), 14);
    assert_eq!(count(&["--rule", "many*"]), 2, "its rules still count");
    assert_eq!(count(&["--rule", "*-000000000001"]), 12);
    assert_eq!(count(&["--level", "high"]), 2);
    assert_eq!(count(&["--level", "critical"]), 0);
    for wrong in [["--from", "yesterday"], ["--rule", "misspelt"]] {
        let run = makyo(here, &[&["detect", "e", "--rules", "rules.yml"], &wrong[..]].concat());
        assert_eq!(run.status.code(), Some(2));
        assert!(stderr(&run).contains(wrong[1]), "{}", stderr(&run));
    }
}

#[test]
fn a_match_is_explained_and_so_is_a_silence() {
    let folder = tempfile::tempdir().expect("folder");
    let here = folder.path();
    failures(here, "e/a.jsonl", "alice", "fs01", 1);
    write(
        here,
        "r.yml",
        "title: one\nlogsource: {product: windows, service: security}\ndetection:\n  s: {EventID: 4625, TargetUserName|startswith: al}\n  condition: s\n",
    );
    let run = makyo(here, &["detect", "e", "--rules", "r.yml", "--explain"]);
    assert!(
        stdout(&run).contains(r#""explain":[{"field":"EventID","test":"is \"4625\"","value":"4625"},{"field":"TargetUserName","test":"starts with \"al\"","value":"alice"}]"#),
        "{}",
        stdout(&run)
    );
    let plain = makyo(here, &["detect", "e", "--rules", "r.yml"]);
    assert!(!stdout(&plain).contains("explain") && !stderr(&plain).contains("why:"));

    let rule = |name: &str, logsource: &str, selection: &str| {
        write(
            here,
            &format!("s/{name}.yml"),
            &format!(
                "title: {name}\nlogsource: {logsource}\ndetection:\n  s: {{{selection}}}\n  condition: s\n"
            ),
        );
    };
    rule("applied", "{product: windows, service: security}", "EventID: 9");
    rule("fieldless", "{product: windows, service: security}", "NoSuchField: 9");
    rule("absent", "{product: windows, category: process_creation}", "Image: x");
    rule("unserved", "{product: nobody}", "a: b");
    let run = makyo(here, &["detect", "e", "--rules", "s"]);
    let told = stderr(&run);
    for expected in [
        "why: 1 records of windows-security; ",
        "why: 1 rules were put to records that have their fields",
        "why: 1 rules are about a log source of which no record was there: windows/process_creation (1)",
        "why: 1 rules need fields that no record of their log source has: NoSuchField (1)",
        "why: 1 rules are about a log source that no description serves",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
}

#[test]
fn regression_tests_in_the_public_form_are_run() {
    let folder = tempfile::tempdir().expect("folder");
    let here = folder.path();
    for (id, name) in [("0001", "alice"), ("0002", "nobody")] {
        write(
            here,
            &format!("r/{name}.yml"),
            &format!(
                "title: {name}\nid: rule-{id}\nlogsource: {{product: windows, service: security}}\ndetection:\n  s: {{TargetUserName: {name}}}\n  condition: s\n"
            ),
        );
        failures(here, &format!("cases/{name}/rule-{id}.jsonl"), "alice", "fs01", 3);
    }
    let info = |name: &str, id: &str, count: &str| {
        let test = format!(
            "regression_tests_info:\n  - name: it fires\n    type: json\n{count}    path: cases/{name}/rule-{id}.jsonl\n"
        );
        let text = format!("rule_metadata:\n  - id: rule-{id}\n    title: {name}\n{test}");
        write(here, &format!("cases/{name}/info.yml"), &text);
    };
    info("alice", "0001", "    match_count: 3\n");
    let arguments = ["rules", "test", "r", "--regression", "cases"];
    let run = makyo(here, &arguments);
    assert_eq!(run.status.code(), Some(0), "{}", stdout(&run));
    assert!(stdout(&run).contains("1 of 1 regression cases hold, 0 `info.yml` without a test"));

    info("alice", "0001", "    match_count: 4\n");
    info("nobody", "0002", "");
    write(here, "cases/unknown/info.yml", "rule_metadata:\n  - id: rule-0003\n");
    write(here, "cases/wrong/info.yml", "title: [");
    let run = makyo(here, &arguments);
    assert_eq!(run.status.code(), Some(2));
    let text = stdout(&run);
    for expected in [
        "cases/alice/info.yml: rule-0001: matches 3 times, not 4, in cases/alice/rule-0001.jsonl",
        "cases/nobody/info.yml: rule-0002: matches 0 times, not 1, in cases/nobody/rule-0002.jsonl",
        "cases/wrong/info.yml: ",
        "0 of 2 regression cases hold, 1 `info.yml` without a test, 3 failures",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    let none = makyo(here, &["rules", "test", "r", "--regression", "r"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(stderr(&none).contains("no `info.yml`"), "{}", stderr(&none));
}

#[test]
fn check_says_which_rules_can_fire_on_what_is_there() {
    let folder = tempfile::tempdir().expect("folder");
    let here = folder.path();
    failures(here, "e/a.jsonl", "alice", "fs01", 3);
    let rule = |name: &str, logsource: &str, selection: &str| {
        write(
            here,
            &format!("r/{name}.yml"),
            &format!(
                "title: {name}\nname: {name}\nlogsource: {logsource}\ndetection:\n  s: {{{selection}}}\n  condition: s\n"
            ),
        );
    };
    rule("applied", "{product: windows, service: security}", "EventID: 9");
    rule("fieldless", "{product: windows, service: security}", "NoSuchField: 9");
    rule("absent", "{product: windows, category: process_creation}", "Image: x");
    let correlation = |name: &str, of: &str| {
        write(
            here,
            &format!("r/of-{name}.yml"),
            &format!(
                "title: of {name}\ncorrelation:\n  type: event_count\n  rules: [{of}]\n  group-by: [Computer]\n  timespan: 5m\n  condition: {{gte: 2}}\n"
            ),
        );
    };
    correlation("some", "applied, absent");
    correlation("none", "absent, fieldless");
    let run = makyo(here, &["rules", "check", "r", "--evidence", "e", "--format", "jsonl"]);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    assert!(stderr(&run).contains("3 records were looked at"), "{}", stderr(&run));
    let reasons: Vec<String> = lines(&stdout(&run))
        .iter()
        .filter(|line| line.get("can_fire") == Some(&Value::Bool(false)))
        .map(|line| format!("{}: {}", text(line, "file"), text(line, "reason")))
        .collect();
    assert_eq!(
        reasons,
        [
            "r/absent.yml: no record of its log source is there: windows/process_creation",
            "r/fieldless.yml: no record of its log source has what it asks for: NoSuchField",
            "r/of-none.yml: none of the rules that it names can fire",
        ]
    );
    let table = stdout(&makyo(here, &["rules", "check", "r", "--evidence", "e"]));
    assert!(table.contains("r/absent.yml: absent: no record of its log source"), "{table}");
    assert!(table.contains("3 rules loaded, 2 correlations, 0 YARA rules, 0 not loaded, 3 cannot fire on this evidence"), "{table}");
    write(here, "e/cut.jsonl", "{\"Event\": ");
    let cut = makyo(here, &["rules", "check", "r", "--evidence", "e"]);
    assert!(stderr(&cut).contains("not read: e/cut.jsonl"), "{}", stderr(&cut));
    assert_eq!(cut.status.code(), Some(3));
}

#[test]
fn check_says_for_scripts_what_is_wrong_and_what_each_rule_needs() {
    let folder = tempfile::tempdir().expect("folder");
    let here = folder.path();
    let rule = |name: &str, product: &str, field: &str| {
        write(
            here,
            &format!("r/{name}.yml"),
            &format!(
                "title: {name}\nlogsource: {{product: {product}}}\ndetection:\n  s: {{{field}: 1}}\n  condition: s\n"
            ),
        );
    };
    rule("fires", "windows", "EventID");
    rule("silent", "nobody", "a");
    let run = makyo(here, &["rules", "check", "r", "--format", "jsonl"]);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let found = lines(&stdout(&run));
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].get("reason"), Some(&Value::Null));
    assert_eq!(found[0].get("can_fire"), Some(&Value::Bool(true)));
    assert!(text(&found[1], "reason").contains("no source description serves"));
    rule("wrong", "windows", "A|bogus");
    let run = makyo(here, &["rules", "check", "r", "--format", "jsonl"]);
    assert_eq!(run.status.code(), Some(2));
    let found = lines(&stdout(&run));
    assert_eq!(text(&found[0], "file"), "r/wrong.yml");
    assert_eq!(found[0].get("line"), Some(&Value::Int(4)));
    assert_eq!(text(&found[0], "reason"), "modifier is not supported: `bogus`");
}
