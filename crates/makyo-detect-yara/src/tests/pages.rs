//! Every own rule fires on its page's samples, and no own rule fires on what stays quiet.

use std::fs;

use super::{PATIENCE, root};
use crate::YaraRules;

struct Sample {
    fires: bool,
    heading: String,
    bytes: Vec<u8>,
}

fn samples(page: &str) -> Vec<Sample> {
    let mut found = Vec::new();
    let mut heading = "";
    let mut open: Option<(&str, Vec<&str>)> = None;
    for line in page.lines() {
        match &mut open {
            Some((kind, lines)) if line == "```" => {
                let body = lines.join("\n");
                let bytes = match *kind {
                    "hex" => unhex(&body),
                    "text" => body.into_bytes(),
                    other => panic!("unknown language of a sample: `{other}`"),
                };
                found.push(Sample {
                    fires: heading.starts_with("Fires"),
                    heading: heading.to_owned(),
                    bytes,
                });
                open = None;
            }
            Some((_, lines)) => lines.push(line),
            None => {
                if let Some(title) = line.strip_prefix("## ") {
                    assert!(
                        title.starts_with("Fires") || title.starts_with("Stays quiet"),
                        "{title}"
                    );
                    heading = title;
                } else if let Some(kind) = line.strip_prefix("```") {
                    open = Some((kind, Vec::new()));
                }
            }
        }
    }
    found
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| u8::try_from(letter.to_digit(16).expect("hexadecimal")).expect("small"))
        .collect();
    assert_eq!(digits.len() % 2, 0);
    digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect()
}

#[test]
fn own_rules_do_what_their_pages_say() {
    let folder = root().join("rules/yara");
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).expect("rules").flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|end| end == "yar") {
            let name = path.file_stem().expect("name").to_string_lossy().into_owned();
            files.push((name, fs::read_to_string(&path).expect("text")));
        }
    }
    files.sort();
    assert!(files.len() >= 4);
    let (rules, problems) = YaraRules::compile(&files);
    assert_eq!(problems, []);
    for (name, _) in &files {
        let page = fs::read_to_string(folder.join(format!("{name}.md"))).expect("page");
        let samples = samples(&page);
        assert!(samples.iter().any(|sample| sample.fires), "{name}");
        assert!(samples.iter().any(|sample| !sample.fires), "{name}");
        for sample in samples {
            let found = rules.scan(&sample.bytes, PATIENCE).expect("in time");
            let found: Vec<&str> = found.iter().map(|one| one.rule.name.as_str()).collect();
            let want: &[&str] = if sample.fires { &[name] } else { &[] };
            assert_eq!(found, want, "{name}: {}", sample.heading);
        }
    }
}

#[test]
fn own_rules_say_what_findings_need() {
    let folder = root().join("rules/yara");
    for entry in fs::read_dir(&folder).expect("rules").flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|end| end != "yar") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("text");
        let (rules, _) = YaraRules::compile(&[(path.display().to_string(), text.clone())]);
        for rule in rules.list() {
            assert_eq!(rule.id.len(), 36, "{}: its id is a UUID", rule.name);
            assert!(!rule.techniques.is_empty(), "{}: techniques", rule.name);
            assert_ne!(rule.title, rule.name, "{}: title", rule.name);
            assert!(!rule.description.is_empty(), "{}: description", rule.name);
        }
        for key in ["level", "date", "author = \"Makyo\""] {
            assert!(text.contains(key), "{}: {key}", path.display());
        }
    }
}
