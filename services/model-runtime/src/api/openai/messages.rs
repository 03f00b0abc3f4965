//! Turns of a conversation as OpenAI's clients write them.

use serde::Deserialize;

use super::sampling::invalid;
use crate::api::images::ImageReader;
use crate::api::tools::EarlierCall;
use crate::engine::{Image, Role, Turn};
use crate::error::RuntimeError;

/// One of `messages`.
#[derive(Deserialize)]
pub(super) struct Message {
    role: String,
    #[serde(default)]
    content: Option<Content>,
    /// Of a turn: who speaks; of a tool's turn: the tool.
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<EarlierCall>>,
    #[serde(default)]
    tool_call_id: Option<String>,
    /// What the model thought before this answer.
    #[serde(default)]
    reasoning_content: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    r#type: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    image_url: Option<ImageUrl>,
}

/// `{"url": …, "detail": …}`, or the address alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum ImageUrl {
    Plain(String),
    Object { url: String },
}

/// The turns, with the pictures read. Of a tool's turn, the tool's name is found by its call.
pub(super) async fn turns(
    messages: Vec<Message>,
    images: &mut ImageReader,
) -> Result<Vec<Turn>, RuntimeError> {
    if messages.is_empty() {
        return invalid("messages must not be empty");
    }
    let mut turns: Vec<Turn> = Vec::with_capacity(messages.len());
    for message in messages {
        let mut turn = turn(message, images).await?;
        if turn.role == Role::Tool && turn.name.is_none() {
            turn.name = name_of_call(&turns, turn.tool_call_id.as_deref());
        }
        turns.push(turn);
    }
    Ok(turns)
}

fn name_of_call(turns: &[Turn], id: Option<&str>) -> Option<String> {
    let id = id?;
    let mut calls = turns.iter().rev().flat_map(|turn| &turn.tool_calls);
    calls.find(|call| call.id == id).map(|call| call.name.clone())
}

async fn turn(message: Message, images: &mut ImageReader) -> Result<Turn, RuntimeError> {
    let role = match message.role.as_str() {
        "function" => Some(Role::Tool),
        name => Role::parse(name),
    };
    let Some(role) = role else {
        return invalid(format!("{:?} is no role; use system, user, assistant or tool", message.role));
    };
    let (content, pictures) = content(message.content, images).await?;
    let calls = message.tool_calls.unwrap_or_default();
    Ok(Turn {
        images: pictures,
        thinking: message.reasoning_content.filter(|thinking| !thinking.is_empty()),
        tool_calls: calls.into_iter().map(EarlierCall::into_call).collect::<Result<_, _>>()?,
        tool_call_id: message.tool_call_id,
        name: message.name,
        ..Turn::text(role, content)
    })
}

async fn content(
    content: Option<Content>,
    images: &mut ImageReader,
) -> Result<(String, Vec<Image>), RuntimeError> {
    let parts = match content {
        None => return Ok((String::new(), Vec::new())),
        Some(Content::Text(text)) => return Ok((text, Vec::new())),
        Some(Content::Parts(parts)) => parts,
    };
    let (mut texts, mut pictures) = (Vec::new(), Vec::new());
    for part in parts {
        let Part { r#type: kind, text, refusal, image_url } = part;
        match (kind.as_str(), text, refusal, image_url) {
            ("text", Some(text), ..) | ("refusal", _, Some(text), _) => texts.push(text),
            ("image_url", _, _, Some(ImageUrl::Plain(url) | ImageUrl::Object { url })) => {
                pictures.push(images.read_url(&url).await?);
            }
            (kind, ..) => {
                return invalid(format!(
                    "a content part of type {kind:?} is not offered here, or incomplete; send text or image_url"
                ));
            }
        }
    }
    Ok((texts.join("\n"), pictures))
}
