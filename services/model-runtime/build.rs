//! Tells the crate where llama.cpp's processor backends were built, and lets its programs, and those of crates that
//! depend on it, find the shared libraries.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=DEP_LLAMA_BACKENDS_DIR");
    let mut folders = "$ORIGIN:$ORIGIN/../lib/anwen".to_owned();
    if let Ok(backends) = std::env::var("DEP_LLAMA_BACKENDS_DIR") {
        println!("cargo:rustc-env=ANWEN_BUILT_LLAMA_BACKENDS={backends}");
        let libraries = Path::new(&backends).with_file_name("lib");
        folders = format!("{folders}:{}", libraries.display());
    }
    // Libraries find each other by this too, which the newer kind of entry (`DT_RUNPATH`) does not do.
    let argument = format!("-Wl,--disable-new-dtags,-rpath,{folders}");
    println!("cargo:rustc-link-arg={argument}");
    // Dependants see it as `DEP_ANWEN_MODEL_RUNTIME_LINK_ARG`.
    println!("cargo:link_arg={argument}");
}
