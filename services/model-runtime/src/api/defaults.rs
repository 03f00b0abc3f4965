//! What a request leaves open: the model's manifest decides first, then what its interface takes.

use serde_json::Value;

use super::ollama::Options;
use crate::engine::{ChatJob, Prompt, Role, Sampling, ToolChoice, Turn};
use crate::error::RuntimeError;
use crate::registry::LoadedModel;

/// Completes `job` for `model`, and refuses what this model cannot do.
pub(super) fn complete(model: &LoadedModel, job: &mut ChatJob) -> Result<(), RuntimeError> {
    check_capabilities(model, job)?;
    if let Some(files) = &model.files {
        let options = files.settings.parameters.clone();
        match serde_json::from_value::<Options>(Value::Object(options)) {
            Ok(options) => fill(&mut job.sampling, options.into_sampling()),
            Err(cause) => {
                tracing::warn!(model = model.name, %cause, "the manifest's parameters are not understood")
            }
        }
        begin_with_system(&mut job.prompt, files.settings.system.as_deref());
    }
    fill(&mut job.sampling, std::mem::take(&mut job.fallback));
    Ok(())
}

fn check_capabilities(model: &LoadedModel, job: &ChatJob) -> Result<(), RuntimeError> {
    let can = model.engine.capabilities();
    let not_capable = |action| Err(RuntimeError::NotCapable { model: model.name.clone(), action });
    let has_images =
        matches!(&job.prompt, Prompt::Chat(turns) if turns.iter().any(|turn| !turn.images.is_empty()));
    if has_images && !can.vision {
        return not_capable("see pictures; send text, or ask a model with vision");
    }
    if !job.tools.is_empty() && job.tool_choice != ToolChoice::None && !can.tools {
        return not_capable("call tools; leave tools out, or ask a model that does");
    }
    Ok(())
}

fn begin_with_system(prompt: &mut Prompt, system: Option<&str>) {
    let Some(system) = system.filter(|system| !system.is_empty()) else { return };
    if let Prompt::Chat(turns) = prompt
        && turns.iter().all(|turn| turn.role != Role::System)
    {
        turns.insert(0, Turn::text(Role::System, system));
    }
}

/// Takes from `other` what `sampling` leaves open.
fn fill(sampling: &mut Sampling, other: Sampling) {
    macro_rules! fill {
        ($($field:ident),+) => { $(sampling.$field = sampling.$field.or(other.$field);)+ };
    }
    fill!(max_tokens, temperature, top_p, top_k, min_p, typical_p, frequency_penalty, presence_penalty);
    fill!(repetition_penalty, repeat_last_n, seed);
    if sampling.stop.is_empty() {
        sampling.stop = other.stop;
    }
    if sampling.logit_bias.is_empty() {
        sampling.logit_bias = other.logit_bias;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_says_stands_and_what_it_leaves_open_is_filled() {
        let mut sampling = Sampling { temperature: Some(0.0), ..Sampling::default() };
        let other = Sampling {
            temperature: Some(1.0),
            top_k: Some(40),
            stop: vec!["end".to_owned()],
            ..Sampling::default()
        };
        fill(&mut sampling, other);
        assert_eq!((sampling.temperature, sampling.top_k), (Some(0.0), Some(40)));
        assert_eq!(sampling.stop, ["end"]);
    }

    #[test]
    fn a_models_system_text_begins_conversations_that_have_none() {
        let mut prompt = Prompt::Chat(vec![Turn::text(Role::User, "hello")]);
        begin_with_system(&mut prompt, Some("be brief"));
        begin_with_system(&mut prompt, Some("again"));
        let expected = vec![Turn::text(Role::System, "be brief"), Turn::text(Role::User, "hello")];
        assert_eq!(prompt, Prompt::Chat(expected));
    }
}
