//! Jobs as bodies of OpenAI's interface.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::engine::{
    AnswerFormat, ChatJob, EmbedInput, EmbedJob, Image, Prompt, Role, Sampling, Think, ToolCall, ToolChoice,
    ToolDefinition, Turn,
};
use crate::error::RuntimeError;

/// The route and the body for a job; `model` is the server's own name.
pub fn chat_body(model: &str, job: &ChatJob) -> Result<(&'static str, Value), RuntimeError> {
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(model));
    body.insert("stream".to_owned(), json!(true));
    body.insert("stream_options".to_owned(), json!({"include_usage": true}));
    put_sampling(&mut body, &job.sampling);
    put_format(&mut body, &job.format)?;
    let path = match &job.prompt {
        Prompt::Chat(turns) => {
            body.insert("messages".to_owned(), turns.iter().map(message).collect());
            put_tools(&mut body, &job.tools, &job.tool_choice);
            if let Some(think) = job.think {
                put_think(&mut body, think);
            }
            if let Some(top) = job.logprobs {
                body.insert("logprobs".to_owned(), json!(true));
                body.insert("top_logprobs".to_owned(), json!(top));
            }
            "chat/completions"
        }
        prompt => {
            match prompt {
                Prompt::Raw(text) => body.insert("prompt".to_owned(), json!(text)),
                Prompt::Tokens(tokens) => body.insert("prompt".to_owned(), json!(tokens)),
                Prompt::Infill { prefix, suffix } => {
                    body.insert("suffix".to_owned(), json!(suffix));
                    body.insert("prompt".to_owned(), json!(prefix))
                }
                Prompt::Chat(_) => None,
            };
            if job.logprobs.is_some() {
                return Err(RuntimeError::Invalid(
                    "logprobs of a text completion are not passed on to this model; use a chat".to_owned(),
                ));
            }
            "completions"
        }
    };
    Ok((path, Value::Object(body)))
}

fn put_sampling(body: &mut Map<String, Value>, sampling: &Sampling) {
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    };
    put("max_tokens", sampling.max_tokens.map(Value::from));
    put("temperature", sampling.temperature.map(Value::from));
    put("top_p", sampling.top_p.map(Value::from));
    put("frequency_penalty", sampling.frequency_penalty.map(Value::from));
    put("presence_penalty", sampling.presence_penalty.map(Value::from));
    put("seed", sampling.seed.map(Value::from));
    put("stop", (!sampling.stop.is_empty()).then(|| json!(sampling.stop)));
    let bias: Map<String, Value> =
        sampling.logit_bias.iter().map(|(token, bias)| (token.to_string(), json!(bias))).collect();
    put("logit_bias", (!bias.is_empty()).then_some(Value::Object(bias)));
    // Not OpenAI's own, but taken by the servers that people run themselves (vLLM, llama.cpp, SGLang).
    put("top_k", sampling.top_k.map(Value::from));
    put("min_p", sampling.min_p.map(Value::from));
    put("typical_p", sampling.typical_p.map(Value::from));
    put("repetition_penalty", sampling.repetition_penalty.map(Value::from));
    put("repeat_last_n", sampling.repeat_last_n.map(Value::from));
}

fn put_format(body: &mut Map<String, Value>, format: &AnswerFormat) -> Result<(), RuntimeError> {
    let (name, value) = match format {
        AnswerFormat::Text => return Ok(()),
        AnswerFormat::Json => ("response_format", json!({"type": "json_object"})),
        AnswerFormat::JsonSchema(schema) => (
            "response_format",
            json!({"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": schema}}),
        ),
        AnswerFormat::Regex(_) | AnswerFormat::Lark(_) => {
            return Err(RuntimeError::Invalid(
                "a regular expression or grammar is not passed on to a model of another server; use a JSON schema"
                    .to_owned(),
            ));
        }
    };
    body.insert(name.to_owned(), value);
    Ok(())
}

fn put_tools(body: &mut Map<String, Value>, tools: &[ToolDefinition], choice: &ToolChoice) {
    if tools.is_empty() {
        return;
    }
    let function = |tool: &ToolDefinition| {
        json!({"type": "function", "function": {
            "name": tool.name, "description": tool.description, "parameters": tool.parameters,
        }})
    };
    body.insert("tools".to_owned(), tools.iter().map(function).collect());
    let choice = match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Named(name) => json!({"type": "function", "function": {"name": name}}),
    };
    body.insert("tool_choice".to_owned(), choice);
}

/// Servers have no common field for thinking: levels are OpenAI's `reasoning_effort`, the switch is the argument of the
/// chat templates that know one (Qwen3 and others).
fn put_think(body: &mut Map<String, Value>, think: Think) {
    let effort = match think {
        Think::Low => Some("low"),
        Think::Medium => Some("medium"),
        Think::High => Some("high"),
        Think::On | Think::Off => None,
    };
    if let Some(effort) = effort {
        body.insert("reasoning_effort".to_owned(), json!(effort));
    }
    body.insert("chat_template_kwargs".to_owned(), json!({"enable_thinking": think != Think::Off}));
}

