//! Answers of each family, read however they are cut.

use anwen_dialogue::{
    AnswerReader, AnswerStyle, CallStyle, Piece, StartsThinking, Think, ThinkingStyle, ToolDefinition,
};

use crate::support::{Reading, tools};

fn style(calls: CallStyle) -> AnswerStyle {
    let thinking = match calls {
        CallStyle::Channels => ThinkingStyle::Channels,
        CallStyle::MistralArgs => ThinkingStyle::Tags { open: "[THINK]".into(), close: "[/THINK]".into() },
        _ => ThinkingStyle::Tags { open: "<think>".into(), close: "</think>".into() },
    };
    AnswerStyle { calls, thinking, ..AnswerStyle::default() }
}

fn read(calls: CallStyle, text: &str) -> Vec<String> {
    read_with(&style(calls), &tools(), &[], None, text)
}

fn read_with(
    style: &AnswerStyle,
    tools: &[ToolDefinition],
    stop: &[&str],
    think: Option<Think>,
    text: &str,
) -> Vec<String> {
    Reading { style, stop, tools, think }.read_every_cut(text)
}

const BONN: &str = "! weather{\"city\":\"Bonn\"}";
const CLOCK: &str = "! clock{}";

#[test]
fn a_call_is_read_in_the_form_of_its_family() {
    use CallStyle::*;
    for (calls, text, expected) in [
        (
            Hermes,
            "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\"}}\n</tool_call>",
            vec![BONN],
        ),
        (
            Hermes,
            "Let me see.\n\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\"}}\n</tool_call>\n<tool_call>\n{\"name\": \"clock\", \"arguments\": {}}\n</tool_call>",
            vec!["t Let me see.", BONN, CLOCK],
        ),
        (
            Hermes,
            "<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\": \"</tool_call>\"}}</tool_call>",
            vec!["! weather{\"city\":\"</tool_call>\"}"],
        ),
        (
            Hermes,
            "<tool_call>{\"name\": \"weather\", \"arguments\": \"{\\\"city\\\": \\\"Bonn\\\"}\"}",
            vec![BONN],
        ),
        (
            Hermes,
            "<think>\nI ask.\n</think>\n\n<tool_call>{\"name\": \"clock\", \"arguments\": {}}</tool_call>",
            vec!["? I ask.", CLOCK],
        ),
        (
            Hermes,
            "<tool_call>{\"name\": \"clock\", \"arguments\": {}}</tool_call>\nDone.",
            vec![CLOCK, "t Done."],
        ),
        (Hermes, "{\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\"}}", vec![BONN]),
        (Llama, "{\"name\": \"weather\", \"parameters\": {\"city\": \"Bonn\"}}", vec![BONN]),
        (Llama, "<|python_tag|>{\"name\": \"weather\", \"parameters\": {\"city\": \"Bonn\"}}", vec![BONN]),
        (
            Llama,
            "{\"name\": \"weather\", \"parameters\": {\"city\": \"Bonn\"}}; {\"name\": \"clock\", \"parameters\": {}}",
            vec![BONN, CLOCK],
        ),
        (
            Llama,
            "{\"type\": \"function\", \"name\": \"weather\", \"parameters\": {\"city\": \"Bonn\"}}",
            vec![BONN],
        ),
        (
            MistralList,
            "[TOOL_CALLS] [{\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\"}}, {\"name\": \"clock\", \"arguments\": {}}]",
            vec![BONN, CLOCK],
        ),
        (
            MistralList,
            "[TOOL_CALLS][{\"arguments\": {\"city\": \"Bonn\"}, \"name\": \"weather\", \"id\": \"abcdefghi\"}]",
            vec![BONN],
        ),
        (
            MistralArgs,
            "[TOOL_CALLS]weather[ARGS]{\"city\": \"Bonn\"}[TOOL_CALLS]clock[ARGS]{}",
            vec![BONN, CLOCK],
        ),
        (
            MistralArgs,
            "[THINK]Hm.[/THINK]Yes.[TOOL_CALLS]weather[CALL_ID]abcdefghi[ARGS]{\"city\": \"Bonn\"}",
            vec!["? Hm.", "t Yes.", BONN],
        ),
        (
            DeepSeek,
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>weather\n```json\n{\"city\": \"Bonn\"}\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>clock\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            vec![BONN, CLOCK],
        ),
        (
            DeepSeekBare,
            "Ok.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>weather<｜tool▁sep｜>{\"city\": \"Bonn\"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            vec!["t Ok.", BONN],
        ),
        (
            Phi,
            "<|tool_call|>[{\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\"}}]<|/tool_call|>",
            vec![BONN],
        ),
        (
            Phi,
            "<|tool_call|>[{\"type\": \"function\", \"function\": {\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\"}}}]",
            vec![BONN],
        ),
        (
            QwenXml,
            "I look.\n<tool_call>\n<function=weather>\n<parameter=city>\nBonn\n</parameter>\n<parameter=days>\n2\n</parameter>\n</function>\n</tool_call>",
            vec!["t I look.", "! weather{\"city\":\"Bonn\",\"days\":2}"],
        ),
        (
            QwenXml,
            "<function=weather>\n<parameter=city>\n12\n</parameter>\n</function>\n</tool_call>",
            vec!["! weather{\"city\":\"12\"}"],
        ),
        (
            QwenXml,
            "<tool_call>\n<function=clock>\n</function>\n</tool_call>\n<tool_call>\n<function=clock>\n</function>\n</tool_call>",
            vec![CLOCK, CLOCK],
        ),
        (
            Glm,
            "<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>Bonn</arg_value>\n<arg_key>days</arg_key>\n<arg_value>2</arg_value>\n</tool_call>",
            vec!["! weather{\"city\":\"Bonn\",\"days\":2}"],
        ),
        (Json, "{\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\"}}", vec![BONN]),
        (
            Json,
            "I call it:\n```json\n{\n  \"name\": \"weather\",\n  \"arguments\": {\"city\": \"Bonn\"}\n}\n```\n",
            vec!["t I call it:", BONN],
        ),
        (
            Json,
            "Sure.\n{\"name\": \"clock\", \"arguments\": {}}\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\"}}",
            vec!["t Sure.", CLOCK, BONN],
        ),
        (Json, "```tool_call\n[{\"name\": \"clock\", \"arguments\": {}}]\n```", vec![CLOCK]),
        (Json, "{\"tool_calls\": [{\"name\": \"clock\", \"arguments\": {}}]}", vec![CLOCK]),
    ] {
        assert_eq!(read(calls, text), expected, "{calls:?} {text}");
    }
}

#[test]
fn what_is_no_call_of_a_tool_comes_out_as_text() {
    use CallStyle::*;
    for (calls, text) in [
        (Hermes, "<tool_call>\n{\"name\": \"unknown\", \"arguments\": {}}\n</tool_call>"),
        (Hermes, "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": }}\n</tool_call> and more"),
        (Hermes, "<tool_call>\n{\"name\": \"weather\", \"argum"),
        (Hermes, "Use the <tool_call> mark, as in <tool_call>x</tool_call>."),
        (Hermes, "{\"name\": \"weather\"} is an object"),
        (Hermes, "{\"answer\": [1, {\"name\": \"weather\", \"arguments\": {}}]}"),
        (Hermes, "a\n{\"name\": \"weather\", \"arguments\": {}}"),
        (Llama, "<|python_tag|>print(1)"),
        (MistralList, "[TOOL_CALLS] nothing"),
        (MistralList, "[1, 2, 3] is a list. [See]({\"name\": 1})"),
        (MistralArgs, "[TOOL_CALLS]unknown[ARGS]{\"a\": 1}"),
        (DeepSeekBare, "<｜tool▁call▁begin｜>unknown<｜tool▁sep｜>{}<｜tool▁call▁end｜>"),
        (QwenXml, "<function=unknown>\n<parameter=a>\n1\n</parameter>\n</function>"),
        (Json, "```json\n{\"name\": \"Bob\", \"age\": 3}\n```\nThat is the object."),
        (Json, "```rust\nfn main() {}\n```\n"),
        (
            Json,
            "{\n  \"name\": \"Bob\",\n  \"list\": [\n    {\"name\": \"weather\", \"arguments\": {}}\n  ]\n}",
        ),
        (Json, "```"),
        (Json, "{"),
        (Json, "a { b } [c]\n- `x`\n"),
    ] {
        assert_eq!(read(calls, text), vec![format!("t {text}")], "{calls:?} {text}");
    }
}

