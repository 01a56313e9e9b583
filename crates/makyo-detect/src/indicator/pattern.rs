//! The part of STIX patterning that published indicators use.
//!
//! Read: `=` and `IN` over the object paths that events have columns for, `ISSUBSET` for addresses,
//! `AND`, `OR` and brackets inside one observation, several observations joined by `OR`. Anything
//! else (`NOT`, `LIKE`, `MATCHES`, `FOLLOWEDBY`, `WITHIN`, other objects) refuses the whole
//! pattern: half of it would say something that its author did not.

use super::draft::Alternatives;
use super::value::{IndicatorKind, IndicatorValue};

/// Alternatives of one pattern; lists joined by `IN` with `AND` between multiply.
const ALTERNATIVES_MAX: usize = 10_000;
/// Values that must stand in one event.
const VALUES_MAX: usize = 16;
/// Brackets in brackets.
const DEPTH_MAX: usize = 32;

/// What must stand in one event.
#[derive(Clone, Default, Debug)]
struct Conjunction {
    values: Vec<IndicatorValue>,
    ports: Vec<u16>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Token {
    Word(String),
    Text(String),
    Number(String),
    Sign(char),
}

/// The alternatives of a pattern.
///
/// # Errors
/// What in it is not read.
pub(super) fn parse(pattern: &str) -> Result<Alternatives, String> {
    let tokens = tokens(pattern)?;
    let mut parser = Parser { tokens, at: 0 };
    let found = parser.observations(0)?;
    if let Some(rest) = parser.peek() {
        return Err(format!("pattern uses what is not read: `{}`", shown(rest)));
    }
    let mut alternatives = Vec::new();
    for conjunction in found {
        let mut ports = conjunction.ports;
        ports.sort_unstable();
        ports.dedup();
        if ports.len() > 1 {
            return Err("pattern asks for two ports at once".into());
        }
        let port = ports.first().copied();
        if conjunction.values.is_empty() {
            return Err("pattern names a port or type alone".into());
        }
        alternatives.extend(one_hash_each(conjunction.values).into_iter().map(|one| (one, port)));
    }
    Ok(alternatives)
}

/// Several hashes in one conjunction are names of one file, and evidence rarely carries all of
/// them: each is enough.
fn one_hash_each(values: Vec<IndicatorValue>) -> Vec<Vec<IndicatorValue>> {
    let (hashes, rest): (Vec<_>, Vec<_>) =
        values.into_iter().partition(|value| !value.kind().expires());
    if hashes.is_empty() {
        return vec![rest];
    }
    let with = |hash| std::iter::once(hash).chain(rest.iter().cloned()).collect();
    hashes.into_iter().map(with).collect()
}

fn shown(token: &Token) -> String {
    match token {
        Token::Word(text) | Token::Text(text) | Token::Number(text) => text.clone(),
        Token::Sign(sign) => sign.to_string(),
    }
}

fn tokens(pattern: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            _ if letter.is_whitespace() => {}
            '[' | ']' | '(' | ')' | ',' | '=' => tokens.push(Token::Sign(letter)),
            '\'' => tokens.push(Token::Text(quoted(&mut letters)?)),
            _ if letter.is_ascii_digit() => {
                let mut text = String::from(letter);
                while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                    text.push(digit);
                }
                tokens.push(Token::Number(text));
            }
            _ if letter.is_ascii_alphabetic() => {
                let mut word = String::from(letter);
                loop {
                    if letters.next_if_eq(&'\'').is_some() {
                        word.push_str(&quoted(&mut letters)?);
                    } else if let Some(next) = letters
                        .next_if(|next| next.is_ascii_alphanumeric() || "_-.:".contains(*next))
                    {
                        word.push(next);
                    } else {
                        break;
                    }
                }
                tokens.push(Token::Word(word));
            }
            other => return Err(format!("pattern uses what is not read: `{other}`")),
        }
    }
    Ok(tokens)
}

/// The rest of a text in quotes; `\'` and `\\` stand for themselves.
fn quoted(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => return Ok(text),
            '\\' => match letters.next() {
                Some(escaped @ ('\'' | '\\')) => text.push(escaped),
                _ => return Err("pattern has an escape that is not known".into()),
            },
            other => text.push(other),
        }
    }
    Err("pattern ends inside a text".into())
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

