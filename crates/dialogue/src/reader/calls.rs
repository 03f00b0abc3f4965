//! Calls in an answer's text.

use super::json::{self, JsonScanner};
use super::{Found, parse};
use crate::style::CallStyle;
use crate::types::ToolDefinition;

/// A call that is longer is text.
const MAX_CALL_BYTES: usize = 1024 * 1024;
/// Bytes of a call's beginning that show whether it can be one.
const BEGINNING_BYTES: usize = 256;

/// What a call is opened by, and what ends it.
#[derive(Clone, Copy)]
struct Opening {
    mark: &'static str,
    body: Body,
}

#[derive(Clone, Copy, PartialEq)]
enum Body {
    /// Ends with this mark.
    Until(&'static str),
    /// Ends with its first JSON value.
    Json,
    /// A bare JSON value that begins with the mark itself.
    Bare,
    /// A fenced JSON value.
    Fence,
    /// Nothing: the mark itself says nothing.
    Empty,
}

const fn opening(mark: &'static str, body: Body) -> Opening {
    Opening { mark, body }
}

/// Marks that are read in every style: models write the format of another family where a prompt shows it.
const ANYWHERE: [Opening; 2] =
    [opening("<tool_call>", Body::Until("</tool_call>")), opening("[TOOL_CALLS]", Body::Json)];
const FENCE: &str = "```";
const LINE_STARTS: [Opening; 3] =
    [opening("{", Body::Bare), opening("[", Body::Bare), opening(FENCE, Body::Fence)];

fn marked(style: CallStyle) -> &'static [Opening] {
    const LLAMA: [Opening; 1] = [opening("<|python_tag|>", Body::Json)];
    const PHI: [Opening; 2] = [opening("<|tool_call|>", Body::Json), opening("<|/tool_call|>", Body::Empty)];
    const XML: [Opening; 2] =
        [opening("<function=", Body::Until("</function>")), opening("</tool_call>", Body::Empty)];
    const DEEPSEEK: [Opening; 3] = [
        opening("<｜tool▁calls▁begin｜>", Body::Empty),
        opening("<｜tool▁call▁begin｜>", Body::Until("<｜tool▁call▁end｜>")),
        opening("<｜tool▁calls▁end｜>", Body::Empty),
    ];
    match style {
        CallStyle::Llama => &LLAMA,
        CallStyle::Phi => &PHI,
        CallStyle::QwenXml => &XML,
        CallStyle::DeepSeek | CallStyle::DeepSeekBare => &DEEPSEEK,
        _ => &[],
    }
}

struct Region {
    opening: Opening,
    /// What came behind the mark; with it where the body is bare or fenced.
    body: String,
    scanner: JsonScanner,
    value_end: Option<usize>,
    /// Bytes of `body` in which the closing mark was looked for.
    searched: usize,
}

enum Outcome {
    NeedsMore,
    Calls(Vec<parse::Call>, String),
    /// No call: what goes out as text, and what is read again.
    Text(String, String),
}

pub(super) struct CallFinder {
    tools: Vec<ToolDefinition>,
    openings: Vec<Opening>,
    /// Bare objects count at the start of each line and not only of the answer.
    on_each_line: bool,
    holds_space: bool,
    region: Option<Region>,
    held: String,
    /// White space that goes if a call follows.
    space: String,
    /// Nothing but white space and calls so far.
    at_start: bool,
    /// The line has nothing but white space so far.
    line_blank: bool,
    after_call: bool,
}

impl CallFinder {
    pub(super) fn new(style: CallStyle, tools: &[ToolDefinition], stop: &[String]) -> Self {
        Self {
            tools: tools.to_vec(),
            openings: marked(style).iter().chain(&ANYWHERE).copied().collect(),
            on_each_line: matches!(style, CallStyle::Json | CallStyle::Llama),
            // A stop sequence of white space has to be seen when it comes.
            holds_space: !stop.iter().any(|stop| stop.ends_with(char::is_whitespace)),
            region: None,
            held: String::new(),
            space: String::new(),
            at_start: true,
            line_blank: true,
            after_call: false,
        }
    }

    pub(super) fn push(&mut self, text: &str) -> Vec<Found> {
        if self.tools.is_empty() {
            return vec![Found::Text(text.to_owned())];
        }
        let mut found = Vec::new();
        match &mut self.region {
            Some(region) => region.body.push_str(text),
            None => self.held.push_str(text),
        }
        self.advance(false, &mut found);
        found
    }

    pub(super) fn finish(&mut self) -> Vec<Found> {
        let mut found = Vec::new();
        self.advance(true, &mut found);
        let rest = std::mem::take(&mut self.held);
        self.text(&rest, &mut found);
        if !self.after_call && !self.space.is_empty() {
            found.push(Found::Text(std::mem::take(&mut self.space)));
        }
        found
    }

