//! `anwen eval DIR`: retrieval measured on labelled sets, with the code that serves.

use crate::cli::{CommonArguments, EvalArguments};
use crate::failure::Failure;
use crate::workplace::{find_models, read_settings};
use anwen_contract::model::STATIC_EMBEDDING_MODEL;
use anwen_knowledge::evaluate::{self, ChunkPiece, ChunkText, EmbedTexts, EvaluateError, Options};
use anwen_knowledge::ingest::chunk::{ChunkSettings, chunk_document};
use anwen_knowledge::ingest::document::{Block, BlockKind, ParsedDocument};
use anwen_model_runtime::engine::static_embedding::{StaticModel, StaticScratch};
use anwen_platform::settings::ServerSettings;
use std::sync::Arc;

/// The bundled embedding, called directly.
struct BundledEmbedding(Arc<StaticModel>);

#[async_trait::async_trait]
impl EmbedTexts for BundledEmbedding {
    fn model(&self) -> (&str, usize) {
        (STATIC_EMBEDDING_MODEL, self.0.dimensions())
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EvaluateError> {
        let model = Arc::clone(&self.0);
        let texts = texts.to_vec();
        let work = move || {
            let mut scratch = StaticScratch::default();
            texts.iter().map(|text| model.embed(text, &mut scratch)).collect()
        };
        tokio::task::spawn_blocking(work).await.map_err(|cause| EvaluateError::Embed(cause.to_string()))
    }
}

/// Ingest's own chunking, of a text that is one paragraph after the other.
struct IngestChunks(Arc<StaticModel>);

impl ChunkText for IngestChunks {
    fn chunk(&self, title: &str, text: &str) -> Result<Vec<ChunkPiece>, EvaluateError> {
        let mut document = ParsedDocument::new("text/plain");
        document.title = (!title.is_empty()).then(|| title.to_owned());
        let paragraphs = text.split('\n').filter(|paragraph| !paragraph.trim().is_empty());
        document.blocks =
            paragraphs.map(|paragraph| Block::new(BlockKind::Paragraph, paragraph, None)).collect();
        let count = |text: &str| self.0.tokenizer().count_tokens(text);
        let chunks = chunk_document(&document, &ChunkSettings::default(), &count);
        let piece = |draft: anwen_knowledge::ingest::chunk::ChunkDraft| ChunkPiece {
            heading_path: draft.heading_path,
            text: draft.text,
        };
        Ok(chunks.drafts.into_iter().map(piece).collect())
    }
}

pub async fn run(common: &CommonArguments, arguments: EvalArguments) -> Result<(), Failure> {
    let server: ServerSettings = read_settings(common)?.section("server")?;
    let directory = find_models(&server.models_dir).join(STATIC_EMBEDDING_MODEL);
    let model = StaticModel::load(&directory)
        .map_err(|cause| Failure::new("model_load_failed", format!("{}: {cause}", directory.display())))?;
    let model = Arc::new(model);
    let embedder = BundledEmbedding(Arc::clone(&model));
    let chunker = IngestChunks(model);
    let options = Options { max_queries: arguments.max_queries };
    let json = common.json;
    let on_set = move |set: &evaluate::SetReport| {
        if !json {
            eprintln!("{}: {} documents, {} queries measured", set.name, set.documents, set.queries);
        }
    };
    let report = evaluate::run(&arguments.dir, &options, &embedder, &chunker, &on_set)
        .await
        .map_err(|cause| Failure::new("eval_failed", cause.to_string()))?;
    if json {
        println!("{}", serde_json::to_string(&report).map_err(anyhow::Error::from)?);
    } else {
        println!("{}", report.table());
    }
    Ok(())
}
