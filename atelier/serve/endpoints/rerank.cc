// POST /v1/rerank: documents by how well they answer a query.
//
// A cross-encoder (one label over a pair of texts) scores by the sigmoid of its logit, as sentence-transformers' CrossEncoder does; every
// other model that makes vectors, by their cosine.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "atelier/models/encoder_input.h"
#include "atelier/serve/embedding_work.h"
#include "atelier/serve/generation_options.h"
#include "atelier/serve/turns.h"

namespace atelier::serve {
namespace {

struct Ranking {
  const ServedModel* model;
  std::shared_ptr<http::Reply> reply;
  std::vector<std::string> documents;
  int64_t num_top = 0, num_tokens = 0, num_cut = 0;
  bool returns_documents = false;
  std::vector<double> scores;
  std::vector<models::EncoderInput> pairs;  // of a cross-encoder
};

// Documents are texts or {"text"}.
std::vector<std::string> documents_of(const Json& body) {
  std::vector<std::string> documents;
  for (const Json& document : body.find("documents")->as_array())
    documents.push_back(document.is_string() ? document.as_string() : text_or(document, "text", ""));
  return documents;
}

void send(const Ranking& ranking) {
  std::vector<size_t> order(ranking.scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return ranking.scores[a] > ranking.scores[b]; });
  if (ranking.num_top > 0 && static_cast<size_t>(ranking.num_top) < order.size()) order.resize(static_cast<size_t>(ranking.num_top));
  Json results = Json::array();
  for (const size_t i : order) {
    Json result = Json::object().set("index", static_cast<int64_t>(i)).set("relevance_score", ranking.scores[i]);
    if (ranking.returns_documents) result.set("document", Json::object().set("text", ranking.documents[i]));
    results.push_back(std::move(result));
  }
  Json json = Json::object().set("object", "list").set("model", ranking.model->name()).set("results", std::move(results));
  json.set("usage", Json::object().set("prompt_tokens", ranking.num_tokens).set("total_tokens", ranking.num_tokens));
  if (ranking.num_cut > 0) json.set("truncated", ranking.num_cut);
  ranking.reply->send({200, {{"Content-Type", "application/json"}}, json.dump()});
}

Status read_pairs(const std::string& query, bool truncates, Ranking& ranking) {
  const int64_t context = ranking.model->model().context();
  for (size_t i = 0; i < ranking.documents.size(); ++i) {
    const auto pair = [&](int64_t max_length) {
      return models::encode_pair(ranking.model->tokenizer(), query, ranking.documents[i], max_length);
    };
    ATELIER_TRY(models::EncoderInput input, pair(int64_t{1} << 40));
    if (const auto length = static_cast<int64_t>(input.ids.size()); length > context) {
      if (!truncates) {
        return Status::out_of_range(
            fmt::format("documents[{}]: {} tokens with the query, the model takes {}; shorten it, or set truncate", i, length, context));
      }
      ATELIER_TRY(input, pair(context));
      ++ranking.num_cut;
    }
    ranking.num_tokens += static_cast<int64_t>(input.ids.size());
    ranking.pairs.push_back(std::move(input));
  }
  return {};
}

std::optional<ApiError> rank_by_pairs(const Call& call, ServedModel& model, std::shared_ptr<Ranking> ranking) {
  const Status status = read_pairs(text_or(call.body, "query", ""), flag_or(call.body, "truncate", false), *ranking);
  if (!status.ok()) return input_error(status);
  const auto piece = [ranking, &model]() -> Result<bool> {
    const models::EncoderInput& input = ranking->pairs[ranking->scores.size()];
    const nn::RowRun run = models::run_of(input);
    ATELIER_RETURN_IF_ERROR(model.model_to_run().run(input.ids, std::span(&run, 1)));
    ranking->scores.push_back(1 / (1 + std::exp(-static_cast<double>(model.model_to_run().task_logits()[0]))));
    return ranking->scores.size() < ranking->pairs.size();
  };
  return run_in_turns(call, piece, [ranking] { send(*ranking); });
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0, a_squares = 0, b_squares = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    dot += static_cast<double>(a[i]) * b[i];
    a_squares += static_cast<double>(a[i]) * a[i];
    b_squares += static_cast<double>(b[i]) * b[i];
  }
  return dot / std::max(std::sqrt(a_squares * b_squares), 1e-12);
}

std::optional<ApiError> rank_by_vectors(const Call& call, ServedModel& model, std::shared_ptr<Ranking> ranking) {
  Json texts = Json::array().push_back(*call.body.find("query"));
  for (const std::string& document : ranking->documents) texts.push_back(document);
  EmbeddingInput input;
  if (auto error = read_embedding_input(texts, model, flag_or(call.body, "truncate", false), 0, input)) return error;
  ranking->num_tokens = input.num_tokens;
  ranking->num_cut = input.num_cut;
  return run_embeddings(call, model, std::move(input), [ranking, width = static_cast<size_t>(model.encoder()->width())](auto vectors) {
    for (size_t i = width; i < vectors.size(); i += width)
      ranking->scores.push_back(cosine(vectors.first(width), vectors.subspan(i, width)));
    send(*ranking);
  });
}

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_model(text_or(call.body, "model", ""), model)) return error;
  auto ranking = std::make_shared<Ranking>();
  ranking->model = model;
  ranking->reply = call.reply;
  ranking->documents = documents_of(call.body);
  ranking->num_top = integer_or(call.body, "top_n", 0);
  ranking->returns_documents = flag_or(call.body, "return_documents", false);
  const nn::HeadSpec& head = model->model().spec().head;
  if (head.kind != nn::HeadKind::kSequence) return rank_by_vectors(call, *model, std::move(ranking));
  if (head.num_labels == 1) return rank_by_pairs(call, *model, std::move(ranking));
  return ApiError{400, fmt::format("model: {} tells {} labels apart, 1 is what ranks; ask /v1/classify", model->name(), head.num_labels),
                  "model"};
}

}  // namespace

extern const EndpointDef endpoint_rerank;
const EndpointDef endpoint_rerank = {"POST", "/v1/rerank", Shape::kOpenAi, false, handle};

}  // namespace atelier::serve
