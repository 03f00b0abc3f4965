//! Prompts of each family, and what is done for templates that take less.

use anwen_dialogue::{CallStyle, ChatTemplate, Image, RenderRequest, Think, ThinkingStyle, Turn};
use serde_json::json;

use crate::families::*;
use crate::support::{assistant, call, render, result, system, template, tools, user};

#[test]
fn a_conversation_is_written_as_the_family_writes_it() {
    let turns = [system("S"), user("Q"), assistant("A"), user("R")];
    for (name, source, expected) in [
        (
            "llama 3",
            LLAMA_3,
            "<s><|start_header_id|>system<|end_header_id|>\n\nToday Date: 26 Jul 2024\n\nS<|eot_id|>\
             <|start_header_id|>user<|end_header_id|>\n\nQ<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nA<|eot_id|>\
             <|start_header_id|>user<|end_header_id|>\n\nR<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        ),
        (
            "qwen 2.5",
            QWEN_2_5,
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n\
             <|im_start|>user\nR<|im_end|>\n<|im_start|>assistant\n",
        ),
        (
            "qwen 3",
            QWEN_3,
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n\
             <|im_start|>user\nR<|im_end|>\n<|im_start|>assistant\n",
        ),
        (
            "gemma 2",
            GEMMA_2,
            "<s><start_of_turn>user\nS\n\nQ<end_of_turn>\n<start_of_turn>model\nA<end_of_turn>\n\
             <start_of_turn>user\nR<end_of_turn>\n<start_of_turn>model\n",
        ),
        (
            "gemma 3",
            GEMMA_3,
            "<s><start_of_turn>user\nS\n\nQ<end_of_turn>\n<start_of_turn>model\nA<end_of_turn>\n\
             <start_of_turn>user\nR<end_of_turn>\n<start_of_turn>model\n",
        ),
        (
            "phi 3",
            PHI_3,
            "<|system|>\nS<|end|>\n<|user|>\nQ<|end|>\n<|assistant|>\nA<|end|>\n<|user|>\nR<|end|>\n<|assistant|>\n",
        ),
        ("mistral v3", MISTRAL_V3, "<s>[INST] Q[/INST] A</s>[INST] S\n\nR[/INST]"),
        ("mistral v11", MISTRAL_ARGS, "<s>[SYSTEM_PROMPT]S[/SYSTEM_PROMPT][INST]Q[/INST]A</s>[INST]R[/INST]"),
        (
            "deepseek r1",
            DEEPSEEK_R1,
            "<s>S<｜User｜>Q<｜Assistant｜>A<｜end▁of▁sentence｜><｜User｜>R<｜Assistant｜><think>\n",
        ),
        (
            "gpt-oss",
            GPT_OSS,
            "<|start|>system<|message|>Current date: 2024-07-26\n\nReasoning: medium<|end|>\
             <|start|>developer<|message|># Instructions\n\nS<|end|><|start|>user<|message|>Q<|end|>\
             <|start|>assistant<|channel|>final<|message|>A<|end|><|start|>user<|message|>R<|end|><|start|>assistant",
        ),
        (
            "parts",
            PARTS_ONLY,
            "System: S<end_of_utterance>\nUser: Q<end_of_utterance>\nAssistant: A<end_of_utterance>\nUser: R<end_of_utterance>\nAssistant:",
        ),
    ] {
        assert_eq!(render(&template(source), &turns, &[], None), expected, "{name}");
    }
    let chatml = "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n\
                  <|im_start|>user\nR<|im_end|>\n<|im_start|>assistant\n";
    assert_eq!(render(&ChatTemplate::chatml(), &turns, &[], None), chatml);
}

#[test]
fn calls_and_results_are_written_as_the_family_writes_them() {
    let turns = [system("S"), user("Q"), call(json!({"city": "Bonn", "days": 2})), result("rain")];
    for (name, source, expected) in [
        (
            "llama 3",
            LLAMA_3,
            "{\"name\": \"weather\", \"parameters\": {\"city\": \"Bonn\", \"days\": 2}}<|eot_id|><|start_header_id|>ipython",
        ),
        (
            "qwen 2.5",
            QWEN_2_5,
            "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\", \"days\": 2}}\n</tool_call><|im_end|>\n<|im_start|>user\n<tool_response>\nrain\n</tool_response><|im_end|>\n",
        ),
        (
            "qwen 3",
            QWEN_3,
            "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\", \"days\": 2}}\n</tool_call><|im_end|>\n<|im_start|>user\n<tool_response>\nrain\n",
        ),
        (
            "mistral v3",
            MISTRAL_V3,
            "[TOOL_CALLS] [{\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\", \"days\": 2}, \"id\": \"abcdefghi\"}]</s>[TOOL_RESULTS] {\"content\": rain, \"call_id\": \"abcdefghi\"}",
        ),
        (
            "mistral v11",
            MISTRAL_ARGS,
            "[TOOL_CALLS]weather[ARGS]{\"city\": \"Bonn\", \"days\": 2}</s>[TOOL_RESULTS]rain",
        ),
        (
            "gpt-oss",
            GPT_OSS,
            "<|start|>assistant to=functions.weather<|channel|>commentary json<|message|>{\"city\": \"Bonn\", \"days\": 2}<|call|><|start|>functions.weather to=assistant<|channel|>commentary<|message|>\"rain\"<|end|>",
        ),
        (
            "qwen 3 coder",
            QWEN_3_CODER,
            "<tool_call>\n<function=weather>\n<parameter=city>\nBonn\n</parameter>\n<parameter=days>\n2\n</parameter>\n</function>\n</tool_call>",
        ),
        (
            "phi 4",
            PHI_4_MINI,
            "<|tool_call|>[{\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\", \"days\": 2}}]<|/tool_call|>",
        ),
    ] {
        let prompt = render(&template(source), &turns, &tools(), None);
        assert!(prompt.contains(expected), "{name}: {prompt}");
        assert!(prompt.contains("clock"), "the tools of {name}: {prompt}");
    }
}

#[test]
fn arguments_are_text_where_the_template_adds_them_to_text() {
    let turns = [user("Q"), call(json!({"city": "Bonn"})), result("rain")];
    // This one writes calls and lists no tools, so its tools are described in the system's text.
    let source =
        DEEPSEEK_R1.replace("{{ns.system_prompt}}", "{{ns.system_prompt}}{{ tools | tojson if tools }}");
    let prompt = render(&template(&source), &turns, &tools(), None);
    assert!(
        prompt.contains("<｜tool▁sep｜>weather\n```json\n{\"city\": \"Bonn\"}\n```<｜tool▁call▁end｜>"),
        "{prompt}"
    );
}

#[test]
fn tools_are_described_to_a_model_whose_template_knows_none() {
    let turns = [user("Q"), call(json!({"city": "Bonn"})), result("rain")];
    for (name, template) in
        [("gemma", template(GEMMA_2)), ("phi 3", template(PHI_3)), ("chatml", ChatTemplate::chatml())]
    {
        assert!(!template.style().supports_tools, "{name}");
        let prompt = render(&template, &turns, &tools(), None);
        for part in [
            "{\"name\": \"clock\", \"description\": \"The time\"",
            "{\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\"}}",
            "Result of the tool weather:\nrain",
        ] {
            assert!(prompt.contains(part), "{name}: {part} in {prompt}");
        }
    }
}

#[test]
fn turns_of_one_role_are_merged_where_the_template_wants_them_to_alternate() {
    let turns = [user("a"), user("b"), assistant("c"), assistant("d"), user("e")];
    assert_eq!(
        render(&template(GEMMA_2), &turns, &[], None),
        "<s><start_of_turn>user\na\n\nb<end_of_turn>\n<start_of_turn>model\nc\n\nd<end_of_turn>\n\
         <start_of_turn>user\ne<end_of_turn>\n<start_of_turn>model\n"
    );
}

#[test]
fn a_later_system_turn_goes_before_the_next_question_where_the_template_refuses_it() {
    let turns = [system("S"), user("a"), assistant("b"), system("T"), user("c")];
    let prompt = render(&template(MISTRAL_V3), &turns, &[], None);
    assert_eq!(prompt, "<s>[INST] S\n\na[/INST] b</s>[INST] T\n\nc[/INST]");
}

#[test]
fn pictures_stand_where_the_template_has_a_place_for_them() {
    let picture = Turn { images: vec![Image(bytes::Bytes::from_static(b"png"))], ..user("what?") };
    assert_eq!(
        render(&template(GEMMA_3), &[system("S"), picture.clone()], &[], None),
        "<s><start_of_turn>user\nS\n\n<start_of_image>what?<end_of_turn>\n<start_of_turn>model\n"
    );
    assert!(render(&template(PARTS_ONLY), &[picture], &[], None).contains("User:<image> what?"));
    assert!(template(GEMMA_3).takes_images() && !template(QWEN_3).takes_images());
}

#[test]
fn thinking_is_switched_as_the_family_switches_it() {
    let turns = [user("Q")];
    for (name, source, think, end) in [
        ("qwen 3", QWEN_3, None, "assistant\n"),
        ("qwen 3", QWEN_3, Some(Think::On), "assistant\n"),
        ("qwen 3", QWEN_3, Some(Think::Off), "assistant\n<think>\n\n</think>\n\n"),
        ("deepseek r1", DEEPSEEK_R1, None, "<｜Assistant｜><think>\n"),
        ("deepseek r1", DEEPSEEK_R1, Some(Think::Off), "<｜Assistant｜><think>\n\n</think>\n\n"),
        ("gemma", GEMMA_3, Some(Think::Off), "<start_of_turn>model\n"),
    ] {
        let prompt = render(&template(source), &turns, &[], think);
        assert!(prompt.ends_with(end), "{name} {think:?}: {prompt}");
    }
    for (think, effort) in
        [(None, "medium"), (Some(Think::Low), "low"), (Some(Think::High), "high"), (Some(Think::Off), "low")]
    {
        let prompt = render(&template(GPT_OSS), &turns, &[], think);
        assert!(prompt.contains(&format!("Reasoning: {effort}")), "{think:?}: {prompt}");
    }
}

#[test]
fn earlier_thinking_is_given_where_the_template_keeps_it() {
    let mut turns = [user("Q"), call(json!({"city": "Bonn"})), result("rain")];
    turns[1].thinking = Some("I ask".to_owned());
    let prompt = render(&template(QWEN_3), &turns, &tools(), None);
    assert!(prompt.contains("<think>\nI ask\n</think>\n\n<tool_call>"), "{prompt}");
    let prompt = render(&template(GPT_OSS), &turns, &tools(), None);
    assert!(prompt.contains("<|channel|>analysis<|message|>I ask<|end|>"), "{prompt}");
    turns[1].content = "Let me see".to_owned();
    render(&template(GPT_OSS), &turns, &tools(), None);
}

#[test]
fn what_a_template_supports_is_found_out() {
    for (name, source, calls, tools, thinking, system) in [
        ("llama 3", LLAMA_3, CallStyle::Llama, true, false, true),
        ("qwen 2.5", QWEN_2_5, CallStyle::Hermes, true, false, true),
        ("qwen 3", QWEN_3, CallStyle::Hermes, true, true, true),
        ("gemma 2", GEMMA_2, CallStyle::Json, false, false, false),
        ("gemma 3", GEMMA_3, CallStyle::Json, false, false, true),
        ("phi 3", PHI_3, CallStyle::Json, false, false, true),
        ("phi 4", PHI_4_MINI, CallStyle::Phi, true, false, true),
        ("mistral v3", MISTRAL_V3, CallStyle::MistralList, true, false, true),
        ("mistral v11", MISTRAL_ARGS, CallStyle::MistralArgs, true, true, true),
        ("deepseek r1", DEEPSEEK_R1, CallStyle::DeepSeek, false, true, true),
        ("gpt-oss", GPT_OSS, CallStyle::Channels, true, true, true),
        ("qwen 3 coder", QWEN_3_CODER, CallStyle::QwenXml, true, false, true),
    ] {
        let style = template(source).style();
        let found = (style.calls, style.supports_tools, style.supports_thinking, style.supports_system);
        assert_eq!(found, (calls, tools, thinking, system), "{name}");
    }
    assert_eq!(template(GPT_OSS).style().thinking, ThinkingStyle::Channels);
    assert!(template(DEEPSEEK_R1).style().starts_thinking.given(None));
    assert!(!template(DEEPSEEK_R1).style().starts_thinking.given(Some(Think::Off)));
    assert!(!template(QWEN_3).style().starts_thinking.given(None));
}

#[test]
fn the_same_request_gives_the_same_prompt() {
    let turns = [system("S"), user("Q"), call(json!({"z": 1, "a": 2})), result("r")];
    let template = template(QWEN_3);
    let request =
        RenderRequest { turns: &turns, tools: &tools(), think: None, now: time::OffsetDateTime::UNIX_EPOCH };
    assert_eq!(template.render(&request).unwrap(), template.render(&request).unwrap());
}
