//! The part of Go's template language that Ollama's Modelfiles use: fields, variables, `if`, `range`, `with`,
//! comparisons and trim marks. Anything else is an error that names it.

use serde_json::Value;

use super::TemplateError;
use super::go_parse::{Expression, Node, parse};

/// Longest prompt, and steps of a rendering.
const MAX_PROMPT_BYTES: usize = 64 * 1024 * 1024;
const MAX_STEPS: usize = 10_000_000;

/// A parsed template.
#[derive(Clone, Debug)]
pub(super) struct GoTemplate {
    nodes: Vec<Node>,
    by_messages: bool,
}

/// Whether `source` is written in Go's language and not in Jinja.
pub(super) fn is_go(source: &str) -> bool {
    const FIELDS: [&str; 4] = [".System", ".Prompt", ".Response", ".Messages"];
    !source.contains("{%")
        && source.split("{{").skip(1).any(|rest| {
            let action = rest.split("}}").next().unwrap_or_default();
            FIELDS.iter().any(|field| action.contains(field))
        })
}

impl GoTemplate {
    pub(super) fn parse(source: &str) -> Result<Self, TemplateError> {
        Ok(Self { nodes: parse(source)?, by_messages: source.contains(".Messages") })
    }

    /// The prompt for messages in the shape that Jinja's templates get them; `context` has `tools` and the wishes.
    pub(super) fn render(&self, messages: &[Value], context: &Value) -> Result<String, TemplateError> {
        let mut run = Run {
            root: Value::Null,
            variables: Vec::new(),
            out: String::new(),
            steps: 0,
            to_response: false,
        };
        if self.by_messages {
            run.root = whole(messages, context);
            run.nodes(&self.nodes, &run.root.clone())?;
            return Ok(run.out);
        }
        let mut exchange = Exchange::default();
        for message in messages {
            let content = text_of(message);
            match message["role"].as_str() {
                Some("system") => {
                    if exchange.prompt.is_some() || exchange.response.is_some() {
                        run.exchange(&self.nodes, &mut exchange)?;
                    }
                    exchange.system.get_or_insert_default().push_str(&content);
                }
                Some("assistant") => exchange.response.get_or_insert_default().push_str(&content),
                _ => {
                    if exchange.prompt.is_some() || exchange.response.is_some() {
                        run.exchange(&self.nodes, &mut exchange)?;
                    }
                    exchange.prompt = Some(content);
                }
            }
        }
        if exchange.response.is_some() {
            run.exchange(&self.nodes, &mut exchange)?;
        }
        run.to_response = true;
        run.exchange(&self.nodes, &mut exchange)?;
        Ok(run.out)
    }
}

/// One question and its answer, for templates that know no list of messages.
#[derive(Default)]
struct Exchange {
    system: Option<String>,
    prompt: Option<String>,
    response: Option<String>,
}

fn text_of(message: &Value) -> String {
    message["content"].as_str().unwrap_or_default().to_owned()
}

/// The variables of a template that lists messages.
fn whole(messages: &[Value], context: &Value) -> Value {
    let system: Vec<String> =
        messages.iter().filter(|message| message["role"] == "system").map(text_of).collect();
    let listed: Vec<Value> = messages.iter().map(message_for_go).collect();
    let effort = context["reasoning_effort"].as_str().unwrap_or_default();
    serde_json::json!({
        "System": system.join("\n\n"),
        "Messages": listed,
        "Tools": context["tools"],
        "Prompt": "",
        "Response": "",
        "Think": context["enable_thinking"].as_bool().unwrap_or_default(),
        "ThinkLevel": effort,
        "IsThinkSet": context["enable_thinking"].is_boolean(),
    })
}

fn message_for_go(message: &Value) -> Value {
    let calls = message["tool_calls"].as_array().into_iter().flatten().map(|call| {
        let function = &call["function"];
        serde_json::json!({
            "ID": call["id"], "Function": {"Name": function["name"], "Arguments": function["arguments"]},
        })
    });
    serde_json::json!({
        "Role": message["role"],
        "Content": text_of(message),
        "Thinking": message["reasoning_content"].as_str().or(message["thinking"].as_str()).unwrap_or_default(),
        "ToolCalls": calls.collect::<Vec<_>>(),
        "ToolName": message["name"].as_str().unwrap_or_default(),
        "ToolCallID": message["tool_call_id"].as_str().unwrap_or_default(),
    })
}

