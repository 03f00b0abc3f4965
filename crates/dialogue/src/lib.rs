//! How a conversation becomes a model's prompt, and how what the model writes becomes an answer again: chat templates,
//! thinking, tool calls, stop sequences. Pure functions of text; no engine and no HTTP.

mod stop;
mod types;

pub use stop::StopFilter;
pub use types::{AnswerFormat, Image, Role, Think, ToolCall, ToolChoice, ToolDefinition, Turn};
