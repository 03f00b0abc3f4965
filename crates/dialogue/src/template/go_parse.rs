//! The parser of Go's template language.

use serde_json::Value;

use super::TemplateError;

/// Blocks or brackets inside each other.
const MAX_DEPTH: usize = 64;

#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    Print(Expression),
    Set {
        name: String,
        expression: Expression,
        declares: bool,
    },
    If {
        condition: Expression,
        then: Vec<Node>,
        otherwise: Vec<Node>,
    },
    With {
        value: Expression,
        then: Vec<Node>,
        otherwise: Vec<Node>,
    },
    Range {
        key: Option<String>,
        item: Option<String>,
        list: Expression,
        body: Vec<Node>,
        otherwise: Vec<Node>,
    },
}

#[derive(Clone, Debug)]
pub(super) enum Expression {
    Literal(Value),
    /// Of the value that is looked at: `.A.B`.
    Field(Vec<String>),
    /// `$name.A`; `$` alone, with an empty name, is the whole.
    Variable(String, Vec<String>),
    Call(String, Vec<Expression>),
}

/// Text, or the words of an action.
enum Part {
    Text(String),
    Action(Vec<String>),
}

pub(super) fn parse(source: &str) -> Result<Vec<Node>, TemplateError> {
    let parts = split(source)?;
    let mut parser = Parser { parts: parts.into_iter() };
    match parser.block(0)? {
        (nodes, None) => Ok(nodes),
        (_, Some(word)) => Err(error(format!("{} stands without a block", word.join(" ")))),
    }
}

fn error(text: String) -> TemplateError {
    TemplateError::Syntax(text)
}

/// Text and actions, with white space gone where trim marks say so.
fn split(source: &str) -> Result<Vec<Part>, TemplateError> {
    let mut parts = Vec::new();
    let mut rest = source;
    let mut trims_next = false;
    loop {
        let (text, after) = rest.split_once("{{").map_or((rest, None), |(text, after)| (text, Some(after)));
        let text = if trims_next { text.trim_start() } else { text };
        let after = after.map(|after| match after.strip_prefix('-') {
            Some(trimmed) if trimmed.starts_with(char::is_whitespace) => (text.trim_end(), trimmed),
            _ => (text, after),
        });
        let Some((text, after)) = after else {
            parts.push(Part::Text(text.to_owned()));
            return Ok(parts);
        };
        parts.push(Part::Text(text.to_owned()));
        let (words, behind) = words(after)?;
        rest = behind.strip_prefix("-}}").or_else(|| behind.strip_prefix("}}")).unwrap_or_default();
        trims_next = behind.starts_with('-');
        if !words.is_empty() {
            parts.push(Part::Action(words));
        }
    }
}

/// The words of an action, and the text from its end mark on.
fn words(text: &str) -> Result<(Vec<String>, &str), TemplateError> {
    let mut words = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if rest.starts_with("}}") || rest.starts_with("-}}") {
            return Ok((words, rest));
        }
        if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment
                .split_once("*/")
                .map(|(_, rest)| rest)
                .ok_or_else(|| error("a comment has no end".into()))?;
            continue;
        }
        let Some(first) = rest.chars().next() else {
            return Err(error("an action has no end, close it by }}".into()));
        };
        let length = match first {
            '"' | '`' => quoted(rest, first)?,
            '(' | ')' | ',' | '|' => 1,
            ':' if rest.starts_with(":=") => 2,
            '=' => 1,
            _ => rest
                .find(|letter: char| letter.is_whitespace() || "(),|\"`=:}".contains(letter))
                .filter(|length| *length > 0)
                .unwrap_or(rest.len().min(first.len_utf8())),
        };
        words.push(rest[..length].to_owned());
        rest = &rest[length..];
    }
}

/// Bytes of a quoted text, its marks counted.
fn quoted(text: &str, mark: char) -> Result<usize, TemplateError> {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' if mark == '"' => escaped = true,
            _ if letter == mark => return Ok(at + 1),
            _ => {}
        }
    }
    Err(error("a text in quotes has no end".into()))
}

struct Parser {
    parts: std::vec::IntoIter<Part>,
}

type Block = (Vec<Node>, Option<Vec<String>>);

impl Parser {
    /// Nodes up to the `end` or `else` that closes the block, which comes with them.
    fn block(&mut self, depth: usize) -> Result<Block, TemplateError> {
        if depth > MAX_DEPTH {
            return Err(error(format!("more than {MAX_DEPTH} blocks stand in each other")));
        }
        let mut nodes = Vec::new();
        while let Some(part) = self.parts.next() {
            let words = match part {
                Part::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Part::Action(words) => words,
            };
            match words[0].as_str() {
                "end" | "else" => return Ok((nodes, Some(words))),
                "if" | "with" | "range" => nodes.push(self.opened(&words, depth)?),
                "template" | "define" | "block" | "break" | "continue" => {
                    return Err(error(format!("{} is not supported in templates of Go", words[0])));
                }
                _ => nodes.push(simple(&words)?),
            }
        }
        Ok((nodes, None))
    }

