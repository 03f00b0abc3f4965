//! GGUF files through llama.cpp, with weights that the tests make.

use std::path::Path;

use anwen_model_runtime::engine::llamacpp::LlamaCppEngine;
use anwen_model_runtime::engine::{
    AnswerFormat, ChatEnd, ChatEvent, ChatJob, EmbedInput, EmbedJob, Engine as _, FinishReason, Overflow,
    Prompt, Role, Sampling, TokenLogprob, ToolCall, ToolChoice, ToolDefinition, Turn,
};
use anwen_model_runtime::registry::ModelFiles;
use anwen_model_runtime::{Config, RuntimeError};
use futures::StreamExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::all;
use crate::tiny_model::encoder::{self, Head};
use crate::tiny_model::{self, CONTEXT, FAMILIES, Family, Precision, adapter};

/// An engine and the folder that its file lies in.
struct Loaded {
    engine: LlamaCppEngine,
    _folder: TempDir,
}

/// Loads what `write` puts into a file, with settings and files changed.
async fn load_with(
    write: impl FnOnce(&Path),
    change: impl FnOnce(&mut Config, &mut ModelFiles),
) -> Result<Loaded, RuntimeError> {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("tiny.gguf"));
    let mut files = anwen_models::scan(folder.path()).into_iter().next().unwrap();
    let mut config = Config::default();
    change(&mut config, &mut files);
    let engine = LlamaCppEngine::load(&files, &config).await?;
    Ok(Loaded { engine, _folder: folder })
}

async fn plain() -> Loaded {
    load_with(tiny_model::write_gguf, |_, _| {}).await.unwrap()
}

/// A Llama with room for long conversations.
async fn long() -> Loaded {
    let write = |file: &Path| tiny_model::write_family_gguf(file, Family::Llama, Precision::F16);
    load_with(write, |_, _| {}).await.unwrap()
}

fn chat(turns: &[(Role, &str)]) -> Prompt {
    Prompt::Chat(turns.iter().map(|(role, text)| Turn::text(*role, *text)).collect())
}

/// A question that is answered the same each time, in `max_tokens`.
fn ask(question: &str, max_tokens: u32) -> ChatJob {
    let mut job = ChatJob::new(chat(&[(Role::User, question)]));
    job.sampling = Sampling { max_tokens: Some(max_tokens), temperature: Some(0.0), ..Sampling::default() };
    job
}

/// What an answer came to.
#[derive(Debug)]
struct Answer {
    text: String,
    thinking: String,
    calls: Vec<ToolCall>,
    logprobs: Vec<TokenLogprob>,
    deltas: usize,
    end: ChatEnd,
}

async fn answer(engine: &LlamaCppEngine, job: ChatJob) -> Answer {
    let mut events = engine.chat(job).await.unwrap();
    let (mut text, mut thinking) = (String::new(), String::new());
    let (mut calls, mut logprobs, mut deltas) = (Vec::new(), Vec::new(), 0);
    while let Some(event) = events.next().await {
        match event.unwrap() {
            ChatEvent::Delta(delta) => {
                text.push_str(&delta.text);
                logprobs.extend(delta.logprobs);
                deltas += 1;
            }
            ChatEvent::Reasoning(part) => thinking.push_str(&part),
            ChatEvent::ToolCall(call) => calls.push(call),
            ChatEvent::Done(end) => return Answer { text, thinking, calls, logprobs, deltas, end },
        }
    }
    panic!("the stream ended without an end");
}

