//! What the tests share.

use anwen_dialogue::{
    AnswerReader, AnswerStyle, ChatTemplate, Piece, RenderRequest, Role, SpecialTokens, Think, ToolCall,
    ToolDefinition, Turn,
};
use serde_json::json;

pub fn template(source: &str) -> ChatTemplate {
    let special = SpecialTokens { bos: "<s>".to_owned(), eos: "</s>".to_owned() };
    ChatTemplate::parse(source, special).unwrap()
}

pub fn render(
    template: &ChatTemplate,
    turns: &[Turn],
    tools: &[ToolDefinition],
    think: Option<Think>,
) -> String {
    let now = time::macros::datetime!(2024-07-26 12:00 UTC);
    template.render(&RenderRequest { turns, tools, think, now }).unwrap()
}

pub fn user(text: &str) -> Turn {
    Turn::text(Role::User, text)
}

pub fn system(text: &str) -> Turn {
    Turn::text(Role::System, text)
}

pub fn assistant(text: &str) -> Turn {
    Turn::text(Role::Assistant, text)
}

pub fn call(arguments: serde_json::Value) -> Turn {
    let call = ToolCall { id: "call_0000abcdefghi".to_owned(), name: "weather".to_owned(), arguments };
    Turn { tool_calls: vec![call], ..assistant("") }
}

pub fn result(text: &str) -> Turn {
    Turn {
        tool_call_id: Some("call_0000abcdefghi".to_owned()),
        name: Some("weather".to_owned()),
        ..Turn::text(Role::Tool, text)
    }
}

pub fn tools() -> Vec<ToolDefinition> {
    let weather = json!({
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    });
    let clock = json!({"type": "object", "properties": {}});
    vec![
        ToolDefinition {
            name: "weather".into(),
            description: "The weather of a place".into(),
            parameters: weather,
        },
        ToolDefinition { name: "clock".into(), description: "The time".into(), parameters: clock },
    ]
}

/// What came out: thinking, text and calls in order, in a short notation.
pub fn shown(pieces: &[Piece]) -> Vec<String> {
    let mut shown: Vec<(char, String)> = Vec::new();
    for piece in pieces {
        let (kind, text) = match piece {
            Piece::Text(text) => ('t', text.clone()),
            Piece::Thinking(text) => ('?', text.clone()),
            Piece::ToolCall(call) => ('!', format!("{}{}", call.name, call.arguments)),
        };
        match shown.last_mut() {
            Some((last, grown)) if *last == kind && kind != '!' => grown.push_str(&text),
            _ => shown.push((kind, text)),
        }
    }
    shown.into_iter().map(|(kind, text)| format!("{kind} {text}")).collect()
}

pub struct Reading<'a> {
    pub style: &'a AnswerStyle,
    pub stop: &'a [&'a str],
    pub tools: &'a [ToolDefinition],
    pub think: Option<Think>,
}

impl Reading<'_> {
    pub fn read<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let stop = self.stop.iter().map(|stop| (*stop).to_owned()).collect();
        let mut reader = AnswerReader::new(self.style, stop, self.tools, self.think);
        let mut pieces = Vec::new();
        for part in parts {
            pieces.extend(reader.push(part));
        }
        pieces.extend(reader.finish());
        shown(&pieces)
    }

    /// The whole text at once, cut in two at every letter, and letter by letter: always the same.
    pub fn read_every_cut(&self, text: &str) -> Vec<String> {
        let whole = self.read([text]);
        for (at, _) in text.char_indices() {
            assert_eq!(self.read([&text[..at], &text[at..]]), whole, "cut at {at} of {text:?}");
        }
        let ends = text.char_indices().map(|(at, letter)| &text[at..at + letter.len_utf8()]);
        assert_eq!(self.read(ends), whole, "letter by letter of {text:?}");
        whole
    }
}
