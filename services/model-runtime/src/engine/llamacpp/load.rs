//! Loading a model in the thread that will run it.

use std::sync::Arc;

use anwen_contract::model::ModelCapabilities;
use anwen_dialogue::{AnswerStyle, ChatTemplate, SpecialTokens};
use anwen_models::ModelSettings;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::model::{LlamaLoraAdapter, LlamaModel};
use tokio::sync::{mpsc, oneshot};

use super::backend;
use super::encoder::{EncodeOrder, EncoderWorker};
use super::generation::Generation;
use super::kept::Kept;
use super::options::{self, LoadOptions, Purpose, Sizes};
use super::sequences::{Sequences, Token};
use super::vocabulary::{Frame, Vocabulary};
use super::worker::Worker;
use crate::error::RuntimeError;

/// Orders that may wait in front of the thread; the queue in front of the model is bounded by itself.
const ORDER_CAPACITY: usize = 64;
/// How much of a model's influence an adapter has.
const ADAPTER_SCALE: f32 = 1.0;

/// The way into a model's thread.
pub enum Orders {
    Generate(mpsc::Sender<Generation>),
    Encode(mpsc::Sender<EncodeOrder>),
}

/// A loaded model, for those who ask it.
pub struct Loaded {
    pub name: String,
    pub vocabulary: Arc<Vocabulary>,
    pub template: ChatTemplate,
    /// How answers to the template's prompts are read.
    pub style: AnswerStyle,
    pub settings: ModelSettings,
    pub purpose: Purpose,
    /// Tokens of one conversation or text.
    pub context_tokens: usize,
    /// Numbers in a vector.
    pub dimensions: usize,
    pub memory_bytes: u64,
    pub orders: Orders,
}

/// What the thread waits for.
enum Queue {
    Generate(mpsc::Receiver<Generation>),
    Encode(mpsc::Receiver<EncodeOrder>),
}

impl Loaded {
    pub fn capabilities(&self) -> ModelCapabilities {
        ModelCapabilities {
            chat: self.purpose == Purpose::Chat,
            embed: self.purpose == Purpose::Embed,
            rerank: self.purpose == Purpose::Rank,
            tools: self.purpose == Purpose::Chat && self.style.supports_tools,
            thinking: self.purpose == Purpose::Chat && self.style.supports_thinking,
            ..ModelCapabilities::default()
        }
    }

    /// The tokens of a query and a document, the document cut to what fits.
    pub fn pair(&self, query: &str, document: &str) -> Result<Vec<Token>, RuntimeError> {
        let too_long = || RuntimeError::Invalid("a text is too long to be compared".to_owned());
        let separators = self.vocabulary.separators();
        let mut tokens: Vec<Token> = self.vocabulary.begin().into_iter().collect();
        tokens.extend(self.vocabulary.tokens(query, Frame::Bare).ok_or_else(too_long)?);
        tokens.extend(&separators);
        let end = separators.first().copied();
        let room = self.context_tokens.saturating_sub(tokens.len() + usize::from(end.is_some()));
        if room == 0 {
            let context_tokens = self.context_tokens;
            return Err(RuntimeError::ContextTooLong { prompt_tokens: tokens.len(), context_tokens });
        }
        let mut document = self.vocabulary.tokens(document, Frame::Bare).ok_or_else(too_long)?;
        document.truncate(room);
        Ok(tokens.into_iter().chain(document).chain(end).collect())
    }
}

/// Loads the model in a thread of its own, which then runs what is ordered.
pub async fn load(options: LoadOptions, settings: ModelSettings) -> Result<Loaded, String> {
    let (ready, loaded) = oneshot::channel();
    std::thread::Builder::new()
        .name("llamacpp".to_owned())
        .spawn(move || run(&options, settings, ready))
        .map_err(|cause| cause.to_string())?;
    loaded.await.map_err(|_| "llama.cpp's thread ended while it loaded the file".to_owned())?
}

