//! `/v1/completions`: text, or tokens, continued as they stand.

use std::time::SystemTime;

use anwen_contract::model::{RuntimeNote, StreamOptions};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::{note, usage};
use super::sampling::{SamplingFields, choices as choices_wanted, invalid, logprobs};
use super::streaming::streamed;
use super::unix_seconds;
use crate::api::ApiState;
use crate::api::asking::Asking;
use crate::api::body::{Body, Failure, OpenAi};
use crate::api::choices::{self, ToolCalls};
use crate::api::fields::{self, Field, Fields};
use crate::api::generation::{Answer, Event};
use crate::api::input::Inputs;
use crate::api::logprobs::legacy;
use crate::engine::{ChatEnd, ChatJob, EmbedInput, Prompt, Sampling, TokenLogprob};
use crate::error::RuntimeError;

/// Tokens of an answer when the request does not say, as OpenAI documents it for this call.
const DEFAULT_MAX_TOKENS: u32 = 16;
/// The most alternatives that this older call takes.
const MAX_LOGPROBS: u8 = 5;

/// The fields of the call.
const FIELDS: &Fields = &[
    ("model", Field::Honoured),
    ("prompt", Field::Honoured),
    ("suffix", Field::Honoured),
    ("echo", Field::Honoured),
    ("max_tokens", Field::Honoured),
    ("temperature", Field::Honoured),
    ("top_p", Field::Honoured),
    ("top_k", Field::Honoured),
    ("min_p", Field::Honoured),
    ("typical_p", Field::Honoured),
    ("repetition_penalty", Field::Honoured),
    ("repeat_last_n", Field::Honoured),
    ("frequency_penalty", Field::Honoured),
    ("presence_penalty", Field::Honoured),
    ("seed", Field::Honoured),
    ("stop", Field::Honoured),
    ("n", Field::Honoured),
    ("best_of", Field::Honoured),
    ("logprobs", Field::Honoured),
    ("logit_bias", Field::Honoured),
    ("stream", Field::Honoured),
    ("stream_options", Field::Honoured),
    ("user", Field::Neutral),
];

#[derive(Deserialize)]
struct CompletionBody {
    #[serde(default)]
    model: String,
    prompt: Inputs,
    #[serde(default)]
    suffix: String,
    #[serde(default)]
    echo: bool,
    #[serde(default)]
    max_tokens: Option<u32>,
    #[serde(default)]
    n: Option<u32>,
    #[serde(default)]
    best_of: Option<u32>,
    #[serde(default)]
    logprobs: Option<u8>,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(flatten)]
    sampling: SamplingFields,
}

/// A request, understood.
struct Request {
    model: String,
    stream: bool,
    with_usage: bool,
    /// Answers to each prompt.
    per_prompt: usize,
    /// One for each choice: `n` for the first prompt, then `n` for the next.
    jobs: Vec<ChatJob>,
    /// What each choice's text begins with: its prompt, when it is to be repeated.
    echoes: Vec<String>,
}

impl Request {
    fn read(body: Map<String, Value>, state: &ApiState) -> Result<Self, RuntimeError> {
        let (body, _): (CompletionBody, _) = fields::read(FIELDS, body)?;
        let most = state.config.max_choices;
        let n = choices_wanted(body.n, most)?;
        if body.best_of.is_some_and(|best_of| best_of != n) {
            return invalid("best_of is taken only when it equals n");
        }
        if body.logprobs.is_some_and(|count| count > MAX_LOGPROBS) {
            return invalid(format!("logprobs is at most {MAX_LOGPROBS} in this call"));
        }
        if body.echo && body.logprobs.is_some() {
            return invalid(
                "echo with logprobs is not offered here: the prompt's own probabilities are not kept",
            );
        }
        let prompts = body.prompt.0;
        if prompts.is_empty() {
            return invalid("prompt must not be empty");
        }
        if prompts.len() * n as usize > most as usize {
            return invalid(format!("at most {most} answers in one request: n for each prompt"));
        }
        let sampling = body.sampling.into_sampling(body.max_tokens)?;
        let (mut jobs, mut echoes) = (Vec::new(), Vec::new());
        for prompt in prompts {
            let echo = echo_of(&prompt, body.echo)?;
            let job = ChatJob {
                sampling: sampling.clone(),
                fallback: Sampling { max_tokens: Some(DEFAULT_MAX_TOKENS), ..Sampling::default() },
                logprobs: logprobs(body.logprobs.is_some(), body.logprobs)?,
                ..ChatJob::new(prompt_of(prompt, &body.suffix)?)
            };
            jobs.extend(choices::repeated(&job, n));
            echoes.extend(vec![echo; n as usize]);
        }
        Ok(Self {
            model: body.model,
            stream: body.stream,
            with_usage: body.stream_options.is_some_and(|options| options.include_usage),
            per_prompt: n as usize,
            jobs,
            echoes,
        })
    }
}

fn prompt_of(prompt: EmbedInput, suffix: &str) -> Result<Prompt, RuntimeError> {
    match prompt {
        EmbedInput::Text(text) if suffix.is_empty() => Ok(Prompt::Raw(text)),
        EmbedInput::Text(prefix) => Ok(Prompt::Infill { prefix, suffix: suffix.to_owned() }),
        EmbedInput::Tokens(tokens) if suffix.is_empty() => Ok(Prompt::Tokens(tokens)),
        EmbedInput::Tokens(_) => invalid("suffix takes a prompt of text"),
    }
}

