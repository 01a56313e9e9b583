//! Mass phishing against ham, by the signs of mass mail.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use makyo_base::sha256;
use makyo_detect::mail::MailMessage;

use crate::read::mails;

/// Of a message: its signs, whether it is phishing, whether it was vouched for, which half.
struct Row {
    signs: Vec<String>,
    is_phish: bool,
    passes: bool,
    fits: bool,
}

/// Measures with the weights given, or fits new ones on one half.
pub(crate) fn run(
    phish: &Path,
    ham: &[PathBuf],
    mass: &dyn Fn(&[String]) -> f64,
    fit: bool,
) -> anyhow::Result<()> {
    let mut rows = rows(mails(phish)?.all, true);
    for folder in ham {
        rows.extend(self::rows(mails(folder)?.all, false));
    }
    let fitted = if fit { Some(weights(&rows)) } else { None };
    let score = |row: &Row| match &fitted {
        Some(weights) => row.signs.iter().filter_map(|sign| weights.get(sign)).sum(),
        None => mass(&row.signs),
    };
    let mut genuine: Vec<f64> =
        rows.iter().filter(|row| !row.is_phish && !row.fits).map(score).collect();
    genuine.sort_by(f64::total_cmp);
    for share in [0.01, 0.001] {
        let at = (genuine.len() as f64 * (1.0 - share)).floor() as usize;
        let bound = genuine.get(at).copied().unwrap_or(f64::MAX);
        let recall = |rows: Vec<&Row>| {
            let hits = rows.iter().filter(|row| score(row) > bound).count();
            (hits as f64 / rows.len().max(1) as f64, rows.len())
        };
        let held = || rows.iter().filter(|row| row.is_phish && !row.fits);
        let (all, passed) =
            (recall(held().collect()), recall(held().filter(|row| row.passes).collect()));
        println!(
            "at {:.1} % of {} ham (over {bound:.1}): recall {:.3} of {}, of those that passed all checks {:.3} of {}",
            share * 100.0,
            genuine.len(),
            all.0,
            all.1,
            passed.0,
            passed.1
        );
    }
    if let Some(weights) = fitted {
        for (sign, weight) in weights {
            let rate = |is_phish: bool| {
                let of: Vec<&Row> =
                    rows.iter().filter(|row| row.is_phish == is_phish && row.fits).collect();
                of.iter().filter(|row| row.signs.contains(&sign)).count() as f64
                    / of.len().max(1) as f64
            };
            println!(
                "    {sign}: {weight}    # {:.3} of phishing, {:.3} of ham",
                rate(true),
                rate(false)
            );
        }
    }
    Ok(())
}

fn rows(all: Vec<MailMessage>, is_phish: bool) -> Vec<Row> {
    all.iter()
        .map(|message| Row {
            signs: message.list("mass").to_vec(),
            is_phish,
            passes: ["spf", "dkim", "dmarc"].iter().all(|method| message.text(method) == "pass"),
            fits: sha256(message.file.rsplit('/').next().unwrap_or_default().as_bytes())[0]
                .is_multiple_of(2),
        })
        .collect()
}

/// Logistic regression on the signs, in whole decibans.
fn weights(rows: &[Row]) -> BTreeMap<String, f64> {
    let mut names: Vec<&String> = rows.iter().flat_map(|row| &row.signs).collect();
    names.sort();
    names.dedup();
    let place: BTreeMap<&String, usize> =
        names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let data: Vec<(Vec<usize>, f64)> = rows
        .iter()
        .filter(|row| row.fits)
        .map(|row| {
            let signs = row.signs.iter().filter_map(|sign| place.get(sign).copied()).collect();
            (signs, f64::from(u8::from(row.is_phish)))
        })
        .collect();
    let of_kind =
        [0.0, 1.0].map(|kind| data.iter().filter(|row| row.1 == kind).count().max(1) as f64);
    let mut weights = vec![0.0; names.len() + 1];
    let mut speed = vec![0.0; names.len() + 1];
    for _ in 0..2_000 {
        let mut slope = vec![0.0; names.len() + 1];
        for (signs, truth) in &data {
            let sum = weights[names.len()] + signs.iter().map(|at| weights[*at]).sum::<f64>();
            let error = (1.0 / (1.0 + (-sum).exp()) - truth) / of_kind[usize::from(*truth > 0.5)];
            signs.iter().for_each(|at| slope[*at] += error);
            slope[names.len()] += error;
        }
        for at in 0..=names.len() {
            speed[at] = 0.9 * speed[at] - 0.5 * (slope[at] + 0.001 * weights[at]);
            weights[at] += speed[at];
        }
    }
    let decibans = |weight: f64| (weight * 10.0 / std::f64::consts::LN_10).round();
    names.iter().enumerate().map(|(at, name)| ((*name).clone(), decibans(weights[at]))).collect()
}
