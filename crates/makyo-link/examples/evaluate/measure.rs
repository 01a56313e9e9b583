//! Measures of clusterings and of probabilities.

use std::collections::BTreeMap;

/// Measures of a clustering against the truth.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clusters {
    pub(crate) b3: (f64, f64),
    pub(crate) pairs: (f64, f64),
}

impl Clusters {
    /// Harmonic mean of B-cubed precision and recall (Bagga and Baldwin 1998).
    pub(crate) fn b3_f1(&self) -> f64 {
        2.0 * self.b3.0 * self.b3.1 / (self.b3.0 + self.b3.1)
    }
}

/// From pairs of true group and cluster.
pub(crate) fn clusters(items: &[(&str, usize)]) -> Clusters {
    let mut groups: BTreeMap<&str, f64> = BTreeMap::new();
    let mut sets: BTreeMap<usize, f64> = BTreeMap::new();
    let mut both: BTreeMap<(&str, usize), f64> = BTreeMap::new();
    for (group, set) in items {
        *groups.entry(group).or_default() += 1.0;
        *sets.entry(*set).or_default() += 1.0;
        *both.entry((group, *set)).or_default() += 1.0;
    }
    let pairs = |n: &f64| n * (n - 1.0) / 2.0;
    let right: f64 = both.values().map(pairs).sum();
    let told: f64 = sets.values().map(pairs).sum();
    let true_pairs: f64 = groups.values().map(pairs).sum();
    let shares = |is_precision: bool| {
        let of = both.iter().map(|(key, n)| {
            let all = if is_precision { sets.get(&key.1) } else { groups.get(key.0) };
            n * n / all.copied().unwrap_or(1.0)
        });
        of.sum::<f64>() / items.len() as f64
    };
    Clusters {
        b3: (shares(true), shares(false)),
        pairs: (if told > 0.0 { right / told } else { 1.0 }, right / true_pairs.max(1.0)),
    }
}

pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count == 0.0 { f64::NAN } else { sum / count }
}

/// Cost of log likelihood ratios in nats (Brümmer and du Preez 2006): 0 is perfect, 1 says nothing.
pub(crate) fn cllr(same: &[f64], different: &[f64]) -> f64 {
    let cost = |x: f64| if x > 30.0 { x } else { x.exp().ln_1p() };
    0.5 * (mean(same.iter().map(|x| cost(-x))) + mean(different.iter().map(|x| cost(*x))))
        / std::f64::consts::LN_2
}

/// Area under the curve: the chance that a positive one is above a negative one.
pub(crate) fn auroc(negative: &[f64], positive: &[f64]) -> f64 {
    mean(positive.iter().flat_map(|p| {
        negative.iter().map(move |n| match p.total_cmp(n) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        })
    }))
}

/// Bins of equal number: mean of what was stated, share that was right, how many.
pub(crate) fn bins(claims: &[(f64, bool)], count: usize) -> Vec<(f64, f64, usize)> {
    let mut sorted = claims.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (size, rest) = (sorted.len() / count, sorted.len() % count);
    let mut found = Vec::new();
    let mut from = sorted.as_slice();
    for bin in 0..count {
        let (own, later) = from.split_at((size + usize::from(bin < rest)).min(from.len()));
        from = later;
        if !own.is_empty() {
            let right = mean(own.iter().map(|claim| f64::from(u8::from(claim.1))));
            found.push((mean(own.iter().map(|claim| claim.0)), right, own.len()));
        }
    }
    found
}

/// Expected calibration error over the bins.
pub(crate) fn ece(claims: &[(f64, bool)]) -> f64 {
    let all = claims.len() as f64;
    bins(claims, 10).iter().map(|(told, right, n)| *n as f64 / all * (told - right).abs()).sum()
}

/// The expected calibration error that perfectly calibrated claims of these probabilities would show
/// by chance: mean and 95 % of two hundred draws.
pub(crate) fn ece_by_chance(claims: &[(f64, bool)]) -> (f64, f64) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut found: Vec<f64> = (0..200)
        .map(|_| ece(&claims.iter().map(|(p, _)| (*p, draw() < *p)).collect::<Vec<_>>()))
        .collect();
    found.sort_by(f64::total_cmp);
    (mean(found.iter().copied()), found.get(189).copied().unwrap_or_default())
}

/// Wilson's interval of 95 % for a share.
pub(crate) fn wilson(right: usize, all: usize) -> (f64, f64) {
    if all == 0 {
        return (0.0, 1.0);
    }
    let (n, z2) = (all as f64, 3.841_458_8);
    let share = right as f64 / n;
    let middle = share + z2 / (2.0 * n);
    let spread = (z2 * (share * (1.0 - share) / n + z2 / (4.0 * n * n))).sqrt();
    ((middle - spread) / (1.0 + z2 / n), (middle + spread) / (1.0 + z2 / n))
}

/// A reliability diagram in text: what was stated, what was right.
pub(crate) fn diagram(claims: &[(f64, bool)]) {
    println!("    stated  right      n  0 .. 1 (o stated, # right)");
    for (told, right, n) in bins(claims, 10) {
        let at = |share: f64| (share * 40.0).round() as usize;
        let line: String = (0..=40)
            .map(|place| match (place == at(told), place == at(right)) {
                (true, true) => '@',
                (true, false) => 'o',
                (false, true) => '#',
                _ => '.',
            })
            .collect();
        println!("    {told:.3}   {right:.3}  {n:5}  {line}");
    }
}

/// A reliability diagram as SVG: bins of equal number with Wilson's intervals; on the line is right.
pub(crate) fn drawing(title: &str, claims: &[(f64, bool)]) -> String {
    let (x, y) = (|p: f64| 50.0 + p * 300.0, |p: f64| 350.0 - p * 300.0);
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 380 400\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"380\" height=\"400\" fill=\"#fff\"/>\n",
    );
    let mut line = |text: String| {
        svg.push_str(&text);
        svg.push('\n');
    };
    line(format!("<title>{title}: stated probability and share that was right</title>"));
    line(format!("<text x=\"200\" y=\"30\" text-anchor=\"middle\">{title}</text>"));
    for step in 0..=5 {
        let p = f64::from(step) / 5.0;
        line(format!(
            "<path d=\"M50 {0:.1}H350M{1:.1} 50V350\" stroke=\"#ddd\"/><text x=\"44\" y=\"{2:.1}\" text-anchor=\"end\">{p:.1}</text><text x=\"{1:.1}\" y=\"366\" text-anchor=\"middle\">{p:.1}</text>",
            y(p),
            x(p),
            y(p) + 4.0
        ));
    }
    line("<path d=\"M50 350L350 50\" stroke=\"#888\" stroke-dasharray=\"4 3\"/>".to_owned());
    for (told, right, n) in bins(claims, 10) {
        let (low, high) = wilson((right * n as f64).round() as usize, n);
        line(format!(
            "<path d=\"M{0:.1} {1:.1}V{2:.1}\" stroke=\"#1f6f8b\"/><circle cx=\"{0:.1}\" cy=\"{3:.1}\" r=\"3.5\" fill=\"#1f6f8b\"><title>stated {told:.3}, right {right:.3} of {n}</title></circle>",
            x(told),
            y(low),
            y(high),
            y(right)
        ));
    }
    line("<text x=\"200\" y=\"388\" text-anchor=\"middle\">stated</text><text x=\"14\" y=\"200\" transform=\"rotate(-90 14 200)\" text-anchor=\"middle\">right</text>".to_owned());
    line("</svg>".to_owned());
    svg
}
