#include "atelier/models/task_heads.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "atelier/base/error.h"

namespace atelier::models {

const char* class_ending(nn::HeadKind kind) {
  switch (kind) {
    case nn::HeadKind::kNextSentence:
      return "ForNextSentencePrediction";
    case nn::HeadKind::kSequence:
      return "ForSequenceClassification";
    case nn::HeadKind::kChoice:
      return "ForMultipleChoice";
    case nn::HeadKind::kToken:
      return "ForTokenClassification";
    case nn::HeadKind::kSpan:
      return "ForQuestionAnswering";
    case nn::HeadKind::kNone:
      break;
  }
  throw InternalError("no head has no class");
}

Result<nn::TransformerSpec> with_task_head(const ArchDef& arch, nn::TransformerSpec body, const nn::HeadSpec& head) {
  const std::string_view ending = class_ending(head.kind);
  const auto found = std::ranges::find_if(arch.hf_classes, [&](std::string_view name) { return name.ends_with(ending); });
  if (found == arch.hf_classes.end()) {
    return Status::unsupported(std::string("head: ") + arch.name + " has no class ..." + std::string(ending) +
                               "; use an encoder that has one");
  }
  // The class at default sizes shows how it builds its head.
  Json config = Json::object().set("architectures", Json::Array{Json(*found)});
  if (head.num_labels > 0) config.set("num_labels", head.num_labels);
  ATELIER_TRY(const nn::TransformerSpec model, arch.from_hf(config));
  body.has_language_head = body.has_head_transform = body.has_head_bias = body.has_tied_head = false;
  body.has_pooler = model.has_pooler;
  body.head = model.head;
  body.head.problem = head.problem;
  body.head.labels = head.labels;
  return body;
}

}  // namespace atelier::models
