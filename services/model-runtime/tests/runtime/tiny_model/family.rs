//! The families of language models, and what sets them apart: shape, vocabulary, chat template.

use serde_json::{Value, json};

use super::vocabulary::{Kind, Scheme};

/// A family of language models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// A Llama with the simplest of templates, `<s>role: text</s>`.
    Plain,
    Llama,
    Qwen2,
    Qwen3,
    Gemma3,
    Phi3,
    Mistral,
    /// DeepSeek-R1 distilled into Qwen2's shape.
    DeepSeekR1,
}

/// The families that are claimed.
pub const FAMILIES: [Family; 7] = [
    Family::Llama,
    Family::Qwen2,
    Family::Qwen3,
    Family::Gemma3,
    Family::Phi3,
    Family::Mistral,
    Family::DeepSeekR1,
];

impl Family {
    /// As file names have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gemma3 => "gemma3",
            Self::Phi3 => "phi3",
            Self::Mistral => "mistral",
            Self::DeepSeekR1 => "deepseek-r1",
        }
    }

    /// `general.architecture` of GGUF files.
    pub fn gguf_architecture(self) -> &'static str {
        match self {
            Self::Plain | Self::Llama | Self::Mistral => "llama",
            Self::Qwen2 | Self::DeepSeekR1 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gemma3 => "gemma3",
            Self::Phi3 => "phi3",
        }
    }

    /// `architectures` and `model_type` of `config.json`.
    pub fn hugging_face_architecture(self) -> (&'static str, &'static str) {
        match self {
            Self::Plain | Self::Llama => ("LlamaForCausalLM", "llama"),
            Self::Qwen2 | Self::DeepSeekR1 => ("Qwen2ForCausalLM", "qwen2"),
            Self::Qwen3 => ("Qwen3ForCausalLM", "qwen3"),
            Self::Gemma3 => ("Gemma3ForCausalLM", "gemma3_text"),
            Self::Phi3 => ("Phi3ForCausalLM", "phi3"),
            Self::Mistral => ("MistralForCausalLM", "mistral"),
        }
    }

    /// What `config.json` says beyond what all families say.
    pub fn own_config(self, head: usize, context: usize) -> Value {
        match self {
            Self::Plain | Self::Llama => json!({}),
            Self::Qwen2 | Self::DeepSeekR1 => json!({"sliding_window": null, "use_sliding_window": false}),
            Self::Qwen3 => json!({
                "head_dim": head, "max_window_layers": 0, "use_sliding_window": false, "sliding_window": null,
            }),
            Self::Gemma3 => json!({
                "head_dim": head, "query_pre_attn_scalar": head, "sliding_window": GEMMA_WINDOW,
                "hidden_activation": "gelu_pytorch_tanh", "rope_local_base_freq": 10000.0,
                "attn_logit_softcapping": null, "final_logit_softcapping": null,
            }),
            Self::Phi3 => json!({
                "original_max_position_embeddings": context, "sliding_window": null, "rope_scaling": null,
            }),
            Self::Mistral => json!({"head_dim": head, "sliding_window": null}),
        }
    }

    pub fn scheme(self) -> Scheme {
        match self {
            Self::Plain | Self::Llama => Scheme::ByteLevel("llama-bpe"),
            Self::Qwen2 | Self::Qwen3 => Scheme::ByteLevel("qwen2"),
            Self::DeepSeekR1 => Scheme::ByteLevel("deepseek-r1-qwen"),
            Self::Gemma3 => Scheme::SentencePiece { space_in_front: false },
            Self::Phi3 | Self::Mistral => Scheme::SentencePiece { space_in_front: true },
        }
    }

    /// The tokens that begin a text and end an answer.
    pub fn begin_and_end(self) -> (&'static str, &'static str) {
        match self {
            Self::Plain | Self::Mistral => ("<s>", "</s>"),
            Self::Llama => ("<|begin_of_text|>", "<|eot_id|>"),
            Self::Qwen2 | Self::Qwen3 => ("<|endoftext|>", "<|im_end|>"),
            Self::Gemma3 => ("<bos>", "<end_of_turn>"),
            Self::Phi3 => ("<s>", "<|end|>"),
            Self::DeepSeekR1 => ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"),
        }
    }

    pub fn special_tokens(self) -> Vec<(&'static str, Kind)> {
        let control = |texts: &[&'static str]| texts.iter().map(|text| (*text, Kind::Control)).collect();
        let with = |texts: &[&'static str], more: &[&'static str]| -> Vec<(&'static str, Kind)> {
            let controls: Vec<(&'static str, Kind)> = control(texts);
            controls.into_iter().chain(more.iter().map(|text| (*text, Kind::UserDefined))).collect()
        };
        let fill = [
            "<|endoftext|>",
            "<|im_start|>",
            "<|im_end|>",
            "<|fim_prefix|>",
            "<|fim_middle|>",
            "<|fim_suffix|>",
        ];
        match self {
            Self::Plain => control(&["<s>", "</s>"]),
            Self::Llama => control(&[
                "<|begin_of_text|>",
                "<|end_of_text|>",
                "<|start_header_id|>",
                "<|end_header_id|>",
                "<|eom_id|>",
                "<|eot_id|>",
                "<|python_tag|>",
            ]),
            Self::Qwen2 => with(&fill, &["<tool_call>", "</tool_call>"]),
            Self::Qwen3 => with(
                &fill,
                &[
                    "<tool_call>",
                    "</tool_call>",
                    "<tool_response>",
                    "</tool_response>",
                    "<think>",
                    "</think>",
                ],
            ),
            Self::DeepSeekR1 => with(
                &["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"],
                &[
                    "<think>",
                    "</think>",
                    "<｜tool▁calls▁begin｜>",
                    "<｜tool▁calls▁end｜>",
                    "<｜tool▁call▁begin｜>",
                    "<｜tool▁call▁end｜>",
                    "<｜tool▁outputs▁begin｜>",
                    "<｜tool▁outputs▁end｜>",
                    "<｜tool▁output▁begin｜>",
                    "<｜tool▁output▁end｜>",
                    "<｜tool▁sep｜>",
                ],
            ),
            Self::Gemma3 => {
                let mut tokens = control(&[
                    "<pad>",
                    "<eos>",
                    "<bos>",
                    "<unk>",
                    "<start_of_turn>",
                    "<end_of_turn>",
                    "<start_of_image>",
                    "<end_of_image>",
                    "<image_soft_token>",
                ]);
                tokens[3].1 = Kind::Unknown;
                tokens
            }
            Self::Phi3 => {
                let mut tokens = control(&[
                    "<unk>",
                    "<s>",
                    "</s>",
                    "<|endoftext|>",
                    "<|assistant|>",
                    "<|system|>",
                    "<|end|>",
                    "<|user|>",
                ]);
                tokens[0].1 = Kind::Unknown;
                tokens
            }
            Self::Mistral => {
                let mut tokens = control(&[
                    "<unk>",
                    "<s>",
                    "</s>",
                    "[INST]",
                    "[/INST]",
                    "[TOOL_CALLS]",
                    "[AVAILABLE_TOOLS]",
                    "[/AVAILABLE_TOOLS]",
                    "[TOOL_RESULTS]",
                    "[/TOOL_RESULTS]",
                ]);
                tokens[0].1 = Kind::Unknown;
                tokens
            }
        }
    }

    /// The chat template, in the family's format as short as it can be with its tools and its thinking.
    pub fn template(self) -> &'static str {
        match self {
            Self::Plain => include_str!("templates/plain.jinja"),
            Self::Llama => include_str!("templates/llama.jinja"),
            Self::Qwen2 => include_str!("templates/qwen2.jinja"),
            Self::Qwen3 => include_str!("templates/qwen3.jinja"),
            Self::Gemma3 => include_str!("templates/gemma3.jinja"),
            Self::Phi3 => include_str!("templates/phi3.jinja"),
            Self::Mistral => include_str!("templates/mistral.jinja"),
            Self::DeepSeekR1 => include_str!("templates/deepseek-r1.jinja"),
        }
        .trim_end()
    }
}

/// Tokens back that Gemma's local layers look at.
pub const GEMMA_WINDOW: usize = 512;
