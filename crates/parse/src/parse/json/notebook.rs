//! Jupyter notebooks: cells of Markdown, of code, and what the code printed.

use super::value::Value;
use crate::clean;
use crate::document::{Block, BlockKind};
use crate::parse::builder::DocumentBuilder;
use crate::parse::markdown;

/// Longest printed output that is kept of one cell.
const MAX_OUTPUT_CHARACTERS: usize = 20_000;

pub(super) fn is_notebook(value: &Value) -> bool {
    value.get("nbformat").is_some() && matches!(value.get("cells"), Some(Value::Array(_)))
}

pub(super) fn read(notebook: &Value, builder: &mut DocumentBuilder) {
    let metadata = notebook.get("metadata");
    let stated = |part: &str, name: &str| metadata.and_then(|metadata| metadata.get(part)?.text(name));
    let language = stated("kernelspec", "language").or_else(|| stated("language_info", "name"));
    for cell in notebook.get("cells").map(Value::items).unwrap_or_default() {
        if builder.is_full() {
            return;
        }
        let source = cell.get("source").map(joined).unwrap_or_default();
        match cell.text("cell_type") {
            Some("markdown") => markdown::read_text(&source, builder),
            Some("code") => {
                let kind = BlockKind::Code { language: Some(language.unwrap_or("python").to_owned()) };
                builder.push(Block::new(kind, source.trim_end(), None));
                outputs(cell, builder);
            }
            _ => builder.push(Block::new(BlockKind::Paragraph, clean::normalise(&source), None)),
        }
    }
    let document = builder.document();
    let title = metadata.and_then(|metadata| metadata.text("title")).map(str::to_owned);
    document.title = title.or_else(|| {
        let heading =
            document.blocks.iter().find(|block| matches!(block.kind, BlockKind::Heading { level: 1 }))?;
        Some(heading.text.clone())
    });
}

fn outputs(cell: &Value, builder: &mut DocumentBuilder) {
    for output in cell.get("outputs").map(Value::items).unwrap_or_default() {
        let text = output.get("text").or_else(|| output.get("data")?.get("text/plain")).map(joined);
        let text: String = text.unwrap_or_default().chars().take(MAX_OUTPUT_CHARACTERS).collect();
        builder.push(Block::new(BlockKind::Code { language: None }, text.trim_end(), None));
    }
}

/// Notebooks keep text as one string or as its lines.
fn joined(value: &Value) -> String {
    match value {
        Value::Scalar(text) => text.clone(),
        _ => value.items().iter().map(joined).collect(),
    }
}
