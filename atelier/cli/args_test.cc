#include "atelier/cli/args.h"

#include <gtest/gtest.h>

namespace atelier::cli {
namespace {

class ArgsTest : public testing::Test {
 protected:
  ArgsTest() {
    args.positional("MODEL", model, "which model");
    args.positional("TEXT", text, "some text", Args::Presence::kOptional);
    args.group("Things");
    args.option("-n,--number", number, "N", "a number", {0, 9});
    args.option("--ratio", ratio, "X", "a ratio", {0, 1});
    args.option("--stop", stops, "TEXT", "repeatable");
    args.choice("--mode", mode, {"fast", "exact"}, "how");
    args.flag("--quiet", is_quiet, "say nothing");
  }
  std::string error(const std::vector<std::string>& arguments) {
    const auto result = args.parse(arguments);
    EXPECT_EQ(result.status().code(), StatusCode::kInvalidArgument);
    return result.status().message();
  }

  Args args{"atelier test", "A test.", "atelier test m"};
  std::string model, text, mode = "fast";
  int64_t number = 3;
  std::optional<double> ratio;
  std::vector<std::string> stops;
  bool is_quiet = false;
};

TEST_F(ArgsTest, fill_the_variables) {
  const auto wants_help =
      args.parse({"--number=7", "m", "--stop", "a", "--ratio", "0.5", "--stop", "-b", "--quiet", "--mode", "exact", "hello"});
  ASSERT_TRUE(wants_help.ok()) << wants_help.status().message();
  EXPECT_FALSE(*wants_help);
  EXPECT_EQ(model, "m");
  EXPECT_EQ(text, "hello");
  EXPECT_EQ(number, 7);
  EXPECT_EQ(ratio, 0.5);
  EXPECT_EQ(stops, (std::vector<std::string>{"a", "-b"})) << "a value may begin with a dash, and does not swallow what follows";
  EXPECT_EQ(mode, "exact");
  EXPECT_TRUE(is_quiet);
}

TEST_F(ArgsTest, what_is_not_typed_keeps_its_default) {
  ASSERT_TRUE(args.parse({"m"}).ok());
  EXPECT_EQ(number, 3);
  EXPECT_EQ(ratio, std::nullopt);
}

TEST_F(ArgsTest, the_last_of_a_repeated_option_counts) {
  ASSERT_TRUE(args.parse({"m", "-n", "1", "-n", "2"}).ok());
  EXPECT_EQ(number, 2);
}

TEST_F(ArgsTest, a_value_out_of_range_or_of_another_kind_names_option_value_and_limit) {
  EXPECT_EQ(error({"m", "-n", "10"}), "--number: \"10\", must be an integer from 0 to 9; see --help");
  EXPECT_EQ(error({"m", "--number", "three"}), "--number: \"three\", must be an integer from 0 to 9; see --help");
  EXPECT_EQ(error({"m", "--ratio", "nan"}), "--ratio: \"nan\", must be a number from 0 to 1; see --help");
  EXPECT_EQ(error({"m", "--mode", "slow"}), "--mode: \"slow\", must be fast|exact; see --help");
}

TEST_F(ArgsTest, unknown_options_bring_the_nearest) {
  EXPECT_EQ(error({"m", "--numbr", "3"}), "option: \"--numbr\", unknown to atelier test; did you mean --number?");
  EXPECT_EQ(error({"--numbr=3"}), "option: \"--numbr=3\", unknown to atelier test; did you mean --number?")
      << "also where MODEL is missing";
  EXPECT_EQ(error({"m", "--zzzzzzzz"}), "option: \"--zzzzzzzz\", unknown to atelier test; see atelier test --help");
}

TEST_F(ArgsTest, missing_and_surplus_arguments_are_errors) {
  EXPECT_EQ(error({}), "MODEL: missing, atelier test needs it; see atelier test --help");
  EXPECT_EQ(error({"m", "--number"}).find("--number: no value, it needs one"), 0u);
  EXPECT_NE(error({"m", "two", "words"}).find("\"words\""), std::string::npos);
}

TEST_F(ArgsTest, help_names_every_option_its_default_and_the_example) {
  const auto wants_help = args.parse({"--help"});
  ASSERT_TRUE(wants_help.ok());
  EXPECT_TRUE(*wants_help);
  const std::string help = args.help();
  for (const char* part : {"MODEL", "--number", "(default 3)", "--ratio", "--stop", "fast|exact", "Things", "Example:\n  atelier test m"}) {
    EXPECT_NE(help.find(part), std::string::npos) << part << " in\n" << help;
  }
}

}  // namespace
}  // namespace atelier::cli
