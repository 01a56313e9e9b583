use std::env;
use std::fs;

use super::{events, root, sources};

/// Every fixture is recognised by its own source and gives the events beside it.
#[test]
fn fixtures_give_their_events() {
    let sources = sources();
    let bless = env::var_os("MAKYO_BLESS").is_some();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for source in &sources.all {
        let folder = root().join("sources").join(&source.id).join("fixtures");
        let mut files: Vec<_> =
            fs::read_dir(&folder).expect("fixtures").flatten().map(|f| f.path()).collect();
        files.sort();
        for path in
            files.iter().filter(|path| !path.display().to_string().ends_with(".events.jsonl"))
        {
            seen += 1;
            let name = path.strip_prefix(root()).expect("inside").display().to_string();
            let text = fs::read_to_string(path).expect("fixture");
            let found = events(sources, &text);
            for index in &found.sources {
                let id = sources.get(*index).map_or("generic", |source| source.id.as_str());
                if id != source.id {
                    wrong.push(format!("{name}: a record is read as `{id}`"));
                }
            }
            for defect in &found.defects {
                wrong.push(format!("{name}: {} {}", defect.position, defect.detail));
            }
            if found.lines.is_empty() {
                wrong.push(format!("{name}: gives no event"));
            }
            if let Some(line) = found.lines.iter().find(|line| !line.contains("\"time\":")) {
                wrong.push(format!("{name}: an event has no time: {line}"));
            }
            let golden = path.with_file_name(format!(
                "{}.events.jsonl",
                path.file_name().expect("name").to_string_lossy()
            ));
            let text = found.lines.join("\n") + "\n";
            if bless {
                fs::write(&golden, &text).expect("written");
            } else if fs::read_to_string(&golden).unwrap_or_default() != text {
                wrong.push(format!("{name}: events differ from {}; run `cargo xtask bless` and read the difference", golden.display()));
            }
        }
    }
    assert!(seen > 20, "only {seen} fixtures found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
