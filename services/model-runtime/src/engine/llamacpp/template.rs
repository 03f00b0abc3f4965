//! A conversation as the text that a model was trained on.

use crate::engine::{Think, ToolDefinition, Turn};

/// The template of a model.
pub struct Template;

impl Template {
    /// The text of `turns`, up to where the model's answer begins.
    pub fn render(
        &self,
        turns: &[Turn],
        _tools: &[ToolDefinition],
        _think: Option<Think>,
    ) -> Result<String, String> {
        let mut text: String =
            turns.iter().map(|turn| format!("<s>{}: {}</s>", turn.role.as_str(), turn.content)).collect();
        text.push_str("<s>assistant: ");
        Ok(text)
    }
}
