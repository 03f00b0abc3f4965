//! Whether what was found speaks of the question at all. Where it does not, no model is asked: the answer is that the
//! documents do not say.

use super::evidence::Evidence;
use super::facts::codes_of;
use anwen_text::{Language, language, normalize};

/// Shorter codes (`Q1`, `DB2`) are as often words of the question as what it asks about.
const MIN_CODE_CHARS: usize = 4;

/// Below which relevance (0 to 1, from retrieval) nothing answers.
#[derive(Debug, Clone, Copy)]
pub struct Thresholds {
    pub any_question: f32,
    /// For a question that names a code which stands in no passage: what is said of other codes sounds relevant and
    /// answers something else.
    pub unknown_code: f32,
}

/// Whether the evidence may answer the question, by the relevance that retrieval gave it.
pub fn may_answer(
    question: &str,
    evidence: &[Evidence],
    relevance: Option<f32>,
    thresholds: Thresholds,
) -> bool {
    let Some(best) = evidence.first() else { return false };
    let Some(relevance) = relevance else { return true };
    if relevance < thresholds.unknown_code && names_unknown_code(question, evidence) {
        return false;
    }
    // Relevance counts shared words. Across languages there are none to count: the answerer decides.
    relevance >= thresholds.any_question || in_other_languages(question, &best.text)
}

fn in_other_languages(question: &str, passage: &str) -> bool {
    matches!(
        (language(question), language(passage)),
        (Language::Chinese, Language::English) | (Language::English, Language::Chinese)
    )
}

fn names_unknown_code(question: &str, evidence: &[Evidence]) -> bool {
    let codes: Vec<String> = codes_of(question).iter().map(|code| squeezed(code)).collect();
    let codes: Vec<String> =
        codes.into_iter().filter(|code| code.chars().count() >= MIN_CODE_CHARS).collect();
    if codes.is_empty() {
        return false;
    }
    let shown: Vec<String> = evidence
        .iter()
        .map(|evidence| {
            squeezed(&format!("{} {} {}", evidence.source.title, evidence.headings.join(" "), evidence.text))
        })
        .collect();
    codes.iter().any(|code| !shown.iter().any(|text| holds_code(text, code)))
}

/// Codes are written with and without their joiners: `E-204`, `E204`.
fn squeezed(text: &str) -> String {
    let joins = |c: char| matches!(c, '-' | '_' | '.' | '/');
    normalize(text).chars().filter(|c| !joins(*c)).collect()
}

/// Whether `code` stands in `text` and is not the beginning of a longer number.
fn holds_code(text: &str, code: &str) -> bool {
    let mut found = text.match_indices(code);
    found.any(|(at, _)| !text[at + code.len()..].starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anwen_contract::chat::{Source, SourceKind};

    const THRESHOLDS: Thresholds = Thresholds { any_question: 0.2, unknown_code: 0.5 };

    fn passage(text: &str) -> Evidence {
        let source = Source {
            n: 1,
            kind: SourceKind::Document,
            chunk_id: None,
            document_id: None,
            document_name: None,
            knowledge_base_id: None,
            page_start: None,
            page_end: None,
            boxes: None,
            url: None,
            title: "LT-480 manual.pdf".to_owned(),
            excerpt: String::new(),
            score: 1.0,
            version: None,
            as_of: None,
            flags: Vec::new(),
        };
        Evidence { source, text: text.to_owned(), headings: Vec::new(), lines: Vec::new() }
    }

    #[test]
    fn what_is_irrelevant_or_of_another_code_does_not_answer() {
        let faults = "Fault codes: E-204 dry running, E204a seal, E-4080 gas.";
        for (question, text, relevance, expected) in [
            ("What does fault code E-204 mean?", faults, Some(0.3), true),
            ("What does fault code E204 mean?", faults, Some(0.3), true),
            ("What does fault code E-999 mean?", faults, Some(0.3), false),
            ("What does fault code E-408 mean?", faults, Some(0.3), false),
            ("What does fault code E-999 mean?", faults, Some(0.9), true),
            ("How heavy is the LT-480?", faults, Some(0.3), true),
            ("What happened in Q1?", faults, Some(0.3), true),
            ("What is the weather?", faults, Some(0.1), false),
            ("What is dry running?", faults, Some(0.3), true),
            ("干运转是什么意思？", faults, Some(0.05), true),
            ("What is the weather?", faults, None, true),
        ] {
            assert_eq!(
                may_answer(question, &[passage(text)], relevance, THRESHOLDS),
                expected,
                "{question} {relevance:?}"
            );
        }
        assert!(!may_answer("anything", &[], Some(1.0), THRESHOLDS));
    }
}
