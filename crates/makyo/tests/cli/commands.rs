//! Help, exit status, formats, and what is not in this version.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};

use crate::{makyo, root, rows, stderr, stdout};

#[test]
fn help_teaches_every_command() {
    let here = root();
    let help = stdout(&makyo(&here, &["--help"]));
    for command in [
        "investigate",
        "events",
        "detect",
        "show",
        "sql",
        "report",
        "verify",
        "rules",
        "sources",
        "link",
        "attribute",
        "serve",
        "watch",
        "simulate",
    ] {
        assert!(help.contains(command), "{command}");
        assert!(makyo(&here, &[command, "--help"]).status.success(), "{command}");
    }
    let squeezed = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(squeezed.contains("3 done, but some evidence could not be read"), "{help}");
    assert!(stdout(&makyo(&here, &["completions", "bash"])).contains("_makyo"));
    assert!(stdout(&makyo(&here, &["man"])).contains(".TH makyo"));
}

#[test]
fn what_is_missing_says_so() {
    let here = root();
    let run = makyo(&here, &["serve", "--case", "a"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(stderr(&run).contains("is not in this version"), "{}", stderr(&run));
}

#[test]
fn simulate_writes_and_scores() {
    let folder = tempfile::tempdir().expect("folder");
    let arguments = ["simulate", "benign", "--scale", "0.05", "--days", "1", "--out", "org"];
    assert!(makyo(folder.path(), &arguments).status.success());
    let out = folder.path().join("org");
    assert!(fs::read_to_string(out.join("README.txt")).expect("text").starts_with("SYNTHETIC"));
    assert!(out.join("evidence/m365-audit").is_dir() && out.join("truth.json").is_file());
    let again = makyo(folder.path(), &arguments);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("not empty"), "{}", stderr(&again));
    let arguments = ["simulate", "--score", "case", "org/truth.json"];
    let run = makyo(folder.path(), &arguments);
    assert_eq!(run.status.code(), Some(2));
    assert!(stderr(&run).contains("accounts.json"), "{}", stderr(&run));
    let run = makyo(folder.path(), &["simulate", "nothing", "--out", "x"]);
    assert!(stderr(&run).contains("agency-inside"), "{}", stderr(&run));
}

#[test]
fn mistakes_name_their_place() {
    let folder = tempfile::tempdir().expect("folder");
    fs::write(folder.path().join("a.jsonl"), "{}").expect("written");
    fs::write(folder.path().join("org.toml"), "[organisation]\nname = \"x\"\ndomain = [\"y\"]\n")
        .expect("written");
    let run = makyo(folder.path(), &["investigate", "a.jsonl", "--org", "org.toml", "--case", "c"]);
    assert_eq!(run.status.code(), Some(2));
    let told = stderr(&run);
    assert!(
        told.contains("org.toml") && told.contains("line 3") && told.contains("domain"),
        "{told}"
    );

    let run = makyo(folder.path(), &["investigate", "nothing-here", "--case", "c"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(stderr(&run).contains("nothing-here"), "{}", stderr(&run));

    let run = makyo(folder.path(), &["show", "accounts", "--case", "nowhere"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(stderr(&run).contains("no case here"), "{}", stderr(&run));

    fs::create_dir(folder.path().join("mine")).expect("folder");
    fs::write(folder.path().join("mine/notes.txt"), "keep me").expect("written");
    let run = makyo(folder.path(), &["investigate", "a.jsonl", "--case", "mine"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(stderr(&run).contains("not empty and not a case"), "{}", stderr(&run));
}

#[test]
fn the_built_in_rules_and_sources_hold_their_tests() {
    let here = root();
    for arguments in
        [["rules", "test"], ["rules", "check"], ["sources", "test"], ["sources", "check"]]
    {
        let run = makyo(&here, &arguments);
        assert_eq!(run.status.code(), Some(0), "{arguments:?}: {}", stdout(&run));
    }
    let list = makyo(&here, &["rules", "list", "--format", "json"]);
    assert!(rows(&stdout(&list)).len() >= 50);
}

#[test]
fn a_rule_that_cannot_be_loaded_is_named_and_the_others_run() {
    let folder = tempfile::tempdir().expect("folder");
    fs::write(
        folder.path().join("bad.yml"),
        "title: t\nlogsource: {product: windows}\ndetection:\n  s: {A|bogus: 1}\n  condition: s\n",
    )
    .expect("written");
    fs::write(folder.path().join("good.yml"), "title: cleared\nlevel: high\nlogsource: {product: windows, service: security}\ndetection:\n  s: {EventID: 1102}\n  condition: s\n").expect("written");
    fs::write(folder.path().join("e.jsonl"), "{\"Channel\":\"Security\",\"EventID\":1102,\"Computer\":\"H.example\",\"TimeCreated\":\"2025-01-01T00:00:00Z\",\"EventRecordID\":9}\n").expect("written");
    let run =
        makyo(folder.path(), &["detect", "e.jsonl", "--rules", "bad.yml", "--rules", "good.yml"]);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    assert!(
        stderr(&run).contains("bad.yml:4: modifier is not supported: `bogus`"),
        "{}",
        stderr(&run)
    );
    expect_test::expect![[r#"
        {"time":"2025-01-01T00:00:00Z","rule":{"id":"cleared","title":"cleared","level":"high","tags":[]},"evidence":{"file":"e.jsonl","record":1},"entities":[{"role":"place","kind":"host","value":"h"}]}
    "#]].assert_eq(&stdout(&run));
    let run =
        makyo(folder.path(), &["detect", "e.jsonl", "--rules", "good.yml", "--fail-on", "high"]);
    assert_eq!(run.status.code(), Some(1));
    let run = makyo(
        folder.path(),
        &["detect", "e.jsonl", "--rules", "good.yml", "--fail-on", "critical"],
    );
    assert_eq!(run.status.code(), Some(0));
}

#[test]
fn sql_answers_in_every_format() {
    let folder = tempfile::tempdir().expect("folder");
    fs::write(
        folder.path().join("a.jsonl"),
        "{\"time\":\"2025-01-01T00:00:00Z\",\"user\":\"=cmd\",\"src\":\"192.0.2.1\"}\n",
    )
    .expect("written");
    let run = makyo(folder.path(), &["investigate", "a.jsonl", "--case", "c"]);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let ask = |format: &str| {
        let sql = "SELECT actor_user_name AS name, count(*) AS n FROM events GROUP BY 1";
        stdout(&makyo(folder.path(), &["sql", sql, "--case", "c", "--format", format]))
    };
    assert_eq!(ask("json"), "[\n{\"name\":\"=cmd\",\"n\":1}\n]\n");
    assert_eq!(ask("jsonl"), "{\"name\":\"=cmd\",\"n\":1}\n");
    assert_eq!(ask("csv"), "name,n\n'=cmd,1\n", "a spreadsheet must not take a name for a formula");
    assert_eq!(ask("table"), "name  n\n=cmd  1\n");
    let wrong = makyo(folder.path(), &["sql", "SELECT nothing FROM events", "--case", "c"]);
    assert_eq!(wrong.status.code(), Some(2));
    let classes = makyo(
        folder.path(),
        &["sql", "SELECT class_name, count(*) FROM events GROUP BY 1", "--case", "c"],
    );
    assert!(stdout(&classes).contains("Base Event"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = tempfile::tempdir().expect("folder");
    let lines: String = (0..20_000)
        .map(|n| {
            format!(
                "{{\"time\":\"2025-01-01T00:00:00Z\",\"user\":\"u{n}\",\"src\":\"192.0.2.1\"}}\n"
            )
        })
        .collect();
    fs::write(folder.path().join("a.jsonl"), lines).expect("written");
    let mut run = Command::new(env!("CARGO_BIN_EXE_makyo"))
        .args(["events", "a.jsonl"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut first = [0; 64];
    let mut out = run.stdout.take().expect("piped");
    out.read_exact(&mut first).expect("some output");
    drop(out);
    assert_eq!(run.wait().expect("ends").code(), Some(0));
}
