//! A model's vocabulary: text to tokens and back. Shared by the threads that ask; llama.cpp only reads it.

use std::sync::{Arc, OnceLock};

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use llguidance::ParserFactory;
use toktrie::{ApproximateTokEnv, InferenceCapabilities, TokEnv, TokRxInfo, TokTrie};

use super::sequences::Token;

/// Bytes that one text may have: C counts them in 32 bits.
const MAX_TEXT_BYTES: usize = i32::MAX as usize / 4;

/// What a token stands for.
#[derive(Clone, Copy)]
struct Piece {
    start: u32,
    end: u32,
    /// Of control tokens, whose text is no part of an answer.
    control: bool,
    /// Of control tokens that mark the parts of an answer.
    marks: bool,
    /// Ends an answer.
    ends: bool,
}

/// The vocabulary of a loaded model.
pub struct Vocabulary {
    model: Arc<LlamaModel>,
    pieces: Vec<Piece>,
    bytes: Vec<u8>,
    /// Built by the first constrained request.
    constraints: OnceLock<Result<ParserFactory, String>>,
}

/// What tokenising may add to a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Nothing.
    Bare,
    /// The token that begins a text, where the model was trained with one and the text does not have it yet.
    Begin,
    /// All that the model was trained with, for encoders.
    Whole,
}

impl Vocabulary {
    pub fn new(model: Arc<LlamaModel>) -> Self {
        let vocabulary = model.vocab();
        let mut bytes = Vec::new();
        let mut pieces = Vec::new();
        for id in 0..vocabulary.n_tokens() {
            let token = LlamaToken(id);
            let plain = vocabulary.token_to_piece(token, false, None);
            let control = plain.is_empty();
            let text = if control { vocabulary.token_to_piece(token, true, None) } else { plain };
            let start = bytes.len() as u32;
            bytes.extend(text);
            let end = bytes.len() as u32;
            pieces.push(Piece { start, end, control, marks: false, ends: vocabulary.is_eog(token) });
        }
        Self { model: Arc::clone(&model), pieces, bytes, constraints: OnceLock::new() }
    }

    /// Control tokens with one of these texts are shown to those who read answers.
    pub fn show(&mut self, markers: &[&str]) {
        let bytes = &self.bytes;
        self.pieces.iter_mut().filter(|piece| piece.control).for_each(|piece| {
            let text = &bytes[piece.start as usize..piece.end as usize];
            piece.marks = markers.iter().any(|marker| marker.as_bytes() == text);
        });
    }

    /// The control token with this text.
    pub fn control_token(&self, text: &str) -> Option<u32> {
        let found = self.pieces.iter().position(|piece| {
            piece.control && &self.bytes[piece.start as usize..piece.end as usize] == text.as_bytes()
        });
        found.filter(|_| !text.is_empty()).and_then(|id| u32::try_from(id).ok())
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether `token` ends an answer.
    pub fn ends(&self, token: Token) -> bool {
        self.piece(token).is_some_and(|piece| piece.ends)
    }

    /// The bytes of `token`, which are its name if it is a control token.
    pub fn bytes(&self, token: Token) -> &[u8] {
        self.piece(token).map_or(&[], |piece| &self.bytes[piece.start as usize..piece.end as usize])
    }

    /// The bytes of `token` that belong to a model's text: none of control tokens, but for those that mark its parts.
    pub fn text_bytes(&self, token: Token) -> &[u8] {
        match self.piece(token) {
            Some(piece) if !piece.control || piece.marks => self.bytes(token),
            _ => &[],
        }
    }

    fn piece(&self, token: Token) -> Option<Piece> {
        usize::try_from(token).ok().and_then(|token| self.pieces.get(token)).copied()
    }

    /// The text of the token that begins a text; empty where there is none.
    pub fn begin_text(&self) -> String {
        String::from_utf8_lossy(self.bytes(self.model.vocab().bos().0)).into_owned()
    }

    /// The text of the token that ends a text; empty where there is none.
    pub fn end_text(&self) -> String {
        String::from_utf8_lossy(self.bytes(self.model.vocab().eos().0)).into_owned()
    }

    /// The token that begins a text, where the model was trained with one.
    pub fn begin(&self) -> Option<Token> {
        let vocabulary = self.model.vocab();
        let begin = vocabulary.bos().0;
        (vocabulary.should_add_bos() && self.piece(begin).is_some()).then_some(begin)
    }

    /// Tokens of `text`; the texts of control tokens become those tokens. `None` when it is too long to be counted.
    pub fn tokens(&self, text: &str, frame: Frame) -> Option<Vec<Token>> {
        if text.len() > MAX_TEXT_BYTES {
            return None;
        }
        let tokens = self.model.vocab().tokenize(text.as_bytes(), frame == Frame::Whole, true);
        let mut tokens: Vec<Token> = tokens.into_iter().map(|token| token.0).collect();
        if let Some(begin) = self.begin().filter(|_| frame == Frame::Begin)
            && tokens.first() != Some(&begin)
        {
            tokens.insert(0, begin);
        }
        Some(tokens)
    }

    /// The tokens that stand around and between the two sides of a gap; `None` for a model that was not trained to fill
    /// one.
    pub fn infill(&self) -> Option<[Token; 3]> {
        let vocabulary = self.model.vocab();
        let all = [vocabulary.fim_pre().0, vocabulary.fim_suf().0, vocabulary.fim_mid().0];
        all.iter().all(|token| self.piece(*token).is_some()).then_some(all)
    }

    /// The tokens that end a text and stand between two, for a pair that a reranker reads.
    pub fn separators(&self) -> Vec<Token> {
        let vocabulary = self.model.vocab();
        let end = Some(vocabulary.eos().0).filter(|_| vocabulary.should_add_eos());
        let between = Some(vocabulary.sep().0).filter(|_| vocabulary.should_add_sep());
        // Where an encoder marks neither, its separator is what it was trained with.
        let tokens: Vec<Token> = end.into_iter().chain(between).collect();
        if tokens.is_empty() { vec![vocabulary.sep().0] } else { tokens }
            .into_iter()
            .filter(|token| self.piece(*token).is_some())
            .collect()
    }

    /// What compiles constraints for this vocabulary.
    pub fn constraints(&self) -> Result<&ParserFactory, String> {
        self.constraints.get_or_init(|| self.build_constraints()).as_ref().map_err(Clone::clone)
    }

    fn build_constraints(&self) -> Result<ParserFactory, String> {
        let count = u32::try_from(self.pieces.len()).map_err(|cause| cause.to_string())?;
        let ends: Vec<u32> = (0..count).filter(|&id| self.pieces[id as usize].ends).collect();
        let first = *ends.first().ok_or("the model has no token that ends an answer")?;
        let words: Vec<Vec<u8>> = (0..count as Token)
            .map(|id| {
                let text = self.bytes(id);
                let control = self.pieces[id as usize].control && !text.is_empty();
                let marker = control.then_some(TokTrie::SPECIAL_TOKEN_MARKER);
                marker.into_iter().chain(text.iter().copied()).collect()
            })
            .collect();
        let trie = TokTrie::from(&TokRxInfo::new(count, first), &words).with_eos_tokens(&ends);
        let environment: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let slices = llguidance::earley::SlicedBiasComputer::general_slices();
        let mut factory = ParserFactory::new(&environment, InferenceCapabilities::default(), &slices)
            .map_err(|cause| cause.to_string())?;
        factory.quiet();
        Ok(factory)
    }
}
