//! What can be seen of a request at once, without a model.

use anwen_text::is_han;

use super::settings::Language;
use crate::engine::{ChatJob, Prompt, Role};

/// Code shows by two of these, or by a fence.
const CODE_SIGNS: [&str; 34] = [
    "fn ",
    "def ",
    "class ",
    "import ",
    "#include",
    "return ",
    "public static",
    "console.",
    "print(",
    "select ",
    "insert into",
    "=> ",
    "();",
    "::",
    "</",
    "{\n",
    ";\n",
    "traceback",
    "stack trace",
    "segfault",
    "compile",
    "regex",
    "python",
    "javascript",
    "typescript",
    "rust",
    "java ",
    "c++",
    "golang",
    "代码",
    "函数",
    "编译",
    "报错",
    "脚本",
];
const FENCE: &str = "```";
/// A greeting is short.
const SMALL_TALK_MAX_CHARS: usize = 60;
const SMALL_TALK: [&str; 24] = [
    "hello",
    "hi",
    "hey",
    "thanks",
    "thank you",
    "good morning",
    "good afternoon",
    "good evening",
    "good night",
    "bye",
    "goodbye",
    "how are you",
    "who are you",
    "what can you do",
    "你好",
    "您好",
    "谢谢",
    "多谢",
    "早上好",
    "晚上好",
    "再见",
    "在吗",
    "你是谁",
    "辛苦了",
];
/// Letters of Latin script that count as much as one Han character.
const LATIN_PER_HAN: usize = 3;
/// Characters of other scripts in a token, on average.
const CHARS_PER_TOKEN: usize = 4;

/// What a request looks like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Features {
    /// What the asker said last.
    pub question: String,
    /// Tokens of the whole prompt, estimated: one for each Han character, one for each four others.
    pub tokens: usize,
    pub has_pictures: bool,
    pub is_code: bool,
    pub is_small_talk: bool,
    /// `None` for a question in neither.
    pub language: Option<Language>,
    /// Ids of the asker's groups.
    pub groups: Vec<String>,
}

impl Features {
    pub fn of(job: &ChatJob, groups: &[String]) -> Self {
        let (question, tokens, has_pictures) = match &job.prompt {
            Prompt::Chat(turns) => {
                let asked = turns.iter().rev().find(|turn| turn.role == Role::User);
                (
                    asked.map(|turn| turn.content.clone()).unwrap_or_default(),
                    turns.iter().map(|turn| tokens_in(&turn.content)).sum(),
                    turns.iter().any(|turn| !turn.images.is_empty()),
                )
            }
            Prompt::Raw(text) => (text.clone(), tokens_in(text), false),
            Prompt::Tokens(tokens) => (String::new(), tokens.len(), false),
            Prompt::Infill { prefix, suffix } => {
                (prefix.clone(), tokens_in(prefix) + tokens_in(suffix), false)
            }
        };
        let documents: usize = job.documents.iter().map(|document| tokens_in(&document.text)).sum();
        Self {
            tokens: tokens + documents,
            has_pictures,
            is_code: matches!(job.prompt, Prompt::Infill { .. }) || is_code(&question),
            is_small_talk: job.documents.is_empty() && is_small_talk(&question),
            language: language_of(&question),
            groups: groups.to_vec(),
            question,
        }
    }
}

fn tokens_in(text: &str) -> usize {
    let han = text.chars().filter(|c| is_han(*c)).count();
    han + (text.chars().count() - han).div_ceil(CHARS_PER_TOKEN)
}

fn is_code(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.contains(FENCE) || CODE_SIGNS.iter().filter(|sign| lower.contains(**sign)).count() >= 2
}

/// A short text that a greeting or thanks makes up, but for punctuation and a name.
fn is_small_talk(text: &str) -> bool {
    if text.chars().count() > SMALL_TALK_MAX_CHARS {
        return false;
    }
    let lower = text.trim().to_lowercase();
    SMALL_TALK.iter().any(|phrase| {
        let Some(rest) = lower.strip_prefix(phrase) else { return false };
        let is_whole_word = !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        let words = rest.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        is_whole_word && words.map(|word| word.chars().count()).sum::<usize>() <= 6
    })
}

fn language_of(text: &str) -> Option<Language> {
    let han = text.chars().filter(|c| is_han(*c)).count();
    let latin = text.chars().filter(char::is_ascii_alphabetic).count();
    match (han, latin) {
        (0, 0) => None,
        _ if han * LATIN_PER_HAN >= latin => Some(Language::Zh),
        _ => Some(Language::En),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Turn;

    fn of(question: &str) -> Features {
        Features::of(&ChatJob::new(Prompt::Chat(vec![Turn::text(Role::User, question)])), &[])
    }

    #[test]
    fn code_is_seen() {
        for (question, expected) in [
            ("why does this fail?\n```\nx = 1\n```", true),
            ("fn main() { return 1; }\nWhat does it do in Rust?", true),
            ("这段 python 代码报错了怎么办", true),
            ("write a regex in javascript that finds dates", true),
            ("what is our code of conduct?", false),
            ("出差补助标准是多少？", false),
            ("Who may return goods, and when?", false),
        ] {
            assert_eq!(of(question).is_code, expected, "{question}");
        }
    }

    #[test]
    fn small_talk_is_seen() {
        for (question, expected) in [
            ("Hi!", true),
            ("hello there", true),
            ("thank you", true),
            ("你好", true),
            ("谢谢你！", true),
            ("history of the company", false),
            ("hi, how many days of leave do I have left this year?", false),
            ("你好，请问年假有几天，怎么申请，谁来批？", false),
        ] {
            assert_eq!(of(question).is_small_talk, expected, "{question}");
        }
    }

    #[test]
    fn the_language_of_the_question_is_seen() {
        for (question, expected) in [
            ("how many days?", Some(Language::En)),
            ("年假几天？", Some(Language::Zh)),
            ("Kubernetes 怎么部署到测试环境？", Some(Language::Zh)),
            ("what does 你好 mean in English?", Some(Language::En)),
            ("12 + 30", None),
        ] {
            assert_eq!(of(question).language, expected, "{question}");
        }
    }

    #[test]
    fn length_counts_the_whole_prompt() {
        assert_eq!(tokens_in("年假几天"), 4);
        assert_eq!(tokens_in("abcdefgh"), 2);
        let turns = vec![Turn::text(Role::System, "abcd"), Turn::text(Role::User, "年")];
        assert_eq!(Features::of(&ChatJob::new(Prompt::Chat(turns)), &[]).tokens, 2);
    }
}
