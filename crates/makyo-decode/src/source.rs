//! Source descriptions: `sources/NAME/source.yml`, read with all mistakes named.

use std::sync::Arc;

use makyo_sigma::{
    Check, Diagnostic, LineRegex, Logsource, Matcher, Node, Selection, ServedLogsource,
    detection_expression, load_yaml,
};

use crate::mapping::{Map, TimeSpec};
use crate::slots::{Paths, View};

/// One log source.
#[derive(Debug)]
pub struct Source {
    /// Its id, the folder's name.
    pub id: String,
    /// Its title, for people.
    pub title: String,
    /// Vendor.
    pub vendor: String,
    /// Product.
    pub product: String,
    /// How such a log is exported.
    pub export: String,
    /// Formats that can hold it.
    pub formats: Vec<String>,
    /// The Sigma log sources that its records serve.
    pub logsources: Vec<ServedLogsource>,
    /// The fields that its conditions look at to say what a record is.
    pub deciding: Vec<String>,
    pub(crate) shape: Option<String>,
    /// The shape's place among the loaded ones.
    pub(crate) shape_place: Option<usize>,
    pub(crate) priority: i64,
    pub(crate) recognise: Condition,
    /// What of its records is none, such as the text before a list.
    pub(crate) ignore: Option<Condition>,
    pub(crate) columns: Vec<Columns>,
    pub(crate) extract: Vec<Extract>,
    pub(crate) carry: Option<Carry>,
    pub(crate) identity: Vec<IdentityField>,
    pub(crate) time: Vec<TimeSpec>,
    pub(crate) map: Map,
    pub(crate) cases: Vec<Case>,
    pub(crate) items: Vec<Items>,
}

/// What a record must meet.
#[derive(Debug)]
pub(crate) struct Condition {
    /// Over whole records, and what it compares.
    pub(crate) matcher: Matcher,
    check: Check,
}

impl Condition {
    pub(crate) fn new(selection: &Selection, paths: &mut Paths) -> Self {
        Condition {
            matcher: Matcher::new(selection),
            check: Check::new(selection, &mut |path| paths.number(path)),
        }
    }

    /// Whether the record meets it.
    pub(crate) fn holds(&self, record: &View<'_, '_>) -> bool {
        self.check.holds(record)
    }
}

#[derive(Debug)]
pub(crate) enum IdentityField {
    /// The event's time.
    Time,
    Path(usize),
}

#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) field: String,
    pub(crate) path: usize,
    /// With their numbers.
    pub(crate) names: Vec<(usize, String)>,
    pub(crate) when: Option<Condition>,
}

#[derive(Debug)]
pub(crate) struct Extract {
    pub(crate) field: String,
    pub(crate) path: usize,
    pub(crate) regex: LineRegex,
    /// Of each group that has a name: its place, the name's number, and the name.
    pub(crate) groups: Vec<(usize, usize, String)>,
    pub(crate) when: Option<Condition>,
    pub(crate) early: bool,
}

/// Fields that one line of a session names and its later lines need.
#[derive(Debug)]
pub(crate) struct Carry {
    pub(crate) by: Vec<String>,
    pub(crate) fields: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) when: Condition,
    pub(crate) map: Map,
}

#[derive(Debug)]
pub(crate) struct Items {
    pub(crate) each: Vec<String>,
    pub(crate) kind: String,
    pub(crate) uid: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) parent: Option<String>,
    pub(crate) size: Option<String>,
}

const KEYS: &[&str] = &[
    "id",
    "title",
    "vendor",
    "product",
    "export",
    "format",
    "shape",
    "columns",
    "extract",
    "carry",
    "recognise",
    "ignore",
    "priority",
    "logsources",
    "identity",
    "time",
    "class",
    "activity",
    "fields",
    "cases",
    "items",
];
const FORMATS: &[&str] = &["evtx", "json", "csv", "zeek", "w3c", "lines", "mail"];

struct Reader<'p> {
    problems: Vec<Diagnostic>,
    paths: &'p mut Paths,
}