struct Run {
    root: Value,
    variables: Vec<(String, Value)>,
    out: String,
    steps: usize,
    /// The prompt ends where the answer would stand.
    to_response: bool,
}

/// Whether rendering goes on.
#[derive(PartialEq)]
enum Flow {
    On,
    Ended,
}

impl Run {
    fn exchange(&mut self, nodes: &[Node], exchange: &mut Exchange) -> Result<(), TemplateError> {
        let exchange = std::mem::take(exchange);
        self.root = serde_json::json!({
            "System": exchange.system.unwrap_or_default(),
            "Prompt": exchange.prompt.unwrap_or_default(),
            "Response": exchange.response.unwrap_or_default(),
        });
        let ended = self.nodes(nodes, &self.root.clone())?;
        // A template that does not say where the answer stands has it at its end.
        if ended == Flow::On && !self.to_response && !mentions_response(nodes) {
            let response = self.root["Response"].as_str().unwrap_or_default().to_owned();
            self.write(&response)?;
        }
        Ok(())
    }

    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow, TemplateError> {
        let variables = self.variables.len();
        for node in nodes {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return Err(TemplateError::Failed(format!("it takes more than {MAX_STEPS} steps")));
            }
            if self.node(node, dot)? == Flow::Ended {
                return Ok(Flow::Ended);
            }
        }
        self.variables.truncate(variables);
        Ok(Flow::On)
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Result<Flow, TemplateError> {
        match node {
            Node::Text(text) => self.write(text)?,
            Node::Print(expression) => {
                if self.to_response && is_response(expression) {
                    return Ok(Flow::Ended);
                }
                let value = self.value(expression, dot)?;
                self.write(&printed(&value))?;
            }
            Node::Set { name, expression, declares } => {
                let value = self.value(expression, dot)?;
                let known = self.variables.iter_mut().rev().find(|(known, _)| known == name);
                match known.filter(|_| !declares) {
                    Some((_, old)) => *old = value,
                    None => self.variables.push((name.clone(), value)),
                }
            }
            Node::If { condition, then, otherwise } => {
                let branch = if truth(&self.value(condition, dot)?) { then } else { otherwise };
                return self.nodes(branch, dot);
            }
            Node::With { value, then, otherwise } => {
                let value = self.value(value, dot)?;
                return if truth(&value) { self.nodes(then, &value) } else { self.nodes(otherwise, dot) };
            }
            Node::Range { key, item, list, body, otherwise } => {
                return self.range(key.as_deref(), item.as_deref(), list, (body, otherwise), dot);
            }
        }
        Ok(Flow::On)
    }

    fn range(
        &mut self,
        key: Option<&str>,
        item: Option<&str>,
        list: &Expression,
        (body, otherwise): (&[Node], &[Node]),
        dot: &Value,
    ) -> Result<Flow, TemplateError> {
        let pairs: Vec<(Value, Value)> = match self.value(list, dot)? {
            Value::Array(items) => {
                items.into_iter().enumerate().map(|(index, item)| (index.into(), item)).collect()
            }
            Value::Object(fields) => fields.into_iter().map(|(name, field)| (name.into(), field)).collect(),
            _ => Vec::new(),
        };
        if pairs.is_empty() {
            return self.nodes(otherwise, dot);
        }
        for (index, value) in pairs {
            let variables = self.variables.len();
            for (name, value) in [(key, index), (item, value.clone())] {
                if let Some(name) = name {
                    self.variables.push((name.to_owned(), value));
                }
            }
            if self.nodes(body, &value)? == Flow::Ended {
                return Ok(Flow::Ended);
            }
            self.variables.truncate(variables);
        }
        Ok(Flow::On)
    }

