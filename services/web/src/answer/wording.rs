//! What the server says in its own words, in the language of the question.

use anwen_text::{Language, language};

/// The answer when the documents do not say.
pub fn not_found(question: &str) -> &'static str {
    match language(question) {
        Language::Chinese => "资料中没有找到能回答这个问题的内容。下面列出最接近的段落，供您核对。",
        _ => "The documents do not answer this question. The nearest passages are listed for you to check.",
    }
}

/// The answer when nothing at all was found.
pub fn nothing_found(question: &str) -> &'static str {
    match language(question) {
        Language::Chinese => "资料中没有找到与这个问题有关的内容。",
        _ => "The documents hold nothing about this question.",
    }
}