impl Source {
    /// Reads a source description.
    ///
    /// # Errors
    /// All mistakes of the file at once.
    pub(crate) fn load(text: &str, paths: &mut Paths) -> Result<Self, Vec<Diagnostic>> {
        let documents = load_yaml(text).map_err(|problem| vec![problem])?;
        let root = documents.first().ok_or_else(|| vec![Diagnostic::at(1, "file is empty")])?;
        let mut reader = Reader { problems: root.unknown_keys(KEYS), paths };
        let class = root.get_text("class").map(str::to_owned);
        let activity = root.get_text("activity").map(str::to_owned);
        let map = reader.map(root, class.clone(), activity);
        let mut source = Source {
            id: reader.text(root, "id"),
            title: reader.text(root, "title"),
            vendor: reader.text(root, "vendor"),
            product: reader.text(root, "product"),
            export: reader.text(root, "export"),
            formats: reader.formats(root),
            logsources: reader.each(root, "logsources", Reader::logsource),
            shape: root.get_text("shape").map(str::to_owned),
            shape_place: None,
            priority: root.get_text("priority").and_then(|text| text.parse().ok()).unwrap_or(50),
            recognise: reader.recognise(root),
            ignore: reader.condition(root, "ignore"),
            columns: reader.each(root, "columns", Reader::columns),
            extract: reader.each(root, "extract", Reader::extract),
            carry: root.get("carry").and_then(|node| reader.carry(node)),
            identity: reader.identity(root),
            time: reader.each(root, "time", Reader::time),
            map,
            cases: reader.each(root, "cases", |reader, node| reader.case(node, class.as_deref())),
            items: reader.each(root, "items", Reader::items),
            deciding: Vec::new(),
        };
        source.deciding = source.deciding_fields();
        if reader.problems.is_empty() { Ok(source) } else { Err(reader.problems) }
    }
}

impl Source {
    fn deciding_fields(&self) -> Vec<String> {
        let cases = self.cases.iter().map(|case| &case.when);
        let conditions = cases.chain([&self.recognise]).chain(&self.ignore);
        let mut fields: Vec<String> = conditions
            .filter_map(|condition| condition.matcher.compared_fields())
            .flatten()
            .cloned()
            .chain(self.logsources.iter().filter_map(|served| served.when.as_ref()).flat_map(
                // Here a field's presence counts too.
                |when| when.fields().map(str::to_owned).collect::<Vec<_>>(),
            ))
            .collect();
        fields.sort_unstable();
        fields.dedup();
        fields
    }
}

