//! Content terms: what two texts must share to be about the same thing.

use crate::{is_han, normalize};

/// Content terms of `text` in reading order, repeated where the text repeats them.
///
/// The text is normalised first ([`normalize`]). Latin words come lower-cased and lightly stemmed, without stop
/// words; a run of letters and digits joined by `- . / _ : # +` that holds a digit is a code and stays whole
/// (`p0300`, `19001-2016`, `v1.2.3`); Han comes as character bigrams between function words, and as a single
/// character where nothing stands beside it.
pub fn terms(text: &str) -> Vec<String> {
    let normalized = normalize(text);
    let mut terms = Vec::new();
    let mut rest = normalized.as_str();
    while let Some(first) = rest.chars().next() {
        let length = if is_han(first) {
            let run = prefix_while(rest, is_han);
            push_han(run, &mut terms);
            run.len()
        } else if first.is_alphanumeric() {
            let run = word_run(rest);
            push_word(run, &mut terms);
            run.len()
        } else {
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    terms
}

fn prefix_while(text: &str, accept: impl Fn(char) -> bool) -> &str {
    let end = text.find(|c| !accept(c)).unwrap_or(text.len());
    &text[..end]
}

fn is_joiner(c: char) -> bool {
    matches!(c, '-' | '.' | '/' | '_' | ':' | '#' | '+' | ',' | '\'' | '’')
}

/// The longest prefix of letters, digits and single joiners between two of them.
fn word_run(text: &str) -> &str {
    let mut end = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        if is_han(c) {
            break;
        }
        if c.is_alphanumeric() {
            end = at + c.len_utf8();
            continue;
        }
        let joins = is_joiner(c)
            && characters.peek().is_some_and(|&(_, next)| next.is_alphanumeric() && !is_han(next));
        if !joins {
            break;
        }
    }
    &text[..end]
}

fn push_word(run: &str, terms: &mut Vec<String>) {
    if run.chars().any(|c| c.is_numeric()) {
        // "3,000" and "3000" are one number; in "a1,b2" the comma lists two codes.
        for code in split_lists(run) {
            terms.push(code);
        }
        return;
    }
    for word in run.split(|c| is_joiner(c) && c != '\'' && c != '’') {
        let word = word.split(['\'', '’']).next().unwrap_or(word);
        if !word.is_empty() && STOP_WORDS.binary_search(&word).is_err() {
            terms.push(stem(word));
        }
    }
}

fn split_lists(run: &str) -> Vec<String> {
    let pieces: Vec<&str> = run.split(',').collect();
    let is_grouped_number = pieces.len() > 1
        && pieces[0].len() <= 3
        && pieces[0].bytes().all(|b| b.is_ascii_digit())
        && pieces[1..]
            .iter()
            .all(|piece| piece.len() >= 3 && piece.as_bytes()[..3].iter().all(u8::is_ascii_digit));
    if is_grouped_number {
        return vec![pieces.concat()];
    }
    pieces.into_iter().filter(|piece| !piece.is_empty()).map(str::to_owned).collect()
}

fn push_han(run: &str, terms: &mut Vec<String>) {
    let mut rest = run;
    let mut content_start = 0;
    let mut at = 0;
    while at < run.len() {
        let skipped = function_word_length(rest);
        if skipped > 0 {
            push_bigrams(&run[content_start..at], terms);
            at += skipped;
            content_start = at;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
        rest = &run[at..];
    }
    push_bigrams(&run[content_start..], terms);
}

fn push_bigrams(content: &str, terms: &mut Vec<String>) {
    let starts: Vec<usize> = content.char_indices().map(|(at, _)| at).collect();
    if starts.len() == 1 {
        terms.push(content.to_owned());
        return;
    }
    for pair in 0..starts.len().saturating_sub(1) {
        let end = starts.get(pair + 2).copied().unwrap_or(content.len());
        terms.push(content[starts[pair]..end].to_owned());
    }
}

/// Words that carry the question and not its subject, longest first where one begins another.
const HAN_FUNCTION_WORDS: [&str; 46] = [
    "为什么",
    "什么时候",
    "有哪些",
    "有没有",
    "是什么",
    "是多少",
    "多长时间",
    "能不能",
    "可不可以",
    "什么样",
    "什么",
    "怎么样",
    "怎么",
    "怎样",
    "如何",
    "多少",
    "哪些",
    "哪个",
    "哪里",
    "哪儿",
    "哪一",
    "是否",
    "请问",
    "为何",
    "谁",
    "几个",
    "以及",
    "或者",
    "并且",
    "但是",
    "因为",
    "所以",
    "如果",
    "关于",
    "对于",
    "之间",
    "的",
    "了",
    "吗",
    "呢",
    "吧",
    "啊",
    "呀",
    "嘛",
    "着",
    "是",
];

fn function_word_length(text: &str) -> usize {
    HAN_FUNCTION_WORDS.iter().find(|word| text.starts_with(**word)).map_or(0, |word| word.len())
}

/// Sorted, for binary search.
const STOP_WORDS: [&str; 96] = [
    "a", "about", "after", "all", "also", "an", "and", "any", "are", "as", "at", "be", "been", "before",
    "being", "between", "both", "but", "by", "can", "could", "did", "do", "does", "during", "each", "for",
    "from", "had", "has", "have", "he", "her", "him", "his", "how", "i", "if", "in", "into", "is", "it",
    "its", "itself", "many", "may", "me", "might", "more", "most", "much", "my", "no", "not", "of", "on",
    "or", "other", "our", "out", "over", "she", "should", "so", "some", "such", "than", "that", "the",
    "their", "them", "then", "there", "these", "they", "this", "those", "to", "under", "up", "us", "was",
    "we", "were", "what", "when", "where", "which", "who", "whom", "whose", "why", "will", "with", "would",
    "you",
];

/// Folds plural, past and progressive forms of an English word onto one spelling. Both sides of a comparison
/// pass through it, so the spelling itself need not be a word.
fn stem(word: &str) -> String {
    if !word.is_ascii() || word.len() < 4 {
        return word.to_owned();
    }
    let singular = strip_plural(word);
    let mut stem = strip_verb_ending(&singular).to_owned();
    let bytes = stem.as_bytes();
    let n = bytes.len();
    if n >= 4
        && bytes[n - 1] == bytes[n - 2]
        && !matches!(bytes[n - 1], b'a' | b'e' | b'i' | b'o' | b'u' | b's' | b'l')
    {
        stem.pop();
    }
    if stem.len() >= 4 && stem.ends_with('e') {
        stem.pop();
    }
    if stem.len() >= 4 && stem.ends_with('y') {
        stem.pop();
        stem.push('i');
    }
    stem
}

fn strip_plural(word: &str) -> String {
    if let Some(base) = word.strip_suffix("ies").filter(|base| base.len() >= 2) {
        return format!("{base}y");
    }
    if let Some(base) = word.strip_suffix("es")
        && ["ss", "x", "ch", "sh", "z"].iter().any(|ending| base.ends_with(ending))
    {
        return base.to_owned();
    }
    match word.strip_suffix('s') {
        Some(base) if !base.ends_with(['s', 'u', 'i']) => base.to_owned(),
        _ => word.to_owned(),
    }
}

fn strip_verb_ending(word: &str) -> &str {
    for ending in ["ing", "ed"] {
        if let Some(base) = word.strip_suffix(ending)
            && base.len() >= 3
            && base.contains(['a', 'e', 'i', 'o', 'u', 'y'])
        {
            return base;
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_are_sorted_for_binary_search() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn terms_of_both_languages_and_codes() {
        for (text, expected) in [
            ("What is the leave policy?", vec!["leav", "polici"]),
            ("GB/T 19001-2016, v1.2.3 and P0300.", vec!["gb", "t", "19001-2016", "v1.2.3", "p0300"]),
            ("3,000 widgets", vec!["3000", "widget"]),
            ("a1,b2", vec!["a1", "b2"]),
            ("年假有多少天？", vec!["年假", "假有", "天"]),
            ("設備的電壓", vec!["设备", "电压"]),
            ("user's well-known name", vec!["user", "well", "known", "nam"]),
            ("", vec![]),
        ] {
            assert_eq!(terms(text), expected, "{text:?}");
        }
    }

    #[test]
    fn forms_of_an_english_word_share_a_term() {
        for forms in [
            ["charge", "charged", "charging", "charges"].as_slice(),
            &["policy", "policies"],
            &["run", "running", "runs"],
            &["box", "boxes"],
            &["stop", "stopped", "stopping"],
        ] {
            let first = terms(forms[0]);
            for form in forms {
                assert_eq!(terms(form), first, "{form}");
            }
        }
    }

    #[test]
    fn words_that_only_look_inflected_stay_apart() {
        for word in ["bus", "class", "analysis", "status"] {
            assert_eq!(terms(word), [word], "{word}");
        }
    }
}
