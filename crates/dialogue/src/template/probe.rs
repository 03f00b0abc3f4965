//! What a template supports, found out by rendering small conversations with words that stand nowhere else.

use serde_json::json;
use time::OffsetDateTime;

use super::ChatTemplate;
use super::messages::{ArgumentsAs, ContentAs, Shape};
use crate::style::{StartsThinking, ThinkingStyle};
use crate::types::{Role, Think, ToolCall, ToolDefinition, Turn};

const SYSTEM: &str = "probe-of-system";
const USER: &str = "probe-of-user";
const TOOL: &str = "probe_of_tool";
const KEY: &str = "probe_of_key";

/// Writes what is found into `template`.
pub(super) fn learn(template: &mut ChatTemplate) {
    template.content = content_form(template);
    template.style.supports_system =
        shows(template, &[Turn::text(Role::System, SYSTEM), Turn::text(Role::User, USER)], SYSTEM);
    template.style.supports_tools = supports_tools(template);
    if template.style.supports_tools {
        template.arguments = arguments_form(template);
    }
    template.style.starts_thinking = StartsThinking {
        by_default: ends_thinking(template, None),
        on: ends_thinking(template, Some(Think::On)),
        // Rendering closes the block where the template does not.
        off: false,
    };
}

fn rendered(
    template: &ChatTemplate,
    turns: &[Turn],
    tools: &[ToolDefinition],
    think: Option<Think>,
) -> Option<String> {
    template.render_shaped(turns, tools, think, OffsetDateTime::UNIX_EPOCH, template.shape()).ok()
}

fn shows(template: &ChatTemplate, turns: &[Turn], word: &str) -> bool {
    rendered(template, turns, &[], None).is_some_and(|prompt| prompt.contains(word))
}

fn content_form(template: &ChatTemplate) -> ContentAs {
    let question = [Turn::text(Role::User, USER)];
    let with = |content| {
        let shape = Shape { content, ..template.shape() };
        template
            .render_shaped(&question, &[], None, OffsetDateTime::UNIX_EPOCH, shape)
            .is_ok_and(|prompt| prompt.contains(USER))
    };
    if !with(ContentAs::Text) && with(ContentAs::Parts) {
        return ContentAs::Parts;
    }
    let mentions_images =
        ["'image'", "\"image\"", "image_url"].iter().any(|word| template.source.contains(word));
    if mentions_images && with(ContentAs::Parts) { ContentAs::TextOrParts } else { ContentAs::Text }
}

fn tools() -> [ToolDefinition; 1] {
    [ToolDefinition {
        name: TOOL.to_owned(),
        description: "probe".to_owned(),
        parameters: json!({"type": "object", "properties": {KEY: {"type": "string", "description": "probe"}}}),
    }]
}

fn supports_tools(template: &ChatTemplate) -> bool {
    // Some templates list tools in the system's turn only, and Mistral's only before the last question.
    let question = [Turn::text(Role::System, SYSTEM), Turn::text(Role::User, USER)];
    let turns = if template.style.supports_system { &question[..] } else { &question[1..] };
    rendered(template, turns, &tools(), None).is_some_and(|prompt| prompt.contains(TOOL))
}

fn arguments_form(template: &ChatTemplate) -> ArgumentsAs {
    let call =
        ToolCall { id: "call_probe00000".to_owned(), name: TOOL.to_owned(), arguments: json!({KEY: "x"}) };
    let mut answer = Turn::text(Role::Assistant, "");
    answer.tool_calls.push(call);
    let mut result = Turn::text(Role::Tool, "probe-of-result");
    result.tool_call_id = Some("call_probe00000".to_owned());
    result.name = Some(TOOL.to_owned());
    let turns = [Turn::text(Role::User, USER), answer, result];
    let with = |arguments| {
        let shape = Shape { arguments, ..template.shape() };
        template.render_shaped(&turns, &tools(), None, OffsetDateTime::UNIX_EPOCH, shape).ok()
    };
    // Python's text of a mapping, or JSON inside a JSON string, is what no family writes.
    let wrong =
        |prompt: &String| prompt.contains(&format!("'{KEY}'")) || prompt.contains(&format!("\\\"{KEY}\\\""));
    match (with(ArgumentsAs::Object), with(ArgumentsAs::Text)) {
        (Some(object), _) if !wrong(&object) => ArgumentsAs::Object,
        (_, Some(text)) if !wrong(&text) => ArgumentsAs::Text,
        _ => ArgumentsAs::Object,
    }
}

fn ends_thinking(template: &ChatTemplate, think: Option<Think>) -> bool {
    let ThinkingStyle::Tags { open, .. } = &template.style.thinking else { return false };
    rendered(template, &[Turn::text(Role::User, USER)], &[], think)
        .is_some_and(|prompt| prompt.trim_end().ends_with(open.as_str()))
}
