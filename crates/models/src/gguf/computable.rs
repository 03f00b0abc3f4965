//! Whether llama.cpp can compute with a file's tensors.
//!
//! llama.cpp ends the process where an operation meets a kind of tensor that it was not written for. Its loader checks
//! names and sizes, not kinds: norms and biases in half precision load, and end the process in the first computation. So
//! kinds are looked at before a file is loaded.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use super::types::{is_kind_of_weights, tensor_kind};
use super::{Layout, TensorInfo};

/// ggml's number for single precision.
const F32: u32 = 0;
/// Tables that are added to rows, and not multiplied with: ggml adds single precision only.
const ADDED_TABLES: [&str; 2] = ["token_types.weight", "position_embd.weight"];

/// What stands in the way of computing with the GGUF file at `path`, in words that follow "it"; `None` for nothing.
///
/// # Errors
/// When the header cannot be read.
pub fn obstacle(path: &Path) -> io::Result<Option<String>> {
    obstacle_in(&mut BufReader::new(File::open(path)?))
}

fn obstacle_in(reader: &mut (impl Read + Seek)) -> io::Result<Option<String>> {
    Ok(Layout::read(reader)?.tensors.iter().find_map(obstacle_of))
}

fn obstacle_of(tensor: &TensorInfo) -> Option<String> {
    let name = &tensor.name;
    let Some(kind) = tensor_kind(tensor.kind) else {
        return Some(format!("has the tensor {name} in a form that is not known here ({})", tensor.kind));
    };
    let must_be_whole = tensor.dimensions.len() <= 1 || ADDED_TABLES.contains(&name.as_str());
    if (must_be_whole && tensor.kind != F32) || !is_kind_of_weights(tensor.kind) {
        return Some(format!(
            "has the tensor {name} as {}, which cannot be computed with; convert the model again with norms and biases in F32",
            kind.name
        ));
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tensor(name: &str, dimensions: &[u64], kind: u32) -> TensorInfo {
        TensorInfo { name: name.to_owned(), dimensions: dimensions.to_vec(), kind, offset: 0 }
    }

    #[test]
    fn vectors_and_added_tables_have_to_be_in_single_precision() {
        for (name, dimensions, kind, is_fine) in [
            ("blk.0.attn_norm.weight", vec![64], 0, true),
            ("blk.0.attn_norm.weight", vec![64], 1, false),
            ("blk.0.attn_norm.bias", vec![64], 30, false),
            // A cross-encoder's last matrix has one row.
            ("cls.output.weight", vec![64, 1], 1, true),
            ("blk.0.attn_q.weight", vec![64, 64], 12, true),
            ("blk.0.attn_q.weight", vec![64, 64], 30, true),
            ("position_embd.weight", vec![64, 64], 1, false),
            ("position_embd.weight", vec![64, 64], 0, true),
            ("token_embd.weight", vec![64, 64], 1, true),
            // Whole numbers are no weights.
            ("blk.0.attn_q.weight", vec![64, 64], 26, false),
            // A form that nobody knows.
            ("blk.0.attn_q.weight", vec![64, 64], 99, false),
        ] {
            let found = obstacle_of(&tensor(name, &dimensions, kind));
            assert_eq!(found.is_none(), is_fine, "{name} {dimensions:?} {kind}: {found:?}");
        }
    }
}