fn message(turn: &Turn) -> Value {
    let mut message = json!({"role": turn.role.as_str()});
    message["content"] = if turn.images.is_empty() {
        json!(turn.content)
    } else {
        let text = json!({"type": "text", "text": turn.content});
        let images = turn
            .images
            .iter()
            .map(|image| json!({"type": "image_url", "image_url": {"url": data_url(image)}}));
        std::iter::once(text).chain(images).collect()
    };
    if !turn.tool_calls.is_empty() {
        message["tool_calls"] = turn.tool_calls.iter().map(tool_call).collect();
    }
    if let Some(thinking) = &turn.thinking {
        message["reasoning_content"] = json!(thinking);
    }
    if turn.role == Role::Tool {
        message["tool_call_id"] = json!(turn.tool_call_id.as_deref().unwrap_or_default());
        if let Some(name) = &turn.name {
            message["name"] = json!(name);
        }
    }
    message
}

/// Arguments are a text that holds JSON, as OpenAI has them.
fn tool_call(call: &ToolCall) -> Value {
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments.to_string()}})
}

fn data_url(image: &Image) -> String {
    let kind = match &image.0[..] {
        [0x89, b'P', b'N', b'G', ..] => "png",
        [b'G', b'I', b'F', ..] => "gif",
        [b'B', b'M', ..] => "bmp",
        [b'R', b'I', b'F', b'F', ..] => "webp",
        _ => "jpeg",
    };
    format!("data:image/{kind};base64,{}", STANDARD.encode(&image.0))
}

/// The body of an embedding request. Texts and tokens may not be mixed.
pub fn embed_body(model: &str, job: &EmbedJob) -> Result<Value, RuntimeError> {
    let texts: Vec<&String> = job
        .inputs
        .iter()
        .filter_map(|input| match input {
            EmbedInput::Text(text) => Some(text),
            EmbedInput::Tokens(_) => None,
        })
        .collect();
    let tokens: Vec<&Vec<u32>> = job
        .inputs
        .iter()
        .filter_map(|input| match input {
            EmbedInput::Tokens(tokens) => Some(tokens),
            EmbedInput::Text(_) => None,
        })
        .collect();
    let input = match (texts.is_empty(), tokens.is_empty()) {
        (_, true) => json!(texts),
        (true, false) => json!(tokens),
        (false, false) => {
            return Err(RuntimeError::Invalid(
                "texts and tokens cannot be embedded in one request".to_owned(),
            ));
        }
    };
    let mut body = json!({"model": model, "input": input, "encoding_format": "float"});
    if let Some(dimensions) = job.dimensions {
        body["dimensions"] = json!(dimensions);
    }
    Ok(body)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_with_tools_and_a_picture_is_written_as_openai_reads_it() {
        let mut seen = Turn::text(Role::User, "what is this?");
        seen.images.push(Image(bytes::Bytes::from_static(b"\x89PNG...")));
        let mut called = Turn::text(Role::Assistant, "");
        called.tool_calls.push(ToolCall { id: "c1".into(), name: "look".into(), arguments: json!({"x": 1}) });
        let mut told = Turn::text(Role::Tool, "a cat");
        told.tool_call_id = Some("c1".into());
        let mut job = ChatJob::new(Prompt::Chat(vec![seen, called, told]));
        job.tools = vec![ToolDefinition {
            name: "look".into(),
            description: "looks".into(),
            parameters: json!({"type": "object"}),
        }];
        job.tool_choice = ToolChoice::Named("look".into());
        job.sampling = Sampling { seed: Some(7), stop: vec!["END".into()], ..Sampling::default() };
        let (path, body) = chat_body("there", &job).unwrap();
        assert_eq!(path, "chat/completions");
        assert_eq!(
            body,
            json!({
                "model": "there", "stream": true, "stream_options": {"include_usage": true},
                "seed": 7, "stop": ["END"],
                "messages": [
                    {"role": "user", "content": [
                        {"type": "text", "text": "what is this?"},
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORy4uLg=="}},
                    ]},
                    {"role": "assistant", "content": "", "tool_calls": [
                        {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{\"x\":1}"}},
                    ]},
                    {"role": "tool", "content": "a cat", "tool_call_id": "c1"},
                ],
                "tools": [{"type": "function", "function": {
                    "name": "look", "description": "looks", "parameters": {"type": "object"},
                }}],
                "tool_choice": {"type": "function", "function": {"name": "look"}},
            })
        );
    }

    #[test]
    fn what_cannot_be_passed_on_is_refused() {
        let mut grammar = ChatJob::new(Prompt::Raw("x".into()));
        grammar.format = AnswerFormat::Regex("a+".into());
        assert!(chat_body("m", &grammar).is_err());
        let mut probable = ChatJob::new(Prompt::Raw("x".into()));
        probable.logprobs = Some(0);
        assert!(chat_body("m", &probable).is_err());
        let inputs = vec![EmbedInput::Text("x".into()), EmbedInput::Tokens(vec![1])];
        assert!(embed_body("m", &EmbedJob { inputs, dimensions: None }).is_err());
    }
}
