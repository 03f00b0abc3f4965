//! Tools in requests: both interfaces describe them in the same shape.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::engine::{ToolCall, ToolDefinition};
use crate::error::RuntimeError;

/// Tools in one request.
const MAX_TOOLS: usize = 128;

/// `{"type": "function", "function": {"name", "description", "parameters"}}`.
#[derive(Deserialize)]
pub(super) struct Tool {
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    function: Option<Function>,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    parameters: Option<Value>,
}

/// What a client says that a model called earlier.
#[derive(Deserialize)]
pub(super) struct EarlierCall {
    #[serde(default)]
    id: Option<String>,
    function: EarlierFunction,
}

#[derive(Deserialize)]
struct EarlierFunction {
    name: String,
    /// OpenAI's clients send text that holds an object, Ollama's the object.
    #[serde(default)]
    arguments: Value,
}

/// The tools as engines take them.
pub(super) fn definitions(tools: Vec<Tool>) -> Result<Vec<ToolDefinition>, RuntimeError> {
    if tools.len() > MAX_TOOLS {
        return Err(RuntimeError::Invalid(format!("at most {MAX_TOOLS} tools")));
    }
    let mut definitions: Vec<ToolDefinition> = Vec::with_capacity(tools.len());
    for tool in tools {
        let definition = definition(tool)?;
        if definitions.iter().any(|known| known.name == definition.name) {
            return Err(RuntimeError::Invalid(format!("two tools are named {:?}", definition.name)));
        }
        definitions.push(definition);
    }
    Ok(definitions)
}

fn definition(tool: Tool) -> Result<ToolDefinition, RuntimeError> {
    if let Some(kind) = tool.r#type.filter(|kind| kind != "function") {
        return Err(RuntimeError::Invalid(format!(
            "tools of type {kind:?} are not offered here; use functions"
        )));
    }
    let Some(function) = tool.function.filter(|function| !function.name.is_empty()) else {
        return Err(RuntimeError::Invalid("a tool has no function with a name".to_owned()));
    };
    let parameters = match function.parameters {
        None | Some(Value::Null) => json!({"type": "object", "properties": {}}),
        Some(parameters @ Value::Object(_)) => parameters,
        Some(_) => {
            return Err(RuntimeError::Invalid(format!(
                "the parameters of the tool {:?} are no JSON schema",
                function.name
            )));
        }
    };
    Ok(ToolDefinition {
        name: function.name,
        description: function.description.unwrap_or_default(),
        parameters,
    })
}

impl EarlierCall {
    /// The call as engines take it; fails when its arguments are no JSON object.
    pub(super) fn into_call(self) -> Result<ToolCall, RuntimeError> {
        let EarlierFunction { name, arguments } = self.function;
        let arguments = match arguments {
            Value::Null => Value::Object(Map::new()),
            Value::String(text) if text.trim().is_empty() => Value::Object(Map::new()),
            Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::Null),
            other => other,
        };
        if !arguments.is_object() {
            return Err(RuntimeError::Invalid(format!(
                "the arguments of the earlier call of {name:?} are no JSON object"
            )));
        }
        Ok(ToolCall { id: self.id.unwrap_or_else(call_id), name, arguments })
    }
}

/// A name for a call that has none.
fn call_id() -> String {
    format!("call_{}", Uuid::new_v4().simple())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn defined(tools: Value) -> Result<Vec<ToolDefinition>, RuntimeError> {
        definitions(serde_json::from_value(tools).unwrap())
    }

    #[test]
    fn a_function_without_parameters_takes_an_empty_object() {
        let tools = defined(json!([{"type": "function", "function": {"name": "now"}}])).unwrap();
        assert_eq!(tools[0].parameters, json!({"type": "object", "properties": {}}));
    }

    #[test]
    fn what_is_no_function_or_stands_twice_is_refused() {
        for tools in [
            json!([{"type": "web_search"}]),
            json!([{"type": "function"}]),
            json!([{"type": "function", "function": {"name": "f", "parameters": 3}}]),
            json!([{"function": {"name": "f"}}, {"function": {"name": "f"}}]),
        ] {
            assert!(defined(tools.clone()).is_err(), "{tools}");
        }
    }

    #[test]
    fn arguments_come_as_text_or_object() {
        for (arguments, expected) in [
            (json!("{\"a\": 1}"), Some(json!({"a": 1}))),
            (json!({"a": 1}), Some(json!({"a": 1}))),
            (json!(""), Some(json!({}))),
            (json!("[1]"), None),
            (json!("{"), None),
        ] {
            let call: EarlierCall =
                serde_json::from_value(json!({"function": {"name": "f", "arguments": arguments}})).unwrap();
            assert_eq!(call.into_call().ok().map(|call| call.arguments), expected);
        }
    }
}
