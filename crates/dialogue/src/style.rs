//! How a family of models marks its thinking and its tool calls, read from the chat template's text.

use crate::types::Think;

/// How answers of a model are to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerStyle {
    pub thinking: ThinkingStyle,
    pub calls: CallStyle,
    /// The template lists tools by itself. Where it does not, the prompt describes them in the system's text.
    pub supports_tools: bool,
    /// The family marks its thinking.
    pub supports_thinking: bool,
    /// The template has a place for the system's text. Where it has none, the text goes before the first question.
    pub supports_system: bool,
    /// Whether the prompt ends inside a thinking block.
    pub starts_thinking: StartsThinking,
    /// Texts that end a turn in this family. They end the answer when the model writes them, as it does when a file
    /// names another end token.
    pub turn_ends: Vec<String>,
}

/// How thinking is told from the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThinkingStyle {
    /// Text between two marks, before the answer.
    Tags { open: String, close: String },
    /// Channels of gpt-oss: `analysis` is thinking, `commentary` calls tools, `final` is the answer.
    Channels,
}

/// How a call of a tool is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallStyle {
    /// `<tool_call>{"name": …, "arguments": …}</tool_call>`: Hermes, Qwen 2.5, Qwen 3.
    Hermes,
    /// `{"name": …, "parameters": …}`, after `<|python_tag|>` or bare: Llama 3.
    Llama,
    /// `[TOOL_CALLS][{"name": …, "arguments": …}]`: Mistral up to its seventh tokenizer.
    MistralList,
    /// `[TOOL_CALLS]name[ARGS]{…}`: Mistral since its eleventh.
    MistralArgs,
    /// `<｜tool▁call▁begin｜>function<｜tool▁sep｜>name` and a fenced JSON object: DeepSeek R1 and V3.
    DeepSeek,
    /// `<｜tool▁call▁begin｜>name<｜tool▁sep｜>{…}`: DeepSeek V3.1.
    DeepSeekBare,
    /// `<|tool_call|>[{"name": …, "arguments": …}]<|/tool_call|>`: Phi 4, Granite.
    Phi,
    /// `<function=name><parameter=key>value</parameter></function>` in `<tool_call>`: Qwen 3 Coder.
    QwenXml,
    /// `<tool_call>name<arg_key>key</arg_key><arg_value>value</arg_value></tool_call>`: GLM 4.5.
    Glm,
    /// `commentary to=functions.name … {…}`: gpt-oss.
    Channels,
    /// A bare or fenced JSON object: what is asked of models whose template knows no tools.
    Json,
}

/// Whether the prompt opens the thinking block, so that the answer starts inside it, by what was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StartsThinking {
    /// When nothing was asked for.
    pub by_default: bool,
    pub on: bool,
    pub off: bool,
}

impl StartsThinking {
    /// For a request with this wish.
    pub fn given(self, think: Option<Think>) -> bool {
        match think {
            None => self.by_default,
            Some(Think::Off) => self.off,
            Some(_) => self.on,
        }
    }
}

const THINKING_TAGS: [(&str, &str); 7] = [
    ("<think>", "</think>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<seed:think>", "</seed:think>"),
    ("◁think▷", "◁/think▷"),
    ("<reasoning>", "</reasoning>"),
    ("<thought>", "</thought>"),
];

const TURN_ENDS: [&str; 7] = [
    "<|im_end|>",
    "<|eot_id|>",
    "<end_of_turn>",
    "<|end|>",
    "<｜end▁of▁sentence｜>",
    "<|end_of_text|>",
    "<|endoftext|>",
];

impl Default for AnswerStyle {
    /// Of a model that is known by nothing.
    fn default() -> Self {
        Self {
            thinking: tags(THINKING_TAGS[0]),
            calls: CallStyle::Json,
            supports_tools: false,
            supports_thinking: false,
            supports_system: true,
            starts_thinking: StartsThinking::default(),
            turn_ends: Vec::new(),
        }
    }
}

impl AnswerStyle {
    /// What a template's text tells; what only a rendering shows stays at its default.
    pub(crate) fn of_text(source: &str) -> Self {
        let channels = source.contains("<|channel|>") && source.contains("<|message|>");
        let marks =
            THINKING_TAGS.iter().find(|(open, close)| source.contains(open) || source.contains(close));
        let thinking = match marks {
            _ if channels => ThinkingStyle::Channels,
            Some(marks) => tags(*marks),
            // Read even so where an answer begins with it: many files carry a template of the wrong family.
            None => tags(THINKING_TAGS[0]),
        };
        let turn_ends = TURN_ENDS.iter().filter(|end| !channels && source.contains(**end));
        Self {
            thinking,
            calls: if channels { CallStyle::Channels } else { call_style(source) },
            supports_thinking: channels || marks.is_some(),
            turn_ends: turn_ends.map(|end| (*end).to_owned()).collect(),
            ..Self::default()
        }
    }

    /// The texts that this style is read by. Tokenizers hold some of them as control tokens: an engine shows those
    /// tokens' text to the reader, and no other control token's.
    pub fn markers(&self) -> Vec<&str> {
        let mut markers: Vec<&str> = match &self.thinking {
            ThinkingStyle::Tags { open, close } => vec![open, close],
            ThinkingStyle::Channels => vec![
                "<|start|>",
                "<|channel|>",
                "<|constrain|>",
                "<|message|>",
                "<|end|>",
                "<|call|>",
                "<|return|>",
            ],
        };
        markers.extend_from_slice(match self.calls {
            CallStyle::Hermes => &["<tool_call>", "</tool_call>"],
            CallStyle::Llama => &["<|python_tag|>"],
            CallStyle::MistralList => &["[TOOL_CALLS]"],
            CallStyle::MistralArgs => &["[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"],
            CallStyle::DeepSeek | CallStyle::DeepSeekBare => &[
                "<｜tool▁calls▁begin｜>",
                "<｜tool▁call▁begin｜>",
                "<｜tool▁sep｜>",
                "<｜tool▁call▁end｜>",
                "<｜tool▁calls▁end｜>",
            ],
            CallStyle::Phi => &["<|tool_call|>", "<|/tool_call|>"],
            CallStyle::QwenXml => &["<tool_call>", "</tool_call>", "<function=", "</function>"],
            CallStyle::Glm => {
                &["<tool_call>", "</tool_call>", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"]
            }
            CallStyle::Channels | CallStyle::Json => &[],
        });
        markers
    }
}

fn tags((open, close): (&str, &str)) -> ThinkingStyle {
    ThinkingStyle::Tags { open: open.to_owned(), close: close.to_owned() }
}

fn call_style(source: &str) -> CallStyle {
    let has = |text: &str| source.contains(text);
    if has("[TOOL_CALLS]") {
        return if has("[ARGS]") { CallStyle::MistralArgs } else { CallStyle::MistralList };
    }
    if has("<｜tool▁call▁begin｜>") {
        return if has("```json") { CallStyle::DeepSeek } else { CallStyle::DeepSeekBare };
    }
    if has("<function=") && has("<parameter=") {
        return CallStyle::QwenXml;
    }
    if has("<arg_key>") {
        return CallStyle::Glm;
    }
    if has("<|tool_call|>") {
        return CallStyle::Phi;
    }
    if has("<tool_call>") {
        return CallStyle::Hermes;
    }
    if has("<|python_tag|>") || (has("<|start_header_id|>") && has("parameters")) {
        return CallStyle::Llama;
    }
    CallStyle::Json
}
