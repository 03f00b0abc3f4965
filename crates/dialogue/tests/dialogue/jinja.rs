//! What real templates use of Jinja and of Python.

use anwen_dialogue::{ChatTemplate, RenderRequest, SpecialTokens, TemplateError};

use crate::support::{assistant, render, system, template, tools, user};

#[test]
fn each_feature_that_templates_use_renders_as_in_python() {
    let turns = [system("S"), user("a</think>\n\nb"), assistant("it's"), user("last")];
    for (source, expected) in [
        (
            "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
            "4",
        ),
        ("{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{{ twice('ab') }}", "abab"),
        ("{{ messages[1:]|length }}{{ messages[-1].content }}{{ messages[:-1]|length }}", "3last3"),
        ("{% for m in messages[::-1] %}{{ m.role[0] }}{{ loop.index0 }}{% endfor %}", "u0a1u2s3"),
        ("{{ messages[1].content.split('</think>')[-1].lstrip('\\n') }}", "b"),
        ("{{ messages[1].content.split('</think>')[0].rstrip('\\n') }}", "a"),
        ("{{ 'yes' if messages[1].content.startswith('a<') and not 'x'.endswith('y') }}", "yes"),
        (
            "{{ foo is defined }} {{ messages is defined }} {{ none }} {{ tools is none }}",
            "False True None True",
        ),
        (
            "{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | list | length }}",
            "2",
        ),
        (
            "{{ messages | rejectattr('role', 'equalto', 'user') | map(attribute='role') | join(',') }}",
            "system,assistant",
        ),
        (
            "{{ {'a': [1, 2.5, true, none], 'é': \"<'>\"} | tojson }}",
            "{\"a\": [1, 2.5, true, null], \"é\": \"<'>\"}",
        ),
        (
            "{{ {'b': {}, 'a': [1]} | tojson(indent=4) }}",
            "{\n    \"b\": {},\n    \"a\": [\n        1\n    ]\n}",
        ),
        (
            "{{ {'b': 1, 'a': 2} | tojson(separators=(',', ':'), sort_keys=true, ensure_ascii=false) }}",
            "{\"a\":2,\"b\":1}",
        ),
        ("{{ {'a': ['it\\'s', 'x', 1, true, none]} }}", "{'a': [\"it's\", 'x', 1, True, None]}"),
        ("{{ 'x' ~ 1 ~ true | string }}", "x1True"),
        (
            "{% for m in messages %}{% if loop.index0 == 1 %}{% continue %}{% endif %}{% if loop.index0 == 3 %}{% break %}{% endif %}{{ m.role }}{% endfor %}",
            "systemassistant",
        ),
        ("{% for k, v in {'a': 1}.items() %}{{ k }}={{ v }}{% endfor %}{{ {'a': 1}.get('b', 2) }}", "a=12"),
        ("{% for k, v in {'a': 1}|items %}{{ k }}{{ v }}{% endfor %}", "a1"),
        (
            "{{ '  x '.strip() }}{{ 'ab'.upper() }}{{ 'Ab'.lower() }}{{ 'aXb'.replace('X', '-') }}{{ 'ab c'.title() }}",
            "xABaba-bAb C",
        ),
        (
            "{{ 'prefix-x'.removeprefix('prefix-') }}{{ 'x.y'.removesuffix('.y') }}{{ 'a=b=c'.partition('=')[2] }}{{ 'a b c'.rsplit(' ', 1)[0] }}",
            "xxb=ca b",
        ),
        ("{{ strftime_now('%d %b %Y') }}", "26 Jul 2024"),
        ("  {% if true %}\n  x\n  {% endif %}\ny", "  x\ny"),
        ("{% generation %}x{% endgeneration %}{%- generation -%} y {%- endgeneration -%}", "xy"),
        (
            "{{ messages[0].tool_calls is defined }}{{ 'tool_calls' in messages[0] }}{{ messages[0]['nothing'] }}",
            "FalseFalse",
        ),
        (
            "{{ messages[0].content is string }}{{ messages is iterable }}{{ messages[0] is mapping }}{{ messages is sequence }}",
            "TrueTrueTrueTrue",
        ),
        ("{% filter upper %}abc{% endfilter %}{% set x %}in{% endset %}{{ x }}", "ABCin"),
        (
            "{{ '%s-%d' | format('a', 3) }}{{ [3, 1] | sort | first }}{{ 'abc' | last }}{{ 'a,b' | replace(',', ';') }}",
            "a-31ca;b",
        ),
        ("{{ raise_exception is defined }}{{ 7 // 2 }}{{ 7 % 4 }}{{ range(3) | list }}", "True33[0, 1, 2]"),
        (
            "{{ (messages | last).content }}{{ messages | map(attribute='role') | unique | list | length }}",
            "last3",
        ),
        (
            "{{ 'a' if messages[0].role in ['system', 'x'] else 'b' }}{{ not (1 > 2) and 'q' not in 'abc' }}",
            "aTrue",
        ),
        ("{# nothing #}{{ bos_token + eos_token }}{{ add_generation_prompt }}", "<s></s>True"),
        (
            "{{ 'a\\nb\\n'.splitlines() | length }}{{ 'abc'.find('c') }}{{ ' '.join(['a', 'b']) }}{{ 'abcabc'.count('b') }}",
            "22a b2",
        ),
        ("{{ [1, 2] + [3] }}{{ 'x' * 3 }}{{ 'abc'[1:] }}{{ 'abc'[-1] }}", "[1, 2, 3]xxxbcc"),
        (
            "{{ documents is none }}{{ dict(a=1) | tojson }}{{ {'a': 1} | dictsort | list | length }}",
            "True{\"a\": 1}1",
        ),
    ] {
        // Shows the system's text of a short conversation, so that it is known to have a place for it.
        let source = format!("{source}{{{{ messages[0].content if messages|length < 3 }}}}");
        let rendered = template(&source).render(&RenderRequest {
            turns: &turns,
            tools: &[],
            think: None,
            now: time::macros::datetime!(2024-07-26 12:00 UTC),
        });
        assert_eq!(rendered.unwrap_or_else(|error| error.to_string()), expected, "{source}");
    }
}

