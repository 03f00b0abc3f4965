//! Measuring retrieval on labelled sets, with the indexes and the fusion that serve.
//!
//! A set is a folder in the shape of BEIR ([`beir`]). Each is indexed into a temporary folder by the code that
//! production uses, every question is searched by embeddings, by words and by both, and a document ranks by its best
//! chunk. What is printed is in [`report`], how it is counted in [`metrics`].

pub mod beir;
pub mod metrics;
pub mod report;
#[cfg(feature = "edge")]
mod run;

use std::path::PathBuf;

use async_trait::async_trait;

use crate::index::IndexError;

pub use report::{Difference, Report, SetReport};
#[cfg(feature = "edge")]
pub use run::{Options, run};

/// Makes the vectors of passages and questions.
#[async_trait]
pub trait EmbedTexts: Send + Sync {
    /// The model's name, and the numbers of a vector.
    fn model(&self) -> (&str, usize);

    /// One vector for each text, in their order.
    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EvaluateError>;
}

/// Cuts a document into chunks as ingest does.
pub trait ChunkText: Send + Sync {
    /// The chunks of a plain text, in their order.
    fn chunk(&self, title: &str, text: &str) -> Result<Vec<ChunkPiece>, EvaluateError>;
}

/// One chunk of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkPiece {
    pub heading_path: Vec<String>,
    pub text: String,
}

/// Why a measurement did not come about.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    #[error("{path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}, line {line}: {message}")]
    Malformed { path: PathBuf, line: usize, message: String },
    #[error("{0} holds no set: expected corpus.jsonl, queries.jsonl and qrels.tsv there or in its folders")]
    NoSet(PathBuf),
    #[error("temporary files: {0}")]
    Temporary(#[from] std::io::Error),
    #[error("embedding failed: {0}")]
    Embed(String),
    #[error("chunking failed: {0}")]
    Chunk(String),
    #[error(transparent)]
    Index(#[from] IndexError),
}
