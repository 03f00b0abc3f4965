//! Templates of Ollama's Modelfiles.

use anwen_dialogue::{CallStyle, ChatTemplate, RenderRequest, SpecialTokens, TemplateError, Think};
use serde_json::json;

use crate::support::{assistant, call, render, result, system, template, tools, user};

const LLAMA_3: &str = "{{ if .System }}<|start_header_id|>system<|end_header_id|>

{{ .System }}<|eot_id|>{{ end }}{{ if .Prompt }}<|start_header_id|>user<|end_header_id|>

{{ .Prompt }}<|eot_id|>{{ end }}<|start_header_id|>assistant<|end_header_id|>

{{ .Response }}<|eot_id|>";

const QWEN: &str = "{{- if or .System .Tools }}<|im_start|>system
{{ .System }}
{{- if .Tools }}
<tools>
{{- range .Tools }}
{\"type\": \"function\", \"function\": {{ .function }}}
{{- end }}
</tools> in <tool_call>
{{- end }}<|im_end|>
{{ end }}
{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 -}}
{{- if eq .Role \"user\" }}<|im_start|>user
{{ .Content }}<|im_end|>
{{ else if eq .Role \"assistant\" }}<|im_start|>assistant
{{ if .Content }}{{ .Content }}
{{- else if .ToolCalls }}<tool_call>
{{ range .ToolCalls }}{\"name\": \"{{ .Function.Name }}\", \"arguments\": {{ .Function.Arguments }}}
{{ end }}</tool_call>
{{- end }}{{ if not $last }}<|im_end|>
{{ end }}
{{- else if eq .Role \"tool\" }}<|im_start|>user
<tool_response>
{{ .Content }}
</tool_response><|im_end|>
{{ end }}
{{- if and (ne .Role \"assistant\") $last }}<|im_start|>assistant
{{ end }}
{{- end }}";

#[test]
fn a_template_of_single_exchanges_is_repeated_for_each() {
    let turns = [system("S"), user("Q"), assistant("A"), user("R")];
    assert_eq!(
        render(&template(LLAMA_3), &turns, &[], None),
        "<|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nQ<|eot_id|>\
         <|start_header_id|>assistant<|end_header_id|>\n\nA<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nR<|eot_id|>\
         <|start_header_id|>assistant<|end_header_id|>\n\n"
    );
    assert_eq!(
        render(
            &template("[INST] {{ .System }} {{ .Prompt }} [/INST]"),
            &[user("Q"), assistant("A"), user("R")],
            &[],
            None
        ),
        "[INST]  Q [/INST]A[INST]  R [/INST]"
    );
}

#[test]
fn a_template_of_messages_lists_tools_calls_and_results() {
    let turns = [system("S"), user("Q"), call(json!({"city": "Bonn"})), result("rain")];
    let template = template(QWEN);
    assert_eq!(
        render(&template, &turns, &tools()[1..], None),
        "<|im_start|>system\nS\n<tools>\n{\"type\": \"function\", \"function\": {\"name\":\"clock\",\"description\":\"The time\",\
         \"parameters\":{\"type\":\"object\",\"properties\":{}}}}\n</tools> in <tool_call><|im_end|>\n<|im_start|>user\nQ<|im_end|>\n\
         <|im_start|>assistant\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\":\"Bonn\"}}\n</tool_call><|im_end|>\n\
         <|im_start|>user\n<tool_response>\nrain\n</tool_response><|im_end|>\n<|im_start|>assistant\n"
    );
    let style = template.style();
    assert_eq!((style.calls, style.supports_tools, style.supports_system), (CallStyle::Hermes, true, true));
}

#[test]
fn each_feature_renders_as_in_go() {
    for (source, expected) in [
        ("{{ range .Messages }}{{ .Role }}: {{ .Content }}\n{{ end }}", "user: Q\n"),
        ("a  {{- /* nothing */ -}}  b{{ range .Messages }}{{ end }}", "ab"),
        ("{{ with .System }}s{{ . }}{{ else }}none{{ end }}{{ (index .Messages 0).Content }}", "!"),
        (
            "{{ $x := \"1\" }}{{ if true }}{{ $x = \"2\" }}{{ end }}{{ $x }}{{ range $m := .Messages }}{{ $m.Content }}{{ $.System }}{{ end }}",
            "2Q",
        ),
        ("{{ if and (gt (len .Messages) 0) (not .Tools) }}yes{{ else }}no{{ end }}", "yes"),
        ("{{ json .Messages }}{{ `raw` }}{{ len .Messages }}", "*"),
        (
            "{{ if .IsThinkSet }}{{ if .Think }}/think{{ else }}/no_think{{ end }}{{ end }}{{ range .Messages }}{{ .Content }}{{ end }}",
            "/thinkQ",
        ),
    ] {
        let parsed = ChatTemplate::parse(source, SpecialTokens::default());
        let prompt = parsed.and_then(|template| {
            let turns = [user("Q")];
            template.render(&RenderRequest {
                turns: &turns,
                tools: &[],
                think: Some(Think::On),
                now: time::OffsetDateTime::UNIX_EPOCH,
            })
        });
        match expected {
            "!" => assert!(matches!(prompt, Err(TemplateError::Syntax(_))), "{source}: {prompt:?}"),
            "*" => assert!(prompt.unwrap().ends_with("raw1"), "{source}"),
            _ => assert_eq!(prompt.unwrap_or_else(|error| error.to_string()), expected, "{source}"),
        }
    }
}

#[test]
fn what_is_not_supported_is_named() {
    for (source, word) in [
        ("{{ define \"x\" }}{{ .Prompt }}{{ end }}", "define"),
        ("{{ .Prompt | printf \"%s\" }}", "|"),
        ("{{ if .Prompt }}x", "no end"),
        ("{{ .Prompt }}{{ end }}", "end"),
        ("{{ .Prompt ", "no end"),
        ("{{ if .Prompt }}{{ printf .Prompt }}{{ end }}", ""),
    ] {
        let parsed = ChatTemplate::parse(source, SpecialTokens::default());
        if word.is_empty() {
            let turns = [user("Q")];
            let request = RenderRequest {
                turns: &turns,
                tools: &[],
                think: None,
                now: time::OffsetDateTime::UNIX_EPOCH,
            };
            let error = parsed.unwrap().render(&request).unwrap_err();
            assert!(error.to_string().contains("printf"), "{error}");
            continue;
        }
        let error = parsed.unwrap_err().to_string();
        assert!(error.contains(word), "{source}: {error}");
    }
}
