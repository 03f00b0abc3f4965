//! Questions and their answers: a list of small steps, whose events a stream shows. A generation belongs to the
//! server: whoever asked may go and come back.

mod check;
mod citations;
mod condense;
mod evidence;
mod facts;
mod frames;
mod generation;
mod handlers;
mod marker;
mod model_choice;
mod pipeline;
mod prompt;
mod refusal;
mod search_web;
mod sse;
mod support;
mod task;
mod tokens;
mod wording;
mod write;

pub use generation::{GenerationLimits, Generations};
pub use handlers::routes;
pub use model_choice::{can_answer, choose};
pub use pipeline::{Draft, Question, Run, answer};
pub use refusal::Thresholds;
pub use task::sweep_abandoned;
