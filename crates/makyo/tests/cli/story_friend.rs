//! Story 002: a lure from a friend's account, from the mailbox to the host.

use makyo_base::{Value, parse_json};

use crate::{copy, makyo, root, show, stderr, text};

#[test]
fn the_lure_is_found_and_what_looks_like_it_is_not() {
    let story = root().join("stories/002-friend");
    let folder = tempfile::tempdir().expect("folder");
    copy(&story.join("evidence"), &folder.path().join("evidence"));
    let org = story.join("org.toml").display().to_string();
    let run = makyo(folder.path(), &["investigate", "evidence", "--org", &org, "--case", "case"]);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let truth = std::fs::read_to_string(story.join("truth.json")).expect("truth");
    let Ok(Value::Object(truth)) = parse_json(&truth) else { panic!("no truth") };
    let Some(Value::Object(wanted)) = truth.get("messages") else { panic!("no messages") };
    let messages = show(folder.path(), "messages", "case");
    assert_eq!(messages.len(), 22);
    for row in &messages {
        let id = text(row, "message_id");
        let want = wanted.get(&id).and_then(Value::as_str).unwrap_or("clean");
        assert_eq!(text(row, "verdict"), want, "{id}: {row:?}");
        if want == "malicious" {
            assert_eq!(text(row, "sender"), "compromised");
            let said = format!("{row:?}");
            for part in [
                "日米同盟勉強会_案内.docx.lnk",
                "Taiwan0313",
                "pc-matsui",
                "+0800",
                "accuses nobody",
            ] {
                assert!(said.contains(part), "{part} in {said}");
            }
        }
    }
    let hosts = show(folder.path(), "hosts", "case");
    let host = hosts.iter().find(|row| text(row, "host") == "pc-matsui").expect("the host");
    assert_eq!(text(host, "verdict"), "breached");
    let entries = show(folder.path(), "entry", "case");
    let vectors: Vec<String> = entries.iter().map(|row| text(row, "vector")).collect();
    assert_eq!(vectors, ["phishing", "stolen_token"], "{entries:?}");
    // What was taken from the computer opened the mailbox: one intrusion.
    assert_eq!(show(folder.path(), "incidents", "case").len(), 1);
}
