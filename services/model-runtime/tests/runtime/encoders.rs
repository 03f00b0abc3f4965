//! Encoders and cross-encoders through candle, with weights that the tests make.

use std::path::Path;
use std::sync::Arc;

use anwen_model_runtime::Config;
use anwen_model_runtime::engine::load::load;
use anwen_model_runtime::engine::{EmbedInput, EmbedJob, Embeddings, Engine};

use crate::models_made::files_at;
use crate::tiny_model::encoder::{self, EncoderFamily, HIDDEN, Head, SEQUENCE};

const FAMILIES: [EncoderFamily; 2] = [EncoderFamily::Bert, EncoderFamily::XlmRoberta];
const TOLERANCE: f32 = 1e-4;
const TEXTS: [&str; 4] = ["the cat sat", "rain falls on the sea and the wind runs", "tax law", "a dog"];

async fn loaded(folder: &Path, family: EncoderFamily, head: Head, batch_tokens: usize) -> Arc<dyn Engine> {
    let path = folder.join("encoder");
    encoder::write_folder(&path, family, head);
    let config = Config { encoder_batch_tokens: batch_tokens, ..Config::default() };
    load(&files_at(&path, |_| {}), &config).await.unwrap()
}

fn job(texts: &[&str]) -> EmbedJob {
    let inputs = texts.iter().map(|text| EmbedInput::Text((*text).to_owned())).collect();
    EmbedJob { inputs, dimensions: None }
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

async fn embedded(engine: &Arc<dyn Engine>, texts: &[&str]) -> Embeddings {
    engine.embed(job(texts)).await.unwrap()
}

#[tokio::test]
async fn texts_of_a_padded_batch_have_the_vectors_that_each_has_alone() {
    for family in FAMILIES {
        for (pooling, normalize) in [("mean", true), ("cls", false), ("lasttoken", true)] {
            let folder = tempfile::tempdir().unwrap();
            let engine = loaded(folder.path(), family, Head::Embedding { pooling, normalize }, 4096).await;
            let together = embedded(&engine, &TEXTS).await;
            assert_eq!(together.dimensions, HIDDEN);
            for (text, row) in TEXTS.iter().zip(together.rows()) {
                let alone = embedded(&engine, &[text]).await;
                let difference = difference(row, &alone.values);
                assert!(difference < TOLERANCE, "{family:?} {pooling}: {difference}");
                let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
                assert_eq!((length - 1.0).abs() < TOLERANCE, normalize, "{family:?} {pooling}: {length}");
            }
        }
    }
}

#[tokio::test]
async fn batches_of_any_size_give_the_same_vectors_in_the_texts_order() {
    for family in FAMILIES {
        let head = Head::Embedding { pooling: "mean", normalize: true };
        let folder = tempfile::tempdir().unwrap();
        let one_by_one = embedded(&loaded(folder.path(), family, head, 1).await, &TEXTS).await;
        let together = embedded(&loaded(folder.path(), family, head, 4096).await, &TEXTS).await;
        assert!(difference(&one_by_one.values, &together.values) < TOLERANCE, "{family:?}");
        let rows: Vec<&[f32]> = together.rows().collect();
        assert!(difference(rows[0], rows[1]) > 10.0 * TOLERANCE, "{family:?}: two texts have one vector");
    }
}

/// The first numbers of vectors, and the scores, that the formulas of BERT and XLM-R give in double precision for the same
/// weights and tokens.
#[tokio::test]
async fn vectors_and_scores_are_those_of_the_formulas() {
    let expected = [
        ([0.181_125, 0.118_898, -0.248_175, -0.117_967, -0.030_499, 0.079_526], 0.085_089_22),
        ([0.016_333, 0.114_884, -0.198_499, 0.088_452, -0.080_317, -0.256_357], 0.321_517_2),
    ];
    for (family, (vector, score)) in FAMILIES.into_iter().zip(expected) {
        let folder = tempfile::tempdir().unwrap();
        let head = Head::Embedding { pooling: "mean", normalize: true };
        let engine = loaded(folder.path(), family, head, 4096).await;
        let embedded = embedded(&engine, &["the cat sat"]).await;
        assert!(difference(&embedded.values, &vector) < 1e-5, "{family:?}: {:?}", &embedded.values[..6]);
        let folder = tempfile::tempdir().unwrap();
        let engine = loaded(folder.path(), family, Head::Relevance, 4096).await;
        let scored = engine.rerank("cat", &["the cat sat".to_owned()]).await.unwrap();
        assert!((scored[0] - score).abs() < 1e-5, "{family:?}: {scored:?}");
    }
}

#[tokio::test]
async fn poolings_differ() {
    let mut vectors = Vec::new();
    for pooling in ["mean", "cls", "lasttoken"] {
        let folder = tempfile::tempdir().unwrap();
        let head = Head::Embedding { pooling, normalize: false };
        let engine = loaded(folder.path(), EncoderFamily::Bert, head, 4096).await;
        vectors.push(embedded(&engine, &TEXTS[..1]).await.values);
    }
    assert!(difference(&vectors[0], &vectors[1]) > TOLERANCE);
    assert!(difference(&vectors[1], &vectors[2]) > TOLERANCE);
}

#[tokio::test]
async fn tokens_have_the_vector_of_their_text() {
    for family in FAMILIES {
        let folder = tempfile::tempdir().unwrap();
        let head = Head::Embedding { pooling: "mean", normalize: true };
        let engine = loaded(folder.path(), family, head, 4096).await;
        let tokens = engine.tokenize(TEXTS[0]).await.unwrap();
        let inputs = vec![EmbedInput::Tokens(tokens)];
        let from_tokens = engine.embed(EmbedJob { inputs, dimensions: None }).await.unwrap();
        let from_text = embedded(&engine, &TEXTS[..1]).await;
        assert!(difference(&from_tokens.values, &from_text.values) < TOLERANCE, "{family:?}");
        assert_eq!(from_tokens.tokens, from_text.tokens);
    }
}

#[tokio::test]
async fn a_token_outside_of_the_vocabulary_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let head = Head::Embedding { pooling: "mean", normalize: true };
    let engine = loaded(folder.path(), EncoderFamily::Bert, head, 4096).await;
    let inputs = vec![EmbedInput::Tokens(vec![1_000_000])];
    assert!(engine.embed(EmbedJob { inputs, dimensions: None }).await.is_err());
}

