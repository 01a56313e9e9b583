//! The words of `knowledge/mail-words.yml`, found in texts.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use makyo_sigma::load_yaml;

static TEXT: &str = include_str!("../../../../../knowledge/mail-words.yml");

/// What is known of words, brands and hosts.
pub(crate) struct Words {
    finder: Option<AhoCorasick>,
    /// For each pattern: its group's kind and name.
    groups: Vec<(&'static str, String)>,
    brands: Vec<(String, Vec<String>)>,
    shares: Vec<String>,
    shorteners: Vec<String>,
    freemail: Vec<String>,
}

/// The words; a mistake in the built-in file leaves them empty, and a test finds it.
pub(crate) fn words() -> &'static Words {
    static WORDS: OnceLock<Words> = OnceLock::new();
    WORDS.get_or_init(Words::load)
}

impl Words {
    fn load() -> Self {
        let mut words = Words {
            finder: None,
            groups: Vec::new(),
            brands: Vec::new(),
            shares: Vec::new(),
            shorteners: Vec::new(),
            freemail: Vec::new(),
        };
        let Ok(documents) = load_yaml(TEXT) else { return words };
        let Some(root) = documents.first() else { return words };
        let mut patterns = Vec::new();
        for kind in ["topics", "calls", "press"] {
            for (name, _) in root.get(kind).map(|node| node.entries()).unwrap_or_default() {
                let name = name.text().unwrap_or_default();
                let list = root.get(kind).map(|node| node.get_texts(name)).unwrap_or_default();
                for pattern in list {
                    patterns.push(fold(&pattern));
                    words.groups.push((kind, name.to_owned()));
                }
            }
        }
        for (name, _) in root.get("brands").map(|node| node.entries()).unwrap_or_default() {
            let name = name.text().unwrap_or_default();
            let domains = root.get("brands").map(|node| node.get_texts(name)).unwrap_or_default();
            words.brands.push((name.to_owned(), domains));
        }
        words.shares = root.get_texts("shares");
        words.shorteners = root.get_texts("shorteners");
        words.freemail = root.get_texts("freemail");
        words.finder = AhoCorasick::new(&patterns).ok();
        words
    }

    /// Whether the file was read.
    #[cfg(test)]
    pub(crate) fn is_whole(&self) -> bool {
        self.finder.is_some() && !self.brands.is_empty() && !self.freemail.is_empty()
    }

    /// The groups of one kind that the text speaks of: how many of their words, by name.
    pub(crate) fn groups(&self, kind: &str, folded: &str) -> BTreeMap<&str, usize> {
        let mut found: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let Some(finder) = &self.finder else { return BTreeMap::new() };
        for hit in finder.find_overlapping_iter(folded) {
            let pattern = hit.pattern().as_usize();
            let Some((own, name)) = self.groups.get(pattern) else { continue };
            if *own == kind && stands_alone(folded, hit.start(), hit.end()) {
                let list = found.entry(name).or_default();
                if !list.contains(&pattern) {
                    list.push(pattern);
                }
            }
        }
        found.into_iter().map(|(name, list)| (name, list.len())).collect()
    }

    /// The brand that a name claims, though its domain is none of the brand's.
    pub(crate) fn borrowed_brand(&self, folded: &str, domain: &str) -> Option<&str> {
        self.brands
            .iter()
            .find(|(name, domains)| {
                let named = folded
                    .find(name.as_str())
                    .is_some_and(|at| stands_alone(folded, at, at + name.len()));
                named && !domains.iter().any(|own| is_within(domain, own))
            })
            .map(|brand| brand.0.as_str())
    }

    pub(crate) fn is_share(&self, host: &str) -> bool {
        self.shares.iter().any(|share| is_within(host, share))
    }

    pub(crate) fn is_shortener(&self, host: &str) -> bool {
        self.shorteners.iter().any(|one| is_within(host, one))
    }

    pub(crate) fn is_freemail(&self, domain: &str) -> bool {
        self.freemail.iter().any(|one| one == domain)
    }
}

fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Words of Latin letters end where letters do; others have no such ends.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let is_word = |letter: char| letter.is_ascii_alphanumeric();
    let before = text.get(..start).and_then(|text| text.chars().next_back());
    let behind = text.get(end..).and_then(|text| text.chars().next());
    let word = text.get(start..end).unwrap_or_default();
    !(word.starts_with(is_word) && before.is_some_and(is_word)
        || word.ends_with(is_word) && behind.is_some_and(is_word))
}

/// Half and full width, and upper and lower case, as one; blanks as one blank.
pub(crate) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = true;
    for letter in text.chars() {
        let letter = match letter {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
            other => other,
        };
        if letter.is_whitespace() {
            if !blank {
                out.push(' ');
            }
            blank = true;
            continue;
        }
        blank = false;
        if letter.is_ascii() {
            out.push(letter.to_ascii_lowercase());
        } else {
            out.extend(letter.to_lowercase());
        }
    }
    out
}