/// The thread: loads, says so, and works until nobody can order any more.
fn run(options: &LoadOptions, settings: ModelSettings, ready: oneshot::Sender<Result<Loaded, String>>) {
    let (model, adapters) = match open(options) {
        Ok(opened) => opened,
        Err(cause) => return drop(ready.send(Err(cause))),
    };
    let model = Arc::new(model);
    let purpose = options::purpose(&model);
    let sizes = options.sizes(purpose, model.n_ctx_train() as usize);
    let context = match context(options, &model, adapters, purpose, sizes) {
        Ok(context) => context,
        Err(cause) => return drop(ready.send(Err(cause))),
    };
    let (orders, queue) = channel(purpose);
    let mut vocabulary = Vocabulary::new(Arc::clone(&model));
    let template = match template(&settings, &model, &vocabulary) {
        Ok(template) => template,
        Err(cause) => return drop(ready.send(Err(cause))),
    };
    let style = template.style();
    vocabulary.show(&style.markers());
    let vocabulary = Arc::new(vocabulary);
    let loaded = Loaded {
        name: options.name.clone(),
        vocabulary: Arc::clone(&vocabulary),
        template,
        style,
        settings,
        purpose,
        context_tokens: sizes.context_tokens,
        dimensions: usize::try_from(model.n_embd_out()).unwrap_or(0),
        memory_bytes: model.size() + options.key_value_bytes(&model, sizes),
        orders,
    };
    if ready.send(Ok(loaded)).is_err() {
        return;
    }
    match queue {
        Queue::Generate(queue) => {
            let divisible = !(model.is_recurrent() || model.is_hybrid());
            let sequences = Sequences::new(sizes.sequences, divisible);
            let kept = Kept::new(options.kept_chats, options.kept_bytes);
            Worker::new(context, &vocabulary, queue, sequences, kept, options.bounds(sizes)).run();
        }
        Queue::Encode(queue) => EncoderWorker::new(context, queue, sizes.batch_tokens).run(),
    }
}

/// The manifest's template, the file's, or ChatML.
fn template(
    settings: &ModelSettings,
    model: &LlamaModel,
    vocabulary: &Vocabulary,
) -> Result<ChatTemplate, String> {
    let own = settings.template.clone();
    let source =
        own.or_else(|| model.chat_template(None).ok().and_then(|template| template.to_string().ok()));
    let Some(source) = source else { return Ok(ChatTemplate::chatml()) };
    let special = SpecialTokens { bos: vocabulary.begin_text(), eos: vocabulary.end_text() };
    ChatTemplate::parse(&source, special).map_err(|cause| cause.to_string())
}

/// The weights, mapped from the file, and the adapters that go with them.
fn open(options: &LoadOptions) -> Result<(LlamaModel, Vec<LlamaLoraAdapter>), String> {
    let backend = backend::started(options.backends.as_deref())?;
    let missing = [&options.file].into_iter().chain(&options.adapters).find(|file| !file.is_file());
    if let Some(missing) = missing {
        return Err(format!("{} is missing", missing.display()));
    }
    match anwen_models::obstacle_to_computing(&options.file) {
        Ok(None) => {}
        Ok(Some(obstacle)) => return Err(format!("the file {obstacle}")),
        Err(cause) => return Err(format!("the file's header cannot be read: {cause}")),
    }
    let mut model = LlamaModel::load_from_file(backend, &options.file, &LlamaModelParams::default())
        .map_err(|cause| format!("llama.cpp cannot load the file: {cause}"))?;
    if model.vocab().n_tokens() <= 0 {
        return Err("the file has no vocabulary".to_owned());
    }
    let mut adapters = Vec::new();
    for file in &options.adapters {
        let adapter = model
            .lora_adapter_init(file)
            .map_err(|cause| format!("the adapter {} does not fit the model: {cause}", file.display()))?;
        adapters.push(adapter);
    }
    Ok((model, adapters))
}

fn context<'model>(
    options: &LoadOptions,
    model: &'model LlamaModel,
    adapters: Vec<LlamaLoraAdapter>,
    purpose: Purpose,
    sizes: Sizes,
) -> Result<LlamaContext<'model>, String> {
    let backend = backend::started(options.backends.as_deref())?;
    let mut context = model.new_context(backend, options.context(purpose, sizes)).map_err(|cause| {
        format!("llama.cpp cannot make a context of {} tokens: {cause}", sizes.pool_tokens)
    })?;
    for mut adapter in adapters {
        context.lora_adapter_set(&mut adapter, ADAPTER_SCALE).map_err(|cause| cause.to_string())?;
    }
    Ok(context)
}

fn channel(purpose: Purpose) -> (Orders, Queue) {
    if purpose == Purpose::Chat {
        let (sender, receiver) = mpsc::channel(ORDER_CAPACITY);
        (Orders::Generate(sender), Queue::Generate(receiver))
    } else {
        let (sender, receiver) = mpsc::channel(ORDER_CAPACITY);
        (Orders::Encode(sender), Queue::Encode(receiver))
    }
}
