//! A value that a JSON schema describes: the smallest that is easy to find.
//!
//! It is for answers of the scripted engine, whose form is all that matters. It knows the keywords that bind a value's
//! form; what it does not know (`pattern`, `not`) it leaves unheeded.

use serde_json::{Map, Value, json};

/// Schemas within schemas that are followed; deeper ones become `null`.
const MAX_DEPTH: usize = 24;
/// Items of a list at most, whatever `minItems` says.
const MAX_ITEMS: u64 = 64;

/// A value for `schema`.
pub(super) fn sample(schema: &Value) -> Value {
    sample_within(schema, schema, 0)
}

fn sample_within(schema: &Value, root: &Value, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return target.map_or(Value::Null, |target| sample_within(target, root, depth + 1));
    }
    if let Some(value) = schema.get("const") {
        return value.clone();
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        if let Some(choices) = schema[keyword].as_array().filter(|choices| !choices.is_empty()) {
            let choice = choices.iter().find(|choice| choice["type"] != "null").unwrap_or(&choices[0]);
            return sample_within(choice, root, depth + 1);
        }
    }
    match type_of(schema) {
        "object" => Value::Object(object(schema, root, depth)),
        "array" => {
            let count = schema["minItems"].as_u64().unwrap_or(1).min(MAX_ITEMS);
            (0..count).map(|_| sample_within(&schema["items"], root, depth + 1)).collect()
        }
        "integer" => json!(whole_number(schema)),
        "number" => json!(schema["minimum"].as_f64().unwrap_or(1.5)),
        "boolean" => json!(true),
        "null" => Value::Null,
        _ => json!(text(schema)),
    }
}

/// The schema's type; of several the first that is not `null`.
fn type_of(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(name) => name,
        Value::Array(names) => {
            names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or("null")
        }
        _ if schema.get("properties").is_some() => "object",
        _ => "string",
    }
}

/// What is required, or everything where nothing is.
fn object(schema: &Value, root: &Value, depth: usize) -> Map<String, Value> {
    let Some(properties) = schema["properties"].as_object() else { return Map::new() };
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    properties
        .iter()
        .filter(|(name, _)| required.is_empty() || required.contains(&name.as_str()))
        .map(|(name, schema)| (name.clone(), sample_within(schema, root, depth + 1)))
        .collect()
}

fn whole_number(schema: &Value) -> i64 {
    let least =
        schema["minimum"].as_i64().or_else(|| schema["exclusiveMinimum"].as_i64().map(|least| least + 1));
    let most = schema["maximum"].as_i64().unwrap_or(i64::MAX);
    least.unwrap_or(3).min(most)
}

fn text(schema: &Value) -> String {
    match schema["format"].as_str() {
        Some("date") => "2024-02-29".to_owned(),
        Some("date-time") => "2024-02-29T12:00:00Z".to_owned(),
        Some("uri") => "https://example.com/".to_owned(),
        Some("email") => "alpha@example.com".to_owned(),
        _ => {
            let least = usize::try_from(schema["minLength"].as_u64().unwrap_or(0)).unwrap_or(0).min(1024);
            let most =
                usize::try_from(schema["maxLength"].as_u64().unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
            "alpha".chars().cycle().take(least.max(5).min(most)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_have_the_form_that_the_schema_asks_for() {
        for (schema, expected) in [
            (json!({"type": "string"}), json!("alpha")),
            (json!({"type": "string", "maxLength": 2}), json!("al")),
            (json!({"type": "integer", "minimum": 7}), json!(7)),
            (json!({"type": ["null", "boolean"]}), json!(true)),
            (json!({"enum": ["b", "a"]}), json!("b")),
            (json!({"anyOf": [{"type": "null"}, {"const": 5}]}), json!(5)),
            (json!({"type": "array", "items": {"type": "null"}, "minItems": 2}), json!([null, null])),
            (
                json!({"type": "object", "required": ["a"],
                    "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"type": "string"}}, "$defs": {"A": {"type": "integer"}}}),
                json!({"a": 3}),
            ),
            (json!({"type": "object"}), json!({})),
        ] {
            assert_eq!(sample(&schema), expected, "{schema}");
        }
    }

    #[test]
    fn a_schema_that_holds_itself_ends() {
        let schema = json!({"type": "object", "properties": {"next": {"$ref": "#"}}});
        assert!(sample(&schema).is_object());
    }
}
