//! Every family of language models in every format, through each engine that runs it.

use std::sync::Arc;

use anwen_model_runtime::Config;
use anwen_model_runtime::engine::load::load;
use anwen_model_runtime::engine::{
    AnswerFormat, ChatEvent, Engine, FinishReason, Overflow, Prompt, Role, Think, ToolChoice, ToolDefinition,
    Turn,
};
use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::models_made::{Format, answer, files_at, loaded, question, written};
use crate::tiny_model::{FAMILIES, Family, Precision, adapter};

const MISTRAL: [Format; 2] = [Format::Safetensors, Format::Gguf(Precision::F16, "mistralrs")];

fn weather() -> ToolDefinition {
    ToolDefinition {
        name: "weather".to_owned(),
        description: "The weather of a day.".to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {"day": {"type": "string", "enum": ["today", "tomorrow"]}},
            "required": ["day"],
            "additionalProperties": false,
        }),
    }
}

/// Answers of one family in all its formats.
async fn each_format(family: Family) {
    for format in Format::of(family) {
        let folder = tempfile::tempdir().unwrap();
        let engine = loaded(folder.path(), family, format).await;
        let said = answer(&engine, question("hello", 12)).await;
        let text = said.all_text();
        assert!(!text.is_empty(), "{family:?} {format:?}: {said:?}");
        assert!(
            text.chars().all(|character| character.is_ascii_lowercase()),
            "{family:?} {format:?}: {text:?}"
        );
        assert_eq!(said.end.finish, FinishReason::Length, "{family:?} {format:?}");
        assert_eq!(said.end.usage.completion_tokens, 12, "{family:?} {format:?}");
        assert!(said.end.usage.prompt_tokens > 5, "{family:?} {format:?}");
        let again = answer(&engine, question("hello", 12)).await;
        assert_eq!(again.all_text(), text, "{family:?} {format:?} is not deterministic");
        constrained(&engine, family, format).await;
        calls(&engine, family, format).await;
    }
}

async fn constrained(engine: &Arc<dyn Engine>, family: Family, format: Format) {
    let mut job = question("which?", 200);
    job.think = Some(Think::Off);
    job.format = AnswerFormat::JsonSchema(json!({
        "type": "object",
        "properties": {"ok": {"type": "boolean"}, "word": {"type": "string", "maxLength": 5}},
        "required": ["ok", "word"],
        "additionalProperties": false,
    }));
    let said = answer(engine, job).await;
    assert!(said.stopped(), "{family:?} {format:?}: {said:?}");
    let value: Value = serde_json::from_str(&said.text)
        .unwrap_or_else(|error| panic!("{family:?} {format:?}: {error} in {:?}", said.text));
    assert!(value["ok"].is_boolean() && value["word"].is_string(), "{family:?} {format:?}: {value}");
}

