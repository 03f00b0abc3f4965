//! The grammars of required calls, checked by the library that reads them.

use anwen_dialogue::{
    AnswerStyle, CallStyle, StartsThinking, Think, ToolChoice, ToolDefinition, ToolGrammar, tool_grammar,
};
use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::ApproximateTokEnv;
use llguidance::{Matcher, ParserFactory};
use serde_json::json;

use crate::support::{Reading, tools};

const STYLES: [CallStyle; 11] = [
    CallStyle::Hermes,
    CallStyle::Llama,
    CallStyle::MistralList,
    CallStyle::MistralArgs,
    CallStyle::DeepSeek,
    CallStyle::DeepSeekBare,
    CallStyle::Phi,
    CallStyle::QwenXml,
    CallStyle::Glm,
    CallStyle::Channels,
    CallStyle::Json,
];

fn style(calls: CallStyle) -> AnswerStyle {
    AnswerStyle { calls, ..AnswerStyle::default() }
}

/// Whether the grammar takes the whole text and could end there.
fn takes(grammar: &str, text: &str) -> bool {
    let tokens = ApproximateTokEnv::single_byte_env();
    let mut factory = ParserFactory::new_simple(&tokens).unwrap();
    factory.quiet();
    let mut matcher = Matcher::new(factory.create_parser(TopLevelGrammar::from_lark(grammar.to_owned())));
    assert!(!matcher.is_error(), "{:?} in {grammar}", matcher.get_error());
    let text: Vec<u32> = text.bytes().map(u32::from).collect();
    matcher.try_consume_tokens(&text).unwrap() == text.len() && matcher.is_accepting().unwrap()
}

/// A call as the grammar of a style wants it, without control tokens.
fn written(calls: CallStyle, name: &str, arguments: &str) -> String {
    match calls {
        CallStyle::Hermes => {
            format!("<tool_call>\n{{\"name\": \"{name}\", \"arguments\": {arguments}}}\n</tool_call>")
        }
        CallStyle::Llama => format!("{{\"name\": \"{name}\", \"parameters\": {arguments}}}"),
        CallStyle::MistralList | CallStyle::Phi => {
            format!("[{{\"name\": \"{name}\", \"arguments\": {arguments}}}]")
        }
        _ => format!("{{\"name\": \"{name}\", \"arguments\": {arguments}}}"),
    }
}

#[test]
fn a_grammar_takes_a_fitting_call_and_no_other_text() {
    for calls in STYLES {
        let grammar = tool_grammar(&tools(), &ToolChoice::Required, &style(calls)).unwrap();
        for (name, arguments, fits) in [
            ("weather", "{\"city\": \"Bonn\", \"days\": 3}", true),
            ("clock", "{}", true),
            ("weather", "{\"city\": 1}", false),
            ("weather", "{\"days\": 3}", false),
            ("unknown", "{}", false),
        ] {
            let text = written(calls, name, arguments);
            assert_eq!(takes(&grammar, &text), fits, "{calls:?} {text}\n{grammar}");
        }
        assert!(!takes(&grammar, "No."), "{calls:?}");
    }
}

#[test]
fn what_a_grammar_takes_is_read_as_the_call() {
    for calls in STYLES {
        let style = style(calls);
        let text = written(calls, "weather", "{\"city\": \"Bonn\"}");
        let reading = Reading { style: &style, stop: &[], tools: &tools(), think: None };
        assert_eq!(reading.read_every_cut(&text), ["! weather{\"city\":\"Bonn\"}"], "{calls:?}");
    }
}

#[test]
fn a_named_tool_is_the_only_one_that_can_be_called() {
    let choice = ToolChoice::Named("clock".to_owned());
    let grammar = tool_grammar(&tools(), &choice, &style(CallStyle::Json)).unwrap();
    assert!(takes(&grammar, "{\"name\": \"clock\", \"arguments\": {}}"));
    assert!(!takes(&grammar, "{\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\"}}"));
}

#[test]
fn there_is_no_grammar_where_no_call_is_required() {
    for choice in [ToolChoice::Auto, ToolChoice::None, ToolChoice::Named("unknown".to_owned())] {
        assert_eq!(tool_grammar(&tools(), &choice, &style(CallStyle::Hermes)), None, "{choice:?}");
    }
    assert_eq!(tool_grammar(&[], &ToolChoice::Required, &style(CallStyle::Hermes)), None);
}

#[test]
fn shared_definitions_of_a_schema_are_found() {
    let parameters = json!({
        "type": "object",
        "properties": {"at": {"$ref": "#/$defs/place"}},
        "required": ["at"],
        "$defs": {"place": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"], "additionalProperties": false}},
    });
    let tool = ToolDefinition { name: "go".into(), description: String::new(), parameters };
    for calls in [CallStyle::Hermes, CallStyle::Json] {
        let grammar =
            tool_grammar(std::slice::from_ref(&tool), &ToolChoice::Required, &style(calls)).unwrap();
        assert!(takes(&grammar, &written(calls, "go", "{\"at\": {\"x\": 1}}")), "{grammar}");
        assert!(!takes(&grammar, &written(calls, "go", "{\"at\": {\"x\": \"y\"}}")), "{grammar}");
    }
}

#[test]
fn a_model_inside_its_thinking_may_end_it_first() {
    let style = AnswerStyle {
        starts_thinking: StartsThinking { by_default: true, on: true, off: false },
        ..style(CallStyle::Json)
    };
    let required = ToolChoice::Required;
    let grammar = |think| {
        ToolGrammar { tools: &tools(), choice: &required, style: &style, think, token_id: &|_| None }
            .lark()
            .unwrap()
    };
    let call = "{\"name\": \"clock\", \"arguments\": {}}";
    assert!(takes(&grammar(None), &format!("I ask.\nYes.</think>\n\n{call}")));
    assert!(takes(&grammar(None), &format!("</think>{call}")));
    assert!(takes(&grammar(Some(Think::Off)), call));
    assert!(!takes(&grammar(Some(Think::Off)), &format!("I ask.</think>{call}")));
}

#[test]
fn control_tokens_are_named_by_their_ids() {
    let tokens = ApproximateTokEnv::single_byte_env();
    let mut factory = ParserFactory::new_simple(&tokens).unwrap();
    factory.quiet();
    for calls in STYLES {
        let style = style(calls);
        // Any id of the vocabulary stands for the family's control token.
        let grammar = ToolGrammar {
            tools: &tools(),
            choice: &ToolChoice::Required,
            style: &style,
            think: None,
            token_id: &|mark| (mark != "<tool_call>").then_some(256),
        };
        let lark = grammar.lark().unwrap();
        let mut matcher = Matcher::new(factory.create_parser(TopLevelGrammar::from_lark(lark.clone())));
        assert!(!matcher.is_error(), "{:?} in {lark}", matcher.get_error());
        let marked = matches!(
            calls,
            CallStyle::MistralList
                | CallStyle::MistralArgs
                | CallStyle::DeepSeek
                | CallStyle::DeepSeekBare
                | CallStyle::Phi
                | CallStyle::Channels
        );
        assert_eq!(matcher.try_consume_tokens(&[256]).unwrap() == 1, marked, "{calls:?}\n{lark}");
    }
}
