"""Make the compact cost tables of the task `serving` from the measured kernels of the PyPI package aiconfigurator-core.

    python -m benchmarks.extract_serving_costs FOLDER

FOLDER is where `aiconfigurator_core` is installed (Apache-2.0, NVIDIA); it needs pandas and pyarrow, best in an
environment of their own. Latencies of its tables for dense and expert layers, attention and all-reduce are in ms.
For each GPU, model, precision and tensor-parallel size the kernels of one iteration are summed up over the layers, on
grids of tokens, context and batch. Writes `tables.safetensors` and `measured.csv` (end-to-end rows of the same
configurations, for `benchmarks.serving_fidelity`) into the package.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from unseat.tasks.serving.costs.grids import BATCHES, CONTEXTS, LENGTHS, TOKENS
from unseat.tasks.serving.costs.models import GPUS, MODELS, Model

HOME = Path(__file__).parents[1] / "src/unseat/tasks/serving/costs"

CONFIGURATIONS = [
    ("h100_sxm", "llama-3.1-8b", (1, 2)), ("h200_sxm", "llama-3.1-8b", (1,)), ("a100_sxm", "llama-3.1-8b", (1, 2)),
    ("b200_sxm", "llama-3.1-8b", (1,)), ("l40s", "llama-3.1-8b", (1, 2)),
    ("h100_sxm", "llama-3.1-70b-fp8", (2, 4, 8)), ("h200_sxm", "llama-3.1-70b-fp8", (1, 2, 4, 8)),
    ("b200_sxm", "llama-3.1-70b-fp8", (1, 2, 4, 8)), ("a100_sxm", "llama-3.1-70b", (4, 8)),
    ("h100_sxm", "gpt-oss-120b", (1, 2, 4, 8)), ("h200_sxm", "gpt-oss-120b", (1, 2, 4, 8)),
]  # fmt: skip


class Tables:
    """The measured tables of one GPU."""

    def __init__(self, root: Path, gpu: str) -> None:
        import pandas as pd

        self.folder = root / "systems/data" / gpu

        def newest(pattern: str) -> Any:
            found = sorted(self.folder.glob(pattern))
            if not found:
                raise SystemExit(f"{self.folder}/{pattern}: no such table")
            return pd.read_parquet(found[-1])

        self.gemm = newest("gemm/vllm/*/gemm_perf.parquet")
        self.context = newest("attention/vllm/*/context_attention_perf.parquet")
        self.generation = newest("attention/vllm/*/generation_attention_perf.parquet")
        self.reduce = newest("comm/vllm/*/custom_allreduce_perf.parquet")
        self.moe: Any = newest("moe/vllm/*/moe_perf.parquet") if (self.folder / "moe/vllm").is_dir() else None

    def dense(self, dtype: str, n: float, k: float) -> Any:
        """Milliseconds of one GEMM at each of `TOKENS`; between measured sizes linear in the logarithms."""
        table = self.gemm[self.gemm.gemm_dtype == dtype].groupby(["m", "n", "k"]).latency.min()
        known = sorted({key[1] for key in table.index})
        scale = max(1.0, n / 16384)  # the largest sizes are not there for every k; time grows with n
        n = n / scale

        def at(n: int, k: int) -> Any:
            column = table.xs((n, k), level=("n", "k")).sort_index()
            return np.interp(np.log(TOKENS), np.log(column.index.to_numpy(float)), np.log(column.to_numpy()))

        total = np.zeros(len(TOKENS))
        for nn, share in _neighbours(known, n):
            for kk, other in _neighbours(known, k):
                total += share * other * at(nn, kk)
        return np.exp(total) * scale

    def experts(self, model: Model, tp: int) -> Any:
        """Milliseconds of one layer's experts at each of `TOKENS`."""
        table = self.moe[(self.moe.moe_dtype == model.moe_dtype) & (self.moe.hidden_size == model.hidden)
                         & (self.moe.num_experts == model.experts) & (self.moe.topk == model.active)
                         & (self.moe.inter_size == model.inter) & (self.moe.moe_ep_size == 1)
                         & (self.moe.moe_tp_size == tp)]  # fmt: skip
        chosen = (
            table[table.distribution == "power_law_1.2"] if (table.distribution == "power_law_1.2").any() else table
        )
        column = chosen.groupby("num_tokens").latency.min().sort_index()
        return np.exp(np.interp(np.log(TOKENS), np.log(column.index.to_numpy(float)), np.log(column.to_numpy())))

    def prefill(self, model: Model, tp: int, window: int) -> Any:
        """Milliseconds of one layer's attention of a whole prompt of each of `CONTEXTS`."""
        table = self._heads(self.context, model, tp, window)
        column = table[(table.batch_size == 1) & (table.step == 0)].groupby("isl").latency.min().sort_index()
        return np.exp(np.interp(np.log(CONTEXTS), np.log(column.index.to_numpy(float)), np.log(column.to_numpy())))

    def decode(self, model: Model, tp: int, window: int) -> Any:
        """[batch, length], milliseconds of one layer's attention of a batch that decodes."""
        table = self._heads(self.generation, model, tp, window)
        table = table.assign(length=table.isl + table.step)
        rows = []
        for batch in BATCHES:
            column = table[table.batch_size == batch].groupby("length").latency.min().sort_index()
            x, y = np.log(column.index.to_numpy(float)), np.log(column.to_numpy())
            inside = np.interp(np.log(LENGTHS), x, y)
            # Beyond what fits into a measurement the time grows as the length does.
            rows.append(inside + np.maximum(0.0, np.log(LENGTHS) - x[-1]))
        return np.exp(np.array(rows))

    def _heads(self, table: Any, model: Model, tp: int, window: int) -> Any:
        heads, kv = model.heads // tp, max(1, model.kv_heads // tp)
        chosen = table[(table.num_heads == heads) & (table.head_dim == model.head_dim)
                       & (table.kv_cache_dtype == "bfloat16")]  # fmt: skip
        if "window_size" in chosen:
            chosen = chosen[chosen.window_size == window]
        found = chosen[chosen.num_key_value_heads == kv]
        if len(found) == 0 and kv == heads:
            found = chosen[chosen.num_key_value_heads == 0]
        if len(found) == 0:
            raise SystemExit(f"no attention of {heads} heads, {kv} of keys, at {self.folder}")
        return found

    def all_reduce(self, model: Model, tp: int) -> Any:
        """Milliseconds of one all-reduce of the hidden state at each of `TOKENS`."""
        if tp == 1:
            return np.zeros(len(TOKENS))
        table = self.reduce[(self.reduce.num_gpus == tp)]
        if "vllm_graph" in set(table.get("backend", [])):
            table = table[table.backend == "vllm_graph"]
        column = table.groupby("message_size").latency.min().sort_index()
        # The table counts elements of two bytes; a row a token.
        sizes = TOKENS * model.hidden
        x, y = np.log(column.index.to_numpy(float)), np.log(column.to_numpy())
        return np.exp(np.interp(np.log(sizes), x, y) + np.maximum(0.0, np.log(sizes) - x[-1]))


