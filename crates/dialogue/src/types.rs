//! What is said in a conversation, and how an answer may be constrained.

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    pub role: Role,
    pub content: String,
    /// Pictures that belong to the turn, in order.
    pub images: Vec<Image>,
    /// What the model thought before an earlier answer.
    pub thinking: Option<String>,
    /// The tools that an earlier answer called.
    pub tool_calls: Vec<ToolCall>,
    /// Of a tool's turn: the call that it answers.
    pub tool_call_id: Option<String>,
    /// Of a tool's turn: the tool's name.
    pub name: Option<String>,
}

impl Turn {
    /// A turn of text alone.
    pub fn text(role: Role, content: impl Into<String>) -> Self {
        Self {
            role,
            content: content.into(),
            images: Vec::new(),
            thinking: None,
            tool_calls: Vec::new(),
            tool_call_id: None,
            name: None,
        }
    }
}

/// A picture as it came: PNG, JPEG, WebP, GIF or BMP.
#[derive(Clone, PartialEq, Eq)]
pub struct Image(pub bytes::Bytes);

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({} bytes)", self.0.len())
    }
}

/// A tool that the model may call.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolDefinition {
    pub name: String,
    pub description: String,
    /// JSON schema of the arguments, an object.
    pub parameters: serde_json::Value,
}

/// A call that the model makes.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    /// A JSON object.
    pub arguments: serde_json::Value,
}

/// Whether tools are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// No tool is called.
    None,
    /// One at least is called.
    Required,
    /// This one is called.
    Named(String),
}

/// Who speaks a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    System,
    User,
    Assistant,
    Tool,
}

impl Role {
    /// The role of this name in the OpenAI and Ollama interfaces.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "system" | "developer" => Some(Self::System),
            "user" => Some(Self::User),
            "assistant" => Some(Self::Assistant),
            "tool" => Some(Self::Tool),
            _ => None,
        }
    }

    /// The role's name in both interfaces and in chat templates.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// What the answer must be.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum AnswerFormat {
    #[default]
    Text,
    /// Any JSON object.
    Json,
    /// JSON that a schema describes.
    JsonSchema(serde_json::Value),
    /// Text that a regular expression matches whole.
    Regex(String),
    /// Text of a grammar in Lark's notation.
    Lark(String),
}

/// Whether, and how much, a model thinks before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Think {
    Off,
    On,
    Low,
    Medium,
    High,
}
