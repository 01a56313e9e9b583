//! What a writer wrote: own words apart from quoted ones, their language, and a hash that is near
//! for texts that are near.

/// So much of the own text is looked at.
const OWN_CHARS_MAX: usize = 8_000;

/// The writer's own words: before quoted mail, without quoted lines.
pub(crate) fn own_text(text: &str) -> String {
    let mut own = String::new();
    for line in text.lines() {
        let trimmed = line.trim_start();
        let quotes = trimmed.starts_with('>');
        let begins_old = trimmed.starts_with("-----Original Message")
            || trimmed.starts_with("-----元のメッセージ")
            || trimmed.starts_with("________________________________")
            || (["From:", "差出人:", "发件人:", "寄件者:"]
                .iter()
                .any(|word| trimmed.starts_with(word))
                && trimmed.contains('@'));
        if begins_old {
            break;
        }
        if !quotes {
            own.push_str(line);
            own.push('\n');
        }
        if own.len() > OWN_CHARS_MAX {
            break;
        }
    }
    own
}

/// The language by its letters: a guess that is good enough to see a change.
pub(crate) fn language(text: &str) -> &'static str {
    let mut kana = 0;
    let mut han = 0;
    let mut hangul = 0;
    let mut latin = 0;
    let mut cyrillic = 0;
    let mut simple = 0;
    for letter in text.chars().take(4_000) {
        match letter {
            '\u{3041}'..='\u{30ff}' => kana += 1,
            '\u{4e00}'..='\u{9fff}' => {
                han += 1;
                // Forms that only simplified Chinese has.
                simple += usize::from(
                    "们这说请邮件为发会时关于书实验业务动过还进对问题员开".contains(letter)
                        && !"件会時会書実務動過進対問題員開".contains(letter),
                );
            }
            '\u{ac00}'..='\u{d7a3}' => hangul += 1,
            'a'..='z' | 'A'..='Z' => latin += 1,
            '\u{400}'..='\u{4ff}' => cyrillic += 1,
            _ => {}
        }
    }
    let all = kana + han + hangul + latin + cyrillic;
    match () {
        () if all < 20 => "",
        () if kana * 20 > all => "ja",
        () if hangul * 5 > all => "ko",
        () if han * 5 > all && simple * 50 > han => "zh-hans",
        () if han * 5 > all => "zh",
        () if cyrillic * 3 > all => "cyrillic",
        () => "latin",
    }
}

/// Whether a Japanese text has letters that only simplified Chinese has.
pub(crate) fn has_foreign_forms(text: &str) -> bool {
    let foreign = text.chars().take(4_000).filter(|letter| {
        "们这请邮发时关为实验业务动还进对题员".contains(*letter)
            && !"動進対題員務".contains(*letter)
    });
    foreign.count() >= 2
}

/// The block under the writer's name: from the mark or from the rule line on, hashed by the caller.
pub(crate) fn signature(own: &str) -> String {
    let lines: Vec<&str> = own.lines().collect();
    let start = lines.iter().rposition(|line| {
        let line = line.trim();
        line == "--"
            || (line.chars().count() >= 8
                && line.chars().all(|letter| "-=_*━─＝＊—–~".contains(letter)))
    });
    let Some(start) = start else { return String::new() };
    let from = lines.iter().take(start).rposition(|line| {
        let line = line.trim();
        line.chars().count() >= 8 && line.chars().all(|letter| "-=_*━─＝＊—–~".contains(letter))
    });
    let from = from.filter(|from| start - from < 12).unwrap_or(start);
    lines.get(from..).unwrap_or_default().join("\n").trim().to_owned()
}

/// How the writer begins: the first line, if it is short.
pub(crate) fn greeting(own: &str) -> String {
    let Some(first) = own.lines().map(str::trim).find(|line| !line.is_empty()) else {
        return String::new();
    };
    let kinds: &[(&str, &str)] = &[
        ("先生", "先生"),
        ("様", "様"),
        ("さん", "さん"),
        ("殿", "殿"),
        ("各位", "各位"),
        ("Dear", "dear"),
        ("Hi", "hi"),
        ("Hello", "hello"),
        ("尊敬的", "尊敬的"),
        ("您好", "您好"),
    ];
    let found = kinds.iter().find(|(word, _)| first.chars().count() < 60 && first.contains(word));
    found.map_or(String::new(), |kind| kind.1.to_owned())
}

/// A hash of 64 bits over runs of letters: texts that differ in a name or a date are near.
pub(crate) fn near_hash(folded: &str) -> Option<u64> {
    let letters: Vec<char> =
        folded.chars().filter(|letter| letter.is_alphabetic()).take(OWN_CHARS_MAX).collect();
    if letters.len() < 40 {
        return None;
    }
    let mut hashes: Vec<u64> = letters.windows(4).map(mix).collect();
    hashes.sort_unstable();
    let mut sums = [0_i32; 64];
    for same in hashes.chunk_by(|a, b| a == b) {
        let (Some(hash), weight) = (same.first(), same.len().min(3) as i32) else { continue };
        for (bit, sum) in sums.iter_mut().enumerate() {
            *sum += if hash >> bit & 1 == 1 { weight } else { -weight };
        }
    }
    let bits = sums.iter().enumerate().filter(|sum| *sum.1 > 0);
    Some(bits.fold(0, |hash, (bit, _)| hash | 1 << bit))
}

/// FNV-1a, spread once more.
fn mix(run: &[char]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for letter in run {
        hash = (hash ^ u64::from(u32::from(*letter))).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash ^= hash >> 29;
    hash.wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (hash >> 32)
}

/// Visible words of a page: tags, scripts and styles left out.
pub(crate) fn page_text(html: &str, chars_max: usize) -> String {
    let mut out = String::new();
    let mut rest = html;
    let mut count = 0;
    while let Some(at) = memchr::memchr(b'<', rest.as_bytes()) {
        let text = rest.get(..at).unwrap_or_default();
        count += text.len();
        out.push_str(text);
        out.push(' ');
        rest = rest.get(at..).unwrap_or_default();
        let name: String = rest.chars().skip(1).take(6).collect::<String>().to_lowercase();
        let ends = if name.starts_with("script") {
            "</script"
        } else if name.starts_with("style") {
            "</style"
        } else {
            ">"
        };
        let end = if ends == ">" {
            memchr::memchr(b'>', rest.as_bytes()).map(|at| at + 1)
        } else {
            find_in_any_case(rest, ends)
        };
        match end {
            Some(end) if count < chars_max => rest = rest.get(end..).unwrap_or_default(),
            _ => return out,
        }
    }
    out.push_str(rest);
    out
}

fn find_in_any_case(text: &str, needle: &str) -> Option<usize> {
    let wide = needle.len();
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'<', bytes).skip(1).find(|at| {
        bytes.get(*at..at + wide).is_some_and(|part| part.eq_ignore_ascii_case(needle.as_bytes()))
    })
}
