// Marian's translation models of two vocabularies: an embedding for each stack.
#include "atelier/models/bart_config.h"

namespace atelier::models {
namespace {

Result<nn::TransformerSpec> from_hf(const Json& config) { return hf_marian(config, "marian_pair"); }

constexpr const char* kClasses[] = {"MarianMTModel"};

constexpr NameRule kNames[] = {
    {"embedding", "model.decoder.embed_tokens", nullptr},
    {"encoder.embedding", "model.encoder.embed_tokens", nullptr},
};

}  // namespace

extern const ArchDef arch_marian_pair;
const ArchDef arch_marian_pair = {.name = "marian_pair",
                                  .summary = "Marian's translation models of two vocabularies",
                                  .paper = "Junczys-Dowmunt et al. 2018, arXiv:1804.00344",
                                  .hf_classes = kClasses,
                                  .from_hf = from_hf,
                                  .names = kNames,
                                  .body_names = kBartNames,
                                  .is_of = has_two_embeddings};

}  // namespace atelier::models
