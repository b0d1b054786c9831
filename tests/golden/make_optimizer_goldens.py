"""Weights after a few steps of other implementations' optimizers: tests/golden/optimizers.json.

usage: make_optimizer_goldens.py > optimizers.json

torch 2.15.0 (AdamW, SGD, RMSprop), transformers 5.23.0 (Adafactor), lion-pytorch 0.2.5, torchao 0.18.0 (AdamW8bit, uncompiled).
Weights and gradients are functions of their place and the step, which the test computes again:
  w[i] = sin(0.7 i + 0.1), g[i] of step t = cos(1.3 i + 0.9 t) * (0.2 + 0.1 t), in float64, rounded to float32.
TensorFlow's epsilon has no oracle here: it is Kingma & Ba's "epsilon hat" computed in float64.
"""
import json, math, warnings
import torch
torch.compile = lambda f, **_: f
warnings.filterwarnings("ignore")
import torchao.optim.adam as ao
from lion_pytorch import Lion
from transformers.optimization import Adafactor

STEPS, LR = 6, 0.01


def start(shape):
    n = math.prod(shape)
    return torch.tensor([math.sin(0.7 * i + 0.1) for i in range(n)], dtype=torch.float64).float().reshape(shape)


def gradient(shape, t):
    n = math.prod(shape)
    return torch.tensor([math.cos(1.3 * i + 0.9 * t) * (0.2 + 0.1 * t) for i in range(n)], dtype=torch.float64).float().reshape(shape)


cases = []


def add(name, options, make, shape):
    w = torch.nn.Parameter(start(shape))
    optimizer = make([w])
    for t in range(1, STEPS + 1):
        w.grad = gradient(shape, t)
        optimizer.step()
    stride = max(1, w.numel() // 40)
    cases.append(dict(name=name, options=options, shape=list(shape), stride=stride, want=[float(f"{v:.9g}") for v in w.detach().flatten()[::stride].tolist()]))


class Epsilon_hat:
    def __init__(self, params, decay, corrects):
        self.w, self.decay, self.corrects, self.t = params[0], decay, corrects, 0
        self.m = torch.zeros_like(self.w, dtype=torch.float64)
        self.v = torch.zeros_like(self.m)

    def step(self):
        self.t += 1
        g = self.w.grad.double()
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + 0.001 * g * g
        rate = LR * math.sqrt(1 - 0.999**self.t) / (1 - 0.9**self.t) if self.corrects else LR
        w = self.w.detach().double()
        w = w - LR * self.decay * w - rate * self.m / (self.v.sqrt() + 1e-6)
        self.w.data = w.float()


for shape in ((5, 8), (11,)):
    add("adamw", dict(weight_decay=0.1, beta2=0.95), lambda p: torch.optim.AdamW(p, LR, betas=(0.9, 0.95), weight_decay=0.1), shape)
    add("adamw", dict(weight_decay=0.01, epsilon=1e-6, epsilon_kind="tensorflow"), lambda p: Epsilon_hat(p, 0.01, True), shape)
    add("adamw", dict(weight_decay=0.01, epsilon=1e-6, has_bias_correction=False), lambda p: Epsilon_hat(p, 0.01, False), shape)
    add("sgd", dict(weight_decay=0.1), lambda p: torch.optim.SGD(p, LR, weight_decay=0.1), shape)
    add("sgd", dict(weight_decay=0.0, momentum=0.9, dampening=0.2), lambda p: torch.optim.SGD(p, LR, momentum=0.9, dampening=0.2), shape)
    add("sgd", dict(weight_decay=0.1, momentum=0.9, is_nesterov=True), lambda p: torch.optim.SGD(p, LR, momentum=0.9, nesterov=True, weight_decay=0.1), shape)
    add("rmsprop", dict(weight_decay=0.1), lambda p: torch.optim.RMSprop(p, LR, weight_decay=0.1), shape)
    add("lion", dict(weight_decay=0.1, beta2=0.99), lambda p: Lion(p, LR, betas=(0.9, 0.99), weight_decay=0.1, decoupled_weight_decay=False), shape)
    for scales in (False, True):
        add("adafactor", dict(weight_decay=0.1, scales_by_parameter=scales), lambda p: Adafactor(p, lr=LR, weight_decay=0.1, relative_step=False, scale_parameter=scales), shape)
add("adamw8bit", dict(weight_decay=0.1), lambda p: ao.AdamW8bit(p, LR, weight_decay=0.1), (16, 512))
add("adamw8bit", dict(weight_decay=0.1), lambda p: ao.AdamW8bit(p, LR, weight_decay=0.1), (11,))

# clip_grad_norm_ of the two gradients of step 1
parameters = [torch.nn.Parameter(start(s)) for s in ((5, 8), (11,))]
for p in parameters:
    p.grad = gradient(p.shape, 1)
norm = torch.nn.utils.clip_grad_norm_(parameters, 0.5).item()
clip = dict(max_norm=0.5, norm=norm, clipped=[float(f"{v:.9g}") for v in parameters[1].grad.tolist()])

print(json.dumps(dict(steps=STEPS, learning_rate=LR, cases=cases, clip=clip), separators=(",", ":")))
