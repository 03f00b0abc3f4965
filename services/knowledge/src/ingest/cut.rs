//! Cutting a parsed document with the embedding model's own tokenizer.

use anwen_contract::chunking::ChunkProfile;
use anwen_parse::chunk::{ChunkSettings, Chunks, chunk_document_as};
use anwen_parse::document::ParsedDocument;
use anwen_text::{TokenizerScratch, UnigramTokenizer};
use std::cell::RefCell;
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
    pub fn chunk(&self, document: &ParsedDocument, profile: ChunkProfile) -> Chunks {
        let scratch = RefCell::new(TokenizerScratch::default());
        let count_tokens = |text: &str| self.tokenizer.count_tokens_with(text, &mut scratch.borrow_mut());
        chunk_document_as(document, profile, &self.settings, &count_tokens)
    }
}
