"""Rewrites a config of transformers 5 as the checkpoints of 2023-2025 have it.

transformers 5                                   before
dtype                                            torch_dtype
rope_parameters {rope_type default, rope_theta}  rope_theta, rope_scaling null
rope_parameters {rope_type X, rope_theta, ...}   rope_theta, rope_scaling {rope_type or type X, ...}
rope_parameters.partial_rotary_factor            partial_rotary_factor
rope_parameters {full_attention, sliding_...}    rope_theta, rope_scaling, rope_local_base_freq
layer_types                                      absent: follows from max_window_layers or sliding_window_pattern
"""

import copy
from typing import Any

OLD_VERSION = "4.44.2"


def old_rope(parameters: dict[str, Any], type_key: str, keeps_original: bool) -> dict[str, Any]:
    """The old keys for one flat rope_parameters object."""
    scaling = dict(parameters)
    old = {"rope_theta": scaling.pop("rope_theta"), "rope_scaling": None}
    if "partial_rotary_factor" in scaling:
        old["partial_rotary_factor"] = scaling.pop("partial_rotary_factor")
    kind = scaling.pop("rope_type")
    if not keeps_original:  # Phi-3 states it beside rope_scaling
        scaling.pop("original_max_position_embeddings", None)
    if kind != "default":
        old["rope_scaling"] = {**scaling, type_key: kind}
    return old


def old_form(config: dict[str, Any], type_key: str = "rope_type") -> dict[str, Any]:
    """`config` as transformers 5 wrote it -> the older spelling of the same model."""
    old = {key: old_form(value, type_key) if key.endswith("_config") and isinstance(value, dict) else copy.deepcopy(value)
           for key, value in config.items() if not key.startswith("_")}
    if "dtype" in old:
        old["torch_dtype"] = old.pop("dtype")
    if "transformers_version" in old:
        old["transformers_version"] = OLD_VERSION
    old.pop("layer_types", None)
    old.pop("use_bidirectional_attention", None)
    parameters = old.pop("rope_parameters", None)
    if parameters is None:
        return old
    if "full_attention" in parameters:
        old["rope_local_base_freq"] = parameters["sliding_attention"]["rope_theta"]
        parameters = parameters["full_attention"]
    old.update(old_rope(parameters, type_key, keeps_original="original_max_position_embeddings" not in config))
    return old


def apply_edits(config: dict[str, Any], edits: dict[str, Any], drop: object) -> None:
    """Sets each dotted key of `edits` in `config`; the value `drop` removes the key."""
    for dotted, value in edits.items():
        *path, key = dotted.split(".")
        target = config
        for part in path:
            target = target[part]
        if value is drop:
            target.pop(key, None)
        else:
            target[key] = value
