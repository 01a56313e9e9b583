//! Lures built from a public list: a known sender's message with somebody else's program and
//! something to open, put among the sender's genuine mail.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use makyo_detect::Weights;
use makyo_detect::mail::{DriftModel, MailMessage, verdicts};

use crate::drift::{fitted_before, writer_of_any};
use crate::read::mails;

/// What the inert containers of the tests of unpacking show, and the ways of bringing by link.
const BRINGS: &[(&str, &str)] = &[
    (
        "shortcut in an archive",
        "\"kinds\":[\"zip\"],\"container\":true,\"facts\":[\"double_extension\",\"shortcut_command\",\"shortcut_in_container\",\"shortcut_starts_interpreter\"]",
    ),
    (
        "locked archive, opened, with a program",
        "\"kinds\":[\"zip\"],\"container\":true,\"password\":true,\"facts\":[\"encrypted\",\"opened_with_password\",\"program_in_container\"]",
    ),
    (
        "locked archive, closed, with a dangerous name",
        "\"kinds\":[\"7z\"],\"container\":true,\"unread\":true,\"facts\":[\"closed_with_dangerous_name\",\"encrypted\"]",
    ),
    (
        "locked archive, closed, nothing known",
        "\"kinds\":[\"zip\"],\"container\":true,\"unread\":true,\"facts\":[\"encrypted\"]",
    ),
    (
        "document with a template from elsewhere",
        "\"kinds\":[\"ooxml\"],\"facts\":[\"external_template\"]",
    ),
    ("document with a macro", "\"kinds\":[\"ole\"],\"facts\":[\"macro_acts_alone\"]"),
    (
        "disk image",
        "\"kinds\":[\"iso\"],\"container\":true,\"facts\":[\"disk_image\",\"hidden_member\",\"shortcut_in_container\"]",
    ),
    ("page that builds a file", "\"kinds\":[\"html\"],\"facts\":[\"page_makes_file\"]"),
    (
        "link to an archive, with its password",
        "\"shares\":[\"files.example\"],\"file_links\":[\"https://files.example/a.zip\"],\"password\":true",
    ),
    ("link to a share", "\"shares\":[\"files.example\"]"),
];

pub(crate) fn run(list: &Path, ham: &[PathBuf], weights: &Weights) -> anyhow::Result<()> {
    let mut all = mails(list)?.all;
    all.retain(|message| message.at > 0 && !message.from.is_empty());
    all.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    let model = fitted_before(&all);
    ham_rates("list", &all, &model, weights);
    for folder in ham {
        let mut one = mails(folder)?.all;
        one.retain(|message| message.at > 0 && !message.from.is_empty());
        one.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        ham_rates(&folder.display().to_string(), &one, &model, weights);
    }
    let middle = all.len() / 2;
    for (what, brings) in BRINGS {
        // Few lures at a time, so that they do not become the sender's habit.
        let (mut found, mut malicious, mut count) = (0, 0, 0);
        for round in 0..4 {
            let lures = lures(&all, middle + round * 37, brings);
            let ids: BTreeSet<String> = lures.iter().map(|lure| lure.id.clone()).collect();
            let mut mixed: Vec<MailMessage> = all.iter().cloned().chain(lures).collect();
            mixed.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
            let made = verdicts(&mixed, &[], &model, weights);
            for (message, one) in mixed.iter().zip(made).filter(|pair| ids.contains(&pair.0.id)) {
                count += usize::from(message.at > 0);
                found += usize::from(one.0 != "clean");
                malicious += usize::from(one.0 == "malicious");
            }
        }
        println!(
            "{what}: {found} of {count} found ({:.3}), {malicious} as malicious",
            found as f64 / f64::from(count.max(1) as u32)
        );
    }
    Ok(())
}

/// Every 149th message of a known sender in the second half, written by another and with a burden.
fn lures(all: &[MailMessage], from: usize, brings: &str) -> Vec<MailMessage> {
    let mut made = Vec::new();
    for place in (from..all.len()).step_by(149) {
        let Some(message) = all.get(place) else { continue };
        let known = all.iter().take(place).filter(|one| one.from == message.from).count() >= 5;
        let Some(writer) = writer_of_any(all, place).filter(|_| known) else { continue };
        let mut lure = message.written_by(writer);
        lure.id = format!("lure-{place}@bench.example");
        lure.at += 60_000_000_000;
        lure.take_features(&format!("{{\"list\":false,\"dmarc\":\"pass\",{brings}}}"));
        made.push(lure);
    }
    made
}

fn ham_rates(name: &str, all: &[MailMessage], model: &DriftModel, weights: &Weights) {
    let made = verdicts(all, &[], model, weights);
    let flagged: Vec<usize> = (0..made.len()).filter(|at| made[*at].0 != "clean").collect();
    println!(
        "ham of {name}: {} of {} not clean ({:.3} %)",
        flagged.len(),
        all.len(),
        100.0 * flagged.len() as f64 / all.len().max(1) as f64
    );
    for at in flagged.iter().take(12) {
        println!("    {} {:.0} {:?}", made[*at].0, made[*at].1, made[*at].2);
    }
}
