//! Grammars that make a model call a tool, in Lark's notation as llguidance reads it.

use serde_json::{Value, json};

use crate::style::{AnswerStyle, CallStyle, ThinkingStyle};
use crate::types::{Think, ToolChoice, ToolDefinition};

/// A grammar of one valid call of a tool, for a choice that requires one; `None` where none is required or no tool is
/// there to be called. Marks that tokenizers hold as control tokens are left out: [`AnswerReader`](crate::AnswerReader)
/// reads the calls without them.
pub fn tool_grammar(tools: &[ToolDefinition], choice: &ToolChoice, style: &AnswerStyle) -> Option<String> {
    ToolGrammar { tools, choice, style, think: Some(Think::Off), token_id: &|_| None }.lark()
}

/// What the grammar of a required call is made of.
pub struct ToolGrammar<'a> {
    pub tools: &'a [ToolDefinition],
    pub choice: &'a ToolChoice,
    pub style: &'a AnswerStyle,
    /// What the prompt was rendered with: where it leaves the model inside a thinking block, the grammar lets it think
    /// to the end first.
    pub think: Option<Think>,
    /// The id of a control token by its text; `None` for text that is no control token.
    pub token_id: &'a dyn Fn(&str) -> Option<u32>,
}

impl ToolGrammar<'_> {
    /// The grammar, or `None` where no call is required or no tool is there to be called.
    pub fn lark(&self) -> Option<String> {
        let tools: Vec<&ToolDefinition> = match self.choice {
            ToolChoice::Auto | ToolChoice::None => return None,
            ToolChoice::Required => self.tools.iter().collect(),
            ToolChoice::Named(name) => self.tools.iter().filter(|tool| tool.name == *name).collect(),
        };
        if tools.is_empty() {
            return None;
        }
        let calls = (0..tools.len()).map(|index| format!("call_{index}")).collect::<Vec<_>>().join(" | ");
        let mut rules = String::new();
        let before = self.thinking_first(&mut rules);
        let mut grammar = format!("start: {before}call\ncall: {calls}\n{rules}");
        for (index, tool) in tools.into_iter().enumerate() {
            grammar.push_str(&self.call(index, tool));
        }
        Some(grammar)
    }

    fn thinking_first(&self, rules: &mut String) -> &'static str {
        let ThinkingStyle::Tags { close, .. } = &self.style.thinking else { return "" };
        if !self.style.starts_thinking.given(self.think) {
            return "";
        }
        rules.push_str("thinking: thought WHITE?\nWHITE: /\\s+/\n");
        match (self.token_id)(close) {
            Some(id) => rules.push_str(&format!("thought: /(.|\\n)*/ <[{id}]>\n")),
            None => rules.push_str(&format!("thought[suffix={}]: /(.|\\n)*/\n", literal(close))),
        }
        "thinking "
    }

    fn call(&self, index: usize, tool: &ToolDefinition) -> String {
        let arguments = arguments_schema(tool);
        let object = |key: &str| call_schema(&tool.name, key, &arguments);
        let name = &tool.name;
        let body = |parts: &[Part<'_>]| self.rule(index, parts);
        match self.style.calls {
            CallStyle::Hermes => body(&[
                Part::Tag("<tool_call>"),
                Part::Text("\n"),
                Part::Json(&object("arguments")),
                Part::Text("\n"),
                Part::Tag("</tool_call>"),
            ]),
            CallStyle::Llama => body(&[Part::Json(&object("parameters"))]),
            CallStyle::MistralList => body(&[
                Part::Mark("[TOOL_CALLS]"),
                Part::Text("["),
                Part::Json(&object("arguments")),
                Part::Text("]"),
            ]),
            CallStyle::MistralArgs if self.has(&["[TOOL_CALLS]", "[ARGS]"]) => body(&[
                Part::Mark("[TOOL_CALLS]"),
                Part::Text(name),
                Part::Mark("[ARGS]"),
                Part::Json(&arguments),
            ]),
            CallStyle::DeepSeek if self.has(&["<｜tool▁calls▁begin｜>"]) => body(&[
                Part::Mark("<｜tool▁calls▁begin｜>"),
                Part::Mark("<｜tool▁call▁begin｜>"),
                Part::Text("function"),
                Part::Mark("<｜tool▁sep｜>"),
                Part::Text(&format!("{name}\n```json\n")),
                Part::Json(&arguments),
                Part::Text("\n```"),
                Part::Mark("<｜tool▁call▁end｜>"),
            ]),
            CallStyle::DeepSeekBare if self.has(&["<｜tool▁calls▁begin｜>"]) => body(&[
                Part::Mark("<｜tool▁calls▁begin｜>"),
                Part::Mark("<｜tool▁call▁begin｜>"),
                Part::Text(name),
                Part::Mark("<｜tool▁sep｜>"),
                Part::Json(&arguments),
                Part::Mark("<｜tool▁call▁end｜>"),
            ]),
            CallStyle::Phi => body(&[
                Part::Mark("<|tool_call|>"),
                Part::Text("["),
                Part::Json(&object("arguments")),
                Part::Text("]"),
                Part::Mark("<|/tool_call|>"),
            ]),
            CallStyle::Channels if self.has(&["<|channel|>", "<|message|>"]) => body(&[
                Part::Mark("<|channel|>"),
                Part::Text(&format!("commentary to=functions.{name} ")),
                Part::Mark("<|constrain|>"),
                Part::Text("json"),
                Part::Mark("<|message|>"),
                Part::Json(&arguments),
            ]),
            _ => body(&[Part::Json(&object("arguments"))]),
        }
    }

    fn has(&self, marks: &[&str]) -> bool {
        marks.iter().all(|mark| (self.token_id)(mark).is_some())
    }

    /// The rule of one call. A mark that is no control token is left out.
    fn rule(&self, index: usize, parts: &[Part<'_>]) -> String {
        let mut rule = format!("call_{index}:");
        for part in parts {
            let part = match part {
                Part::Text(text) => literal(text),
                Part::Mark(mark) => match (self.token_id)(mark) {
                    Some(id) => format!("<[{id}]>"),
                    None => continue,
                },
                Part::Tag(tag) => match (self.token_id)(tag) {
                    Some(id) => format!("<[{id}]>"),
                    None => literal(tag),
                },
                Part::Json(schema) => format!("%json {schema}"),
            };
            rule.push(' ');
            rule.push_str(&part);
        }
        rule.push('\n');
        rule
    }
}

enum Part<'a> {
    Text(&'a str),
    Mark(&'a str),
    Json(&'a Value),
    /// A mark that may also be written out.
    Tag(&'a str),
}

/// A schema of an object, even where the tool has given none.
fn arguments_schema(tool: &ToolDefinition) -> Value {
    match &tool.parameters {
        Value::Object(schema) if !schema.is_empty() => tool.parameters.clone(),
        _ => json!({"type": "object"}),
    }
}

/// The schema of a call as one object. Definitions that the arguments refer to stand at the top, where `#/$defs/…` is
/// looked up.
fn call_schema(name: &str, key: &str, arguments: &Value) -> Value {
    let mut arguments = arguments.clone();
    let mut schema = json!({
        "type": "object",
        "properties": {"name": {"const": name}},
        "required": ["name", key],
        "additionalProperties": false,
    });
    for shared in ["$defs", "definitions"] {
        if let Some(definitions) = arguments.as_object_mut().and_then(|object| object.remove(shared)) {
            schema[shared] = definitions;
        }
    }
    schema["properties"][key] = arguments;
    schema
}

/// Text as a literal of Lark: JSON's escapes are its escapes.
fn literal(text: &str) -> String {
    Value::from(text).to_string()
}
