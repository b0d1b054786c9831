#include "atelier/serve/model_json.h"

#include "atelier/serve/served_model.h"

namespace atelier::serve {

Json model_json(const ServedModel& model) {
  Json json = Json::object().set("id", model.name()).set("object", "model").set("created", model.created_s()).set("owned_by", "atelier");
  return json.set("context_length", model.context());
}

}  // namespace atelier::serve
