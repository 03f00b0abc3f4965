//! A question as one types it into a search engine. By rules: what is sent has to be foreseeable for those who answer for
//! it, and a model would be free to add what it knows.

/// How questions begin and end in Chinese; the longest first. Only at the ends: inside they may be part of a name.
const ZH_BEFORE: [&str; 24] = [
    "请帮我查一下",
    "帮我查一下",
    "我想知道一下",
    "请问一下",
    "我想知道",
    "我想了解",
    "能不能告诉我",
    "可以告诉我",
    "请告诉我",
    "告诉我",
    "麻烦问下",
    "帮我查查",
    "帮我找",
    "你知道",
    "查一下",
    "搜一下",
    "请问",
    "麻烦",
    "想问",
    "想问下",
    "您好",
    "你好",
    "那么",
    "，",
];
const ZH_AFTER: [&str; 14] = [
    "是什么意思呢",
    "可以吗",
    "好不好",
    "谢谢",
    "多谢",
    "是吗",
    "对吗",
    "吗",
    "呢",
    "吧",
    "啊",
    "？",
    "?",
    "。",
];
/// Words of English questions that search for nothing. Not among quotation marks, and never the last word left.
const EN_EMPTY: [&str; 74] = [
    "a", "about", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could",
    "did", "do", "does", "find", "for", "from", "get", "give", "had", "has", "have", "hello", "hey", "hi",
    "how", "i", "if", "in", "is", "it", "its", "know", "let", "like", "look", "may", "me", "might", "must",
    "my", "need", "of", "on", "or", "our", "please", "shall", "should", "show", "so", "tell", "thanks",
    "that", "the", "their", "them", "there", "these", "they", "this", "those", "to", "us", "want", "was",
    "we", "were", "will", "would",
];
/// English questions of up to this many words are sent as they are: they are keywords already.
const SHORT_WORDS: usize = 4;
/// Words of a query at most.
const MAX_WORDS: usize = 24;

pub fn keywords(question: &str) -> String {
    let text = without_courtesies(question);
    let words = pieces(text);
    let is_short = words.len() <= SHORT_WORDS;
    let kept: Vec<&str> = words
        .iter()
        .filter(|word| is_short || !is_empty_word(word))
        .map(|word| {
            word.trim_matches(|c: char| {
                matches!(
                    c,
                    '?' | '!'
                        | '.'
                        | ','
                        | ';'
                        | ':'
                        | '？'
                        | '！'
                        | '。'
                        | '，'
                        | '；'
                        | '('
                        | ')'
                        | '（'
                        | '）'
                )
            })
        })
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
        .collect();
    if kept.is_empty() { text.trim().to_owned() } else { kept.join(" ") }
}

fn is_empty_word(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
    EN_EMPTY.binary_search(&word.as_str()).is_ok()
}

/// Words, and phrases in quotation marks whole.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let quoted = rest.strip_prefix('"').and_then(|inner| inner.find('"')).map(|end| end + 2);
        let end = quoted.unwrap_or_else(|| rest.find(char::is_whitespace).unwrap_or(rest.len()));
        pieces.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    pieces
}

fn without_courtesies(question: &str) -> &str {
    let mut text = question.trim();
    // Each turn takes something off, so this ends.
    loop {
        let before = text.len();
        for courtesy in ZH_BEFORE {
            text = text.strip_prefix(courtesy).map_or(text, str::trim_start);
        }
        for courtesy in ZH_AFTER {
            text = text
                .strip_suffix(courtesy)
                .filter(|rest| !rest.trim().is_empty())
                .map_or(text, str::trim_end);
        }
        if text.len() == before {
            return text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_becomes_what_one_would_type() {
        let cases = [
            ("请问离心泵的机械密封多久更换一次呢？", "离心泵的机械密封多久更换一次"),
            (
                "How should I replace the mechanical seal of a centrifugal pump?",
                "replace mechanical seal centrifugal pump",
            ),
            ("rust borrow checker", "rust borrow checker"),
            (
                "What is the exact \"left hand thread of the nut\" torque in Nm please",
                "What exact \"left hand thread of the nut\" torque Nm",
            ),
            ("你好，请问", ""),
            ("the who", "the who"),
            ("吗", "吗"),
        ];
        for (question, expected) in cases {
            assert_eq!(keywords(question), expected, "{question}");
        }
    }

    #[test]
    fn empty_words_are_sorted_so_that_they_are_found() {
        assert!(EN_EMPTY.is_sorted());
    }
}