#[test]
fn calls_are_text_where_no_tools_were_given() {
    let text = "<tool_call>{\"name\": \"weather\", \"arguments\": {}}</tool_call>";
    assert_eq!(read_with(&style(CallStyle::Hermes), &[], &[], None, text), vec![format!("t {text}")]);
}

#[test]
fn thinking_is_told_from_the_answer() {
    let plain = style(CallStyle::Hermes);
    let inside = AnswerStyle {
        starts_thinking: StartsThinking { by_default: true, on: true, off: false },
        ..plain.clone()
    };
    for (style, think, text, expected) in [
        (&plain, None, "<think>\na\nb\n</think>\n\nYes.", vec!["? a\nb", "t Yes."]),
        (&plain, None, "\n<think>a</think>Yes.", vec!["? a", "t Yes."]),
        (&plain, None, "Yes, <think>no</think>.", vec!["t Yes, <think>no</think>."]),
        (&plain, None, "<think>never ends \n", vec!["? never ends"]),
        (&plain, None, "<thin ice", vec!["t <thin ice"]),
        (&plain, None, "<thi", vec!["t <thi"]),
        (&plain, Some(Think::Off), "<think>\n\n</think>\n\nYes.", vec!["t Yes."]),
        (&plain, Some(Think::Off), "</think>\n\nYes.", vec!["t Yes."]),
        (&plain, None, "  Yes.\n", vec!["t   Yes.\n"]),
        (&inside, None, "a < b </thin\n</think>\nYes.", vec!["? a < b </thin", "t Yes."]),
        (&inside, None, "<think>\na</think>Yes.", vec!["? a", "t Yes."]),
        (&inside, None, "never ends", vec!["? never ends"]),
        (&inside, None, "</think>Yes.", vec!["t Yes."]),
        (&inside, Some(Think::Off), "Yes.", vec!["t Yes."]),
        (&inside, Some(Think::On), "a</think>Yes.", vec!["? a", "t Yes."]),
    ] {
        for tools in [vec![], tools()] {
            assert_eq!(read_with(style, &tools, &[], think, text), expected, "{think:?} {text:?}");
        }
    }
}

