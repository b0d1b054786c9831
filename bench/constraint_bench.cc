// What does it cost to hold answers to a schema, and do they keep to it? Random schemas of the supported kinds (docs/guide/constraints.md):
// how long each takes to compile; an answer to each, printed as a JSON line {"schema", "text", "finish_reason"} for a validator
// (scripts/check_schemas.py); then the time per token of one schema's answers beside free ones of the same length, for 1 and 16 together.
//
//   constraint_bench MODEL [SCHEMAS]      500 without a number; answers to stdout, figures to stderr
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "atelier/base/json.h"
#include "atelier/base/rng.h"
#include "atelier/generate/engine.h"
#include "atelier/generate/grammar/constraint.h"
#include "atelier/generate/grammar/json_schema.h"
#include "atelier/models/model.h"

namespace {

using namespace atelier;
using generate::Constraint;
using generate::Engine;
using generate::Generation;
using generate::Request;

constexpr int64_t kMaxTokens = 1024;  // of an answer
constexpr int64_t kParallel = 16;

double seconds_since(const std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Draws schemas; the same number gives the same one.
class SchemaMaker {
 public:
  explicit SchemaMaker(uint64_t number) : number_(number) {}

  Json object(int depth) {
    Json properties = Json::object(), required = Json::array();
    const int64_t count = between(1, 5);
    for (int64_t i = 0; i < count; ++i) {
      const std::string name = kNames[static_cast<size_t>(between(0, kNumNames - 1))];
      if (properties.contains(name)) continue;
      properties.set(name, any(depth - 1));
      if (between(0, 2) > 0) required.push_back(name);
    }
    return Json::object().set("type", "object").set("properties", properties).set("required", required).set("additionalProperties", false);
  }

 private:
  static constexpr const char* kNames[] = {"name", "age",   "city", "tags", "price", "is_open",
                                           "date", "items", "id",   "note", "größe", "a\"b"};
  static constexpr int64_t kNumNames = std::size(kNames);

  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random_bits(7, number_, draw_++) % static_cast<uint64_t>(high - low + 1));
  }

  Json any(int depth) {
    switch (between(0, depth > 0 ? 9 : 6)) {
      case 0:
        return text();
      case 1:
        return Json::object().set("type", "integer").set("minimum", between(-50, 0)).set("maximum", between(1, 5000));
      case 2:
        return Json::object().set("type", between(0, 1) == 0 ? "number" : "integer");
      case 3:
        return Json::object().set("type", "boolean");
      case 4:
        return Json::object().set("enum", Json::Array{"red", "green", 3, nullptr, true});
      case 5:
        return Json::object().set("const", between(0, 1) == 0 ? Json("fixed") : Json(between(0, 99)));
      case 6:
        return Json::object().set("type", Json::Array{"string", "null"}).set("maxLength", between(1, 40));
      case 7:
        return object(depth);
      case 8:
        return Json::object().set("anyOf", Json::Array{any(depth - 1), Json::object().set("type", "null")});
      default:
        return list(depth);
    }
  }

  Json text() {
    const Json string = Json::object().set("type", "string");
    switch (between(0, 3)) {
      case 0:
        return Json(string).set("minLength", between(0, 5)).set("maxLength", between(5, 60));
      case 1:
        return Json(string).set("pattern", "^[A-Z][a-z]{2,8}(-[0-9]{1,3})?$");
      case 2:
        return Json(string).set("format", between(0, 1) == 0 ? "date" : "uuid");
      default:
        return string;
    }
  }

  Json list(int depth) {
    const int64_t least = between(0, 3);
    return Json::object().set("type", "array").set("items", any(depth - 1)).set("minItems", least).set("maxItems", least + between(0, 4));
  }

  uint64_t number_, draw_ = 0;
};

