"""Small GGUF and safetensors files as their own Python packages write them: tests/golden/format/.

usage: make_format_goldens.py tests/golden/format

gguf 0.19.0, safetensors (pip's current, format is frozen), torch 2.15.0, numpy. Tensor values are arange, so that the test can
state them: atelier/format/python_files_test.cc.
"""
import json, os, sys
import numpy as np
import torch
import gguf
from safetensors.torch import save_file

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)


def add_all_kinds(writer):
    writer.add_uint8("kinds.u8", 255)
    writer.add_int8("kinds.i8", -128)
    writer.add_uint16("kinds.u16", 65535)
    writer.add_int16("kinds.i16", -32768)
    writer.add_uint32("kinds.u32", 4294967295)
    writer.add_int32("kinds.i32", -2147483648)
    writer.add_uint64("kinds.u64", 2**64 - 1)
    writer.add_key_value("kinds.i64", -(2**63), gguf.GGUFValueType.INT64)
    writer.add_float32("kinds.f32", 1e-5)
    writer.add_float64("kinds.f64", 0.1)
    writer.add_bool("kinds.bool", True)
    writer.add_string("kinds.string", "ü\n\"x\"")
    writer.add_array("kinds.strings", ["<s>", "", "Ġthe", "▁a"])
    writer.add_array("kinds.floats", [0.0, -1.5, 2.0])
    writer.add_array("kinds.ints", [1, -2, 3])
    writer.add_array("kinds.bools", [True, False, True])


def add_tensors(writer):
    writer.add_tensor("f32", np.arange(6, dtype=np.float32).reshape(2, 3))
    writer.add_tensor("f16", np.arange(24, dtype=np.float16).reshape(2, 3, 4))
    writer.add_tensor("i32", np.arange(5, dtype=np.int32))
    q8 = gguf.quants.quantize(np.arange(128, dtype=np.float32).reshape(2, 64), gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("q8_0", q8, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    bf16 = gguf.quants.quantize(np.arange(8, dtype=np.float32).reshape(1, 8), gguf.GGMLQuantizationType.BF16)
    writer.add_tensor("bf16", bf16, raw_dtype=gguf.GGMLQuantizationType.BF16)


def write(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


single = gguf.GGUFWriter(f"{folder}/single.gguf", "golden")
add_all_kinds(single)
add_tensors(single)
write(single)

aligned = gguf.GGUFWriter(f"{folder}/aligned.gguf", "golden")
aligned.add_custom_alignment(256)
add_tensors(aligned)
write(aligned)

split = gguf.GGUFWriter(f"{folder}/split.gguf", "golden", split_max_tensors=2)
add_tensors(split)
write(split)

tensors = {
    "f64": torch.arange(4, dtype=torch.float64),
    "f32": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "f16": torch.arange(6, dtype=torch.float16).reshape(3, 2),
    "bf16": torch.arange(8, dtype=torch.bfloat16).reshape(2, 2, 2),
    "i64": torch.arange(3, dtype=torch.int64),
    "i8": torch.arange(3, dtype=torch.int8),
    "mask": torch.tensor([True, False, True]),
    "scalar": torch.tensor(7.0),
    "empty": torch.zeros((0, 4)),
}
save_file(tensors, f"{folder}/single.safetensors", metadata={"format": "pt", "note": "ü"})

os.makedirs(f"{folder}/sharded", exist_ok=True)
names = list(tensors)
weight_map = {}
for i, part in enumerate((names[:4], names[4:])):
    file = f"model-{i + 1:05d}-of-00002.safetensors"
    save_file({name: tensors[name] for name in part}, f"{folder}/sharded/{file}", metadata={"format": "pt"})
    weight_map.update({name: file for name in part})
with open(f"{folder}/sharded/model.safetensors.index.json", "w") as f:
    json.dump({"metadata": {"total_size": 0}, "weight_map": weight_map}, f, indent=2)
