//! Writing folders in Hugging Face's layout.

use std::fs;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::Value;

use super::tensor::Tensor;

/// Writes tensors in single precision.
pub fn write_tensors(file: &Path, tensors: &[(String, Tensor)]) {
    let data: Vec<(&str, &[usize], Vec<u8>)> = tensors
        .iter()
        .map(|(name, tensor)| (name.as_str(), tensor.shape.as_slice(), tensor.bytes()))
        .collect();
    let views: Vec<(&str, TensorView<'_>)> = data
        .iter()
        .map(|(name, shape, bytes)| (*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap()))
        .collect();
    safetensors::serialize_to_file(views, None, file).unwrap();
}

/// Writes `model.safetensors` and the JSON files beside it.
pub fn write(folder: &Path, tensors: &[(String, Tensor)], files: &[(&str, Value)]) {
    fs::create_dir_all(folder).unwrap();
    write_tensors(&folder.join("model.safetensors"), tensors);
    for (name, contents) in files {
        fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        fs::write(folder.join(name), contents.to_string()).unwrap();
    }
}
