//! The step that writes: the model's stream into the draft and out to the readers.

use super::marker::MarkerFilter;
use super::pipeline::{Draft, Run, note};
use anwen_contract::chat::{AnswerEvent, Outcome, Step};
use anwen_contract::model::{ChatChunk, ChatRequest, RuntimeNote};
use anwen_contract::{ApiError, ErrorCode};
use futures::StreamExt as _;

/// Reports of the queue position that one answer's stream carries at most.
const MAX_QUEUE_REPORTS: u32 = 100;

/// Writes the answer. Dropping the future cancels the model's work.
pub async fn write(run: &Run<'_>, draft: &mut Draft, request: &ChatRequest) -> Result<(), ApiError> {
    let context = run.context.clone().within(run.app.config.answer.deadline());
    let mut stream = run.app.model.chat(&context, request).await?;
    let mut writer =
        Writer { run, draft, filter: MarkerFilter::default(), noted_outcome: None, queue_reports: 0 };
    while let Some(chunk) = stream.next().await {
        if !writer.take(chunk?) {
            break;
        }
    }
    writer.end()
}

struct Writer<'a, 'b> {
    run: &'a Run<'b>,
    draft: &'a mut Draft,
    filter: MarkerFilter,
    noted_outcome: Option<Outcome>,
    queue_reports: u32,
}

impl Writer<'_, '_> {
    /// Takes the next part of the stream; `false` when the answer has reached its bound.
    fn take(&mut self, chunk: ChatChunk) -> bool {
        if let Some(note) = &chunk.anwen {
            self.take_note(note);
        }
        if let Some(usage) = chunk.usage {
            self.draft.usage = usage;
        }
        for choice in chunk.choices {
            if let Some(reasoning) = choice.delta.reasoning_content.filter(|text| !text.is_empty()) {
                self.add_reasoning(&reasoning);
            }
            if let Some(text) = choice.delta.content {
                let shown = self.filter.push(&text);
                if !shown.is_empty() && !self.show(&shown) {
                    return false;
                }
            }
            self.draft.truncated |= choice.finish_reason.as_deref() == Some("length");
        }
        true
    }

    fn take_note(&mut self, note: &RuntimeNote) {
        if let Some(position) = note.queue_position.filter(|_| self.queue_reports < MAX_QUEUE_REPORTS) {
            self.queue_reports += 1;
            (self.run.emit)(AnswerEvent::Status {
                step: Step::Queued,
                position: Some(position),
                detail: None,
            });
        }
        match note.outcome.as_deref() {
            Some("quoted") => self.noted_outcome = Some(Outcome::Quoted),
            Some("not_found") => self.noted_outcome = Some(Outcome::NotFound),
            _ => {}
        }
        self.draft.truncated |= note.truncated.unwrap_or(false);
        self.draft.cached |= note.cached.unwrap_or(false);
    }

    fn add_reasoning(&mut self, text: &str) {
        let room =
            self.run.app.config.answer.answer_max_chars.saturating_sub(self.draft.reasoning.chars().count());
        let piece: String = text.chars().take(room).collect();
        self.draft.reasoning.push_str(&piece);
        (self.run.emit)(AnswerEvent::Reasoning { text: piece });
    }

    fn show(&mut self, text: &str) -> bool {
        if self.draft.text.is_empty() {
            note(self.draft, "first_delta", self.run.started.elapsed());
            metrics::histogram!("anwen_answer_first_delta_seconds")
                .record(self.run.started.elapsed().as_secs_f64());
        }
        self.run.add_text(self.draft, text)
    }

    fn end(self) -> Result<(), ApiError> {
        let Self { run, draft, filter, noted_outcome, .. } = self;
        match filter.finish() {
            None => {
                draft.outcome = Some(Outcome::NotFound);
                return Ok(());
            }
            Some(rest) if !rest.is_empty() => {
                run.add_text(draft, &rest);
            }
            Some(_) => {}
        }
        let quotes = run.question.model.capabilities.quotes;
        draft.outcome = noted_outcome.or(Some(if quotes { Outcome::Quoted } else { Outcome::Answered }));
        if draft.text.trim().is_empty() && draft.outcome != Some(Outcome::NotFound) {
            return Err(ApiError::new(ErrorCode::GenerationFailed, "the model gave no answer; try again"));
        }
        Ok(())
    }
}
