//! Kinds of tensors, and the names of mixtures of them.

/// A tensor kind of ggml: values that lie together in a block, and the bytes of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TensorKind {
    pub name: &'static str,
    pub block_values: u64,
    pub block_bytes: u64,
}

impl TensorKind {
    /// Bytes of a tensor with this many values; `None` when that is beyond any file.
    pub(crate) fn bytes_of(self, values: u64) -> Option<u64> {
        values.div_ceil(self.block_values).checked_mul(self.block_bytes)
    }
}

/// ggml's `ggml_type`, with the sizes of its block structures (ggml-common.h).
pub(crate) fn tensor_kind(number: u32) -> Option<TensorKind> {
    let (name, block_values, block_bytes) = match number {
        0 => ("F32", 1, 4),
        1 => ("F16", 1, 2),
        2 => ("Q4_0", 32, 18),
        3 => ("Q4_1", 32, 20),
        6 => ("Q5_0", 32, 22),
        7 => ("Q5_1", 32, 24),
        8 => ("Q8_0", 32, 34),
        9 => ("Q8_1", 32, 36),
        10 => ("Q2_K", 256, 84),
        11 => ("Q3_K", 256, 110),
        12 => ("Q4_K", 256, 144),
        13 => ("Q5_K", 256, 176),
        14 => ("Q6_K", 256, 210),
        15 => ("Q8_K", 256, 292),
        16 => ("IQ2_XXS", 256, 66),
        17 => ("IQ2_XS", 256, 74),
        18 => ("IQ3_XXS", 256, 98),
        19 => ("IQ1_S", 256, 50),
        20 => ("IQ4_NL", 32, 18),
        21 => ("IQ3_S", 256, 110),
        22 => ("IQ2_S", 256, 82),
        23 => ("IQ4_XS", 256, 136),
        24 => ("I8", 1, 1),
        25 => ("I16", 1, 2),
        26 => ("I32", 1, 4),
        27 => ("I64", 1, 8),
        28 => ("F64", 1, 8),
        29 => ("IQ1_M", 256, 56),
        30 => ("BF16", 1, 2),
        34 => ("TQ1_0", 256, 54),
        35 => ("TQ2_0", 256, 66),
        39 => ("MXFP4", 32, 17),
        _ => return None,
    };
    Some(TensorKind { name, block_values, block_bytes })
}

/// Whether tensors of this kind are weights: ggml's kinds of whole numbers and of intermediate results are not.
pub(super) fn is_kind_of_weights(number: u32) -> bool {
    tensor_kind(number).is_some() && !matches!(number, 9 | 15 | 24..=28)
}

/// llama.cpp's `llama_ftype`.
pub(super) fn file_type_name(file_type: u64) -> Option<&'static str> {
    Some(match file_type {
        0 => "F32",
        1 => "F16",
        2 => "Q4_0",
        3 => "Q4_1",
        7 => "Q8_0",
        8 => "Q5_0",
        9 => "Q5_1",
        10 => "Q2_K",
        11 => "Q3_K_S",
        12 => "Q3_K_M",
        13 => "Q3_K_L",
        14 => "Q4_K_S",
        15 => "Q4_K_M",
        16 => "Q5_K_S",
        17 => "Q5_K_M",
        18 => "Q6_K",
        19 => "IQ2_XXS",
        20 => "IQ2_XS",
        21 => "Q2_K_S",
        22 => "IQ3_XS",
        23 => "IQ3_XXS",
        24 => "IQ1_S",
        25 => "IQ4_NL",
        26 => "IQ3_S",
        27 => "IQ3_M",
        28 => "IQ2_S",
        29 => "IQ2_M",
        30 => "IQ4_XS",
        31 => "IQ1_M",
        32 => "BF16",
        38 => "MXFP4_MOE",
        _ => return None,
    })
}
