// What does running together bring? The same requests of mixed lengths one after the other and together; then the time to the first token
// of a conversation's second turn, with and without remembered prefixes. Prints one JSON object.
//
//   engine_bench MODEL [SEQUENCES…]      16 and 64 without numbers
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "atelier/base/json.h"
#include "atelier/base/rng.h"
#include "atelier/generate/engine.h"
#include "atelier/models/model.h"

namespace {

using namespace atelier;
using generate::Engine;
using generate::EngineOptions;
using generate::Request;

double seconds_of(const std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// A random prompt; greedy, and no token ends the answer.
Request random_request(const models::Model& model, uint64_t sequence, int64_t prompt, int64_t answer) {
  Request request;
  const auto vocabulary = static_cast<uint64_t>(model.spec().vocab_size);
  for (int64_t i = 0; i < prompt; ++i) {
    request.prompt.push_back(static_cast<int32_t>(random_bits(1, sequence, static_cast<uint64_t>(i)) % vocabulary));
  }
  request.options.sampling.temperature = 0;
  request.options.max_tokens = answer;
  return request;
}

// Prompts of 16 to 256 tokens, answers of 16 to 112.
std::vector<Request> mixed_requests(const models::Model& model, int64_t count) {
  std::vector<Request> requests;
  for (uint64_t i = 0; i < static_cast<uint64_t>(count); ++i) {
    const auto prompt = static_cast<int64_t>(16 + random_bits(2, i, 0) % 241),
               answer = static_cast<int64_t>(16 + random_bits(2, i, 1) % 97);
    requests.push_back(random_request(model, i, prompt, answer));
  }
  return requests;
}

// Answer tokens per second of all requests, prompts included in the time.
Result<double> rate(models::Model& model, const std::vector<Request>& requests, int64_t max_sequences) {
  ATELIER_TRY(auto engine, Engine::create(model, {.max_sequences = max_sequences, .keeps_prefixes = false}));
  const auto start = std::chrono::steady_clock::now();
  for (const Request& request : requests) {
    ATELIER_TRY([[maybe_unused]] const auto id, engine->submit(request));
  }
  while (engine->has_work()) ATELIER_RETURN_IF_ERROR(engine->step());
  return static_cast<double>(engine->metrics().decode_tokens) / seconds_of(start);
}

// Seconds to the first token of a second turn: 1,024 tokens, an answer of 32, and 32 more.
Result<double> second_turn(models::Model& model, bool keeps_prefixes) {
  ATELIER_TRY(auto engine, Engine::create(model, {.max_sequences = 1, .keeps_prefixes = keeps_prefixes}));
  Request turn = random_request(model, 1000, 1024, 32);
  ATELIER_TRY(const generate::Generation first, engine->generate(turn));
  turn.prompt.insert(turn.prompt.end(), first.ids.begin(), first.ids.end());
  const Request more = random_request(model, 1001, 32, 1);
  turn.prompt.insert(turn.prompt.end(), more.prompt.begin(), more.prompt.end());
  turn.options.max_tokens = 1;
  ATELIER_TRY(const generate::Generation second, engine->generate(turn));
  return second.prefill_s;
}

Status bench(const std::string& path, const std::vector<int64_t>& counts) {
  ATELIER_TRY(auto model, models::load_model(path, {.context = 2048}));
  ATELIER_TRY([[maybe_unused]] const double warm, rate(*model, mixed_requests(*model, 2), 2));
  Json mixed = Json::array();
  for (const int64_t count : counts) {
    const std::vector<Request> requests = mixed_requests(*model, count);
    ATELIER_TRY(const double alone, rate(*model, requests, 1));
    ATELIER_TRY(const double together, rate(*model, requests, count));
    mixed.push_back(Json::object().set("sequences", count).set("one_by_one_tok_s", alone).set("together_tok_s", together));
  }
  ATELIER_TRY(const double without, second_turn(*model, false));
  ATELIER_TRY(const double with, second_turn(*model, true));
  const Json turn = Json::object().set("computed_s", without).set("remembered_s", with);
  std::printf("%s\n", Json::object().set("mixed", std::move(mixed)).set("second_turn", turn).dump().c_str());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: engine_bench MODEL [SEQUENCES...]\n");
    return 2;
  }
  std::vector<int64_t> counts;
  for (int i = 2; i < argc; ++i) counts.push_back(std::max(1LL, std::atoll(argv[i])));
  const Status status = bench(argv[1], counts.empty() ? std::vector<int64_t>{16, 64} : counts);
  if (!status.ok()) std::fprintf(stderr, "engine_bench: error: %s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
