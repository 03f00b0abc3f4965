//! Writes small models with random weights into a folder, for clients' suites and for trying engines by hand:
//! `cargo run -p anwen-model-runtime --example tiny_models -- DIRECTORY`

#[path = "../tests/runtime/tiny_model/mod.rs"]
mod tiny_model;

use std::path::Path;

use tiny_model::encoder::{EncoderFamily, Head};
use tiny_model::{FAMILIES, FAMILY_CONTEXT, Precision, adapter, encoder, vision};

const PRECISIONS: [Precision; 3] = [Precision::F16, Precision::Q8_0, Precision::Q4K];

fn main() -> std::io::Result<()> {
    let Some(directory) = std::env::args_os().nth(1) else {
        eprintln!("name the folder that the models go to");
        std::process::exit(2);
    };
    let at = Path::new(&directory);
    std::fs::create_dir_all(at)?;
    tiny_model::write_gguf(&at.join("tiny-plain.gguf"));
    for family in FAMILIES {
        let name = family.name();
        tiny_model::write_family_safetensors(&at.join(format!("tiny-{name}")), family);
        for precision in PRECISIONS {
            let file = at.join(format!("tiny-{name}-{}.gguf", precision.name()));
            tiny_model::write_family_gguf(&file, family, precision);
        }
    }
    vision::write_folder(&at.join("tiny-vision"), FAMILY_CONTEXT);
    let embedding = Head::Embedding { pooling: "mean", normalize: true };
    for (name, family) in [("bert", EncoderFamily::Bert), ("xlm-r", EncoderFamily::XlmRoberta)] {
        encoder::write_folder(&at.join(format!("tiny-{name}-embed")), family, embedding);
        encoder::write_folder(&at.join(format!("tiny-{name}-rerank")), family, Head::Relevance);
    }
    encoder::write_gguf(&at.join("tiny-bert-embed-f16.gguf"), embedding);
    encoder::write_gguf(&at.join("tiny-bert-rerank-f16.gguf"), Head::Relevance);
    // Adapters are no models: they lie where no listing looks.
    let adapters = at.join("adapters");
    adapter::write_folder(&adapters.join("tiny-llama-lora"));
    adapter::write_gguf(&adapters.join("tiny-llama-lora.gguf"));
    Ok(())
}
