//! Records written alike, by what stands between their values.
//!
//! One writer puts the same names, quotes and brackets between the values of all records of a
//! kind. These stretches are kept as a tree; a record that follows one of its paths is taken apart
//! by comparing them, which is all that reading its names would tell.

use makyo_base::{Leaf, LeafKind};

use crate::scan::{Cursor, Scan, is_blank};

/// Stretches that are kept of one artifact.
const NODES_MAX: usize = 65_536;

/// The tree of stretches.
#[derive(Debug, Default)]
pub(crate) struct Skeletons {
    nodes: Vec<Node>,
    roots: Vec<usize>,
}

#[derive(Debug)]
struct Node {
    stretch: Box<[u8]>,
    then: Then,
    next: Vec<usize>,
}

/// What stands behind a stretch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Then {
    Text,
    /// A text of the outermost object, where it counts whether it is blank.
    Outer {
        blank: bool,
    },
    Number,
    Bool,
    Null,
    List,
    /// Nothing: the record is of the structure in this place.
    End(usize),
}

impl Skeletons {
    /// Remembers a record that was scanned and the place of its structure. A list in the outermost
    /// object may be an envelope of records in the next line, so such records are not kept.
    pub(crate) fn keep(&mut self, text: &str, scan: &Scan, place: usize) {
        let is_list =
            |(number, leaf): (usize, &Leaf)| leaf.kind == LeafKind::List && scan.is_outer(number);
        if self.nodes.len() + scan.leaves.len() >= NODES_MAX
            || scan.leaves.iter().enumerate().any(is_list)
        {
            return;
        }
        let mut at = 0;
        let mut parent = None;
        for (number, leaf) in scan.leaves.iter().enumerate() {
            let value = text.get(leaf.start as usize..leaf.end as usize).unwrap_or_default();
            let then = match leaf.kind {
                LeafKind::Text | LeafKind::Escaped if scan.is_outer(number) => {
                    Then::Outer { blank: is_blank(value.as_bytes()) }
                }
                LeafKind::Text | LeafKind::Escaped => Then::Text,
                LeafKind::Number => Then::Number,
                LeafKind::Bool => Then::Bool,
                LeafKind::Null => Then::Null,
                LeafKind::List => Then::List,
            };
            let stretch = text.get(at..leaf.start as usize).unwrap_or_default();
            parent = Some(self.child(parent, stretch.as_bytes(), then));
            at = leaf.end as usize;
        }
        let rest = text.get(at..).unwrap_or_default();
        self.child(parent, rest.as_bytes(), Then::End(place));
    }

    fn child(&mut self, parent: Option<usize>, stretch: &[u8], then: Then) -> usize {
        let list = self.children(parent);
        let known = list.iter().copied().find(|node| {
            self.nodes.get(*node).is_some_and(|node| *node.stretch == *stretch && node.then == then)
        });
        if let Some(known) = known {
            return known;
        }
        self.nodes.push(Node { stretch: stretch.into(), then, next: Vec::new() });
        let new = self.nodes.len() - 1;
        match parent.and_then(|parent| self.nodes.get_mut(parent)) {
            Some(parent) => parent.next.push(new),
            None => self.roots.push(new),
        }
        new
    }

    fn children(&self, parent: Option<usize>) -> &[usize] {
        match parent {
            None => &self.roots,
            Some(parent) => self.nodes.get(parent).map(|node| &*node.next).unwrap_or_default(),
        }
    }

    /// Takes a record apart if it follows a path of the tree: its leaves, and the place of its
    /// structure. The text must be free of control characters.
    pub(crate) fn follow(&self, text: &str, leaves: &mut Vec<Leaf>) -> Option<usize> {
        leaves.clear();
        let bytes = text.as_bytes();
        let mut cursor = Cursor { text: bytes, at: 0 };
        let mut parent = None;
        loop {
            let rest = bytes.get(cursor.at..)?;
            let (number, node) = self.children(parent).iter().find_map(|number| {
                let node = self.nodes.get(*number)?;
                let fits = rest.starts_with(&node.stretch)
                    && (!matches!(node.then, Then::End(_)) || rest.len() == node.stretch.len())
                    && node.then.may_begin(rest.get(node.stretch.len()));
                fits.then_some((*number, node))
            })?;
            cursor.at += node.stretch.len();
            if let Then::End(place) = node.then {
                return Some(place);
            }
            leaves.push(node.then.leaf(&mut cursor)?);
            parent = Some(number);
        }
    }
}

impl Then {
    /// Whether a value of this kind can begin with this byte. Texts begin behind their quote.
    fn may_begin(self, byte: Option<&u8>) -> bool {
        match (self, byte) {
            (Then::End(_), byte) => byte.is_none(),
            (Then::Text | Then::Outer { .. }, byte) => byte.is_some(),
            (Then::Number, Some(byte)) => byte.is_ascii_digit() || *byte == b'-',
            (Then::Bool, Some(byte)) => matches!(byte, b't' | b'f'),
            (Then::Null, Some(byte)) => *byte == b'n',
            (Then::List, Some(byte)) => *byte == b'[',
            (_, None) => false,
        }
    }

    fn leaf(self, cursor: &mut Cursor<'_>) -> Option<Leaf> {
        let start = cursor.at;
        let (end, kind) = match self {
            Then::Text | Then::Outer { .. } => {
                let (end, escaped) = cursor.rest_of_string()?;
                if let Then::Outer { blank } = self
                    && is_blank(cursor.text.get(start..end)?) != blank
                {
                    return None;
                }
                // The closing quote belongs to the next stretch.
                cursor.at = end;
                (end, if escaped { LeafKind::Escaped } else { LeafKind::Text })
            }
            Then::Number => (cursor.whole_number()?, LeafKind::Number),
            Then::Bool if cursor.peek() == Some(b't') => (cursor.word(b"true")?, LeafKind::Bool),
            Then::Bool => (cursor.word(b"false")?, LeafKind::Bool),
            Then::Null => (cursor.word(b"null")?, LeafKind::Null),
            Then::List => {
                Scan::default().list(cursor, 1)?;
                (cursor.at, LeafKind::List)
            }
            Then::End(_) => return None,
        };
        let (start, end) = (u32::try_from(start).ok()?, u32::try_from(end).ok()?);
        Some(Leaf { start, end, kind })
    }
}
