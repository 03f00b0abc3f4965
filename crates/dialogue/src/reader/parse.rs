//! Calls from the text between their marks.

use serde_json::{Map, Value};

use crate::types::ToolDefinition;

pub(super) type Call = (String, Value);

/// Keys that families write arguments under.
const ARGUMENT_KEYS: [&str; 4] = ["arguments", "parameters", "args", "input"];
const NAME_KEYS: [&str; 3] = ["name", "tool_name", "tool"];

/// The calls that a marked text makes, in whichever form it is; `None` when it is no call of these tools.
pub(super) fn calls(text: &str, tools: &[ToolDefinition]) -> Option<Vec<Call>> {
    let text = text.trim();
    if text.starts_with("<function=") || text.starts_with("function=") {
        return functions(text, tools);
    }
    if text.contains("<｜tool▁sep｜>") {
        return separated(text, tools).map(|call| vec![call]);
    }
    if text.starts_with(['{', '[']) {
        return json_calls(text, tools);
    }
    if let Some(call) = bracketed(text, tools) {
        return Some(vec![call]);
    }
    keyed(text, tools).map(|call| vec![call])
}

/// One or more JSON objects, each a call, or lists of them.
pub(super) fn json_calls(text: &str, tools: &[ToolDefinition]) -> Option<Vec<Call>> {
    let mut calls = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let value = values.next()?.ok()?;
        let read = values.byte_offset();
        add_json(value, tools, &mut calls)?;
        rest = rest[read..].trim_start_matches(|character: char| {
            character.is_whitespace() || matches!(character, ';' | ',')
        });
    }
    Some(calls).filter(|calls| !calls.is_empty())
}

fn add_json(value: Value, tools: &[ToolDefinition], calls: &mut Vec<Call>) -> Option<()> {
    match value {
        Value::Array(items) => items.into_iter().try_for_each(|item| add_json(item, tools, calls)),
        Value::Object(mut object) => {
            if let Some(inner @ Value::Object(_)) = object.get("function") {
                return add_json(inner.clone(), tools, calls);
            }
            if let Some(inner @ (Value::Array(_) | Value::Object(_))) =
                object.remove("tool_calls").or_else(|| object.remove("tool_call"))
            {
                return add_json(inner, tools, calls);
            }
            let name = NAME_KEYS.iter().chain(&["function"]).find_map(|key| object.get(*key)?.as_str())?;
            let name = known(name, tools)?.name.clone();
            let arguments = ARGUMENT_KEYS.iter().find_map(|key| object.remove(*key));
            calls.push((name, as_object(arguments?)?));
            Some(())
        }
        _ => None,
    }
}

/// Arguments as an object; some models write them as JSON in a string.
fn as_object(arguments: Value) -> Option<Value> {
    match arguments {
        Value::Object(_) => Some(arguments),
        Value::Null => Some(Value::Object(Map::new())),
        Value::String(text) if text.trim().is_empty() => Some(Value::Object(Map::new())),
        Value::String(text) => serde_json::from_str(&text).ok().filter(Value::is_object),
        _ => None,
    }
}

/// Arguments of a call whose name stood elsewhere.
pub(super) fn named(name: &str, arguments: &str, tools: &[ToolDefinition]) -> Option<Call> {
    let name = known(name.trim(), tools)?.name.clone();
    let arguments = Value::String(arguments.trim().to_owned());
    Some((name, as_object(arguments)?))
}

fn known<'a>(name: &str, tools: &'a [ToolDefinition]) -> Option<&'a ToolDefinition> {
    let find = |name: &str| tools.iter().find(|tool| tool.name == name);
    find(name).or_else(|| find(name.strip_prefix("functions.")?))
}

/// `name[ARGS]{…}` and `name[CALL_ID]id[ARGS]{…}`; also `name{…}`.
fn bracketed(text: &str, tools: &[ToolDefinition]) -> Option<Call> {
    let (name, arguments) = match text.split_once("[ARGS]") {
        Some(parts) => parts,
        None => text.split_at(text.find('{')?),
    };
    let name = name.split("[CALL_ID]").next().unwrap_or(name);
    named(name, arguments, tools)
}

/// `function<｜tool▁sep｜>name` and a fenced object, or `name<｜tool▁sep｜>{…}`.
fn separated(text: &str, tools: &[ToolDefinition]) -> Option<Call> {
    let (before, after) = text.split_once("<｜tool▁sep｜>")?;
    let start = after.find('{')?;
    let arguments = after[start..].trim_end().trim_end_matches('`');
    let name = after[..start].trim().trim_end_matches("```json").trim();
    named(if name.is_empty() { before } else { name }, arguments, tools)
}

/// `<function=name><parameter=key>value</parameter>…</function>`, one or more; also `<function=name>{…}</function>`.
fn functions(text: &str, tools: &[ToolDefinition]) -> Option<Vec<Call>> {
    let mut calls = Vec::new();
    for part in text.split("function=").skip(1) {
        let (name, body) = part.split_once('>')?;
        let tool = known(name.trim().trim_matches('"'), tools)?;
        let body = body.rsplit_once("</function>").map_or(body, |(body, _)| body);
        if body.trim_start().starts_with('{') {
            calls.push((tool.name.clone(), as_object(Value::String(body.trim().to_owned()))?));
            continue;
        }
        let mut arguments = Map::new();
        for parameter in body.split("<parameter=").skip(1) {
            let (key, value) = parameter.split_once('>')?;
            let value = value.rsplit_once("</parameter>").map_or(value, |(value, _)| value);
            let key = key.trim().trim_matches('"');
            arguments.insert(key.to_owned(), typed(value, key, tool));
        }
        calls.push((tool.name.clone(), arguments.into()));
    }
    Some(calls).filter(|calls| !calls.is_empty())
}

/// `name<arg_key>key</arg_key><arg_value>value</arg_value>…`.
fn keyed(text: &str, tools: &[ToolDefinition]) -> Option<Call> {
    let (name, rest) = text.split_once("<arg_key>").map_or((text, ""), |(name, rest)| (name, rest));
    let tool = known(name.trim(), tools)?;
    let mut arguments = Map::new();
    for pair in rest.split("<arg_key>").filter(|pair| !pair.trim().is_empty()) {
        let (key, value) = pair.split_once("</arg_key>")?;
        let (_, value) = value.split_once("<arg_value>")?;
        let value = value.rsplit_once("</arg_value>").map_or(value, |(value, _)| value);
        arguments.insert(key.trim().to_owned(), typed(value, key.trim(), tool));
    }
    Some((tool.name.clone(), arguments.into()))
}

/// An argument that came as text, in the type that the tool's schema gives it.
fn typed(text: &str, key: &str, tool: &ToolDefinition) -> Value {
    let text = text.strip_prefix('\n').unwrap_or(text);
    let text = text.strip_suffix('\n').unwrap_or(text);
    let schema = &tool.parameters["properties"][key]["type"];
    let is_text =
        schema == "string" || schema.as_array().is_some_and(|types| types.iter().any(|one| one == "string"));
    if is_text {
        return text.into();
    }
    let python = match text.trim() {
        "True" => "true",
        "False" => "false",
        "None" => "null",
        other => other,
    };
    serde_json::from_str(python).unwrap_or_else(|_| text.into())
}
