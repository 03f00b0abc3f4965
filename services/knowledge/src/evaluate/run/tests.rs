#![allow(clippy::unwrap_used)]

use async_trait::async_trait;

use super::*;
use crate::evaluate::ChunkPiece;

/// Looks at letters alone, so that its vectors of alike texts are alike.
struct LetterCounts;

#[async_trait]
impl EmbedTexts for LetterCounts {
    fn model(&self) -> (&str, usize) {
        ("letters", 26)
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EvaluateError> {
        let count = |text: &String| {
            let mut counts = vec![0.0; 26];
            for letter in text.bytes().map(|byte| byte.to_ascii_lowercase()).filter(u8::is_ascii_lowercase) {
                counts[usize::from(letter - b'a')] += 1.0;
            }
            counts
        };
        Ok(texts.iter().map(count).collect())
    }
}

struct BySentence;

impl ChunkText for BySentence {
    fn chunk(&self, _title: &str, text: &str) -> Result<Vec<ChunkPiece>, EvaluateError> {
        let piece = |sentence: &str| ChunkPiece { heading_path: vec![], text: sentence.trim().to_owned() };
        Ok(text.split_terminator('.').map(piece).collect())
    }
}

fn write_set(folder: &Path) {
    let corpus = [
        ("pump", "The pump needs oil. Oil the pump each week"),
        ("leave", "Annual leave is fifteen days. Ask early"),
        ("code", "Code E-204 means heat. Let it cool"),
    ];
    let line =
        |(id, text): &(&str, &str)| format!("{{\"id\": \"{id}\", \"title\": \"\", \"text\": \"{text}.\"}}\n");
    let queries = "{\"id\": \"q0\", \"text\": \"how many days of annual leave\"}\n{\"id\": \"q1\", \"text\": \"E204\"}\n";
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("corpus.jsonl"), corpus.iter().map(line).collect::<String>()).unwrap();
    std::fs::write(folder.join("queries.jsonl"), queries).unwrap();
    std::fs::write(folder.join("qrels.tsv"), "query_id\tdoc_id\trelevance\nq0\tleave\t1\nq1\tcode\t1\n")
        .unwrap();
}

#[tokio::test]
async fn a_small_set_is_measured_from_files_to_report() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["one", "two"] {
        write_set(&folder.path().join(name));
    }
    let seen = std::sync::Mutex::new(Vec::new());
    let on_set = |set: &SetReport| seen.lock().unwrap().push(set.name.clone());
    let report = run(folder.path(), &Options::default(), &LetterCounts, &BySentence, &on_set).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), ["one", "two"]);
    let set = &report.sets[0];
    assert_eq!((set.documents, set.chunks, set.queries), (3, 6, 2));
    assert_eq!((set.lexical.recall_at_5, set.lexical.mrr_at_10), (1.0, 1.0));
    // Three documents are all found by embeddings, in whatever order.
    assert_eq!(set.dense.recall_at_5, 1.0);
    assert_eq!(set.hybrid.mrr_at_10, 1.0);
    assert_eq!(set.hybrid_minus_best.recall_at_10, 0.0);
    let options = Options { max_queries: Some(1) };
    let report =
        run(&folder.path().join("two"), &options, &LetterCounts, &BySentence, &|_| ()).await.unwrap();
    assert_eq!((report.sets.len(), report.sets[0].queries), (1, 1));
}

#[test]
fn a_document_ranks_by_its_best_chunk() {
    assert_eq!(by_best_chunk([3, 3, 1, 3, 2, 1].into_iter()), [3, 1, 2]);
}
