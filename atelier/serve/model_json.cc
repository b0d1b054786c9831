#include "atelier/serve/model_json.h"

namespace atelier::serve {
namespace {

// What it may be asked for.
Json tasks_of(const ServedModel& model) {
  const nn::TransformerSpec& spec = model.model().spec();
  Json tasks = Json::array();
  if (model.has_engine()) tasks.push_back("generate");
  if (model.encoder() != nullptr) tasks.push_back("embed");
  if (model.model().is_encoder() && spec.has_language_head) tasks.push_back("fill");
  if (spec.head.kind == nn::HeadKind::kSequence) tasks.push_back(spec.head.num_labels == 1 ? "rerank" : "classify");
  return tasks;
}

}  // namespace

Json model_json(const EngineThread::Known& known) {
  Json json = Json::object().set("id", known.name).set("object", "model").set("created", known.since_s).set("owned_by", "atelier");
  json.set("loaded", known.model != nullptr);
  if (known.model) json.set("context_length", known.model->context()).set("tasks", tasks_of(*known.model));
  return json;
}

}  // namespace atelier::serve