impl Reader<'_> {
    fn keep<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|problem| self.problems.push(problem)).ok()
    }

    fn keep_all<T>(&mut self, result: Result<T, Vec<Diagnostic>>) -> Option<T> {
        result.map_err(|mut problems| self.problems.append(&mut problems)).ok()
    }

    fn text(&mut self, root: &Node, key: &str) -> String {
        if let Some(text) = root.get_text(key) {
            return text.to_owned();
        }
        self.problems.push(Diagnostic::at(root.line, format!("source has no `{key}`")));
        String::new()
    }

    fn each<T>(
        &mut self,
        root: &Node,
        key: &str,
        read: impl Fn(&mut Self, &Node) -> Option<T>,
    ) -> Vec<T> {
        let nodes = root.get(key).map(Node::items).unwrap_or_default();
        nodes.into_iter().filter_map(|node| read(self, node)).collect()
    }

    fn formats(&mut self, root: &Node) -> Vec<String> {
        let formats = root.get_texts("format");
        for format in formats.iter().filter(|format| !FORMATS.contains(&format.as_str())) {
            let message = format!("unknown format: `{format}`; known: {}", FORMATS.join(", "));
            self.problems.push(Diagnostic::at(root.line, message));
        }
        if formats.is_empty() {
            self.problems.push(Diagnostic::at(root.line, "source has no `format`"));
        }
        formats
    }

    fn recognise(&mut self, root: &Node) -> Condition {
        let never = Selection::Or(Vec::new());
        let selection = match root.get("recognise") {
            Some(node) => self.keep_all(detection_expression(node)).unwrap_or(never),
            None => {
                self.problems.push(Diagnostic::at(root.line, "source has no `recognise`"));
                never
            }
        };
        Condition::new(&selection, self.paths)
    }

    fn when(&mut self, node: &Node) -> Option<Condition> {
        self.condition(node, "when")
    }

    fn condition(&mut self, node: &Node, key: &str) -> Option<Condition> {
        let selection = self.keep_all(Selection::parse(node.get(key)?))?;
        Some(Condition::new(&selection, self.paths))
    }

    fn identity(&mut self, root: &Node) -> Vec<IdentityField> {
        let field = |name: String| match name.as_str() {
            "@time" => IdentityField::Time,
            path => IdentityField::Path(self.paths.number(path)),
        };
        root.get_texts("identity").into_iter().map(field).collect()
    }

    fn time(&mut self, node: &Node) -> Option<TimeSpec> {
        let read = TimeSpec::read(node, self.paths);
        self.keep(read)
    }

    fn logsource(&mut self, node: &Node) -> Option<ServedLogsource> {
        let known = ["product", "category", "service", "when", "fields"];
        self.problems.extend(node.unknown_keys(&known));
        let fields = node.get("fields").map(Node::entries).unwrap_or_default();
        let when = self.when(node).map(|condition| condition.matcher);
        if when.as_ref().is_some_and(|when| when.compared_fields().is_none()) {
            let message = "the `when` of a log source must name its fields";
            self.problems.push(Diagnostic::at(node.line, message));
        }
        let pair =
            |entry: &(Node, Node)| Some((entry.0.text()?.to_owned(), entry.1.text()?.to_owned()));
        Some(ServedLogsource {
            logsource: Logsource::from_node(node),
            when: when.map(Arc::new),
            fields: fields.iter().filter_map(pair).collect(),
        })
    }

    fn columns(&mut self, node: &Node) -> Option<Columns> {
        self.problems.extend(node.unknown_keys(&["field", "names", "when"]));
        let field = self.text(node, "field");
        let names = node.get_texts("names").into_iter();
        Some(Columns {
            path: self.paths.number(&field),
            field,
            names: names.map(|name| (self.paths.number(&name), name)).collect(),
            when: self.when(node),
        })
    }

    fn extract(&mut self, node: &Node) -> Option<Extract> {
        self.problems.extend(node.unknown_keys(&["field", "regex", "when", "early"]));
        let text = self.text(node, "regex");
        let regex = LineRegex::new(&text).map_err(|error| {
            let reason = error.to_string().replace('\n', " ");
            Diagnostic::at(node.line, format!("regular expression cannot be used: {reason}"))
        });
        let field = self.text(node, "field");
        let regex = self.keep(regex)?;
        let groups = regex.names().enumerate();
        let groups = groups.filter_map(|(at, name)| Some((at, name?.to_owned())));
        Some(Extract {
            path: self.paths.number(&field),
            field,
            groups: groups.map(|(at, name)| (at, self.paths.number(&name), name)).collect(),
            regex,
            when: self.when(node),
            early: node.get("early").and_then(Node::boolean).unwrap_or(false),
        })
    }

    fn carry(&mut self, node: &Node) -> Option<Carry> {
        self.problems.extend(node.unknown_keys(&["by", "fields"]));
        let carry = Carry { by: node.get_texts("by"), fields: node.get_texts("fields") };
        if carry.by.is_empty() || carry.fields.is_empty() {
            self.problems.push(Diagnostic::at(node.line, "`carry` needs `by` and `fields`"));
            return None;
        }
        Some(carry)
    }

    fn case(&mut self, node: &Node, class: Option<&str>) -> Option<Case> {
        self.problems.extend(node.unknown_keys(&["when", "class", "activity", "fields", "name"]));
        let own_class = node.get_text("class").or(class).map(str::to_owned);
        let map = self.map(node, own_class, node.get_text("activity").map(str::to_owned));
        let Some(when) = self.when(node) else {
            self.problems.push(Diagnostic::at(node.line, "case has no `when`"));
            return None;
        };
        Some(Case { when, map })
    }

    fn map(&mut self, node: &Node, class: Option<String>, activity: Option<String>) -> Map {
        match Map::read(node, class, activity, self.paths) {
            Ok(map) => map,
            Err(mut problems) => {
                self.problems.append(&mut problems);
                Map::default()
            }
        }
    }

    fn items(&mut self, node: &Node) -> Option<Items> {
        let known = ["each", "uid", "name", "parent", "kind", "size"];
        self.problems.extend(node.unknown_keys(&known));
        let own = |key| node.get_text(key).map(str::to_owned);
        Some(Items {
            each: self.text(node, "each").split('.').map(str::to_owned).collect(),
            kind: self.text(node, "kind"),
            uid: own("uid"),
            name: own("name"),
            parent: own("parent"),
            size: own("size"),
        })
    }
}
