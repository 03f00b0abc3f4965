//! The step that verifies: each sentence that cites a passage is held against it.

use super::citations::CitedSentence;
use super::evidence::Evidence;
use super::support::{Passage, boxes_of};
use anwen_contract::chat::Citation;
use std::collections::HashMap;

/// Checked citations of one answer at most; an answer has far fewer sentences.
const MAX_CITATIONS: usize = 500;

/// Every pair of a sentence and a source that it cites, in order, with what the check found and where the
/// supporting words stand.
pub fn check(cited: Vec<CitedSentence>, evidence: &[Evidence]) -> Vec<Citation> {
    let mut passages: HashMap<u32, Passage> = HashMap::new();
    let mut citations = Vec::new();
    for cited in cited {
        for n in cited.numbers {
            let Some(evidence) = evidence.iter().find(|evidence| evidence.source.n == n) else { continue };
            if citations.len() == MAX_CITATIONS {
                return citations;
            }
            let passage =
                passages.entry(n).or_insert_with(|| Passage::new(&evidence.text, &evidence.headings));
            let support = passage.support(&cited.sentence);
            let narrowed = boxes_of(&passage.supporting_ranges(&cited.sentence), &evidence.lines);
            // Where the lines are not known, the passage as a whole is marked.
            let boxes = if narrowed.is_empty() {
                evidence.source.boxes.clone().unwrap_or_default()
            } else {
                narrowed
            };
            citations.push(Citation {
                n,
                sentence: cited.sentence.clone(),
                supported: support.supported,
                score: support.score,
                boxes,
            });
        }
    }
    citations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::citations::cited_sentences;
    use anwen_contract::chat::{Source, SourceKind};
    use anwen_contract::knowledge::{BoundingBox, LineBox};

    fn evidence(n: u32, lines: &[&str]) -> Evidence {
        let bounds = |y: usize| BoundingBox { page: 3, x0: 0.0, y0: y as f32, x1: 100.0, y1: y as f32 + 1.0 };
        let text = lines.join("\n");
        let mut start = 0;
        let mut boxes = Vec::new();
        for (row, line) in lines.iter().enumerate() {
            boxes.push(LineBox { start, end: start + line.len() as u32, bounds: bounds(row) });
            start += line.len() as u32 + 1;
        }
        Evidence {
            source: Source {
                n,
                kind: SourceKind::Document,
                chunk_id: None,
                document_id: None,
                document_name: None,
                knowledge_base_id: None,
                page_start: Some(3),
                page_end: Some(3),
                boxes: Some(vec![bounds(99)]),
                url: None,
                title: String::new(),
                excerpt: text.clone(),
                score: 1.0,
                version: None,
                as_of: None,
                flags: Vec::new(),
            },
            text,
            headings: Vec::new(),
            lines: boxes,
        }
    }

    #[test]
    fn each_sentence_is_held_against_what_it_cites_and_its_lines_are_marked() {
        let passages = [
            evidence(1, &["差旅费用标准", "一线城市住宿每晚不超过500元。", "餐费每天100元。"]),
            evidence(2, &["The pump warranty is 24 months."]),
        ];
        let text = "一线城市住宿每晚不超过500元[1]。餐费每天150元[1]。The warranty of the pump is 24 months [2]. No source.";
        let found: Vec<_> = check(cited_sentences(text, 2), &passages)
            .into_iter()
            .map(|citation| {
                (citation.n, citation.supported, citation.boxes.iter().map(|b| b.y0).collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(found, [(1, true, vec![1.0]), (1, false, vec![2.0]), (2, true, vec![0.0])]);
    }

    #[test]
    fn without_lines_the_whole_passage_is_marked() {
        let mut passage = evidence(1, &["The pump warranty is 24 months."]);
        passage.lines.clear();
        let citations = check(cited_sentences("The pump warranty is 24 months [1].", 1), &[passage]);
        assert_eq!(citations[0].boxes.len(), 1);
        assert_eq!(citations[0].boxes[0].y0, 99.0);
    }

    #[test]
    fn an_answer_without_citations_has_none_to_check() {
        assert!(check(cited_sentences("Nothing is cited.", 1), &[evidence(1, &["x"])]).is_empty());
        assert!(check(cited_sentences("Cited [1].", 1), &[]).is_empty());
    }
}
