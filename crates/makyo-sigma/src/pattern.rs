//! A Sigma text value: literals and wildcards.

use crate::fold::fold;

/// One piece of a pattern.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Piece {
    /// Literal text.
    Literal(String),
    /// `*`: any text.
    Any,
    /// `?`: one letter.
    One,
}

/// How a text is compared. Literals are folded to lower case unless the predicate is `cased`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Pattern {
    /// The whole text.
    Equals(String),
    /// Somewhere in it.
    Contains(String),
    /// At its start.
    StartsWith(String),
    /// At its end.
    EndsWith(String),
    /// Wildcards inside.
    Glob(Glob),
}

/// A pattern with wildcards inside.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Glob(pub(crate) Vec<Piece>);

/// Splits a Sigma value at its wildcards. A backslash takes the meaning from `*`, `?` and another
/// backslash; before anything else it stands for itself.
pub(crate) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if matches!(letters.peek(), Some('*' | '?' | '\\')) => {
                literal.extend(letters.next());
            }
            '*' | '?' => {
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                let piece = if letter == '*' { Piece::Any } else { Piece::One };
                if piece != Piece::Any || pieces.last() != Some(&Piece::Any) {
                    pieces.push(piece);
                }
            }
            other => literal.push(other),
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    pieces
}

/// Where a modifier anchors a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Anchor {
    Whole,
    Contains,
    Start,
    End,
}

impl Pattern {
    /// The simplest comparison that says the same as these pieces under this anchor.
    pub(crate) fn new(mut pieces: Vec<Piece>, anchor: Anchor, cased: bool) -> Self {
        if matches!(anchor, Anchor::Contains | Anchor::End) && pieces.first() != Some(&Piece::Any) {
            pieces.insert(0, Piece::Any);
        }
        if matches!(anchor, Anchor::Contains | Anchor::Start)
            && (pieces.len() == 1 || pieces.last() != Some(&Piece::Any))
        {
            pieces.push(Piece::Any);
        }
        for piece in &mut pieces {
            if let Piece::Literal(text) = piece
                && !cased
            {
                *text = fold(text).into_owned();
            }
        }
        match pieces.as_slice() {
            [] => Pattern::Equals(String::new()),
            [Piece::Literal(text)] => Pattern::Equals(text.clone()),
            [Piece::Any, Piece::Literal(text), Piece::Any] => Pattern::Contains(text.clone()),
            [Piece::Literal(text), Piece::Any] => Pattern::StartsWith(text.clone()),
            [Piece::Any, Piece::Literal(text)] => Pattern::EndsWith(text.clone()),
            _ => Pattern::Glob(Glob(pieces)),
        }
    }

    /// Whether the text fits; it must be folded like the pattern.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        match self {
            Pattern::Equals(literal) => text == literal,
            Pattern::Contains(literal) => memmem(text, literal),
            Pattern::StartsWith(literal) => text.starts_with(literal.as_str()),
            Pattern::EndsWith(literal) => text.ends_with(literal.as_str()),
            Pattern::Glob(glob) => glob.fits(text),
        }
    }
}

fn memmem(text: &str, literal: &str) -> bool {
    text.contains(literal)
}

impl Glob {
    /// Matches left to right, falling back to the last `*` only: linear in practice, quadratic at
    /// worst, never exponential.
    fn fits(&self, text: &str) -> bool {
        let pieces = &self.0;
        let (mut piece, mut at) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        loop {
            let rest = text.get(at..).unwrap_or_default();
            let step = match pieces.get(piece) {
                None if rest.is_empty() => return true,
                None => None,
                Some(Piece::Any) => {
                    if piece + 1 == pieces.len() {
                        return true;
                    }
                    retry = Some((piece, at));
                    Some(0)
                }
                Some(Piece::One) => rest.chars().next().map(char::len_utf8),
                Some(Piece::Literal(literal)) => {
                    rest.starts_with(literal.as_str()).then_some(literal.len())
                }
            };
            if let Some(length) = step {
                piece += 1;
                at += length;
                continue;
            }
            let Some((star, from)) = retry else { return false };
            let Some(letter) = text.get(from..).and_then(|rest| rest.chars().next()) else {
                return false;
            };
            let next = from + letter.len_utf8();
            retry = Some((star, next));
            piece = star + 1;
            at = next;
        }
    }
}
