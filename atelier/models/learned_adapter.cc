#include "atelier/models/learned_adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "atelier/base/hash.h"
#include "atelier/base/rng.h"
#include "atelier/base/strings.h"
#include "atelier/nn/initialise.h"
#include "atelier/parallel/parallel.h"
#include "atelier/tensor/matrix_rows.h"

namespace atelier::models {
namespace {

uint64_t stream_of(const std::string& name) { return hash_values(std::span(name.data(), name.size())); }

Tensor ones(int64_t count) {
  Tensor out = Tensor::zeros(DType::kF32, {count});
  std::fill_n(out.f32(), count, 1.0f);
  return out;
}

// sum_k W[n, k]^2
Tensor row_squares(const Tensor& weight) {
  Tensor squares = Tensor::zeros(DType::kF32, {weight.dim(0)});
  parallel_for(weight.dim(0), 16, [&](int64_t begin, int64_t end, int) {
    std::vector<float> row(static_cast<size_t>(weight.dim(1)));
    for (int64_t n = begin; n < end; ++n) {
      read_row(weight, n, row.data());
      double sum = 0;
      for (const float value : row) sum += static_cast<double>(value) * value;
      squares.f32()[n] = static_cast<float>(sum);
    }
  });
  return squares;
}

class Maker {
 public:
  Maker(const ArchDef& arch, const nn::TransformerSpec& spec, const nn::TransformerParameters& weights, const LoraOptions& lora,
        const AdapterOptions& options, uint64_t seed)
      : arch_(arch), spec_(spec), weights_(weights), lora_(lora), options_(options), seed_(seed) {
    adapter_.layers.resize(weights.layers.size());
  }

  Result<nn::Adapter> make() {
    switch (options_.kind) {
      case AdapterKind::kIa3:
        scale_activations();
        break;
      case AdapterKind::kPrompt:
        ATELIER_RETURN_IF_ERROR(check_virtual());
        draw_prompt();
        break;
      case AdapterKind::kPrefix:
        ATELIER_RETURN_IF_ERROR(check_virtual());
        draw_prefix();
        break;
      case AdapterKind::kBottleneck:
        ATELIER_RETURN_IF_ERROR(draw_bottlenecks());
        break;
      default:
        ATELIER_RETURN_IF_ERROR(draw_low_rank());
    }
    return std::move(adapter_);
  }

 private:
  std::string module_of(const std::string& logical) const {
    const std::string name = stored_parameter(arch_, Layout::kHuggingFace, logical + ".weight").name;
    return name.substr(0, name.rfind('.'));
  }

  Status draw_low_rank() {
    for (const int64_t layer : lora_.layers) {
      if (layer < 0 || layer >= spec_.num_layers()) {
        return Status::invalid(fmt::format("lora: block {}, the model has 0 to {}; correct lora.layers", layer, spec_.num_layers() - 1));
      }
    }
    int64_t num_targeted = 0;
    for (int64_t i = 0; i < spec_.num_layers(); ++i) {
      const auto linears = nn::projections_of(weights_.layers[static_cast<size_t>(i)]);
      for (size_t p = 0; p < linears.size(); ++p) {
        if (!linears[p]->weight) continue;  // no gate
        const std::string projection = nn::kProjectionNames[p], name = fmt::format("layers.{}.{}", i, projection);
        ATELIER_TRY(const bool is_wanted, is_targeted(lora_.targets, projection.substr(projection.find('.') + 1), module_of(name)));
        num_targeted += is_wanted;
        if (!is_wanted || (!lora_.layers.empty() && std::ranges::find(lora_.layers, i) == lora_.layers.end())) continue;
        ATELIER_RETURN_IF_ERROR(draw_linear(name, linears[p]->weight, adapter_.layers[static_cast<size_t>(i)].linears[p]));
      }
    }
    const bool has_embedding = std::ranges::find(lora_.targets, "embedding") != lora_.targets.end();
    if (lora_.has_magnitudes) ATELIER_RETURN_IF_ERROR(check_magnitudes(has_embedding));
    if (has_embedding) draw_embedding();
    if (num_targeted == 0 && !has_embedding) {
      return Status::invalid(fmt::format("lora: no linear layer is called {}; use q, k, v, o, gate, up or down, or names as {}",
                                         quoted(join(lora_.targets, ", ")), module_of("layers.0.attention.q")));
    }
    return {};
  }

