#include "atelier/serve/model_json.h"

namespace atelier::serve {

Json model_json(const EngineThread::Known& known) {
  Json json = Json::object().set("id", known.name).set("object", "model").set("created", known.since_s).set("owned_by", "atelier");
  json.set("loaded", known.model != nullptr);
  if (known.model) json.set("context_length", known.model->context());
  return json;
}

}  // namespace atelier::serve
