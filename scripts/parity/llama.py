"""llama.cpp's logits, from the low-level calls of llama-cpp-python 0.3.36 (numpy 2.4.6): a file without a vocabulary works too.

Exact means float32 keys and values and no flash attention; otherwise llama.cpp's defaults (float16, flash attention).
"""
import ctypes

import llama_cpp
import numpy as np

_quiet = llama_cpp.llama_log_callback(lambda *_: None)
llama_cpp.llama_log_set(_quiet, ctypes.c_void_p(0))
llama_cpp.llama_backend_init()


class LlamaCpp:
    """One model with one sequence."""

    def __init__(self, path: str, context: int = 512, exact: bool = True, threads: int = 1) -> None:
        self._model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
        if not self._model:
            raise SystemExit(f"parity: error: llama.cpp cannot load {path}")
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = max(256, context)
        params.n_threads = params.n_threads_batch = threads
        if exact:
            params.type_k = params.type_v = llama_cpp.GGML_TYPE_F32
        params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED if exact else llama_cpp.LLAMA_FLASH_ATTN_TYPE_ENABLED
        self._context = llama_cpp.llama_init_from_model(self._model, params)
        self._batch = llama_cpp.llama_batch_init(params.n_batch, 0, 1)
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._length = 0
        self.vocab_size = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self.adds_bos = llama_cpp.llama_vocab_get_add_bos(self._vocab)
        self.bos = llama_cpp.llama_vocab_bos(self._vocab)

    def close(self) -> None:
        llama_cpp.llama_batch_free(self._batch)
        llama_cpp.llama_free(self._context)
        llama_cpp.llama_model_free(self._model)

    def __enter__(self) -> "LlamaCpp":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def tokenize(self, text: str) -> list[int]:
        """Ids with BOS where the model adds one; no text becomes a special token."""
        raw = text.encode()
        ids = (llama_cpp.llama_token * (len(raw) + 8))()
        return list(ids[:llama_cpp.llama_tokenize(self._vocab, raw, len(raw), ids, len(ids), self.adds_bos, False)])

    def clear(self) -> None:
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), True)
        self._length = 0

    def forward(self, ids: list[int], num_logits: int | None = None) -> np.ndarray:
        """Runs ids behind what came before; [num_logits, V] float32 of the last ones (default: all)."""
        first = len(ids) - (len(ids) if num_logits is None else num_logits)
        self._batch.n_tokens = len(ids)
        for i, token in enumerate(ids):
            self._batch.token[i], self._batch.pos[i] = token, self._length + i
            self._batch.n_seq_id[i], self._batch.seq_id[i][0], self._batch.logits[i] = 1, 0, i >= first
        if llama_cpp.llama_decode(self._context, self._batch) != 0:
            raise SystemExit(f"parity: error: llama.cpp cannot run {len(ids)} tokens")
        self._length += len(ids)
        width = (self.vocab_size,)
        return np.stack([np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(self._context, i), width) for i in range(first, len(ids))])

    def is_end(self, token: int) -> bool:
        return llama_cpp.llama_vocab_is_eog(self._vocab, token)
