//! Sigma's condition language: `selection and not 1 of filter_*`.

use crate::diagnostic::Diagnostic;

/// A condition over selections by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// One selection.
    Name(String),
    /// All must hold.
    And(Vec<Condition>),
    /// One must hold.
    Or(Vec<Condition>),
    /// It must not hold.
    Not(Box<Condition>),
    /// `1 of NAME*`, `all of them`: how many (none = all), and the pattern of names.
    Of(Option<usize>, String),
}

/// Parentheses nested deeper than this are refused.
const DEPTH_MAX: usize = 64;

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// What was expected where.
    pub fn parse(text: &str, line: usize) -> Result<Self, Diagnostic> {
        if text.contains('|') {
            let message = "the old `| count()` conditions were replaced by correlations in Sigma 2";
            return Err(Diagnostic::at(line, message));
        }
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut parser = Parser { words: &words, at: 0, line, depth: 0 };
        let condition = parser.either()?;
        match parser.peek() {
            None => Ok(condition),
            Some(word) => {
                Err(Diagnostic::at(line, format!("condition goes on after its end: `{word}`")))
            }
        }
    }
}

struct Parser<'a> {
    words: &'a [&'a str],
    at: usize,
    line: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).copied()
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn either(&mut self) -> Result<Condition, Diagnostic> {
        let mut list = vec![self.both()?];
        while self.take("or") {
            list.push(self.both()?);
        }
        Ok(single_or(list, Condition::Or))
    }

    fn both(&mut self) -> Result<Condition, Diagnostic> {
        let mut list = vec![self.negated()?];
        while self.take("and") {
            list.push(self.negated()?);
        }
        Ok(single_or(list, Condition::And))
    }

    fn negated(&mut self) -> Result<Condition, Diagnostic> {
        let mut negations = 0_usize;
        while self.take("not") {
            negations += 1;
        }
        let inner = self.atom()?;
        Ok(if negations % 2 == 1 { Condition::Not(Box::new(inner)) } else { inner })
    }

    fn atom(&mut self) -> Result<Condition, Diagnostic> {
        let missing = || Diagnostic::at(self.line, "condition ends where a selection is expected");
        let word = self.peek().ok_or_else(missing)?;
        self.at += 1;
        if word == "(" {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return Err(Diagnostic::at(self.line, "condition is nested too deep"));
            }
            let inner = self.either()?;
            self.depth -= 1;
            return if self.take(")") {
                Ok(inner)
            } else {
                Err(Diagnostic::at(self.line, "condition lacks a closing parenthesis"))
            };
        }
        if self.peek().is_some_and(|next| next.eq_ignore_ascii_case("of")) {
            let count = match word.to_ascii_lowercase().as_str() {
                "all" => None,
                "any" => Some(1),
                number => Some(number.parse().map_err(|_| {
                    Diagnostic::at(
                        self.line,
                        format!("`of` needs a number or `all` before it: `{word}`"),
                    )
                })?),
            };
            self.at += 1;
            let names = self.peek().ok_or_else(missing)?;
            self.at += 1;
            return Ok(Condition::Of(count, names.to_owned()));
        }
        if matches!(word, ")" | "and" | "or" | "of") {
            return Err(Diagnostic::at(
                self.line,
                format!("condition has `{word}` where a selection is expected"),
            ));
        }
        Ok(Condition::Name(word.to_owned()))
    }
}

fn single_or(mut list: Vec<Condition>, make: fn(Vec<Condition>) -> Condition) -> Condition {
    match list.pop() {
        Some(only) if list.is_empty() => only,
        Some(last) => {
            list.push(last);
            make(list)
        }
        None => make(list),
    }
}
