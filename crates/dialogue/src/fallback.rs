//! Tools for models whose template knows none: they are described in the system's text, calls are JSON objects in the
//! answer, and results come back as what the user says.

use serde_json::json;

use crate::template::python_json;
use crate::types::{Role, ToolCall, ToolDefinition, Turn};

/// `turns` with the tools described in the system's text, and calls and results as plain text.
pub(crate) fn without_tools(turns: &[Turn], tools: &[ToolDefinition]) -> Vec<Turn> {
    let mut plain: Vec<Turn> = turns.iter().map(plain_turn).collect();
    if tools.is_empty() {
        return plain;
    }
    let description = describe(tools);
    match plain.first_mut().filter(|first| first.role == Role::System) {
        Some(system) if system.content.is_empty() => system.content = description,
        Some(system) => system.content = format!("{}\n\n{description}", system.content),
        None => plain.insert(0, Turn::text(Role::System, description)),
    }
    plain
}

/// The text that offers tools.
fn describe(tools: &[ToolDefinition]) -> String {
    let mut text = String::from("You can call these tools:\n");
    for tool in tools {
        let tool = json!({"name": tool.name, "description": tool.description, "parameters": tool.parameters});
        text.push_str(&python_json(&tool));
        text.push('\n');
    }
    text.push_str(
        "\nTo call a tool, answer with nothing but one JSON object for each call:\n\
         {\"name\": \"<name of the tool>\", \"arguments\": {<arguments that fit its parameters>}}\n\
         Its result comes in the next message. When no tool is needed, answer in plain text.",
    );
    text
}

fn plain_turn(turn: &Turn) -> Turn {
    let mut plain = turn.clone();
    plain.tool_calls = Vec::new();
    plain.tool_call_id = None;
    plain.name = None;
    match turn.role {
        Role::Assistant if !turn.tool_calls.is_empty() => {
            let written = turn.tool_calls.iter().map(written_call);
            let parts: Vec<String> = Some(turn.content.clone())
                .filter(|text| !text.is_empty())
                .into_iter()
                .chain(written)
                .collect();
            plain.content = parts.join("\n");
        }
        Role::Tool => {
            plain.role = Role::User;
            let name = turn.name.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
            plain.content = format!("Result of the tool{name}:\n{}", turn.content);
        }
        _ => {}
    }
    plain
}

fn written_call(call: &ToolCall) -> String {
    python_json(&json!({"name": call.name, "arguments": call.arguments}))
}
