// POST /tokenize: a text as the model's tokens.
#include "atelier/serve/endpoint.h"
#include "atelier/serve/generation_options.h"

namespace atelier::serve {
namespace {

// A piece as text; as its bytes where they are no whole character.
Json piece_of(const generate::TokenText& text, int32_t id) {
  const std::string bytes = text.bytes(id);
  if (bytes == text(id)) return Json(bytes);
  Json array = Json::array();
  for (const unsigned char byte : bytes) array.push_back(static_cast<int>(byte));
  return array;
}

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_model(text_or(call.body, "model", ""), model)) return error;
  tokenize::EncodeOptions options;
  options.add_special_tokens = flag_or(call.body, "add_special", false);
  options.parse_special = flag_or(call.body, "parse_special", false);
  options.with_offsets = false;
  const auto ids = model->tokenizer().encode_ids(text_or(call.body, "content", ""), options);
  if (!ids.ok()) return api_error(ids.status(), "content");
  const bool with_pieces = flag_or(call.body, "with_pieces", false);
  Json tokens = Json::array();
  for (const int32_t id : *ids) {
    tokens.push_back(with_pieces ? Json::object().set("id", id).set("piece", piece_of(model->token_text(), id)) : Json(id));
  }
  call.send(Json::object().set("tokens", std::move(tokens)));
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_tokenize;
const EndpointDef endpoint_tokenize = {"POST", "/tokenize", Shape::kOpenAi, false, handle};

}  // namespace atelier::serve
