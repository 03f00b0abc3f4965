//! Files to a model that mistral.rs runs. Nothing is fetched: every path is local.

use std::path::Path;

use anwen_models::{ModelFiles, Weights};
use mistralrs::{
    Device, DeviceMapSetting, EmbeddingModelBuilder, GgufModelBuilder, IsqType, Model,
    MultimodalModelBuilder, TextModelBuilder, TokenSource, best_device, parse_isq_value,
};

use super::files::Kind;

/// Finished conversations whose keys and values are kept, so that the next turn starts where the last one ended.
const PREFIX_CACHE_CONVERSATIONS: usize = 4;

/// Loads the weights of `files` as a model of this kind.
pub(super) async fn build(files: &ModelFiles, kind: Kind, concurrency: usize) -> Result<Model, String> {
    let device = best_device(false).map_err(|cause| cause.to_string())?;
    let settings = &files.settings;
    let quantization =
        settings.quantize_on_load.as_deref().map(|name| quantization(name, &device)).transpose()?;
    // mistral.rs 0.8 asks a hub for adapters by their name, even for those of a local path: nothing is fetched here.
    refuse(!settings.adapters.is_empty(), "adapters need a GGUF file and the engine llamacpp")?;
    let built = match (&files.weights, kind) {
        (Weights::Gguf { file }, _) => {
            refuse(quantization.is_some(), "a GGUF file has its quantisation: leave out quantize_on_load")?;
            gguf(file, &device, concurrency).await
        }
        (Weights::Safetensors { folder }, Kind::Text) => {
            text(folder, &device, quantization, concurrency).await
        }
        (Weights::Safetensors { folder }, Kind::Multimodal { .. }) => {
            multimodal(folder, &device, quantization, concurrency).await
        }
        (Weights::Safetensors { folder }, Kind::Embedding) => {
            embedding(folder, &device, quantization, concurrency).await
        }
        (Weights::StaticEmbedding { .. } | Weights::Encoder { .. }, _) => {
            return Err("mistral.rs does not run encoders: take the engine candle".to_owned());
        }
    };
    built.map_err(|cause| format!("{cause:#}"))
}

fn refuse(condition: bool, why: &str) -> Result<(), String> {
    if condition { Err(why.to_owned()) } else { Ok(()) }
}

/// `q4_k_m` and `q4_k` are `q4k` there.
fn quantization(name: &str, device: &Device) -> Result<IsqType, String> {
    let lower = name.to_lowercase();
    let plain = lower.trim_end_matches("_m").trim_end_matches("_s");
    let known = plain.strip_suffix("_k").map_or_else(|| plain.to_owned(), |bits| format!("{bits}k"));
    parse_isq_value(&known, Some(device))
}

/// On a processor there is nothing to map, and guessing by free memory would cut the context.
fn device_mapping(device: &Device) -> Option<DeviceMapSetting> {
    matches!(device, Device::Cpu).then(DeviceMapSetting::dummy)
}

/// What every kind of model is built with. The builders are types of their own without a trait between them.
macro_rules! configured {
    ($builder:expr, $device:expr, $concurrency:expr) => {{
        let builder = $builder
            .with_token_source(TokenSource::None)
            .with_max_num_seqs($concurrency)
            .with_device($device.clone());
        match device_mapping($device) {
            Some(mapping) => builder.with_device_mapping(mapping),
            None => builder,
        }
    }};
    ($builder:expr, $device:expr, $concurrency:expr, $quantization:expr) => {{
        let builder = configured!($builder, $device, $concurrency);
        match $quantization {
            Some(quantization) => builder.with_isq(quantization),
            None => builder,
        }
    }};
}

async fn gguf(file: &Path, device: &Device, concurrency: usize) -> anyhow::Result<Model> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let builder = GgufModelBuilder::new(folder.display(), vec![name]);
    configured!(builder, device, concurrency)
        .with_prefix_cache_n(Some(PREFIX_CACHE_CONVERSATIONS))
        .build()
        .await
}

async fn text(
    folder: &Path,
    device: &Device,
    quantization: Option<IsqType>,
    concurrency: usize,
) -> anyhow::Result<Model> {
    let builder = TextModelBuilder::new(folder.display());
    configured!(builder, device, concurrency, quantization)
        .with_prefix_cache_n(Some(PREFIX_CACHE_CONVERSATIONS))
        .build()
        .await
}

async fn multimodal(
    folder: &Path,
    device: &Device,
    quantization: Option<IsqType>,
    concurrency: usize,
) -> anyhow::Result<Model> {
    let builder = MultimodalModelBuilder::new(folder.display());
    configured!(builder, device, concurrency, quantization)
        .with_prefix_cache_n(Some(PREFIX_CACHE_CONVERSATIONS))
        .build()
        .await
}

async fn embedding(
    folder: &Path,
    device: &Device,
    quantization: Option<IsqType>,
    concurrency: usize,
) -> anyhow::Result<Model> {
    let builder = EmbeddingModelBuilder::new(folder.display());
    configured!(builder, device, concurrency, quantization).build().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_gguf_quantisations_are_understood() {
        for (name, expected) in [
            ("q4_K_M", IsqType::Q4K),
            ("q8_0", IsqType::Q8_0),
            ("q6_k", IsqType::Q6K),
            ("Q5_K_S", IsqType::Q5K),
        ] {
            assert_eq!(quantization(name, &Device::Cpu), Ok(expected), "{name}");
        }
        assert!(quantization("q9", &Device::Cpu).is_err());
    }
}