  // The file has one vector of lengths for a module, whose rows all count: there is none for a part of it, nor for the embedding.
  Status check_magnitudes(bool has_embedding) const {
    if (has_embedding)
      return Status::invalid("lora: dora knows no lengths of the embedding; take it out of lora.targets, or leave out dora");
    for (size_t i = 0; i < adapter_.layers.size(); ++i) {
      const auto linears = nn::projections_of(weights_.layers[i]);
      std::map<std::string, std::pair<int, int>> modules;  // how many of its linear layers have lengths, and how many there are
      for (size_t p = 0; p < linears.size(); ++p) {
        if (!linears[p]->weight) continue;
        auto& [num_drawn, num_all] = modules[module_of(fmt::format("layers.{}.{}", i, nn::kProjectionNames[p]))];
        num_drawn += static_cast<bool>(adapter_.layers[i].linears[p].magnitude);
        ++num_all;
      }
      for (const auto& [module, counts] : modules) {
        if (counts.first == 0 || counts.first == counts.second) continue;
        return Status::invalid(
            fmt::format("lora: dora on {} of {} linear layers that checkpoints keep as one, {}; target all, or leave out dora",
                        counts.first, counts.second, module));
      }
    }
    return {};
  }

  Status draw_linear(const std::string& name, const Tensor& weight, nn::LinearAdapter& out) {
    const std::string module = module_of(name);
    ATELIER_TRY(const double rank, pattern_value(lora_.ranks, module, static_cast<double>(lora_.rank)));
    ATELIER_TRY(const double alpha, pattern_value(lora_.alphas, module, lora_.alpha));
    const auto R = static_cast<int64_t>(rank);
    if (R < 1 || static_cast<double>(R) != rank) {
      return Status::invalid(fmt::format("lora: rank {} of {}, must be a whole number above 0; correct lora.rank_pattern", rank, module));
    }
    out.low_rank.a = Tensor::zeros(DType::kF32, {R, weight.dim(1)});
    out.low_rank.b = Tensor::zeros(DType::kF32, {weight.dim(0), R});
    out.low_rank.scale = static_cast<float>(alpha / (lora_.is_rank_stabilized ? std::sqrt(rank) : rank));
    nn::initialise_low_rank(name, seed_, out.low_rank.a);
    if (!lora_.has_magnitudes) return {};
    out.squares = row_squares(weight);
    out.magnitude = Tensor::zeros(DType::kF32, {weight.dim(0)});
    for (int64_t n = 0; n < weight.dim(0); ++n) out.magnitude.f32()[n] = std::sqrt(out.squares.f32()[n]);
    return {};
  }

  // The other way round than linear layers: what is looked up is zero, what multiplies it is random.
  void draw_embedding() {
    const auto rank = static_cast<double>(lora_.rank);
    adapter_.embedding.a = Tensor::zeros(DType::kF32, {spec_.vocab_size, lora_.rank});
    adapter_.embedding.b = Tensor::zeros(DType::kF32, {spec_.width, lora_.rank});
    adapter_.embedding.scale = static_cast<float>(lora_.alpha / (lora_.is_rank_stabilized ? std::sqrt(rank) : rank));
    nn::fill_normal(seed_, stream_of("embedding.lora_b"), 1, adapter_.embedding.b);
  }

  void scale_activations() {
    for (size_t i = 0; i < adapter_.layers.size(); ++i) {
      const auto linears = nn::projections_of(weights_.layers[i]);
      for (const nn::Projection projection : {nn::Projection::kK, nn::Projection::kV, nn::Projection::kDown}) {
        const auto p = static_cast<size_t>(projection);
        nn::LinearAdapter& out = adapter_.layers[i].linears[p];
        const Tensor& weight = linears[p]->weight;
        (projection == nn::Projection::kDown ? out.input_scale : out.output_scale) =
            ones(weight.dim(projection == nn::Projection::kDown ? 1 : 0));
      }
    }
  }

  Status check_virtual() {
    if (options_.num_virtual < 1) return Status::invalid("adapter: 0 virtual tokens; give adapter.tokens at least 1");
    adapter_.num_virtual = options_.num_virtual;
    return {};
  }