#[test]
fn the_channels_of_gpt_oss_are_told_apart() {
    for (text, expected) in [
        (
            "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>",
            vec!["? Hm.", "t Yes."],
        ),
        ("<|channel|>final<|message|>Yes < no.", vec!["t Yes < no."]),
        (
            "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{\"city\": \"Bonn\"}<|call|>",
            vec!["? Hm.", BONN],
        ),
        (
            "<|channel|>commentary<|message|>I look.<|end|><|start|>assistant to=functions.clock<|channel|>commentary json<|message|>{}",
            vec!["t I look.", CLOCK],
        ),
        (" to=functions.clock<|channel|>commentary<|message|>{}", vec![CLOCK]),
        ("<|channel|>commentary to=functions.unknown<|message|>{\"a\": 1}<|call|>", vec!["t {\"a\": 1}"]),
        ("Without any mark.", vec!["t Without any mark."]),
        ("to be or not", vec!["t to be or not"]),
        ("<|channel|>analysis<|message|>never ends", vec!["? never ends"]),
    ] {
        assert_eq!(read(CallStyle::Channels, text), expected, "{text}");
    }
}

#[test]
fn a_stop_sequence_ends_the_text_and_not_the_thinking() {
    let style = style(CallStyle::Hermes);
    for (stop, text, expected) in [
        (["END"], "<think>END</think>a END b", vec!["? END", "t a "]),
        (["\n\n"], "<think>\n\n</think>\n\na\n\nb", vec!["t a"]),
        (["END"], "a EN", vec!["t a EN"]),
        (
            ["END"],
            "a EN<tool_call>{\"name\": \"clock\", \"arguments\": {}}</tool_call>b END",
            vec!["t a EN", CLOCK, "t b "],
        ),
        (
            ["city"],
            "<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\"}}</tool_call>",
            vec![BONN],
        ),
    ] {
        assert_eq!(read_with(&style, &tools(), &stop, None, text), expected, "{stop:?} {text}");
    }
}

