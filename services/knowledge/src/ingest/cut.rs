//! Cutting a parsed document with the embedding model's own tokenizer.

use super::chunk::{ChunkSettings, Chunks, chunk_document};
use super::document::ParsedDocument;
use super::parse::{ParseOptions, parse_bytes};
use crate::evaluate::{ChunkPiece, ChunkText, EvaluateError};
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

impl ChunkText for Chunker {
    fn chunk(&self, title: &str, text: &str) -> Result<Vec<ChunkPiece>, EvaluateError> {
        let name = format!("{title}.txt");
        let document = parse_bytes(text.as_bytes().to_vec(), &name, &ParseOptions::default())
            .map_err(|failure| EvaluateError::Chunk(failure.to_string()))?;
        let drafts = Self::chunk(self, &document).drafts;
        Ok(drafts
            .into_iter()
            .map(|draft| ChunkPiece { heading_path: draft.heading_path, text: draft.text })
            .collect())
    }
}
