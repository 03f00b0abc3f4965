//! Chats and their messages: a tree, because an edited question or a regenerated answer is a sibling.

mod handlers;
pub mod store;

pub use handlers::{own_chat, owner_of, routes};
pub use store::ChatStore;
pub use store::messages::{self, MessageStore};

/// The most characters of a chat's title that is taken from its first question.
const TITLE_CHARS: usize = 60;

/// The title of a chat that begins with this question: its first words, on one line.
pub fn title_of(question: &str) -> String {
    let line = question.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= TITLE_CHARS {
        return line;
    }
    let cut: String = line.chars().take(TITLE_CHARS - 1).collect();
    // An English title ends with a whole word; Chinese has no spaces to cut at.
    let end = cut.rfind(' ').filter(|at| *at > cut.len() / 2).unwrap_or(cut.len());
    format!("{}…", &cut[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line_of_bounded_length() {
        assert_eq!(title_of("  年假有\n多少天？ "), "年假有 多少天？");
        let english = title_of(&"leave policy ".repeat(20));
        assert!(english.ends_with("policy…") || english.ends_with("leave…"), "{english}");
        assert!(title_of(&"长".repeat(500)).chars().count() <= TITLE_CHARS);
    }
}
