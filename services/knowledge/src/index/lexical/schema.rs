//! What a chunk looks like in tantivy.

use std::sync::Arc;

use anwen_contract::ChunkId;
use tantivy::TantivyDocument;
use tantivy::schema::{BytesOptions, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use uuid::Uuid;

use crate::index::analysis::Analyzer;
use crate::index::{IndexedChunk, Selection};

/// Name under which the analysis is registered.
pub(super) const TOKENIZER: &str = "anwen";

/// The fields of a chunk. Texts live in SQL; here are terms and ids.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub chunk: Field,
    pub knowledge_base: Field,
    pub document: Field,
    pub version: Field,
    /// Title, headings and text: one length and one set of statistics, as BM25 likes it.
    pub body: Field,
    /// The title once more, and the headings, for their boosts.
    pub title: Field,
    pub headings: Field,
}

pub(super) fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    // 16 raw bytes an id; those of the hits are read back from the column.
    let found = BytesOptions::default().set_indexed().set_fast();
    let filter = BytesOptions::default().set_indexed();
    let text = || {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(TOKENIZER)
            .set_index_option(IndexRecordOption::WithFreqs)
            .set_fieldnorms(true);
        TextOptions::default().set_indexing_options(indexing)
    };
    let fields = Fields {
        chunk: builder.add_bytes_field("chunk", found.clone()),
        knowledge_base: builder.add_bytes_field("knowledge_base", filter),
        document: builder.add_bytes_field("document", found.clone()),
        version: builder.add_bytes_field("version", found),
        body: builder.add_text_field("body", text()),
        title: builder.add_text_field("title", text()),
        headings: builder.add_text_field("headings", text()),
    };
    (builder.build(), fields)
}

impl Fields {
    pub fn document(&self, chunk: &IndexedChunk) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        document.add_bytes(self.chunk, chunk.chunk_id.0.as_bytes());
        document.add_bytes(self.knowledge_base, chunk.knowledge_base_id.0.as_bytes());
        document.add_bytes(self.document, chunk.document_id.0.as_bytes());
        document.add_bytes(self.version, chunk.version_id.0.as_bytes());
        document.add_text(self.title, &chunk.title);
        document.add_text(self.body, &chunk.title);
        for heading in &chunk.heading_path {
            document.add_text(self.headings, heading);
            document.add_text(self.body, heading);
        }
        document.add_text(self.body, &chunk.text);
        document
    }

    /// The terms that one of the selected chunks has.
    pub fn selection_terms(&self, selection: &Selection) -> Vec<tantivy::Term> {
        match selection {
            Selection::Chunks(ids) => ids.iter().map(|id| self.chunk_term(*id)).collect(),
            Selection::Version(id) => vec![id_term(self.version, id.0)],
            Selection::Document(id) => vec![id_term(self.document, id.0)],
            Selection::KnowledgeBase(id) => vec![id_term(self.knowledge_base, id.0)],
        }
    }

    pub fn chunk_term(&self, id: ChunkId) -> tantivy::Term {
        id_term(self.chunk, id.0)
    }
}

pub(super) fn id_term(field: Field, id: Uuid) -> tantivy::Term {
    tantivy::Term::from_field_bytes(field, id.as_bytes())
}

/// The analysis as tantivy calls it.
#[derive(Clone)]
pub(super) struct AnalyzerTokenizer {
    analyzer: Arc<Analyzer>,
}

impl AnalyzerTokenizer {
    pub fn new(analyzer: Arc<Analyzer>) -> Self {
        Self { analyzer }
    }
}

impl Tokenizer for AnalyzerTokenizer {
    type TokenStream<'a> = Terms;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Terms {
        let mut terms = self.analyzer.terms(text);
        terms.reverse();
        Terms { rest: terms, current: Token::default() }
    }
}

/// The terms of one text, last first.
pub(super) struct Terms {
    rest: Vec<crate::index::analysis::Term>,
    current: Token,
}

impl TokenStream for Terms {
    fn advance(&mut self) -> bool {
        let Some(term) = self.rest.pop() else {
            return false;
        };
        self.current.text = term.text;
        self.current.offset_from = term.source.start;
        self.current.offset_to = term.source.end;
        // Starts at usize::MAX, so the first position is 0.
        self.current.position = self.current.position.wrapping_add(1);
        true
    }

    fn token(&self) -> &Token {
        &self.current
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.current
    }
}
