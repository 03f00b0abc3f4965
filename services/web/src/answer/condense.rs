//! Making a follow-up question stand on its own, so that it can be searched for.

use crate::chats::messages::Turn;
use anwen_contract::chat::Author;
use anwen_contract::model::ChatTurn;
use anwen_text::{Language, is_han, language, terms};

/// A question with more content terms than this says by itself what it is about. Han terms are pairs of characters.
const SELF_CONTAINED_TERMS: usize = 6;
/// A rewritten question longer than this is not one.
const MAX_REWRITTEN_CHARS: usize = 500;
/// Characters of an earlier answer that the rewriting model sees.
const MAX_ANSWER_CHARS: usize = 400;

/// Words that point back at what was said before.
const CHINESE_POINTERS: [&str; 16] = [
    "它", "他", "她", "这个", "那个", "这些", "那些", "该", "其", "上述", "前面", "刚才", "这种", "那种",
    "此", "那么",
];
const ENGLISH_POINTERS: [&str; 14] = [
    "it", "its", "this", "that", "these", "those", "they", "them", "their", "he", "she", "one", "same",
    "there",
];
/// Openings that go on from the question before.
const OPENINGS: [&str; 12] = [
    "那",
    "还有",
    "另外",
    "然后",
    "如果",
    "and ",
    "what about",
    "how about",
    "what if",
    "also",
    "then",
    "but ",
];

/// Whether `question` can hardly be understood without what was said before.
pub fn needs_context(question: &str) -> bool {
    let lower = question.trim().to_lowercase();
    if OPENINGS.iter().any(|opening| lower.starts_with(opening))
        || lower.ends_with(['呢'])
        || lower.ends_with("呢？")
    {
        return true;
    }
    let content = terms(question).len();
    if content > SELF_CONTAINED_TERMS {
        return false;
    }
    let points_back = match language(question) {
        Language::Chinese => CHINESE_POINTERS.iter().any(|pointer| lower.contains(pointer)),
        _ => lower.split(|c: char| !c.is_alphanumeric()).any(|word| ENGLISH_POINTERS.contains(&word)),
    };
    points_back || content <= 1
}

/// The follow-up with the question before it in front, for searching: what was asked about stays in view. A
/// question that stands on its own stays as it is.
pub fn with_earlier_question(question: &str, history: &[Turn]) -> String {
    let earlier = history.iter().rev().find(|turn| turn.role == Author::User);
    match earlier {
        Some(earlier) if needs_context(question) => {
            let subject = earlier.content.trim().trim_end_matches(['?', '？', '。', '.', '!', '！']);
            let separator = if subject.ends_with(is_han) { "，" } else { ", " };
            format!("{subject}{separator}{}", question.trim())
        }
        _ => question.trim().to_owned(),
    }
}

/// What a language model is asked, to rewrite a follow-up.
pub fn rewriting_prompt(question: &str, history: &[Turn]) -> Vec<ChatTurn> {
    let rules = match language(question) {
        Language::Chinese => {
            "把最后一个问题改写成脱离上下文也能看懂的一个问题，保留原来的语言、数字、型号和专有名词。只输出改写后的问题，不要回答。如果本来就能独立看懂，原样输出。"
        }
        _ => {
            "Rewrite the last question so that it can be understood without the conversation. Keep its language, numbers, codes and names. Output only the rewritten question; do not answer it. If it stands on its own already, output it unchanged."
        }
    };
    let mut conversation = String::new();
    for turn in history {
        let (speaker, content) = match turn.role {
            Author::User => ("User", turn.content.clone()),
            Author::Assistant => ("Assistant", turn.content.chars().take(MAX_ANSWER_CHARS).collect()),
        };
        conversation.push_str(&format!("{speaker}: {content}\n"));
    }
    conversation.push_str(&format!("User: {question}"));
    vec![ChatTurn::new("system", rules), ChatTurn::new("user", conversation)]
}

/// The rewritten question, if the model gave one: a single line of reasonable length.
pub fn accepted_rewriting(answer: &str) -> Option<String> {
    let line = answer.trim().lines().next()?.trim().trim_matches(['"', '“', '”', '「', '」']);
    let line = line.strip_prefix("User:").unwrap_or(line).trim();
    (!line.is_empty() && line.chars().count() <= MAX_REWRITTEN_CHARS).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(question: &str) -> Vec<Turn> {
        vec![
            Turn { role: Author::User, content: question.to_owned() },
            Turn { role: Author::Assistant, content: "十五天[1]。".to_owned() },
        ]
    }

    #[test]
    fn follow_ups_are_told_from_questions_that_stand_alone() {
        for (question, follow_up) in [
            ("那病假呢？", true),
            ("它的保修期多久？", true),
            ("为什么？", true),
            ("What about sick leave?", true),
            ("How long is its warranty?", true),
            ("Why?", true),
            ("E-204 故障代码的处理方法是什么？", false),
            ("出差住宿费用的报销标准和审批流程是什么？", false),
            ("How many days of paid annual leave do employees get after one year?", false),
        ] {
            assert_eq!(needs_context(question), follow_up, "{question}");
        }
    }

    #[test]
    fn a_follow_up_carries_the_question_before() {
        assert_eq!(
            with_earlier_question("那病假呢？", &history("年假有多少天？")),
            "年假有多少天，那病假呢？"
        );
        assert_eq!(
            with_earlier_question("How long is its warranty?", &history("What is the X200 pump?")),
            "What is the X200 pump, How long is its warranty?"
        );
        let alone = "出差住宿费用的报销标准和审批流程是什么？";
        assert_eq!(with_earlier_question(alone, &history("年假有多少天？")), alone);
        assert_eq!(with_earlier_question("为什么？", &[]), "为什么？");
    }

    #[test]
    fn only_a_question_is_accepted_as_a_rewriting() {
        assert_eq!(accepted_rewriting("“病假有多少天？”\n解释…").as_deref(), Some("病假有多少天？"));
        assert_eq!(accepted_rewriting("  "), None);
        assert_eq!(accepted_rewriting(&"长".repeat(MAX_REWRITTEN_CHARS + 1)), None);
    }
}