  // Rows of the embedding, of tokens drawn at random (Lester et al. 2021, section 3.2).
  void draw_prompt() {
    adapter_.prompt = Tensor::zeros(DType::kF32, {options_.num_virtual, spec_.width});
    for (int64_t i = 0; i < options_.num_virtual; ++i) {
      const double u = random_uniform(seed_, stream_of("prompt"), static_cast<uint64_t>(i));
      float* row = adapter_.prompt.f32() + i * spec_.width;
      read_row(weights_.embedding, static_cast<int64_t>(u * static_cast<double>(spec_.vocab_size)), row);
      for (int64_t c = 0; c < spec_.width; ++c) row[c] *= spec_.embedding_scale;
    }
  }

  void draw_prefix() {
    for (size_t i = 0; i < adapter_.layers.size(); ++i) {
      for (Tensor* table : {&adapter_.layers[i].prefix_keys, &adapter_.layers[i].prefix_values}) {
        *table = Tensor::zeros(DType::kF32, {options_.num_virtual, spec_.num_kv_heads * spec_.head_dim});
        const bool is_keys = table == &adapter_.layers[i].prefix_keys;
        nn::fill_normal(seed_, stream_of(fmt::format("layers.{}.prefix_{}", i, is_keys ? "keys" : "values")), 0.02f, *table);
      }
    }
  }

  Status draw_bottlenecks() {
    if (spec_.norm_placement != nn::NormPlacement::kPre) {
      return Status::unsupported("adapter: bottlenecks need blocks with one norm before each sublayer; this architecture has others");
    }
    const auto activation = options_.activation == "swish"  ? kernels::Activation::kSilu
                            : options_.activation == "gelu" ? kernels::Activation::kGelu
                                                            : kernels::Activation::kRelu;
    const auto draw = [&](const std::string& name) {
      nn::Bottleneck out;
      out.down = Tensor::zeros(DType::kF32, {options_.width, spec_.width});
      out.down_bias = Tensor::zeros(DType::kF32, {options_.width});
      out.up = Tensor::zeros(DType::kF32, {spec_.width, options_.width});
      out.up_bias = Tensor::zeros(DType::kF32, {spec_.width});
      out.activation = activation;
      out.reads_residual = !options_.is_double;
      nn::fill_normal(seed_, stream_of(name), 0.02f, out.down);
      return out;
    };
    for (size_t i = 0; i < adapter_.layers.size(); ++i) {
      if (options_.is_double) adapter_.layers[i].attention = draw(fmt::format("layers.{}.attention.bottleneck", i));
      adapter_.layers[i].mlp = draw(fmt::format("layers.{}.mlp.bottleneck", i));
    }
    return {};
  }

  const ArchDef& arch_;
  const nn::TransformerSpec& spec_;
  const nn::TransformerParameters& weights_;
  const LoraOptions& lora_;
  const AdapterOptions& options_;
  uint64_t seed_;
  nn::Adapter adapter_;
};

}  // namespace

Result<nn::Adapter> new_adapter(const ArchDef& arch, const nn::TransformerSpec& spec, const nn::TransformerParameters& weights,
                                const LoraOptions& lora, const AdapterOptions& options, uint64_t seed) {
  return Maker(arch, spec, weights, lora, options, seed).make();
}

void compute_gains(const nn::TransformerParameters& weights, nn::Adapter& adapter) {
  for (size_t i = 0; i < adapter.layers.size(); ++i) {
    const auto linears = nn::projections_of(weights.layers[i]);
    for (size_t p = 0; p < linears.size(); ++p) {
      nn::LinearAdapter& linear = adapter.layers[i].linears[p];
      if (!linear.magnitude) continue;
      const Tensor& weight = linears[p]->weight;
      linear.gain = Tensor::zeros(DType::kF32, {weight.dim(0)});
      parallel_for(weight.dim(0), 16, [&](int64_t begin, int64_t end, int) {
        std::vector<float> row(static_cast<size_t>(weight.dim(1)));
        for (int64_t n = begin; n < end; ++n) {
          read_row(weight, n, row.data());
          linear.gain.f32()[n] = linear.magnitude.f32()[n] / nn::adapted_length(linear.low_rank, n, weight.dim(1), row.data());
        }
      });
    }
  }
}

}  // namespace atelier::models