async fn refusal(engine: &LlamaCppEngine, job: ChatJob) -> RuntimeError {
    engine.chat(job).await.err().expect("it is refused")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_in_parts_with_its_counts() {
    let loaded = plain().await;
    let answer = answer(&loaded.engine, ask("hello", 10)).await;
    assert!(answer.text.chars().all(|letter| letter.is_ascii_lowercase()), "{:?}", answer.text);
    assert!(answer.deltas > 5, "{} parts", answer.deltas);
    assert_eq!((answer.end.finish, answer.end.usage.completion_tokens), (FinishReason::Length, 10));
    // "<s>user: hello</s><s>assistant: ": 3 control tokens and a token for each byte between.
    assert_eq!(answer.end.usage.prompt_tokens as usize, 3 + "user: hello".len() + "assistant: ".len());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_family_answers_in_every_precision() {
    for family in FAMILIES {
        for precision in [Precision::F16, Precision::Q8_0, Precision::Q4K] {
            let write = |file: &Path| tiny_model::write_family_gguf(file, family, precision);
            let loaded = load_with(write, |_, _| {}).await.unwrap();
            let answer = answer(&loaded.engine, ask("hello", 8)).await;
            let written = answer.text.len() + answer.thinking.len();
            assert!(written > 0, "{family:?} {precision:?} {answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_sequence_ends_the_answer_before_it() {
    let loaded = plain().await;
    let whole = answer(&loaded.engine, ask("hello", 20)).await.text;
    let mut job = ask("hello", 20);
    job.sampling.stop = vec![whole[5..8].to_owned()];
    let stopped = answer(&loaded.engine, job).await;
    let expected = &whole[..whole.find(&whole[5..8]).unwrap()];
    assert_eq!((stopped.text.as_str(), stopped.end.finish), (expected, FinishReason::Stop));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_gives_the_same_answer_again() {
    let loaded = plain().await;
    let mut texts = Vec::new();
    for seed in [1, 1, 2] {
        let mut job = ask("hello", 24);
        job.sampling.temperature = Some(1.0);
        job.sampling.seed = Some(seed);
        texts.push(answer(&loaded.engine, job).await.text);
    }
    assert_eq!(texts[0], texts[1]);
    assert_ne!(texts[0], texts[2]);
}

fn bounded_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "count": {"type": "integer", "minimum": 0, "maximum": 99},
            "kind": {"enum": ["tax", "law"]},
            "tags": {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2},
        },
        "required": ["count", "kind", "tags"],
        "additionalProperties": false,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_by_a_schema_is_json_that_fits_it() {
    let loaded = plain().await;
    for seed in 0..8 {
        let mut job = ask("hello", 200);
        job.format = AnswerFormat::JsonSchema(bounded_schema());
        job.sampling.temperature = Some(1.5);
        job.sampling.seed = Some(seed);
        let answer = answer(&loaded.engine, job).await;
        assert_eq!(answer.end.finish, FinishReason::Stop, "{:?}", answer.text);
        let value: Value = serde_json::from_str(&answer.text).unwrap();
        assert!(value["count"].as_u64().unwrap() <= 99 && value["tags"][0].is_boolean(), "{value}");
        assert!(["tax", "law"].contains(&value["kind"].as_str().unwrap()), "{value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_was_cut_does_not_end_with_stop() {
    let loaded = plain().await;
    let mut job = ask("hello", 4);
    job.format = AnswerFormat::JsonSchema(bounded_schema());
    let answer = answer(&loaded.engine, job).await;
    assert_eq!(answer.end.finish, FinishReason::Length);
    assert!(serde_json::from_str::<Value>(&answer.text).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_follows_a_pattern_or_a_grammar() {
    let loaded = plain().await;
    for (format, pattern) in [
        (AnswerFormat::Regex("[0-9]{3}-[xyz]{2}".to_owned()), "^[0-9]{3}-[xyz]{2}$"),
        (AnswerFormat::Lark("start: \"yes\" | \"no\"\n".to_owned()), "^(yes|no)$"),
    ] {
        let mut job = ask("hello", 50);
        job.format = format.clone();
        let answer = answer(&loaded.engine, job).await;
        assert!(regex::Regex::new(pattern).unwrap().is_match(&answer.text), "{format:?} {:?}", answer.text);
        assert_eq!(answer.end.finish, FinishReason::Stop);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_format_that_cannot_be_is_refused_before_anything_is_written() {
    let loaded = plain().await;
    for format in [
        AnswerFormat::JsonSchema(json!({"type": "nothing"})),
        AnswerFormat::Regex("(".to_owned()),
        AnswerFormat::Lark("no grammar at all".to_owned()),
    ] {
        let mut job = ask("hello", 10);
        job.format = format.clone();
        let error = refusal(&loaded.engine, job).await;
        assert!(matches!(error, RuntimeError::Invalid(_)), "{format:?} {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn probabilities_come_with_the_text_that_they_belong_to() {
    let loaded = plain().await;
    let mut job = ask("hello", 6);
    job.logprobs = Some(255);
    let answer = answer(&loaded.engine, job).await;
    let bytes: Vec<u8> = answer.logprobs.iter().flat_map(|logprob| logprob.bytes.clone()).collect();
    assert_eq!(String::from_utf8(bytes).unwrap(), answer.text);
    for logprob in &answer.logprobs {
        let sum: f32 = logprob.top.iter().map(|(_, value)| value.exp()).sum();
        assert!(sum > 0.95 && sum < 1.001, "{sum}");
        // Greedy: what was chosen is the likeliest.
        assert_eq!(logprob.top[0], (logprob.bytes.clone(), logprob.logprob));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_side_by_side_are_those_of_one_alone() {
    let loaded = plain().await;
    let questions = ["hello", "what is a tax", "rain", "who"];
    let mut alone = Vec::new();
    for question in questions {
        alone.push(answer(&loaded.engine, ask(question, 16)).await.text);
    }
    let together = all(questions.iter().map(|question| answer(&loaded.engine, ask(question, 16))).collect());
    let together: Vec<String> = together.await.into_iter().map(|answer| answer.text).collect();
    assert_eq!(together, alone);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_turn_of_a_conversation_begins_where_the_last_one_ended() {
    let loaded = long().await;
    let question = "the rain falls ".repeat(40);
    let first = answer(&loaded.engine, ask(&question, 8)).await;
    assert_eq!(first.end.cached_tokens, 0);
    let mut next = ask("", 8);
    next.prompt = chat(&[(Role::User, &question), (Role::Assistant, &first.text), (Role::User, "why")]);
    let second = answer(&loaded.engine, next).await;
    assert!(second.end.cached_tokens >= first.end.usage.prompt_tokens - 1, "{:?}", second.end);
    // Elsewhere it would have been computed from the beginning, with the same result.
    let fresh = long().await;
    let mut again = ask("", 8);
    again.prompt = chat(&[(Role::User, &question), (Role::Assistant, &first.text), (Role::User, "why")]);
    assert_eq!(answer(&fresh.engine, again).await.text, second.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_share_what_they_begin_with() {
    let loaded = long().await;
    let rules = "answer by the law ".repeat(30);
    let ask_by_rules = |question: &str| {
        let mut job = ask("", 4);
        job.prompt = chat(&[(Role::System, &rules), (Role::User, question)]);
        job
    };
    answer(&loaded.engine, ask_by_rules("first question")).await;
    let jobs = ["tax", "sea", "wind"].map(|question| answer(&loaded.engine, ask_by_rules(question)));
    for answer in all(jobs.into()).await {
        assert!(answer.end.cached_tokens as usize > rules.len() / 2, "{:?}", answer.end);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_that_nobody_reads_makes_room_for_the_next() {
    let write = |file: &Path| tiny_model::write_family_gguf(file, Family::Llama, Precision::F16);
    let loaded = load_with(write, |config, _| config.concurrent_chats = 1).await.unwrap();
    let mut endless = loaded.engine.chat(ask("hello", 8000)).await.unwrap();
    endless.next().await.unwrap().unwrap();
    drop(endless);
    // With one place only, this one runs once the first has gone; 8,000 tokens would take longer than the test may.
    assert_eq!(answer(&loaded.engine, ask("hello", 4)).await.end.usage.completion_tokens, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_streams_at_once_all_end() {
    let loaded = plain().await;
    let jobs = (0..100).map(|index| answer(&loaded.engine, ask(&format!("question {index}"), 12))).collect();
    let answers = all(jobs).await;
    assert_eq!(answers.len(), 100);
    assert!(answers.iter().all(|answer| answer.end.usage.completion_tokens == 12));
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_beyond_the_pool_wait_their_turn() {
    let change = |config: &mut Config, _: &mut ModelFiles| {
        config.concurrent_chats = 4;
        config.llamacpp.pool_tokens = 256;
    };
    let loaded = load_with(tiny_model::write_gguf, change).await.unwrap();
    let alone = answer(&loaded.engine, ask("a", 150)).await.text;
    let together = all((0..4).map(|_| answer(&loaded.engine, ask("a", 150))).collect()).await;
    assert!(together.iter().all(|answer| answer.end.usage.completion_tokens == 150));
    assert_eq!(together[0].text, alone);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_is_too_long_is_refused_with_the_numbers_or_shortened() {
    let loaded = plain().await;
    let long = "x".repeat(CONTEXT);
    match refusal(&loaded.engine, ask(&long, 4)).await {
        RuntimeError::ContextTooLong { prompt_tokens, context_tokens } => {
            assert_eq!((prompt_tokens, context_tokens), (CONTEXT + 3 + 17, CONTEXT));
        }
        other => panic!("{other:?}"),
    }
    let mut job = ask("", 4);
    job.prompt =
        chat(&[(Role::System, "rules"), (Role::User, &long), (Role::Assistant, "yes"), (Role::User, "why")]);
    job.overflow = Overflow::DropOldest;
    let shortened = answer(&loaded.engine, job).await;
    assert_eq!(shortened.end.dropped_turns, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_ends_where_the_context_does() {
    let loaded = plain().await;
    let answer = answer(&loaded.engine, ask("hello", 100_000)).await;
    assert_eq!(answer.end.finish, FinishReason::Length);
    assert_eq!(answer.end.usage.total_tokens as usize, CONTEXT);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_continued_as_they_stand_when_the_model_knows_them() {
    let loaded = plain().await;
    let tokens = loaded.engine.tokenize("once upon").await.unwrap();
    let mut job = ask("", 8);
    job.prompt = Prompt::Tokens(tokens);
    let by_tokens = answer(&loaded.engine, job).await.text;
    let mut job = ask("", 8);
    job.prompt = Prompt::Raw("once upon".to_owned());
    assert_eq!(answer(&loaded.engine, job).await.text, by_tokens);
    let mut job = ask("", 8);
    job.prompt = Prompt::Tokens(vec![5, 1_000_000]);
    assert!(matches!(refusal(&loaded.engine, job).await, RuntimeError::Invalid(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_tool_is_called_with_arguments_of_its_schema() {
    let write = |file: &Path| tiny_model::write_family_gguf(file, Family::Qwen2, Precision::F16);
    let loaded = load_with(write, |_, _| {}).await.unwrap();
    let mut job = ask("weather", 400);
    job.tools = vec![ToolDefinition {
        name: "weather".to_owned(),
        description: "The weather of a town.".to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {"town": {"enum": ["Bonn", "Kyoto"]}},
            "required": ["town"],
            "additionalProperties": false,
        }),
    }];
    job.tool_choice = ToolChoice::Required;
    let answer = answer(&loaded.engine, job).await;
    assert_eq!(answer.end.finish, FinishReason::ToolCalls, "{answer:?}");
    assert_eq!(answer.calls[0].name, "weather");
    assert!(["Bonn", "Kyoto"].contains(&answer.calls[0].arguments["town"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adapter_changes_the_answer() {
    let plain = plain().await;
    let adapters = tempfile::tempdir().unwrap();
    let file = adapters.path().join("adapter.gguf");
    adapter::write_gguf(&file);
    let adapted =
        load_with(tiny_model::write_gguf, |_, files| files.settings.adapters = vec![file]).await.unwrap();
    let texts = [
        answer(&plain.engine, ask("hello", 16)).await.text,
        answer(&adapted.engine, ask("hello", 16)).await.text,
    ];
    assert_ne!(texts[0], texts[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoder_makes_vectors_that_do_not_depend_on_their_neighbours() {
    let write = |file: &Path| encoder::write_gguf(file, Head::Embedding { pooling: "mean", normalize: true });
    let loaded = load_with(write, |_, _| {}).await.unwrap();
    let texts = ["the cat sat", "rain falls on the sea", "law", &"dog ".repeat(500)];
    let inputs = |texts: &[&str]| texts.iter().map(|text| EmbedInput::Text((*text).to_owned())).collect();
    let together = loaded.engine.embed(EmbedJob { inputs: inputs(&texts), dimensions: None }).await.unwrap();
    assert_eq!((together.rows().count(), together.truncated.as_slice()), (4, &[3][..]));
    for (text, row) in texts.iter().zip(together.rows()) {
        let alone =
            loaded.engine.embed(EmbedJob { inputs: inputs(&[text]), dimensions: None }).await.unwrap();
        let cosine: f32 = row.iter().zip(&alone.values).map(|(a, b)| a * b).sum();
        assert!(cosine > 0.9999, "{text:?} {cosine}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reranker_judges_each_document_by_itself() {
    let loaded = load_with(|file| encoder::write_gguf(file, Head::Relevance), |_, _| {}).await.unwrap();
    let documents = ["the cat sat".to_owned(), "tax law".to_owned(), "rain falls ".repeat(100)];
    let scores = loaded.engine.rerank("the sea", &documents).await.unwrap();
    assert_eq!(scores.len(), 3);
    let alone = loaded.engine.rerank("the sea", &documents[1..2]).await.unwrap();
    assert!((alone[0] - scores[1]).abs() < 1e-3, "{alone:?} {scores:?}");
}

/// Whether the file at `path` is mapped into this process.
fn is_mapped(path: &Path) -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.contains(path.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_engine_frees_its_memory() {
    let loaded = plain().await;
    let file = loaded._folder.path().join("tiny.gguf").canonicalize().unwrap();
    assert!(loaded.engine.memory_bytes() > std::fs::metadata(&file).unwrap().len() / 2);
    assert!(is_mapped(&file));
    drop(loaded.engine);
    let freed = async {
        while is_mapped(&file) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), freed).await.expect("the weights are let go");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_refused() {
    let cut = |file: &Path| {
        tiny_model::write_gguf(file);
        let bytes = std::fs::read(file).unwrap();
        std::fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    };
    let error = load_with(cut, |_, _| {}).await.err().expect("it is refused");
    assert!(matches!(error, RuntimeError::LoadFailed { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_llama_cpp_would_end_the_process_over_is_refused() {
    let write = |file: &Path| {
        tiny_model::decoder::write_gguf_with_half_norms(file, Family::Llama, tiny_model::CONTEXT)
    };
    let error = load_with(write, |_, _| {}).await.err().expect("it is refused");
    assert!(format!("{error:?}").contains("norms and biases in F32"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_had_to_make_place_is_continued_from_where_it_was() {
    let write = |file: &Path| tiny_model::write_family_gguf(file, Family::Llama, Precision::F16);
    let one_place = |config: &mut Config, _: &mut ModelFiles| config.concurrent_chats = 1;
    let loaded = load_with(write, one_place).await.unwrap();
    let story = "once upon a time ".repeat(20);
    let first = answer(&loaded.engine, ask(&story, 8)).await;
    assert_eq!(first.end.cached_tokens, 0);
    // Another conversation takes the only place.
    let between = answer(&loaded.engine, ask(&"other words entirely ".repeat(20), 8)).await;
    assert!(between.end.cached_tokens < 40, "{:?}", between.end);
    let again = answer(&loaded.engine, ask(&story, 8)).await;
    assert_eq!(again.end.cached_tokens, again.end.usage.prompt_tokens - 1);
    assert_eq!(again.text, first.text);

    let forgetful = |config: &mut Config, _: &mut ModelFiles| {
        config.concurrent_chats = 1;
        config.llamacpp.kept_bytes = 0;
    };
    let loaded = load_with(write, forgetful).await.unwrap();
    let first = answer(&loaded.engine, ask(&story, 8)).await;
    answer(&loaded.engine, ask(&"other words entirely ".repeat(20), 8)).await;
    let again = answer(&loaded.engine, ask(&story, 8)).await;
    assert!(again.end.cached_tokens < 40, "{:?}", again.end);
    assert_eq!(again.text, first.text);
}
