//! What two readers take from the model of the library `undoc` in the same way.

use undoc::model::{Metadata as SourceMetadata, Paragraph, RevisionType};

use crate::document::Metadata;

/// A paragraph's text with tracked changes accepted, and with the labels of its notes.
pub(super) fn paragraph_text(source: &Paragraph) -> String {
    let mut text = String::new();
    for run in source.runs.iter().filter(|run| run.revision != RevisionType::Deleted) {
        text.push_str(&run.text);
        if let Some(label) = &run.note {
            text.push_str(&format!("[^{label}]"));
        }
        if run.line_break {
            text.push('\n');
        }
    }
    text
}

/// The document's title and what else it says about itself.
pub(super) fn metadata(source: SourceMetadata) -> (Option<String>, Metadata) {
    let metadata = Metadata {
        author: source.author,
        subject: source.subject,
        keywords: source.keywords,
        created: source.created,
        modified: source.modified,
        producer: source.application,
        ..Metadata::default()
    };
    (source.title, metadata)
}