#[test]
fn the_end_of_a_turn_that_is_written_as_text_ends_the_answer() {
    let style = AnswerStyle { turn_ends: vec!["<|im_end|>".into()], ..style(CallStyle::Hermes) };
    let mut reader = AnswerReader::new(&style, Vec::new(), &tools(), None);
    assert_eq!(reader.push("Yes.<|im_end|>\n<|im_start|>user"), [Piece::Text("Yes.".into())]);
    assert!(reader.stopped());
    assert_eq!(reader.push("more"), []);
    assert_eq!(reader.finish(), []);
}

#[test]
fn text_is_passed_on_as_soon_as_it_can_be_nothing_else() {
    let mut reader = AnswerReader::new(&style(CallStyle::Hermes), vec!["END".into()], &tools(), None);
    for (pushed, passed) in [
        ("<b>", "<b>"),
        (" x", " x"),
        ("<tool_", ""),
        ("box>", "<tool_box>"),
        (" \n", ""),
        ("y E", " \ny "),
        ("u", "Eu"),
        ("{\"name\"", "{\"name\""),
        ("<tool_call>", ""),
        (" is", "<tool_call> is"),
    ] {
        let expected: Vec<Piece> = if passed.is_empty() { vec![] } else { vec![Piece::Text(passed.into())] };
        assert_eq!(reader.push(pushed), expected, "{pushed:?}");
    }
}

#[test]
fn ids_are_unlike_each_other_or_the_callers() {
    let text = "<tool_call>{\"name\": \"clock\", \"arguments\": {}}</tool_call>".repeat(2);
    let ids = |mut reader: AnswerReader| -> Vec<String> {
        let pieces = reader.push(&text).into_iter();
        pieces
            .filter_map(|piece| if let Piece::ToolCall(call) = piece { Some(call.id) } else { None })
            .collect()
    };
    let reader = || AnswerReader::new(&style(CallStyle::Hermes), Vec::new(), &tools(), None);
    let random = ids(reader());
    assert!(random[0] != random[1] && random.iter().all(|id| id.starts_with("call_")), "{random:?}");
    let mut count = 0;
    let counted = reader().with_ids(move || {
        count += 1;
        format!("call_{count}")
    });
    assert_eq!(ids(counted), ["call_1", "call_2"]);
}

#[test]
fn nothing_is_lost_of_any_text_without_calls() {
    let marks = [
        "<tool_call>",
        "</tool_call>",
        "[TOOL_CALLS]",
        "{",
        "}",
        "[",
        "]",
        "```",
        "json",
        "\n",
        " ",
        "\"name\"",
        ":",
        "<function=",
        "x",
        "\"",
        "é",
    ];
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..300 {
        let mut text = String::from("a");
        for _ in 0..12 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.push_str(marks[usize::try_from(state % marks.len() as u64).unwrap()]);
        }
        for calls in [CallStyle::Hermes, CallStyle::Json, CallStyle::QwenXml, CallStyle::Phi] {
            let shown = read(calls, &text).concat();
            let kept =
                if calls == CallStyle::QwenXml { text.replace("</tool_call>", "") } else { text.clone() };
            if calls == CallStyle::QwenXml {
                let bare =
                    |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
                assert_eq!(bare(&shown), format!("t{}", bare(&kept)), "{calls:?} {text}");
            } else {
                assert_eq!(shown, format!("t {kept}"), "{calls:?} {text}");
            }
        }
    }
}
