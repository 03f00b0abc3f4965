//! Lets the programs of this crate find llama.cpp's shared libraries, as the model runtime says.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=DEP_ANWEN_MODEL_RUNTIME_LINK_ARG");
    if let Ok(argument) = std::env::var("DEP_ANWEN_MODEL_RUNTIME_LINK_ARG") {
        println!("cargo:rustc-link-arg={argument}");
    }
}