async fn calls(engine: &Arc<dyn Engine>, family: Family, format: Format) {
    let mut job = question("how is the weather?", 300);
    job.tools = vec![weather()];
    job.tool_choice = ToolChoice::Required;
    job.think = Some(Think::Off);
    let said = answer(engine, job).await;
    assert_eq!(said.end.finish, FinishReason::ToolCalls, "{family:?} {format:?}: {said:?}");
    assert_eq!(said.calls[0].name, "weather", "{family:?} {format:?}");
    assert!(["today", "tomorrow"].contains(&said.calls[0].arguments["day"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn llama_answers_follows_a_schema_and_calls_tools_in_every_format() {
    each_format(Family::Llama).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn qwen2_answers_follows_a_schema_and_calls_tools_in_every_format() {
    each_format(Family::Qwen2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn qwen3_answers_follows_a_schema_and_calls_tools_in_every_format() {
    each_format(Family::Qwen3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gemma3_answers_follows_a_schema_and_calls_tools_in_every_format() {
    each_format(Family::Gemma3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn phi3_answers_follows_a_schema_and_calls_tools_in_every_format() {
    each_format(Family::Phi3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistral_answers_follows_a_schema_and_calls_tools_in_every_format() {
    each_format(Family::Mistral).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deepseek_r1_answers_follows_a_schema_and_calls_tools_in_every_format() {
    each_format(Family::DeepSeekR1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_weights_say_the_same_in_folders_and_in_files_of_either_engine() {
    for family in FAMILIES {
        let mut said = Vec::new();
        let formats = Format::of(family).into_iter();
        for format in
            formats.filter(|format| !matches!(format, Format::Gguf(Precision::Q8_0 | Precision::Q4K, _)))
        {
            let folder = tempfile::tempdir().unwrap();
            let engine = loaded(folder.path(), family, format).await;
            let mut job = question("hello there", 6);
            job.think = Some(Think::Off);
            let answer = answer(&engine, job).await;
            said.push((format, answer.all_text(), answer.end.usage.prompt_tokens));
        }
        // Which tokens a prompt has depends on how each engine reads the vocabulary's spaces; where they agree, so do
        // the answers.
        let (_, first, tokens) = &said[0];
        for (format, text, prompt_tokens) in &said[1..] {
            if prompt_tokens == tokens {
                assert_eq!(text, first, "{family:?} {format:?} of {said:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_thinks_first_has_its_thinking_apart() {
    for format in MISTRAL {
        let folder = tempfile::tempdir().unwrap();
        let engine = loaded(folder.path(), Family::DeepSeekR1, format).await;
        let thinks = answer(&engine, question("why?", 8)).await;
        assert!(!thinks.thinking.is_empty() && thinks.text.is_empty(), "{format:?}: {thinks:?}");
        let mut job = question("why?", 8);
        job.think = Some(Think::Off);
        let answers = answer(&engine, job).await;
        assert!(answers.thinking.is_empty() && !answers.text.is_empty(), "{format:?}: {answers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_gives_the_same_answer_again_and_another_seed_another() {
    for format in MISTRAL {
        let folder = tempfile::tempdir().unwrap();
        let engine = loaded(folder.path(), Family::Llama, format).await;
        let with_seed = |seed: u64| {
            let mut job = question("tell me", 24);
            job.sampling.temperature = Some(2.0);
            job.sampling.seed = Some(seed);
            job
        };
        let first = answer(&engine, with_seed(1)).await.text;
        assert_eq!(answer(&engine, with_seed(1)).await.text, first, "{format:?}");
        assert_ne!(answer(&engine, with_seed(2)).await.text, first, "{format:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_token_comes_with_its_probability_and_the_likeliest_beside_it() {
    for format in MISTRAL {
        let folder = tempfile::tempdir().unwrap();
        let engine = loaded(folder.path(), Family::Llama, format).await;
        let mut job = question("hello", 9);
        job.logprobs = Some(3);
        let said = answer(&engine, job).await;
        assert_eq!(said.logprobs.len(), 9, "{format:?}");
        let bytes: Vec<u8> = said.logprobs.iter().flat_map(|token| token.bytes.clone()).collect();
        assert_eq!(String::from_utf8(bytes).unwrap(), said.text, "{format:?}");
        for token in &said.logprobs {
            assert!(token.logprob <= 0.0 && token.top.len() == 3, "{format:?}: {token:?}");
            assert_eq!(token.top[0], (token.bytes.clone(), token.logprob), "the most likely one was taken");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bias_changes_which_token_comes() {
    let folder = tempfile::tempdir().unwrap();
    let engine = loaded(folder.path(), Family::Llama, Format::Safetensors).await;
    let z = engine.tokenize("z").await.unwrap()[0];
    let mut job = question("hello", 5);
    job.sampling.logit_bias = vec![(z, 100.0)];
    assert_eq!(answer(&engine, job).await.text, "zzzzz");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_continued_like_the_text_that_they_are_of() {
    let folder = tempfile::tempdir().unwrap();
    let engine = loaded(folder.path(), Family::Qwen3, Format::Safetensors).await;
    let tokens = engine.tokenize("once upon").await.unwrap();
    let mut from_tokens = question("", 8);
    from_tokens.prompt = Prompt::Tokens(tokens);
    let mut from_text = question("", 8);
    from_text.prompt = Prompt::Raw("once upon".to_owned());
    assert_eq!(answer(&engine, from_tokens).await.text, answer(&engine, from_text).await.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_turns_go_when_they_may_and_the_end_says_how_many() {
    let folder = tempfile::tempdir().unwrap();
    let engine = loaded(folder.path(), Family::Llama, Format::Safetensors).await;
    let long = "x".repeat(engine.context_tokens().unwrap());
    let turns =
        [(Role::System, "kind"), (Role::User, long.as_str()), (Role::Assistant, "yes"), (Role::User, "and?")];
    let mut job = question("", 4);
    job.prompt = Prompt::Chat(turns.map(|(role, text)| Turn::text(role, text)).to_vec());
    assert!(engine.chat(job.clone()).await.is_err());
    job.overflow = Overflow::DropOldest;
    assert_eq!(answer(&engine, job).await.end.dropped_turns, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adapter_that_would_be_fetched_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let lora = folder.path().join("adapters/lora");
    adapter::write_folder(&lora);
    let path = written(folder.path(), Family::Llama, Format::Safetensors);
    let adapted = files_at(&path, |settings| settings.adapters = vec![lora]);
    let refused = load(&adapted, &Config::default()).await.err();
    assert!(refused.is_some_and(|error| format!("{error:?}").contains("llamacpp")));
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_are_quantised_while_they_are_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), Family::Qwen2, Format::Safetensors);
    for (name, works) in [("q8_0", true), ("q4_K_M", true), ("q99", false)] {
        let files = files_at(&path, |settings| settings.quantize_on_load = Some(name.to_owned()));
        match load(&files, &Config::default()).await {
            Ok(engine) => {
                assert!(works, "{name}");
                assert_eq!(answer(&engine, question("hello", 6)).await.end.usage.completion_tokens, 6);
            }
            Err(error) => assert!(!works, "{name}: {error:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_ends_the_generation() {
    for format in MISTRAL {
        let folder = tempfile::tempdir().unwrap();
        let engine = loaded(folder.path(), Family::Llama, format).await;
        let mut events = engine.chat(question("hello", 8000)).await.unwrap();
        assert!(matches!(events.next().await, Some(Ok(ChatEvent::Delta(_)))));
        drop(events);
        assert_eq!(answer(&engine, question("hello", 4)).await.end.usage.completion_tokens, 4, "{format:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_models_answer_at_once_and_nothing_holds_one_that_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let llama = loaded(folder.path(), Family::Llama, Format::Safetensors).await;
    let qwen = loaded(folder.path(), Family::Qwen3, Format::Gguf(Precision::Q8_0, "mistralrs")).await;
    let (first, second) =
        tokio::join!(answer(&llama, question("hello", 10)), answer(&qwen, question("hello", 10)));
    assert_ne!(first.text, second.text);
    let weights = Arc::downgrade(&llama);
    drop(llama);
    assert!(weights.upgrade().is_none());
    assert_eq!(answer(&qwen, question("hello", 4)).await.end.usage.completion_tokens, 4);
}
