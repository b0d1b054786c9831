// Drives a fuzz target where libFuzzer is not there: every seed as it is, then mutants of them.
//
//   fuzz_gguf [--runs 1000] [--seed 1] [--seconds 0] [--only RUN] [--timeout 30] [--failure FILE] SEED_FILE_OR_FOLDER...
//
// --only RUN repeats one mutant; --runs 0 tries the seeds alone, which is how a kept input is run again.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "atelier/base/strings.h"
#include "tests/fuzz/guard.h"
#include "tests/fuzz/mutator.h"

namespace {

namespace fs = std::filesystem;

struct Options {
  uint64_t runs = 1000;
  uint64_t seed = 1;
  double seconds = 0;  // 0: no limit
  std::optional<uint64_t> only;
  unsigned timeout_s = 30;  // of processor time, for one input
  std::string failure = "fuzz-failure.bin";
  std::vector<std::string> seed_paths;
};

bool parse_options(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (!argument.starts_with("--")) {
      options.seed_paths.push_back(argument);
      continue;
    }
    if (++i == argc) return false;
    const auto number = atelier::parse_int(argv[i]);
    if (argument == "--failure") {
      options.failure = argv[i];
    } else if (!number || *number < 0) {
      return false;
    } else if (argument == "--runs") {
      options.runs = static_cast<uint64_t>(*number);
    } else if (argument == "--seed") {
      options.seed = static_cast<uint64_t>(*number);
    } else if (argument == "--seconds") {
      options.seconds = static_cast<double>(*number);
    } else if (argument == "--timeout") {
      options.timeout_s = static_cast<unsigned>(*number);
    } else if (argument == "--only") {
      options.only = static_cast<uint64_t>(*number);
    } else {
      return false;
    }
  }
  return !options.seed_paths.empty();
}

// The files named, and all files of the folders named, sorted so that a run number means the same everywhere.
std::vector<std::string> read_seeds(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    const size_t first = files.size();
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) files.push_back(entry.path().string());
    }
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(first), files.end());
  }
  std::vector<std::string> seeds;
  for (const std::string& file : files) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
      std::fprintf(stderr, "fuzz: cannot read %s\n", file.c_str());
      return {};
    }
    seeds.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  return seeds;
}

std::string describe(const Options& options, uint64_t run) {
  return "mutant " + std::to_string(run) + " (again with --seed " + std::to_string(options.seed) + " --only " + std::to_string(run) + ")";
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse_options(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: %s [--runs N] [--seed N] [--seconds N] [--only RUN] [--timeout 30] [--failure FILE] SEED_FILE_OR_FOLDER...\n",
                 argv[0]);
    return 2;
  }
  const atelier::fuzz::Mutator mutator(read_seeds(options.seed_paths));
  if (mutator.seeds().empty()) return 2;
  atelier::fuzz::install_guard({.max_cpu_seconds = options.timeout_s}, options.failure);
  if (options.only) {
    atelier::fuzz::run_guarded(mutator.mutant(options.seed, *options.only), describe(options, *options.only));
    return 0;
  }
  for (size_t i = 0; i < mutator.seeds().size(); ++i) {
    atelier::fuzz::run_guarded(mutator.seeds()[i], "seed file " + std::to_string(i + 1));
  }
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed_s = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  uint64_t run = 0;
  for (; run < options.runs && (options.seconds == 0 || elapsed_s() < options.seconds); ++run) {
    atelier::fuzz::run_guarded(mutator.mutant(options.seed, run), describe(options, run));
  }
  std::printf("fuzz: %zu seeds and %llu mutants in %.1f s\n", mutator.seeds().size(), static_cast<unsigned long long>(run), elapsed_s());
  return 0;
}
