// Load on a server that speaks OpenAI's completions, and what its clients see of it: time to the first token, time between tokens.
//
// Closed loop: `streams` clients, each of which asks again when its answer has ended. Open loop: requests arrive at a rate, with
// exponential gaps (a Poisson process), whether earlier ones have ended or not; what waits then shows, which a closed loop hides
// (Schroeder, Wierman and Harchol-Balter 2006, "Open Versus Closed: A Cautionary Tale").
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "atelier/base/status.h"

namespace atelier::cli {

struct LoadOptions {
  std::string url;        // "http://127.0.0.1:8080"
  std::string model;      // by the server's name
  std::string key;        // sent as a bearer's token; empty: none
  std::string ca_file;    // PEM: whose certificates to trust; empty: the system's
  double rate = 0;        // open loop: requests a second; 0: closed loop
  int64_t streams = 8;    // closed loop: clients
  int64_t requests = 64;  // that are measured
  int64_t warmup = 1;     // asked before those, and not measured
  int64_t prompt = 128;   // tokens of a prompt, ids drawn at random from [vocabulary / 10, vocabulary)
  int64_t shared = 0;     // of them, the first ones that all prompts have in common
  int64_t generate = 64;  // tokens of an answer, forced
  int64_t vocabulary = 10000;
  std::vector<std::string> prompts = {};  // texts to use in turn instead of ids
  double leave = 0;                       // part of the clients that leave somewhere within their answer
  uint64_t seed = 1;
};

// By nearest rank, in milliseconds.
struct Percentiles {
  double p50 = 0, p95 = 0, p99 = 0, max = 0;
};
Percentiles percentiles(std::vector<double> values_ms);

struct LoadReport {
  int64_t completed = 0, left = 0;
  int64_t short_answers = 0;                                        // completed, and not of the length that was asked for
  std::map<std::string, int64_t> failed;                            // by status of HTTP, or by what went wrong
  int64_t prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;  // of completed ones, as the server counts them
  double seconds = 0;                                               // from the first request to the last end
  Percentiles first_token, between_tokens, request;
  double fairness = 0;  // closed loop: tokens a second of the slowest client over those of the fastest
};

// `progress` hears of the requests that have ended; false ends the run: Cancelled. Io when no answer could be had at all.
Result<LoadReport> run_load(const LoadOptions& options, const std::function<bool(int64_t done)>& progress);

// The first model that the server names (GET /v1/models).
Result<std::string> first_model_of(const LoadOptions& options);

}  // namespace atelier::cli