fn echo_of(prompt: &EmbedInput, wanted: bool) -> Result<String, RuntimeError> {
    match prompt {
        _ if !wanted => Ok(String::new()),
        EmbedInput::Text(text) => Ok(text.clone()),
        EmbedInput::Tokens(_) => invalid("echo takes a prompt of text"),
    }
}

/// `POST /v1/completions`.
pub(super) async fn complete(
    State(state): State<ApiState>,
    asking: Asking,
    body: Body<OpenAi, Map<String, Value>>,
) -> Result<Response, Failure<OpenAi>> {
    let request_id = body.request_id;
    let fail = Body::<OpenAi, Map<String, Value>>::failure(&request_id);
    let Request { model, stream, with_usage, per_prompt, jobs, echoes } =
        Request::read(body.value, &state).map_err(&fail)?;
    let with_logprobs = jobs.iter().any(|job| job.logprobs.is_some());
    let choices = choices::start(&state, &asking, &model, jobs, ToolCalls::Many).await.map_err(&fail)?;
    let mut head = Head {
        id: format!("cmpl-{}", Uuid::new_v4().simple()),
        created: unix_seconds(SystemTime::now()),
        model: choices.model.name.clone(),
        with_logprobs,
        with_usage,
        offsets: echoes.iter().map(|echo| echo.chars().count()).collect(),
        echoes,
        per_prompt,
        ends: Vec::new(),
        note: choices.note.clone(),
    };
    if stream {
        let openings = head.openings();
        let chunks = move |index, event| head.chunks(index, event);
        return Ok(streamed(openings, choices, chunks, request_id.clone()));
    }
    let answers = choices.collect().await.map_err(&fail)?;
    Ok(Json(head.whole(&answers)).into_response())
}

/// What every part of one answer repeats, and where each choice stands.
struct Head {
    id: String,
    created: u64,
    model: String,
    with_logprobs: bool,
    with_usage: bool,
    echoes: Vec<String>,
    /// Characters of each choice so far.
    offsets: Vec<usize>,
    /// Answers to each prompt.
    per_prompt: usize,
    /// The ends so far, with their choices.
    ends: Vec<(usize, ChatEnd)>,
    /// What was known before the answers began.
    note: RuntimeNote,
}

impl Head {
    fn body(&self, choices: Vec<Value>) -> Value {
        json!({
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": self.model,
            "choices": choices,
        })
    }

    fn choice(&self, index: usize, text: &str, logprobs: &[TokenLogprob], finish: Option<&str>) -> Value {
        let offset = self.offsets.get(index).copied().unwrap_or_default();
        let logprobs = if self.with_logprobs { legacy(logprobs, offset) } else { Value::Null };
        json!({"index": index, "text": text, "logprobs": logprobs, "finish_reason": finish})
    }

    fn whole(&self, answers: &[Answer]) -> Value {
        let choices = answers.iter().zip(&self.echoes).enumerate().map(|(index, (answer, echo))| {
            let text = format!("{echo}{}", answer.text);
            self.choice(index, &text, &answer.logprobs, Some(answer.end.finish.as_str()))
        });
        let mut body = self.body(choices.collect());
        let ends: Vec<&ChatEnd> = answers.iter().map(|answer| &answer.end).collect();
        body["usage"] = usage(&ends, self.per_prompt);
        if let Some(note) = note(&self.note, &ends) {
            body["anwen"] = note;
        }
        body
    }

    /// The prompts that are to stand before their answers.
    fn openings(&self) -> Vec<Value> {
        let echoes = self.echoes.iter().enumerate().filter(|(_, echo)| !echo.is_empty());
        echoes.map(|(index, echo)| self.body(vec![self.choice(index, echo, &[], None)])).collect()
    }

    fn chunks(&mut self, index: usize, event: Event) -> Vec<Value> {
        match event {
            Event::Delta(delta) => {
                let choice = self.choice(index, &delta.text, &delta.logprobs, None);
                if let Some(offset) = self.offsets.get_mut(index) {
                    *offset += delta.text.chars().count();
                }
                vec![self.body(vec![choice])]
            }
            Event::Done(end, _) => {
                let mut last = self.body(vec![self.choice(index, "", &[], Some(end.finish.as_str()))]);
                if let Some(note) = note(&self.note, &[&end]) {
                    last["anwen"] = note;
                }
                self.ends.push((index, end));
                let mut chunks = vec![last];
                if self.with_usage && self.ends.len() == self.echoes.len() {
                    self.ends.sort_by_key(|(index, _)| *index);
                    let ends: Vec<&ChatEnd> = self.ends.iter().map(|(_, end)| end).collect();
                    let mut chunk = self.body(Vec::new());
                    chunk["usage"] = usage(&ends, self.per_prompt);
                    chunks.push(chunk);
                }
                chunks
            }
            // This call has no place for a queue, thinking or tools.
            _ => Vec::new(),
        }
    }
}
