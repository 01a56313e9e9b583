//! Style and structure as a test: what a reviewer would otherwise have to say again and again.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Which crates of the workspace a crate may use; the order is the way of the data. Exceptions to
/// "stages know the nouns and not each other" stand here with their reason.
const MAY_USE: &[(&str, &[&str])] = &[
    ("makyo-base", &[]),
    ("makyo-sigma", &["makyo-base"]),
    ("makyo-collect", &["makyo-base"]),
    ("makyo-unpack", &["makyo-base"]),
    // Decoding opens what collecting recognised: the sniffing and the capped reading are shared.
    // It hands the attachments of messages to unpacking.
    ("makyo-decode", &["makyo-base", "makyo-sigma", "makyo-collect", "makyo-unpack"]),
    ("makyo-flow", &["makyo-base"]),
    ("makyo-detect", &["makyo-base", "makyo-sigma"]),
    ("makyo-detect-yara", &["makyo-base"]),
    ("makyo-case", &["makyo-base"]),
    ("makyo-incident", &["makyo-base"]),
    // Its weights are YAML with places for mistakes, as those of detection are.
    ("makyo-link", &["makyo-base", "makyo-sigma"]),
    ("makyo-report", &["makyo-base"]),
    ("makyo-simulate", &["makyo-base"]),
];

/// Heavy engines and the one crate that may depend on each.
const BEHIND: &[(&str, &str)] =
    &[("datafusion", "makyo-case"), ("yara-x", "makyo-detect-yara"), ("axum", "makyo-serve")];

const FILE_BYTES_MAX: u64 = 1 << 20;

/// All untidy places.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut problems = Vec::new();
    dependencies(root, &mut problems)?;
    files(root, &mut problems)?;
    crates(root, &mut problems)?;
    sources(root, &mut problems)?;
    rules(root, &mut problems)?;
    stories(root, &mut problems)?;
    problems.sort();
    Ok(problems)
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

fn folders(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    Ok(found)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Names of a manifest's ordinary dependencies, in their order.
fn dependency_names(manifest: &str) -> Vec<String> {
    manifest
        .lines()
        .skip_while(|line| line.trim() != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|word| !word.is_empty() && !word.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

fn dependencies(root: &Path, problems: &mut Vec<String>) -> anyhow::Result<()> {
    let workspace = read(&root.join("Cargo.toml"))?;
    if workspace.lines().any(|line| line.contains("= \"*\"")) {
        problems.push("Cargo.toml: a version is `*`".into());
    }
    for folder in folders(&root.join("crates"))? {
        let own = name(&folder);
        let names = dependency_names(&read(&folder.join("Cargo.toml"))?);
        let mut sorted = names.clone();
        sorted.sort();
        if names != sorted {
            problems.push(format!(
                "crates/{own}/Cargo.toml: dependencies are not in alphabetical order"
            ));
        }
        let allowed = MAY_USE.iter().find(|entry| entry.0 == own).map(|entry| entry.1);
        for used in names.iter().filter(|used| used.starts_with("makyo")) {
            if allowed.is_some_and(|allowed| !allowed.contains(&used.as_str())) {
                problems.push(format!(
                    "crates/{own} depends on {used}: stages know the nouns, not each other"
                ));
            }
        }
        if own != "makyo" && allowed.is_none() {
            problems.push(format!("crates/{own} is not in the table of xtask/src/tidy.rs"));
        }
        for (heavy, keeper) in BEHIND {
            if names.iter().any(|used| used == heavy) && own != *keeper {
                problems.push(format!("crates/{own} depends on {heavy}, which stops at {keeper}"));
            }
        }
    }
    Ok(())
}

/// All files that are the project's, not build output and not the history.
fn project_files(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next)
            .with_context(|| format!("cannot read `{}`", next.display()))?
            .flatten()
        {
            let path = entry.path();
            let is_ours = !matches!(name(&path).as_str(), "target" | ".git" | "case")
                && !name(&path).ends_with(".case");
            if path.is_dir() && is_ours {
                open.push(path);
            } else if path.is_file() && is_ours {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn files(root: &Path, problems: &mut Vec<String>) -> anyhow::Result<()> {
    for path in project_files(root)? {
        let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        if fs::metadata(&path)?.len() > FILE_BYTES_MAX {
            problems.push(format!("{shown}: larger than 1 MiB"));
        }
        if !shown.ends_with(".rs") {
            continue;
        }
        let text = read(&path)?;
        // Split, so that this file does not find itself.
        for (word, reason) in [
            (concat!("#[", "ignore"), "a test that does not run proves nothing"),
            (concat!("should_", "panic"), "assert the error instead"),
            (concat!("todo", "!("), "what is missing says so when it is used"),
            (concat!("FIX", "ME"), "name the issue: write it into the tracker"),
            (concat!("thread::", "sleep"), "tests wait for a condition, not for time"),
        ] {
            if text.contains(word) {
                problems.push(format!("{shown}: has `{word}`: {reason}"));
            }
        }
        if !text.starts_with("//!") && !shown.contains("/tests") && !shown.ends_with("tests.rs") {
            problems.push(format!("{shown}: does not begin by saying what it is"));
        }
    }
    Ok(())
}

fn crates(root: &Path, problems: &mut Vec<String>) -> anyhow::Result<()> {
    for folder in folders(&root.join("crates"))? {
        if !folder.join("README.md").exists() {
            problems.push(format!("crates/{}: has no README.md with its reason", name(&folder)));
        }
        let main = folder.join("src/main.rs");
        if main.exists() && read(&main)?.lines().count() > 100 {
            problems.push(format!("crates/{}: main.rs has more than 100 lines", name(&folder)));
        }
    }
    Ok(())
}

fn sources(root: &Path, problems: &mut Vec<String>) -> anyhow::Result<()> {
    for folder in folders(&root.join("sources"))? {
        let own = name(&folder);
        if own == "shapes" {
            continue;
        }
        for part in ["source.yml", "README.md", "fixtures"] {
            if !folder.join(part).exists() {
                problems.push(format!("sources/{own}: has no {part}"));
            }
        }
        if !read(&folder.join("source.yml"))?.lines().any(|line| line == format!("id: {own}")) {
            problems.push(format!("sources/{own}/source.yml: its id is not the folder's name"));
        }
        for fixture in fs::read_dir(folder.join("fixtures"))?.flatten() {
            let lines = read(&fixture.path())?.lines().count();
            if lines > 200 {
                problems.push(format!(
                    "sources/{own}/fixtures: {} has more than 200 lines",
                    name(&fixture.path())
                ));
            }
        }
    }
    Ok(())
}

fn rules(root: &Path, problems: &mut Vec<String>) -> anyhow::Result<()> {
    for path in project_files(&root.join("rules"))? {
        let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        if ![".yml", ".yar"].iter().any(|end| shown.ends_with(end)) {
            continue;
        }
        let page = path.with_extension("md");
        let text = fs::read_to_string(&page).unwrap_or_default();
        for heading in ["## Fires", "## Stays quiet"] {
            if !text.contains(heading) {
                problems.push(format!("{shown}: its page has no `{heading}`"));
            }
        }
    }
    Ok(())
}

fn stories(root: &Path, problems: &mut Vec<String>) -> anyhow::Result<()> {
    for folder in folders(&root.join("stories"))? {
        for part in ["story.md", "org.toml", "evidence", "truth.json"] {
            if !folder.join(part).exists() {
                problems.push(format!("stories/{}: has no {part}", name(&folder)));
            }
        }
    }
    Ok(())
}