type Conjunctions = Vec<Conjunction>;

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn takes_sign(&mut self, sign: char) -> bool {
        let is_it = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(is_it);
        is_it
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Token::Word(found)) if found == word);
        self.at += usize::from(is_it);
        is_it
    }

    fn expect(&mut self, sign: char) -> Result<(), String> {
        if self.takes_sign(sign) {
            return Ok(());
        }
        let found = self.peek().map_or_else(|| "its end".to_owned(), shown);
        Err(format!("pattern uses what is not read: `{found}` where `{sign}` should be"))
    }

    fn observations(&mut self, depth: usize) -> Result<Conjunctions, String> {
        let mut found = Vec::new();
        loop {
            found.extend(self.observation(depth)?);
            check(&found)?;
            if !self.takes_word("OR") {
                return Ok(found);
            }
        }
    }

    fn observation(&mut self, depth: usize) -> Result<Conjunctions, String> {
        if depth > DEPTH_MAX {
            return Err(format!("pattern is nested deeper than {DEPTH_MAX} brackets"));
        }
        if self.takes_sign('(') {
            let found = self.observations(depth + 1)?;
            self.expect(')')?;
            return Ok(found);
        }
        self.expect('[')?;
        let found = self.any(depth)?;
        self.expect(']')?;
        Ok(found)
    }

    fn any(&mut self, depth: usize) -> Result<Conjunctions, String> {
        let mut found = self.all(depth)?;
        while self.takes_word("OR") {
            found.extend(self.all(depth)?);
            check(&found)?;
        }
        Ok(found)
    }

    fn all(&mut self, depth: usize) -> Result<Conjunctions, String> {
        let mut found = self.term(depth)?;
        while self.takes_word("AND") {
            let right = self.term(depth)?;
            if found.len().saturating_mul(right.len()) > ALTERNATIVES_MAX {
                return Err(format!("pattern has more than {ALTERNATIVES_MAX} alternatives"));
            }
            let mut both = Vec::with_capacity(found.len() * right.len());
            for one in &found {
                for other in &right {
                    let mut joined = one.clone();
                    joined.values.extend(other.values.iter().cloned());
                    joined.ports.extend(&other.ports);
                    if joined.values.len() > VALUES_MAX {
                        return Err(format!("pattern asks for more than {VALUES_MAX} values"));
                    }
                    both.push(joined);
                }
            }
            found = both;
        }
        Ok(found)
    }

    fn term(&mut self, depth: usize) -> Result<Conjunctions, String> {
        if depth > DEPTH_MAX {
            return Err(format!("pattern is nested deeper than {DEPTH_MAX} brackets"));
        }
        if self.takes_sign('(') {
            let found = self.any(depth + 1)?;
            self.expect(')')?;
            return Ok(found);
        }
        let path = match self.next() {
            Some(Token::Word(path)) if path.contains(':') => path,
            other => {
                let found = other.as_ref().map_or_else(|| "its end".to_owned(), shown);
                return Err(format!("pattern uses what is not read: `{found}`"));
            }
        };
        let texts = if self.takes_sign('=') {
            vec![self.constant()?]
        } else if self.takes_word("IN") {
            self.expect('(')?;
            let mut texts = vec![self.constant()?];
            while self.takes_sign(',') {
                texts.push(self.constant()?);
            }
            self.expect(')')?;
            texts
        } else if is_address_path(&path) && self.takes_word("ISSUBSET") {
            vec![self.constant()?]
        } else {
            let found = self.peek().map_or_else(|| "its end".to_owned(), shown);
            return Err(format!("pattern uses an operator that is not read: `{found}`"));
        };
        let found = texts.iter().map(|text| comparison(&path, text)).collect::<Result<_, _>>()?;
        check(&found)?;
        Ok(found)
    }

    fn constant(&mut self) -> Result<String, String> {
        match self.next() {
            Some(Token::Text(text) | Token::Number(text)) => Ok(text),
            other => {
                let found = other.as_ref().map_or_else(|| "its end".to_owned(), shown);
                Err(format!("pattern compares with what is not read: `{found}`"))
            }
        }
    }
}

fn check(found: &Conjunctions) -> Result<(), String> {
    if found.len() > ALTERNATIVES_MAX {
        return Err(format!("pattern has more than {ALTERNATIVES_MAX} alternatives"));
    }
    Ok(())
}

fn is_address_path(path: &str) -> bool {
    matches!(path, "ipv4-addr:value" | "ipv6-addr:value")
}

fn comparison(path: &str, text: &str) -> Result<Conjunction, String> {
    let value = |kind| {
        let value = IndicatorValue::of_kind(kind, text)?;
        Ok(Conjunction { values: vec![value], ports: Vec::new() })
    };
    match path {
        "ipv4-addr:value" | "ipv6-addr:value" => value(IndicatorKind::Address),
        "network-traffic:dst_ref.value" | "network-traffic:src_ref.value" => {
            value(IndicatorKind::Address).or_else(|_| value(IndicatorKind::Domain))
        }
        // The value beside it says what it is already.
        "network-traffic:dst_ref.type" | "network-traffic:src_ref.type"
            if matches!(text, "ipv4-addr" | "ipv6-addr" | "domain-name") =>
        {
            Ok(Conjunction::default())
        }
        "network-traffic:dst_port" | "network-traffic:src_port" => {
            let port = text.parse().map_err(|_| format!("not a port: `{text}`"))?;
            Ok(Conjunction { values: Vec::new(), ports: vec![port] })
        }
        "domain-name:value" => value(IndicatorKind::Domain),
        "url:value" => value(IndicatorKind::Url),
        "file:name" => value(IndicatorKind::FileName),
        "email-addr:value" | "email-message:from_ref.value" | "email-message:sender_ref.value" => {
            value(IndicatorKind::EmailAddress)
        }
        "email-message:subject" => value(IndicatorKind::EmailSubject),
        "network-traffic:extensions.http-request-ext.request_header.User-Agent" => {
            value(IndicatorKind::UserAgent)
        }
        _ => match path.strip_prefix("file:hashes.").map(fold).as_deref() {
            Some("sha256") => value(IndicatorKind::Sha256),
            Some("sha1") => value(IndicatorKind::Sha1),
            Some("md5") => value(IndicatorKind::Md5),
            _ => Err(format!("pattern names what events have no column for: `{path}`")),
        },
    }
}

fn fold(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}
