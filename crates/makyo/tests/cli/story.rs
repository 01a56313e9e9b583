//! Story 001 from evidence to answers, against its truth and under every change that must not
//! matter.

use std::fs;
use std::path::Path;

use makyo_base::{Object, Value, parse_json};

use crate::{assert_same_case, copy, makyo, root, show, stderr, stdout, text};

fn story() -> std::path::PathBuf {
    root().join("stories/001-invitation")
}

fn investigate(
    folder: &Path,
    evidence: &[&str],
    case: &str,
    more: &[&str],
) -> std::process::Output {
    let org = story().join("org.toml").display().to_string();
    let mut arguments = vec!["investigate"];
    arguments.extend(evidence);
    arguments.extend(["--org", &org, "--case", case]);
    arguments.extend(more);
    makyo(folder, &arguments)
}

/// A folder with a copy of the story's evidence.
fn copied() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    copy(&story().join("evidence"), &folder.path().join("evidence"));
    folder
}

fn truth() -> Object<'static> {
    let text = fs::read_to_string(story().join("truth.json")).expect("truth");
    match parse_json(&text).expect("valid").into_owned() {
        Value::Object(object) => object,
        other => panic!("{other:?}"),
    }
}

fn expected(truth: &Object<'_>, what: &str) -> Vec<(String, Object<'static>)> {
    let Some(Value::Object(list)) = truth.get(what) else { panic!("no {what} in the truth") };
    list.0
        .iter()
        .map(|(name, value)| match value.clone().into_owned() {
            Value::Object(object) => (name.to_string(), object),
            Value::Str(verdict) => {
                let mut object = Object::default();
                object.push("verdict", Value::text(verdict.into_owned()));
                (name.to_string(), object)
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn the_answers_are_the_truth() {
    let folder = copied();
    let run = investigate(folder.path(), &["evidence"], "case", &[]);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let readme = fs::read_to_string(root().join("README.md")).expect("readme");
    let printed = stdout(&run);
    assert!(readme.contains(&format!("```text\n{printed}```")), "the README shows:\n{printed}");
    let truth = truth();
    let mut wrong = Vec::new();
    let accounts = show(folder.path(), "accounts", "case");
    for (name, want) in expected(&truth, "accounts") {
        let found = accounts.iter().find(|row| text(row, "account") == name);
        let seen = found.map(|row| (text(row, "verdict"), text(row, "rung")));
        if seen != Some((text(&want, "verdict"), text(&want, "rung"))) {
            wrong.push(format!("{name}: {seen:?}, the truth is {want:?}"));
        }
    }
    for row in &accounts {
        let name = text(row, "account");
        if !expected(&truth, "accounts").iter().any(|one| one.0 == name) {
            wrong.push(format!("{name} is no account of the story"));
        }
        let has_findings =
            matches!(row.get("findings"), Some(Value::List(list)) if !list.is_empty());
        if text(row, "verdict") == "breached" && !has_findings {
            wrong.push(format!("{name} is accused without a finding"));
        }
    }
    let hosts = show(folder.path(), "hosts", "case");
    for (name, want) in expected(&truth, "hosts") {
        let found =
            hosts.iter().find(|row| text(row, "host") == name).map(|row| text(row, "verdict"));
        if found != Some(text(&want, "verdict")) {
            wrong.push(format!("host {name}: {found:?}, the truth is {want:?}"));
        }
    }
    let assets = show(folder.path(), "assets", "case");
    for (name, want) in expected(&truth, "assets") {
        let found =
            assets.iter().find(|row| text(row, "asset") == name).map(|row| text(row, "verdict"));
        if found != Some(text(&want, "verdict")) {
            wrong.push(format!("asset {name}: {found:?}, the truth is {want:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_nine_answers_in_short() {
    let folder = copied();
    let run = investigate(folder.path(), &["evidence"], "case", &[]);
    let nine: Vec<String> =
        stdout(&run).lines().take_while(|line| !line.is_empty()).map(str::to_owned).collect();
    expect_test::expect![[r#"
        1. Entry
           First at 2025-03-03T01:02:20Z by mail from hayashi@institute.example to ando@agency.example; 2 more ways in were used.
        2. Accounts
           7 of 40 breached, 0 suspected, 11 targeted, 0 clear, 1 unknown. The furthest: ando@agency.example (modified).
        3. Hosts and devices
           4 of 5 hosts breached: dc01, fs01, pc-ando, vpn-gw1; 1 unknown. No own device is seen to serve a botnet.
        4. Path
           1 incident in 35 steps: initial access → execution → persistence → lateral movement → collection → discovery → credential access → defense impairment → stealth.
        5. Access
           At least 29 mails, 15 files in the cloud and 15 files on shares; one folder or mailbox must be presumed taken as a whole.
        6. Not accessed
           Accessed: launch vehicle designs, board mail. The logs do not let us say: satellite operations.
        7. Still there
           4 ways back in are known and not seen removed. First: revoke sessions and refresh tokens (ando@agency.example).
        8. Same as
           Not answered from one case: `makyo link` compares cases and finds campaigns.
        9. Who
           Not answered from one case: `makyo attribute` weighs it against published knowledge.
    "#]].assert_eq(&(nine.join("\n") + "\n"));
    let vectors: Vec<String> =
        show(folder.path(), "entry", "case").iter().map(|row| text(row, "vector")).collect();
    assert_eq!(vectors, ["phishing", "vpn_appliance", "stolen_credential"]);
    let incidents = show(folder.path(), "incidents", "case");
    assert_eq!(incidents.len(), 1);
    let messages = show(folder.path(), "messages", "case");
    let bad: Vec<(String, String)> = messages
        .iter()
        .filter(|row| text(row, "verdict") != "clean")
        .map(|row| (text(row, "verdict"), text(row, "sender")))
        .collect();
    assert_eq!(bad, [("malicious".to_owned(), "compromised".to_owned())]);
    let report = fs::read_to_string(folder.path().join("case/report.html")).expect("report");
    assert!(report.contains("<svg") && report.contains("president@agency.example"));
}

/// What other programs are given is whole, the same every time, and comes back through `link`.
#[test]
fn the_case_in_the_formats_of_other_programs() {
    let folder = copied();
    investigate(folder.path(), &["evidence"], "case", &[]);
    let report = |form: &str| {
        let run = makyo(folder.path(), &["report", "--case", "case", "--as", form]);
        assert_eq!(run.status.code(), Some(0), "{form}: {}", stderr(&run));
        stdout(&run)
    };
    for form in ["stix", "misp", "navigator", "timesketch"] {
        let told = report(form);
        assert_eq!(told, report(form), "{form} differs from run to run");
        for line in told.lines() {
            assert!(matches!(parse_json(line), Ok(Value::Object(_))), "{form}: {line}");
        }
        let wanted = match form {
            "stix" => "\"account_login\":\"president@agency.example\"",
            "misp" => "\"type\":\"ip-src\"",
            "navigator" => "\"techniqueID\":\"T1003.003\"",
            _ => "\"timestamp_desc\":\"Finding\"",
        };
        assert!(told.contains(wanted), "{form}: no {wanted}");
        assert!(form != "misp" || !told.contains("president@"), "an own account goes to others");
    }
    assert_eq!(report("timesketch").lines().count(), show(folder.path(), "timeline", "case").len());
    for form in ["stix", "misp"] {
        fs::write(folder.path().join("given.json"), report(form)).expect("written");
        let run = makyo(folder.path(), &["link", "given.json", "case", "--format", "json"]);
        assert_eq!(run.status.code(), Some(0), "{form}: {}", stderr(&run));
        assert!(stdout(&run).contains("\"unlinked\":[]"), "{form}: {}", stdout(&run));
        fs::write(folder.path().join("linkage.json"), stdout(&run)).expect("written");
    }
    judged_report(folder.path());
}

/// The report answers questions 8 and 9 when it is given what was linked and judged.
fn judged_report(folder: &Path) {
    let fixtures = root().join("crates/makyo-link/tests/fixtures");
    let knowledge = fixtures.join("knowledge.json").display().to_string();
    let run = makyo(folder, &["attribute", "case", "--knowledge", &knowledge, "--format", "json"]);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    fs::write(folder.join("judgement.json"), stdout(&run)).expect("written");
    for form in ["html", "markdown"] {
        let files = ["--linkage", "linkage.json", "--judgement", "judgement.json"];
        let arguments = ["report", "--case", "case", "--as", form].into_iter().chain(files);
        let run = makyo(folder, &arguments.collect::<Vec<_>>());
        assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
        for wanted in [
            "2 linked incidents of 2 that were compared",
            "what would break each",
            "is not judged by Makyo, and nothing here implies it",
            "国家の責任については判断しない",
        ] {
            assert!(stdout(&run).contains(wanted), "{form}: no {wanted}");
        }
    }
    let arguments = ["report", "--case", "case", "--lang", "ja", "--judgement", "judgement.json"];
    let run = makyo(folder, &arguments);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    for wanted in ["<html lang=\"ja\">", "何が起きたか", "三つの問いを分けている", "侵害"]
    {
        assert!(stdout(&run).contains(wanted), "no {wanted}");
    }
    let run = makyo(folder, &["report", "--case", "case", "--judgement", "linkage.json"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(stderr(&run).contains("no judgement: `linkage.json`"), "{}", stderr(&run));
}

#[test]
fn threads_and_order_do_not_matter() {
    let folder = copied();
    let parts =
        ["evidence/mail", "evidence/vpn", "evidence/windows", "evidence/cloud", "evidence/network"];
    let one = investigate(folder.path(), &parts, "one", &["--threads", "1"]);
    assert_eq!(one.status.code(), Some(0), "{}", stderr(&one));
    let mut reversed = parts;
    reversed.reverse();
    let two = investigate(folder.path(), &reversed, "two", &["--threads", "3"]);
    assert_eq!(two.status.code(), Some(0), "{}", stderr(&two));
    assert_same_case(&folder.path().join("one"), &folder.path().join("two"));
}

#[test]
fn evidence_given_twice_changes_no_verdict() {
    let folder = copied();
    copy(&story().join("evidence"), &folder.path().join("evidence/zz-again"));
    // The same audit records once more in other bytes, as a second export has them.
    let audit = fs::read_to_string(folder.path().join("evidence/cloud/audit.csv")).expect("audit");
    fs::write(folder.path().join("evidence/zz-again/second.csv"), audit + "\n").expect("written");
    let whole = copied();
    for (folder, case) in [(&folder, "case"), (&whole, "case")] {
        let run = investigate(folder.path(), &["evidence"], case, &[]);
        assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    }
    for what in ["accounts", "hosts", "assets", "access"] {
        let pick = |folder: &Path| -> Vec<[String; 4]> {
            let wanted = ["account", "host", "asset", "subject"];
            show(folder, what, "case")
                .iter()
                .map(|row| {
                    let name = wanted.map(|name| text(row, name)).concat();
                    [
                        name,
                        text(row, "verdict"),
                        text(row, "rung"),
                        row.get("count").map(makyo_base::to_json).unwrap_or_default(),
                    ]
                })
                .collect()
        };
        assert_eq!(pick(folder.path()), pick(whole.path()), "{what}");
    }
}

/// With each source taken away in turn certainty falls, and nothing becomes falsely clear.
#[test]
fn a_missing_source_clears_nobody() {
    let truth = truth();
    for missing in ["mail", "vpn", "windows", "cloud", "network"] {
        let folder = copied();
        fs::remove_dir_all(folder.path().join("evidence").join(missing)).expect("removed");
        let run = investigate(folder.path(), &["evidence"], "case", &[]);
        assert_eq!(run.status.code(), Some(0), "without {missing}: {}", stderr(&run));
        for row in show(folder.path(), "accounts", "case") {
            let name = text(&row, "account");
            let want = expected(&truth, "accounts")
                .into_iter()
                .find(|one| one.0 == name)
                .map(|one| text(&one.1, "verdict"));
            let verdict = text(&row, "verdict");
            if verdict == "clear" {
                let was_breached = want.as_deref() == Some("breached");
                assert!(!was_breached, "without {missing}, {name} is called clear");
            }
            if verdict == "breached" {
                assert_eq!(
                    want.as_deref(),
                    Some("breached"),
                    "without {missing}, {name} is accused"
                );
            }
        }
        for row in show(folder.path(), "assets", "case") {
            assert_ne!(text(&row, "verdict"), "not_accessed", "without {missing}: {row:?}");
        }
    }
}

/// Adds what a tenant of a usual size has: background records of every hour, so that a hole shows.
fn make_dense(evidence: &Path, hole: std::ops::Range<i64>) {
    let start = makyo_base::parse_time("2025-02-24T00:30:00Z").expect("time");
    let mut audit = String::new();
    let mut sign_ins = String::new();
    for hour in (0..19 * 24_i64).filter(|hour| !hole.contains(hour)) {
        for part in 0..15_i64 {
            let at = start + hour * makyo_base::HOUR_NS + part * 100 * makyo_base::SECOND_NS;
            let at = makyo_base::format_time(at);
            let time = at.trim_end_matches('Z');
            audit.push_str(&format!("{{\"CreationTime\":\"{time}\",\"Id\":\"bg-{hour}-{part}\",\"Operation\":\"MailItemsAccessed\",\"RecordType\":50,\"UserId\":\"okada@agency.example\",\"Workload\":\"Exchange\",\"ClientInfoString\":\"Client=REST;Client=RESTSystem;\",\"MailboxOwnerUPN\":\"okada@agency.example\",\"OperationProperties\":[{{\"Name\":\"MailAccessType\",\"Value\":\"Bind\"}}]}}\n"));
            sign_ins.push_str(&format!("{{\"id\":\"bg-{hour}-{part}\",\"createdDateTime\":\"{at}\",\"userPrincipalName\":\"okada@agency.example\",\"appDisplayName\":\"Office\",\"clientAppUsed\":\"Browser\",\"correlationId\":\"c\",\"ipAddress\":\"203.0.113.10\",\"isInteractive\":false,\"deviceDetail\":{{\"isManaged\":true}},\"status\":{{\"errorCode\":0}}}}\n"));
        }
    }
    fs::write(evidence.join("cloud/background.jsonl"), audit).expect("written");
    fs::write(evidence.join("cloud/background-signins.jsonl"), sign_ins).expect("written");
}

/// "Not accessed" is a proof: it needs a log in which a hole would show, and no hole in it.
#[test]
fn not_accessed_is_said_only_where_a_hole_would_show() {
    let verdict = |change: &dyn Fn(&Path)| {
        let folder = copied();
        change(&folder.path().join("evidence"));
        let run = investigate(folder.path(), &["evidence"], "case", &[]);
        assert!(matches!(run.status.code(), Some(0 | 3)), "{}", stderr(&run));
        let assets = show(folder.path(), "assets", "case");
        let found = assets.iter().find(|row| text(row, "asset") == "satellite operations");
        found.map(|row| (text(row, "verdict"), text(row, "reason"))).expect("the asset")
    };
    let audit = |evidence: &Path, keep: &dyn Fn(&str) -> bool| {
        let path = evidence.join("cloud/audit.csv");
        let lines = fs::read_to_string(&path).expect("audit");
        let kept: Vec<&str> = lines.lines().filter(|line| keep(line)).collect();
        fs::write(&path, kept.join("\n") + "\n").expect("written");
    };
    let none = 0..0;
    let whole = verdict(&|evidence| make_dense(evidence, none.clone()));
    assert_eq!(whole.0, "not_accessed", "{}", whole.1);
    let thin = verdict(&|_| {});
    assert_eq!(thin.0, "unknown");
    assert!(thin.1.contains("too few to show a hole"), "{}", thin.1);
    // Twelve hours from the evening of 6 March, and two hours of it.
    for hole in [10 * 24 + 12..11 * 24, 10 * 24 + 14..10 * 24 + 16] {
        let cut = verdict(&|evidence| {
            make_dense(evidence, hole.clone());
            audit(evidence, &|line| {
                !line.contains("2025-03-06T1") && !line.contains("2025-03-06T2")
            });
        });
        assert_eq!(cut.0, "unknown", "{hole:?}: {}", cut.1);
    }
    let no_files = verdict(&|evidence| {
        make_dense(evidence, none.clone());
        audit(evidence, &|line| !line.contains("File"));
    });
    assert_eq!(no_files.0, "unknown", "{}", no_files.1);
    let unreadable = verdict(&|evidence| {
        make_dense(evidence, none.clone());
        fs::write(evidence.join("cloud/second.csv"), "RecordId,CreationDate,RecordType,Operation,UserId,AuditData\n1,2025-03-06T14:00:00Z,6,FileAccessed,sato@agency.example,\n").expect("written");
    });
    assert_eq!(unreadable.0, "unknown", "{}", unreadable.1);
}

/// The same organisation on ordinary days: travel, a scanner, nightly shadow copies, PPAP mail, a
/// firmware upgrade, failed guesses. Nobody is accused of anything.
#[test]
fn an_ordinary_organisation_has_no_incident() {
    let folder = copied();
    let evidence = folder.path().join("evidence");
    let drop_lines = |file: &str, words: &[&str]| {
        let path = evidence.join(file);
        let text = fs::read_to_string(&path).expect("evidence");
        let kept: Vec<&str> =
            text.lines().filter(|line| !words.iter().any(|word| line.contains(word))).collect();
        fs::write(&path, kept.join("\n") + "\n").expect("written");
    };
    drop_lines("vpn/fortigate.log", &["svc-scan"]);
    drop_lines("cloud/audit.csv", &["192.0.2.150"]);
    drop_lines("network/conn.log", &["203.0.113.66", "10.99.0.61"]);
    for file in fs::read_dir(evidence.join("windows")).expect("folder").flatten() {
        let name = format!("windows/{}", file.file_name().to_string_lossy());
        if name.contains("ando") || name.contains("local") {
            fs::remove_file(file.path()).expect("removed");
        } else {
            drop_lines(&name, &["svc-backup", "10.99.0.61", "ntds", "\"EventID\":1102"]);
        }
    }
    for file in fs::read_dir(evidence.join("mail")).expect("folder").flatten() {
        if fs::read_to_string(file.path()).expect("mail").contains("invitation_panel.zip") {
            fs::remove_file(file.path()).expect("removed");
        }
    }
    let signins = fs::read_to_string(evidence.join("cloud/signins.json")).expect("sign-ins");
    let Ok(Value::Object(page)) = parse_json(&signins) else { panic!("sign-ins") };
    let Some(Value::List(list)) = page.get("value") else { panic!("value") };
    let kept: Vec<String> = list
        .iter()
        .map(makyo_base::to_json)
        .filter(|record| !record.contains("192.0.2.150"))
        .collect();
    fs::write(evidence.join("cloud/signins.json"), format!("{{\"value\":[{}]}}", kept.join(",")))
        .expect("written");
    let run = investigate(folder.path(), &["evidence"], "case", &[]);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let incidents = show(folder.path(), "incidents", "case");
    assert!(incidents.is_empty(), "{incidents:?}");
    for row in show(folder.path(), "accounts", "case") {
        let verdict = text(&row, "verdict");
        assert!(matches!(verdict.as_str(), "clear" | "unknown"), "{row:?}");
    }
}
