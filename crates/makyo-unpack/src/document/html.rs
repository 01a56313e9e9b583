//! Web pages as attachments: files that they carry, and forms that ask for passwords.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::bytes::searchable;
use crate::kind::{Kind, kind_of};
use crate::tree::Walker;

const TEXT_BYTES_MAX: usize = 16 << 20;
/// Shorter runs are pictures of buttons.
const RUN_MIN: usize = 1_000;
const RUNS_MAX: usize = 32;

pub(crate) const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

pub(crate) fn open(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    let text = searchable(bytes, TEXT_BYTES_MAX);
    let has = |word: &str| text.contains(word);
    let makes_file = ["createobjecturl", "mssaveoropenblob", "mssaveblob", "new blob"]
        .iter()
        .find(|word| has(word))
        .copied()
        .or_else(|| (has(".download") && has("atob(")).then_some("atob"));
    let mut carried = Vec::new();
    for run in runs(bytes) {
        let Ok(content) = LENIENT.decode(run) else { continue };
        let kind = kind_of("carried", &content);
        if !matches!(kind, Kind::Image | Kind::Unknown | Kind::Text | Kind::Media | Kind::Empty) {
            carried.push(kind);
            walker.child(index, "carried", content);
        }
    }
    let runs = carried.iter().any(|kind| kind.runs() || kind.is_container());
    if let Some(word) = makes_file.filter(|_| !carried.is_empty() || longest(bytes) > 20_000) {
        walker.fact(index, "page_makes_file", word);
    } else if runs {
        walker.fact(index, "page_carries_file", carried.first().map_or("", |kind| kind.says()));
    }
    if has("type=\"password\"") || has("type='password'") || has("type=password") {
        walker.fact(index, "page_asks_password", "");
    }
    if has("http-equiv=\"refresh\"") || has("location.href=") || has("location.replace(") {
        walker.fact(index, "page_leads_on", "");
    }
    links(walker, index, bytes);
}

fn links(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(1 << 20)).unwrap_or_default());
    for (at, _) in text.match_indices("http").take(512) {
        let rest = text.get(at..).unwrap_or_default();
        if rest.starts_with("http://") || rest.starts_with("https://") {
            let link: String = rest
                .chars()
                .take_while(|letter| !letter.is_whitespace() && !"\"'<>()".contains(*letter))
                .collect();
            walker.link(index, &link);
        }
    }
}

fn is_coded(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Long stretches of base64 letters.
fn runs(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split(|byte| !is_coded(*byte)).filter(|run| run.len() >= RUN_MIN).take(RUNS_MAX).collect()
}

fn longest(bytes: &[u8]) -> usize {
    bytes.split(|byte| !is_coded(*byte)).map(<[u8]>::len).max().unwrap_or_default()
}
