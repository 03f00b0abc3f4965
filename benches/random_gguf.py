"""Writes a language model of Qwen3-0.6B's shape with random weights as a GGUF file: random_gguf.py KIND FILE.

KIND is `q4_k_m` (4-bit blocks with more bits where llama.cpp's mix of that name has them) or `q8_0`. The blocks are random
bytes with small scales, so that every operation does what it would do on real weights. The vocabulary has as many tokens
as Qwen3's; its pieces are letters put together, so that common words are two or three tokens. Needs numpy.
"""

import struct
import sys
from pathlib import Path

import numpy as np

LAYERS, HIDDEN, HEADS, KV_HEADS, HEAD, FEED_FORWARD = 28, 1024, 16, 8, 128, 3072
VOCABULARY, CONTEXT = 151_936, 40_960
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LETTERS = "etaoinshrdlucmfwypvbgkjqxz"
ALIGNMENT = 32

# ggml's numbers for the kinds of tensors: (number, values in a block, bytes of a block).
F32, Q8_0, Q4_K, Q6_K = (0, 1, 4), (8, 32, 34), (12, 256, 144), (14, 256, 210)
# llama.cpp's numbers for the kinds of files.
FILE_TYPES = {"q8_0": 7, "q4_k_m": 15}

random = np.random.default_rng(7)


def byte_characters() -> list[str]:
    """GPT-2's visible character for each byte."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in visible]
    codes = {byte: byte for byte in visible} | {byte: 256 + index for index, byte in enumerate(hidden)}
    return [chr(codes[byte]) for byte in range(256)]


def vocabulary() -> tuple[list[str], list[str]]:
    """Tokens and merges."""
    tokens, merges = byte_characters(), []
    wanted = VOCABULARY - len(SPECIALS)

    def merge(left: str, right: str) -> None:
        if len(tokens) < wanted:
            tokens.append(left + right)
            merges.append(f"{left} {right}")

    pairs = [a + b for a in LETTERS for b in LETTERS]
    for pair in pairs:
        merge(pair[0], pair[1])
    for letter in LETTERS:
        merge("Ġ", letter)
    for pair in pairs:
        for letter in LETTERS:
            merge(pair, letter)
    for left in pairs:
        for right in pairs:
            merge(left, right)
    return tokens + SPECIALS, merges


def half(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float16).view(np.uint8).reshape(len(values), 2)


def blocks(kind: tuple[int, int, int], count: int) -> bytes:
    """`count` random blocks, the values of which are a few hundredths large."""
    raw = random.integers(0, 256, (count, kind[2]), dtype=np.uint8)
    scale = random.uniform(0.5, 1.5, count)
    if kind == Q8_0:
        raw[:, 0:2] = half(scale * 3e-4)
    elif kind == Q4_K:
        raw[:, 0:2] = half(scale * 1e-4)
        # The offset is what makes the mean nought: 7.5 is the mean of four bits.
        raw[:, 2:4] = half(scale * 7.5e-4)
    else:
        raw[:, 208:210] = half(scale * 2e-5)
    return raw.tobytes()


def more_bits(layer: int) -> bool:
    """Whether llama.cpp's mix keeps six bits in this layer where it chooses."""
    return layer < LAYERS // 8 or layer >= 7 * LAYERS // 8 or (layer - LAYERS // 8) % 3 == 2


def tensors(file_kind: str):
    """Name, shape (rows, columns) and kind of each tensor."""
    plain = Q4_K if file_kind == "q4_k_m" else Q8_0

    def better(layer: int):
        return Q6_K if file_kind == "q4_k_m" and more_bits(layer) else plain

    yield "token_embd.weight", (VOCABULARY, HIDDEN), Q6_K if file_kind == "q4_k_m" else Q8_0
    yield "output_norm.weight", (HIDDEN,), F32
    for layer in range(LAYERS):
        at = f"blk.{layer}."
        yield at + "attn_norm.weight", (HIDDEN,), F32
        yield at + "attn_q.weight", (HEADS * HEAD, HIDDEN), plain
        yield at + "attn_k.weight", (KV_HEADS * HEAD, HIDDEN), plain
        yield at + "attn_v.weight", (KV_HEADS * HEAD, HIDDEN), better(layer)
        yield at + "attn_output.weight", (HIDDEN, HEADS * HEAD), plain
        yield at + "attn_q_norm.weight", (HEAD,), F32
        yield at + "attn_k_norm.weight", (HEAD,), F32
        yield at + "ffn_norm.weight", (HIDDEN,), F32
        yield at + "ffn_gate.weight", (FEED_FORWARD, HIDDEN), plain
        yield at + "ffn_up.weight", (FEED_FORWARD, HIDDEN), plain
        yield at + "ffn_down.weight", (HIDDEN, FEED_FORWARD), better(layer)


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def field(key: str, value) -> bytes:
    """One entry of the header."""
    head = text(key)
    if isinstance(value, str):
        return head + struct.pack("<I", 8) + text(value)
    if isinstance(value, float):
        return head + struct.pack("<If", 6, value)
    if isinstance(value, int):
        return head + struct.pack("<II", 4, value)
    if isinstance(value[0], str):
        return head + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
    return head + struct.pack("<IIQ", 9, 5, len(value)) + struct.pack(f"<{len(value)}i", *value)


def header(file_kind: str) -> list[bytes]:
    tokens, merges = vocabulary()
    kinds = [3 if token in SPECIALS else 1 for token in tokens]
    end = len(tokens) - len(SPECIALS)
    values = {
        "general.architecture": "qwen3",
        "general.name": "random weights of Qwen3-0.6B's shape",
        "general.file_type": FILE_TYPES[file_kind],
        "general.quantization_version": 2,
        "general.alignment": ALIGNMENT,
        "qwen3.block_count": LAYERS,
        "qwen3.context_length": CONTEXT,
        "qwen3.embedding_length": HIDDEN,
        "qwen3.feed_forward_length": FEED_FORWARD,
        "qwen3.attention.head_count": HEADS,
        "qwen3.attention.head_count_kv": KV_HEADS,
        "qwen3.attention.key_length": HEAD,
        "qwen3.attention.value_length": HEAD,
        "qwen3.attention.layer_norm_rms_epsilon": 1e-6,
        "qwen3.rope.freq_base": 1e6,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": end,
        "tokenizer.ggml.eos_token_id": end + 2,
        "tokenizer.ggml.padding_token_id": end,
        "tokenizer.chat_template": TEMPLATE,
    }
    return [field(key, value) for key, value in values.items()]


def write(file_kind: str, file: Path) -> None:
    fields, all_tensors = header(file_kind), list(tensors(file_kind))
    directory, offset = b"", 0
    sizes = []
    for name, shape, kind in all_tensors:
        number, values, size = kind
        count = int(np.prod(shape)) // values
        dimensions = shape[::-1]
        directory += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *dimensions, number, offset)
        sizes.append(count * size)
        offset += -(-count * size // ALIGNMENT) * ALIGNMENT
    head = b"GGUF" + struct.pack("<IQQ", 3, len(all_tensors), len(fields)) + b"".join(fields) + directory
    # Under another name until it is whole.
    part = file.with_suffix(".part")
    with part.open("wb") as out:
        out.write(head + bytes(-len(head) % ALIGNMENT))
        for (_, shape, kind), size in zip(all_tensors, sizes):
            data = np.ones(shape, np.float32).tobytes() if kind == F32 else blocks(kind, size // kind[2])
            out.write(data + bytes(-size % ALIGNMENT))
    part.rename(file)


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]))
