#include "atelier/cli/bench_report.h"

#include <gtest/gtest.h>

namespace atelier::cli {
namespace {

constexpr const char* kPeer =
    R"({"engine":"llama.cpp","model":"m.gguf","threads":2,"prompt":512,"generate":64,"depth":0,"kv":"f16","prefill_tok_s":100.0,)"
    R"("batched":[{"batch":16,"decode_tok_s":200.0},{"batch":1,"decode_tok_s":50.0}],"decode_tok_s":200.0})";

BenchReport ours() {
  BenchReport report{.engine = "atelier", .threads = 2, .prompt = 512, .generate = 64, .depth = 0, .kv = "f16", .prefill_tok_s = 600};
  report.batched = {{1, 100}, {8, 300}, {16, 700}};
  return report;
}

TEST(BenchReport, reads_a_peers_line_and_gives_ratios_of_what_both_measured) {
  const BenchReport peer = parse_bench_report(kPeer, "peer.json").value();
  EXPECT_TRUE(check_same_settings(ours(), peer, "peer.json").ok());
  EXPECT_EQ(
      comparison_json(ours(), peer).dump(),
      R"({"engine": "llama.cpp", "prefill_ratio": 6.0, "decode_ratio": 2.0, "batched": [{"batch": 1, "ratio": 2.0}, {"batch": 16, "ratio": 3.5}]})");
}

TEST(BenchReport, refuses_other_settings_and_names_the_first) {
  const BenchReport peer = parse_bench_report(kPeer, "peer.json").value();
  for (const auto& [name, change] :
       std::vector<std::pair<std::string, void (*)(BenchReport&)>>{{"threads", [](BenchReport& r) { r.threads = 4; }},
                                                                   {"prompt", [](BenchReport& r) { r.prompt = 7; }},
                                                                   {"generate", [](BenchReport& r) { r.generate = 7; }},
                                                                   {"depth", [](BenchReport& r) { r.depth = 7; }},
                                                                   {"kv", [](BenchReport& r) { r.kv = "q8_0"; }}}) {
    BenchReport changed = ours();
    change(changed);
    const Status status = check_same_settings(changed, peer, "peer.json");
    EXPECT_NE(status.message().find(name), std::string::npos) << status.message();
    EXPECT_NE(status.message().find("peer.json"), std::string::npos) << status.message();
  }
}

TEST(BenchReport, what_is_no_report_is_an_error_of_one_line) {
  for (const char* text :
       {"", "[]", "{}", R"({"engine":"x"})", R"({"engine":"x","threads":"two","prompt":1,"generate":1,"depth":0,"kv":"f16"})",
        R"({"engine":"x","threads":2,"prompt":1,"generate":1,"depth":0,"kv":"f16","prefill_tok_s":1,"batched":[{"batch":1}]})"}) {
    const Result<BenchReport> report = parse_bench_report(text, "peer.json");
    ASSERT_FALSE(report.ok()) << text;
    EXPECT_EQ(report.status().message().find('\n'), std::string::npos);
    EXPECT_NE(report.status().message().find("peer.json"), std::string::npos) << report.status().message();
  }
}

}  // namespace
}  // namespace atelier::cli