    /// A node whose first words are read.
    fn opened(&mut self, words: &[String], depth: usize) -> Result<Node, TemplateError> {
        let (body, end) = self.block(depth + 1)?;
        let otherwise = match end.as_deref() {
            None => return Err(error(format!("{} has no end", words.join(" ")))),
            Some([word]) if word == "else" => match self.block(depth + 1)? {
                (nodes, Some(end)) if end[0] == "end" => nodes,
                _ => return Err(error("else has no end".into())),
            },
            // `else if …` shares the end of its block.
            Some([word, nested @ ..]) if word == "else" && matches!(nested[0].as_str(), "if" | "with") => {
                vec![self.opened(nested, depth + 1)?]
            }
            Some([word]) if word == "end" => Vec::new(),
            Some(other) => return Err(error(format!("{} is not understood", other.join(" ")))),
        };
        match words[0].as_str() {
            "if" => Ok(Node::If { condition: expression(&words[1..])?, then: body, otherwise }),
            "with" => Ok(Node::With { value: expression(&words[1..])?, then: body, otherwise }),
            _ => range(&words[1..], body, otherwise),
        }
    }
}

fn range(words: &[String], body: Vec<Node>, otherwise: Vec<Node>) -> Result<Node, TemplateError> {
    let variable = |word: &String| word.strip_prefix('$').map(str::to_owned);
    let shape: Vec<&str> = words.iter().map(String::as_str).collect();
    let (key, item, list) = match shape.as_slice() {
        [_, ",", _, ":=", ..] => (variable(&words[0]), variable(&words[2]), &words[4..]),
        [_, ":=", ..] => (None, variable(&words[0]), &words[2..]),
        _ => (None, None, words),
    };
    Ok(Node::Range { key, item, list: expression(list)?, body, otherwise })
}

fn simple(words: &[String]) -> Result<Node, TemplateError> {
    if let [name, sign, rest @ ..] = words
        && let (Some(name), ":=" | "=") = (name.strip_prefix('$'), sign.as_str())
    {
        let expression = expression(rest)?;
        return Ok(Node::Set { name: name.to_owned(), expression, declares: sign == ":=" });
    }
    Ok(Node::Print(expression(words)?))
}

fn expression(words: &[String]) -> Result<Expression, TemplateError> {
    let mut at = 0;
    let read = call(words, &mut at, 0)?;
    match words.get(at) {
        None => Ok(read),
        Some(word) => Err(error(format!("{word} is not supported in {}", words.join(" ")))),
    }
}

/// A function with its values, or one value.
fn call(words: &[String], at: &mut usize, depth: usize) -> Result<Expression, TemplateError> {
    let first = words.get(*at).ok_or_else(|| error("an action says nothing".into()))?;
    let is_name = first.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && first.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && !matches!(first.as_str(), "true" | "false" | "nil");
    if !is_name {
        return value(words, at, depth);
    }
    *at += 1;
    let mut values = Vec::new();
    while words.get(*at).is_some_and(|word| !matches!(word.as_str(), ")" | "|" | "," | ":=" | "=")) {
        values.push(value(words, at, depth)?);
    }
    Ok(Expression::Call(first.clone(), values))
}

fn value(words: &[String], at: &mut usize, depth: usize) -> Result<Expression, TemplateError> {
    if depth > MAX_DEPTH {
        return Err(error(format!("more than {MAX_DEPTH} brackets stand in each other")));
    }
    let word = words.get(*at).ok_or_else(|| error("a value is missing".into()))?;
    *at += 1;
    if word == "(" {
        let inner = call(words, at, depth + 1)?;
        if words.get(*at).map(String::as_str) != Some(")") {
            return Err(error("a bracket has no end".into()));
        }
        *at += 1;
        return Ok(inner);
    }
    let path = |text: &str| text.split('.').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if word.starts_with('.') {
        return Ok(Expression::Field(path(word)));
    }
    if let Some(variable) = word.strip_prefix('$') {
        let (name, rest) = variable.split_once('.').unwrap_or((variable, ""));
        return Ok(Expression::Variable(name.to_owned(), path(rest)));
    }
    if let Some(raw) = word.strip_prefix('`') {
        return Ok(Expression::Literal(raw.trim_end_matches('`').into()));
    }
    match word.as_str() {
        "nil" => Ok(Expression::Literal(Value::Null)),
        other => serde_json::from_str(other)
            .map(Expression::Literal)
            .map_err(|_| error(format!("{other} is not supported in templates of Go"))),
    }
}
