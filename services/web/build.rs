//! Rebuilds the service when a file that it embeds has come, gone or changed.

fn main() {
    for folder in ["ui/dist", "../../samples/library"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
