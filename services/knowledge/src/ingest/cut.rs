//! Cutting a parsed document with the embedding model's own tokenizer.

use super::chunk::{ChunkSettings, Chunks, chunk_document};
use super::document::ParsedDocument;
use anwen_text::UnigramTokenizer;
use std::sync::Arc;

/// Cuts documents. Clones share the tokenizer.
#[derive(Clone)]
pub struct Chunker {
    tokenizer: Arc<UnigramTokenizer>,
    settings: ChunkSettings,
}

impl Chunker {
    pub fn new(tokenizer: Arc<UnigramTokenizer>, settings: ChunkSettings) -> Self {
        Self { tokenizer, settings }
    }

    /// The passages of a document. Blocks; call it off the async runtime.
    pub fn chunk(&self, document: &ParsedDocument) -> Chunks {
        chunk_document(document, &self.settings, &|text| self.tokenizer.count_tokens(text))
    }
}
