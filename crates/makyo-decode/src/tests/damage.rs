//! Every fixture, damaged at random but the same in every run: nothing panics, and what is found by
//! place is what is found by name.

use std::fs;
use std::path::Path;

use makyo_base::{Decoded, Defect, DefectKind, Object, RecordSink, Stop};
use makyo_sigma::Scratch;

use super::sources;
use crate::slots::{Slots, View};
use crate::source::Condition;
use crate::{DecodeOptions, decode_text};

/// A generator of numbers without any claim (Marsaglia's xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).expect("below a size")
    }
}

fn damaged(line: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = line.chars().collect();
    for _ in 0..=dice.below(3) {
        if letters.is_empty() {
            break;
        }
        let at = dice.below(letters.len());
        match dice.below(5) {
            0 => drop(letters.remove(at)),
            1 => {
                letters.insert(at, ['é', '"', ' ', '=', '\0', '\u{212a}', '[', '.'][dice.below(8)])
            }
            2 => letters.truncate(at),
            3 => letters[at] = letters[at].to_ascii_uppercase(),
            _ => letters.swap(at, 0),
        }
    }
    letters.into_iter().collect()
}

/// Every text of every fixture, as it is and damaged.
fn texts() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sources");
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut paths = Vec::new();
    for source in fs::read_dir(folder).expect("sources").flatten() {
        for fixture in fs::read_dir(source.path().join("fixtures")).into_iter().flatten().flatten()
        {
            let name = fixture.path().display().to_string();
            if !name.ends_with(".events.jsonl") && !name.ends_with(".defects.txt") {
                paths.push(fixture.path());
            }
        }
    }
    paths.sort();
    let mut texts = Vec::new();
    for path in paths {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let broken: Vec<String> = text.lines().map(|line| damaged(line, &mut dice)).collect();
        texts.push((path.display().to_string(), text));
        texts.push((format!("{} damaged", path.display()), broken.join("\n")));
    }
    texts
}

#[derive(Default)]
struct Natives {
    all: Vec<Object<'static>>,
    defects: Vec<Defect>,
}

impl RecordSink for Natives {
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop> {
        self.all.push(record.native.clone().into_owned());
        Ok(())
    }

    fn defect(&mut self, defect: Defect) {
        self.defects.push(defect);
    }
}

#[test]
fn what_is_found_by_place_is_what_is_found_by_name() {
    let sources = sources();
    let conditions: Vec<&Condition> = sources
        .all
        .iter()
        .flat_map(|source| {
            let extracts = source.extract.iter().filter_map(|extract| extract.when.as_ref());
            let columns = source.columns.iter().filter_map(|columns| columns.when.as_ref());
            let cases = source.cases.iter().map(|case| &case.when);
            [&source.recognise]
                .into_iter()
                .chain(&source.ignore)
                .chain(extracts)
                .chain(columns)
                .chain(cases)
        })
        .collect();
    let paths = &sources.paths;
    let (mut slots, mut scratch) = (Slots::default(), Scratch::default());
    let mut count = 0_usize;
    for (name, text) in texts() {
        let mut out = Natives::default();
        let _ = decode_text(&name, &text, sources, &DecodeOptions::default(), &mut out);
        let bug = out.defects.iter().find(|defect| defect.kind == DefectKind::OurBug);
        assert!(bug.is_none(), "{bug:?}");
        for native in out.all.iter().step_by(3) {
            slots.fill(paths, native);
            let view = View { object: native, slots: &slots, paths };
            for number in (0..paths.len()).skip(count % 7).step_by(7) {
                let path = paths.text(number).expect("a path");
                assert_eq!(view.get(number), native.path(path), "{name}: {path} in {native:?}");
            }
            for condition in conditions.iter().skip(count % 5).step_by(5) {
                let by_name = condition.matcher.is_match(&mut scratch, native);
                assert_eq!(condition.holds(&view), by_name, "{name}: {condition:?} {native:?}");
            }
            count += 1;
        }
    }
    assert!(count > 200, "{count}");
}
