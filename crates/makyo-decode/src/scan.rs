//! A JSON object's leaves and signature in one pass over its text, nothing built.

use makyo_base::{Leaf, LeafKind};

/// Objects nested deeper are left to the parser.
const DEPTH_MAX: usize = 32;
/// So many digits fit every whole number that the parser keeps exactly.
const DIGITS_SAFE: usize = 18;

/// The leaves of the record that was scanned last.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) leaves: Vec<Leaf>,
    /// Names, nesting and kinds of the record: records with the same bytes here are built alike.
    pub(crate) signature: Vec<u8>,
    /// By leaf: whether it is a field of the outermost object.
    outer: Vec<bool>,
}

/// A place in a text.
pub(crate) struct Cursor<'t> {
    pub(crate) text: &'t [u8],
    pub(crate) at: usize,
}

/// Whether the text can be taken apart at all. Control characters are white space between tokens
/// or a mistake inside of texts; both are left to the parser.
pub(crate) fn is_plain(text: &str) -> bool {
    // Without an early end the compiler looks at many bytes at once.
    let has_control = text.bytes().fold(false, |found, byte| found | (byte < b' '));
    u32::try_from(text.len()).is_ok() && !has_control
}

impl Scan {
    /// Whether a leaf is a field of the outermost object.
    pub(crate) fn is_outer(&self, leaf: usize) -> bool {
        self.outer.get(leaf) == Some(&true)
    }

    /// Scans one object that fills the plain text. False if the text is anything else, is not strictly
    /// JSON or holds what only the parser reads exactly (fractions, surrogates).
    pub(crate) fn scan(&mut self, text: &str) -> bool {
        self.leaves.clear();
        self.outer.clear();
        self.signature.clear();
        let mut cursor = Cursor { text: text.as_bytes(), at: 0 };
        self.object(&mut cursor, 0).is_some() && {
            cursor.blanks();
            cursor.at == text.len()
        }
    }

    fn object(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Option<()> {
        cursor.take(b'{')?;
        self.signature.push(b'{');
        if depth >= DEPTH_MAX {
            return None;
        }
        cursor.blanks();
        if cursor.peek() == Some(b'}') {
            cursor.at += 1;
            self.signature.push(b'}');
            return Some(());
        }
        loop {
            let (start, end, escaped) = cursor.string()?;
            if escaped {
                return None;
            }
            self.signature.extend_from_slice(cursor.text.get(start..end)?);
            cursor.blanks();
            cursor.take(b':')?;
            cursor.blanks();
            self.value(cursor, depth)?;
            cursor.blanks();
            match cursor.next()? {
                b',' => cursor.blanks(),
                b'}' => {
                    self.signature.push(b'}');
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    fn value(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Option<()> {
        let from = cursor.at;
        let (start, end, kind) = match cursor.peek()? {
            b'"' => {
                let (start, end, escaped) = cursor.string()?;
                (start, end, if escaped { LeafKind::Escaped } else { LeafKind::Text })
            }
            b'{' => {
                self.signature.push(b'"');
                return self.object(cursor, depth + 1);
            }
            b'[' => {
                self.list(cursor, depth + 1)?;
                (from, cursor.at, LeafKind::List)
            }
            b't' => (from, cursor.word(b"true")?, LeafKind::Bool),
            b'f' => (from, cursor.word(b"false")?, LeafKind::Bool),
            b'n' => (from, cursor.word(b"null")?, LeafKind::Null),
            _ => (from, cursor.whole_number()?, LeafKind::Number),
        };
        let mark = match kind {
            // Some wrappings pass over fields without a value, in their outermost object.
            LeafKind::Text | LeafKind::Escaped
                if depth == 0 && is_blank(cursor.text.get(start..end)?) =>
            {
                b'b'
            }
            LeafKind::Text | LeafKind::Escaped => b't',
            LeafKind::Number | LeafKind::Bool => b'n',
            LeafKind::Null => b'z',
            LeafKind::List => b'l',
        };
        self.signature.extend_from_slice(&[b'"', mark]);
        let (start, end) = (u32::try_from(start).ok()?, u32::try_from(end).ok()?);
        self.leaves.push(Leaf { start, end, kind });
        self.outer.push(depth == 0);
        Some(())
    }

    /// Passes over a list, which counts as one leaf; what is in it must be JSON too.
    pub(crate) fn list(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Option<()> {
        let (leaves, signature) = (self.leaves.len(), self.signature.len());
        cursor.take(b'[')?;
        if depth >= DEPTH_MAX {
            return None;
        }
        cursor.blanks();
        if cursor.peek() == Some(b']') {
            cursor.at += 1;
            return Some(());
        }
        loop {
            self.value(cursor, depth)?;
            cursor.blanks();
            match cursor.next()? {
                b',' => cursor.blanks(),
                b']' => break,
                _ => return None,
            }
        }
        self.leaves.truncate(leaves);
        self.outer.truncate(leaves);
        self.signature.truncate(signature);
        Some(())
    }
}

pub(crate) fn is_blank(text: &[u8]) -> bool {
    text.len() <= 8
        && std::str::from_utf8(text).is_ok_and(|text| makyo_base::Value::text(text).is_blank())
}

impl Cursor<'_> {
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn blanks(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    pub(crate) fn word(&mut self, word: &[u8]) -> Option<usize> {
        self.text.get(self.at..)?.starts_with(word).then(|| {
            self.at += word.len();
            self.at
        })
    }

    /// Start and end between the quotes, and whether there is an escape.
    fn string(&mut self) -> Option<(usize, usize, bool)> {
        self.take(b'"')?;
        let start = self.at;
        let (end, escaped) = self.rest_of_string()?;
        Some((start, end, escaped))
    }

    /// Passes over the rest of a string and its closing quote: where the string ends, and whether
    /// there is an escape.
    pub(crate) fn rest_of_string(&mut self) -> Option<(usize, bool)> {
        let mut escaped = false;
        loop {
            let rest = self.text.get(self.at..)?;
            self.at += memchr::memchr2(b'"', b'\\', rest)?;
            if self.next()? == b'"' {
                return Some((self.at - 1, escaped));
            }
            escaped = true;
            match self.next()? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                b'u' => {
                    let digits = self.text.get(self.at..self.at + 4)?;
                    let is_surrogate = digits.first().is_some_and(|first| first | 0x20 == b'd')
                        && digits
                            .get(1)
                            .is_some_and(|second| !second.is_ascii_digit() || *second > b'7');
                    if is_surrogate || !digits.iter().all(u8::is_ascii_hexdigit) {
                        return None;
                    }
                    self.at += 4;
                }
                _ => return None,
            }
        }
    }

    /// The end of a whole number that reads the same when it is written again.
    pub(crate) fn whole_number(&mut self) -> Option<usize> {
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        let digits = self.text.get(start..self.at)?;
        let is_exact = match std::str::from_utf8(digits) {
            Ok(digits) if digits.len() > DIGITS_SAFE => !negative && digits.parse::<u64>().is_ok(),
            _ => !digits.is_empty(),
        };
        let has_zero = digits.first() == Some(&b'0') && (digits.len() > 1 || negative);
        let goes_on = matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        (is_exact && !has_zero && !goes_on).then_some(self.at)
    }
}