def _neighbours(known: list[int], wanted: float) -> list[tuple[int, float]]:
    """The sizes on both sides and their shares, on a logarithmic scale."""
    place = int(np.searchsorted(known, wanted))
    if place < len(known) and known[place] == wanted:
        return [(known[place], 1.0)]
    place = min(max(place, 1), len(known) - 1)
    low, high = known[place - 1], known[place]
    share = (np.log(wanted) - np.log(low)) / (np.log(high) - np.log(low))
    return [(low, 1 - share), (high, share)]


def configuration(tables: Tables, model: Model, tp: int) -> dict[str, Any]:
    """The kernels of an iteration, all layers together."""
    q = (model.heads + 2 * model.kv_heads) * model.head_dim / tp
    layer = tables.dense(model.dtype, q, model.hidden)
    layer = layer + tables.dense(model.dtype, model.hidden, model.heads * model.head_dim / tp)
    if model.experts:
        layer = layer + tables.experts(model, tp)
    else:
        layer = layer + tables.dense(model.dtype, 2 * model.inter / tp, model.hidden)
        layer = layer + tables.dense(model.dtype, model.hidden, model.inter / tp)
    windows = [0] if not model.window else [0, model.window]
    share = model.layers / len(windows)
    return {
        "linear": model.layers * layer,
        "reduce": 2 * model.layers * tables.all_reduce(model, tp),
        "head": tables.dense("bfloat16", model.vocabulary / tp, model.hidden),
        "context": sum(share * tables.prefill(model, tp, window) for window in windows),
        "decode": sum(share * tables.decode(model, tp, window) for window in windows),
    }


def measured(root: Path) -> Any:
    """The end-to-end rows of vLLM for the configurations above."""
    import pandas as pd

    rows = pd.read_csv(root / "systems/silicon_sample.csv")
    rows = rows[(rows["mode"] == "agg") & (rows.backend == "vllm") & (rows.attention_dp_size == 1) & (rows.pp_size == 1)
                & ((rows.moe_ep_size == 1) | rows.moe_ep_size.isna())]  # fmt: skip
    names = {("meta-llama/Llama-3.1-70B", "fp8"): "llama-3.1-70b-fp8", ("openai/gpt-oss-120b", "fp4"): "gpt-oss-120b"}
    kept = []
    for row in rows.itertuples():
        model = names.get((row.model_path, row.precision))
        if any(gpu == row.system and name == model and row.tp_size in sizes for gpu, name, sizes in CONFIGURATIONS):
            kept.append((row.id, row.system, model, int(row.tp_size), int(row.isl), int(row.osl), int(row.batch_size),
                         round(row.silicon_ttft_ms, 2), round(row.silicon_tpot_ms, 4)))  # fmt: skip
    columns = ["id", "gpu", "model", "tp", "input", "output", "concurrency", "ttft_ms", "tpot_ms"]
    return pd.DataFrame(kept, columns=columns).sort_values(["gpu", "model", "tp", "input", "output", "concurrency"])


def main() -> None:
    """Write the tables."""
    from safetensors.numpy import save_file

    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    root = Path(sys.argv[1])
    made: dict[str, Any] = {}
    for gpu in GPUS:
        tables = Tables(root, gpu)
        for one, name, sizes in CONFIGURATIONS:
            for tp in sizes if one == gpu else ():
                for part, values in configuration(tables, MODELS[name], tp).items():
                    made[f"{gpu}/{name}/{tp}/{part}"] = np.asarray(values, np.float32)
                print(gpu, name, tp)
    save_file(made, HOME / "tables.safetensors")
    rows = measured(root)
    # Ids repeat what the other columns say.
    rows.drop(columns="id").to_csv(HOME / "measured.csv", index=False)
    print(f"{sum(array.nbytes for array in made.values())} bytes of tables, {len(rows)} measured rows")


if __name__ == "__main__":
    main()