    /// A call whose tool was named outside its arguments.
    pub(super) fn named_call(&mut self, name: &str, arguments: &str) -> Vec<Found> {
        let mut found = self.finish();
        match parse::named(name, arguments, &self.tools) {
            Some((name, arguments)) => self.calls(vec![(name, arguments)], &mut found),
            None => self.text(arguments, &mut found),
        }
        found
    }

    fn advance(&mut self, at_end: bool, found: &mut Vec<Found>) {
        loop {
            if let Some(mut region) = self.region.take() {
                match region.outcome(&self.tools, at_end) {
                    Outcome::NeedsMore => {
                        self.region = Some(region);
                        return;
                    }
                    Outcome::Calls(calls, rest) => {
                        self.held = rest;
                        self.calls(calls, found);
                    }
                    Outcome::Text(text, rest) => {
                        self.held = rest;
                        self.text(&text, found);
                    }
                }
            }
            let held = std::mem::take(&mut self.held);
            let (at, opening) = self.next_opening(&held, at_end);
            self.text(&held[..at], found);
            let Some(opening) = opening else {
                self.held = held[at..].to_owned();
                return;
            };
            let body_at =
                if matches!(opening.body, Body::Bare | Body::Fence) { at } else { at + opening.mark.len() };
            let body = held[body_at..].to_owned();
            self.region = Some(Region::new(opening, body));
        }
    }

    /// Where the next call may open, or from where the text may be the beginning of a mark.
    fn next_opening(&self, text: &str, at_end: bool) -> (usize, Option<Opening>) {
        let (mut at_start, mut line_blank) = (self.at_start, self.line_blank);
        for (at, character) in text.char_indices() {
            let rest = &text[at..];
            let counts = at_start || (self.on_each_line && line_blank);
            let openings = self.openings.iter().chain(if counts { &LINE_STARTS[..] } else { &[] });
            for opening in openings {
                if rest.starts_with(opening.mark) {
                    return (at, Some(*opening));
                }
                if !at_end && opening.mark.starts_with(rest) {
                    return (at, None);
                }
            }
            // What separates calls in a row.
            let separates =
                character.is_whitespace() || (self.after_call && at_start && matches!(character, ';' | ','));
            at_start &= separates;
            line_blank = character == '\n' || (line_blank && separates);
        }
        (text.len(), None)
    }

    fn calls(&mut self, calls: Vec<parse::Call>, found: &mut Vec<Found>) {
        self.space.clear();
        self.at_start = true;
        self.line_blank = true;
        self.after_call = true;
        found.extend(calls.into_iter().map(|(name, arguments)| Found::Call { name, arguments }));
    }

    /// Passes text on, with white space held back as long as a call may follow it.
    fn text(&mut self, text: &str, found: &mut Vec<Found>) {
        if text.is_empty() {
            return;
        }
        let mut out = std::mem::take(&mut self.space);
        out.push_str(text);
        if self.after_call {
            let begun = out.trim_start_matches(|character: char| {
                character.is_whitespace() || matches!(character, ';' | ',')
            });
            out = begun.to_owned();
        }
        let shown = out.trim_end().len();
        if shown > 0 {
            self.after_call = false;
            self.at_start = false;
        }
        let line = out.rsplit('\n').next().unwrap_or_default();
        self.line_blank = line.trim().is_empty() && (self.line_blank || out.contains('\n'));
        if self.holds_space {
            self.space = out.split_off(shown);
        }
        if !out.is_empty() {
            found.push(Found::Text(out));
        }
    }
}

impl Region {
    fn new(opening: Opening, body: String) -> Self {
        let scanner =
            if opening.body == Body::Fence { JsonScanner::behind_words() } else { JsonScanner::default() };
        Self { opening, body, scanner, value_end: None, searched: 0 }
    }

    fn outcome(&mut self, tools: &[ToolDefinition], at_end: bool) -> Outcome {
        if self.opening.body == Body::Empty {
            return Outcome::Calls(Vec::new(), std::mem::take(&mut self.body));
        }
        if !self.can_be_a_call(tools) {
            return self.as_text();
        }
        let ends = match self.opening.body {
            Body::Until(close) => self.until(close),
            Body::Fence => self.fence(),
            _ => self.value_end().map(|end| (end, end)),
        };
        let Some((inner, end)) = ends else {
            if at_end {
                return self.at_end(tools);
            }
            return if self.body.len() > MAX_CALL_BYTES { self.as_text() } else { Outcome::NeedsMore };
        };
        match self.read(&self.body[..inner], tools) {
            Some(calls) => Outcome::Calls(calls, self.body[end..].to_owned()),
            None if matches!(self.opening.body, Body::Bare | Body::Fence) => {
                let rest = self.body.split_off(end);
                Outcome::Text(std::mem::take(&mut self.body), rest)
            }
            None => self.as_text(),
        }
    }