#[test]
fn a_template_that_cannot_be_read_names_the_line() {
    let error = ChatTemplate::parse("ok\n{% if %}", SpecialTokens::default()).unwrap_err();
    assert!(matches!(&error, TemplateError::Syntax(text) if text.contains("line 2")), "{error}");
}

#[test]
fn what_a_template_raises_is_the_error() {
    let source = "{% if messages|length > 2 %}{{ raise_exception('at most two, please') }}{% endif %}x";
    let turns = [user("a"), assistant("b"), user("c")];
    let request =
        RenderRequest { turns: &turns, tools: &[], think: None, now: time::OffsetDateTime::UNIX_EPOCH };
    let error = template(source).render(&request).unwrap_err();
    assert!(matches!(&error, TemplateError::Refused(text) if text == "at most two, please"), "{error}");
}

#[test]
fn a_template_that_fails_says_where() {
    let turns = [user("a")];
    let request =
        RenderRequest { turns: &turns, tools: &[], think: None, now: time::OffsetDateTime::UNIX_EPOCH };
    let error = template("\n{{ foo.bar.baz }}").render(&request).unwrap_err();
    assert!(matches!(&error, TemplateError::Failed(text) if text.contains("line 2")), "{error}");
}

#[test]
fn a_template_that_writes_without_end_is_stopped() {
    let source = "{% for a in range(99999) %}{% for b in range(99999) %}{{ 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' * 1000 }}{% endfor %}{% endfor %}";
    let turns = [user("a")];
    let request =
        RenderRequest { turns: &turns, tools: &[], think: None, now: time::OffsetDateTime::UNIX_EPOCH };
    assert!(matches!(template(source).render(&request), Err(TemplateError::PromptTooLong(_))));
}

#[test]
fn an_empty_conversation_is_refused() {
    let request =
        RenderRequest { turns: &[], tools: &[], think: None, now: time::OffsetDateTime::UNIX_EPOCH };
    assert!(matches!(ChatTemplate::chatml().render(&request), Err(TemplateError::Empty)));
}

#[test]
fn a_tool_is_written_in_the_shape_of_openai() {
    let rendered = render(&template("{{ tools | tojson }}"), &[user("x")], &tools()[1..], None);
    let expected = "[{\"type\": \"function\", \"function\": {\"name\": \"clock\", \"description\": \"The time\", \
                    \"parameters\": {\"type\": \"object\", \"properties\": {}}}}]";
    assert_eq!(rendered, expected);
}
