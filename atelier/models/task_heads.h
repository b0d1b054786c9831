// Encoders with a new head: what an architecture's own class with that head is made of, over a body that is there.
#pragma once

#include "atelier/base/status.h"
#include "atelier/models/arch.h"

namespace atelier::models {

// What the names of transformers' classes with this head end with: "ForTokenClassification".
const char* class_ending(nn::HeadKind kind);

// `body` with this head in place of its own ones. Pooler, dense layer and activation are those of the architecture's class in transformers
// ("BertForTokenClassification"); kSpan and kChoice know their number of labels. Unsupported where it has no such class.
Result<nn::TransformerSpec> with_task_head(const ArchDef& arch, nn::TransformerSpec body, const nn::HeadSpec& head);

}  // namespace atelier::models