    fn read(&self, inner: &str, tools: &[ToolDefinition]) -> Option<Vec<parse::Call>> {
        match self.opening.body {
            Body::Fence => parse::json_calls(inner.get(inner.find(['{', '['])?..)?, tools),
            Body::Bare => parse::json_calls(inner, tools),
            _ if self.opening.mark == "<function=" => parse::calls(&format!("<function={inner}"), tools),
            _ => parse::calls(inner, tools),
        }
    }

    /// The mark, or of a bare value its first letter, is text; what follows is looked at again.
    fn as_text(&mut self) -> Outcome {
        let mut body = std::mem::take(&mut self.body);
        if matches!(self.opening.body, Body::Bare | Body::Fence) {
            let rest = body.split_off(self.opening.mark.len().min(body.len()));
            return Outcome::Text(body, rest);
        }
        Outcome::Text(self.opening.mark.to_owned(), body)
    }

    /// Without its end, when no more text comes: the model ended its turn instead.
    fn at_end(&mut self, tools: &[ToolDefinition]) -> Outcome {
        match self.read(&self.body[..self.value_end.unwrap_or(self.body.len())], tools) {
            Some(calls) => Outcome::Calls(calls, String::new()),
            None => self.as_text(),
        }
    }

    /// The end of the text before the closing mark and behind it. A closing mark inside a JSON string ends nothing.
    fn until(&mut self, close: &str) -> Option<(usize, usize)> {
        let mut from = self.searched.saturating_sub(close.len());
        while !self.body.is_char_boundary(from) {
            from -= 1;
        }
        while let Some(at) = self.body[from..].find(close).map(|at| from + at) {
            if !json::is_open(&self.body[..at]) {
                return Some((at, at + close.len()));
            }
            from = at + close.len();
        }
        self.searched = self.body.len();
        None
    }

    /// The end of the fenced value and of its fence; of the value alone where something else follows it.
    fn fence(&mut self) -> Option<(usize, usize)> {
        let end = self.value_end()?;
        let behind = self.body[end..].trim_start();
        let at = self.body.len() - behind.len();
        if behind.starts_with(FENCE) {
            return Some((end, at + FENCE.len()));
        }
        (!FENCE.starts_with(behind)).then_some((end, end))
    }

    fn value_end(&mut self) -> Option<usize> {
        if self.value_end.is_none() {
            self.value_end = self.scanner.end(&self.body);
        }
        self.value_end
    }

    /// Whether what has come so far can begin a call; once it cannot, it never will.
    fn can_be_a_call(&self, tools: &[ToolDefinition]) -> bool {
        let mut cut = self.body.len().min(BEGINNING_BYTES);
        while !self.body.is_char_boundary(cut) {
            cut -= 1;
        }
        let beginning = self.body[..cut].trim_start();
        if beginning.is_empty()
            || self.opening.mark == "<function="
            || self.opening.mark.starts_with("<｜tool")
        {
            return true;
        }
        let agrees = |text: &str| beginning.starts_with(text) || text.starts_with(beginning);
        match self.opening.body {
            Body::Bare => can_be_json_call(beginning),
            Body::Fence => {
                let inner = beginning.trim_start_matches('`');
                let language = inner.find(['{', '[', '\n', ' ']).unwrap_or(inner.len());
                let word = &inner[..language];
                let known = ["json", "tool_call", "tool_calls", "tool_code", ""];
                known.iter().any(|known| {
                    if language == inner.len() { known.starts_with(word) } else { *known == word }
                }) && can_be_json_call(inner[language..].trim_start())
            }
            _ => {
                can_be_json_call(beginning) && beginning.starts_with(['{', '['])
                    || agrees("<function=")
                    || tools.iter().any(|tool| agrees(&tool.name))
            }
        }
    }
}

/// Whether the text begins an object with a key that a call begins with, or a list of such.
fn can_be_json_call(text: &str) -> bool {
    const FIRST_KEYS: [&str; 12] = [
        "\"name\"",
        "\"tool_name\"",
        "\"tool\"",
        "\"function\"",
        "\"type\"",
        "\"id\"",
        "\"arguments\"",
        "\"parameters\"",
        "\"args\"",
        "\"input\"",
        "\"tool_calls\"",
        "\"tool_call\"",
    ];
    let Some(rest) = text.chars().next() else { return true };
    if !matches!(rest, '{' | '[') {
        return false;
    }
    let inner = text.trim_start_matches(|character: char| character.is_whitespace() || character == '[');
    let Some(object) = inner.strip_prefix('{') else { return inner.is_empty() };
    let key = object.trim_start();
    FIRST_KEYS.iter().any(|first| key.starts_with(first) || first.starts_with(key))
}
