//! YAML with line numbers, scalars kept as they are written.
//!
//! Sigma compares text: `0x10` and `010` must reach the rule as they stand, so scalars are not
//! turned into numbers here.

use makyo_base::sha256;
use saphyr::{MarkedYaml, YamlData, YamlLoader};
use saphyr_parser::{Parser, ScalarStyle};

use crate::diagnostic::Diagnostic;

/// Nesting beyond this is refused, so that a hostile rule cannot exhaust the stack.
const DEPTH_MAX: usize = 64;

/// One YAML node and its line.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// Line, counted from 1.
    pub line: usize,
    /// What it is.
    pub data: NodeData,
}

/// A node's content.
#[derive(Clone, PartialEq, Debug)]
pub enum NodeData {
    /// A scalar as it is written; `quoted` tells `"null"` from `null`.
    Scalar {
        /// The text.
        text: String,
        /// Whether quotes or a block style make it text for sure.
        quoted: bool,
    },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the order of the file.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.data {
            NodeData::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Whether it is YAML's null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.data, NodeData::Scalar { text, quoted: false } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// `true` or `false`, unquoted.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        match &self.data {
            NodeData::Scalar { text, quoted: false } => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" => Some(true),
                "false" | "no" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// The items of a list; a single node counts as a list of one.
    #[must_use]
    pub fn items(&self) -> Vec<&Node> {
        match &self.data {
            NodeData::List(list) => list.iter().collect(),
            _ => vec![self],
        }
    }

    /// The entries of a mapping.
    #[must_use]
    pub fn entries(&self) -> &[(Node, Node)] {
        match &self.data {
            NodeData::Map(map) => map,
            _ => &[],
        }
    }

    /// Whether it is a mapping.
    #[must_use]
    pub fn is_map(&self) -> bool {
        matches!(self.data, NodeData::Map(_))
    }

    /// The value under a key of a mapping.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.0.text() == Some(key)).map(|entry| &entry.1)
    }

    /// The text under a key.
    #[must_use]
    pub fn get_text(&self, key: &str) -> Option<&str> {
        self.get(key).filter(|node| !node.is_null()).and_then(Node::text)
    }

    /// The texts under a key that holds one or a list of them.
    #[must_use]
    pub fn get_texts(&self, key: &str) -> Vec<String> {
        self.get(key)
            .map(|node| {
                node.items().iter().filter_map(|item| item.text()).map(str::to_owned).collect()
            })
            .unwrap_or_default()
    }

    /// SHA-256 of the content, without regard to lines and comments.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut content = String::new();
        self.write_content(&mut content);
        sha256(content.as_bytes())
    }

    fn write_content(&self, to: &mut String) {
        match &self.data {
            NodeData::Scalar { text, quoted } => {
                // The length in front keeps texts apart whatever they contain.
                to.push_str(&format!("{}{}:{text}", if *quoted { 'q' } else { 's' }, text.len()));
            }
            NodeData::List(items) => {
                to.push('[');
                items.iter().for_each(|item| item.write_content(to));
                to.push(']');
            }
            NodeData::Map(entries) => {
                to.push('{');
                for (key, value) in entries {
                    key.write_content(to);
                    value.write_content(to);
                }
                to.push('}');
            }
        }
    }

    /// Names keys that are none of these.
    #[must_use]
    pub fn unknown_keys(&self, known: &[&str]) -> Vec<Diagnostic> {
        self.entries()
            .iter()
            .filter(|entry| !entry.0.text().is_some_and(|key| known.contains(&key)))
            .map(|entry| {
                let key = entry.0.text().unwrap_or("(not a text)");
                Diagnostic::at(
                    entry.0.line,
                    format!("unknown key: `{key}`; known: {}", known.join(", ")),
                )
            })
            .collect()
    }
}

/// Reads all documents of a YAML text.
///
/// # Errors
/// The place and the parser's reason.
pub fn load_yaml(text: &str) -> Result<Vec<Node>, Diagnostic> {
    let mut loader = YamlLoader::<MarkedYaml<'_>>::default();
    loader.early_parse(false);
    let mut parser = Parser::new_from_str(text);
    parser.load(&mut loader, true).map_err(|error| {
        Diagnostic::at(error.marker().line(), format!("not valid YAML: {}", error.info()))
    })?;
    if let Some(error) = loader.error() {
        return Err(Diagnostic::at(
            error.marker().line(),
            format!("not valid YAML: {}", error.info()),
        ));
    }
    loader.into_documents().iter().map(|document| convert(document, 0)).collect()
}

fn convert(node: &MarkedYaml<'_>, depth: usize) -> Result<Node, Diagnostic> {
    let line = node.span.start.line();
    if depth > DEPTH_MAX {
        return Err(Diagnostic::at(line, format!("nested deeper than {DEPTH_MAX} levels")));
    }
    let data = match &node.data {
        YamlData::Representation(text, style, _) => NodeData::Scalar {
            text: text.clone().into_owned(),
            quoted: *style != ScalarStyle::Plain,
        },
        YamlData::Value(scalar) => {
            // Only an empty document or an empty value arrives here, as null.
            let text = scalar.as_str().unwrap_or_default().to_owned();
            NodeData::Scalar { text, quoted: false }
        }
        YamlData::Sequence(items) => NodeData::List(
            items.iter().map(|item| convert(item, depth + 1)).collect::<Result<_, _>>()?,
        ),
        YamlData::Mapping(entries) => NodeData::Map(
            entries
                .iter()
                .map(|(key, value)| Ok((convert(key, depth + 1)?, convert(value, depth + 1)?)))
                .collect::<Result<_, _>>()?,
        ),
        YamlData::Tagged(_, inner) => return convert(inner, depth + 1),
        YamlData::Alias(_) | YamlData::BadValue => {
            return Err(Diagnostic::at(line, "an alias or value that cannot be read"));
        }
    };
    Ok(Node { line, data })
}
