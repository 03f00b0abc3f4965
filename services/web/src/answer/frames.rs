//! Events of an answer as they stand in its stream, with ids that say how far the reader has come.
//!
//! An id follows from the event's place and, for text, from how many bytes of it came before: so a stream can be
//! picked up after any id from the stored message alone, by another process or after a restart.

use crate::chats::messages::StoredAnswer;
use anwen_contract::chat::{AnswerEvent, Message, MessageState, Outcome, Step};

const MESSAGE_ID: u64 = 1;
/// Status events before the sources count up from here…
const EARLY_STATUS_ID: u64 = 2;
const SOURCES_ID: u64 = 500;
/// …and after them from here, to below the reasoning.
const LATE_STATUS_ID: u64 = 501;
const LAST_STATUS_ID: u64 = 999;
/// Plus the bytes of reasoning up to the end of the event.
const REASONING_ID: u64 = 1_000;
/// Plus the bytes of text up to the end of the event.
const DELTA_ID: u64 = 10_000_000;
const FINAL_STATUS_ID: u64 = 20_000_000;
const CITATIONS_ID: u64 = 20_000_001;
const DONE_ID: u64 = 20_000_002;
const ERROR_ID: u64 = 20_000_003;

/// The most bytes of text and of reasoning that ids have room for.
pub const MAX_TEXT_BYTES: usize = 9_000_000;

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub id: u64,
    pub name: &'static str,
    /// JSON on one line.
    pub data: String,
    pub is_last: bool,
}

/// Gives events their ids.
#[derive(Debug)]
pub struct Numbering {
    next_status: u64,
    reasoning_bytes: u64,
    text_bytes: u64,
}

impl Default for Numbering {
    fn default() -> Self {
        Self { next_status: EARLY_STATUS_ID, reasoning_bytes: 0, text_bytes: 0 }
    }
}

impl Numbering {
    /// The event's frame; `None` for an event that has no place any more: a status after its ids are used up, and
    /// reasoning after the text began.
    pub fn frame(&mut self, event: &AnswerEvent) -> Option<Frame> {
        let id = match event {
            AnswerEvent::Message { .. } => MESSAGE_ID,
            AnswerEvent::Status { .. } if self.text_bytes > 0 => FINAL_STATUS_ID,
            AnswerEvent::Status { step: Step::Verifying, .. } => FINAL_STATUS_ID,
            AnswerEvent::Status { .. } => {
                let id = self.next_status;
                if self.reasoning_bytes > 0 || id == SOURCES_ID || id > LAST_STATUS_ID {
                    return None;
                }
                self.next_status += 1;
                id
            }
            AnswerEvent::Sources { .. } => {
                self.next_status = LATE_STATUS_ID;
                SOURCES_ID
            }
            AnswerEvent::Reasoning { text } => {
                if self.text_bytes > 0 || text.is_empty() {
                    return None;
                }
                self.reasoning_bytes += text.len() as u64;
                REASONING_ID + self.reasoning_bytes
            }
            AnswerEvent::Delta { text } => {
                if text.is_empty() {
                    return None;
                }
                self.text_bytes += text.len() as u64;
                DELTA_ID + self.text_bytes
            }
            AnswerEvent::Citations { .. } => CITATIONS_ID,
            AnswerEvent::Done { .. } => DONE_ID,
            AnswerEvent::Error { .. } => ERROR_ID,
        };
        Some(Frame { id, name: event.name(), data: event.data(), is_last: event.is_last() })
    }
}

/// The events of a finished answer after the one with the id `after` (0 for all).
pub fn replay(stored: &StoredAnswer, after: u64) -> Vec<Frame> {
    let message = &stored.message;
    let mut numbering = Numbering::default();
    let mut frames = Vec::new();
    let mut add =
        |event: AnswerEvent| frames.extend(numbering.frame(&event).filter(|frame| frame.id > after));
    add(AnswerEvent::Message { id: message.id, parent_id: message.parent_id });
    add(AnswerEvent::Sources { items: message.sources.clone(), dropped: stored.dropped });
    let mut numbering_of_text = Numbering::default();
    if let Some(reasoning) = rest_of(message.reasoning.as_deref().unwrap_or_default(), after, REASONING_ID) {
        numbering_of_text.reasoning_bytes = reasoning.0;
        frames.extend(numbering_of_text.frame(&AnswerEvent::Reasoning { text: reasoning.1 }));
    }
    if let Some(text) = rest_of(&message.content, after, DELTA_ID) {
        numbering_of_text.text_bytes = text.0;
        frames.extend(numbering_of_text.frame(&AnswerEvent::Delta { text: text.1 }));
    }
    let ending = endings(stored).into_iter().filter_map(|event| Numbering::default().frame(&event));
    frames.extend(ending.filter(|frame| frame.id > after || frame.is_last));
    frames
}

/// The part of `text` after the event with the id `after`, with the bytes before it; `None` when nothing is left.
fn rest_of(text: &str, after: u64, base: u64) -> Option<(u64, String)> {
    let seen = usize::try_from(after.saturating_sub(base)).unwrap_or(usize::MAX).min(text.len());
    // An id that this stream did not give may point into a character.
    let seen = (0..=seen).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let rest = &text[seen..];
    (!rest.is_empty()).then(|| (seen as u64, rest.to_owned()))
}

