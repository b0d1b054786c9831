// Where keys and values lie in a page of memory.
//
// A page holds what kernels::kKeyTile (64) consecutive tokens of one sequence have in all layers: [L][G][keys, values], in
// tiles (kernels/kv_tile.h).
// Its bytes say nothing about the sequence or the place in it, so that pages can be shared, moved and saved as they are.
#pragma once

#include <cstdint>

#include "atelier/kernels/kv_tile.h"
#include "atelier/nn/spec.h"

namespace atelier::nn {

struct KvLayout {
  DType dtype = DType::kF16;  // kF32, kF16 or kQ8_0
  int64_t num_layers = 0;     // L
  int64_t num_kv_heads = 0;   // G
  int64_t head_dim = 0;       // D

  KvLayout() = default;
  KvLayout(const TransformerSpec& spec, DType type)
      : dtype(type), num_layers(spec.num_layers()), num_kv_heads(spec.num_kv_heads), head_dim(spec.head_dim) {}

  // One layer in a page. A multiple of 64: in a page that is aligned to a cache line, every head's keys and values are.
  int64_t layer_bytes() const { return num_kv_heads * 2 * kernels::kv_tile_bytes(dtype, head_dim); }
  int64_t page_bytes() const { return num_layers * layer_bytes(); }
  static int64_t num_pages(int64_t tokens) { return (tokens + kernels::kKeyTile - 1) / kernels::kKeyTile; }

  // `pages` has to outlive the view; pages[i] holds tokens 64 i .. 64 i + 63.
  kernels::KvView view(int64_t layer, uint8_t* const* pages) const { return {dtype, pages, layer * layer_bytes()}; }
};

}  // namespace atelier::nn
