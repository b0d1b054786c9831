"""What other implementations' samplers do to small sets of logits: tests/golden/samplers.json.

usage: make_sampler_goldens.py > samplers.json

transformers 5.23.0 (torch 2.15.0): LogitsProcessors; a removed token is null.
llama-cpp-python 0.3.36: llama_sampler_init_dry on SmolLM2's vocabulary (path in $SMOLLM2_GGUF); of
its logits, all 0 before, only the changed ones are stored.
"""
import ctypes, json, math, os, random
import torch
from transformers.generation import logits_process as lp

random.seed(20261123)
cases = []


def rounded(values):
    return [None if math.isinf(v) else float(f"{v:.9g}") for v in values]


def logits(n, kind):
    if kind == "peaked":
        return [random.gauss(0, 4) for _ in range(n)]
    if kind == "flat":
        return [random.gauss(0, 0.2) for _ in range(n)]
    return [float(random.randint(-3, 3)) for _ in range(n)]  # many ties


def add(option, value, processor, n, kind, tokens=()):
    x = torch.tensor([rounded(logits(n, kind))], dtype=torch.float32)
    y = processor(torch.tensor([list(tokens)], dtype=torch.long), x.clone())
    cases.append(dict(option=option, value=value, tokens=list(tokens), logits=rounded(x[0].tolist()), want=rounded(y[0].tolist())))


for kind in ("peaked", "flat", "ties"):
    for n in (5, 40, 200):
        for k in (1, 3, 20):
            add("top_k", k, lp.TopKLogitsWarper(k), n, kind)
        for p in (0.1, 0.5, 0.95):
            if kind != "ties":  # torch's unstable sort decides which of equal tokens stay
                add("top_p", p, lp.TopPLogitsWarper(p), n, kind)
            add("typical_p", p, lp.TypicalLogitsWarper(p), n, kind)
        for p in (0.01, 0.2, 1.0):
            add("min_p", p, lp.MinPLogitsWarper(p), n, kind)
        for t in (0.3, 1.7):
            add("temperature", t, lp.TemperatureLogitsWarper(t), n, kind)
        for r in (0.8, 1.3):
            add("repetition_penalty", r, lp.RepetitionPenaltyLogitsProcessor(r), n, kind, [random.randrange(n) for _ in range(12)])

import llama_cpp as L

quiet = L.llama_log_callback(lambda *_: None)
L.llama_log_set(quiet, ctypes.c_void_p(0))
L.llama_backend_init()
params = L.llama_model_default_params()
params.vocab_only = True
model = L.llama_model_load_from_file(os.environ["SMOLLM2_GGUF"].encode(), params)
vocab = L.llama_model_get_vocab(model)
V = L.llama_vocab_n_tokens(vocab)


def changed(sampler, tokens):
    for token in tokens:
        L.llama_sampler_accept(sampler, token)
    data = (L.llama_token_data * V)(*[L.llama_token_data(i, 0.0, 0.0) for i in range(V)])
    array = L.llama_token_data_array(data, V, -1, False)
    L.llama_sampler_apply(sampler, ctypes.byref(array))
    L.llama_sampler_free(sampler)
    return {str(data[i].id): float(f"{data[i].logit:.7g}") for i in range(V) if data[i].logit != 0}


dry = []
for _ in range(40):
    alphabet = random.sample(range(1000, 1100), random.choice([1, 2, 3, 6]))
    tokens = [random.choice(alphabet) for _ in range(random.choice([3, 12, 60]))]
    multiplier, base, allowed, window = random.choice([0.5, 1.0]), random.choice([1.2, 1.75]), random.choice([1, 2, 4]), random.choice([0, 10])
    sampler = L.llama_sampler_init_dry(vocab, multiplier, base, allowed, window or 8192, None, 0)
    dry.append(dict(multiplier=multiplier, base=base, allowed=allowed, window=window, tokens=tokens, want=changed(sampler, tokens)))

print(json.dumps(dict(transformers=cases, dry=dry), separators=(",", ":")))
