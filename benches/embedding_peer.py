"""Python's `model2vec` on the passages of benches/embedding.py, which runs this with the Python that has it:

    embedding_peer.py MODEL PASSAGES ROUNDS VECTORS

Prints `{"passages", "cpu_s", "wall_s"}` of all rounds together and writes the vectors as little-endian float32.
"""

import json
import sys
import time
from pathlib import Path

from model2vec import StaticModel


def main() -> None:
    model_path, passages_path, rounds, vectors_path = sys.argv[1:]
    model = StaticModel.from_pretrained(model_path)
    passages = Path(passages_path).read_text().splitlines()
    vectors = None
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(int(rounds)):
        vectors = model.encode(passages, use_multiprocessing=False)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    Path(vectors_path).write_bytes(vectors.astype("<f4").tobytes())
    print(json.dumps({"passages": len(passages) * int(rounds), "cpu_s": cpu, "wall_s": wall}))


if __name__ == "__main__":
    main()
