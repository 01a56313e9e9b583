//! Passwords that a correspondence itself gives.

/// So many candidates are tried on one container.
pub const PASSWORDS_MAX: usize = 64;

/// Longer words are no passwords that people type over.
const CHARS_MAX: usize = 40;
const CHARS_MIN: usize = 3;
/// A password stands within so many characters behind its announcement.
const REACH_CHARS: usize = 120;

const WORDS: &[&str] = &[
    "password",
    "passwd",
    "passcode",
    "pass:",
    "pass =",
    "pass=",
    "pw:",
    "pw =",
    "pw=",
    "pwd",
    "パスワード",
    "解凍",
    "展開",
    "復号",
    "暗号",
    "密码",
    "密碼",
    "解压",
    "解壓",
    "口令",
    "암호",
    "비밀번호",
];

/// Whether the text speaks of a password for a file.
#[must_use]
pub fn speaks_of_password(text: &str) -> bool {
    let text = fold(text);
    WORDS.iter().any(|word| text.contains(word))
}

/// Full-width letters as ordinary ones, Latin in lower case.
fn fold(text: &str) -> String {
    text.chars().map(narrow).map(|letter| letter.to_ascii_lowercase()).collect()
}

fn narrow(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        '\u{3000}' => ' ',
        other => other,
    }
}

/// What may be a password in a text, the likeliest first; at most [`PASSWORDS_MAX`].
#[must_use]
pub fn password_candidates(text: &str) -> Vec<String> {
    let narrow: Vec<char> = text.chars().map(narrow).collect();
    let folded: String = narrow.iter().map(char::to_ascii_lowercase).collect();
    let mut near = Vec::new();
    let mut any = Vec::new();
    for word in WORDS {
        for (at, _) in folded.match_indices(word).take(16) {
            // The folded text has a character for each of the text's.
            let from = folded.get(..at).map_or(0, |before| before.chars().count());
            let from = from + word.chars().count();
            let behind: String = narrow.iter().skip(from).take(REACH_CHARS).collect();
            tokens(&behind, &mut near);
        }
    }
    if !near.is_empty() {
        let narrow: String = narrow.iter().collect();
        for line in narrow.lines().map(str::trim).filter(|line| !line.contains(' ')) {
            tokens(line, &mut any);
        }
    }
    let mut found: Vec<String> = Vec::new();
    for one in near.into_iter().chain(any) {
        if found.len() < PASSWORDS_MAX && !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// Words that can be passwords, whole and without what punctuation stands round them.
fn tokens(text: &str, found: &mut Vec<String>) {
    let ends = |letter: char| {
        letter.is_whitespace()
            || matches!(
                letter,
                '「' | '」' | '『' | '』' | '【' | '】' | '（' | '）' | '。' | '、' | '：'
            )
            || ('\u{3040}'..='\u{9fff}').contains(&letter)
    };
    for token in text.split(ends) {
        let bare = token.trim_matches(|letter: char| "\"'`<>()[]{}:;,=".contains(letter));
        let is_word = |word: &str| {
            let count = word.chars().count();
            (CHARS_MIN..=CHARS_MAX).contains(&count)
                && word.chars().all(|letter| letter.is_ascii_graphic())
                && !WORDS.contains(&word.to_ascii_lowercase().as_str())
                && !word.starts_with("http")
        };
        for one in [bare, bare.trim_end_matches(['.', '!', '?']), token] {
            if is_word(one) && !found.iter().any(|known| known == one) {
                found.push(one.to_owned());
            }
        }
    }
}
