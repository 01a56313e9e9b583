//! Real samples beside the checkout, where they exist.

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

/// SigmaHQ's own regression data: which rule must fire on which file.
#[test]
fn public_regression_cases_hold() {
    let Some(data) = samples("sigma/regression_data") else { return };
    let Some(rules) = samples("sigma") else { return };
    let folders = ["rules", "rules-emerging-threats", "rules-threat-hunting"];
    let folders = folders.map(|name| rules.join(name).display().to_string());
    let data = data.display().to_string();
    let [all, emerging, hunting] = &folders;
    let run = makyo(&root(), &["rules", "test", all, emerging, hunting, "--regression", &data]);
    let text = stdout(&run);
    println!("{}", text.lines().last().unwrap_or_default());
    assert!(text.contains("202 of 202 regression cases hold"), "{text}{}", stderr(&run));
    assert_eq!(run.status.code(), Some(0), "{text}");
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