#[tokio::test]
async fn a_text_that_is_too_long_is_cut_and_named() {
    for family in FAMILIES {
        let folder = tempfile::tempdir().unwrap();
        let head = Head::Embedding { pooling: "mean", normalize: true };
        let engine = loaded(folder.path(), family, head, 4096).await;
        let long = "cat ".repeat(SEQUENCE);
        let embedded = embedded(&engine, &["dog", &long]).await;
        assert_eq!(embedded.truncated, [1], "{family:?}");
        assert_eq!(embedded.tokens, 3 + SEQUENCE, "{family:?}");
    }
}

#[tokio::test]
async fn leading_dimensions_are_scaled_to_length_one() {
    let folder = tempfile::tempdir().unwrap();
    let head = Head::Embedding { pooling: "mean", normalize: true };
    let engine = loaded(folder.path(), EncoderFamily::Bert, head, 4096).await;
    let short = engine.embed(EmbedJob { dimensions: Some(16), ..job(&TEXTS[..1]) }).await.unwrap();
    assert_eq!(short.values.len(), 16);
    let length = short.values.iter().map(|value| value * value).sum::<f32>().sqrt();
    assert!((length - 1.0).abs() < TOLERANCE);
    assert!(engine.embed(EmbedJob { dimensions: Some(HIDDEN + 1), ..job(&TEXTS) }).await.is_err());
}

#[tokio::test]
async fn documents_are_scored_alike_alone_and_together() {
    for family in FAMILIES {
        let folder = tempfile::tempdir().unwrap();
        let engine = loaded(folder.path(), family, Head::Relevance, 4096).await;
        let capabilities = engine.capabilities();
        assert!(capabilities.rerank && !capabilities.embed && engine.dimensions().is_none());
        let documents: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).collect();
        let together = engine.rerank("cat", &documents).await.unwrap();
        for (document, score) in documents.iter().zip(&together) {
            let alone = engine.rerank("cat", std::slice::from_ref(document)).await.unwrap()[0];
            assert!((alone - score).abs() < TOLERANCE, "{family:?}: {alone} and {score}");
            assert!((0.0..=1.0).contains(score));
        }
        assert!((together[0] - together[1]).abs() > TOLERANCE, "{family:?}: two documents have one score");
        assert!(engine.embed(job(&TEXTS)).await.is_err());
    }
}
