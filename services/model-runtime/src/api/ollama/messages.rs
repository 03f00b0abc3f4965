//! Turns of a conversation as Ollama's clients write them.

use serde::Deserialize;

use crate::api::images::ImageReader;
use crate::api::tools::EarlierCall;
use crate::engine::{Role, Turn};
use crate::error::RuntimeError;

/// One of `messages`.
#[derive(Deserialize)]
pub(super) struct Message {
    role: String,
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    thinking: Option<String>,
    /// Base64.
    #[serde(default)]
    images: Option<Vec<String>>,
    #[serde(default)]
    tool_calls: Option<Vec<EarlierCall>>,
    /// Of a tool's turn.
    #[serde(default)]
    tool_name: Option<String>,
    /// The older word for `tool_name`.
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    tool_call_id: Option<String>,
}

/// The turns, with the pictures decoded.
pub(super) fn turns(messages: Vec<Message>, images: &mut ImageReader) -> Result<Vec<Turn>, RuntimeError> {
    messages.into_iter().map(|message| turn(message, images)).collect()
}

fn turn(message: Message, images: &mut ImageReader) -> Result<Turn, RuntimeError> {
    let Some(role) = Role::parse(&message.role) else {
        return Err(RuntimeError::Invalid(format!(
            "{:?} is no role; use system, user, assistant or tool",
            message.role
        )));
    };
    let pictures = message.images.unwrap_or_default();
    let calls = message.tool_calls.unwrap_or_default();
    Ok(Turn {
        images: pictures.iter().map(|text| images.read_base64(text)).collect::<Result<_, _>>()?,
        thinking: message.thinking.filter(|thinking| !thinking.is_empty()),
        tool_calls: calls.into_iter().map(EarlierCall::into_call).collect::<Result<_, _>>()?,
        tool_call_id: message.tool_call_id,
        name: message.tool_name.or(message.name),
        ..Turn::text(role, message.content.unwrap_or_default())
    })
}