fn endings(stored: &StoredAnswer) -> Vec<AnswerEvent> {
    let message: &Message = &stored.message;
    if let (MessageState::Failed, Some(error)) = (message.state, &message.error) {
        return vec![AnswerEvent::Error { code: error.code.clone(), message: error.message.clone() }];
    }
    vec![
        AnswerEvent::Citations { items: message.citations.clone() },
        AnswerEvent::Done {
            message_id: message.id,
            model: message.model.clone().unwrap_or_default(),
            usage: message.usage.unwrap_or_default(),
            timings_ms: stored.timings_ms.clone(),
            outcome: message.outcome.unwrap_or(Outcome::Stopped),
            grounded: message.grounded.unwrap_or(false),
            truncated: stored.truncated,
            cached: stored.cached,
        },
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::chats::messages::AnswerRequest;
    use anwen_contract::chat::Author;
    use anwen_contract::{ChatId, MessageId, Timestamp};
    use std::collections::BTreeMap;

    fn stored(reasoning: &str, content: &str) -> StoredAnswer {
        StoredAnswer {
            message: Message {
                id: MessageId::new(),
                chat_id: ChatId::new(),
                parent_id: Some(MessageId::new()),
                role: Author::Assistant,
                content: content.to_owned(),
                reasoning: Some(reasoning.to_owned()),
                state: MessageState::Done,
                model: Some("m".to_owned()),
                sources: Vec::new(),
                citations: Vec::new(),
                outcome: Some(Outcome::Answered),
                grounded: Some(true),
                usage: None,
                error: None,
                feedback: None,
                created_at: Timestamp(0),
            },
            request: AnswerRequest::default(),
            dropped: 0,
            truncated: false,
            cached: false,
            timings_ms: BTreeMap::new(),
        }
    }

    fn live(stored: &StoredAnswer, pieces: &[&str]) -> Vec<Frame> {
        let status = |step| AnswerEvent::Status { step, position: None, detail: None };
        let mut events = vec![
            AnswerEvent::Message { id: stored.message.id, parent_id: stored.message.parent_id },
            status(Step::Retrieving),
            AnswerEvent::Sources { items: Vec::new(), dropped: 0 },
            status(Step::Generating),
            AnswerEvent::Reasoning { text: stored.message.reasoning.clone().unwrap() },
        ];
        events.extend(pieces.iter().map(|text| AnswerEvent::Delta { text: (*text).to_owned() }));
        events.push(status(Step::Verifying));
        events.extend(endings(stored));
        let mut numbering = Numbering::default();
        events.iter().filter_map(|event| numbering.frame(event)).collect()
    }

    fn text_of(frames: &[Frame], name: &str) -> String {
        let text = |frame: &Frame| {
            let data: serde_json::Value = serde_json::from_str(&frame.data).unwrap();
            data["text"].as_str().unwrap().to_owned()
        };
        frames.iter().filter(|frame| frame.name == name).map(text).collect()
    }

    #[test]
    fn ids_only_grow() {
        let frames = live(&stored("想", "年假五天"), &["年假", "五", "天"]);
        assert!(frames.windows(2).all(|pair| pair[0].id < pair[1].id), "{frames:?}");
    }

    #[test]
    fn a_stream_broken_anywhere_goes_on_from_the_store_without_loss_or_repetition() {
        let stored = stored("想一想", "年假五天。Five.");
        let frames = live(&stored, &["年假", "五", "天。", "Five."]);
        for cut in 0..frames.len() {
            let seen = &frames[..cut];
            let rest = replay(&stored, seen.last().map_or(0, |frame| frame.id));
            for name in ["delta", "reasoning"] {
                assert_eq!(
                    text_of(seen, name) + &text_of(&rest, name),
                    text_of(&frames, name),
                    "cut at {cut}"
                );
            }
            for name in ["message", "sources", "citations"] {
                let count = seen.iter().chain(&rest).filter(|frame| frame.name == name).count();
                assert_eq!(count, 1, "{name}, cut at {cut}");
            }
            assert!(rest.last().unwrap().is_last, "cut at {cut}");
        }
    }

    #[test]
    fn an_id_that_was_never_given_does_no_harm() {
        let stored = stored("", "年假");
        assert_eq!(text_of(&replay(&stored, DELTA_ID + 1), "delta"), "年假");
        assert_eq!(replay(&stored, u64::MAX).len(), 1);
    }

    #[test]
    fn a_failed_answer_replays_its_error_last() {
        let mut stored = stored("", "half");
        stored.message.state = MessageState::Failed;
        stored.message.error = Some(anwen_contract::knowledge::Notice {
            code: "generation_failed".into(),
            message: "…".into(),
        });
        let frames = replay(&stored, 0);
        let names: Vec<&str> = frames.iter().map(|frame| frame.name).collect();
        assert_eq!(names, ["message", "sources", "delta", "error"]);
    }
}
