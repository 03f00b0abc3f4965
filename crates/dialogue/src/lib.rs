//! How a conversation becomes a model's prompt, and how what the model writes becomes an answer again: chat templates,
//! thinking, tool calls, stop sequences. Pure functions of text; no engine and no HTTP.

mod fallback;
mod grammar;
mod reader;
mod stop;
mod style;
mod template;
mod types;

pub use grammar::{ToolGrammar, tool_grammar};
pub use reader::{AnswerReader, Piece};
pub use stop::StopFilter;
pub use style::{AnswerStyle, CallStyle, StartsThinking, ThinkingStyle};
pub use template::{ChatTemplate, RenderRequest, SpecialTokens, TemplateError};
pub use types::{AnswerFormat, Image, Role, Think, ToolCall, ToolChoice, ToolDefinition, Turn};
