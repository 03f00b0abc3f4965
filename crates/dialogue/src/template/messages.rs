//! Turns as the messages that a template iterates over.

use serde_json::{Map, Value, json};

use crate::types::{Role, ToolCall, ToolDefinition, Turn};

/// What the messages of a template look like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// The system's text goes before the next question.
    pub fold_system: bool,
    /// Neighbours of one role become one message.
    pub merge: bool,
    pub content: ContentAs,
    pub arguments: ArgumentsAs,
    /// Thinking goes into the field that gpt-oss reads.
    pub channels: bool,
    /// Ids of calls have nine letters or digits: Mistral's templates refuse others.
    pub nine_character_ids: bool,
}

/// The form of a message's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContentAs {
    /// Text; the template has no place for pictures.
    Text,
    /// Text, or a list of parts where there are pictures.
    TextOrParts,
    /// Always a list of parts.
    Parts,
}

/// The form of a call's arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ArgumentsAs {
    Object,
    /// JSON in a string, as OpenAI's interface has it.
    Text,
}

/// The messages for `turns`.
pub(super) fn messages(turns: &[Turn], shape: Shape) -> Vec<Value> {
    let folded = if shape.fold_system { fold_system(turns) } else { turns.to_vec() };
    let merged = if shape.merge { merge(folded) } else { folded };
    merged.iter().map(|turn| message(turn, shape)).collect()
}

/// The tool in OpenAI's shape.
pub(super) fn tool(tool: &ToolDefinition) -> Value {
    json!({"type": "function", "function": {
        "name": tool.name, "description": tool.description, "parameters": tool.parameters,
    }})
}

fn fold_system(turns: &[Turn]) -> Vec<Turn> {
    let mut folded: Vec<Turn> = Vec::with_capacity(turns.len());
    let mut system: Vec<&str> = Vec::new();
    for turn in turns {
        match turn.role {
            Role::System => system.push(&turn.content),
            Role::User if !system.is_empty() => {
                system.push(&turn.content);
                let content = system.join("\n\n");
                system.clear();
                folded.push(Turn { content, ..turn.clone() });
            }
            _ => folded.push(turn.clone()),
        }
    }
    if !system.is_empty() {
        folded.push(Turn::text(Role::User, system.join("\n\n")));
    }
    folded
}

fn merge(turns: Vec<Turn>) -> Vec<Turn> {
    let mut merged: Vec<Turn> = Vec::with_capacity(turns.len());
    for turn in turns {
        match merged.last_mut() {
            Some(last) if last.role == turn.role && turn.role != Role::Tool => {
                if !last.content.is_empty() && !turn.content.is_empty() {
                    last.content.push_str("\n\n");
                }
                last.content.push_str(&turn.content);
                last.images.extend(turn.images);
                last.tool_calls.extend(turn.tool_calls);
                last.thinking = turn.thinking.or(last.thinking.take());
            }
            _ => merged.push(turn),
        }
    }
    merged
}

fn message(turn: &Turn, shape: Shape) -> Value {
    let mut message = Map::new();
    message.insert("role".into(), turn.role.as_str().into());
    message.insert("content".into(), content(turn, shape.content));
    if let Some(thinking) = &turn.thinking {
        // gpt-oss takes either text or thinking beside a call.
        let beside_text = !turn.tool_calls.is_empty() && !turn.content.is_empty();
        if !shape.channels {
            message.insert("reasoning_content".into(), thinking.clone().into());
        } else if !beside_text {
            message.insert("thinking".into(), thinking.clone().into());
        }
    }
    if !turn.tool_calls.is_empty() {
        let calls: Vec<Value> = turn.tool_calls.iter().map(|call| tool_call(call, shape)).collect();
        message.insert("tool_calls".into(), calls.into());
    }
    if let Some(id) = &turn.tool_call_id {
        message.insert("tool_call_id".into(), call_id(id, shape).into());
    }
    if let Some(name) = &turn.name {
        message.insert("name".into(), name.clone().into());
    }
    message.into()
}

fn content(turn: &Turn, form: ContentAs) -> Value {
    let as_text = match form {
        ContentAs::Text => true,
        ContentAs::TextOrParts => turn.images.is_empty(),
        ContentAs::Parts => false,
    };
    if as_text {
        return turn.content.clone().into();
    }
    let mut parts: Vec<Value> = turn.images.iter().map(|_| json!({"type": "image"})).collect();
    if !turn.content.is_empty() || parts.is_empty() {
        parts.push(json!({"type": "text", "text": turn.content}));
    }
    parts.into()
}

fn tool_call(call: &ToolCall, shape: Shape) -> Value {
    let arguments = match shape.arguments {
        ArgumentsAs::Object => call.arguments.clone(),
        ArgumentsAs::Text => super::python_json(&call.arguments).into(),
    };
    json!({"id": call_id(&call.id, shape), "type": "function", "function": {"name": call.name, "arguments": arguments}})
}

/// The id as the template takes it: the same for the same id.
fn call_id(id: &str, shape: Shape) -> String {
    const LENGTH: usize = 9;
    if !shape.nine_character_ids {
        return id.to_owned();
    }
    let letters: Vec<char> = id.chars().filter(char::is_ascii_alphanumeric).collect();
    let from = letters.len().saturating_sub(LENGTH);
    let end: String = letters[from..].iter().collect();
    format!("{end:0>LENGTH$}")
}