    fn write(&mut self, text: &str) -> Result<(), TemplateError> {
        if self.out.len() + text.len() > MAX_PROMPT_BYTES {
            return Err(TemplateError::PromptTooLong(MAX_PROMPT_BYTES));
        }
        self.out.push_str(text);
        Ok(())
    }

    fn value(&self, expression: &Expression, dot: &Value) -> Result<Value, TemplateError> {
        match expression {
            Expression::Literal(value) => Ok(value.clone()),
            Expression::Field(path) => Ok(field(dot, path)),
            Expression::Variable(name, path) if name.is_empty() => Ok(field(&self.root, path)),
            Expression::Variable(name, path) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                let (_, value) =
                    known.ok_or_else(|| TemplateError::Failed(format!("the variable ${name} is not set")))?;
                Ok(field(value, path))
            }
            Expression::Call(name, arguments) => {
                let values: Result<Vec<Value>, _> =
                    arguments.iter().map(|argument| self.value(argument, dot)).collect();
                call(name, &values?)
            }
        }
    }
}

fn field(value: &Value, path: &[String]) -> Value {
    path.iter().fold(value, |value, name| &value[name.as_str()]).clone()
}

fn call(name: &str, values: &[Value]) -> Result<Value, TemplateError> {
    let number = |index: usize| values.get(index).and_then(Value::as_f64);
    let compared = || number(0).zip(number(1));
    let result = match (name, values) {
        ("eq", [first, rest @ ..]) if !rest.is_empty() => rest.contains(first).into(),
        ("ne", [first, second]) => (first != second).into(),
        ("not", [value]) => (!truth(value)).into(),
        ("and", [.., last]) => values.iter().find(|value| !truth(value)).unwrap_or(last).clone(),
        ("or", [.., last]) => values.iter().find(|value| truth(value)).unwrap_or(last).clone(),
        ("len", [Value::Array(items)]) => items.len().into(),
        ("len", [Value::Object(fields)]) => fields.len().into(),
        ("len", [Value::String(text)]) => text.len().into(),
        ("len", [Value::Null]) => 0.into(),
        ("lt" | "le" | "gt" | "ge", [_, _]) => {
            let Some((first, second)) = compared() else { return Err(wrong(name)) };
            match name {
                "lt" => first < second,
                "le" => first <= second,
                "gt" => first > second,
                _ => first >= second,
            }
            .into()
        }
        ("slice", [Value::Array(items), from]) => items[index(from, items.len(), name)?..].into(),
        ("slice", [Value::Array(items), from, to]) => {
            let (from, to) = (index(from, items.len(), name)?, index(to, items.len(), name)?);
            items.get(from..to).ok_or_else(|| wrong(name))?.into()
        }
        ("index", [Value::Array(items), at]) => {
            items.get(index(at, items.len(), name)?).cloned().ok_or_else(|| wrong(name))?
        }
        ("index", [Value::Object(fields), Value::String(key)]) => {
            fields.get(key).cloned().unwrap_or_default()
        }
        ("json", [value]) => value.to_string().into(),
        _ => return Err(wrong(name)),
    };
    Ok(result)
}

fn index(value: &Value, length: usize, name: &str) -> Result<usize, TemplateError> {
    let index = value.as_u64().and_then(|index| usize::try_from(index).ok());
    index.filter(|index| *index <= length).ok_or_else(|| wrong(name))
}

fn wrong(name: &str) -> TemplateError {
    TemplateError::Failed(format!("the function {name} is not known, or not with such values"))
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is) => *is,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

fn printed(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_response(expression: &Expression) -> bool {
    matches!(expression, Expression::Field(path) | Expression::Variable(_, path) if path == &["Response"])
}

fn mentions_response(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| match node {
        Node::Print(expression) => is_response(expression),
        Node::If { then, otherwise, .. } | Node::With { then, otherwise, .. } => {
            mentions_response(then) || mentions_response(otherwise)
        }
        Node::Range { body, otherwise, .. } => mentions_response(body) || mentions_response(otherwise),
        Node::Text(_) | Node::Set { .. } => false,
    })
}
