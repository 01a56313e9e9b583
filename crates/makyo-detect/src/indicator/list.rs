//! Plain lists: one value a line, `#` comments, defanged or not.

use super::draft::{Draft, Reading};
use super::value::IndicatorValue;

pub(super) fn read(text: &str, reading: &mut Reading<'_>) {
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) || trimmed.starts_with("//") {
            continue;
        }
        // A comment follows after a blank, because URLs have `#` and `;` too.
        let cut = [" #", "\t#", " ;", "\t;"].iter().filter_map(|mark| trimmed.find(mark)).min();
        let (value, comment) = match cut.and_then(|at| trimmed.split_at_checked(at)) {
            Some((value, comment)) => {
                (value.trim(), comment.trim().trim_start_matches(['#', ';']).trim())
            }
            None => match trimmed.split_once(';') {
                // `hash;comment`, as hash lists have it.
                Some((value, comment)) if super::value::hash(value.trim()).is_some() => {
                    (value.trim(), comment.trim())
                }
                _ => (trimmed, ""),
            },
        };
        match IndicatorValue::guess(value) {
            Ok((found, port)) => reading.keep(Draft {
                title: comment.to_owned(),
                alternatives: vec![(vec![found], port)],
                line: number,
                ..Draft::default()
            }),
            Err(reason) => reading.refuse(number, reason),
        }
    }
}