class Bench {
 public:
  static Result<Bench> open(const std::string& path) {
    ATELIER_TRY(auto model, models::load_model(path, {.context = 2048}));
    ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model->tokenizer());
    return Bench(std::move(model), *tokenizer);
  }

  Status check_schemas(int64_t count) {
    ATELIER_TRY(auto engine, Engine::create(*model_, {.max_sequences = kParallel}));
    std::vector<double> compile_s;
    int64_t num_cut = 0;
    for (int64_t i = 0; i < count; ++i) {
      const Json schema = SchemaMaker(static_cast<uint64_t>(i)).object(3);
      const auto start = std::chrono::steady_clock::now();
      ATELIER_TRY(const auto constraint, Constraint::compile(generate::json_schema_rules(schema), vocabulary_));
      compile_s.push_back(seconds_since(start));
      ATELIER_TRY(Request request, request_for(schema, constraint, static_cast<uint64_t>(i)));
      request.hooks.on_finish = [schema, &num_cut](const Result<Generation>& generation) {
        Json line = Json::object().set("schema", schema);
        if (generation.ok()) {
          num_cut += generation->finish != generate::FinishReason::kStopToken;
          line.set("text", generation->text).set("finish_reason", generate::finish_reason_name(generation->finish));
        } else {
          line.set("error", generation.status().message());
        }
        std::printf("%s\n", line.dump().c_str());
      };
      ATELIER_TRY([[maybe_unused]] const auto id, engine->submit(std::move(request)));
    }
    while (engine->has_work()) ATELIER_RETURN_IF_ERROR(engine->step());
    std::ranges::sort(compile_s);
    std::fprintf(stderr, "%ld schemas: compiled in %.2f ms (median), %.2f ms (worst); %ld answers cut by length\n",
                 static_cast<long>(count), 1e3 * compile_s[compile_s.size() / 2], 1e3 * compile_s.back(), static_cast<long>(num_cut));
    return {};
  }

  // A list of records long enough never to end within the tokens that are timed.
  Status time_tokens(int64_t parallel) {
    const Json record =
        Json::object()
            .set("type", "object")
            .set("properties",
                 Json::object().set("name", Json::object().set("type", "string")).set("age", Json::object().set("type", "integer")));
    const Json schema = Json::object().set("type", "array").set("items", record).set("minItems", 200);
    ATELIER_TRY(const auto constraint, Constraint::compile(generate::json_schema_rules(schema), vocabulary_));
    std::vector<double> ratios, rates;
    for (int round = 0; round < 7; ++round) {
      ATELIER_TRY(const double held, rate(schema, constraint, parallel));
      ATELIER_TRY(const double free, rate(schema, nullptr, parallel));
      rates.push_back(held);
      ratios.push_back(held / free);
    }
    std::ranges::sort(ratios);
    std::ranges::sort(rates);
    std::fprintf(stderr, "%ld together: %.1f tokens/s held to a schema, %.3f of free speed (medians of 7)\n", static_cast<long>(parallel),
                 rates[3], ratios[3]);
    return {};
  }

 private:
  Bench(std::unique_ptr<models::Model> model, const tokenize::Tokenizer& tokenizer)
      : model_(std::move(model)), tokenizer_(tokenizer), vocabulary_(std::make_shared<const generate::TokenBytes>(tokenizer)) {}

  Result<Request> request_for(const Json& schema, const std::shared_ptr<Constraint>& constraint, uint64_t sequence) const {
    Request request;
    ATELIER_TRY(tokenize::Encoding encoding, tokenizer_.encode("A JSON document for the schema " + schema.dump() + ":\n", {}));
    request.prompt = std::move(encoding.ids);
    request.options.sampling.temperature = 1;
    request.options.sampling.seed = 1;
    request.options.sequence = sequence;
    request.options.max_tokens = kMaxTokens;
    request.options.stop_ids = model_->defaults().stop_ids;
    if (constraint) request.options.mask = constraint->mask(request.options.stop_ids);
    return request;
  }

  // Tokens per second of `parallel` greedy answers of 128 tokens, the prompt not counted.
  Result<double> rate(const Json& schema, const std::shared_ptr<Constraint>& constraint, int64_t parallel) {
    ATELIER_TRY(auto engine, Engine::create(*model_, {.max_sequences = parallel}));
    for (int64_t i = 0; i < parallel; ++i) {
      ATELIER_TRY(Request request, request_for(schema, constraint, static_cast<uint64_t>(i)));
      request.options.sampling.temperature = 0;
      request.options.max_tokens = 128;
      if (!constraint) request.options.stop_ids.clear();
      ATELIER_TRY([[maybe_unused]] const auto id, engine->submit(std::move(request)));
    }
    while (engine->has_work() && engine->metrics().decode_tokens < parallel) ATELIER_RETURN_IF_ERROR(engine->step());
    const int64_t before = engine->metrics().decode_tokens;
    const auto start = std::chrono::steady_clock::now();
    while (engine->has_work()) ATELIER_RETURN_IF_ERROR(engine->step());
    return static_cast<double>(engine->metrics().decode_tokens - before) / seconds_since(start);
  }

  std::unique_ptr<models::Model> model_;
  const tokenize::Tokenizer& tokenizer_;
  std::shared_ptr<const generate::TokenBytes> vocabulary_;
};

Status bench(const std::string& path, int64_t count) {
  ATELIER_TRY(Bench bench, Bench::open(path));
  ATELIER_RETURN_IF_ERROR(bench.check_schemas(count));
  ATELIER_RETURN_IF_ERROR(bench.time_tokens(1));
  return bench.time_tokens(16);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: constraint_bench MODEL [SCHEMAS]\n");
    return 2;
  }
  const Status status = bench(argv[1], argc > 2 ? std::max(1LL, std::atoll(argv[2])) : 500);
  if (!status.ok()) std::fprintf(stderr, "constraint_bench: error: %s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
