//! What may leave: a question cut down to keywords, without personal data and without the organisation's own words.

mod keywords;
pub mod personal;

use anwen_contract::search::{Direction, FilterAction, Outgoing, SearchRules};

use crate::incoming::words::{Filter, ListsTooLarge, Verdict, replaced};
use crate::merge::clean;
use keywords::keywords;

/// The rules, ready to be applied.
pub struct Guard {
    own_words: Filter,
    lists: Filter,
    sends_whole: bool,
    confirms: bool,
}

impl Guard {
    pub fn new(rules: &SearchRules) -> Result<Self, ListsTooLarge> {
        Ok(Self {
            own_words: Filter::of_words(&rules.organisation_words, FilterAction::Drop, "organisation")?,
            lists: Filter::new(&rules.lists, Direction::Outgoing)?,
            sends_whole: rules.send_whole_question,
            confirms: rules.confirm_before_sending,
        })
    }

    /// What would leave for a question of at most `max_chars` characters. Personal data goes first, while the sentence that
    /// shows it to be such still stands around it.
    pub fn prepare(&self, question: &str, max_chars: usize) -> Outgoing {
        let question: String = clean(question, max_chars).chars().map(half_width).collect();
        let (text, personal) = replaced(&question, personal::find(&question), " ");
        let own: Vec<(usize, usize)> =
            self.own_words.find(&text).iter().map(|hit| (hit.start, hit.end)).collect();
        let (text, own) = replaced(&text, own, " ");
        let blocked = matches!(self.lists.judge(&question), Verdict::Block { .. });
        let listed: Vec<(usize, usize)> = self
            .lists
            .find(&text)
            .iter()
            .filter(|hit| matches!(hit.action, FilterAction::Mask | FilterAction::Drop))
            .map(|hit| (hit.start, hit.end))
            .collect();
        let (text, listed) = replaced(&text, listed, " ");
        let text = clean(&text, max_chars);
        let query = if self.sends_whole { text } else { keywords(&text) };
        let says_something = query.chars().any(char::is_alphanumeric);
        Outgoing {
            blocked: blocked || !says_something,
            query: if blocked { String::new() } else { query },
            redactions: personal + own + listed,
            needs_confirmation: self.confirms,
        }
    }
}

/// The ASCII form of a full-width letter, digit or mark: in it the forms of personal data are told.
fn half_width(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anwen_contract::search::WordList;

    fn rules() -> SearchRules {
        SearchRules {
            organisation_words: vec!["凌云计划".to_owned(), "Acme Pumps".to_owned()],
            lists: vec![WordList {
                category: "secret".to_owned(),
                direction: Direction::Outgoing,
                action: FilterAction::Block,
                words: vec!["并购".to_owned()],
                pinyin: false,
            }],
            ..SearchRules::default()
        }
    }

    fn prepare(question: &str) -> Outgoing {
        Guard::new(&rules()).unwrap().prepare(question, 512)
    }

    #[test]
    fn own_words_and_personal_data_do_not_leave_in_any_spelling() {
        let outgoing =
            prepare("请问凌雲計劃里张三（13812345678，zhang@corp.example）的离心泵机械密封多久更换？");
        assert!(outgoing.query.contains("离心泵机械密封"), "{outgoing:?}");
        for kept in ["凌云", "凌雲", "138", "zhang", "corp"] {
            assert!(!outgoing.query.contains(kept), "{outgoing:?}");
        }
        assert_eq!(outgoing.redactions, 3);
        let english = prepare("How does ACME  pumps compare with other centrifugal pumps?");
        assert!(!english.query.to_lowercase().contains("acme"), "{english:?}");
    }

    #[test]
    fn numbers_in_full_width_are_personal_data_too() {
        let outgoing = prepare("离心泵 １３８１２３４５６７８ １１０１０５１９４９１２３１００２Ｘ");
        assert_eq!((outgoing.query.as_str(), outgoing.redactions), ("离心泵", 2));
    }

    #[test]
    fn a_blocked_word_stops_the_query_and_so_does_nothing_left() {
        assert_eq!((prepare("并购的流程").blocked, prepare("并购的流程").query.as_str()), (true, ""));
        assert!(prepare("凌云计划").blocked);
        assert!(!prepare("离心泵").blocked);
    }

    #[test]
    fn the_rules_say_whether_the_whole_question_leaves_and_who_agrees() {
        let rules =
            SearchRules { send_whole_question: true, confirm_before_sending: true, ..SearchRules::default() };
        let outgoing = Guard::new(&rules).unwrap().prepare("请问 what is a pump?", 512);
        assert_eq!((outgoing.query.as_str(), outgoing.needs_confirmation), ("请问 what is a pump?", true));
    }
}
