//! Real samples beside the checkout, where they exist.

use std::fs;
use std::path::PathBuf;

use crate::{makyo, root, stderr, stdout};

pub(crate) fn samples(folder: &str) -> Option<PathBuf> {
    let path = root().join("../shared/data").join(folder);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: no real samples at {}", path.display());
    None
}

/// Public rules: whatever is refused is named, and only for what this version says it lacks.
#[test]
fn public_rules_load() {
    let Some(rules) = samples("sigma/rules") else { return };
    let run = makyo(&root(), &["rules", "check", &rules.display().to_string()]);
    let text = stdout(&run);
    let refused: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("no source description serves"))
        .filter(|line| !line.contains("rules loaded"))
        .filter(|line| {
            !line.contains("correlation rules are not evaluated yet") && !line.contains("`expand`")
        })
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert!(text.contains("3") && text.contains("rules loaded"), "{text}");
}

/// SigmaHQ's own regression data: which rule must fire on which file. A number that may only rise.
#[test]
fn public_regression_cases_fire() {
    let Some(data) = samples("sigma/regression_data") else { return };
    let Some(rules) = samples("sigma") else { return };
    let arguments: Vec<String> = ["rules", "rules-emerging-threats", "rules-threat-hunting"]
        .iter()
        .flat_map(|name| ["--rules".to_owned(), rules.join(name).display().to_string()])
        .collect();
    let mut all = vec!["detect".to_owned(), data.display().to_string()];
    all.extend(arguments);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let run = makyo(&root(), &all);
    let found = stdout(&run);
    let mut open = vec![data];
    let (mut cases, mut held) = (0, 0);
    let mut missed = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("folder").flatten() {
            if entry.path().is_dir() {
                open.push(entry.path());
            }
        }
        let Ok(info) = fs::read_to_string(folder.join("info.yml")) else { continue };
        let evtx = fs::read_dir(&folder)
            .expect("folder")
            .flatten()
            .find(|file| file.path().extension().is_some_and(|end| end == "evtx"));
        let Some(evtx) = evtx else { continue };
        let rule = info
            .lines()
            .skip_while(|line| !line.contains("rule_metadata"))
            .find_map(|line| line.trim().trim_start_matches("- ").strip_prefix("id:"));
        let Some(rule) = rule.map(|id| id.trim().trim_matches('"')) else { continue };
        cases += 1;
        let file = evtx.path().display().to_string();
        let hit = found.lines().any(|line| line.contains(rule) && line.contains(&file));
        held += usize::from(hit);
        if !hit {
            missed.push(format!("{rule} {file}"));
        }
    }
    println!("{held} of {cases} regression cases hold");
    assert!(cases >= 200, "{cases} cases found; {}", stderr(&run));
    assert!(held >= 201, "{held} of {cases} hold; missed:\n{}", missed.join("\n"));
}

/// The public Pulse lines become sessions: nearly every end belongs to one with earlier lines.
#[test]
fn public_vpn_lines_become_sessions() {
    let Some(lines) = samples("vpn/azure-sentinel/PulseConnectSecure.json") else { return };
    let folder = tempfile::tempdir().expect("folder");
    let case = folder.path().join("case");
    let (lines, place) = (lines.display().to_string(), case.display().to_string());
    let run = makyo(&root(), &["investigate", &lines, "--case", &place, "--no-progress"]);
    assert!(run.status.success(), "{}", stderr(&run));
    let case = makyo_case::Case::open(&case, 1).expect("case");
    let found = makyo_detect::remote_sessions(&case).expect("sessions");
    println!(
        "{} sessions; {} of {} ends linked",
        found.sessions.len(),
        found.ends_linked,
        found.ends
    );
    assert!(found.ends >= 20, "{} ends", found.ends);
    assert!(found.ends_linked * 10 >= found.ends * 9, "{} of {}", found.ends_linked, found.ends);
}
